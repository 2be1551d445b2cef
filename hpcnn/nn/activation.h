// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Element by element activations: Relu, LeakyRelu, Elu, Sigmoid, Tanh, computed
// in place, and Gelu, whose gradient needs its input. Any input shape, same
// output shape.

#ifndef HPCNN_NN_ACTIVATION_H_
#define HPCNN_NN_ACTIVATION_H_

#include <cstddef>
#include <ratio>
#include <span>

#include "hpcnn/base/percent.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gelu.h"

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

 protected:
  // Activations are contiguous: the stride is the row length.
  template <class T>
  static std::span<T> Flat(MatrixView<T> m) {
    return {m.data(), m.rows() * m.cols()};
  }
};

// Apart from the layer, so that nothing else fails.
template <class Ratio>
struct CheckAboveZero {
  static_assert(std::ratio_greater_v<Ratio, std::ratio<0>>,
                "hpcnn: LeakyRelu's slope and Elu's alpha must be above 0");
};

}  // namespace internal

struct Relu {
  static constexpr const char* kName = "Relu";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, ReluFunction, ReluGradient, 1> {};
};

template <class Slope = Percent<1>>
struct LeakyRelu {
  static constexpr const char* kName = "LeakyRelu";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, LeakyReluFunction<Slope>,
                                         LeakyReluGradient<Slope>, 2> {
    static_assert(sizeof(internal::CheckAboveZero<Slope>) > 0);
  };
};

template <class Alpha = Percent<100>>
struct Elu {
  static constexpr const char* kName = "Elu";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, EluFunction<Alpha>,
                                         EluGradient<Alpha>, 4> {
    static_assert(sizeof(internal::CheckAboveZero<Alpha>) > 0);
  };
};

// By erf, see ops/gelu.h. x does not follow from y, which falls and rises.
struct Gelu {
  static constexpr const char* kName = "Gelu";
  template <ShapeType In>
  struct On : internal::ElementwiseLayer<In, GeluFunction, GeluGradient, 8> {
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;
    static constexpr bool kKeepsOutput = false;

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      Elementwise<P>(GeluGradient{}, On::Flat(pass.d_x), On::Flat(pass.x),
                     On::Flat(pass.d_y));
    }
  };
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
