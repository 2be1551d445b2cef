// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gram<Simd>: below the diagonal panels of Gemm<Simd>, above it their mirror
// image, made while they are in a cache.

#ifndef HPCNN_OPS_GRAM_SIMD_INL_H_
#define HPCNN_OPS_GRAM_SIMD_INL_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gram.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <>
struct GramKernel<Simd> {
  template <class T>
  static void Run(MatrixView<const T> x, MatrixView<T> c, Threads threads) {
    const std::size_t panel = kGemmVectors * hn::Lanes(hn::ScalableTag<T>());
    const std::size_t panels = (x.rows() + panel - 1) / panel;
    threads.ForShares(panels, [&](IndexRange share) {
      for (std::size_t i = share.begin; i < share.end; ++i) {
        // A long panel, a short one, ...: shares of equal work.
        const std::size_t n = panel * (i % 2 == 0 ? i / 2 : panels - 1 - i / 2);
        Panel(x, c, {n, std::min(n + panel, x.rows())});
      }
    });
  }

 private:
  // C(m, n) for all n in `cols` and m >= cols.begin, and C(n, m).
  template <class T>
  static void Panel(MatrixView<const T> x, MatrixView<T> c, IndexRange cols) {
    const std::size_t rows = x.rows() - cols.begin;
    const MatrixView<T> below(c.row(cols.begin) + cols.begin, rows, cols.size(),
                              c.stride());
    GemmKernel<Simd>::Run(AsOperand(x.Rows(cols.begin, rows)),
                          AsOperand(Transpose(x.Rows(cols.begin, cols.size()))),
                          below, Overwrite{}, KeepSums{}, 0, 0);
    Mirror(below);
  }

  // block(m, n) to its transpose's place, of those beside the diagonal block.
  template <class T>
  static void Mirror(MatrixView<T> block) {
    std::size_t m = block.cols();
#if HWY_TARGET != HWY_SCALAR && !HWY_HAVE_SCALABLE
    const hn::ScalableTag<T> d;
    constexpr std::size_t kLanes = hn::MaxLanes(d);
    // Only the last panel is not of whole vectors, and nothing is beside it.
    for (; m + kLanes <= block.rows(); m += kLanes) {
      for (std::size_t n = 0; n < block.cols(); n += kLanes) {
        hn::Vec<decltype(d)> square[kLanes];
        HPCNN_UNROLL
        for (std::size_t i = 0; i < kLanes; ++i) {
          square[i] = hn::LoadU(d, block.row(m + i) + n);
        }
        TransposeSquare<kLanes>(d, square);
        HPCNN_UNROLL
        for (std::size_t i = 0; i < kLanes; ++i) {
          hn::StoreU(square[i], d, block.row(n + i) + m);
        }
      }
    }
#endif
    for (; m < block.rows(); ++m) {
      for (std::size_t n = 0; n < block.cols(); ++n) {
        block.row(n)[m] = block(m, n);
      }
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GRAM_SIMD_INL_H_
