// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The Gram matrix, C = X X^T: the inner products of all pairs of rows.
//
// It is symmetric, so Simd computes one half, some columns on the diagonal
// more, and copies the other: C(m, n) and C(n, m) are the same bits. Sums as
// Gemm's (gemm.h): one over k in ascending order, whatever the threads. C must
// not overlap X. Source: the course's matmul_transpose_trivial, which is
// Scalar.

#ifndef HPCNN_OPS_GRAM_H_
#define HPCNN_OPS_GRAM_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/ops/gemm.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

template <class Policy>
struct GramKernel {
  HPCNN_NO_KERNEL("Gram", Policy, "hpcnn/ops/gram_cuda.cuh");
};

template <>
struct GramKernel<Scalar> {
  template <class T>
  static void Run(MatrixView<const T> x, MatrixView<T> c, Threads threads) {
    threads.ForShares(x.rows(), [&](IndexRange rows) {
      for (std::size_t m = rows.begin; m < rows.end; ++m) {
        for (std::size_t n = 0; n < x.rows(); ++n) {
          T sum{0};
          for (std::size_t k = 0; k < x.cols(); ++k) sum += x(m, k) * x(n, k);
          c(m, n) = sum;
        }
      }
    });
  }
};

}  // namespace internal

// x: [M, K], c: [M, M], of float or double.
template <ExecutionPolicy Policy = DefaultPolicy, class In, class T>
void Gram(MatrixView<In> x, MatrixView<T> c, Threads threads = {}) {
  static_assert(std::is_same_v<std::remove_const_t<In>, T>,
                "hpcnn: Gram's result has the type of its elements");
  HPCNN_CHECK(c.rows() == x.rows() && c.cols() == x.rows(),
              "Gram needs [M, K] -> [M, M]");
  internal::GramKernel<Policy>::Run(MatrixView<const T>(x), c, threads);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gram_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GRAM_H_
