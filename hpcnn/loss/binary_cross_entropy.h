// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Binary cross-entropy of the sigmoids s(x[c]) of logits, against targets in
// [0, 1]:
//   loss = -1/C * sum over c of t[c] log s(x[c]) + (1 - t[c]) log(1 - s(x[c]))
//   d loss / d x[c] = (s(x[c]) - t[c]) / C
// Fused, so that neither exp nor log can overflow: a term is
//   max(x, 0) - x t + log(1 + exp(-|x|))

#ifndef HPCNN_LOSS_BINARY_CROSS_ENTROPY_H_
#define HPCNN_LOSS_BINARY_CROSS_ENTROPY_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/loss/loss.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN

struct BinaryCrossEntropy {
  static constexpr const char* kName = "BinaryCrossEntropy";

  template <class T>
  using Targets = MatrixView<const T>;  // [N, C]

  template <ExecutionPolicy P, class T>
  static void Evaluate(MatrixView<const T> x, Targets<T> targets,
                       std::size_t first, T scale, MatrixView<T> d_x,
                       std::span<T> losses) {
    const T mean = T{1} / static_cast<T>(x.cols());
    for (std::size_t n = 0; n < x.rows(); ++n) {
      T sum{0};
      for (std::size_t c = 0; c < x.cols(); ++c) {
        const T logit = x(n, c);
        const T target = targets(first + n, c);
        HPCNN_CHECK(T{0} <= target && target <= T{1},
                    "a target must be in [0, 1]");
        sum += std::max(logit, T{0}) - logit * target +
               std::log1p(std::exp(-std::abs(logit)));
        const T sigmoid = SigmoidFunction{}(logit);
        d_x(n, c) = scale * mean * (sigmoid - target);
      }
      losses[n] = mean * sum;
    }
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOSS_BINARY_CROSS_ENTROPY_H_
