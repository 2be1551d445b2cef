// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm<Simd>'s copy of a block of B, by rows of whole vectors.

#ifndef HPCNN_OPS_GEMM_PACK_SIMD_INL_H_
#define HPCNN_OPS_GEMM_PACK_SIMD_INL_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/gemm.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
// Turns a square of vectors over. Each round interleaves the first half of the
// vectors with the second one: after log2(lanes) rounds row and column have
// changed places.
template <std::size_t kLanes, class D, class V>
HWY_INLINE void TransposeSquare(D d, V* rows) {
  HPCNN_UNROLL
  for (std::size_t round = 1; round < kLanes; round *= 2) {
    V next[kLanes];
    HPCNN_UNROLL
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      const V other = rows[i + kLanes / 2];
      next[2 * i] = hn::InterleaveWholeLower(d, rows[i], other);
      next[2 * i + 1] = hn::InterleaveWholeUpper(d, rows[i], other);
    }
    HPCNN_UNROLL
    for (std::size_t i = 0; i < kLanes; ++i) rows[i] = next[i];
  }
}
#endif

// Copies alpha B [depth, cols] to rows of `step` elements, whole vectors.
template <class T>
HWY_NOINLINE void GemmPack(const Operand<T>& b, T alpha, std::size_t step,
                           T* packed) {
  if (b.col_step == 1) {
    for (std::size_t k = 0; k < b.rows; ++k) {
      const T* const row = b.data + k * b.row_step;
      for (std::size_t n = 0; n < b.cols; ++n) {
        packed[k * step + n] = alpha * row[n];
      }
    }
    return;
  }
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
  for (std::size_t n = 0; n < b.cols; ++n) {
    for (std::size_t k = 0; k < b.rows; ++k) {
      packed[k * step + n] = alpha * b(k, n);
    }
  }
#else
  const hn::ScalableTag<T> d;
  constexpr std::size_t kLanes = hn::MaxLanes(d);
  const auto factor = hn::Set(d, alpha);
  for (std::size_t n = 0; n < b.cols; n += kLanes) {
    for (std::size_t k = 0; k < b.rows; k += kLanes) {
      const std::size_t rows = std::min(kLanes, b.rows - k);
      hn::Vec<decltype(d)> square[kLanes];
      HPCNN_UNROLL
      for (std::size_t i = 0; i < kLanes; ++i) {
        square[i] =
            n + i < b.cols ? hn::LoadN(d, &b(k, n + i), rows) : hn::Zero(d);
      }
      TransposeSquare<kLanes>(d, square);
      HPCNN_UNROLL
      for (std::size_t i = 0; i < kLanes; ++i) {
        if (i < rows) {
          hn::Store(hn::Mul(factor, square[i]), d, packed + (k + i) * step + n);
        }
      }
    }
  }
#endif
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GEMM_PACK_SIMD_INL_H_
