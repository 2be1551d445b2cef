// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Simd>. A tile of C stays in registers while k runs: B is read by rows, A
// is broadcast element by element, so it may be stored either way round. A
// block of B, some rows by one panel of columns, stays in a cache while all
// rows of A pass by. It is packed, on the stack, where it is transposed or
// where its rows would cost more than the copy. What sizes known at compile
// time add is in gemm_sizes_simd-inl.h.

#ifndef HPCNN_OPS_GEMM_SIMD_INL_H_
#define HPCNN_OPS_GEMM_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_pack_simd-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

// Tiles are of at most so many vectors side by side.
inline constexpr std::size_t kGemmVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

// The rows of the tallest tile. Two ports with a latency of four cycles want
// eight sums or more; every further one saves loads, as long as registers are
// left for a row of B and one element of A. A tile of one vector loads as much
// of A as it multiplies, so there height alone saves.
template <std::size_t kVectors>
inline constexpr std::size_t kGemmRows = HWY_TARGET <= HWY_AVX3
                                             ? (kVectors == 1  ? 12
                                                : kVectors < 4 ? 8
                                                               : 6)
                                             : (kVectors == 1 ? 8 : 6);

// Rows of B in a block: with 4 vectors of AVX-512, 256 x 256 B = 64 KiB, with 2
// of AVX2 384 x 64 B = 24 KiB. The former is more than the L1 cache holds, but B
// is read in order, and C only once in so many steps.
inline constexpr std::size_t kGemmDepth = HWY_TARGET <= HWY_AVX3 ? 256 : 384;

// Panels of B that a block of A's rows meets one after the other while it is in
// the second-level cache, and the rows of such a block: 84 x 384 floats = 126
// KiB, a quarter of the smallest. The wide panels of AVX-512 read A a quarter as
// often, which the third level can serve.
inline constexpr std::size_t kGemmPanels = HWY_TARGET <= HWY_AVX3 ? 1 : 4;
inline constexpr std::size_t kGemmBlockRows =
    HWY_TARGET <= HWY_AVX3 ? std::numeric_limits<std::size_t>::max() : 84;

// sum + a b. An int32_t holds four bytes, and a b is the sum of their products:
// unsigned ones of a, signed ones of b.
template <class D, class V>
HWY_INLINE V GemmMulAdd([[maybe_unused]] D d, V a, V b, V sum) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<hn::TFromD<D>, std::int32_t>) {
    return hn::SumOfMulQuadAccumulate(
        d, hn::BitCast(hn::Repartition<std::uint8_t, D>(), a),
        hn::BitCast(hn::Repartition<std::int8_t, D>(), b), sum);
  }
#endif
  return hn::MulAdd(a, b, sum);
}

// A block's share of the sums over k.
template <class T>
struct GemmBlock {
  Operand<T> a;        // [M, depth]
  const T* b;          // [depth, a tile's columns]
  std::size_t b_step;  // elements from row to row
  std::size_t last;    // columns in a tile's last vector
  bool keep_old;       // add to C
  T* c;
  std::size_t c_step;
};

// The elements a(r, k) of some rows, in groups of four that share one pointer:
// with one for each row the processor's registers would not suffice.
template <std::size_t kRows, class T>
class GemmColumn {
 public:
  HWY_INLINE explicit GemmColumn(const Operand<T>& a)
      : step_(a.row_step), three_(3 * a.row_step), next_(a.col_step) {
    HPCNN_UNROLL
    for (std::size_t g = 0; g < kGroups; ++g) {
      group_[g] = a.data + 4 * g * a.row_step;
    }
  }
  HWY_INLINE T operator()(std::size_t row) const {
    const T* const group = group_[row / 4];
    return row % 4 == 3 ? group[three_] : group[row % 4 * step_];
  }
  HWY_INLINE void Next() {
    HPCNN_UNROLL
    for (std::size_t g = 0; g < kGroups; ++g) {
      group_[g] += next_;
      // The compiler must not see that all rows are one pointer plus something.
      asm volatile("" : "+r"(group_[g]));
    }
  }

 private:
  static constexpr std::size_t kGroups = (kRows + 3) / 4;
  const T* group_[kGroups];
  std::size_t step_;
  std::size_t three_;
  std::size_t next_;
};

// C [kRows, up to kVectors vectors] (+)= A [kRows, depth] * B [depth, ...]. A
// depth that is known, and steps that the compiler sees, make straight code.
template <std::size_t kRows, std::size_t kVectors, bool kPartial,
          std::size_t kDepth = 0, class T>
