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
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        SoftmaxRow<P>(std::span<const T>(pass.x.row(n), In::kVolume), T{1},
                      std::span<T>(pass.y.row(n), In::kVolume));
      }
    }

    // d_x[i] = y[i] (d_y[i] - sum over j of d_y[j] y[j]).
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.y.rows(); ++n) {
        const T* const y = pass.y.row(n);
        const T* const d_y = pass.d_y.row(n);
        T* const d_x = pass.d_x.row(n);
        T dot{0};
        for (std::size_t i = 0; i < In::kVolume; ++i) dot += d_y[i] * y[i];
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          d_x[i] = y[i] * (d_y[i] - dot);
        }
      }
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_SOFTMAX_H_
