// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Convolution: correlation with the taps turned by 180 degrees,
//   out[y, x] = sum over r, c of
//     taps[r, c] * image[y - r + (Rows - 1) / 2, x - c + (Cols - 1) / 2]
// With the zero border it equals
// scipy.signal.convolve2d(image, taps, mode="same"). What neural networks and
// OpenCV's filter2D call a convolution is Correlate.

#ifndef HPCNN_IMAGE_CONVOLVE_H_
#define HPCNN_IMAGE_CONVOLVE_H_

#include <cstddef>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

// As Correlate's three forms (correlate.h).
template <StencilKernel Kernel, ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out>
void Convolve(MatrixView<In> image, MatrixView<Out> out, Threads threads = {}) {
  Correlate<Flipped<Kernel>, Policy, Border>(image, out, threads);
}
template <ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out, std::size_t Rows,
          std::size_t Cols, class T>
void Convolve(MatrixView<In> image, const Stencil<Rows, Cols, T>& stencil,
              MatrixView<Out> out, Threads threads = {}) {
  Correlate<Policy, Border>(image, Flip(stencil), out, threads);
}
template <ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out, class T>
void Convolve(MatrixView<In> image, MatrixView<T> taps, MatrixView<Out> out,
              Threads threads = {}) {
  internal::CorrelateWithView<Policy, Border>(image, taps, true, out, threads);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_CONVOLVE_H_
