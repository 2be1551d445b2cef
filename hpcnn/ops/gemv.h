// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Matrix times vector: a layer on one sample.
//
//   Gemv<Simd>(a, x, y)             // y = A x, A stored [M, N]
//   Gemv<Simd>(Transpose(a), x, y)  // y = A^T x, A stored [M, N]
//
// The second form adds rows of A, in ascending order; the first one makes an
// inner product of each, whose terms Simd sums in lanes, so that it differs
// from Scalar by rounding. It reads all of A for one multiply-add an element:
// memory decides. Several samples are Gemm's (gemm.h). Source: the course's
// layer of 4 x 3 weights on 3 inputs.

#ifndef HPCNN_OPS_GEMV_H_
#define HPCNN_OPS_GEMV_H_

#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

template <class Policy>
struct GemvKernel {
  HPCNN_NO_KERNEL("Gemv", Policy, "hpcnn/ops/gemv_cuda.cuh");
};

template <>
struct GemvKernel<Scalar> {
  template <class T>
  static void Run(const Operand<T>& a, const T* x, T* y) {
    for (std::size_t m = 0; m < a.rows; ++m) {
      T sum{0};
      for (std::size_t n = 0; n < a.cols; ++n) sum += a(m, n) * x[n];
      y[m] = sum;
    }
  }
};

}  // namespace internal

// A: [M, N] as a MatrixView or Transpose(MatrixView), x: [N], y: [M], of float
// or double. y must not overlap A or x.
template <ExecutionPolicy Policy = DefaultPolicy, class A, class T>
void Gemv(const A& a, std::span<const T> x, std::span<T> y) {
  const internal::Operand<T> matrix = internal::AsOperand(a);
  HPCNN_CHECK(matrix.cols == x.size() && matrix.rows == y.size(),
              "Gemv needs [M, N] x [N] -> [M]");
  internal::GemvKernel<Policy>::Run(matrix, x.data(), y.data());
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gemv_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GEMV_H_
