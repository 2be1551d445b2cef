// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Pooling on Highway: the maximum of 2 x 2 pixels, two rows of pairs at a time.

#ifndef HPCNN_OPS_POOL_SIMD_INL_H_
#define HPCNN_OPS_POOL_SIMD_INL_H_

#include <cstddef>

#include "hpcnn/ops/pool.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

template <>
struct PoolKernel<Simd> : PoolKernel<Scalar> {
  template <class G>
  static constexpr bool kIsPairs = G::kWindowRows == 2 && G::kWindowCols == 2 &&
                                   G::kStepRows == 2 && G::kStepCols == 2;

  template <class G, class T>
  static void Max(const T* x, T* y) {
    if constexpr (kIsPairs<G>) {
      ForPairs<G, T>([&](auto d, std::size_t pixel, std::size_t out) HWY_ATTR {
        const auto w = Load<G>(d, x + pixel);
        hn::StoreU(Larger(Larger(w.a, w.b), Larger(w.c, w.d)), d, y + out);
      });
    } else {
      PoolKernel<Scalar>::Max<G>(x, y);
    }
  }

  template <class G, class T>
  static void MaxGradient(const T* x, const T* y, const T* d_y, T* d_x) {
    if constexpr (kIsPairs<G>) {
      ForPairs<G, T>([&](auto d, std::size_t pixel, std::size_t out) HWY_ATTR {
        const auto w = Load<G>(d, x + pixel);
        const auto largest = hn::LoadU(d, y + out);
        auto left = hn::LoadU(d, d_y + out);  // not given to a pixel yet
        const auto take = [&](auto value) HWY_ATTR {
          const auto is_largest = hn::Eq(value, largest);
          const auto taken = hn::IfThenElseZero(is_largest, left);
          left = hn::IfThenZeroElse(is_largest, left);
          return taken;
        };
        const auto a = take(w.a);
        const auto b = take(w.b);
        hn::StoreInterleaved2(a, b, d, d_x + pixel);
        const auto c = take(w.c);
        hn::StoreInterleaved2(c, take(w.d), d, d_x + pixel + G::kInCols);
      });
    } else {
      PoolKernel<Scalar>::MaxGradient<G>(x, y, d_y, d_x);
    }
  }

 private:
  // The pixels  a b  of each window.
  //             c d
  template <class V>
  struct Window {
    V a, b, c, d;
  };

  template <class G, class D>
  static Window<hn::Vec<D>> Load(D d, const hn::TFromD<D>* from) {
    Window<hn::Vec<D>> w;
    hn::LoadInterleaved2(d, from, w.a, w.b);
    hn::LoadInterleaved2(d, from + G::kInCols, w.c, w.d);
    return w;
  }

  // As Scalar: NaN if either is.
  template <class V>
  static V Larger(V a, V b) {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }

  // Calls f(tag, first pixel, first result) for vectors of windows, smaller ones
  // at the end of a row.
  template <class G, class T, class F>
  static void ForPairs(const F& f) {
    constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());
    std::size_t out = 0;
    for (std::size_t row = 0; row < G::kChannels * G::kRows; ++row) {
      std::size_t pixel = row * 2 * G::kInCols;
      for (std::size_t j = 0; j + kLanes <= G::kCols; j += kLanes) {
        f(hn::ScalableTag<T>(), pixel, out);
        pixel += 2 * kLanes;
        out += kLanes;
      }
      Rest<T, kLanes / 2, G::kCols % kLanes>(f, pixel, out);
      out += G::kCols % kLanes;
    }
  }
  template <class T, std::size_t kLanes, std::size_t kCount, class F>
  static void Rest(const F& f, std::size_t pixel, std::size_t out) {
    if constexpr (kCount >= kLanes && kCount > 0) {
      f(hn::CappedTag<T, kLanes>(), pixel, out);
      Rest<T, kLanes, kCount - kLanes>(f, pixel + 2 * kLanes, out + kLanes);
    } else if constexpr (kCount > 0) {
      Rest<T, kLanes / 2, kCount>(f, pixel, out);
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_POOL_SIMD_INL_H_
