// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AugmentPipeline as C functions, a batch at a time, for augment.py.

#include <cstddef>
#include <cstdint>

#include "hpcnn/hpcnn.h"

namespace {

using Pipeline = hpcnn::AugmentPipeline<hpcnn::Shape<1, 28, 28>>;
constexpr std::size_t kPixels = 784;

Pipeline MakePipeline(float noise) { return Pipeline(1, {.noise = noise}); }

}  // namespace

extern "C" {

// bytes, images: [n, 784].
void Augment(const std::uint8_t* bytes, std::uint32_t n, float noise,
             float* images) {
  const Pipeline pipeline = MakePipeline(noise);
  for (std::uint32_t i = 0; i < n; ++i) {
    pipeline(
        0, i,
        hpcnn::TensorView<const std::uint8_t, 1, 28, 28>(bytes + i * kPixels),
        hpcnn::TensorView<float, 1, 28, 28>(images + i * kPixels));
  }
}

// What Augment does to its images: [n, 4] angle, tilt, dx, dy, and [n, 2, 3]
// the map from output to source.
void Parameters(std::uint32_t n, float* parameters, double* maps) {
  const Pipeline pipeline = MakePipeline(0);
  for (std::uint32_t i = 0; i < n; ++i) {
    const hpcnn::AugmentParameters p = pipeline.Parameters(0, i);
    for (const float value : {p.angle, p.tilt, p.dx, p.dy}) {
      *parameters++ = value;
    }
    const hpcnn::AffineMap map = Pipeline::Map(p);
    for (const double value :
         {map.xx, map.xy, map.x0, map.yx, map.yy, map.y0}) {
      *maps++ = value;
    }
  }
}

// n synthetic digits: [n, 784].
void Digits(std::uint32_t n, std::uint8_t* bytes) {
  const hpcnn::SyntheticDigits digits = hpcnn::MakeSyntheticDigits(n, 1);
  for (std::uint32_t i = 0; i < n; ++i) {
    for (const std::uint8_t level : digits.image(i)) *bytes++ = level;
  }
}

const char* SimdTarget() { return hwy::TargetName(HWY_STATIC_TARGET); }

}  // extern "C"
