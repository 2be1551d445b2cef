// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/rotate.h"

#include <cstddef>

#include "gtest/gtest.h"
#include "tests/augment/fixtures.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

template <class P>
class RotateTest : public ::testing::Test {};
TYPED_TEST_SUITE(RotateTest, CpuPolicies);

template <class P, std::size_t H, std::size_t W>
Tensor<float, 1, H, W> Rotated(const Tensor<float, 1, H, W>& image,
                               float angle) {
  Tensor<float, 1, H, W> out;
  Rotate<P>(image, angle, out.view());
  return out;
}

TYPED_TEST(RotateTest, IsScipysRotate) {
  const auto digit = Rotated<TypeParam>(TestImage<28, 28>(), 10);
  ExpectNear(digit, kRotate28x28By10, 1e-5);
  const auto wide = TestImage<7, 9>();
  ExpectNear(Rotated<TypeParam>(wide, 45), kRotate7x9By45, 1e-5);
  ExpectNear(Rotated<TypeParam>(wide, -33.5), kRotate7x9ByMinus33, 1e-5);
  const auto row = Rotated<TypeParam>(TestImage<1, 6>(), 20);
  ExpectNear(row, kRotate1x6By20, 1e-5);
}

TYPED_TEST(RotateTest, QuarterTurnsKeepTheBorder) {
  const auto square = TestImage<6, 6>();
  ExpectNear(Rotated<TypeParam>(square, 90), kRotate6x6By90, 1e-6);
  ExpectNear(Rotated<TypeParam>(square, 180), kRotate6x6By180, 1e-6);
  const auto tall = Rotated<TypeParam>(TestImage<9, 5>(), -450);
  ExpectNear(tall, kRotate9x5ByMinus450, 1e-6);
  for (const float angle : {90.0f, 180.0f, 270.0f, -90.0f}) {
    const auto back =
        Rotated<TypeParam>(Rotated<TypeParam>(square, angle), -angle);
    for (std::size_t i = 0; i < square.size(); ++i) {
      EXPECT_EQ(back[i], square[i]);
    }
  }
}

TYPED_TEST(RotateTest, NothingAndWholeTurnsAreTheIdentity) {
  const auto image = TestImage<11, 17>();
  for (const float angle : {0.0f, 360.0f, -720.0f}) {
    const auto out = Rotated<TypeParam>(image, angle);
    for (std::size_t i = 0; i < image.size(); ++i) EXPECT_EQ(out[i], image[i]);
  }
}

TYPED_TEST(RotateTest, IsLinear) {
  const auto a = TestImage<12, 10>();
  auto b = a;
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = a[b.size() - 1 - i];
  auto sum = a;
  for (std::size_t i = 0; i < b.size(); ++i) sum[i] = 2 * a[i] + b[i];
  const auto rotated_a = Rotated<TypeParam>(a, 27);
  const auto rotated_b = Rotated<TypeParam>(b, 27);
  const auto rotated_sum = Rotated<TypeParam>(sum, 27);
  for (std::size_t i = 0; i < b.size(); ++i) {
    EXPECT_NEAR(rotated_sum[i], 2 * rotated_a[i] + rotated_b[i], 1e-6);
  }
}

}  // namespace
}  // namespace hpcnn
