// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Reductions on Highway.

#ifndef HPCNN_OPS_REDUCE_SIMD_INL_H_
#define HPCNN_OPS_REDUCE_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/reduce.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

template <>
struct Vectorised<TimesZero> {
  template <class D, class V>
  static V Call(const TimesZero&, D d, V x) {
    return hn::Mul(x, hn::Zero(d));
  }
};

template <>
struct ReduceKernel<Simd> {
  template <class T>
  static T Sum(std::span<const T> x) {
    return Accumulate(x, [](auto sum, auto v) { return hn::Add(sum, v); });
  }

  template <class T>
  static T SumOfSquares(std::span<const T> x) {
    return Accumulate(x,
                      [](auto sum, auto v) { return hn::MulAdd(v, v, sum); });
  }

  template <class F, class T, class... In>
  static T MappedSum(const F& f, std::size_t size, const T* x,
                     const In*... in) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto at = [&](std::size_t i) HWY_ATTR {
      return Vectorised<F>::Call(f, d, hn::LoadU(d, x + i),
                                 hn::LoadU(d, in + i)...);
    };
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    std::size_t left = size;
    for (; left >= 2 * lanes; left -= 2 * lanes) {
      sum0 = hn::Add(sum0, at(size - left));
      sum1 = hn::Add(sum1, at(size - left + lanes));
    }
    for (; left >= lanes; left -= lanes) {
      sum0 = hn::Add(sum0, at(size - left));
    }
    if (left > 0) {  // f(0, ...) need not be 0
      const std::size_t i = size - left;
      const auto last = Vectorised<F>::Call(f, d, hn::LoadN(d, x + i, left),
                                            hn::LoadN(d, in + i, left)...);
      sum0 = hn::Add(sum0, hn::IfThenElseZero(hn::FirstN(d, left), last));
    }
    return hn::ReduceSum(d, hn::Add(sum0, sum1));
  }

  // A strip of columns stays in registers while the rows pass by.
  template <class T>
  static void ColumnSums(MatrixView<const T> m, T* out) {
    const hn::ScalableTag<T> d;
    if constexpr (hn::MaxLanes(d) == 1) {
      // GCC 12 would warn of loops below that never run.
      return ReduceKernel<Scalar>::ColumnSums(m, out);
    }
    const std::size_t lanes = hn::Lanes(d);
    std::size_t c = 0;
    for (; c + 4 * lanes <= m.cols(); c += 4 * lanes) {
      auto sum0 = hn::Zero(d);
      auto sum1 = hn::Zero(d);
      auto sum2 = hn::Zero(d);
      auto sum3 = hn::Zero(d);
      for (std::size_t r = 0; r < m.rows(); ++r) {
        const T* from = m.row(r) + c;
        sum0 = hn::Add(sum0, hn::LoadU(d, from));
        sum1 = hn::Add(sum1, hn::LoadU(d, from + lanes));
        sum2 = hn::Add(sum2, hn::LoadU(d, from + 2 * lanes));
        sum3 = hn::Add(sum3, hn::LoadU(d, from + 3 * lanes));
      }
      hn::StoreU(sum0, d, out + c);
      hn::StoreU(sum1, d, out + c + lanes);
      hn::StoreU(sum2, d, out + c + 2 * lanes);
      hn::StoreU(sum3, d, out + c + 3 * lanes);
    }
    std::size_t left = m.cols() - c;
    while (left > 0) {
      const std::size_t strip = std::min(lanes, left);
      const std::size_t first = m.cols() - left;
      auto sum = hn::Zero(d);
      for (std::size_t r = 0; r < m.rows(); ++r) {
        sum = hn::Add(sum, hn::LoadN(d, m.row(r) + first, strip));
      }
      hn::StoreN(sum, d, out + first, strip);
      left -= strip;
    }
  }

 private:
  // sum = add(sum, x[i]) for all i, where add keeps the sum for an x of 0. Four
  // accumulators hide the latency.
  template <class T, class F>
  static T Accumulate(std::span<const T> x, const F& add) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    auto sum0 = hn::Zero(d);
    auto sum1 = hn::Zero(d);
    auto sum2 = hn::Zero(d);
    auto sum3 = hn::Zero(d);
    const T* from = x.data();
    std::size_t left = x.size();
    for (; left >= 4 * lanes; left -= 4 * lanes, from += 4 * lanes) {
      sum0 = add(sum0, hn::LoadU(d, from));
      sum1 = add(sum1, hn::LoadU(d, from + lanes));
      sum2 = add(sum2, hn::LoadU(d, from + 2 * lanes));
      sum3 = add(sum3, hn::LoadU(d, from + 3 * lanes));
    }
    for (; left >= lanes; left -= lanes, from += lanes) {
      sum0 = add(sum0, hn::LoadU(d, from));
    }
    if (left > 0) sum0 = add(sum0, hn::LoadN(d, from, left));
    return hn::ReduceSum(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3)));
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_REDUCE_SIMD_INL_H_
