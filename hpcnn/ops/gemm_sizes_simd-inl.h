// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Simd> of sizes known at compile time: small products as straight code,
// and B of fewer columns than a vector has lanes.

#ifndef HPCNN_OPS_GEMM_SIZES_SIMD_INL_H_
#define HPCNN_OPS_GEMM_SIZES_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class T>
inline constexpr std::size_t kLanesOf = hn::MaxLanes(hn::ScalableTag<T>());

// Sums that registers hold beside a row of B and an element of A.
inline constexpr std::size_t kGemmSums = HWY_TARGET <= HWY_AVX3 ? 24 : 12;

// --- Small products: the tile that suits them, all of k unrolled.

struct GemmTiling {
  std::size_t rows;
  std::size_t vectors;
};

// The tiles that take the fewest cycles a step of k: two multiply-adds or loads
// in each, four for a sum that waits for itself.
constexpr GemmTiling BestTiling(std::size_t rows, std::size_t vectors) {
  GemmTiling best{};
  std::size_t least = static_cast<std::size_t>(-1);
  const auto cycles = [](std::size_t r, std::size_t v) {
    return std::max({r * v, r + v, std::size_t{8}});
  };
  for (std::size_t v = std::min(vectors, kGemmVectors); v > 0; --v) {
    for (std::size_t r = std::min(rows, kGemmSums / v); r > 0; --r) {
      const std::size_t rest = rows % r == 0 ? 0 : cycles(rows % r, v) + 1;
      const std::size_t cost =
          (vectors + v - 1) / v * (rows / r * cycles(r, v) + rest);
      if (cost < least) {
        least = cost;
        best = {r, v};
      }
    }
  }
  return best;
}

// A tile's straight code of more multiply-adds takes long to compile; more work
// amortises what the general kernel spends on its loops. With AVX-512 rows of
// several whole vectors are as fast there.
inline constexpr std::size_t kMostTileSteps =
    HWY_TARGET <= HWY_AVX3 ? 640 : 800;
inline constexpr std::size_t kMostSmallGemm = 64 * 64 * 64;

template <class T>
constexpr bool IsSmallGemm(std::size_t m, std::size_t k, std::size_t n) {
  if (m == 0 || k == 0 || n == 0 || k > 64 || m * k * n > kMostSmallGemm) {
    return false;
  }
  const GemmTiling tile = BestTiling(m, (n + kLanesOf<T> - 1) / kLanesOf<T>);
  return tile.rows * tile.vectors * k <= kMostTileSteps &&
         (HWY_TARGET > HWY_AVX3 || n <= kLanesOf<T> || n % kLanesOf<T> != 0);
}
template <class T, std::size_t M, std::size_t K, std::size_t N>
concept SmallGemm = std::is_floating_point_v<T> && IsSmallGemm<T>(M, K, N);

template <class T, std::size_t M, std::size_t K, std::size_t N>
requires SmallGemm<T, M, K, N>
struct GemmKernelFor<Simd, T, GemmSizes<M, K, N>> {
  static constexpr GemmShares kShares = GemmShares::kNothing;

  template <class Update, class Epilogue>
  HWY_INLINE static void Run(const Operand<T>& a, const Operand<T>& b,
                             MatrixView<T> c, const Update& update,
                             const Epilogue& epilogue, std::size_t row,
                             std::size_t col) {
    if constexpr (std::is_same_v<Update, AlphaBeta<T>>) {
      GemmKernel<Simd>::Run(a, b, c, update, epilogue, row, col);
    } else {
      if (b.col_step != 1) {
        return GemmKernel<Simd>::Run(a, b, c, update, epilogue, row, col);
      }
      for (std::size_t m = 0; m + kTiling.rows <= M; m += kTiling.rows) {
        Row<kTiling.rows>(a, b, c, Update::kKeepsOld, m);
      }
      if constexpr (M % kTiling.rows != 0) {
        Row<M % kTiling.rows>(a, b, c, Update::kKeepsOld,
                              M / kTiling.rows * kTiling.rows);
      }
      epilogue.template Apply<Simd>(c, row, col);
    }
  }

