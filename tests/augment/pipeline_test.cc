// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/pipeline.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/augment/rotate.h"
#include "hpcnn/augment/shift.h"
#include "hpcnn/augment/skew.h"
#include "hpcnn/base/random.h"
#include "tests/augment/fixtures.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

constexpr RandomPlace kPlace = {5, 3, 7, RandomOp::kNoise};
// Fixed-point positions (2^-11 pixel) and weights, against exact ones.
constexpr double kFixedPoint = 1e-3;

template <class P>
class PipelineTest : public ::testing::Test {};
TYPED_TEST_SUITE(PipelineTest, CpuPolicies);

template <class P, std::size_t H, std::size_t W>
Tensor<float, 1, H, W> Applied(const Tensor<std::uint8_t, 1, H, W>& image,
                               const AugmentParameters& parameters) {
  Tensor<float, 1, H, W> out;
  AugmentPipeline<Shape<1, H, W>, P>::Apply(parameters, kPlace, image, out);
  return out;
}

// The test image with two black pixels around, where the border rules of the
// single operations and of the pipeline agree.
template <std::size_t H, std::size_t W>
Tensor<std::uint8_t, 1, H, W> FramedLevels() {
  auto image = TestLevels<H, W>();
  for (std::size_t y = 0; y < H; ++y) {
    for (std::size_t x = 0; x < W; ++x) {
      if (y < 2 || y + 2 >= H || x < 2 || x + 2 >= W) image(0, y, x) = 0;
    }
  }
  return image;
}

template <std::size_t H, std::size_t W>
Tensor<float, 1, H, W> Brightness(const Tensor<std::uint8_t, 1, H, W>& levels) {
  Tensor<float, 1, H, W> out;
  Normalise<Shape<1, H, W>>()(0, 0, levels, out);
  return out;
}

TYPED_TEST(PipelineTest, IsScipysAffineTransform) {
  ExpectNear(
      Applied<TypeParam>(TestLevels<28, 28>(),
                         {.angle = 11, .tilt = 0.13f, .dx = 1.4f, .dy = -0.7f}),
      kPipeline28x28, kFixedPoint);
  ExpectNear(Applied<TypeParam>(
                 TestLevels<9, 14>(),
                 {.angle = -25, .tilt = -0.4f, .dx = -2.3f, .dy = 1.1f}),
             kPipeline9x14, kFixedPoint);
}

TYPED_TEST(PipelineTest, NothingDrawnIsNormalise) {
  const auto levels = TestLevels<28, 28>();
  const auto expected = Brightness(levels);
  const AugmentPipeline<Shape<1, 28, 28>, TypeParam> pipeline(
      1, {.rotate = 0, .shift = 0, .skew = 0, .noise = 0});
  Tensor<float, 1, 28, 28> out;
  pipeline(4, 2, levels, out);
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_EQ(out[i], expected[i]);
    EXPECT_EQ(expected[i], static_cast<float>(levels[i]) * (1.0f / 255));
  }
  EXPECT_EQ(*std::max_element(out.begin(), out.end()), 1);
}

TYPED_TEST(PipelineTest, WholeShiftIsShift) {
  const auto levels = TestLevels<28, 28>();
  const auto image = Brightness(levels);
  Tensor<float, 1, 28, 28> expected;
  for (const float dx : {-30.0f, -3.0f, 0.0f, 2.0f, 128.0f}) {
    for (const float dy : {-128.0f, -1.0f, 0.0f, 5.0f, 27.0f}) {
      Shift<Scalar>(image, dx, dy, expected.view());
      const auto out = Applied<TypeParam>(levels, {.dx = dx, .dy = dy});
      for (std::size_t i = 0; i < out.size(); ++i) {
        ASSERT_EQ(out[i], expected[i]) << dx << ", " << dy;
      }
    }
  }
}

TYPED_TEST(PipelineTest, RotationIsRotate) {
  const auto levels = FramedLevels<28, 28>();
  const auto image = Brightness(levels);
  Tensor<float, 1, 28, 28> expected;
  for (const float angle : {-360.0f, -90.0f, -7.5f, 3.0f, 45.0f, 200.0f}) {
    Rotate<Scalar>(image, angle, expected.view());
    const auto out = Applied<TypeParam>(levels, {.angle = angle});
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], expected[i], kFixedPoint) << angle;
    }
  }
}

// Skewing about the middle row is Skew followed by the Shift that undoes what
// it does to that row.
TYPED_TEST(PipelineTest, SkewIsSkewAndShift) {
  const auto levels = FramedLevels<13, 20>();
  const auto image = Brightness(levels);
  Tensor<float, 1, 13, 20> expected;
  const AffineMap map = AffineMap::Compose(AffineMap::Shear(0.3f, 0),
                                           AffineMap::Translation(-0.3 * 6, 0));
  WarpAffine<Scalar>(image, map, expected.view());
  const auto out = Applied<TypeParam>(levels, {.tilt = 0.3f});
  for (std::size_t i = 0; i < out.size(); ++i) {
    ASSERT_NEAR(out[i], expected[i], kFixedPoint);
  }
}

TYPED_TEST(PipelineTest, NoiseIsAddNoise) {
  const auto levels = TestLevels<28, 28>();
  Tensor<float, 1, 28, 28> expected;
  for (const float noise : {0.05f, 0.5f, 1.0f}) {
    AddNoise<Scalar>(Brightness(levels), noise, kPlace, expected.view());
    const auto out = Applied<TypeParam>(levels, {.noise = noise});
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], expected[i], 1.0 / 16384);
    }
  }
}

