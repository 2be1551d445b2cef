// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Depthwise convolution of a batch of images, one kernel a channel:
//
//   y[n][c][i][j] = b[c] + sum over p, q of
//       w[c][p][q] x[n][c][i * Sy + p - Py][j * Sx + q - Px]
//
// and its gradients. The parameters are a matrix [C, P * Q + 1]: a row is a
// kernel and its bias. It is Conv2d (conv2d.h) of one channel after the other,
// with all its ways: the planes of a channel are a batch, a sample apart.
//
//   using G = ConvGeometry<Shape<1, 28, 28>, 1, 3, 3>;   // of one plane
//   DepthwiseConv2dForward<G, Simd>(x, params, y, scratch);
//   DepthwiseConv2dBackwardInput<G, Simd>(params, d_y, d_x, scratch);
//   DepthwiseConv2dBackwardParameters<G, Simd>(x, d_y, channels, d_params,
//                                              scratch);
//
// with scratch of kConvScratch<G, Simd, T>.

#ifndef HPCNN_OPS_DEPTHWISE_CONV2D_H_
#define HPCNN_OPS_DEPTHWISE_CONV2D_H_

#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv2d.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class S, class T>
MatrixView<T> Planes(MatrixView<T> images, std::size_t channel) {
  HPCNN_CHECK(channel * S::kVolume < images.cols(),
              "depthwise convolution needs images of [N, C * Y * X] and "
              "[N, C * OpY * OpX]");
  return images.Region(0, channel * S::kVolume, images.rows(), S::kVolume);
}

}  // namespace internal

template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void DepthwiseConv2dForward(MatrixView<const T> x, MatrixView<const T> params,
                            MatrixView<T> y, std::span<T> scratch) {
  for (std::size_t c = 0; c < params.rows(); ++c) {
    Conv2dForward<G, Policy>(
        internal::Planes<typename G::Input>(x, c), params.Rows(c, 1),
        internal::Planes<typename G::Output>(y, c), scratch);
  }
}

template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void DepthwiseConv2dBackwardInput(MatrixView<const T> params,
                                  MatrixView<const T> d_y, MatrixView<T> d_x,
                                  std::span<T> scratch) {
  for (std::size_t c = 0; c < params.rows(); ++c) {
    Conv2dBackwardInput<G, Policy>(
        params.Rows(c, 1), internal::Planes<typename G::Output>(d_y, c),
        internal::Planes<typename G::Input>(d_x, c), scratch);
  }
}

// The gradient of some channels' kernels and biases, summed over the batch, to
// d_params [channels.size(), P * Q + 1].
template <class G, ExecutionPolicy Policy = DefaultPolicy, class T>
void DepthwiseConv2dBackwardParameters(MatrixView<const T> x,
                                       MatrixView<const T> d_y,
                                       IndexRange channels,
                                       MatrixView<T> d_params,
                                       std::span<T> scratch) {
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    Conv2dBackwardParameters<G, Policy>(
        internal::Planes<typename G::Input>(x, c),
        internal::Planes<typename G::Output>(d_y, c), {0, 1},
        d_params.Rows(c - channels.begin, 1), scratch);
  }
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_DEPTHWISE_CONV2D_H_
