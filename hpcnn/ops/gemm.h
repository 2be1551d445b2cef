// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// General matrix multiply: C = A * B, or C += A * B.
//
//   Gemm<Simd>(a, b, c)                        // [M, K] x [K, N] -> [M, N]
//   Gemm<Simd>(Transpose(a), b, c)             // a is stored [K, M]
//   Gemm<Simd, Accumulate>(a, Transpose(b), c) // b is stored [N, K]
//
// Every element of C is one sum over k in ascending order, so the result does
// not depend on how rows or columns are split over threads. C must not overlap
// A or B. Policies differ in rounding only: Simd fuses each multiply-add. For
// one sample at a time (M = 1) this still works, without the reuse that makes
// it worth its name.

#ifndef HPCNN_OPS_GEMM_H_
#define HPCNN_OPS_GEMM_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// What happens to the old values of C.
struct Overwrite {
  static constexpr bool kKeepsOld = false;
};
struct Accumulate {
  static constexpr bool kKeepsOld = true;
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
  template <class Update, class T>
  static void Run(Operand<T> a, Operand<T> b, MatrixView<T> c) {
    for (std::size_t m = 0; m < c.rows(); ++m) {
      for (std::size_t n = 0; n < c.cols(); ++n) {
        T sum = Update::kKeepsOld ? c(m, n) : T{0};
        for (std::size_t k = 0; k < a.cols; ++k) sum += a(m, k) * b(k, n);
        c(m, n) = sum;
      }
    }
  }
};

}  // namespace internal

// A and B are MatrixViews or Transpose(MatrixView) of T; C is a MatrixView<T>.
// T is float or double.
template <ExecutionPolicy Policy = DefaultPolicy, class Update = Overwrite,
          class A, class B, class T>
void Gemm(const A& a, const B& b, MatrixView<T> c) {
  const internal::Operand<T> left = internal::AsOperand(a);
  const internal::Operand<T> right = internal::AsOperand(b);
  HPCNN_CHECK(left.cols == right.rows && left.rows == c.rows() &&
                  right.cols == c.cols(),
              "Gemm needs [M, K] x [K, N] -> [M, N]");
  internal::GemmKernel<Policy>::template Run<Update>(left, right, c);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gemm_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GEMM_H_
