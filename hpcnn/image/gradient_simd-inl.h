// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// GradientMagnitude<Simd>: the sweep of Correlate<Simd> with two kernels at
// once, which share the loaded pixels.

#ifndef HPCNN_IMAGE_GRADIENT_SIMD_INL_H_
#define HPCNN_IMAGE_GRADIENT_SIMD_INL_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/lane_filter_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/stencil.h"
#include "hpcnn/image/sweep_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

struct StoreMagnitude {
  template <class Out, class V>
  static HWY_INLINE void Store(V gx, V gy, Out* to, std::size_t count,
                               bool stream) {
    if constexpr (std::is_same_v<hn::TFromV<V>, float>) {
      // No fused multiply-add: Scalar has none either.
      StoreSaturated(hn::Sqrt(hn::Add(hn::Mul(gx, gx), hn::Mul(gy, gy))), to,
                     count, stream);
    } else {
      const hn::Rebind<float, hn::DFromV<V>> d;
      Store(hn::ConvertTo(d, gx), hn::ConvertTo(d, gy), to, count, stream);
    }
  }
};

template <>
struct GradientMagnitudeKernel<Simd> {
  template <BorderMode Border, StencilKernel Kernel, SourcePixel In,
            FilteredPixel Out>
  static void Run(MatrixView<const In> image, MatrixView<Out> out,
                  IndexRange rows) {
#if HWY_HAVE_SCALABLE
    GradientMagnitudeKernel<Scalar>::Run<Border, Kernel>(image, out, rows);
#else
    using Sum = SumOf<In, typename KernelTaps<Kernel>::Tap>;
    Sweep<Border>(
        LaneFilter<Sum, In, StoreMagnitude, Kernel, Transposed<Kernel>>(),
        image, out, rows);
#endif
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_GRADIENT_SIMD_INL_H_
