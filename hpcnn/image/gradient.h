// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The size of an image's gradient, in one pass:
//   out = sqrt(gx * gx + gy * gy)
// where gx is the correlation with an edge kernel and gy the one with its
// transpose. The two sums are made as Correlate makes them, then turned to f32;
// squares, sum and root are rounded one by one (with -ffp-contract=off), so that
// integer images give the same result, bit for bit, on every policy. Of float
// images the error is at most the larger of the two correlations' bounds times
// sqrt(2), and three roundings. Not for the direction of the gradient: that
// needs both correlations.

#ifndef HPCNN_IMAGE_GRADIENT_H_
#define HPCNN_IMAGE_GRADIENT_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

template <class Policy>
struct GradientMagnitudeKernel {
  HPCNN_NO_KERNEL("GradientMagnitude", Policy, "hpcnn/image/gradient_cuda.cuh");
};

template <>
struct GradientMagnitudeKernel<Scalar> {
  template <BorderMode Border, StencilKernel Kernel, SourcePixel In,
            FilteredPixel Out>
  static void Run(MatrixView<const In> image, MatrixView<Out> out,
                  IndexRange rows) {
    const KernelTaps<Kernel> across;
    const KernelTaps<Transposed<Kernel>> down;
    for (std::size_t y = rows.begin; y < rows.end; ++y) {
      for (std::size_t x = 0; x < out.cols(); ++x) {
        const auto gx =
            static_cast<float>(CorrelateAt<Border>(across, image, y, x));
        const auto gy =
            static_cast<float>(CorrelateAt<Border>(down, image, y, x));
        out(y, x) = SaturateTo<Out>(std::sqrt(gx * gx + gy * gy));
      }
    }
  }
};

}  // namespace internal

// image and out: [H, W], as Correlate's (correlate.h).
template <StencilKernel Kernel, ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out>
void GradientMagnitude(MatrixView<In> image, MatrixView<Out> out,
                       Threads threads = {}) {
  using Pixel = std::remove_const_t<In>;
  static_assert(
      SourcePixel<Pixel>,
      "hpcnn: GradientMagnitude reads images of uint8_t, int16_t or float");
  static_assert(FilteredPixel<Out>,
                "hpcnn: GradientMagnitude writes uint8_t, int16_t, int32_t or "
                "float");
  internal::CheckSumsFitAlways<internal::KernelTaps<Kernel>, Pixel>();
  HPCNN_CHECK(image.rows() == out.rows() && image.cols() == out.cols(),
              "GradientMagnitude needs an output of the image's size");
  HPCNN_CHECK(!internal::Overlap(image, out),
              "GradientMagnitude cannot work in place");
  if (image.rows() * image.cols() == 0) return;
  threads.ForShares(image.rows(), [&](IndexRange rows) {
    internal::GradientMagnitudeKernel<Policy>::template Run<Border, Kernel>(
        MatrixView<const Pixel>(image), out, rows);
  });
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/image/gradient_simd-inl.h"
#endif

#endif  // HPCNN_IMAGE_GRADIENT_H_
