// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Reductions: the sum of a span, of its squares, or of a function of some,
// whether all elements are finite, the column sums of a matrix, the index of the
// largest element. The order of
// additions is fixed for one policy and target, so results repeat bit for bit.

#ifndef HPCNN_OPS_REDUCE_H_
#define HPCNN_OPS_REDUCE_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class Policy>
struct ReduceKernel {
  HPCNN_NO_KERNEL("Reduce", Policy, "hpcnn/ops/reduce_cuda.cuh");
};

template <>
struct ReduceKernel<Scalar> {
  template <class T>
  static T Sum(std::span<const T> x) {
    T sum{0};
    for (const T value : x) sum += value;
    return sum;
  }

  template <class F, class T, class... In>
  static T MappedSum(const F& f, std::size_t size, const T* x,
                     const In*... in) {
    T sum{0};
    for (std::size_t i = 0; i < size; ++i) sum += f(x[i], in[i]...);
    return sum;
  }

  template <class T>
  static T SumOfSquares(std::span<const T> x) {
    T sum{0};
    for (const T value : x) sum += value * value;
    return sum;
  }

  template <class T>
  static void ColumnSums(MatrixView<const T> m, T* out) {
    std::fill_n(out, m.cols(), T{0});
    for (std::size_t r = 0; r < m.rows(); ++r) {
      for (std::size_t c = 0; c < m.cols(); ++c) out[c] += m(r, c);
    }
  }
};

}  // namespace internal

template <ExecutionPolicy Policy = DefaultPolicy, class T>
T Sum(std::span<const T> x) {
  return internal::ReduceKernel<Policy>::Sum(x);
}

template <ExecutionPolicy Policy = DefaultPolicy, class T>
T SumOfSquares(std::span<const T> x) {
  return internal::ReduceKernel<Policy>::SumOfSquares(x);
}

// The sum of f(x[i], in[i]...), f as for Elementwise.
// All spans have one length.
template <ExecutionPolicy Policy = DefaultPolicy, class F, class T, class... In>
T MappedSum(const F& f, std::span<const T> x, In... in) {
  HPCNN_CHECK(((std::span<const T>(in).size() == x.size()) && ...),
              "MappedSum needs spans of one length");
  return internal::ReduceKernel<Policy>::MappedSum(
      f, x.size(), x.data(), std::span<const T>(in).data()...);
}

namespace internal {

struct TimesZero {
  template <class T>
  T operator()(T x) const {
    return x * T{0};
  }
};

}  // namespace internal

// Whether no element is infinite or not a number.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
bool AllFinite(std::span<const T> x) {
  return MappedSum<Policy>(internal::TimesZero{}, x) == T{0};
}

// out[c] = sum over r of m(r, c).  m: [rows, cols], out: [cols]
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void ColumnSums(MatrixView<const T> m, std::span<T> out) {
  HPCNN_CHECK(out.size() == m.cols(), "ColumnSums needs one output a column");
  internal::ReduceKernel<Policy>::ColumnSums(m, out.data());
}

// The index of the first largest element. x must not be empty.
template <class T>
std::size_t ArgMax(std::span<const T> x) {
  return static_cast<std::size_t>(std::max_element(x.begin(), x.end()) -
                                  x.begin());
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/reduce_simd-inl.h"
#endif

#endif  // HPCNN_OPS_REDUCE_H_
