// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// DepthwiseConv2d<3, 3>: one kernel of 3 x 3 and a bias for each channel of an
// image, which stay apart: [C, Y, X] -> [C, Y - 2, X - 2]. Strides and padding
// as in Conv2d. With Conv2d<O, 1, 1> after it, the separable convolution of
// Chollet, CVPR 2017.
//
// Parameters: a row a channel, its weights [P, Q] and its bias.

#ifndef HPCNN_NN_DEPTHWISE_CONV2D_H_
#define HPCNN_NN_DEPTHWISE_CONV2D_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/nn/init.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/depthwise_conv2d.h"

HPCNN_NAMESPACE_BEGIN

template <std::size_t KernelRows, std::size_t KernelCols,
          class Steps = Stride<1>, class Pads = Padding<0>, class Init = He>
struct DepthwiseConv2d {
  static constexpr const char* kName = "DepthwiseConv2d";

  template <ShapeType In>
  struct On {
    using Plane = ConvGeometry<typename ImageOf<In>::Plane, 1, KernelRows,
                               KernelCols, Steps, Pads>;
    using Input = In;
    using Output = Shape<ImageOf<In>::kChannels, Plane::kRows, Plane::kCols>;
    using Expects = ImageShape;
    static constexpr std::size_t kParameterRows = ImageOf<In>::kChannels;
    static constexpr std::size_t kRowSize = Plane::kParameterCols;
    static constexpr std::size_t kForwardFlops =
        2 * Output::kVolume * Plane::kKernelSize;
    static constexpr bool kInPlace = false;
    static constexpr bool kKeepsOutput = false;
    static constexpr std::size_t kScratch = std::max(
        kConvScratch<Plane, Simd, float>, kConvScratch<Plane, Simd, double>);

    template <class T>
    static void Initialise(std::span<T> params, RandomStream& stream) {
      for (std::size_t c = 0; c < kParameterRows; ++c) {
        const std::span<T> row = params.subspan(c * kRowSize, kRowSize);
        Init::Fill(row.first(Plane::kKernelSize), Plane::kKernelSize,
                   Plane::kKernelSize, stream);
        row.back() = T{0};
      }
    }

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      DepthwiseConv2dForward<Plane, P>(pass.x, Matrix(pass.params), pass.y,
                                       pass.scratch);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      DepthwiseConv2dBackwardInput<Plane, P>(Matrix(pass.params), pass.d_y,
                                             pass.d_x, pass.scratch);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      DepthwiseConv2dBackwardParameters<Plane, P>(
          pass.x, pass.d_y, pass.rows,
          MatrixView<T>(pass.d_params.data(), pass.rows.size(), kRowSize),
          pass.scratch);
    }

   private:
    template <class T>
    static MatrixView<const T> Matrix(std::span<const T> params) {
      return {params.data(), kParameterRows, kRowSize};
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_DEPTHWISE_CONV2D_H_
