// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Softmax layer: probabilities from logits, over the whole of a sample.
//
// Not for training: networks end in logits, and the loss SoftmaxCrossEntropy
// fuses the two, which is faster and cannot overflow. This one is for networks
// that must output probabilities.

#ifndef HPCNN_NN_SOFTMAX_H_
#define HPCNN_NN_SOFTMAX_H_

#include <cstddef>
#include <span>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/softmax.h"

HPCNN_NAMESPACE_BEGIN

struct Softmax {
  static constexpr const char* kName = "Softmax";

  template <ShapeType In>
  struct On : ParameterFree<In, In> {
    using Expects = FlatShape;
    static constexpr std::size_t kForwardFlops = 5 * In::kVolume;
    static constexpr bool kInPlace = true;

    template <ExecutionPolicy P, class T>
    static void Forward(std::span<const T>, MatrixView<const T> x,
                        MatrixView<T> y) {
      for (std::size_t n = 0; n < x.rows(); ++n) {
        SoftmaxRow<P>(std::span<const T>(x.row(n), x.cols()), T{1},
                      std::span<T>(y.row(n), y.cols()));
      }
    }

    // d_x[i] = y[i] (d_y[i] - sum over j of d_y[j] y[j]).
    template <ExecutionPolicy P, class T>
    static void BackwardInput(std::span<const T>, MatrixView<const T> y,
                              MatrixView<const T> d_y, MatrixView<T> d_x) {
      for (std::size_t n = 0; n < y.rows(); ++n) {
        T dot{0};
        for (std::size_t i = 0; i < y.cols(); ++i) dot += d_y(n, i) * y(n, i);
        for (std::size_t i = 0; i < y.cols(); ++i) {
          d_x(n, i) = y(n, i) * (d_y(n, i) - dot);
        }
      }
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SOFTMAX_H_
