// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// GELU: x Phi(x), where Phi is the distribution of a standard normal number.
// The exact form, not the approximation by tanh. Hendrycks and Gimpel,
// arXiv:1606.08415.

#ifndef HPCNN_OPS_GELU_H_
#define HPCNN_OPS_GELU_H_

#include <algorithm>
#include <cmath>
#include <numbers>

#include "hpcnn/base/target.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Beyond it Phi is 0 or 1 and the density 0, even in double; an infinite x
// times that 0 would be a NaN.
inline constexpr int kGeluEnd = 40;

// 1 / sqrt(2 pi), the density of 0.
template <class T>
inline constexpr T kNormalDensity =
    std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;

template <class T>
T NormalDistribution(T x) {
  return std::erfc(-x / std::numbers::sqrt2_v<T>) / 2;
}

}  // namespace internal

struct GeluFunction {
  template <class T>
  T operator()(T x) const {
    x = std::max(x, T{-internal::kGeluEnd});  // x if that is a NaN
    return x * internal::NormalDistribution(x);
  }
};
struct GeluGradient {  // d_x from x, not y, and d_y
  template <class T>
  T operator()(T x, T d_y) const {
    constexpr T kEnd{internal::kGeluEnd};
    x = std::clamp(x, -kEnd, kEnd);
    const T density = internal::kNormalDensity<T> * std::exp(-x * x / 2);
    return d_y * (internal::NormalDistribution(x) + x * density);
  }
};

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/gelu_simd-inl.h"
#endif

#endif  // HPCNN_OPS_GELU_H_
