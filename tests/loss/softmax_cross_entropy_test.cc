// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loss/softmax_cross_entropy.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/loss/loss.h"

namespace hpcnn {
namespace {

static_assert(Loss<SoftmaxCrossEntropy>);

template <class P>
class SoftmaxCrossEntropyTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(SoftmaxCrossEntropyTest, Policies);

// The loss of one sample; d_x to `gradient`.
template <class P, std::size_t Classes>
double Evaluate(const std::array<double, Classes>& x, std::uint8_t label,
                std::array<double, Classes>& gradient) {
  double loss = 0;
  SoftmaxCrossEntropy::Evaluate<P>(
      MatrixView<const double>(x.data(), 1, Classes),
      std::span<const std::uint8_t>(&label, 1), 0, 1.0,
      MatrixView<double>(gradient.data(), 1, Classes),
      std::span<double>(&loss, 1));
  return loss;
}

TYPED_TEST(SoftmaxCrossEntropyTest, EqualLogitsLoseLogOfTheClassCount) {
  const std::array<double, 10> x{};
  std::array<double, 10> d_x{};
  EXPECT_NEAR(Evaluate<TypeParam>(x, 3, d_x), std::log(10), 1e-14);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_NEAR(d_x[i], i == 3 ? -0.9 : 0.1, 1e-15);
  }
}

// Softmax of (log 1, log 2, log 5) is (1, 2, 5) / 8.
TYPED_TEST(SoftmaxCrossEntropyTest, ByHand) {
  const std::array<double, 3> x = {0, std::log(2), std::log(5)};
  std::array<double, 3> d_x{};
  EXPECT_NEAR(Evaluate<TypeParam>(x, 1, d_x), std::log(4), 1e-14);
  EXPECT_NEAR(d_x[0], 1.0 / 8, 1e-14);
  EXPECT_NEAR(d_x[1], 2.0 / 8 - 1, 1e-14);
  EXPECT_NEAR(d_x[2], 5.0 / 8, 1e-14);
}

TYPED_TEST(SoftmaxCrossEntropyTest, ExtremeLogitsStayFinite) {
  const std::array<double, 3> x = {1e4, -1e4, 0};
  std::array<double, 3> d_x{};
  EXPECT_EQ(Evaluate<TypeParam>(x, 0, d_x), 0);
  EXPECT_EQ(d_x, (std::array<double, 3>{0, 0, 0}));
  EXPECT_EQ(Evaluate<TypeParam>(x, 1, d_x), 2e4);
  EXPECT_EQ(d_x, (std::array<double, 3>{1, -1, 0}));
}

// A network that diverges must not look well.
TYPED_TEST(SoftmaxCrossEntropyTest, ANanLogitMakesTheLossNan) {
  const std::array<double, 3> x = {1, std::numeric_limits<double>::quiet_NaN(),
                                   0};
  std::array<double, 3> d_x{};
  EXPECT_TRUE(std::isnan(Evaluate<TypeParam>(x, 0, d_x)));
}

// Samples 1 and 2 of a batch of three, scaled by a third.
TYPED_TEST(SoftmaxCrossEntropyTest, ReadsItsOwnLabelsAndScalesTheGradientOnly) {
  const std::array<std::uint8_t, 3> labels = {9, 1, 0};
  const std::array<float, 4> x{};
  std::array<float, 4> d_x{};
  std::array<float, 2> losses{};
  SoftmaxCrossEntropy::Evaluate<TypeParam>(
      MatrixView<const float>(x.data(), 2, 2),
      std::span<const std::uint8_t>(labels), 1, 0.25f,
      MatrixView<float>(d_x.data(), 2, 2), std::span<float>(losses));
  EXPECT_EQ(d_x, (std::array<float, 4>{0.125, -0.125, -0.125, 0.125}));
  EXPECT_FLOAT_EQ(losses[0], std::log(2.0f));
  EXPECT_FLOAT_EQ(losses[1], std::log(2.0f));
}

TEST(SoftmaxCrossEntropyDeathTest, RefusesALabelOutOfRange) {
  const std::array<double, 3> x{};
  std::array<double, 3> d_x{};
  EXPECT_DEATH(Evaluate<Simd>(x, 3, d_x), "below the class count");
}

}  // namespace
}  // namespace hpcnn
