// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/augment/affine.h"

#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/random.h"
#include "tests/augment/test_image.h"

namespace hpcnn {
namespace {

TEST(AffineMapTest, ComposesInTheOrderOfWarping) {
  const auto image = TestImage<9, 9>();
  const AffineMap turn = AffineMap::Rotation(90, 9, 9);
  const AffineMap shift = AffineMap::Translation(2, 0);
  Tensor<float, 1, 9, 9> turned, both, at_once;
  WarpAffine(image, turn, turned.view());
  WarpAffine(turned, shift, both.view());
  WarpAffine(image, AffineMap::Compose(turn, shift), at_once.view());
  for (std::size_t i = 0; i < image.size(); ++i) {
    EXPECT_EQ(at_once[i], both[i]);
  }
}

TEST(AffineMapTest, ShearKeepsItsFixedRow) {
  const AffineMap map = AffineMap::Shear(0.5, 4);
  EXPECT_EQ(map.xy * 4 + map.x0, 0);
  EXPECT_EQ(map.xy * 6 + map.x0, 1);
}

// Bit-equal for any map, at sizes around every vector length. Images lie at the
// end of their allocation, so that a sanitizer sees a read or write behind it.
template <std::size_t H, std::size_t W>
void ExpectSimdIsScalar() {
  const auto image = TestImage<H, W>();
  const std::vector<float> in(image.begin(), image.end());
  std::vector<float> scalar(H * W), simd(H * W);
  RandomStream random({1, H, W, RandomOp::kAugment});
  for (int i = 0; i < 20; ++i) {
    AffineMap map = AffineMap::Rotation(random.Uniform(-400, 400), H, W);
    map.xy += random.Uniform(-1, 1);
    map.x0 += random.Uniform(-0.3f, 0.3f) * W;
    map.y0 += random.Uniform(-0.3f, 0.3f) * H;
    const TensorView<const float, 1, H, W> view(in.data());
    WarpAffine<Scalar>(view, map, TensorView<float, 1, H, W>(scalar.data()));
    WarpAffine<Simd>(view, map, TensorView<float, 1, H, W>(simd.data()));
    ASSERT_EQ(std::memcmp(simd.data(), scalar.data(), H * W * sizeof(float)), 0)
        << H << "x" << W;
  }
}

template <std::size_t... I>
void Sweep(std::index_sequence<I...>) {
  (ExpectSimdIsScalar<I + 1, I + 1>(), ...);
  (ExpectSimdIsScalar<I + 1, 40 - I>(), ...);
}

TEST(WarpAffineParityTest, SimdIsScalar) {
  Sweep(std::make_index_sequence<40>());
}

}  // namespace
}  // namespace hpcnn
