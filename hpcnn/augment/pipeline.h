// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AugmentPipeline: rotate, skew, shift and noise, drawn at random, from stored
// bytes to brightness 0..1 in one bilinear pass. Normalise: the same call
// without the augmentation. Between data and loader; both are pure functions of
// their arguments, without state or heap, so any thread may call them.
//
// The three geometric operations compose into one AffineMap. The rest is
// fixed-point arithmetic, the same to the bit for Scalar and Simd on any
// target:
//   positions   32 bits, 16 of them fraction: within 2^-11 pixel up to 64x64
//   weights     15 bits fraction
//   brightness  16 bits, in units of 1/128 of a stored level: 0..32640
// Outside the image is black, blended in over one pixel.
//
// Not for large images (Simd: above about 54x54, its stack budget): warp those
// with WarpAffine.

#ifndef HPCNN_AUGMENT_PIPELINE_H_
#define HPCNN_AUGMENT_PIPELINE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hpcnn/augment/affine.h"
#include "hpcnn/augment/noise.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// Every parameter is drawn uniformly from [-range, range].
struct AugmentRanges {
  float rotate = 8;     // degrees
  float shift = 1;      // pixels, each of x and y
  float skew = 0.1f;    // pixels a row
  float noise = 0.05f;  // brightness: each pixel draws from [-noise, noise]
};

// What one draw does to its image, in this order.
struct AugmentParameters {
  float angle = 0;  // degrees, counterclockwise about the centre
  float tilt = 0;   // pixels a row; the middle row stays, as skewing must not
                    // shift the image
  float dx = 0;     // pixels to the left
  float dy = 0;     // pixels upwards
  float noise = 0;  // largest change of brightness
};

namespace internal {

inline constexpr int kBrightnessUnit = 128;  // a stored level
inline constexpr int kBrightnessMax = 255 * kBrightnessUnit;
inline constexpr float kBrightnessScale = 1.0f / kBrightnessMax;

// An AffineMap in units of 2^-16 pixel, and the noise in units of 2^-15.
struct FixedWarp {
  std::int32_t xx, xy, x0;
  std::int32_t yx, yy, y0;
  std::int32_t noise;
};

// Rounds the steps and keeps the middle of the image exact, so that their
// error grows from there and not from a corner.
template <std::size_t H, std::size_t W>
FixedWarp MakeFixedWarp(const AffineMap& map, float noise) {
  const auto fixed = [](double v) {
    // Not a test of the sign, which is random: half would be mispredicted.
    return static_cast<std::int32_t>(std::floor(v * 65536 + 0.5));
  };
  const std::int32_t row = H / 2, column = W / 2;
  FixedWarp f{};
  f.xx = fixed(map.xx);
  f.xy = fixed(map.xy);
  f.yx = fixed(map.yx);
  f.yy = fixed(map.yy);
  f.x0 = fixed(map.xx * column + map.xy * row + map.x0) -
         (f.xx * column + f.xy * row);
  f.y0 = fixed(map.yx * column + map.yy * row + map.y0) -
         (f.yx * column + f.yy * row);
  f.noise = static_cast<std::int32_t>(noise * 32767 + 0.5f);
  return f;
}

template <class P>
struct AugmentKernel {
  HPCNN_NO_KERNEL("AugmentPipeline", P, "hpcnn/augment/pipeline_cuda.cuh");
};

template <>
struct AugmentKernel<Scalar> {
  template <std::size_t H, std::size_t W>
  static void Run(TensorView<const std::uint8_t, 1, H, W> image,
                  const FixedWarp& warp, const RandomPlace& noise_place,
                  TensorView<float, 1, H, W> out) {
    NoiseBytes bytes(noise_place);
    for (std::int32_t y = 0; y < std::int32_t{H}; ++y) {
      for (std::int32_t x = 0; x < std::int32_t{W}; ++x) {
        int value = Sample(image, warp.xx * x + warp.xy * y + warp.x0,
                           warp.yx * x + warp.yy * y + warp.y0);
        if (warp.noise != 0) {
          const int level = (static_cast<int>(bytes.Next()) - 128) * 256 + 128;
          value = std::clamp(value + Multiply15(level, warp.noise), 0,
                             kBrightnessMax);
        }
        out(0, y, x) = static_cast<float>(value) * kBrightnessScale;
      }
    }
  }

 private:
  // a * b / 2^15, rounded: what one SIMD instruction does.
  static constexpr int Multiply15(int a, int b) {
    return (a * b + (1 << 14)) >> 15;
  }

