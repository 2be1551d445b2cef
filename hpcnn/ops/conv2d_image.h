// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Convolution of one image by all kernels of a layer, as deep learning has it:
// correlation without padding, summed over the channels.
//
//   y[o][i][j] = sum over c, p, q of w[o][c][p][q] x[c][i + p][j + q]
//
//   Conv2dImage<Simd>(x, w, y)                // x [C, Y, X], w [O, C, P, Q] and
//   Conv2dImage<Simd>(x, w, y, Accumulate{})  // y [O, Y - P + 1, X - Q + 1]
//   Conv2dImage<Simd>(x, w, y, Overwrite{},
//                     InOrder(AddRowBias<float>{b}, Activate<ReluFunction>{}))
//
// The epilogue (gemm_epilogue.h) sees all of y, as a matrix [O, pixels]. Simd
// keeps sums of several kernels and pixels in registers, as a matrix product
// does, but reads its columns where they lie, in the image: nothing is copied.
// It is made for a few pixels more than a vector has lanes and up. Sums run
// over c, p and q in that order; policies differ in rounding only.
//
// For batches, with padding and strides, and for gradients see conv2d.h; for one
// kernel over a picture image/correlate.h.

#ifndef HPCNN_OPS_CONV2D_IMAGE_H_
#define HPCNN_OPS_CONV2D_IMAGE_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Kernels [O, C, P, Q] on an image [C, Y, X]. With kHasBias each is followed by
// its bias, with which sums begin.
template <std::size_t O, std::size_t C, std::size_t P, std::size_t Q,
          std::size_t Y, std::size_t X, bool HasBias = false>
struct ConvSizes {
  static_assert(P <= Y && Q <= X,
                "hpcnn: Conv2dImage needs kernels no larger than the image");
  static constexpr std::size_t kKernels = O;
  static constexpr std::size_t kChannels = C;
  static constexpr std::size_t kKernelRows = P;
  static constexpr std::size_t kKernelCols = Q;
  static constexpr std::size_t kInRows = Y;
  static constexpr std::size_t kInCols = X;
  static constexpr std::size_t kRows = Y - P + 1;
  static constexpr std::size_t kCols = X - Q + 1;
  static constexpr bool kHasBias = HasBias;
  static constexpr std::size_t kKernelSize = C * P * Q;
  static constexpr std::size_t kKernelStep = kKernelSize + HasBias;
};

template <class Policy>
struct Conv2dImageKernel {
  HPCNN_NO_KERNEL("Conv2dImage", Policy, "hpcnn/ops/conv2d_image_cuda.cuh");
};

template <>
struct Conv2dImageKernel<Scalar> {
  template <class S, class T, class Epilogue>
  static void Run(const T* x, const T* w, T* y, bool keep_old,
                  const Epilogue& epilogue) {
    T* out = y;
    for (std::size_t o = 0; o < S::kKernels; ++o) {
      for (std::size_t i = 0; i < S::kRows; ++i) {
        for (std::size_t j = 0; j < S::kCols; ++j, ++out) {
          const T* weight = w + o * S::kKernelStep;
          T sum = S::kHasBias ? weight[S::kKernelSize] : keep_old ? *out : T{0};
          for (std::size_t c = 0; c < S::kChannels; ++c) {
            for (std::size_t p = 0; p < S::kKernelRows; ++p) {
              for (std::size_t q = 0; q < S::kKernelCols; ++q) {
                sum += *weight++ *
                       x[(c * S::kInRows + i + p) * S::kInCols + j + q];
              }
            }
          }
          *out = sum;
        }
      }
    }
    epilogue.template Apply<Scalar>(
        MatrixView<T>(y, S::kKernels, S::kRows * S::kCols), 0, 0);
  }
};

}  // namespace internal

// T is float or double. y must not overlap x or w.
template <ExecutionPolicy Policy = DefaultPolicy, class In, class Weight,
          class T, std::size_t C, std::size_t Y, std::size_t X, std::size_t O,
          std::size_t P, std::size_t Q, std::size_t OutO, std::size_t OutY,
          std::size_t OutX, class Update = Overwrite, class Epilogue = KeepSums>
void Conv2dImage(TensorView<In, C, Y, X> x, TensorView<Weight, O, C, P, Q> w,
                 TensorView<T, OutO, OutY, OutX> y, const Update& = {},
                 const Epilogue& epilogue = {}) {
  using Sizes = internal::ConvSizes<O, C, P, Q, Y, X>;
  static_assert(OutO == O && OutY == Sizes::kRows && OutX == Sizes::kCols,
                "hpcnn: Conv2dImage of [C, Y, X] by [O, C, P, Q] gives "
                "[O, Y - P + 1, X - Q + 1]");
  static_assert(std::is_floating_point_v<T> &&
                    std::is_same_v<std::remove_const_t<In>, T> &&
                    std::is_same_v<std::remove_const_t<Weight>, T>,
                "hpcnn: Conv2dImage is of float or of double");
  static_assert(
      std::is_same_v<Update, Overwrite> || std::is_same_v<Update, Accumulate>,
      "hpcnn: Conv2dImage's update is Overwrite or Accumulate");
  internal::Conv2dImageKernel<Policy>::template Run<Sizes>(
      static_cast<const T*>(x.data()), static_cast<const T*>(w.data()),
      y.data(), Update::kKeepsOld, epilogue);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/conv2d_image_simd-inl.h"
#endif

#endif  // HPCNN_OPS_CONV2D_IMAGE_H_
