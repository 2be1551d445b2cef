// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Mean absolute error against real targets; its gradient is 0 at the kink:
//   loss = 1/C * sum over c of |x[c] - t[c]|

#ifndef HPCNN_LOSS_MEAN_ABSOLUTE_ERROR_H_
#define HPCNN_LOSS_MEAN_ABSOLUTE_ERROR_H_

#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/loss/loss.h"

HPCNN_NAMESPACE_BEGIN

struct MeanAbsoluteError {
  static constexpr const char* kName = "MeanAbsoluteError";

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
        const T difference = x(n, c) - targets(first + n, c);
        const auto sign =
            static_cast<T>((difference > T{0}) - (difference < T{0}));
        sum += std::abs(difference);
        d_x(n, c) = scale * mean * sign;
      }
      losses[n] = mean * sum;
    }
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOSS_MEAN_ABSOLUTE_ERROR_H_
