// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// MaxPool<2>, AvgPool<2>: the largest or the mean pixel of each window of 2 x 2,
// [C, Y, X] -> [C, Y / 2, X / 2]. MaxPool<3, 2, Stride<1>> has windows of three
// rows and two columns at every pixel where they fit. GlobalAvgPool: the mean of
// each channel, [C, Y, X] -> [C].

#ifndef HPCNN_NN_POOL_H_
#define HPCNN_NN_POOL_H_

#include <cstddef>
#include <span>

#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/pool.h"

HPCNN_NAMESPACE_BEGIN

template <std::size_t Rows, std::size_t Cols = Rows,
          class Steps = Stride<Rows, Cols>>
struct MaxPool {
  static constexpr const char* kName = "MaxPool";

  template <ShapeType In, class Geometry = PoolGeometry<In, Rows, Cols, Steps>>
  struct On : ParameterFree<In, typename Geometry::Output> {
    using Expects = ImageShape;
    static constexpr std::size_t kForwardFlops =
        Geometry::Output::kVolume * Rows * Cols;
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      MaxPoolForward<Geometry, P>(pass.x, pass.y);
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      MaxPoolBackward<Geometry, P>(pass.x, pass.y, pass.d_y, pass.d_x);
    }
  };
};

template <std::size_t Rows, std::size_t Cols = Rows,
          class Steps = Stride<Rows, Cols>>
struct AvgPool {
  static constexpr const char* kName = "AvgPool";

  template <ShapeType In, class Geometry = PoolGeometry<In, Rows, Cols, Steps>>
  struct On : ParameterFree<In, typename Geometry::Output> {
    using Expects = ImageShape;
    static constexpr std::size_t kForwardFlops =
        Geometry::Output::kVolume * Rows * Cols;
    static constexpr bool kInPlace = false;
    static constexpr bool kKeepsOutput = false;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      AvgPoolForward<Geometry, P>(pass.x, pass.y);
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      AvgPoolBackward<Geometry, P>(pass.d_y, pass.d_x);
    }
  };
};

struct GlobalAvgPool {
  static constexpr const char* kName = "GlobalAvgPool";

  template <ShapeType In>
  struct On : AvgPool<ImageOf<In>::kRows, ImageOf<In>::kCols>::template On<In> {
    using Output = Shape<ImageOf<In>::kChannels>;
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_POOL_H_
