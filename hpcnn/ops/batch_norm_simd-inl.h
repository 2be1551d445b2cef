// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Batch normalisation's functions on Highway.

#ifndef HPCNN_OPS_BATCH_NORM_SIMD_INL_H_
#define HPCNN_OPS_BATCH_NORM_SIMD_INL_H_

#include <cstddef>
#include <utility>

#include "hpcnn/ops/batch_norm.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V>
V BatchNormScales(D d, V variance) {
  const V one = hn::Set(d, hn::TFromD<D>{1});
  const V epsilon = hn::Set(d, static_cast<hn::TFromD<D>>(kBatchNormEpsilon));
  return hn::Div(one, hn::Sqrt(hn::Add(variance, epsilon)));
}

template <>
struct Vectorised<BatchNormFunction> {
  template <class D, class V>
  static V Call(const BatchNormFunction&, D, V x, V mean, V scale, V gain,
                V shift) {
    return hn::MulAdd(hn::Sub(x, mean), hn::Mul(scale, gain), shift);
  }
};
template <>
struct Vectorised<BatchNormGradient> {
  template <class D, class V>
  static V Call(const BatchNormGradient&, D, V d_y, V x, V mean, V scale,
                V gain, V mean_d_y, V mean_product) {
    const V normal = hn::Mul(hn::Sub(x, mean), scale);
    return hn::Mul(hn::Mul(scale, gain),
                   hn::Sub(d_y, hn::MulAdd(normal, mean_product, mean_d_y)));
  }
};
template <>
struct Vectorised<FrozenBatchNormFunction> {
  template <class D, class V>
  static V Call(const FrozenBatchNormFunction&, D d, V x, V mean, V variance,
                V gain, V shift) {
    return hn::MulAdd(hn::Sub(x, mean),
                      hn::Mul(BatchNormScales(d, variance), gain), shift);
  }
};
template <>
struct Vectorised<FrozenBatchNormGradient> {
  template <class D, class V>
  static V Call(const FrozenBatchNormGradient&, D d, V d_y, V variance,
                V gain) {
    return hn::Mul(d_y, hn::Mul(BatchNormScales(d, variance), gain));
  }
};
template <>
struct Vectorised<SquareSum> {
  template <class D, class V>
  static V Call(const SquareSum&, D, V sum, V x, V mean) {
    const V distance = hn::Sub(x, mean);
    return hn::MulAdd(distance, distance, sum);
  }
};
template <>
struct Vectorised<CentredProductSum> {
  template <class D, class V>
  static V Call(const CentredProductSum&, D, V sum, V d_y, V x, V mean) {
    return hn::MulAdd(d_y, hn::Sub(x, mean), sum);
  }
};
template <class F, class T, std::size_t N>
struct Vectorised<OfChannel<F, T, N>> {
  template <class D, class... V>
  static auto Call(const OfChannel<F, T, N>& f, D d, V... in) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Vectorised<F>::Call(F{}, d, in..., hn::Set(d, f.last[I])...);
    }
    (std::make_index_sequence<N>{});
  }
};
template <class F>
struct Vectorised<FromZero<F>> {
  template <class D, class... V>
  static auto Call(const FromZero<F>&, D d, V... in) {
    return Vectorised<F>::Call(F{}, d, hn::Zero(d), in...);
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_BATCH_NORM_SIMD_INL_H_
