// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Conv2d<8, 5, 5>: 8 kernels of 5 x 5 over all channels of an image, each with a
// bias: [C, Y, X] -> [8, Y - 4, X - 4]. Strides and padding are types:
//
//   Conv2d<16, 3, 3, Stride<2>, Padding<1>>      // (InY - 3 + 2) / 2 + 1
//   Conv2d<16, 3, 5, Stride<1>, Padding<1, 2>>   // rows, then columns
//
// Parameters: a row a kernel, its weights [C, P, Q] and its bias. Source: the
// course's conv2d, see ops/conv2d.h; channels come first.

#ifndef HPCNN_NN_CONV2D_H_
#define HPCNN_NN_CONV2D_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/nn/init.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/conv2d.h"

HPCNN_NAMESPACE_BEGIN

template <std::size_t Kernels, std::size_t KernelRows, std::size_t KernelCols,
          class Steps = Stride<1>, class Pads = Padding<0>, class Init = He>
struct Conv2d {
  static constexpr const char* kName = "Conv2d";

  template <ShapeType In>
  struct On {
    using Geometry =
        ConvGeometry<In, Kernels, KernelRows, KernelCols, Steps, Pads>;
    using Input = In;
    using Output = typename Geometry::Output;
    using Expects = ImageShape;
    static constexpr std::size_t kParameterRows = Kernels;
    static constexpr std::size_t kRowSize = Geometry::kParameterCols;
    static constexpr std::size_t kForwardFlops =
        2 * Output::kVolume * Geometry::kKernelSize;
    static constexpr bool kInPlace = false;
    static constexpr bool kKeepsOutput = false;
    static constexpr std::size_t kScratch =
        std::max(kConvScratch<Geometry, Simd, float>,
                 kConvScratch<Geometry, Simd, double>);

    template <class T>
    static void Initialise(std::span<T> params, RandomStream& stream) {
      for (std::size_t o = 0; o < Kernels; ++o) {
        const std::span<T> row = params.subspan(o * kRowSize, kRowSize);
        Init::Fill(row.first(Geometry::kKernelSize), Geometry::kKernelSize,
                   Kernels * KernelRows * KernelCols, stream);
        row.back() = T{0};
      }
    }

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      Conv2dForward<Geometry, P>(pass.x, Matrix(pass.params), pass.y,
                                 pass.scratch);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      Conv2dBackwardInput<Geometry, P>(Matrix(pass.params), pass.d_y, pass.d_x,
                                       pass.scratch);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      Conv2dBackwardParameters<Geometry, P>(
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

#endif  // HPCNN_NN_CONV2D_H_
