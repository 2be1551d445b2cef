// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm on Highway. A tile of C stays in registers while k runs; A is broadcast
// element by element, so it may be stored either way round; B is read by rows,
// so a transposed B is first packed, a block at a time, on the stack.

#ifndef HPCNN_OPS_GEMM_SIMD_INL_H_
#define HPCNN_OPS_GEMM_SIMD_INL_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/ops/gemm.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

// Two FMA ports with a latency of four cycles want at least eight independent
// accumulators; every further one saves loads. With 32 registers: 24
// accumulators + 4 of B + 1 broadcast. With 16: 12 + 2 + 1.
inline constexpr std::size_t kGemmVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;
inline constexpr std::size_t kGemmAccumulators =
    HWY_TARGET <= HWY_AVX3 ? 24 : 12;
// A block of B of kGemmDepth rows by kGemmVectors vectors (AVX-512: 128 x 256 B
// = 32 KiB) stays in the L1 cache while all rows of A pass by.
inline constexpr std::size_t kGemmDepth = 128;

// C [kRows, up to kVectors vectors] (+)= A [kRows, depth] * B [depth, ...].
// `cols` counts the columns of the last vector; full tiles ignore it.
template <std::size_t kRows, std::size_t kVectors, bool kPartial, class T>
HWY_INLINE void GemmTile(const Operand<T>& a, const T* HWY_RESTRICT b,
                         std::size_t b_step, std::size_t cols, bool keep_old,
                         T* HWY_RESTRICT c, std::size_t c_step) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  const auto load = [&](const T* p, std::size_t v) HWY_ATTR {
    if constexpr (kPartial) {
      if (v + 1 == kVectors) return hn::LoadN(d, p + v * lanes, cols);
    }
    return hn::LoadU(d, p + v * lanes);
  };

  V sum[kRows][kVectors];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      sum[r][v] = keep_old ? load(c + r * c_step, v) : hn::Zero(d);
    }
  }
  for (std::size_t k = 0; k < a.cols; ++k) {
    V row[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) row[v] = load(b + k * b_step, v);
    for (std::size_t r = 0; r < kRows; ++r) {
      const V left = hn::Set(d, a(r, k));
      for (std::size_t v = 0; v < kVectors; ++v) {
        sum[r][v] = hn::MulAdd(left, row[v], sum[r][v]);
      }
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      T* const to = c + r * c_step + v * lanes;
      if (kPartial && v + 1 == kVectors) {
        hn::StoreN(sum[r][v], d, to, cols);
      } else {
        hn::StoreU(sum[r][v], d, to);
      }
    }
  }
}

// All rows of one panel of columns, in the tallest tiles that fit the
// registers.
template <std::size_t kVectors, bool kPartial, class T>
void GemmPanel(Operand<T> a, const T* b, std::size_t b_step, std::size_t cols,
               bool keep_old, T* c, std::size_t c_step) {
  constexpr std::size_t kRows = kGemmAccumulators / kVectors;
  const auto tiles = [&]<std::size_t kTileRows>() HWY_ATTR {
    for (; a.rows >= kTileRows; a.rows -= kTileRows) {
      GemmTile<kTileRows, kVectors, kPartial>(a, b, b_step, cols, keep_old, c,
                                              c_step);
      a.data += kTileRows * a.row_step;
      c += kTileRows * c_step;
    }
  };
  tiles.template operator()<kRows>();
  if constexpr (kRows > 4) tiles.template operator()<4>();
  tiles.template operator()<2>();
  tiles.template operator()<1>();
}

// Copies B [depth, cols], of which element (k, n) is b.data[k * row_step + n *
// col_step], to rows of `step` elements.
template <class T>
const T* GemmPack(const Operand<T>& b, std::size_t k0, std::size_t n0,
                  std::size_t depth, std::size_t cols, std::size_t step,
                  T* packed) {
  for (std::size_t n = 0; n < cols; ++n) {
    for (std::size_t k = 0; k < depth; ++k) {
      packed[k * step + n] = b(k0 + k, n0 + n);
    }
  }
  return packed;
}

template <>
struct GemmKernel<Simd> {
  template <class Update, class T>
  static void Run(Operand<T> a, Operand<T> b, MatrixView<T> c) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const std::size_t panel = kGemmVectors * lanes;
    const bool packs = b.col_step != 1;
    // 32 KiB: what stays in L1 anyway.
    alignas(64) T packed[kGemmDepth * kGemmVectors * HWY_MAX_BYTES / sizeof(T)];

    if (a.cols == 0 && !Update::kKeepsOld) {
      for (std::size_t r = 0; r < c.rows(); ++r) {
        std::fill_n(c.row(r), c.cols(), T{0});
      }
    }
    for (std::size_t k = 0; k < a.cols; k += kGemmDepth) {
      const std::size_t depth = std::min(kGemmDepth, a.cols - k);
      const bool keep_old = Update::kKeepsOld || k > 0;
      const Operand<T> left{a.data + k * a.col_step, a.rows, depth, a.row_step,
                            a.col_step};
      for (std::size_t n = 0; n < c.cols(); n += panel) {
        const std::size_t cols = std::min(panel, c.cols() - n);
        const T* right = b.data + k * b.row_step + n;
        std::size_t step = b.row_step;
        if (packs) {
          right = GemmPack(b, k, n, depth, cols, panel, packed);
          step = panel;
        }
        Panel(left, right, step, cols, keep_old, c.data() + n, c.stride());
      }
    }
  }

 private:
  template <class T>
  static void Panel(const Operand<T>& a, const T* b, std::size_t b_step,
                    std::size_t cols, bool keep_old, T* c, std::size_t c_step) {
    const std::size_t lanes = hn::Lanes(hn::ScalableTag<T>());
    if (cols == kGemmVectors * lanes) {
      GemmPanel<kGemmVectors, false>(a, b, b_step, lanes, keep_old, c, c_step);
      return;
    }
    const std::size_t vectors = (cols + lanes - 1) / lanes;
    const std::size_t last = cols - (vectors - 1) * lanes;
    const auto partial = [&]<std::size_t kVectors>() HWY_ATTR {
      GemmPanel<kVectors, true>(a, b, b_step, last, keep_old, c, c_step);
    };
    if (vectors == 1) return partial.template operator()<1>();
    if (vectors == 2) return partial.template operator()<2>();
    if constexpr (kGemmVectors > 2) {
      if (vectors == 3) return partial.template operator()<3>();
      return partial.template operator()<4>();
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GEMM_SIMD_INL_H_
