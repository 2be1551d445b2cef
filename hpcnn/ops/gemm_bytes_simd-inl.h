// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Simd> of bytes: the tiles of floats, with four steps of k, a quad, in
// each element. Processors multiply unsigned bytes by signed ones. With 128
// added to signed bytes of A, and taken from unsigned ones of B,
//   a b = (a + s) (b - t) - s b + t (a + s),   s and t 0 or 128,
// and the last two terms are sums of B's columns and A's rows.

#ifndef HPCNN_OPS_GEMM_BYTES_SIMD_INL_H_
#define HPCNN_OPS_GEMM_BYTES_SIMD_INL_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_simd-inl.h"
#include "hwy/highway.h"

// Without vectors there are no quads: the loops of Scalar serve.
#if HWY_TARGET == HWY_SCALAR

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class Sizes>
struct GemmKernelFor<Simd, std::int32_t, Sizes> : GemmKernel<Scalar> {
  static constexpr GemmShares kShares = GemmShares::kLongerSide;
};

}  // namespace internal
HPCNN_NAMESPACE_END

#else

HPCNN_NAMESPACE_BEGIN
namespace internal {

static_assert(std::endian::native == std::endian::little);

// Rows of A and steps of k that are packed at a time: 48 KiB of A, and with 4
// vectors of AVX-512 32 KiB of B.
inline constexpr std::size_t kByteRows = 96;
inline constexpr std::size_t kByteDepth = 512;

// packed[r * row_step + q * quad_step] = the bytes 4 q to 4 q + 3 of row r,
// with 128 added to or taken from each if `flip`, and then zeros.
template <class Byte>
void PackQuads(const Operand<Byte>& x, bool flip, std::size_t row_step,
               std::size_t quad_step, std::int32_t* packed) {
  const std::uint32_t mask = flip ? 0x80808080u : 0;
  const std::size_t whole = x.cols / 4;
  const std::size_t rest = x.cols % 4;
  if (x.col_step == 1) {
    for (std::size_t r = 0; r < x.rows; ++r) {
      const Byte* const row = &x(r, 0);
      std::int32_t* const to = packed + r * row_step;
      const auto quad = [&](std::size_t q, std::size_t count) {
        std::uint32_t bytes = 0;
        std::uint32_t flips = 0;
        std::memcpy(&bytes, row + 4 * q, count);
        std::memcpy(&flips, &mask, count);
        to[q * quad_step] = static_cast<std::int32_t>(bytes ^ flips);
      };
      for (std::size_t q = 0; q < whole; ++q) quad(q, 4);
      if (rest > 0) quad(whole, rest);
    }
    return;
  }
  const auto quads = [&](std::size_t q, auto count) {
    std::int32_t* const to = packed + q * quad_step;
    const Byte* const from = &x(0, 4 * q);
    for (std::size_t r = 0; r < x.rows; ++r) {
      std::uint32_t bytes = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const auto byte = static_cast<std::uint8_t>(
            from[r * x.row_step + i * x.col_step] ^ static_cast<Byte>(mask));
        bytes |= std::uint32_t{byte} << (8 * i);
      }
      to[r * row_step] = static_cast<std::int32_t>(bytes);
    }
  };
  for (std::size_t q = 0; q < whole; ++q) {
    quads(q, std::integral_constant<std::size_t, 4>());
  }
  if (rest > 0) quads(whole, rest);
}

// sums[r] = the sum of row r.
template <class Byte>
void SumRows(const Operand<Byte>& x, std::int32_t* sums) {
  std::fill_n(sums, x.rows, 0);
  if (x.col_step == 1) {
    for (std::size_t r = 0; r < x.rows; ++r) {
      for (std::size_t k = 0; k < x.cols; ++k) sums[r] += x(r, k);
    }
  } else {
    for (std::size_t k = 0; k < x.cols; ++k) {
      for (std::size_t r = 0; r < x.rows; ++r) sums[r] += x(r, k);
    }
  }
}

template <class Sizes>
struct GemmKernelFor<Simd, std::int32_t, Sizes> {
  static constexpr GemmShares kShares = GemmShares::kLongerSide;

