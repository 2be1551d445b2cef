// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// WarpAffine<Simd>: the reference of affine.h, a vector of columns at a time,
// its four neighbours by gathers. Same operations in the same order.

#ifndef HPCNN_AUGMENT_AFFINE_SIMD_INL_H_
#define HPCNN_AUGMENT_AFFINE_SIMD_INL_H_

#include <cstddef>
#include <cstdint>

#include "hpcnn/augment/affine.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <>
struct WarpAffineKernel<Simd> {
  template <std::size_t H, std::size_t W>
  static void Run(TensorView<const float, 1, H, W> image, const AffineMap& map,
                  TensorView<float, 1, H, W> out) {
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::ScalableTag<float> d;
    const std::size_t lanes = hn::Lanes(d);
    const auto xx = hn::Set(d, static_cast<float>(map.xx));
    const auto yx = hn::Set(d, static_cast<float>(map.yx));
    for (std::size_t y = 0; y < H; ++y) {
      const double row = static_cast<double>(y);
      const auto x_start =
          hn::Set(d, static_cast<float>(map.xy * row + map.x0));
      const auto y_start =
          hn::Set(d, static_cast<float>(map.yy * row + map.y0));
      for (std::size_t x = 0; x < W; x += lanes) {
        const auto column = hn::Iota(d, static_cast<float>(x));
        const auto value =
            Sample(d, image, hn::Add(hn::Mul(xx, column), x_start),
                   hn::Add(hn::Mul(yx, column), y_start));
        float* to = &out(0, y, x);
        if (x + lanes <= W) {
          hn::StoreU(value, d, to);
        } else {
          hn::StoreN(value, d, to, W - x);
        }
      }
    }
  }

 private:
  template <class D, class V, std::size_t H, std::size_t W>
  static HWY_INLINE V Sample(D d, TensorView<const float, 1, H, W> image, V x,
                             V y) {
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::RebindToSigned<D> di;
    const auto zero = hn::Zero(d);
    const auto inside =
        hn::And(hn::And(hn::Ge(x, zero), hn::Le(x, hn::Set(d, float{W - 1}))),
                hn::And(hn::Ge(y, zero), hn::Le(y, hn::Set(d, float{H - 1}))));
    // Positions outside read pixel (0, 0), whatever they are.
    x = hn::IfThenElseZero(inside, x);
    y = hn::IfThenElseZero(inside, y);

    const auto integer = [&](std::size_t i) HWY_ATTR {
      return hn::Set(di, static_cast<std::int32_t>(i));
    };
    const auto left = hn::ConvertTo(di, x);
    const auto top = hn::ConvertTo(di, y);
    const auto right = hn::Min(hn::Add(left, integer(1)), integer(W - 1));
    const auto bottom = hn::Min(hn::Add(top, integer(1)), integer(H - 1));
    const auto top_row = hn::Mul(top, integer(W));
    const auto bottom_row = hn::Mul(bottom, integer(W));

    const auto at = [&](auto row, auto column) HWY_ATTR {
      return hn::GatherIndex(d, image.data(), hn::Add(row, column));
    };
    const auto lerp = [](V a, V b, V f) HWY_ATTR {
      return hn::Add(a, hn::Mul(f, hn::Sub(b, a)));
    };
    const auto fx = hn::Sub(x, hn::ConvertTo(d, left));
    const auto fy = hn::Sub(y, hn::ConvertTo(d, top));
    return hn::IfThenElseZero(
        inside,
        lerp(lerp(at(top_row, left), at(top_row, right), fx),
             lerp(at(bottom_row, left), at(bottom_row, right), fx), fy));
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_AFFINE_SIMD_INL_H_
