// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Taps from memory, one pixel a lane: for weights known at run time, and for
// kernels too large to be unrolled.

#ifndef HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_
#define HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_

#include <cstddef>

#include "hpcnn/base/target.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Taps from memory. Unrolled over the rows, not over the columns.
template <class T, SourcePixel In, std::size_t Rows, std::size_t Cols>
struct LoopFilter {
 private:
  static constexpr std::size_t kVectors = 2;

 public:
  using Pixel = In;
  static constexpr Reach kReach = ReachOf(Rows, Cols);
  // Tall and narrow: a load that is not aligned costs two, and each one serves
  // up to Rows sums of its column. Not taller: the taps of a column stay in
  // registers, too, and where rows lie some KiB apart those of a block must
  // find room in one set of the L1 cache.
  static constexpr std::size_t kRows = kManyRegisters ? 8 : 4;
  static constexpr std::size_t kNarrow = hn::MaxLanes(hn::ScalableTag<T>());
  static constexpr std::size_t kWide = kVectors * kNarrow;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return pixels + Cols - 1;
  }

  static constexpr std::size_t kInputs = kRows + Rows - 1;

  template <class Taps>
  explicit LoopFilter(const Taps& taps) {
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t c = 0; c < Cols; ++c) {
        taps_[c][r] = static_cast<T>(taps.at(r, c));
      }
    }
  }

  template <std::size_t kPixels, class Target>
  HWY_INLINE void Block(const InputRows<In, kInputs>& from, std::size_t first,
                        const Target& to) const {
    const hn::ScalableTag<T> d;
    constexpr std::size_t kCount = kPixels / kNarrow;
    using V = hn::Vec<decltype(d)>;
    V sums[kRows][kCount];
    Unroll<kRows * kCount>([&](auto j) __attribute__((always_inline)) {
      sums[j / kCount][j % kCount] = hn::Zero(d);
    });
    for (std::size_t c = 0; c < Cols; ++c) {
      Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
        V x[kCount];
        Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
          x[v] = LoadPixels<T>(from.at[i] + first + c + v * kNarrow);
          KeepInOrder(x[v]);
        });
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (i >= r && i < r + Rows) {
            const V tap = hn::Set(d, taps_[c][i - r]);
            Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
              sums[r][v] = hn::MulAdd(tap, x[v], sums[r][v]);
              KeepInOrder(sums[r][v]);
            });
          }
        });
      });
    }
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        const std::size_t room = to.Room(r, v * kNarrow);
        if (room == 0) return;
        StoreSaturated(sums[r][v], to.at + r * to.stride + v * kNarrow, room,
                       to.stream);
      });
    });
  }

 private:
  T taps_[Cols][Rows];
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_
