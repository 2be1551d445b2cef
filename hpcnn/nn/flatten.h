// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Flatten: [C, H, W] -> [C * H * W]. Reshape<7, 8>: any shape of 56 elements ->
// [7, 8]. Samples are contiguous, so nothing moves: networks let the output
// share the input's memory.

#ifndef HPCNN_NN_FLATTEN_H_
#define HPCNN_NN_FLATTEN_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/nn/layer.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// Out: In in another shape.
template <ShapeType In, ShapeType Out>
struct ViewLayer : ParameterFree<In, Out> {
  using Expects = Elements<Out::kVolume>;
  static constexpr std::size_t kForwardFlops = 0;
  static constexpr bool kInPlace = true;
  // The output is the input: not even the batch itself would be written.
  static constexpr bool kIsView = true;

  template <ExecutionPolicy P, class T>
  static void Forward(const ForwardPass<T>& pass) {
    Copy(pass.x, pass.y);
  }
  template <ExecutionPolicy P, class T>
  static void BackwardInput(const BackwardPass<T>& pass) {
    Copy(pass.d_y, pass.d_x);
  }

 private:
  template <class T>
  static void Copy(MatrixView<const T> from, MatrixView<T> to) {
    if (from.data() == to.data()) return;
    std::copy_n(from.data(), from.rows() * from.cols(), to.data());
  }
};

}  // namespace internal

struct Flatten {
  static constexpr const char* kName = "Flatten";
  template <ShapeType In>
  struct On : internal::ViewLayer<In, Shape<In::kVolume>> {};
};

template <std::size_t... Dims>
struct Reshape {
  static constexpr const char* kName = "Reshape";
  template <ShapeType In>
  struct On : internal::ViewLayer<In, Shape<Dims...>> {};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_FLATTEN_H_