  template <class A, class B, class Update, class Epilogue>
  static void Run(const Operand<A>& a, const Operand<B>& b,
                  MatrixView<std::int32_t> c, const Update&,
                  const Epilogue& epilogue, std::size_t row, std::size_t col) {
    constexpr std::size_t kLanes =
        hn::MaxLanes(hn::ScalableTag<std::int32_t>());
    constexpr std::size_t kPanel = kGemmVectors * kLanes;
    for (std::size_t n = 0; n < c.cols(); n += kPanel) {
      const IndexRange cols{n, std::min(n + kPanel, c.cols())};
      const MatrixView<std::int32_t> out =
          c.Region(0, n, c.rows(), cols.size());
      if (a.cols == 0 && !Update::kKeepsOld) {
        for (std::size_t m = 0; m < c.rows(); ++m) {
          std::fill_n(out.row(m), out.cols(), 0);
        }
      }
      for (std::size_t k = 0; k < a.cols; k += kByteDepth) {
        const IndexRange depth{k, std::min(k + kByteDepth, a.cols)};
        Panel(a.Cols(depth), b.Cols(cols).Rows(depth), out,
              Update::kKeepsOld || k > 0);
      }
      epilogue.template Apply<Simd>(out, row, col + n);
    }
  }

 private:
  // A panel's share of the sums over k.
  template <class A, class B>
  static void Panel(const Operand<A>& a, const Operand<B>& b,
                    MatrixView<std::int32_t> c, bool keep_old) {
    constexpr std::int32_t kAdded = std::is_signed_v<A> ? 128 : 0;
    constexpr std::int32_t kTaken = std::is_signed_v<B> ? 0 : 128;
    constexpr std::size_t kLanes =
        hn::MaxLanes(hn::ScalableTag<std::int32_t>());
    constexpr std::size_t kPanel = kGemmVectors * kLanes;
    constexpr std::size_t kQuads = kByteDepth / 4;
    HWY_ALIGN std::int32_t right[kQuads * kPanel];
    HWY_ALIGN std::int32_t left[kByteRows * kQuads];
    std::int32_t col_sums[kPanel];
    std::int32_t row_sums[kByteRows];

    // B's columns are the rows of its transpose.
    const Operand<B> b_t{b.data, b.cols, b.rows, b.col_step, b.row_step};
    PackQuads(b_t, kTaken != 0, 1, kPanel, right);
    if constexpr (kAdded != 0) SumRows(b_t, col_sums);
    const std::size_t quads = (a.cols + 3) / 4;
    const std::size_t vectors = (c.cols() + kLanes - 1) / kLanes;

    for (std::size_t m = 0; m < c.rows(); m += kByteRows) {
      const IndexRange rows{m, std::min(m + kByteRows, c.rows())};
      const Operand<A> some = a.Rows(rows);
      PackQuads(some, kAdded != 0, kQuads, 1, left);
      if constexpr (kTaken != 0) SumRows(some, row_sums);
      if constexpr (kAdded + kTaken != 0) {
        const auto all = kAdded * static_cast<std::int32_t>(a.cols);
        for (std::size_t r = 0; r < rows.size(); ++r) {
          std::int32_t* const out = c.row(m + r);
          std::int32_t of_row = 0;
          if constexpr (kTaken != 0) of_row = kTaken * (row_sums[r] + all);
          for (std::size_t n = 0; n < c.cols(); ++n) {
            std::int32_t term = of_row;
            if constexpr (kAdded != 0) term -= kAdded * col_sums[n];
            out[n] = AddProduct(keep_old ? out[n] : 0, term, 1);
          }
        }
      }
      GemmPanel(
          GemmBlock<std::int32_t>{.a = {left, rows.size(), quads, kQuads, 1},
                                  .b = right,
                                  .b_step = kPanel,
                                  .last = c.cols() - (vectors - 1) * kLanes,
                                  .keep_old = keep_old || kAdded + kTaken != 0,
                                  .c = c.row(m),
                                  .c_step = c.stride()},
          vectors);
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HWY_TARGET == HWY_SCALAR

#endif  // HPCNN_OPS_GEMM_BYTES_SIMD_INL_H_
