// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a layer is.
//
// In a network's list a layer appears as a description without input shape,
// such as Dense<128>; Sequential binds it to the shape that arrives, and
// `Dense<128>::On<Shape<784>>` is the layer itself: types, constants and static
// functions, no data. Parameters, activations and gradients belong to the
// caller.
//
// A bound layer L has
//   L::Input, L::Output     Shape<...> of one sample
//   L::Expects              what it takes: a Shape, FlatShape or AnyShape
//   L::kParameterRows, L::kRowSize
//       its parameters are a row-major matrix of that size; 0 rows: none
//   L::kForwardFlops        per sample
//   L::kInPlace             the output may overwrite the input
//   L::Initialise(params, stream)
//   L::Forward<P, T>(params, x, y)               x: [N, In], y: [N, Out]
//   L::BackwardInput<P, T>(params, y, d_y, d_x)  d_x from d_y and the output
//   L::BackwardParameters<P, T>(x, d_y, rows, d_params)   if it has parameters:
//       the rows `rows` of the gradient, summed over the batch, to
//       d_params [rows.size(), kRowSize]
// and, if it likes,
//   L::kIsView = true       the output is the input, element by element
//   L::kKeepsOutput = false BackwardInput ignores y, so that the next layer may
//                           overwrite it
// Batches are contiguous: the stride of x and y is their row length.
// All but BackwardParameters treat the samples of a batch independently, so any
// split of a batch over threads gives the same bits; BackwardParameters treats
// rows of parameters independently, for the same reason.

#ifndef HPCNN_NN_LAYER_H_
#define HPCNN_NN_LAYER_H_

#include <concepts>
#include <cstddef>
#include <span>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// Inputs that a layer may expect, beside one Shape: a vector of any length, or
// anything.
struct FlatShape {};
struct AnyShape {};

// Satisfied by what stands in a network's list, such as Dense<128> or Relu.
template <class L>
concept LayerDescription = requires {
  { L::kName } -> std::convertible_to<const char*>;
};

// Satisfied by a layer bound to its input shape.
template <class L>
concept BoundLayer = ShapeType<typename L::Input> &&
    ShapeType<typename L::Output> &&
    requires(std::span<float> p, std::span<const float> params,
             RandomStream& stream, MatrixView<const float> x,
             MatrixView<float> y) {
  typename L::Expects;
  { L::kParameterRows } -> std::convertible_to<std::size_t>;
  { L::kRowSize } -> std::convertible_to<std::size_t>;
  { L::kForwardFlops } -> std::convertible_to<std::size_t>;
  { L::kInPlace } -> std::convertible_to<bool>;
  L::Initialise(p, stream);
  L::template Forward<Scalar>(params, x, y);
  L::template BackwardInput<Scalar>(params, x, x, y);
};

// What layers without parameters share.
template <ShapeType In, ShapeType Out>
struct ParameterFree {
  using Input = In;
  using Output = Out;
  static constexpr std::size_t kParameterRows = 0;
  static constexpr std::size_t kRowSize = 1;
  template <class T>
  static void Initialise(std::span<T>, RandomStream&) {}
};

// The words of a shape error. GCC and Clang print the variable template with
// its arguments, so the numbers are in the message:
//   kShapesChain<AtLayer<2>, Produces<Shape<1, 28, 28>>, Expects<FlatShape>>
template <std::size_t Index>
struct AtLayer;
template <class S>
struct Produces;
template <class S>
struct Expects;

template <class Where, class Got, class Want>
inline constexpr bool kShapesChain = false;
template <class Where, class S>
inline constexpr bool kShapesChain<Where, Produces<S>, Expects<S>> = true;
template <class Where, class S>
inline constexpr bool kShapesChain<Where, Produces<S>, Expects<AnyShape>> =
    true;
template <class Where, std::size_t Size>
inline constexpr bool
    kShapesChain<Where, Produces<Shape<Size>>, Expects<FlatShape>> = true;

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_LAYER_H_
