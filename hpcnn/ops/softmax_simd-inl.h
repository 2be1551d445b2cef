// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Softmax on Highway.

#ifndef HPCNN_OPS_SOFTMAX_SIMD_INL_H_
#define HPCNN_OPS_SOFTMAX_SIMD_INL_H_

#include <cmath>
#include <cstddef>

#include "hpcnn/ops/softmax.h"
#include "hwy/contrib/math/math-inl.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

template <>
struct SoftmaxKernel<Simd> {
  template <class T>
  static T Row(std::size_t size, const T* x, T scale, T* y) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto lowest = hn::Set(d, hwy::LowestValue<T>());

    auto max = lowest;
    for (std::size_t i = 0; i < size; i += lanes) {
      max = hn::Max(max, hn::LoadNOr(lowest, d, x + i, size - i));
    }
    max = hn::Set(d, hn::ReduceMax(d, max));

    auto sum = hn::Zero(d);
    for (std::size_t i = 0; i < size; i += lanes) {
      const auto shifted =
          hn::Sub(hn::LoadNOr(lowest, d, x + i, size - i), max);
      // Exp makes 0 of a NaN.
      const auto e =
          hn::IfThenElse(hn::IsNaN(shifted), shifted, hn::Exp(d, shifted));
      // Lanes past the end must not add to the sum.
      const auto kept = hn::IfThenElseZero(hn::FirstN(d, size - i), e);
      hn::StoreN(kept, d, y + i, size - i);
      sum = hn::Add(sum, kept);
    }
    const T total = hn::ReduceSum(d, sum);

    const auto factor = hn::Set(d, scale / total);
    for (std::size_t i = 0; i < size; i += lanes) {
      const auto scaled = hn::Mul(hn::LoadN(d, y + i, size - i), factor);
      hn::StoreN(scaled, d, y + i, size - i);
    }
    return hn::GetLane(max) + std::log(total);
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_SOFTMAX_SIMD_INL_H_
