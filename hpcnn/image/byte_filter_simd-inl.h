// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Four bytes a lane times four taps, summed in i32.

#ifndef HPCNN_IMAGE_BYTE_FILTER_SIMD_INL_H_
#define HPCNN_IMAGE_BYTE_FILTER_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hpcnn/base/target.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/stencil.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

#if HWY_TARGET != HWY_SCALAR
// Bytes with taps of -128 to 127. A lane of vector s holds the sum for pixel
// 4 * lane + s: so a plain load, at offset s, puts four neighbours into each
// lane, and one instruction multiplies all of them.
template <StencilKernel Kernel>
struct ByteFilter {
 private:
  static constexpr auto kTaps = Kernel::kTaps;
  static constexpr std::size_t kGroups = (kTaps.kCols + 3) / 4;
  using D32 = hn::ScalableTag<std::int32_t>;
  using D16 = hn::ScalableTag<std::int16_t>;
  using D8 = hn::ScalableTag<std::uint8_t>;
  using V32 = hn::Vec<D32>;

 public:
  using Pixel = std::uint8_t;
  static constexpr Reach kReach = ReachOf(kTaps.kRows, kTaps.kCols);
  static constexpr std::size_t kRows = kManyRegisters ? 5 : 2;
  static constexpr std::size_t kWide = hn::MaxLanes(D8());
  static constexpr std::size_t kNarrow = kWide;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return pixels + 3 + 4 * (kGroups - 1);
  }

  static constexpr std::size_t kInputs = kRows + kTaps.kRows - 1;
  // Are there blocks for the edges? They take time to compile.
  static constexpr bool kHasEdges =
      kLeavesOutLanes && kTaps.kRows * kGroups <= 16;

  template <std::size_t kPixels, Edge kEdge = Edge::kNone, class Target>
  HWY_INLINE void Block(const InputRows<std::uint8_t, kInputs>& from,
                        std::size_t first, const Target& to) const {
    // From memory: as constants they would pass through the port that
    // multiplies.
    const std::int32_t* taps_at = &kFourTaps.taps[0][0];
    asm("" : "+r"(taps_at));
    V32 sums[kRows][4];
    Unroll<4 * kRows>([&](auto j) __attribute__((always_inline)) {
      sums[j / 4][j % 4] = hn::Zero(D32());
    });
    Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
      const std::uint8_t* const row = from.at[i] + first;
      Unroll<kGroups>([&](auto g) __attribute__((always_inline)) {
        hn::Vec<D8> x[4];
        Unroll<4>([&](auto s) __attribute__((always_inline)) {
          constexpr std::size_t kOffset = 4 * g + s;
          if constexpr (kEdge == Edge::kNone) {
            x[s] = hn::LoadU(D8(), row + kOffset);
          } else {
            x[s] =
                LoadPixelsAtEdge<std::uint8_t, kEdge, kWide,
                                 static_cast<std::ptrdiff_t>(kOffset) -
                                     static_cast<std::ptrdiff_t>(kReach.left)>(
                    row);
          }
          KeepInRegister(x[s]);
        });
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (i >= r && i < r + kTaps.kRows) {
            if constexpr (kFourTaps(i - r, g) != 0) {
              const auto taps =
                  hn::BitCast(hn::ScalableTag<std::int8_t>(),
                              hn::Set(D32(), taps_at[(i - r) * kGroups + g]));
              Unroll<4>([&](auto s) __attribute__((always_inline)) {
                sums[r][s] =
                    hn::SumOfMulQuadAccumulate(D32(), x[s], taps, sums[r][s]);
                KeepInRegister(sums[r][s]);
              });
            }
          }
        });
      });
    });
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      const std::size_t room = to.Room(r, 0);
      if (room == 0) return;
      using Out = typename Target::Out;
      Out* const at = to.at + r * to.stride;
      if (room >= kWide) {
        Store(sums[r], at, to.stream);
      } else {
        HWY_ALIGN Out whole[kWide];
        Store(sums[r], whole, false);
        std::copy_n(whole, room, at);
      }
    });
  }

 private:
  // [r, g]: the taps of columns 4 g to 4 g + 3 of row r, one a byte.
  static constexpr auto PackTaps() {
    Stencil<kTaps.kRows, kGroups> packed{};
    for (std::size_t r = 0; r < kTaps.kRows; ++r) {
      for (std::size_t c = 0; c < kTaps.kCols; ++c) {
        packed.taps[r][c / 4] |= static_cast<int>(
            (static_cast<unsigned>(kTaps(r, c)) & 0xFFu) << (8 * (c % 4)));
      }
    }
    return packed;
  }
  static constexpr auto kFourTaps = PackTaps();

  template <class Out>
  static HWY_INLINE void Store(const V32 (&sums)[4], Out* to, bool stream) {
    if constexpr (std::is_same_v<Out, std::int32_t>) {
      hn::StoreInterleaved4(sums[0], sums[1], sums[2], sums[3], D32(), to);
    } else if constexpr (std::is_same_v<Out, float>) {
      const hn::ScalableTag<float> d;
      hn::StoreInterleaved4(
          hn::ConvertTo(d, sums[0]), hn::ConvertTo(d, sums[1]),
          hn::ConvertTo(d, sums[2]), hn::ConvertTo(d, sums[3]), d, to);
    } else {
      // In each block of 128 bits: 0 0 0 0 2 2 2 2 and 1 1 1 1 3 3 3 3, from
      // those 01 01 01 01 and 23 23 23 23, and then in order.
      const auto even = hn::ReorderDemote2To(D16(), sums[0], sums[2]);
      const auto odd = hn::ReorderDemote2To(D16(), sums[1], sums[3]);
      const auto low =
          hn::BitCast(D32(), hn::InterleaveLower(D16(), even, odd));
      const auto high =
          hn::BitCast(D32(), hn::InterleaveUpper(D16(), even, odd));
      const auto first =
          hn::BitCast(D16(), hn::InterleaveWholeLower(D32(), low, high));
      const auto second =
          hn::BitCast(D16(), hn::InterleaveWholeUpper(D32(), low, high));
      StoreSaturated(first, to, kWide, stream);
      StoreSaturated(second, to + kWide / 2, kWide, stream);
    }
  }
};
#endif

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_BYTE_FILTER_SIMD_INL_H_
