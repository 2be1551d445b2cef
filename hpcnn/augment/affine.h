// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AffineMap, and WarpAffine: out[y][x] = image at map(x, y), bilinear, zero
// outside. Rotate, Shift and Skew are maps; AugmentPipeline (pipeline.h)
// composes all three into one.
//
// Border: a source position outside [0, H-1] x [0, W-1] gives 0, as
// scipy.ndimage does by default (mode="constant"): nothing is blended with the
// outside. OpenCV's BORDER_CONSTANT and SciPy's "grid-constant" fade out over
// one pixel instead, and so does AugmentPipeline.
//
// Accuracy: positions are float, so up to 1e-5 of brightness for sides up to 32
// pixels, growing with the side.

#ifndef HPCNN_AUGMENT_AFFINE_H_
#define HPCNN_AUGMENT_AFFINE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// From a place in the output to the place in the source that it shows, pixels:
//   source x = xx * x + xy * y + x0
//   source y = yx * x + yy * y + y0
struct AffineMap {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  // The map of first warping by `first` and then by `second`.
  static constexpr AffineMap Compose(const AffineMap& first,
                                     const AffineMap& second) {
    const AffineMap& a = first;
    const AffineMap& b = second;
    return {.xx = a.xx * b.xx + a.xy * b.yx,
            .xy = a.xx * b.xy + a.xy * b.yy,
            .x0 = a.xx * b.x0 + a.xy * b.y0 + a.x0,
            .yx = a.yx * b.xx + a.yy * b.yx,
            .yy = a.yx * b.xy + a.yy * b.yy,
            .y0 = a.yx * b.x0 + a.yy * b.y0 + a.y0};
  }

  // Counterclockwise by `angle` degrees about the centre of an image of
  // `height` rows and `width` columns. Exact at multiples of 90 degrees, where
  // a rounded pi would push the border outside.
  static AffineMap Rotation(double angle, std::size_t height,
                            std::size_t width) {
    const double quarters = std::floor(angle / 90 + 0.5);
    // Float sines: positions are no finer, and the doubles take twice as long.
    const auto rest = static_cast<float>((angle - 90 * quarters) *
                                         (3.14159265358979323846 / 180));
    const double turns = quarters - 4 * std::floor(quarters / 4);  // 0, 1, 2, 3
    double cosine = std::cos(rest);
    double sine = std::sin(rest);
    for (double turn = 0; turn < turns; ++turn) {
      const double old = cosine;
      cosine = -sine;
      sine = old;
    }
    const double cx = (static_cast<double>(width) - 1) / 2;
    const double cy = (static_cast<double>(height) - 1) / 2;
    return {.xx = cosine,
            .xy = -sine,
            .x0 = cx - cosine * cx + sine * cy,
            .yx = sine,
            .yy = cosine,
            .y0 = cy - sine * cx - cosine * cy};
  }

  // By dx pixels to the left and dy upwards.
  static constexpr AffineMap Translation(double dx, double dy) {
    return {.x0 = dx, .y0 = dy};
  }

  // Each row to the left by `tilt` pixels times its distance from `fixed_row`.
  static constexpr AffineMap Shear(double tilt, double fixed_row) {
    return {.xy = tilt, .x0 = -tilt * fixed_row};
  }
};

namespace internal {

template <class P>
struct WarpAffineKernel {
  HPCNN_NO_KERNEL("WarpAffine", P, "hpcnn/augment/affine_cuda.cuh");
};

template <>
struct WarpAffineKernel<Scalar> {
  template <std::size_t H, std::size_t W>
  static void Run(TensorView<const float, 1, H, W> image, const AffineMap& map,
                  TensorView<float, 1, H, W> out) {
    for (std::size_t y = 0; y < H; ++y) {
      // The start of a row is rounded once, from double.
      const double row = static_cast<double>(y);
      const float x_start = static_cast<float>(map.xy * row + map.x0);
      const float y_start = static_cast<float>(map.yy * row + map.y0);
      for (std::size_t x = 0; x < W; ++x) {
        const float column = static_cast<float>(x);
        out(0, y, x) =
            Sample(image, static_cast<float>(map.xx) * column + x_start,
                   static_cast<float>(map.yx) * column + y_start);
      }
    }
  }

 private:
  template <std::size_t H, std::size_t W>
  static float Sample(TensorView<const float, 1, H, W> image, float x,
                      float y) {
    const bool inside = x >= 0 && x <= static_cast<float>(W - 1) && y >= 0 &&
                        y <= static_cast<float>(H - 1);
    if (!inside) return 0;
    const auto left = static_cast<std::size_t>(x);
    const auto top = static_cast<std::size_t>(y);
    const std::size_t right = std::min(left + 1, W - 1);
    const std::size_t bottom = std::min(top + 1, H - 1);
    const auto lerp = [](float a, float b, float f) { return a + f * (b - a); };
    const float fx = x - static_cast<float>(left);
    return lerp(lerp(image(0, top, left), image(0, top, right), fx),
                lerp(image(0, bottom, left), image(0, bottom, right), fx),
                y - static_cast<float>(top));
  }
};

}  // namespace internal

// `image` and `out`: [1, H, W], not overlapping. Bit-equal for Scalar and Simd
// (compiled with -ffp-contract=off).
template <ExecutionPolicy P = DefaultPolicy, std::size_t H, std::size_t W>
void WarpAffine(std::type_identity_t<TensorView<const float, 1, H, W>> image,
                const AffineMap& map, TensorView<float, 1, H, W> out) {
  internal::WarpAffineKernel<P>::Run(image, map, out);
}

HPCNN_NAMESPACE_END

#ifndef __CUDACC__
#include "hpcnn/augment/affine_simd-inl.h"
#endif

#endif  // HPCNN_AUGMENT_AFFINE_H_
