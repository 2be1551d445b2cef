// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Bytes with a kernel of rank 1: each row of the image is
// summed across once, in 16 bits, and then as many of these sums as the column
// has taps are summed down, in 32. Both passes multiply two taps at once: the
// one two neighbours, the other two rows, which are kept lane by lane together.
// The rows of sums of a strip of the image lie in the L1 cache.

#ifndef HPCNN_IMAGE_SEPARABLE_BYTE_SWEEP_SIMD_INL_H_
#define HPCNN_IMAGE_SEPARABLE_BYTE_SWEEP_SIMD_INL_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/row_factors.h"
#include "hpcnn/image/stencil.h"
#include "hpcnn/image/sweep_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Is Kernel of rank 1, with factors for which that is exact?
template <StencilKernel Kernel>
constexpr bool SeparatesBytes() {
  using Factors = RowFactors<Kernel>;
  if (Factors::kKind != Factorisation::kSeparable) return false;
  // Sums across fit 16 bits, and so do then the products of any two taps.
  long long above = 0;
  long long below = 0;
  for (const long long tap : Factors::kBasis.taps[0]) {
    if (tap < -128 || tap > 127) return false;
    (tap > 0 ? above : below) += 255 * tap;
  }
  if (above > 32767 || below < -32768) return false;
  for (const auto& tap : Factors::kColumn.taps) {
    if (tap[0] < -32768 || tap[0] > 32767) return false;
  }
  return true;
}

#if HWY_TARGET != HWY_SCALAR
// Out has one byte or two.
template <BorderMode Border, StencilKernel Kernel, FilteredPixel Out>
class SeparableByteSweep {
 public:
  SeparableByteSweep(MatrixView<const std::uint8_t> image, MatrixView<Out> out)
      : image_(image),
        out_(out),
        stream_(Streams(out, kStep) && FirstAligned(out) == 0) {}

  void Run(IndexRange rows) const {
    for (std::size_t x = 0; x < image_.cols(); x += kStrip) {
      Strip(rows, x, std::min(kStrip, image_.cols() - x));
    }
    if (stream_) hwy::FlushStream();
  }

 private:
  static constexpr auto kAcross = RowFactors<Kernel>::kBasis;  // [1, kCols]
  static constexpr auto kDown = RowFactors<Kernel>::kColumn;   // [kRows, 1]
  static constexpr std::size_t kRows = Kernel::kTaps.kRows;
  static constexpr std::size_t kCols = Kernel::kTaps.kCols;
  static constexpr Reach kReach = ReachOf(kRows, kCols);
  static constexpr std::size_t kPairsAcross = (kCols + 1) / 2;
  static constexpr std::size_t kPairsDown = (kRows + 1) / 2;

  using D8 = hn::ScalableTag<std::uint8_t>;
  using D16 = hn::ScalableTag<std::int16_t>;
  using D32 = hn::ScalableTag<std::int32_t>;
  static constexpr std::size_t kStep = hn::MaxLanes(D8());  // pixels
  static constexpr std::size_t kHalf = kStep / 2;
  // Two sums a pixel in kRows rows: 32 KiB. Rows a power of two apart would
  // share the sets of the cache.
  static constexpr std::size_t kStrip =
      std::max(kStep, std::bit_floor((std::size_t{32} << 10) / (4 * kRows)));
  static constexpr std::size_t kReads = kStep + 2 * kPairsAcross;

  struct Sums {
    // Of the row before: for each kStep pixels the even ones, then the odd.
    HWY_ALIGN std::int16_t before[kStrip] = {};
    // Of the last rows, each sum beside the one above it: a pair. Row i of the
    // strip is in place i modulo kRows.
    HWY_ALIGN std::int16_t pairs[kRows][2 * kStrip + 96] = {};
    HWY_ALIGN std::uint8_t pixels[kStrip + kReads] = {};
  };

  // Columns [x, x + width) of the result.
  void Strip(IndexRange rows, std::size_t x, std::size_t width) const {
    Sums sums;
    for (std::size_t i = 0; i < rows.size() + kRows - 1; ++i) {
      const std::ptrdiff_t row =
          Border::Index(static_cast<std::ptrdiff_t>(rows.begin + i) -
                            static_cast<std::ptrdiff_t>(kReach.above),
                        static_cast<std::ptrdiff_t>(image_.rows()));
      const std::uint8_t* const pixels = Pixels(row, x, width, sums.pixels);
      // The first rows only begin sums.
      Out* const to =
          i + 1 < kRows ? nullptr : out_.row(rows.begin + i + 1 - kRows) + x;
      AddRow(pixels, i, width, sums, to);
    }
  }

  // Those of an image row that a strip reads; `copy` has room for them.
  const std::uint8_t* Pixels(std::ptrdiff_t row, std::size_t x,
                             std::size_t width, std::uint8_t* copy) const {
    const std::size_t size = width + kCols - 1;
    if (row < 0) {
      std::fill_n(copy, size, std::uint8_t{0});
      return copy;
    }
    const std::uint8_t* const from = image_.row(static_cast<std::size_t>(row));
    const auto cols = static_cast<std::ptrdiff_t>(image_.cols());
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(x) -
                                 static_cast<std::ptrdiff_t>(kReach.left);
    const auto reads = static_cast<std::ptrdiff_t>(
        (width + kStep - 1) / kStep * kStep - kStep + kReads);
    if (start >= 0 && start + reads <= cols) return from + start;
    const auto end = static_cast<std::ptrdiff_t>(size);
    const std::ptrdiff_t inside = std::max<std::ptrdiff_t>(0, -start);
    const std::ptrdiff_t outside = std::min(cols - start, end);
    const auto fill = [&](std::ptrdiff_t first, std::ptrdiff_t last) {
      for (std::ptrdiff_t j = first; j < last; ++j) {
        const std::ptrdiff_t col = Border::Index(start + j, cols);
        copy[j] = col < 0 ? std::uint8_t{0} : from[col];
      }
    };
    fill(0, inside);
    std::copy(from + start + inside, from + start + outside, copy + inside);
    fill(outside, end);
    return copy;
  }

