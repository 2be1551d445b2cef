// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Simd, Bf16> and Gemm<Simd, Bf16x3> on processors with AMX: eight
// registers, each a tile of 16 rows of 64 bytes, and one instruction that adds
// the products of two tiles of bfloat16, [16, 32] x [32, 16], to one of float.
// Elsewhere, and for what bfloat16 cannot hold, Strict does it.
//
// A float is hi + lo + at most 2^-17 of itself, hi and lo its two nearest
// bfloat16; Bf16x3 adds hi hi + hi lo + lo hi.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume
// 1, chapter 18; tiles of 32 x 32 of C as in Intel's optimization manual.

#ifndef HPCNN_OPS_GEMM_AMX_SIMD_INL_H_
#define HPCNN_OPS_GEMM_AMX_SIMD_INL_H_

#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_simd-inl.h"
#include "hwy/highway.h"

// Where there are tiles, there are vectors as long as their rows.
#if HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3 && defined(__linux__)

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "hpcnn/base/unroll.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Has the processor tiles of bfloat16, and does the kernel let this process use
// them? Asks for that, once, for all threads and for good: from then on a signal
// stack must be large enough for the tiles.
inline bool HasAmxBf16() {
  static const bool has = [] {
    unsigned a, b, c, d;
    constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kBf16) == 0 ||
        (d & kTiles) == 0) {
      return false;
    }
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    const int error = errno;
    const bool may =
        syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
    errno = error;
    return may;
  }();
  return has;
}

// All eight tiles at their largest, until the end of the scope.
class AmxTiles {
 public:
  AmxTiles() {
    struct {
      std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
      std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } config;
    static_assert(sizeof(config) == 64);
    asm volatile("ldtilecfg %0" : : "m"(config));
  }
  ~AmxTiles() { asm volatile("tilerelease"); }
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;

  // Rows of 64 bytes, `step` bytes apart. The compilers' own functions do not
  // say that they read and write memory.
  template <int kTile>
  static HWY_INLINE void Load(const void* from, std::size_t step) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2"
                 :
                 : "r"(from), "r"(step), "i"(kTile)
                 : "memory");
  }
  template <int kTile>
  static HWY_INLINE void Store(void* to, std::size_t step) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)"
                 :
                 : "r"(to), "r"(step), "i"(kTile)
                 : "memory");
  }
  template <int kTile>
  static HWY_INLINE void Zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // kSum [16, 16] += kA [16, 32] kB [32, 16], B with its rows in pairs.
  template <int kSum, int kA, int kB>
  static HWY_INLINE void MultiplyAdd() {
    static_assert(kSum != kA && kSum != kB && kA != kB);
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0"
                 :
                 : "i"(kSum), "i"(kA), "i"(kB));
  }
};

// Pairs of bfloat16, those of two steps of k, in the tiles' shape.
inline constexpr std::size_t kTileRows = 16;
inline constexpr std::size_t kTileDepth = 32;
using PairTile = std::uint32_t[kTileRows][kTileDepth / 2];

// What is packed at a time: A [32, 256], B [256, 256]. Wider blocks would pack A
// less often, and need more than 288 KiB of stack.
inline constexpr std::size_t kAmxSteps = 8;
inline constexpr std::size_t kAmxDepth = kAmxSteps * kTileDepth;
inline constexpr std::size_t kAmxColTiles = 16;
inline constexpr std::size_t kAmxCols = kAmxColTiles * kTileRows;

// The upper half of the result is x, or what is left of it when the nearest
// bfloat16 has been taken away, as the nearest bfloat16, ties to even.
template <std::size_t kPart, class V>
HWY_INLINE auto NearestBf16(V x) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<decltype(d)> d_bits;
  const auto round = [&](V v) HWY_ATTR {
    const auto bits = hn::BitCast(d_bits, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d_bits, 1u));
    return hn::Add(bits, hn::Add(odd, hn::Set(d_bits, 0x7FFFu)));
  };
  const auto high = round(x);
  if constexpr (kPart == 0) return high;
  return round(
      hn::Sub(x, hn::BitCast(d, hn::And(high, hn::Set(d_bits, 0xFFFF0000u)))));
}