 private:
  static constexpr std::size_t kVectors = (N + kLanesOf<T> - 1) / kLanesOf<T>;
  static constexpr GemmTiling kTiling = BestTiling(M, kVectors);

  // A row of tiles, from row m.
  template <std::size_t kRows>
  HWY_INLINE static void Row(const Operand<T>& a, const Operand<T>& b,
                             MatrixView<T> c, bool keep_old, std::size_t m) {
    constexpr std::size_t kPanel = kTiling.vectors * kLanesOf<T>;
    const auto tile = [&]<std::size_t kWidth>(std::size_t n) HWY_ATTR {
      constexpr std::size_t kAcross = (kWidth + kLanesOf<T> - 1) / kLanesOf<T>;
      constexpr std::size_t kLast = kWidth - (kAcross - 1) * kLanesOf<T>;
      GemmTile<kRows, kAcross, kLast != kLanesOf<T>, K>(GemmBlock<T>{
          .a = {a.data + m * a.row_step, kRows, K, a.row_step, a.col_step},
          .b = b.data + n,
          .b_step = b.row_step,
          .last = kLast,
          .keep_old = keep_old,
          .c = c.row(m) + n,
          .c_step = c.stride()});
    };
    for (std::size_t n = 0; n + kPanel <= N; n += kPanel) {
      tile.template operator()<kPanel>(n);
    }
    if constexpr (N % kPanel != 0) {
      tile.template operator()<N % kPanel>(N / kPanel * kPanel);
    }
  }
};

// --- Few columns: inner products along k, where no lane is idle.

#if HWY_TARGET != HWY_SCALAR

// Lane n is the sum of all lanes of sums[n], for n < kCount; the others are 0.
// Each round adds two parts of every vector and puts the results of two vectors
// into one: first in blocks of 128 bits, where that is cheapest.
template <std::size_t kCount, class D, class V>
HWY_INLINE V LaneSums(D d, V* sums) {
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  // Of so many vectors; the rest are 0 already.
  const auto round = [&]<std::size_t kLeft>(const auto& merge) HWY_ATTR {
    HPCNN_UNROLL
    for (std::size_t n = 0; n < kLeft; ++n) {
      sums[n] = 2 * n < kLeft
                    ? merge(sums[2 * n],
                            2 * n + 1 < kLeft ? sums[2 * n + 1] : hn::Zero(d))
                    : hn::Zero(d);
    }
  };
  round.template operator()<kCount>([&](V a, V b) HWY_ATTR {
    return hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  });
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const hn::Repartition<double, D> d64;
    round.template operator()<(kCount + 1) / 2>([&](V a, V b) HWY_ATTR {
      const auto x = hn::BitCast(d64, a);
      const auto y = hn::BitCast(d64, b);
      return hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, x, y)),
                     hn::BitCast(d, hn::InterleaveUpper(d64, x, y)));
    });
  }
  constexpr std::size_t kBlocks = kLanes * sizeof(hn::TFromD<D>) / 16;
  const auto halves = [&](V a, V b) HWY_ATTR {
    return hn::Add(hn::ConcatLowerLower(d, b, a),
                   hn::ConcatUpperUpper(d, b, a));
  };
  if constexpr (kBlocks == 4) {
    // Blocks 0 and 1 of `a` are parts of the first result, 2 and 3 of the
    // third one; in the same way those of `b`, of the second and fourth.
    const V a = halves(sums[0], sums[2]);
    const V b = halves(sums[1], sums[3]);
    return hn::Add(hn::OddEvenBlocks(hn::SwapAdjacentBlocks(b), a),
                   hn::OddEvenBlocks(b, hn::SwapAdjacentBlocks(a)));
  } else if constexpr (kBlocks == 2) {
    return halves(sums[0], sums[1]);
  } else {
    return sums[0];
  }
}