  // Two taps side by side in every lane of D32 or D16; beyond the last one and
  // before the first there are zeros.
  template <std::size_t kPair>
  static hn::Vec<D16> TapsDown() {
    constexpr std::size_t kLast = kRows - 1 - 2 * kPair;
    constexpr int kUpper =
        kLast == 0 ? 0 : kDown(std::max<std::size_t>(kLast, 1) - 1, 0);
    constexpr unsigned kBoth = (static_cast<unsigned>(kUpper) & 0xFFFFu) |
                               static_cast<unsigned>(kDown(kLast, 0)) << 16;
    return hn::BitCast(D16(), hn::Set(D32(), static_cast<std::int32_t>(kBoth)));
  }
  template <std::size_t kPair>
  static auto TapsAcross() {
    constexpr std::size_t kFirst = 2 * kPair;
    constexpr int kSecond =
        kFirst + 1 < kCols ? kAcross(0, std::min(kFirst + 1, kCols - 1)) : 0;
    constexpr unsigned kBoth =
        (static_cast<unsigned>(kAcross(0, kFirst)) & 0xFFu) |
        (static_cast<unsigned>(kSecond) & 0xFFu) << 8;
    return hn::BitCast(hn::ScalableTag<std::int8_t>(),
                       hn::Set(hn::ScalableTag<std::uint16_t>(),
                               static_cast<std::uint16_t>(kBoth)));
  }

  // Row i of the strip, and the results that it completes, unless `to` is null.
  HWY_NOINLINE void AddRow(const std::uint8_t* pixels, std::size_t i,
                           std::size_t width, Sums& sums, Out* to) const {
    std::int16_t* const slot = sums.pairs[i % kRows];
    const std::int16_t* above[kPairsDown];  // pair by pair upwards
    for (std::size_t pair = 1; pair < kPairsDown; ++pair) {
      above[pair] = sums.pairs[(i + kRows - 2 * pair) % kRows];
    }
    for (std::size_t x = 0; x < width; x += kStep) {
      hn::Vec<D16> across[2];  // even pixels, odd pixels
      Unroll<2>([&](auto odd) __attribute__((always_inline)) {
        across[odd] = hn::Zero(D16());
        Unroll<kPairsAcross>([&](auto pair) __attribute__((always_inline)) {
          const auto products = hn::SatWidenMulPairwiseAdd(
              D16(), hn::LoadU(D8(), pixels + x + 2 * pair + odd),
              TapsAcross<pair>());
          across[odd] = pair == 0 ? products : hn::Add(across[odd], products);
        });
      });
      hn::Vec<D32> down[4];
      Unroll<2>([&](auto odd) __attribute__((always_inline)) {
        std::int16_t* const before = sums.before + x + odd * kHalf;
        const auto last = hn::Load(D16(), before);
        hn::Store(across[odd], D16(), before);
        const hn::Vec<D16> pairs[2] = {
            hn::InterleaveLower(D16(), last, across[odd]),
            hn::InterleaveUpper(D16(), last, across[odd])};
        Unroll<2>([&](auto half) __attribute__((always_inline)) {
          constexpr std::size_t kPart = 2 * odd + half;
          hn::Store(pairs[half], D16(), slot + 2 * x + kPart * kHalf);
          down[kPart] = hn::SatWidenMulPairwiseAccumulate(
              D32(), pairs[half], TapsDown<0>(), hn::Zero(D32()));
        });
      });
      if (to == nullptr) continue;
      Unroll<kPairsDown>([&](auto pair) __attribute__((always_inline)) {
        if constexpr (pair > 0) {
          Unroll<4>([&](auto part) __attribute__((always_inline)) {
            down[part] = hn::SatWidenMulPairwiseAccumulate(
                D32(), hn::Load(D16(), above[pair] + 2 * x + part * kHalf),
                TapsDown<pair>(), down[part]);
          });
        }
      });
      // Undoes the interleaving of each block of 128 bits.
      const auto even = hn::ReorderDemote2To(D16(), down[0], down[1]);
      const auto odd = hn::ReorderDemote2To(D16(), down[2], down[3]);
      const std::size_t count = width - x;
      StoreSaturated(hn::InterleaveWholeLower(D16(), even, odd), to + x, count,
                     stream_);
      if (count > kHalf) {
        StoreSaturated(hn::InterleaveWholeUpper(D16(), even, odd),
                       to + x + kHalf, count - kHalf, stream_);
      }
    }
  }

  const MatrixView<const std::uint8_t> image_;
  const MatrixView<Out> out_;
  const bool stream_;
};
#endif

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_SEPARABLE_BYTE_SWEEP_SIMD_INL_H_
