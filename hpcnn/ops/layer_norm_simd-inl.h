// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Layer normalisation's functions on Highway.

#ifndef HPCNN_OPS_LAYER_NORM_SIMD_INL_H_
#define HPCNN_OPS_LAYER_NORM_SIMD_INL_H_

#include "hpcnn/ops/layer_norm.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct Vectorised<SquaredDistance<T>> {
  template <class D, class V>
  static V Call(const SquaredDistance<T>& f, D d, V x) {
    const V distance = hn::Sub(x, hn::Set(d, f.mean));
    return hn::Mul(distance, distance);
  }
};
template <class T>
struct Vectorised<Standardise<T>> {
  template <class D, class V>
  static V Call(const Standardise<T>& f, D d, V x) {
    return hn::Mul(hn::Sub(x, hn::Set(d, f.mean)), hn::Set(d, f.scale));
  }
};
template <>
struct Vectorised<ProductSum> {
  template <class D, class V>
  static V Call(const ProductSum&, D, V x, V y, V z) {
    return hn::MulAdd(x, y, z);
  }
};
template <class T>
struct Vectorised<StandardiseGradient<T>> {
  template <class D, class V>
  static V Call(const StandardiseGradient<T>& f, D d, V x, V d_y, V gain) {
    const V rest =
        hn::MulAdd(x, hn::Set(d, f.mean_of_product), hn::Set(d, f.mean));
    return hn::Mul(hn::Set(d, f.scale), hn::MulSub(d_y, gain, rest));
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_LAYER_NORM_SIMD_INL_H_
