// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// One pixel a lane, taps that are not constants: for weights known at run time,
// and for kernels too large to be unrolled. Few taps stay in registers, more
// come from memory as they are used.

#ifndef HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_
#define HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_

#include <cstddef>

#include "hpcnn/base/target.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Unrolled over the rows; over the columns only for few taps.
template <class T, SourcePixel In, std::size_t Rows, std::size_t Cols>
struct LoopFilter {
 private:
  static constexpr std::size_t kVectors = 2;

 public:
  using Pixel = In;
  static constexpr Reach kReach = ReachOf(Rows, Cols);
  static constexpr bool kFewTaps = kShiftsPixels<T, In> && Rows * Cols <= 9;
  // Tall and narrow: a load that is not aligned costs two, and each one serves
  // up to Rows sums of its column. Not taller: the taps of a column stay in
  // registers, too, and where rows lie some KiB apart those of a block must
  // find room in one set of the L1 cache.
  static constexpr std::size_t kRows = kManyRegisters ? 6 : 4;
  static constexpr std::size_t kNarrow = hn::MaxLanes(hn::ScalableTag<T>());
  static constexpr std::size_t kWide = kVectors * kNarrow;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return pixels + Cols - 1;
  }

  static constexpr std::size_t kInputs = kRows + Rows - 1;

  // Are there blocks for the edges?
  static constexpr bool kHasEdges = kShiftsPixels<T, In> && Cols <= kNarrow;

  template <class Taps>
  explicit LoopFilter(const Taps& taps) {
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t c = 0; c < Cols; ++c) {
        taps_[c][r] = static_cast<T>(taps.at(r, c));
      }
    }
  }

  template <std::size_t kPixels, Edge kEdge = Edge::kNone, class Target>
  HWY_INLINE void Block(const InputRows<In, kInputs>& from, std::size_t first,
                        const Target& to) const {
    const hn::ScalableTag<T> d;
    constexpr std::size_t kCount = kPixels / kNarrow;
    using V = hn::Vec<decltype(d)>;
    V sums[kRows][kCount];
    Unroll<kRows * kCount>([&](auto j) __attribute__((always_inline)) {
      sums[j / kCount][j % kCount] = hn::Zero(d);
    });
    if constexpr (kFewTaps) {
      AddFewTaps<kEdge>(from, first, sums);
    } else {
      AddTaps<kEdge>(from, first, sums);
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
  template <Edge kEdge, class V, std::size_t kCount>
  HWY_INLINE void AddFewTaps(const InputRows<In, kInputs>& from,
                             std::size_t first,
                             V (&sums)[kRows][kCount]) const {
    V taps[Rows][Cols];
    Unroll<Rows * Cols>([&](auto t) __attribute__((always_inline)) {
      V& tap = taps[t / Cols][t % Cols];
      tap = hn::Set(hn::ScalableTag<T>(), taps_[t % Cols][t / Cols]);
      KeepInRegister(tap);
    });
    Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
      const PixelRow<T, In, kCount, kReach.left, kEdge> row(from.at[i] + first);
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        V x[Cols];
        Unroll<Cols>([&](auto c) __attribute__((always_inline)) {
          x[c] = row.template At<c, v>();
          KeepInRegister(x[c]);
        });
        // What is there without a shift first.
        Unroll<Cols>([&](auto step) __attribute__((always_inline)) {
          constexpr std::size_t c = (step + kReach.left) % Cols;
          Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
            if constexpr (i >= r && i < r + Rows) {
              sums[r][v] = hn::MulAdd(taps[i - r][c], x[c], sums[r][v]);
              KeepInRegister(sums[r][v]);
            }
          });
        });
      });
    });
  }

  template <Edge kEdge, class V, std::size_t kCount>
  HWY_INLINE void AddTaps(const InputRows<In, kInputs>& from, std::size_t first,
                          V (&sums)[kRows][kCount]) const {
    const hn::ScalableTag<T> d;
    // At an edge, `from` is at the block's first pixel.
    constexpr std::size_t kOrigin = kEdge == Edge::kNone ? 0 : kReach.left;
    constexpr std::size_t kAtEdge = kEdge == Edge::kLeft ? 0 : kCount - 1;
    for (std::size_t c = 0; c < Cols; ++c) {
      const std::ptrdiff_t offset = static_cast<std::ptrdiff_t>(first + c) -
                                    static_cast<std::ptrdiff_t>(kOrigin);
      const auto inside = LanesInside<kEdge>(
          PixelTag<T, In>(),
          offset + static_cast<std::ptrdiff_t>(kAtEdge * kNarrow),
          kCount * kNarrow);
      Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
        V x[kCount];
        Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
          const In* const at = from.at[i] + offset + v * kNarrow;
          if constexpr (kEdge != Edge::kNone && v == kAtEdge) {
            x[v] = WidenPixels<T, In>(
                hn::MaskedLoad(inside, PixelTag<T, In>(), at));
          } else {
            x[v] = LoadPixels<T>(at);
          }
          KeepInRegister(x[v]);
        });
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (i >= r && i < r + Rows) {
            const V tap = hn::Set(d, taps_[c][i - r]);
            Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
              sums[r][v] = hn::MulAdd(tap, x[v], sums[r][v]);
              KeepInRegister(sums[r][v]);
            });
          }
        });
      });
    }
  }

  T taps_[Cols][Rows];
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_LOOP_FILTER_SIMD_INL_H_
