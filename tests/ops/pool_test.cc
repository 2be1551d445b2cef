// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/pool.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

template <class P>
class PoolTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(PoolTest, Policies);

using ByHand = PoolGeometry<Shape<1, 2, 6>, 2, 2>;
constexpr float kX[] = {1, 5, 7, 7, -1, -2,  //
                        3, 5, 7, 7, -4, -1};

MatrixView<const float> X() { return {kX, 1, 12}; }

TYPED_TEST(PoolTest, MaxByHand) {
  std::vector<float> y(3, 99);
  MaxPoolForward<ByHand, TypeParam>(X(), MatrixView<float>(y.data(), 1, 3));
  EXPECT_EQ(y, (std::vector<float>{5, 7, -1}));
  const float d_y[] = {10, 20, 30};
  std::vector<float> d_x(12, 99);
  MaxPoolBackward<ByHand, TypeParam>(
      X(), MatrixView<const float>(y.data(), 1, 3),
      MatrixView<const float>(d_y, 1, 3), MatrixView<float>(d_x.data(), 1, 12));
  // To the first of equal ones.
  EXPECT_EQ(d_x, (std::vector<float>{0, 10, 20, 0, 30, 0,  //
                                     0, 0, 0, 0, 0, 0}));
}

TYPED_TEST(PoolTest, MeanByHand) {
  std::vector<float> y(3, 99);
  AvgPoolForward<ByHand, TypeParam>(X(), MatrixView<float>(y.data(), 1, 3));
  EXPECT_EQ(y, (std::vector<float>{3.5f, 7, -2}));
  const float d_y[] = {4, 8, -4};
  std::vector<float> d_x(12, 99);
  AvgPoolBackward<ByHand, TypeParam>(MatrixView<const float>(d_y, 1, 3),
                                     MatrixView<float>(d_x.data(), 1, 12));
  EXPECT_EQ(d_x, (std::vector<float>{1, 1, 2, 2, -1, -1,  //
                                     1, 1, 2, 2, -1, -1}));
}

// Where windows overlap, gradients add up.
TYPED_TEST(PoolTest, OverlappingWindows) {
  using G = PoolGeometry<Shape<1, 1, 3>, 1, 2, Stride<1>>;
  const float x[] = {1, 9, 2};
  std::vector<float> y(2, 99);
  MaxPoolForward<G, TypeParam>(MatrixView<const float>(x, 1, 3),
                               MatrixView<float>(y.data(), 1, 2));
  EXPECT_EQ(y, (std::vector<float>{9, 9}));
  const float d_y[] = {1, 2};
  std::vector<float> d_x(3, 99);
  MaxPoolBackward<G, TypeParam>(
      MatrixView<const float>(x, 1, 3), MatrixView<const float>(y.data(), 1, 2),
      MatrixView<const float>(d_y, 1, 2), MatrixView<float>(d_x.data(), 1, 3));
  EXPECT_EQ(d_x, (std::vector<float>{0, 3, 0}));
}

TYPED_TEST(PoolTest, NanPassesThrough) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t at = 0; at < 4; ++at) {
    std::vector<float> x(4, 1);
    x[at] = nan;
    float y = 0;
    MaxPoolForward<PoolGeometry<Shape<1, 2, 2>, 2, 2>, TypeParam>(
        MatrixView<const float>(x.data(), 1, 4), MatrixView<float>(&y, 1, 1));
    EXPECT_TRUE(std::isnan(y)) << at;
  }
}

// Widths of 1 to two vectors and more; few values, so that many are equal.
template <class T, std::size_t kCols>
void ExpectSameMaximum() {
  using G = PoolGeometry<Shape<2, 6, 2 * kCols>, 2, 2>;
  constexpr std::size_t kBatch = 2;
  RandomStream stream({.seed = kCols});
  const auto random = [&](std::size_t size) {
    GuardedVector<T> values(size);
    for (T& value : values) value = static_cast<T>(stream.Below(4));
    return values;
  };
  const GuardedVector<T> x = random(kBatch * G::Input::kVolume);
  const GuardedVector<T> d_y = random(kBatch * G::Output::kVolume);
  const MatrixView<const T> from(x.data(), kBatch, G::Input::kVolume);
  const auto run = [&]<class P>(P) {
    GuardedVector<T> y(d_y.size(), T{99}), d_x(x.size(), T{99});
    const MatrixView<T> out(y.data(), kBatch, G::Output::kVolume);
    MaxPoolForward<G, P>(from, out);
    MaxPoolBackward<G, P>(
        from, MatrixView<const T>(out),
        MatrixView<const T>(d_y.data(), kBatch, G::Output::kVolume),
        MatrixView<T>(d_x.data(), kBatch, G::Input::kVolume));
    std::vector<T> all(y.begin(), y.end());
    all.insert(all.end(), d_x.begin(), d_x.end());
    return all;
  };
  EXPECT_EQ(run(Simd()), run(Scalar())) << kCols;
}

TEST(PoolWidthsTest, SimdEqualsScalar) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (ExpectSameMaximum<float, I + 1>(), ...);
    (ExpectSameMaximum<double, 2 * I + 1>(), ...);
  }
  (std::make_index_sequence<35>{});
}

}  // namespace
}  // namespace hpcnn
