// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Conv2d<Simd>. With strides of 1 all three are direct. Forward is
// Conv2dImage's tile on each image, copied into a frame of zeros where there is
// padding. The gradient by the input is a convolution of d_y by turned kernels.
// Where that would mostly multiply the zeros around d_y, as with 5 x 5 taps on
// 8 x 8 pixels, it is, a channel at a time, the product that im2col's gradient
// would be and the sum of its shifted planes, while both are in the L1 cache. The
// gradient by the parameters keeps for each tap the sums of its lanes, of some
// kernels and of a row of taps at a time in registers, while it passes over the
// pixels of a few samples. Other strides are im2col and a matrix product, an
// image at a time.

#ifndef HPCNN_OPS_CONV2D_SIMD_INL_H_
#define HPCNN_OPS_CONV2D_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>

#include "hpcnn/ops/conv2d.h"
#include "hpcnn/ops/conv2d_gradients_simd-inl.h"
#include "hpcnn/ops/conv2d_image.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/im2col.h"
#include "hpcnn/ops/reduce.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// All of it with strides of 1 and a padding below the kernel's size.
template <class G, class T>
struct DirectConv {
  using Sums = ConvParameterSums<G, T>;
  using InFrame = typename Sums::InFrame;
  using ByInput =
      std::conditional_t <
      ConvTurned<G, T>::kCost<ConvInputSums<G, T>::kCost, ConvTurned<G, T>,
                              ConvInputSums<G, T>>;
  static constexpr std::size_t kScratch =
      std::max({InFrame::kScratch, ByInput::kScratch, Sums::kScratch});

  static void Forward(MatrixView<const T> x, MatrixView<const T> params,
                      MatrixView<T> y, T* scratch) {
    using S = ConvSizes<G::kKernels, G::kChannels, G::kKernelRows,
                        G::kKernelCols, InFrame::kRows, InFrame::kCols, true>;
    InFrame::Clear(scratch);
    for (std::size_t n = 0; n < x.rows(); ++n) {
      Conv2dImageSimd<S, T>::Run(InFrame::Around(x.row(n), scratch),
                                 params.data(), y.row(n), false);
    }
  }

  static void BackwardInput(MatrixView<const T> params, MatrixView<const T> d_y,
                            MatrixView<T> d_x, T* scratch) {
    ByInput::Run(params, d_y, d_x, scratch);
  }

  static void BackwardParameters(MatrixView<const T> x, MatrixView<const T> d_y,
                                 IndexRange kernels, MatrixView<T> d_params,
                                 T* scratch) {
    Sums::Run(x, d_y, kernels, d_params, scratch);
  }
};

// Any strides: the product of the kernels and of one image's columns.
template <class G, class T>
struct GemmConv {
  static constexpr std::size_t kScratch = G::kPixels * G::kKernelSize;

  static void Forward(MatrixView<const T> x, MatrixView<const T> params,
                      MatrixView<T> y, T* scratch) {
    const MatrixView<T> columns(scratch, G::kPixels, G::kKernelSize);
    for (std::size_t n = 0; n < x.rows(); ++n) {
      Im2Col<G>(x.Rows(n, 1), columns);
      const MatrixView<T> out(y.row(n), G::kKernels, G::kPixels);
      for (std::size_t o = 0; o < G::kKernels; ++o) {
        std::fill_n(out.row(o), G::kPixels, params(o, G::kKernelSize));
      }
      Gemm<Simd>(Kernels(params), Transpose(columns), out, Accumulate{});
    }
  }

  static void BackwardInput(MatrixView<const T> params, MatrixView<const T> d_y,
                            MatrixView<T> d_x, T* scratch) {
    const MatrixView<T> d_columns(scratch, G::kPixels, G::kKernelSize);
    for (std::size_t n = 0; n < d_y.rows(); ++n) {
      Gemm<Simd>(
          Transpose(MatrixView<const T>(d_y.row(n), G::kKernels, G::kPixels)),
          Kernels(params), d_columns);
      Col2Im<G>(MatrixView<const T>(d_columns), d_x.Rows(n, 1));
    }
  }

  static void BackwardParameters(MatrixView<const T> x, MatrixView<const T> d_y,
                                 IndexRange kernels, MatrixView<T> d_params,
                                 T* scratch) {
    const MatrixView<T> columns(scratch, G::kPixels, G::kKernelSize);
    for (std::size_t o = 0; o < kernels.size(); ++o) {
      std::fill_n(d_params.row(o), G::kParameterCols, T{0});
    }
    for (std::size_t n = 0; n < x.rows(); ++n) {
      Im2Col<G>(x.Rows(n, 1), columns);
      const MatrixView<const T> d_out(d_y.row(n) + kernels.begin * G::kPixels,
                                      kernels.size(), G::kPixels);
      Gemm<Simd>(d_out, columns,
                 d_params.Region(0, 0, kernels.size(), G::kKernelSize),
                 Accumulate{});
      for (std::size_t o = 0; o < kernels.size(); ++o) {
        d_params(o, G::kKernelSize) +=
            Sum<Simd>(std::span<const T>(d_out.row(o), G::kPixels));
      }
    }
  }

 private:
  static MatrixView<const T> Kernels(MatrixView<const T> params) {
    return params.Region(0, 0, G::kKernels, G::kKernelSize);
  }
};

template <>
struct Conv2dKernel<Simd> {
  // Chosen by shape: frames of a direct way must exist and its sums fit the
  // registers of some kernels' taps.
  template <class G, class T>
  static consteval auto Choose() {
    if constexpr (G::kStepRows == 1 && G::kStepCols == 1 &&
                  G::kPadRows < G::kKernelRows &&
                  G::kPadCols < G::kKernelCols) {
      return DirectConv<G, T>{};
    } else {
      return GemmConv<G, T>{};
    }
  }
  template <class G, class T>
  using Way = decltype(Choose<G, T>());

  template <class G, class T>
  static constexpr std::size_t kScratch = Way<G, T>::kScratch;

  template <class G, class T>
  static void Forward(MatrixView<const T> x, MatrixView<const T> params,
                      MatrixView<T> y, std::span<T> scratch) {
    Way<G, T>::Forward(x, params, y, scratch.data());
  }
  template <class G, class T>
  static void BackwardInput(MatrixView<const T> params, MatrixView<const T> d_y,
                            MatrixView<T> d_x, std::span<T> scratch) {
    Way<G, T>::BackwardInput(params, d_y, d_x, scratch.data());
  }
  template <class G, class T>
  static void BackwardParameters(MatrixView<const T> x, MatrixView<const T> d_y,
                                 IndexRange kernels, MatrixView<T> d_params,
                                 std::span<T> scratch) {
    Way<G, T>::BackwardParameters(x, d_y, kernels, d_params, scratch.data());
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_CONV2D_SIMD_INL_H_