HWY_INLINE void GemmTile(const GemmBlock<T>& block) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const auto load = [&](const T* p, std::size_t v) HWY_ATTR {
    return kPartial && v + 1 == kVectors
               ? hn::LoadN(d, p + v * lanes, block.last)
               : hn::LoadU(d, p + v * lanes);
  };

  V sum[kRows][kVectors];
  HPCNN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    HPCNN_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[r][v] =
          block.keep_old ? load(block.c + r * block.c_step, v) : hn::Zero(d);
    }
  }
  // Not a call: sums must stay in registers.
  const auto add = [&](const T* b, const auto& left) HWY_ATTR
      __attribute__((always_inline)) {
    V row[kVectors];
    HPCNN_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      row[v] = load(b, v);
      // In straight code GCC would load it anew for every row of A.
      if constexpr (kDepth != 0) KeepInRegister(row[v]);
    }
    HPCNN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, left(r));
      HPCNN_UNROLL
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = GemmMulAdd(d, factor, row[v], sum[r][v]);
      }
    }
  };
  if constexpr (kDepth != 0) {
#if !defined(__clang__)  // which would warn where it is too much to unroll
    HPCNN_UNROLL
#endif
    for (std::size_t k = 0; k < kDepth; ++k) {
      add(block.b + k * block.b_step,
          [&](std::size_t r) HWY_ATTR { return block.a(r, k); });
    }
  } else {
    GemmColumn<kRows, T> column(block.a);
    const T* HWY_RESTRICT b = block.b;
#if HWY_TARGET > HWY_AVX3
    // With less than 16 multiply-adds a step the loop itself takes time.
    HPCNN_UNROLL_BY_4
#endif
    for (std::size_t k = block.a.cols; k != 0; --k) {
      add(b, column);
      b += block.b_step;
      column.Next();
    }
  }
  HPCNN_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    HPCNN_UNROLL
    for (std::size_t v = 0; v < kVectors; ++v) {
      T* const to = block.c + r * block.c_step + v * lanes;
      if (kPartial && v + 1 == kVectors) {
        hn::StoreN(sum[r][v], d, to, block.last);
      } else {
        hn::StoreU(sum[r][v], d, to);
      }
    }
  }
}

// All rows of a panel, in the tallest tiles that there are. Few heights: every
// one takes time to compile.
template <std::size_t kVectors, bool kPartial, class T>
HWY_NOINLINE void GemmPanel(GemmBlock<T> block) {
  constexpr std::size_t kMost = kGemmRows<kVectors>;
  const auto tiles = [&]<std::size_t kRows>() HWY_ATTR {
    for (; block.a.rows >= kRows; block.a.rows -= kRows) {
      // The next tile's part of C: its rows are too short for the processor to
      // see them coming.
      if (block.a.rows > kRows && block.a.cols >= 64) {
        const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
        for (std::size_t r = kRows; r < 2 * kRows; ++r) {
          for (std::size_t v = 0; v < kVectors; ++v) {
            hwy::Prefetch(block.c + r * block.c_step + v * lanes);
          }
        }
      }
      GemmTile<kRows, kVectors, kPartial>(block);
      block.a.data += kRows * block.a.row_step;
      block.c += kRows * block.c_step;
    }
  };
  tiles.template operator()<kMost>();
  if constexpr (kMost > 8) tiles.template operator()<8>();
  if constexpr (kMost > 4) tiles.template operator()<4>();
  tiles.template operator()<2>();
  tiles.template operator()<1>();
}

// A panel of so many vectors.
template <class T>
void GemmPanel(const GemmBlock<T>& block, std::size_t vectors) {
  if (vectors == kGemmVectors &&
      block.last == hn::Lanes(hn::ScalableTag<T>())) {
    return GemmPanel<kGemmVectors, false>(block);
  }
  Unroll<kGemmVectors>([&](auto v) {
    if (vectors == v + 1) GemmPanel<v + 1, true>(block);
  });
}

// C = beta C.
template <class T>
void ScaleOld(MatrixView<T> c, T beta) {
  const hn::ScalableTag<T> d;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t r = 0; r < c.rows(); ++r) {
    T* const row = c.row(r);
    std::size_t n = 0;
    for (; n + lanes <= c.cols(); n += lanes) {
      hn::StoreU(hn::Mul(hn::Set(d, beta), hn::LoadU(d, row + n)), d, row + n);
    }
    for (; n < c.cols(); ++n) row[n] *= beta;
  }
}

