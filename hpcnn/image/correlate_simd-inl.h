// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Correlate<Simd>. The image is swept in blocks of some rows by some vectors,
// whose sums stay in registers. Each input row of a block is loaded once, at
// each horizontal offset or for all of them, and serves all output rows that it
// reaches; the taps
// are constants, so those of 0 are not there at all. What a block does with a
// row is one of three filters:
//
//   LaneFilter  one pixel a lane, in f32, i32, or in 16 bits where no sum can
//               overflow; rows factored (row_factors.h)
//   ByteFilter  four bytes a lane times four taps, summed in i32
//   LoopFilter  as LaneFilter, with taps that are no constants: those known at
//               run time, and kernels too large to be unrolled
//
// Large kernels of rank 1 over bytes go another way
// (separable_byte_sweep_simd-inl.h).
//
// Blocks that reach beyond the image's left or right edge read a copy of their
// few pixels with the border filled in; beyond the top and the bottom other
// rows take the place, or none. With AVX-512 and zeros beyond, small kernels
// leave lanes out instead of the copy. The image itself is never copied.

#ifndef HPCNN_IMAGE_CORRELATE_SIMD_INL_H_
#define HPCNN_IMAGE_CORRELATE_SIMD_INL_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hpcnn/base/partition.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/byte_filter_simd-inl.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/lane_filter_simd-inl.h"
#include "hpcnn/image/loop_filter_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/row_factors.h"
#include "hpcnn/image/separable_byte_sweep_simd-inl.h"
#include "hpcnn/image/sweep_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Does every sum of bytes fit 16 bits, signed or unsigned?
template <StencilKernel Kernel>
struct ShortSums {
  static constexpr long long Part(int sign) {
    long long part = 0;
    for (const auto& row : Kernel::kTaps.taps) {
      for (const auto tap : row) {
        if (tap * sign > 0) part += static_cast<long long>(tap) * sign;
      }
    }
    return 255 * part;
  }
  static constexpr bool kUnsigned = Part(-1) == 0 && Part(1) <= 65535;
  static constexpr bool kSigned = Part(-1) <= 32768 && Part(1) <= 32767;
  using Type = std::conditional_t<kSigned, std::int16_t, std::uint16_t>;
};

template <StencilKernel Kernel>
constexpr bool TapsFitBytes() {
  for (const auto& row : Kernel::kTaps.taps) {
    for (const auto tap : row) {
      if (tap < -128 || tap > 127) return false;
    }
  }
  return true;
}

// From these sizes on a kernel of rank 1 is cheapest in two passes.
template <StencilKernel Kernel, SourcePixel In, FilteredPixel Out>
constexpr bool TakesByteStrips() {
  if constexpr (std::is_same_v<In, std::uint8_t> && sizeof(Out) <= 2 &&
                std::is_integral_v<typename KernelTaps<Kernel>::Tap>) {
    using Short = ShortSums<Kernel>;
    constexpr std::size_t kLeast = Short::kSigned || Short::kUnsigned ? 81 : 25;
    return Kernel::kTaps.kRows * Kernel::kTaps.kCols >= kLeast &&
           SeparatesBytes<Kernel>();
  } else {
    return false;
  }
}

// A block of more taps than this, unrolled, leaves the cache of decoded
// instructions, which pays only where most taps need not be multiplied at all;
// nor does it pay where there is hardly a zero to be dropped.
inline constexpr std::size_t kUnrolledTaps = 40;
inline constexpr std::size_t kMostUnrolledTaps = 128;  // minutes to compile

template <StencilKernel Kernel, class Sum, SourcePixel In>
auto MakeLaneFilter() {
  using Factors = RowFactors<Kernel>;
  constexpr std::size_t kTaps = NonZeroTaps(Factors::kColumn);
  constexpr bool kDense = Factors::kKind == Factorisation::kTaps &&
                          ZeroTaps(Factors::kColumn) * 4 < kTaps;
  constexpr bool kFew =
      kTaps <= kUnrolledTaps ||
      (kTaps <= kMostUnrolledTaps &&
       kTaps * 3 <= 2 * Kernel::kTaps.kRows * Kernel::kTaps.kCols);
  if constexpr (kFew && !kDense) {
    return LaneFilter<Sum, In, StoreSum, Kernel>();
  } else {
    return LoopFilter<Sum, In, Kernel::kTaps.kRows, Kernel::kTaps.kCols>(
        KernelTaps<Kernel>{});
  }
}

