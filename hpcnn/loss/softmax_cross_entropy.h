// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Cross-entropy of the softmax of logits, against class labels:
//   loss = log(sum over j of exp(x[j])) - x[label]
//   d loss / d x[i] = softmax(x)[i] - (i == label)
// Fused, so that neither exp nor log can overflow. Not for several labels a
// sample.

#ifndef HPCNN_LOSS_SOFTMAX_CROSS_ENTROPY_H_
#define HPCNN_LOSS_SOFTMAX_CROSS_ENTROPY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/loss/loss.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/softmax.h"

HPCNN_NAMESPACE_BEGIN

struct SoftmaxCrossEntropy {
  static constexpr const char* kName = "SoftmaxCrossEntropy";
  using Expects = FlatShape;

  // The label of each sample, below the number of classes.
  template <class T>
  using Targets = std::span<const std::uint8_t>;

  template <ExecutionPolicy P, class T>
  static void Evaluate(MatrixView<const T> x, Targets<T> labels,
                       std::size_t first, T scale, MatrixView<T> d_x,
                       std::span<T> losses) {
    for (std::size_t n = 0; n < x.rows(); ++n) {
      const std::size_t label = labels[first + n];
      HPCNN_CHECK(label < x.cols(), "a label must be below the class count");
      const T log_sum =
          SoftmaxRow<P>(std::span<const T>(x.row(n), x.cols()), scale,
                        std::span<T>(d_x.row(n), x.cols()));
      losses[n] = log_sum - x(n, label);
      d_x(n, label) -= scale;
    }
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOSS_SOFTMAX_CROSS_ENTROPY_H_
