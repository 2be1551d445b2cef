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

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

// As Correlate's (correlate.h).
template <StencilKernel Kernel, ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out>
void Convolve(MatrixView<In> image, MatrixView<Out> out,
              ThreadPool* pool = nullptr) {
  Correlate<Flipped<Kernel>, Policy, Border>(image, out, pool);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_CONVOLVE_H_
