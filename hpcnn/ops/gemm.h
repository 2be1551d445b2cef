// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// General matrix multiply.
//
//   Gemm<Simd>(a, b, c)                        // C = A B
//   Gemm<Simd>(Transpose(a), b, c)             // a is stored [K, M]
//   Gemm<Simd>(a, Transpose(b), c, Accumulate{})     // C += A B; b is [N, K]
//   Gemm<Simd>(a, b, c, AlphaBeta<float>{0.5f, 2})          // C = 0.5 A B + 2 C
//   Gemm<Simd>(a, b, c, Overwrite{}, AddBias<float>{bias})  // gemm_epilogue.h
//   Gemm<Simd>(a, b, c, Overwrite{}, KeepSums{}, &pool)
//
// Every element of C is one sum over k in ascending order, so the result does
// not depend on how rows or columns are split over threads. C must not overlap
// A or B. Policies differ in rounding only: Simd fuses each multiply-add. NaN
// and infinity pass through as in the sum written out. Not for one sample at a
// time (M = 1), which has no use for tiles: see gemv.h.

#ifndef HPCNN_OPS_GEMM_H_
#define HPCNN_OPS_GEMM_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"

HPCNN_NAMESPACE_BEGIN

// What happens to the old values of C.
struct Overwrite {
  static constexpr bool kKeepsOld = false;
};
struct Accumulate {
  static constexpr bool kKeepsOld = true;
};
// C = alpha A B + beta C; with beta = 0 the old values are not read. Simd
// multiplies B by alpha before anything else, with one rounding more; alpha B
// must neither overflow nor underflow.
template <class T>
struct AlphaBeta {
  T alpha;
  T beta;
};

// What becomes of the sums: nothing more. Others are in gemm_epilogue.h.
struct KeepSums {
  template <class Policy, class T>
  void Apply(MatrixView<T>, std::size_t, std::size_t) const {}
};

// The transpose of a stored matrix, as an operand.
template <class T>
struct TransposedView {
  MatrixView<T> stored;
};
template <class T>
constexpr TransposedView<T> Transpose(MatrixView<T> stored) {
  return {stored};
}

namespace internal {

// Element (r, c) of an operand is data[r * row_step + c * col_step].
template <class T>
struct Operand {
  const T* data;
  std::size_t rows;
  std::size_t cols;
  std::size_t row_step;
  std::size_t col_step;

  const T& operator()(std::size_t r, std::size_t c) const {
    return data[r * row_step + c * col_step];
  }
  Operand Rows(IndexRange range) const {
    return {data + range.begin * row_step, range.size(), cols, row_step,
            col_step};
  }
  Operand Cols(IndexRange range) const {
    return {data + range.begin * col_step, rows, range.size(), row_step,
            col_step};
  }
};

template <class T>
Operand<std::remove_const_t<T>> AsOperand(MatrixView<T> m) {
  return {m.data(), m.rows(), m.cols(), m.stride(), 1};
}
template <class T>
Operand<std::remove_const_t<T>> AsOperand(TransposedView<T> t) {
  const MatrixView<T>& m = t.stored;
  return {m.data(), m.cols(), m.rows(), 1, m.stride()};
}

template <class Policy>
struct GemmKernel {
  HPCNN_NO_KERNEL("Gemm", Policy, "hpcnn/ops/gemm_cuda.cuh");
};

template <>
struct GemmKernel<Scalar> {
  template <class T, class Update, class Epilogue>
  static void Run(const Operand<T>& a, const Operand<T>& b, MatrixView<T> c,
                  const Update& update, const Epilogue& epilogue,
                  std::size_t row, std::size_t col) {
    for (std::size_t m = 0; m < c.rows(); ++m) {
      for (std::size_t n = 0; n < c.cols(); ++n) {
        const auto sum = [&](T start) {
          for (std::size_t k = 0; k < a.cols; ++k) start += a(m, k) * b(k, n);
          return start;
        };
        T& out = c(m, n);
        if constexpr (std::is_same_v<Update, AlphaBeta<T>>) {
          const T old = update.beta == T{0} ? T{0} : update.beta * out;
          out = old + update.alpha * sum(T{0});
        } else {
          out = sum(Update::kKeepsOld ? out : T{0});
        }
      }
    }
    epilogue.template Apply<Scalar>(c, row, col);
  }
};

}  // namespace internal

// A and B are MatrixViews or Transpose(MatrixView) of T; C is a MatrixView<T>.
// T is float or double. `threads` share the rows of C, or the columns where
// there are more.
template <ExecutionPolicy Policy = DefaultPolicy, class A, class B, class T,
          class Update = Overwrite, class Epilogue = KeepSums>
void Gemm(const A& a, const B& b, MatrixView<T> c, const Update& update = {},
          const Epilogue& epilogue = {}, Threads threads = {}) {
  const internal::Operand<T> left = internal::AsOperand(a);
  const internal::Operand<T> right = internal::AsOperand(b);
  HPCNN_CHECK(left.cols == right.rows && left.rows == c.rows() &&
                  right.cols == c.cols(),
              "Gemm needs [M, K] x [K, N] -> [M, N]");
  if (c.rows() * c.cols() == 0) return;
  const bool by_rows = c.rows() >= c.cols();
  threads.ForShares(by_rows ? c.rows() : c.cols(), [&](IndexRange share) {
    const IndexRange rows = by_rows ? share : IndexRange{0, c.rows()};
    const IndexRange cols = by_rows ? IndexRange{0, c.cols()} : share;
    internal::GemmKernel<Policy>::Run(
        left.Rows(rows), right.Cols(cols),
        MatrixView<T>(c.row(rows.begin) + cols.begin, rows.size(), cols.size(),
                      c.stride()),
        update, epilogue, rows.begin, cols.begin);
  });
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gemm_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GEMM_H_
