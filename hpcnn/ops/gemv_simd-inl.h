// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemv<Simd>: Gemm of one row where A's columns are contiguous for a sum, inner
// products of several rows at once where its rows are.

#ifndef HPCNN_OPS_GEMV_SIMD_INL_H_
#define HPCNN_OPS_GEMV_SIMD_INL_H_

#include <cstddef>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemv.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <>
struct GemvKernel<Simd> {
  template <class T>
  static void Run(const Operand<T>& a, const T* x, T* y) {
    if (a.col_step != 1) {
      // y as a row: [1, N] x [N, M].
      return GemmKernel<Simd>::Run(
          Operand<T>{x, 1, a.cols, a.cols, 1},
          Operand<T>{a.data, a.cols, a.rows, a.col_step, a.row_step},
          MatrixView<T>(y, 1, a.rows), Overwrite{}, KeepSums{}, 0, 0);
    }
    constexpr std::size_t kRows = 8;  // sums, for two ports of four cycles
    std::size_t m = 0;
    for (; m + kRows <= a.rows; m += kRows) {
      Dots<kRows>(a.data + m * a.row_step, a.row_step, x, a.cols, y + m);
    }
    for (; m < a.rows; ++m) {
      Dots<1>(a.data + m * a.row_step, a.row_step, x, a.cols, y + m);
    }
  }

 private:
  template <std::size_t kRows, class T>
  static void Dots(const T* a, std::size_t step, const T* x, std::size_t n,
                   T* y) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    hn::Vec<decltype(d)> sums[kRows];
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      sums[r] = hn::Zero(d);
    });
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
        sums[r] = hn::MulAdd(hn::LoadU(d, a + r * step + i), v, sums[r]);
      });
    }
    if (i < n) {
      const auto v = hn::LoadN(d, x + i, n - i);
      Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
        sums[r] = hn::MulAdd(hn::LoadN(d, a + r * step + i, n - i), v, sums[r]);
      });
    }
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      y[r] = hn::ReduceSum(d, sums[r]);
    });
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GEMV_SIMD_INL_H_