// C(m, n) for a few rows: sums of as many lanes as there are, then theirs.
template <std::size_t kRows, std::size_t kCols, class T>
HWY_INLINE void GemmDots(const Operand<T>& a, const T* packed,
                         std::size_t b_step, bool keep_old, T* c,
                         std::size_t c_step) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kLanes = kLanesOf<T>;
  constexpr std::size_t kGroups = (kCols + kLanes - 1) / kLanes;
  V sum[kRows][kGroups * kLanes];
  HPCNN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    HPCNN_UNROLL
    for (std::size_t n = 0; n < kGroups * kLanes; ++n) sum[r][n] = hn::Zero(d);
  }
  const auto add = [&](std::size_t k, const auto& load) HWY_ATTR {
    V left[kRows];
    HPCNN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      left[r] = load(a.data + r * a.row_step + k);
    }
    HPCNN_UNROLL
    for (std::size_t n = 0; n < kCols; ++n) {
      const V right = load(packed + n * b_step + k);
      HPCNN_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        sum[r][n] = hn::MulAdd(left[r], right, sum[r][n]);
      }
    }
  };
  std::size_t k = 0;
  for (; k + kLanes <= a.cols; k += kLanes) {
    add(k, [&](const T* p) HWY_ATTR { return hn::LoadU(d, p); });
  }
  if (k < a.cols) {
    add(k, [&](const T* p) HWY_ATTR { return hn::LoadN(d, p, a.cols - k); });
  }
  HPCNN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    Unroll<kGroups>([&](auto g) HWY_ATTR {
      constexpr std::size_t kCount = std::min(kLanes, kCols - g * kLanes);
      V all = LaneSums<kCount>(d, sum[r] + g * kLanes);
      T* const to = c + r * c_step + g * kLanes;
      if (keep_old) all = hn::Add(all, hn::LoadN(d, to, kCount));
      hn::StoreN(all, d, to, kCount);
    });
  }
}

// Too few columns for a vector, or one and a bit: tiles would multiply mostly
// nothing.
template <class T>
constexpr bool IsNarrowGemm(std::size_t n) {
  const std::size_t whole = (n + kLanesOf<T> - 1) / kLanesOf<T> * kLanesOf<T>;
  return n > 0 && (n < kLanesOf<T> ? 4 * n <= 3 * whole
                                   : n <= 12 && 10 * n <= 7 * whole);
}
template <class T, std::size_t M, std::size_t K, std::size_t N>
concept NarrowGemm = std::is_floating_point_v<T> && IsNarrowGemm<T>(N) &&
    !SmallGemm<T, M, K, N>;

template <class T, std::size_t M, std::size_t K, std::size_t N>
requires NarrowGemm<T, M, K, N>
struct GemmKernelFor<Simd, T, GemmSizes<M, K, N>> {
  static constexpr GemmShares kShares = GemmShares::kRows;

  template <class Update, class Epilogue>
  static void Run(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                  const Update& update, const Epilogue& epilogue,
                  std::size_t row, std::size_t col) {
    if constexpr (!std::is_same_v<Update, AlphaBeta<T>>) {
      if (a.col_step == 1 && a.cols >= 4 * kLanesOf<T>) {
        Dots(a, b, c, Update::kKeepsOld);
        return epilogue.template Apply<Simd>(c, row, col);
      }
    }
    GemmKernel<Simd>::Run(a, b, c, update, epilogue, row, col);
  }

 private:
  static void Dots(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                   bool keep_old) {
    constexpr std::size_t kRows = std::min<std::size_t>(kGemmSums / N, 8);
    HWY_ALIGN T packed[N * kGemmDepth];
    for (std::size_t k = 0; k < a.cols; k += kGemmDepth) {
      const IndexRange depth{k, std::min(k + kGemmDepth, a.cols)};
      // B's columns as rows.
      GemmPack({&b(k, 0), N, depth.size(), b.col_step, b.row_step}, T{1},
               kGemmDepth, packed);
      const bool add = keep_old || k > 0;
      std::size_t m = 0;
      for (; m + kRows <= c.rows(); m += kRows) {
        GemmDots<kRows, N>(a.Cols(depth).Rows({m, m + kRows}), packed,
                           kGemmDepth, add, c.row(m), c.stride());
      }
      for (; m < c.rows(); ++m) {
        GemmDots<1, N>(a.Cols(depth).Rows({m, m + 1}), packed, kGemmDepth, add,
                       c.row(m), c.stride());
      }
    }
  }
};

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GEMM_SIZES_SIMD_INL_H_
