// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Elementwise maths on Highway.

#ifndef HPCNN_OPS_ELEMENTWISE_SIMD_INL_H_
#define HPCNN_OPS_ELEMENTWISE_SIMD_INL_H_

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "hpcnn/ops/elementwise.h"
#include "hwy/contrib/math/math-inl.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

// The vector form of a function; d is the Highway tag.
template <class F>
struct Vectorised;

template <>
struct Vectorised<Sum2> {
  template <class D, class V>
  static V Call(const Sum2&, D, V x, V y) {
    return hn::Add(x, y);
  }
};
template <>
struct Vectorised<Product> {
  template <class D, class V, class... Factors>
  static V Call(const Product&, D, V x, Factors... factors) {
    ((x = hn::Mul(x, factors)), ...);
    return x;
  }
};
template <class T>
struct Vectorised<ScaledSum<T>> {
  template <class D, class V>
  static V Call(const ScaledSum<T>& f, D d, V x, V y) {
    return hn::MulAdd(hn::Set(d, f.alpha), x, hn::Mul(hn::Set(d, f.beta), y));
  }
};
template <class T>
struct Vectorised<SaxpyFunction<T>> {
  template <class D, class V>
  static V Call(const SaxpyFunction<T>& f, D d, V x, V y) {
    return hn::MulAdd(hn::Set(d, f.alpha), x, y);
  }
};
template <>
struct Vectorised<Max2> {
  template <class D, class V>
  static V Call(const Max2&, D, V x, V y) {
    if constexpr (hwy::IsFloat<hn::TFromD<D>>()) {
      return hn::IfThenElse(hn::Or(hn::Gt(x, y), hn::IsNaN(x)), x, y);
    } else {
      return hn::Max(x, y);
    }
  }
};
template <>
struct Vectorised<ReluFunction> {
  template <class D, class V>
  static V Call(const ReluFunction&, D d, V x) {
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  }
};
template <>
struct Vectorised<ReluGradient> {
  template <class D, class V>
  static V Call(const ReluGradient&, D d, V y, V d_y) {
    return hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), d_y);
  }
};
template <class Slope>
struct Vectorised<LeakyReluFunction<Slope>> {
  template <class D, class V>
  static V Call(const LeakyReluFunction<Slope>&, D d, V x) {
    const V slope = hn::Set(d, kNumber<Slope, hn::TFromD<D>>);
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(slope, x), x);
  }
};
template <class Slope>
struct Vectorised<LeakyReluGradient<Slope>> {
  template <class D, class V>
  static V Call(const LeakyReluGradient<Slope>&, D d, V y, V d_y) {
    const V slope = hn::Set(d, kNumber<Slope, hn::TFromD<D>>);
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), d_y, hn::Mul(slope, d_y));
  }
};
template <class Alpha>
struct Vectorised<EluFunction<Alpha>> {
  template <class D, class V>
  static V Call(const EluFunction<Alpha>&, D d, V x) {
    const V alpha = hn::Set(d, kNumber<Alpha, hn::TFromD<D>>);
    return hn::IfThenElse(hn::Lt(x, hn::Zero(d)),
                          hn::Mul(alpha, hn::Expm1(d, x)), x);
  }
};
template <class Alpha>
struct Vectorised<EluGradient<Alpha>> {
  template <class D, class V>
  static V Call(const EluGradient<Alpha>&, D d, V y, V d_y) {
    const V alpha = hn::Set(d, kNumber<Alpha, hn::TFromD<D>>);
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), d_y,
                          hn::Mul(d_y, hn::Add(y, alpha)));
  }
};
template <>
struct Vectorised<SigmoidFunction> {
  template <class D, class V>
  static V Call(const SigmoidFunction&, D d, V x) {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    // Exp makes 0 of a NaN.
    const V e =
        hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Neg(hn::Abs(x))));
    return hn::Div(hn::IfThenElse(hn::Ge(x, hn::Zero(d)), one, e),
                   hn::Add(one, e));
  }
};
template <>
struct Vectorised<SigmoidGradient> {
  template <class D, class V>
  static V Call(const SigmoidGradient&, D d, V y, V d_y) {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    return hn::Mul(d_y, hn::Mul(y, hn::Sub(one, y)));
  }
};
template <>
struct Vectorised<TanhFunction> {
  template <class D, class V>
  static V Call(const TanhFunction&, D d, V x) {
    return hn::Tanh(d, x);
  }
};
template <>
struct Vectorised<TanhGradient> {
  template <class D, class V>
  static V Call(const TanhGradient&, D d, V y, V d_y) {
    const V one = hn::Set(d, hn::TFromD<D>{1});
    return hn::Mul(d_y, hn::NegMulAdd(y, y, one));
  }
};

template <>
struct ElementwiseKernel<Simd> {
  template <class F, class T, class... In>
  static void Run(const F& f, std::size_t size, T* out, const In*... in) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + lanes <= size; i += lanes) {
      hn::StoreU(Vectorised<F>::Call(f, d, hn::LoadU(d, in + i)...), d,
                 out + i);
    }
    if (i < size) {
      hn::StoreN(Vectorised<F>::Call(f, d, hn::LoadN(d, in + i, size - i)...),
                 d, out + i, size - i);
    }
  }

  template <class F, class T, std::size_t... R, class... In>
  static void RunEach(const F& function, std::size_t size,
                      const std::array<std::span<T>, sizeof...(R)>& out,
                      std::index_sequence<R...>, const In*... in) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    // Copies: for all that GCC knows, a vector stored changes what is referred
    // to.
    const F f = function;
    const std::array<T*, sizeof...(R)> to{out[R].data()...};
    std::size_t i = 0;
    for (; i + lanes <= size; i += lanes) {
      const auto y = Vectorised<F>::Call(f, d, hn::LoadU(d, in + i)...);
      (hn::StoreU(y[R], d, to[R] + i), ...);
    }
    if (i < size) {
      const auto y =
          Vectorised<F>::Call(f, d, hn::LoadN(d, in + i, size - i)...);
      (hn::StoreN(y[R], d, to[R] + i, size - i), ...);
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_ELEMENTWISE_SIMD_INL_H_
