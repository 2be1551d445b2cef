// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Convolution of a batch of images by the kernels of a layer, and its gradients.
//
//   y[n][o][i][j] = b[o] + sum over c, p, q of
//       w[o][c][p][q] x[n][c][i * Sy + p - Py][j * Sx + q - Px]
//
// with zeros around the images (the course's conv2d, with channels first). The
// parameters are a matrix [O, C * P * Q + 1]: a row is a kernel and its bias.
// x [N, C * Y * X] and y [N, O * OpY * OpX] are batches, of any stride.
//
//   using G = ConvGeometry<Shape<1, 28, 28>, 8, 5, 5>;  // conv_geometry.h
//   Conv2dForward<G, Simd>(x, params, y, scratch);
//   Conv2dBackwardInput<G, Simd>(params, d_y, d_x, scratch);
//   Conv2dBackwardParameters<G, Simd>(x, d_y, kernels, d_params, scratch);
//
// Scalar is the sum written out. Simd never writes the matrix of im2col where
// strides are 1 (conv2d_simd-inl.h); elsewhere it is that and a product. Every
// sum is made in one order, whatever threads share samples or kernels.

#ifndef HPCNN_OPS_CONV2D_H_
#define HPCNN_OPS_CONV2D_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv_geometry.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

template <class Policy>
struct Conv2dKernel {
  HPCNN_NO_KERNEL("Conv2d", Policy, "hpcnn/ops/conv2d_cuda.cuh");
};

template <>
struct Conv2dKernel<Scalar> {
  template <class G, class T>
  static constexpr std::size_t kScratch = 0;

  template <class G, class T>
  static void Forward(MatrixView<const T> x, MatrixView<const T> params,
                      MatrixView<T> y, std::span<T>) {
    for (std::size_t n = 0; n < x.rows(); ++n) {
      T* out = y.row(n);
      for (std::size_t o = 0; o < G::kKernels; ++o) {
        for (std::size_t i = 0; i < G::kRows; ++i) {
          for (std::size_t j = 0; j < G::kCols; ++j) {
            T sum = params(o, G::kKernelSize);
            ForEachTap<G>([&](std::size_t c, std::size_t p, std::size_t q,
                              std::size_t k) {
              if (G::Outside(i, j, p, q)) return;
              sum += params(o, k) * x(n, G::Pixel(c, i, j, p, q));
            });
            *out++ = sum;
          }
        }
      }
    }
  }

  template <class G, class T>
  static void BackwardInput(MatrixView<const T> params, MatrixView<const T> d_y,
                            MatrixView<T> d_x, std::span<T>) {
    for (std::size_t n = 0; n < d_y.rows(); ++n) {
      std::fill_n(d_x.row(n), d_x.cols(), T{0});
      const T* d_out = d_y.row(n);
      for (std::size_t o = 0; o < G::kKernels; ++o) {
        for (std::size_t i = 0; i < G::kRows; ++i) {
          for (std::size_t j = 0; j < G::kCols; ++j, ++d_out) {
            ForEachTap<G>([&](std::size_t c, std::size_t p, std::size_t q,
                              std::size_t k) {
              if (G::Outside(i, j, p, q)) return;
              d_x(n, G::Pixel(c, i, j, p, q)) += params(o, k) * *d_out;
            });
          }
        }
      }
    }
  }

  template <class G, class T>
  static void BackwardParameters(MatrixView<const T> x, MatrixView<const T> d_y,
                                 IndexRange kernels, MatrixView<T> d_params,
                                 std::span<T>) {
    for (std::size_t o = kernels.begin; o < kernels.end; ++o) {
      T* const out = d_params.row(o - kernels.begin);
      std::fill_n(out, G::kParameterCols, T{0});
      for (std::size_t n = 0; n < x.rows(); ++n) {
        const T* d_out = d_y.row(n) + o * G::kPixels;
        for (std::size_t i = 0; i < G::kRows; ++i) {
          for (std::size_t j = 0; j < G::kCols; ++j, ++d_out) {
            ForEachTap<G>([&](std::size_t c, std::size_t p, std::size_t q,
                              std::size_t k) {
              if (G::Outside(i, j, p, q)) return;
              out[k] += *d_out * x(n, G::Pixel(c, i, j, p, q));
            });
            out[G::kKernelSize] += *d_out;
          }
        }
      }
    }
  }
};

template <class G, class T>
void CheckConvBatch(MatrixView<T> image, MatrixView<T> result) {
  HPCNN_CHECK(image.rows() == result.rows() &&
                  image.cols() == G::Input::kVolume &&
                  result.cols() == G::Output::kVolume,
              "Conv2d needs images of [N, C * Y * X] and [N, O * OpY * OpX]");
}

}  // namespace internal

// Elements of scratch that each of the three needs.
template <class G, ExecutionPolicy Policy, class T>
inline constexpr std::size_t kConvScratch =
    internal::Conv2dKernel<Policy>::template kScratch<G, T>;

// y from x [N, C * Y * X] and the parameters [O, C * P * Q + 1].
template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void Conv2dForward(MatrixView<const T> x, MatrixView<const T> params,
                   MatrixView<T> y, std::span<T> scratch) {
  internal::CheckConvBatch<G>(x, MatrixView<const T>(y));
  internal::Conv2dKernel<Policy>::template Forward<G>(x, params, y, scratch);
}

// d_x from d_y [N, O * OpY * OpX].
template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void Conv2dBackwardInput(MatrixView<const T> params, MatrixView<const T> d_y,
                         MatrixView<T> d_x, std::span<T> scratch) {
  internal::CheckConvBatch<G>(MatrixView<const T>(d_x), d_y);
  internal::Conv2dKernel<Policy>::template BackwardInput<G>(params, d_y, d_x,
                                                            scratch);
}

// The gradient of some kernels and their biases, summed over the batch, to
// d_params [kernels.size(), C * P * Q + 1].
template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void Conv2dBackwardParameters(MatrixView<const T> x, MatrixView<const T> d_y,
                              IndexRange kernels, MatrixView<T> d_params,
                              std::span<T> scratch) {
  internal::CheckConvBatch<G>(x, d_y);
  internal::Conv2dKernel<Policy>::template BackwardParameters<G>(
      x, d_y, kernels, d_params, scratch);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/conv2d_simd-inl.h"
#endif

#endif  // HPCNN_OPS_CONV2D_H_
