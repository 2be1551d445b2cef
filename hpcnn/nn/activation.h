// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Element by element activations: Relu, Sigmoid, Tanh. Any input shape, same
// output shape, computed in place.

#ifndef HPCNN_NN_ACTIVATION_H_
#define HPCNN_NN_ACTIVATION_H_

#include <cstddef>
#include <span>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// F: y from x; G: d_x from y and d_y.
template <ShapeType In, class F, class G, std::size_t Flops>
struct ElementwiseLayer : ParameterFree<In, In> {
  using Expects = AnyShape;
  static constexpr std::size_t kForwardFlops = Flops * In::kVolume;
  static constexpr bool kInPlace = true;

  template <ExecutionPolicy P, class T>
  static void Forward(const ForwardPass<T>& pass) {
    Elementwise<P>(F{}, Flat(pass.y), Flat(pass.x));
  }

  template <ExecutionPolicy P, class T>
  static void BackwardInput(const BackwardPass<T>& pass) {
    Elementwise<P>(G{}, Flat(pass.d_x), Flat(pass.y), Flat(pass.d_y));
  }

 private:
  // Activations are contiguous: the stride is the row length.
  template <class T>
  static std::span<T> Flat(MatrixView<T> m) {
    return {m.data(), m.rows() * m.cols()};
  }
};

}  // namespace internal

struct Relu {
  static constexpr const char* kName = "Relu";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, ReluFunction, ReluGradient, 1> {};
};

struct Sigmoid {
  static constexpr const char* kName = "Sigmoid";
  template <ShapeType In>
  struct On
      : internal::ElementwiseLayer<In, SigmoidFunction, SigmoidGradient, 4> {};
};

struct Tanh {
  static constexpr const char* kName = "Tanh";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, TanhFunction, TanhGradient, 4> {};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_ACTIVATION_H_
