// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/noise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "gtest/gtest.h"
#include "tests/augment/fixtures.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

constexpr RandomPlace kPlace = {0x123456789AB, 3, 7, RandomOp::kNoise};

template <class P>
class NoiseTest : public ::testing::Test {};
TYPED_TEST_SUITE(NoiseTest, CpuPolicies);

TYPED_TEST(NoiseTest, IsPhiloxInNumpy) {
  const auto image = TestImage<5, 7>();
  Tensor<float, 1, 5, 7> out;
  AddNoise<TypeParam>(image, 0.2f, kPlace, out.view());
  ExpectNear(out, kNoise5x7By02, 1e-6);
  AddNoise<TypeParam>(image, 1, kPlace, out.view());
  ExpectNear(out, kNoise5x7By1, 1e-6);
}

TYPED_TEST(NoiseTest, NoneIsTheIdentityAndInPlaceIsAllowed) {
  const auto image = TestImage<28, 28>();
  auto same = image;
  AddNoise<TypeParam>(same, 0, kPlace, same.view());
  Tensor<float, 1, 28, 28> apart;
  AddNoise<TypeParam>(image, 0.3f, kPlace, apart.view());
  auto in_place = image;
  AddNoise<TypeParam>(in_place, 0.3f, kPlace, in_place.view());
  for (std::size_t i = 0; i < image.size(); ++i) {
    EXPECT_EQ(same[i], image[i]);
    EXPECT_EQ(in_place[i], apart[i]);
  }
}

// On mid-grey nothing is clamped: mean 0, variance max^2 / 3 (times 257 / 255
// for 256 levels), and never more than max.
TYPED_TEST(NoiseTest, IsUniformAndBounded) {
  constexpr std::size_t kSide = 200;
  static Tensor<float, 1, kSide, kSide> image, out;
  std::fill(image.begin(), image.end(), 0.5f);
  AddNoise<TypeParam>(image, 0.4f, kPlace, out.view());
  double sum = 0, squares = 0, largest = 0;
  for (const float v : out) {
    const double noise = v - 0.5;
    sum += noise;
    squares += noise * noise;
    largest = std::max(largest, std::abs(noise));
  }
  const double n = kSide * kSide;
  const double variance = 0.16 / 3 * 257 / 255;
  EXPECT_NEAR(sum / n, 0, 4 * std::sqrt(variance / n));
  EXPECT_NEAR(squares / n, variance, 0.02 * variance);
  EXPECT_NEAR(largest, 0.4, 1e-6);
}

TYPED_TEST(NoiseTest, StaysLegal) {
  Tensor<float, 1, 20, 20> image, out;
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = i % 2 ? 1.0f : 0.0f;
  AddNoise<TypeParam>(image, 1, kPlace, out.view());
  const auto [low, high] = std::minmax_element(out.begin(), out.end());
  EXPECT_EQ(*low, 0);
  EXPECT_EQ(*high, 1);
}

// A large image, so that the noise comes in several pieces, with a tail.
TEST(NoiseParityTest, SimdIsScalar) {
  static Tensor<float, 1, 61, 67> image = TestImage<61, 67>(), scalar, simd;
  AddNoise<Scalar>(image, 0.25f, kPlace, scalar.view());
  AddNoise<Simd>(image, 0.25f, kPlace, simd.view());
  for (std::size_t i = 0; i < image.size(); ++i) {
    ASSERT_EQ(simd[i], scalar[i]) << i;
  }
}

}  // namespace
}  // namespace hpcnn