template <StencilKernel Kernel, SourcePixel In>
auto MakeFilter() {
  using Sum = SumOf<In, typename KernelTaps<Kernel>::Tap>;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<In, std::uint8_t> &&
                std::is_same_v<Sum, std::int32_t>) {
    using Short = ShortSums<Kernel>;
    constexpr bool kFactored =
        RowFactors<Kernel>::kKind != Factorisation::kTaps;
    if constexpr (kFactored && (Short::kSigned || Short::kUnsigned)) {
      return LaneFilter<typename Short::Type, In, StoreSum, Kernel>();
    } else if constexpr (TapsFitBytes<Kernel>()) {
      return ByteFilter<Kernel>();
    } else {
      return MakeLaneFilter<Kernel, Sum, In>();
    }
  } else
#endif
    return MakeLaneFilter<Kernel, Sum, In>();
}

// Taps [K, L] of any shape: the columns that no border concerns in vectors, the
// others one by one.
template <BorderMode Border, class T, SourcePixel In, FilteredPixel Out>
void CorrelateView(const ViewTaps<T>& taps, MatrixView<const In> image,
                   MatrixView<Out> out, IndexRange rows) {
  using Sum = SumOf<In, T>;
  const hn::ScalableTag<Sum> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kVectors = 4;
  const std::size_t lanes = hn::Lanes(d);
  const Reach reach = ReachOf(taps.rows(), taps.cols());
  for (std::size_t y = rows.begin; y < rows.end; ++y) {
    const auto block = [&]<std::size_t kCount>(std::size_t x) HWY_ATTR {
      V sums[kCount];
      for (V& sum : sums) sum = hn::Zero(d);
      for (std::size_t r = 0; r < taps.rows(); ++r) {
        const std::ptrdiff_t row =
            Border::Index(static_cast<std::ptrdiff_t>(y + r) -
                              static_cast<std::ptrdiff_t>(reach.above),
                          static_cast<std::ptrdiff_t>(image.rows()));
        if (row < 0) continue;
        const In* const from =
            image.row(static_cast<std::size_t>(row)) + x - reach.left;
        for (std::size_t c = 0; c < taps.cols(); ++c) {
          const V tap = hn::Set(d, static_cast<Sum>(taps.at(r, c)));
          for (std::size_t v = 0; v < kCount; ++v) {
            sums[v] =
                hn::MulAdd(tap, LoadPixels<Sum>(from + c + v * lanes), sums[v]);
          }
        }
      }
      for (std::size_t v = 0; v < kCount; ++v) {
        StoreSaturated(sums[v], out.row(y) + x + v * lanes, lanes, false);
      }
    };
    std::size_t x = 0;
    while (x < out.cols()) {
      const std::size_t room = image.cols() - x;  // to the right edge
      if (x < reach.left || room < lanes + reach.right) {
        out(y, x) = SaturateTo<Out>(CorrelateAt<Border>(taps, image, y, x));
        ++x;
      } else if (room < kVectors * lanes + reach.right) {
        block.template operator()<1>(x);
        x += lanes;
      } else {
        block.template operator()<kVectors>(x);
        x += kVectors * lanes;
      }
    }
  }
}

template <>
struct CorrelateKernel<Simd> {
#if HWY_HAVE_SCALABLE
  // Blocks are laid out for vectors whose length the compiler knows.
  template <BorderMode Border, class Taps, SourcePixel In, FilteredPixel Out>
  static void Run(const Taps& taps, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    CorrelateKernel<Scalar>::Run<Border>(taps, image, out, rows);
  }
#else
  template <BorderMode Border, StencilKernel Kernel, SourcePixel In,
            FilteredPixel Out>
  static void Run(const KernelTaps<Kernel>&, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
#if HWY_TARGET != HWY_SCALAR
    if constexpr (TakesByteStrips<Kernel, In, Out>()) {
      SeparableByteSweep<Border, Kernel, Out>(image, out).Run(rows);
    } else
#endif
      Sweep<Border>(MakeFilter<Kernel, In>(), image, out, rows);
  }

  template <BorderMode Border, std::size_t Rows, std::size_t Cols, class T,
            SourcePixel In, FilteredPixel Out>
  static void Run(const StencilTaps<Rows, Cols, T>& taps,
                  MatrixView<const In> image, MatrixView<Out> out,
                  IndexRange rows) {
    Sweep<Border>(LoopFilter<SumOf<In, T>, In, Rows, Cols>(taps), image, out,
                  rows);
  }

  template <BorderMode Border, class T, SourcePixel In, FilteredPixel Out>
  static void Run(const ViewTaps<T>& taps, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    CorrelateView<Border>(taps, image, out, rows);
  }
#endif
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_CORRELATE_SIMD_INL_H_