// Rows [i, i + 16) by columns [k, k + 32) of x times alpha, zeros beyond it, in
// kParts tiles `part_step` tiles apart. kTransposed: rows of a tile are pairs of
// k, as B has them; else they are rows of x.
template <std::size_t kParts, bool kTransposed>
HWY_INLINE void PackPairs(const Operand<float>& x, std::size_t i, std::size_t k,
                          float alpha, std::size_t part_step, PairTile* tile) {
  const hn::FixedTag<float, kTileRows> d;
  const hn::RebindToUnsigned<decltype(d)> d_pairs;
  const hn::Repartition<std::uint16_t, decltype(d)> d_halves;
  using Pairs = hn::Vec<decltype(d_pairs)>;
  const std::size_t rows = std::min(kTileRows, x.rows - i);
  const std::size_t cols = std::min(kTileDepth, x.cols - k);
  const auto factor = hn::Set(d, alpha);
  const auto load = [&](std::size_t r, std::size_t c,
                        std::size_t count) HWY_ATTR {
    return count == 0 ? hn::Zero(d)
                      : hn::Mul(factor, hn::LoadN(d, &x(i + r, k + c), count));
  };
  const bool along_k = x.col_step == 1;
  Pairs pairs[kParts][kTileRows];
  for (std::size_t j = 0; j < kTileRows; ++j) {
    if (along_k) {
      constexpr std::size_t kHalf = kTileDepth / 2;
      const bool inside = j < rows;
      const auto first = load(j, 0, inside ? std::min(cols, kHalf) : 0);
      const auto second =
          load(j, kHalf, inside && cols > kHalf ? cols - kHalf : 0);
      Unroll<kParts>([&](auto part) HWY_ATTR {
        pairs[part][j] = hn::BitCast(
            d_pairs, hn::OrderedTruncate2To(
                         d_halves, hn::ShiftRight<16>(NearestBf16<part>(first)),
                         hn::ShiftRight<16>(NearestBf16<part>(second))));
      });
    } else {
      const auto even = load(0, 2 * j, 2 * j < cols ? rows : 0);
      const auto odd = load(0, 2 * j + 1, 2 * j + 1 < cols ? rows : 0);
      Unroll<kParts>([&](auto part) HWY_ATTR {
        pairs[part][j] = hn::Or(
            hn::ShiftRight<16>(NearestBf16<part>(even)),
            hn::And(NearestBf16<part>(odd), hn::Set(d_pairs, 0xFFFF0000u)));
      });
    }
  }
  for (std::size_t part = 0; part < kParts; ++part) {
    if (along_k == kTransposed)
      TransposeSquare<kTileRows>(d_pairs, pairs[part]);
    for (std::size_t j = 0; j < kTileRows; ++j) {
      hn::Store(pairs[part][j], d_pairs, tile[part * part_step][j]);
    }
  }
}

// A and B as packed; parts, then steps of k, then, of A, two tiles of rows.
template <std::size_t kParts>
struct AmxOperands {
  alignas(64) PairTile a[kParts][kAmxSteps][2];
  alignas(64) PairTile b[kParts][kAmxColTiles][kAmxSteps];
};

// C [32, 32] (+)= A [32, steps] B [steps, columns of tiles j and j + 1].
template <std::size_t kParts>
HWY_NOINLINE void AmxBlock(const AmxOperands<kParts>& from, std::size_t j,
                           std::size_t steps, bool keep_old, float* c,
                           std::size_t c_step) {
  constexpr std::size_t kRowBytes = sizeof(PairTile) / kTileRows;
  const std::size_t step = c_step * sizeof(float);
  float* const lower = c + kTileRows * c_step;
  if (keep_old) {
    AmxTiles::Load<0>(c, step);
    AmxTiles::Load<1>(c + kTileRows, step);
    AmxTiles::Load<2>(lower, step);
    AmxTiles::Load<3>(lower + kTileRows, step);
  } else {
    AmxTiles::Zero<0>();
    AmxTiles::Zero<1>();
    AmxTiles::Zero<2>();
    AmxTiles::Zero<3>();
  }
  const auto load_a = [&](std::size_t part, std::size_t s) {
    AmxTiles::Load<4>(from.a[part][s][0], kRowBytes);
    AmxTiles::Load<5>(from.a[part][s][1], kRowBytes);
  };
  const auto load_b = [&](std::size_t part, std::size_t s) {
    AmxTiles::Load<6>(from.b[part][j][s], kRowBytes);
    AmxTiles::Load<7>(from.b[part][j + 1][s], kRowBytes);
  };
  const auto add_products = [] {
    AmxTiles::MultiplyAdd<0, 4, 6>();
    AmxTiles::MultiplyAdd<1, 4, 7>();
    AmxTiles::MultiplyAdd<2, 5, 6>();
    AmxTiles::MultiplyAdd<3, 5, 7>();
  };
  for (std::size_t s = 0; s < steps; ++s) {
    load_a(0, s);
    if constexpr (kParts == 2) {
      load_b(1, s);
      add_products();  // hi lo
    }
    load_b(0, s);
    add_products();  // hi hi
    if constexpr (kParts == 2) {
      load_a(1, s);
      add_products();  // lo hi
    }
  }
  AmxTiles::Store<0>(c, step);
  AmxTiles::Store<1>(c + kTileRows, step);
  AmxTiles::Store<2>(lower, step);
  AmxTiles::Store<3>(lower + kTileRows, step);
}

