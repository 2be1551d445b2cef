// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// GELU on Highway.

#ifndef HPCNN_OPS_GELU_SIMD_INL_H_
#define HPCNN_OPS_GELU_SIMD_INL_H_

#include <cstddef>
#include <iterator>

#include "hpcnn/ops/gelu.h"
#include "hwy/contrib/math/math-inl.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

// Of t, ascending; see below. Relative error below 1e-16 for all a >= 0.
template <class T>
inline constexpr double kNormalTail[] = {
    0.46151582985003777287,     -0.09155228183400903567,
    0.031030368425963709342,    0.010002352385229382684,
    -0.026401042966308308007,   0.024536963243678652674,
    -0.015170415402514863071,   0.0065220006677838965566,
    -0.0016760723445544705287,  7.7915974093369916832e-6,
    0.00018233414511644126087,  -0.000053607581114863512179,
    -9.8960977592884855766e-6,  9.0598246812325761614e-6,
    -7.0346446818185716607e-8,  -1.3074486018802228303e-6,
    1.2787822179921586525e-7,   1.9627809914971615106e-7,
    -2.6286205072905699956e-8,  -3.095201752034847657e-8,
    3.627373155910464999e-9,    4.401159606982378522e-9,
    -2.8220772148425112938e-10, -3.8158162339892861362e-10};
// Below 2e-9 for a <= 20, beyond which a float density is 0.
template <>
inline constexpr double kNormalTail<float>[] = {
    0.4615158291,   -0.0915522849,   0.03103046146,  0.01000248953,
    -0.0264027867,  0.02453482315,   -0.0151590356,  0.006536789507,
    -0.00170570343, -3.778337617e-5, 0.0002052699828};

template <class V>
struct Normal {
  V distribution;
  V density;  // times sqrt(2 pi)
};

// With a = |x|, (1 + a) exp(a^2 / 2) Phi(-a) is smooth in t = (a - 5) / (a + 5),
// which is in [-1, 1) for all a: a polynomial, from 80 Chebyshev points in 60
// digits, or for floats with the smallest largest error. Shepherd and
// Laframboise, Math. Comp. 36 (1981).
template <class D, class V>
HWY_INLINE Normal<V> NormalOf(D d, V x) {
  using T = hn::TFromD<D>;
  const V a = hn::Min(hn::Abs(x), hn::Set(d, T{kGeluEnd}));
  const V five = hn::Set(d, T{5});
  const V t = hn::Div(hn::Sub(a, five), hn::Add(a, five));
  V tail = hn::Zero(d);
  for (std::size_t i = std::size(kNormalTail<T>); i > 0; --i) {
    tail =
        hn::MulAdd(tail, t, hn::Set(d, static_cast<T>(kNormalTail<T>[i - 1])));
  }
  const V one = hn::Set(d, T{1});
  const V density = hn::Exp(d, hn::Mul(hn::Mul(a, a), hn::Set(d, T{-0.5})));
  tail = hn::Div(hn::Mul(density, tail), hn::Add(one, a));
  return {hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail)),
          density};
}

template <>
struct Vectorised<GeluFunction> {
  template <class D, class V>
  static V Call(const GeluFunction&, D d, V x) {
    const V least = hn::Set(d, hn::TFromD<D>{-kGeluEnd});
    x = hn::IfThenElse(hn::Lt(x, least), least, x);
    return hn::Mul(x, NormalOf(d, x).distribution);
  }
};
template <>
struct Vectorised<GeluGradient> {
  template <class D, class V>
  static V Call(const GeluGradient&, D d, V x, V d_y) {
    using T = hn::TFromD<D>;
    const V end = hn::Set(d, T{kGeluEnd});
    x = hn::IfThenElse(hn::Gt(hn::Abs(x), end), hn::CopySign(end, x), x);
    const Normal<V> normal = NormalOf(d, x);
    const V scale = hn::Set(d, kNormalDensity<T>);
    return hn::Mul(d_y, hn::MulAdd(hn::Mul(x, scale), normal.density,
                                   normal.distribution));
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_GELU_SIMD_INL_H_