// What every product does beside multiplying, for blocks(a, b, c, alpha,
// keep_old, done), which does that, done(cols) called when these columns of C
// are complete.
template <class T, class Update, class Epilogue, class Blocks>
void UpdateByBlocks(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                    const Update& update, const Epilogue& epilogue,
                    std::size_t row, std::size_t col, const Blocks& blocks) {
  T alpha{1};
  bool keep_old = false;
  if constexpr (std::is_same_v<Update, AlphaBeta<T>>) {
    alpha = update.alpha;
    keep_old = update.beta != T{0};
    if (keep_old) ScaleOld(c, update.beta);
  } else {
    keep_old = Update::kKeepsOld;
  }
  if (a.cols == 0) {
    for (std::size_t r = 0; r < c.rows() && !keep_old; ++r) {
      std::fill_n(c.row(r), c.cols(), T{0});
    }
    return epilogue.template Apply<Simd>(c, row, col);
  }
  blocks(a, b, c, alpha, keep_old, [&](IndexRange cols) {
    epilogue.template Apply<Simd>(
        MatrixView<T>(c.data() + cols.begin, c.rows(), cols.size(), c.stride()),
        row, col + cols.begin);
  });
}

template <>
struct GemmKernel<Simd> {
  template <class T, class Update, class Epilogue>
  static void Run(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                  const Update& update, const Epilogue& epilogue,
                  std::size_t row, std::size_t col) {
    UpdateByBlocks(a, b, c, update, epilogue, row, col,
                   [](const auto&... arguments) { Blocks(arguments...); });
  }

 private:
  template <class T, class Done>
  static void Blocks(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                     T alpha, bool keep_old, const Done& done) {
    const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
    // Few rows fit one tile, if it is narrower.
    constexpr std::size_t kNarrow = kGemmVectors - 1;
    const bool narrow =
        c.rows() > kGemmRows<kGemmVectors> && c.rows() <= kGemmRows<kNarrow>;
    const std::size_t panel = (narrow ? kNarrow : kGemmVectors) * lanes;
    const bool packs = b.col_step != 1 || alpha != T{1} || PaysToPack(a, b);
    HWY_ALIGN T packed[kGemmPanels][kGemmDepth * kGemmVectors *
                                    hn::MaxLanes(hn::ScalableTag<T>())];

    for (std::size_t k = 0; k < a.cols; k += kGemmDepth) {
      const IndexRange depth{k, std::min(k + kGemmDepth, a.cols)};
      for (std::size_t n = 0; n < c.cols(); n += kGemmPanels * panel) {
        const IndexRange cols{n, std::min(n + kGemmPanels * panel, c.cols())};
        // f(panel's number, its columns).
        const auto for_panels = [&](const auto& f) {
          for (std::size_t i = 0; cols.begin + i * panel < cols.end; ++i) {
            const std::size_t begin = cols.begin + i * panel;
            f(i, IndexRange{begin, std::min(begin + panel, cols.end)});
          }
        };
        if (packs) {
          for_panels([&](std::size_t i, IndexRange columns) {
            GemmPack({&b(k, columns.begin), depth.size(), columns.size(),
                      b.row_step, b.col_step},
                     alpha, panel, packed[i]);
          });
        }
        for (std::size_t m = 0; m < a.rows; m += kGemmBlockRows) {
          const IndexRange rows{m, m + std::min(kGemmBlockRows, a.rows - m)};
          for_panels([&](std::size_t i, IndexRange columns) {
            const std::size_t vectors = (columns.size() + lanes - 1) / lanes;
            GemmPanel(
                GemmBlock<T>{.a = a.Rows(rows).Cols(depth),
                             .b = packs ? packed[i] : &b(k, columns.begin),
                             .b_step = packs ? panel : b.row_step,
                             .last = columns.size() - (vectors - 1) * lanes,
                             .keep_old = keep_old || k > 0,
                             .c = c.row(m) + columns.begin,
                             .c_step = c.stride()},
                vectors);
          });
          // kGemmBlockRows may be the largest number there is.
          if (rows.end == a.rows) break;
        }
        if (depth.end == a.cols) done(cols);
      }
    }
  }

  // Rows that begin anywhere lie in two lines a vector, rows far apart on a
  // page each; one copy, and many rows of A gain by it.
  template <class T>
  static bool PaysToPack(const Operand<T>& a, const Operand<T>& b) {
    constexpr std::size_t kCacheLine = 64;
    const std::size_t step = b.row_step * sizeof(T);
    return a.rows >= 64 && b.cols * sizeof(T) > kCacheLine &&
           (step > 2048 || step % kCacheLine != 0 ||
            reinterpret_cast<std::uintptr_t>(b.data) % kCacheLine != 0);
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#include "hpcnn/ops/gemm_amx_simd-inl.h"
#include "hpcnn/ops/gemm_bytes_simd-inl.h"
#include "hpcnn/ops/gemm_sizes_simd-inl.h"

#endif  // HPCNN_OPS_GEMM_SIMD_INL_H_