TYPED_TEST(PipelineTest, IsAFunctionOfSeedEpochAndDraw) {
  const auto levels = TestLevels<28, 28>();
  const auto run = [&](std::uint64_t seed, std::uint32_t epoch,
                       std::uint32_t draw) {
    Tensor<float, 1, 28, 28> out;
    const AugmentPipeline<Shape<1, 28, 28>, TypeParam> pipeline(seed);
    pipeline(epoch, draw, levels, out);
    return std::vector<float>(out.begin(), out.end());
  };
  const auto once = run(1, 2, 3);
  EXPECT_EQ(run(1, 2, 3), once);
  EXPECT_NE(run(2, 2, 3), once);
  EXPECT_NE(run(1, 3, 3), once);
  EXPECT_NE(run(1, 2, 4), once);
  EXPECT_NE(run(1, 3, 2), once);
}

TEST(PipelineParametersTest, FillTheirRangesAndReplay) {
  const AugmentRanges ranges{.rotate = 12, .shift = 2, .skew = 0.15f};
  const AugmentPipeline<Shape<1, 28, 28>> pipeline(9, ranges);
  AugmentParameters low, high;
  for (std::uint32_t draw = 0; draw < 2000; ++draw) {
    const AugmentParameters p = pipeline.Parameters(1, draw);
    const auto track = [&](float AugmentParameters::*field) {
      low.*field = std::min(low.*field, p.*field);
      high.*field = std::max(high.*field, p.*field);
    };
    track(&AugmentParameters::angle);
    track(&AugmentParameters::tilt);
    track(&AugmentParameters::dx);
    track(&AugmentParameters::dy);
    EXPECT_EQ(p.noise, ranges.noise);
  }
  const auto expect_fills = [&](float AugmentParameters::*field, float range) {
    EXPECT_GE(low.*field, -range);
    EXPECT_LE(high.*field, range);
    EXPECT_LT(low.*field, -0.99f * range);
    EXPECT_GT(high.*field, 0.99f * range);
  };
  expect_fills(&AugmentParameters::angle, 12);
  expect_fills(&AugmentParameters::tilt, 0.15f);
  expect_fills(&AugmentParameters::dx, 2);
  expect_fills(&AugmentParameters::dy, 2);

  const auto levels = TestLevels<28, 28>();
  Tensor<float, 1, 28, 28> drawn, replayed;
  pipeline(1, 17, levels, drawn);
  pipeline.Apply(pipeline.Parameters(1, 17), {9, 1, 17, RandomOp::kNoise},
                 levels, replayed);
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    EXPECT_EQ(replayed[i], drawn[i]);
  }
}

TEST(PipelineDeathTest, RefusesRangesThatOverflow) {
  using Pipeline = AugmentPipeline<Shape<1, 28, 28>>;
  EXPECT_DEATH(Pipeline(1, {.rotate = 361}), "rotate must be");
  EXPECT_DEATH(Pipeline(1, {.shift = -1}), "shift must be");
  EXPECT_DEATH(Pipeline(1, {.skew = 17}), "skew must be");
  EXPECT_DEATH(Pipeline(1, {.noise = 1.5f}), "noise must be");
}

// Bit-equal, at sizes around every vector and table length, for the smallest
// and the largest ranges. Images lie at the end of their allocation, so that a
// sanitizer sees a read or write behind it.
template <std::size_t H, std::size_t W>
void ExpectSimdIsScalar() {
  const auto levels = TestLevels<H, W>();
  const std::vector<std::uint8_t> in(levels.begin(), levels.end());
  std::vector<float> scalar(H * W), simd(H * W);
  const TensorView<const std::uint8_t, 1, H, W> view(in.data());
  for (const AugmentRanges& ranges :
       {AugmentRanges{}, AugmentRanges{.noise = 0},
        AugmentRanges{.rotate = 60, .shift = 9, .skew = 1, .noise = 0.3f},
        AugmentRanges{.rotate = 360, .shift = 128, .skew = 16, .noise = 1}}) {
    const AugmentPipeline<Shape<1, H, W>, Scalar> reference(H, ranges);
    const AugmentPipeline<Shape<1, H, W>, Simd> candidate(H, ranges);
    for (std::uint32_t draw = 0; draw < 8; ++draw) {
      reference(W, draw, view, TensorView<float, 1, H, W>(scalar.data()));
      candidate(W, draw, view, TensorView<float, 1, H, W>(simd.data()));
      ASSERT_EQ(std::memcmp(simd.data(), scalar.data(), H * W * sizeof(float)),
                0)
          << H << "x" << W << ", rotate " << ranges.rotate;
    }
  }
}

TEST(PipelineParityTest, SimdIsScalar) {
  ExpectSimdIsScalar<1, 1>();
  ExpectSimdIsScalar<40, 1>();
  ExpectSimdIsScalar<1, 40>();
  ExpectSimdIsScalar<5, 3>();
  ExpectSimdIsScalar<9, 8>();
  ExpectSimdIsScalar<13, 14>();
  ExpectSimdIsScalar<3, 15>();
  ExpectSimdIsScalar<17, 16>();
  ExpectSimdIsScalar<11, 17>();
  ExpectSimdIsScalar<28, 28>();
  ExpectSimdIsScalar<27, 29>();
  ExpectSimdIsScalar<30, 30>();
  ExpectSimdIsScalar<4, 31>();
  ExpectSimdIsScalar<32, 32>();
  ExpectSimdIsScalar<33, 33>();
  ExpectSimdIsScalar<20, 61>();
  ExpectSimdIsScalar<20, 62>();
  ExpectSimdIsScalar<3, 130>();
}

}  // namespace
}  // namespace hpcnn