// C (+)= alpha A B. done(cols): these columns of C are complete.
template <std::size_t kParts, class Done>
HWY_NOINLINE void AmxGemm(const Operand<float>& a, const Operand<float>& b,
                          MatrixView<float> c, float alpha, bool keep_old,
                          const Done& done) {
  constexpr std::size_t kSide = 2 * kTileRows;
  // B as rows of the columns that a tile takes.
  const Operand<float> b_cols{b.data, b.cols, b.rows, b.col_step, b.row_step};
  AmxOperands<kParts> packed;
  for (std::size_t n = 0; n < c.cols(); n += kAmxCols) {
    const IndexRange cols{n, std::min(n + kAmxCols, c.cols())};
    // Not while `done` runs, which may have use for tiles of its own.
    std::optional<AmxTiles> tiles(std::in_place);
    for (std::size_t k = 0; k < a.cols; k += kAmxDepth) {
      const std::size_t depth = std::min(kAmxDepth, a.cols - k);
      const std::size_t steps = (depth + kTileDepth - 1) / kTileDepth;
      for (std::size_t j = 0; j * kTileRows < cols.size(); ++j) {
        for (std::size_t s = 0; s < steps; ++s) {
          PackPairs<kParts, true>(b_cols, n + j * kTileRows, k + s * kTileDepth,
                                  alpha, kAmxColTiles * kAmxSteps,
                                  &packed.b[0][j][s]);
        }
      }
      for (std::size_t m = 0; m < c.rows(); m += kSide) {
        const std::size_t rows = std::min(kSide, c.rows() - m);
        for (std::size_t s = 0; s < steps; ++s) {
          for (std::size_t half = 0; half * kTileRows < rows; ++half) {
            PackPairs<kParts, false>(a, m + half * kTileRows,
                                     k + s * kTileDepth, 1, 2 * kAmxSteps,
                                     &packed.a[0][s][half]);
          }
        }
        for (std::size_t j = 0; j * kTileRows < cols.size(); j += 2) {
          const std::size_t x = n + j * kTileRows;
          const std::size_t width = std::min(kSide, c.cols() - x);
          const bool keep = keep_old || k > 0;
          float* const to = c.row(m) + x;
          if (rows == kSide && width == kSide) {
            AmxBlock(packed, j, steps, keep, to, c.stride());
            continue;
          }
          // Tiles whose other rows and columns are of an earlier block, or
          // nothing: what becomes of them stays here.
          float whole[kSide][kSide];
          for (std::size_t r = 0; keep && r < rows; ++r) {
            std::copy_n(to + r * c.stride(), width, whole[r]);
          }
          AmxBlock(packed, j, steps, keep, &whole[0][0], kSide);
          for (std::size_t r = 0; r < rows; ++r) {
            std::copy_n(whole[r], width, to + r * c.stride());
          }
        }
      }
    }
    tiles.reset();
    done(cols);
  }
}

// Has each element times alpha a nearest bfloat16? Not NaN, infinity, and what
// would be rounded to it.
inline bool AllHaveBf16(const Operand<float>& x, float alpha) {
  const hn::ScalableTag<float> d;
  const bool along_rows = x.col_step == 1;
  const std::size_t lines = along_rows ? x.rows : x.cols;
  const std::size_t length = along_rows ? x.cols : x.rows;
  const std::size_t step = along_rows ? x.row_step : x.col_step;
  const auto largest = hn::Set(d, 3.38953139e38f);
  const auto factor = hn::Set(d, alpha);
  for (std::size_t l = 0; l < lines; ++l) {
    const float* const line = x.data + l * step;
    auto all = hn::Eq(hn::Zero(d), hn::Zero(d));
    for (std::size_t i = 0; i < length; i += hn::Lanes(d)) {
      const auto v = hn::LoadN(d, line + i, length - i);
      all = hn::And(all, hn::Le(hn::Abs(hn::Mul(factor, v)), largest));
    }
    if (!hn::AllTrue(d, all)) return false;
  }
  return true;
}

template <std::size_t kParts>
struct AmxKernel {
  static constexpr GemmShares kShares = GemmShares::kLongerSide;

  // Asked of whole matrices: threads must not choose differently. Less than a
  // block is not worth its packing.
  template <class Update>
  static bool CanRun(const Operand<float>& a, const Operand<float>& b,
                     const Update& update) {
    float alpha = 1;
    if constexpr (std::is_same_v<Update, AlphaBeta<float>>) {
      alpha = update.alpha;
    }
    return a.rows >= 2 * kTileRows && b.cols >= 2 * kTileRows &&
           a.cols >= 2 * kTileDepth && HasAmxBf16() && AllHaveBf16(a, 1) &&
           AllHaveBf16(b, alpha);
  }

  template <class Update, class Epilogue>
  static void Run(const Operand<float>& a, const Operand<float>& b,
                  MatrixView<float> c, const Update& update,
                  const Epilogue& epilogue, std::size_t row, std::size_t col) {
    UpdateByBlocks(
        a, b, c, update, epilogue, row, col,
        [](const auto&... arguments) { AmxGemm<kParts>(arguments...); });
  }
};

template <class Sizes>
struct GemmKernelOf<Simd, Bf16, float, Sizes> : AmxKernel<1> {};
template <class Sizes>
struct GemmKernelOf<Simd, Bf16x3, float, Sizes> : AmxKernel<2> {};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HWY_ARCH_X86_64 && HWY_TARGET <= HWY_AVX3 && defined(__linux__)

#endif  // HPCNN_OPS_GEMM_AMX_SIMD_INL_H_
