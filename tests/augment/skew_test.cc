// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/skew.h"

#include <cstddef>

#include "gtest/gtest.h"
#include "tests/augment/fixtures.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

template <class P>
class SkewTest : public ::testing::Test {};
TYPED_TEST_SUITE(SkewTest, CpuPolicies);

template <class P, std::size_t H, std::size_t W>
Tensor<float, 1, H, W> Skewed(const Tensor<float, 1, H, W>& image, float tilt) {
  Tensor<float, 1, H, W> out;
  Skew<P>(image, tilt, out.view());
  return out;
}

TYPED_TEST(SkewTest, IsNumpysInterpolation) {
  const auto image = TestImage<6, 8>();
  ExpectNear(Skewed<TypeParam>(image, 1), kSkew6x8By1, 1e-6);
  ExpectNear(Skewed<TypeParam>(image, -2), kSkew6x8ByMinus2, 1e-6);
  const auto odd = Skewed<TypeParam>(TestImage<9, 11>(), 0.3f);
  ExpectNear(odd, kSkew9x11By03, 1e-5);
}

// out[y][x] = image[y][x + y * tilt].
TYPED_TEST(SkewTest, WholeTiltsAreTheFormula) {
  constexpr int kH = 9, kW = 6;
  const auto image = TestImage<kH, kW>();
  for (const int tilt : {0, 1, -1, 3, -7}) {
    const auto out = Skewed<TypeParam>(image, static_cast<float>(tilt));
    for (int y = 0; y < kH; ++y) {
      for (int x = 0; x < kW; ++x) {
        const int from = x + y * tilt;
        const bool inside = from >= 0 && from < kW;
        EXPECT_EQ(out(0, y, x), inside ? image(0, y, from) : 0);
      }
    }
  }
}

}  // namespace
}  // namespace hpcnn
