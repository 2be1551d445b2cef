// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The functions of optimizers on Highway.

#ifndef HPCNN_OPS_UPDATE_SIMD_INL_H_
#define HPCNN_OPS_UPDATE_SIMD_INL_H_

#include <array>

#include "hpcnn/ops/update.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// keep * mean + (1 - keep) * x.
template <class D, class V>
V MovingMean(D d, hn::TFromD<D> keep, V mean, V x) {
  return hn::MulAdd(hn::Set(d, keep), mean,
                    hn::Mul(hn::Set(d, hn::TFromD<D>{1} - keep), x));
}

template <class T>
struct Vectorised<MomentumFunction<T>> {
  template <class D, class V>
  static std::array<V, 2> Call(const MomentumFunction<T>& f, D d, V g, V v,
                               V w) {
    v = hn::Add(g, hn::Mul(hn::Set(d, f.momentum), v));
    return {v, hn::NegMulAdd(hn::Set(d, f.rate), v, w)};
  }
};
template <class T>
struct Vectorised<NesterovFunction<T>> {
  template <class D, class V>
  static std::array<V, 2> Call(const NesterovFunction<T>& f, D d, V g, V v,
                               V w) {
    const V momentum = hn::Set(d, f.momentum);
    v = hn::MulAdd(momentum, v, g);
    const V ahead = hn::MulAdd(momentum, v, g);
    return {v, hn::NegMulAdd(hn::Set(d, f.rate), ahead, w)};
  }
};
template <class T>
struct Vectorised<RmsPropFunction<T>> {
  template <class D, class V>
  static std::array<V, 2> Call(const RmsPropFunction<T>& f, D d, V g, V v,
                               V w) {
    v = MovingMean(d, f.alpha, v, hn::Mul(g, g));
    const V size = hn::Add(hn::Sqrt(v), hn::Set(d, f.epsilon));
    return {v, hn::Sub(w, hn::Div(hn::Mul(hn::Set(d, f.rate), g), size))};
  }
};
template <class T>
struct Vectorised<AdamFunction<T>> {
  template <class D, class V>
  static std::array<V, 3> Call(const AdamFunction<T>& f, D d, V g, V m, V v,
                               V w) {
    m = MovingMean(d, f.beta1, m, g);
    v = MovingMean(d, f.beta2, v, hn::Mul(g, g));
    const V size = hn::Add(hn::Sqrt(v), hn::Set(d, f.epsilon));
    const V change = hn::Div(hn::Mul(hn::Set(d, f.rate), m), size);
    return {m, v, hn::MulSub(hn::Set(d, f.keep), w, change)};
  }
};
template <class T>
struct Vectorised<PenaltyFunction<T>> {
  template <class D, class V>
  static V Call(const PenaltyFunction<T>& f, D d, V g, V w) {
    const V l1 = hn::CopySign(hn::Set(d, f.l1), w);
    return hn::Add(hn::MulAdd(hn::Set(d, f.l2), w, g),
                   hn::IfThenElseZero(hn::Ne(w, hn::Zero(d)), l1));
  }
};
template <class T>
struct Vectorised<ClampFunction<T>> {
  // Not by Min and Max, which may lose a NaN.
  template <class D, class V>
  static V Call(const ClampFunction<T>& f, D d, V x) {
    const V bound = hn::Set(d, f.bound);
    return hn::IfThenElse(hn::Gt(hn::Abs(x), bound), hn::CopySign(bound, x), x);
  }
};
template <class T>
struct Vectorised<ScaleFunction<T>> {
  template <class D, class V>
  static V Call(const ScaleFunction<T>& f, D d, V x) {
    return hn::Mul(hn::Set(d, f.factor), x);
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_UPDATE_SIMD_INL_H_
