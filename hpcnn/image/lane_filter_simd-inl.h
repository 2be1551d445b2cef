// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// One pixel a lane, in f32, i32, or in 16 bits where no sum can overflow; rows
// factored (row_factors.h), taps as constants.

#ifndef HPCNN_IMAGE_LANE_FILTER_SIMD_INL_H_
#define HPCNN_IMAGE_LANE_FILTER_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "hpcnn/base/target.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/row_factors.h"
#include "hpcnn/image/stencil.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// What becomes of a kernel's sums: stored as they are.
struct StoreSum {
  template <class Out, class V>
  static HWY_INLINE void Store(V sum, Out* to, std::size_t count, bool stream) {
    StoreSaturated(sum, to, count, stream);
  }
};

// T: what a lane sums in. Several kernels see the same pixels; Finish gets all
// their sums.
template <class T, SourcePixel In, class Finish, StencilKernel... Kernels>
struct LaneFilter {
 private:
  static constexpr std::size_t kKernels = sizeof...(Kernels);
  static constexpr Reach kReaches[] = {
      ReachOf(Kernels::kTaps.kRows, Kernels::kTaps.kCols)...};
  static constexpr Reach Union() {
    Reach all = kReaches[0];
    for (const Reach& reach : kReaches) {
      all.above = std::max(all.above, reach.above);
      all.below = std::max(all.below, reach.below);
      all.left = std::max(all.left, reach.left);
      all.right = std::max(all.right, reach.right);
    }
    return all;
  }
  static constexpr std::size_t kVectors = 2;

 public:
  using Pixel = In;
  static constexpr Reach kReach = Union();
  // Two ports with a latency of four cycles want eight sums or more; the rest
  // of the registers saves loads, of which low kernels have few where each
  // pixel is loaded once: then fewer rows at a time suit the L1 cache better.
  static constexpr bool kLow =
      kShiftsPixels<T, In> && kReach.above + kReach.below <= 2;
  static constexpr std::size_t kRows = !kManyRegisters          ? 4 / kKernels
                                       : kKernels == 1 && !kLow ? 8
                                                                : 6;
  static constexpr std::size_t kNarrow = hn::MaxLanes(hn::ScalableTag<T>());
  static constexpr std::size_t kWide = kVectors * kNarrow;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return kReach.left + pixels + kReach.right;
  }

  static constexpr std::size_t kInputs = kRows + kReach.above + kReach.below;

  // Are there blocks for the edges? They take time to compile.
  static constexpr bool kHasEdges =
      kLeavesOutLanes &&
      (NonZeroTaps(RowFactors<Kernels>::kColumn) + ...) <= 16;

  // kRows rows of kPixels columns.
  template <std::size_t kPixels, Edge kEdge = Edge::kNone, class Target>
  HWY_INLINE void Block(const InputRows<In, kInputs>& from, std::size_t x,
                        const Target& to) const {
    constexpr std::size_t kCount = kPixels / kNarrow;
    using V = hn::Vec<hn::ScalableTag<T>>;
    V sums[kRows][kCount][kKernels];
    Unroll<kRows * kCount * kKernels>([&](
        auto j) __attribute__((always_inline)) {
      sums[j / kKernels / kCount][j / kKernels % kCount][j % kKernels] =
          hn::Zero(hn::ScalableTag<T>());
    });
    Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
      const PixelRow<T, In, kCount, kReach.left, kEdge> row(from.at[i] + x);
      [&]<std::size_t... K>(std::index_sequence<K...>)
          __attribute__((always_inline)) {
        (AddRow<Kernels, K, i>(row, sums), ...);
      }
      (std::make_index_sequence<kKernels>{});
    });
    // Not sooner: in images whose rows are a power of two apart, loads would
    // wait for stores that only seem to have their addresses.
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      StoreRow(sums[r], r, to);
    });
  }

 private:
  // What input row i gives to each output row that it reaches.
  template <class Kernel, std::size_t k, std::size_t i, class Row, class Sums>
  static HWY_INLINE void AddRow(const Row& row, Sums& sums) {
    using Factors = RowFactors<Kernel>;
    constexpr std::size_t kCount =
        std::extent_v<std::remove_reference_t<Sums>, 1>;
    constexpr std::size_t kDown = kReach.above - kReaches[k].above;
    constexpr std::size_t kAcross = kReach.left - kReaches[k].left;
    Unroll<Factors::kSize>([&](auto g) __attribute__((always_inline)) {
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        const auto x = ApplyBasis<Factors, g, kAcross, v>(row);
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          constexpr std::size_t kFirst = r + kDown;
          if constexpr (i >= kFirst && i < kFirst + Factors::kColumn.kRows) {
            constexpr T kTap = static_cast<T>(Factors::kColumn(i - kFirst, g));
            if constexpr (kTap != T{0}) {
              auto& sum = sums[r][v][k];
              if constexpr (BeginsSum<Factors>(i - kFirst, g)) {
                sum = Scaled(x, kTap);
              } else {
                sum = AddScaled(sum, x, kTap);
              }
              KeepInRegister(sum);
            }
          }
        });
      });
    });
  }

  // Is [r, g] the first tap of the column that is not 0?
  template <class Factors>
  static constexpr bool BeginsSum(std::size_t r, std::size_t g) {
    for (std::size_t i = 0; i <= r; ++i) {
      for (std::size_t j = 0; j < (i < r ? Factors::kSize : g); ++j) {
        if (Factors::kColumn(i, j) != 0) return false;
      }
    }
    return true;
  }

  template <class Sums, class Target>
  static HWY_INLINE void StoreRow(const Sums& sums, std::size_t r,
                                  const Target& to) {
    Unroll<std::extent_v<Sums, 0>>([&](auto v) __attribute__((always_inline)) {
      const std::size_t room = to.Room(r, v * kNarrow);
      if (room == 0) return;
      [&]<std::size_t... K>(std::index_sequence<K...>)
          __attribute__((always_inline)) {
        Finish::Store(sums[v][K]..., to.at + r * to.stride + v * kNarrow, room,
                      to.stream);
      }
      (std::make_index_sequence<kKernels>{});
    });
  }

  // Vector v of the basis g, whose first column is at offset kAcross.
  template <class Factors, std::size_t g, std::size_t kAcross, std::size_t v,
            class Row>
  static HWY_INLINE auto ApplyBasis(const Row& row) {
    constexpr std::size_t kFirst = FirstTap<Factors>(g);
    constexpr T kFirstTap = static_cast<T>(Factors::kBasis(g, kFirst));
    auto x = row.template At<kAcross + kFirst, v>();
    x = Scaled(x, kFirstTap);
    Unroll<Factors::kBasis.kCols>([&](auto c) __attribute__((always_inline)) {
      constexpr T kTap = static_cast<T>(Factors::kBasis(g, c));
      if constexpr (c > kFirst && kTap != T{0}) {
        x = AddScaled(x, row.template At<kAcross + c, v>(), kTap);
      }
    });
    return x;
  }
  template <class Factors>
  static constexpr std::size_t FirstTap(std::size_t g) {
    for (std::size_t c = 0; c < Factors::kBasis.kCols; ++c) {
      if (Factors::kBasis(g, c) != 0) return c;
    }
    return 0;
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_LANE_FILTER_SIMD_INL_H_