  template <std::size_t H, std::size_t W>
  static int Sample(TensorView<const std::uint8_t, 1, H, W> image,
                    std::int32_t x, std::int32_t y) {
    const auto at = [&](std::int32_t row, std::int32_t column) {
      const bool inside = row >= 0 && row < std::int32_t{H} && column >= 0 &&
                          column < std::int32_t{W};
      return inside ? image(0, row, column) * kBrightnessUnit : 0;
    };
    const auto lerp = [](int a, int b, int f) {
      return a + Multiply15(b - a, f);
    };
    const std::int32_t left = x >> 16, top = y >> 16;
    const int fx = (x & 0xFFFF) >> 1, fy = (y & 0xFFFF) >> 1;
    return lerp(lerp(at(top, left), at(top + 1, left), fy),
                lerp(at(top, left + 1), at(top + 1, left + 1), fy), fx);
  }
};

}  // namespace internal

template <class ImageShape, ExecutionPolicy P = DefaultPolicy>
class AugmentPipeline {
  static_assert(internal::kAlwaysFalse<ImageShape>,
                "hpcnn: AugmentPipeline takes images of Shape<1, H, W>");
};

template <std::size_t H, std::size_t W, ExecutionPolicy P>
class AugmentPipeline<Shape<1, H, W>, P> {
 public:
  explicit AugmentPipeline(std::uint64_t seed, const AugmentRanges& ranges = {})
      : seed_(seed), ranges_(ranges) {
    const auto within = [](float range, float limit) {
      return range >= 0 && range <= limit;  // false for NaN
    };
    HPCNN_CHECK(within(ranges.rotate, 360), "rotate must be in [0, 360]");
    // Larger ones show black, and overflow a 16-bit pixel position.
    HPCNN_CHECK(within(ranges.shift, 128), "shift must be in [0, 128]");
    HPCNN_CHECK(within(ranges.skew, 16), "skew must be in [0, 16]");
    HPCNN_CHECK(within(ranges.noise, 1), "noise must be in [0, 1]");
  }

  // What draw number `draw` of an epoch does.
  AugmentParameters Parameters(std::uint32_t epoch, std::uint32_t draw) const {
    RandomStream stream({seed_, epoch, draw, RandomOp::kAugment});
    const auto uniform = [&](float range) {
      return stream.Uniform(-range, range);
    };
    AugmentParameters p;
    p.angle = uniform(ranges_.rotate);
    p.tilt = uniform(ranges_.skew);
    p.dx = uniform(ranges_.shift);
    p.dy = uniform(ranges_.shift);
    p.noise = ranges_.noise;
    return p;
  }

  // in: [1, H, W], 0..255. out: [1, H, W], 0..1.
  void operator()(std::uint32_t epoch, std::uint32_t draw,
                  TensorView<const std::uint8_t, 1, H, W> in,
                  TensorView<float, 1, H, W> out) const {
    Apply(Parameters(epoch, draw), {seed_, epoch, draw, RandomOp::kNoise}, in,
          out);
  }

  // Rotation, skew and shift in one.
  static AffineMap Map(const AugmentParameters& p) {
    return AffineMap::Compose(
        AffineMap::Compose(AffineMap::Rotation(p.angle, H, W),
                           AffineMap::Shear(p.tilt, 0.5 * (H - 1))),
        AffineMap::Translation(p.dx, p.dy));
  }

  // The same with parameters of one's own, within the limits on the ranges.
  static void Apply(const AugmentParameters& p, const RandomPlace& noise_place,
                    TensorView<const std::uint8_t, 1, H, W> in,
                    TensorView<float, 1, H, W> out) {
    internal::AugmentKernel<P>::Run(
        in, internal::MakeFixedWarp<H, W>(Map(p), p.noise), noise_place, out);
  }

 private:
  std::uint64_t seed_;
  AugmentRanges ranges_;
};

// Bytes to brightness 0..1, nothing else; called like an AugmentPipeline.
template <class ImageShape>
class Normalise {
  static_assert(internal::kAlwaysFalse<ImageShape>,
                "hpcnn: Normalise takes images of Shape<1, H, W>");
};

template <std::size_t H, std::size_t W>
class Normalise<Shape<1, H, W>> {
 public:
  void operator()(std::uint32_t /*epoch*/, std::uint32_t /*draw*/,
                  TensorView<const std::uint8_t, 1, H, W> in,
                  TensorView<float, 1, H, W> out) const {
    // A loop that compilers turn into vectors by themselves; the same rounding
    // as AugmentPipeline's.
    for (std::size_t i = 0; i < in.size(); ++i) {
      out[i] = static_cast<float>(in[i]) *
               (internal::kBrightnessUnit * internal::kBrightnessScale);
    }
  }
};

HPCNN_NAMESPACE_END

#ifndef __CUDACC__
#include "hpcnn/augment/pipeline_simd-inl.h"
#endif

#endif  // HPCNN_AUGMENT_PIPELINE_H_
