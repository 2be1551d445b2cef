// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Softmax of one row: y[i] = scale * exp(x[i]) / sum over j of exp(x[j]).
//
// The row's maximum is subtracted first, so no finite input overflows; a NaN
// makes the whole row NaN. The return value, log(sum over j of exp(x[j])), is
// what cross-entropy needs.

#ifndef HPCNN_OPS_SOFTMAX_H_
#define HPCNN_OPS_SOFTMAX_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class Policy>
struct SoftmaxKernel {
  HPCNN_NO_KERNEL("Softmax", Policy, "hpcnn/ops/softmax_cuda.cuh");
};

template <>
struct SoftmaxKernel<Scalar> {
  template <class T>
  static T Row(std::size_t size, const T* x, T scale, T* y) {
    const T max = *std::max_element(x, x + size);
    T sum{0};
    for (std::size_t i = 0; i < size; ++i) {
      y[i] = std::exp(x[i] - max);
      sum += y[i];
    }
    for (std::size_t i = 0; i < size; ++i) y[i] *= scale / sum;
    return max + std::log(sum);
  }
};

}  // namespace internal

// x and y: [classes], at least one; y may be x.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
T SoftmaxRow(std::span<const T> x, T scale, std::span<T> y) {
  HPCNN_CHECK(x.size() == y.size() && !x.empty(),
              "SoftmaxRow needs rows of one length, at least 1");
  return internal::SoftmaxKernel<Policy>::Row(x.size(), x.data(), scale,
                                              y.data());
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/softmax_simd-inl.h"
#endif

#endif  // HPCNN_OPS_SOFTMAX_H_
