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
//   L::Expects              what it takes: a Shape, FlatShape, ImageShape,
//                           Elements<N> or AnyShape
//   L::kParameterRows, L::kRowSize
//       its parameters are a row-major matrix of that size; 0 rows: none
//   L::kForwardFlops        per sample
//   L::kInPlace             the output may overwrite the input
//   L::Initialise(params, stream)
//   L::Forward<P, T>(ForwardPass<T>)             y from x
//   L::BackwardInput<P, T>(BackwardPass<T>)      d_x from d_y and y
//   L::BackwardParameters<P, T>(ParameterPass<T>)   if it has parameters: some
//       rows of their gradient, summed over the batch
// and, if it likes,
//   L::kIsView = true       the output is the input, element by element
//   L::kReadsInput = true   BackwardInput reads x; not with kInPlace
//   L::kKeepsOutput = false BackwardInput ignores y, so that the next layer may
//                           overwrite it
//   L::kScratch             elements that each pass may use as it likes
//   L::kTrainedRows         the optimizer sees these first rows alone
//   L::kStatistics          elements that the training step keeps of the batch,
//                           in [0, kChannels) parts that threads share:
//       L::Measure<P, T>(MeasurePass<T>)       before Forward, from all of x
//       L::MeasureBack<P, T>(MeasurePass<T>)   before BackwardInput, from d_y too
//       L::Remember(params, statistics, count)   at the end of a step with
//                           `count` samples: the rows that are not trained
// Its random numbers are drawn at pass.place, a `sample` for each row, with an op
// of its own. Inference<Net> leaves out descriptions with kTrainingOnly = true.
// Batches are contiguous: the stride of x and y is their row length.
// Forward and BackwardInput treat the samples of a batch independently, so any
// split of a batch over threads gives the same bits; BackwardParameters treats
// rows of parameters independently, Measure and MeasureBack channels, for the
// same reason.

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

// Inputs that a layer may expect, beside one Shape: a vector of any length,
// channels of rows and columns, so many elements, or anything.
struct FlatShape {};
struct ImageShape {};
template <std::size_t N>
struct Elements;
struct AnyShape {};

// What the passes of a layer work on: some samples of a batch.
template <class T>
struct ForwardPass {
  std::span<const T> params;  // [kParameterRows, kRowSize]
  MatrixView<const T> x;      // [N, Input]
  MatrixView<T> y;            // [N, Output]
  std::span<T> scratch{};     // [kScratch]
  RandomPlace place{};        // of the first sample in this step and layer
  std::span<T> statistics{};  // [kStatistics]
};
template <class T>
struct BackwardPass {
  std::span<const T> params;
  MatrixView<const T> x;    // [N, Input], if L::kReadsInput
  MatrixView<const T> y;    // [N, Output], unless L::kKeepsOutput is false
  MatrixView<const T> d_y;  // [N, Output], the gradient of the loss by y
  MatrixView<T> d_x;        // [N, Input]
  std::span<T> scratch{};
  RandomPlace place{};  // the same as on the way forward
  std::span<T> statistics{};
};
template <class T>
struct ParameterPass {
  MatrixView<const T> x;    // [N, Input], all of the batch
  MatrixView<const T> d_y;  // [N, Output]
  IndexRange rows;          // which of the parameters'
  std::span<T> d_params;    // [rows.size(), kRowSize]
  std::span<T> scratch{};
  std::span<T> statistics{};
  std::span<const T> params{};  // of these rows; others may change meanwhile
};
template <class T>
struct MeasurePass {
  MatrixView<const T> x;    // [N, Input], all of the batch
  MatrixView<const T> d_y;  // [N, Output], on the way back
  IndexRange channels;      // which to write the statistics of
  std::span<T> statistics;
};

// Satisfied by what stands in a network's list, such as Dense<128> or Relu.
template <class L>
concept LayerDescription = requires {
  { L::kName } -> std::convertible_to<const char*>;
};

// Satisfied by a layer bound to its input shape.
template <class L>
concept BoundLayer = ShapeType<typename L::Input> &&
    ShapeType<typename L::Output> &&
    requires(std::span<float> params, RandomStream& stream,
             const ForwardPass<float>& forward,
             const BackwardPass<float>& backward) {
  typename L::Expects;
  { L::kParameterRows } -> std::convertible_to<std::size_t>;
  { L::kRowSize } -> std::convertible_to<std::size_t>;
  { L::kForwardFlops } -> std::convertible_to<std::size_t>;
  { L::kInPlace } -> std::convertible_to<bool>;
  L::Initialise(params, stream);
  L::template Forward<Scalar>(forward);
  L::template BackwardInput<Scalar>(backward);
};

namespace internal {

// What a layer says if it likes, or what it is otherwise.
template <class L>
consteval bool IsView() {
  if constexpr (requires { L::kIsView; }) return L::kIsView;
  return false;
}

template <class L>
consteval bool KeepsOutput() {
  if constexpr (requires { L::kKeepsOutput; }) return L::kKeepsOutput;
  return true;
}

template <class L>
consteval bool ReadsInput() {
  if constexpr (requires { L::kReadsInput; }) return L::kReadsInput;
  return false;
}

// Of a description.
template <class L>
consteval bool TrainingOnly() {
  if constexpr (requires { L::kTrainingOnly; }) return L::kTrainingOnly;
  return false;
}

template <class L>
consteval std::size_t Scratch() {
  if constexpr (requires { L::kScratch; }) return L::kScratch;
  return 0;
}

template <class L>
consteval std::size_t TrainedRows() {
  if constexpr (requires { L::kTrainedRows; }) return L::kTrainedRows;
  return L::kParameterRows;
}

template <class L>
consteval std::size_t Statistics() {
  if constexpr (requires { L::kStatistics; }) return L::kStatistics;
  return 0;
}

}  // namespace internal

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
//   AtLayer<3, 1, 0>: of layer 3, which branches, the second branch's first.
template <std::size_t... Path>
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
template <class Where, class S, std::size_t N>
inline constexpr bool kShapesChain<Where, Produces<S>, Expects<Elements<N>>> =
    S::kVolume == N;
template <class Where, std::size_t C, std::size_t Y, std::size_t X>
inline constexpr bool
    kShapesChain<Where, Produces<Shape<C, Y, X>>, Expects<ImageShape>> = true;

// The sizes of an image, and the shape of one channel. Where S is none, which
// kShapesChain refuses, those that make nothing else fail.
template <ShapeType S>
struct ImageOf {
  static constexpr std::size_t kChannels = 1;
  static constexpr std::size_t kRows = 1;
  static constexpr std::size_t kCols = 1;
  using Plane = S;
};
template <std::size_t C, std::size_t Y, std::size_t X>
struct ImageOf<Shape<C, Y, X>> {
  static constexpr std::size_t kChannels = C;
  static constexpr std::size_t kRows = Y;
  static constexpr std::size_t kCols = X;
  using Plane = Shape<1, Y, X>;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_LAYER_H_
