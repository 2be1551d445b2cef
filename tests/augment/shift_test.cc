// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/shift.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "gtest/gtest.h"
#include "tests/augment/fixtures.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

template <class P>
class ShiftTest : public ::testing::Test {};
TYPED_TEST_SUITE(ShiftTest, CpuPolicies);

template <class P, std::size_t H, std::size_t W>
Tensor<float, 1, H, W> Shifted(const Tensor<float, 1, H, W>& image, float dx,
                               float dy) {
  Tensor<float, 1, H, W> out;
  Shift<P>(image, dx, dy, out.view());
  return out;
}

TYPED_TEST(ShiftTest, IsScipysShift) {
  const auto image = TestImage<5, 7>();
  ExpectNear(Shifted<TypeParam>(image, 1, 2), kShift5x7By1And2, 1e-6);
  ExpectNear(Shifted<TypeParam>(image, -3, 1), kShift5x7ByMinus3And1, 1e-6);
  ExpectNear(Shifted<TypeParam>(image, 0.5, -1.25), kShift5x7ByHalf, 1e-5);
}

// out[y][x] = image[y + dy][x + dx], in all four directions and beyond.
TYPED_TEST(ShiftTest, WholePixelsAreExact) {
  constexpr int kH = 5, kW = 19;
  const auto image = TestImage<kH, kW>();
  for (int dy = -kH - 1; dy <= kH + 1; ++dy) {
    for (int dx = -kW - 1; dx <= kW + 1; ++dx) {
      const auto out = Shifted<TypeParam>(image, static_cast<float>(dx),
                                          static_cast<float>(dy));
      for (int y = 0; y < kH; ++y) {
        for (int x = 0; x < kW; ++x) {
          const bool inside =
              y + dy >= 0 && y + dy < kH && x + dx >= 0 && x + dx < kW;
          ASSERT_EQ(out(0, y, x), inside ? image(0, y + dy, x + dx) : 0)
              << dx << ", " << dy << " at " << x << ", " << y;
        }
      }
    }
  }
}

TYPED_TEST(ShiftTest, FarAwayIsBlack) {
  const auto image = TestImage<5, 7>();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float far : {7.0f, 1e9f, 3e38f, infinity, std::nanf("")}) {
    for (const float dx : {far, -far}) {
      for (const float v : Shifted<TypeParam>(image, dx, 0)) EXPECT_EQ(v, 0);
      for (const float v : Shifted<TypeParam>(image, 0, dx)) EXPECT_EQ(v, 0);
    }
  }
}

}  // namespace
}  // namespace hpcnn
