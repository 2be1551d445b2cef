// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loss/binary_cross_entropy.h"

#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/loss/loss.h"

namespace hpcnn {
namespace {

static_assert(Loss<BinaryCrossEntropy>);

template <class P>
class BinaryCrossEntropyTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(BinaryCrossEntropyTest, Policies);

// The loss of one logit; its gradient to d_x.
template <class P, class T>
T Evaluate(T x, T target, T& d_x) {
  T loss = 0;
  BinaryCrossEntropy::Evaluate<P>(
      MatrixView<const T>(&x, 1, 1), MatrixView<const T>(&target, 1, 1), 0,
      T{1}, MatrixView<T>(&d_x, 1, 1), std::span<T>(&loss, 1));
  return loss;
}

// The sigmoid of log 3 is 3/4.
TYPED_TEST(BinaryCrossEntropyTest, ByHand) {
  double d_x = 0;
  EXPECT_NEAR(Evaluate<TypeParam>(std::log(3), 1.0, d_x), std::log(4.0 / 3),
              1e-15);
  EXPECT_NEAR(d_x, -0.25, 1e-15);
  EXPECT_NEAR(Evaluate<TypeParam>(-std::log(3), 1.0, d_x), std::log(4), 1e-15);
  EXPECT_NEAR(d_x, -0.75, 1e-15);
  EXPECT_NEAR(Evaluate<TypeParam>(std::log(3), 0.0, d_x), std::log(4), 1e-15);
  EXPECT_NEAR(d_x, 0.75, 1e-15);
  EXPECT_NEAR(Evaluate<TypeParam>(std::log(3), 0.5, d_x),
              (std::log(4) + std::log(4.0 / 3)) / 2, 1e-15);
  EXPECT_NEAR(d_x, 0.25, 1e-15);
}

TYPED_TEST(BinaryCrossEntropyTest, ExtremeLogitsStayFinite) {
  float d_x = 0;
  EXPECT_EQ(Evaluate<TypeParam>(1e30f, 1.0f, d_x), 0);
  EXPECT_EQ(d_x, 0);
  EXPECT_EQ(Evaluate<TypeParam>(1e30f, 0.0f, d_x), 1e30f);
  EXPECT_EQ(d_x, 1);
  EXPECT_EQ(Evaluate<TypeParam>(-1e30f, 1.0f, d_x), 1e30f);
  EXPECT_EQ(d_x, -1);
  EXPECT_EQ(Evaluate<TypeParam>(-1e30f, 0.0f, d_x), 0);
  EXPECT_EQ(d_x, 0);
  // 1 + exp(-20) is 1 in float; the loss is not 0.
  EXPECT_FLOAT_EQ(Evaluate<TypeParam>(20.0f, 1.0f, d_x), std::exp(-20.0f));
}

TYPED_TEST(BinaryCrossEntropyTest, ANanLogitMakesTheLossNan) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  double d_x = 0;
  EXPECT_TRUE(std::isnan(Evaluate<TypeParam>(kNan, 0.0, d_x)));
  EXPECT_TRUE(std::isnan(d_x));
}

// Samples 1 and 2 of a batch of three; logits of 0.
TYPED_TEST(BinaryCrossEntropyTest, IsTheMeanOverOutputs) {
  const std::array<float, 6> targets = {9, 9, 1, 0, 0.5, 1};
  const std::array<float, 4> x{};
  std::array<float, 4> d_x{};
  std::array<float, 2> losses{};
  BinaryCrossEntropy::Evaluate<TypeParam>(
      MatrixView<const float>(x.data(), 2, 2),
      MatrixView<const float>(targets.data(), 3, 2), 1, 0.5f,
      MatrixView<float>(d_x.data(), 2, 2), std::span<float>(losses));
  EXPECT_FLOAT_EQ(losses[0], std::log(2.0f));
  EXPECT_FLOAT_EQ(losses[1], std::log(2.0f));
  // scale / 2 * (1/2 - target)
  EXPECT_EQ(d_x, (std::array<float, 4>{-0.125, 0.125, 0, -0.125}));
}

TEST(BinaryCrossEntropyDeathTest, RefusesATargetOutOfRange) {
  double d_x = 0;
  EXPECT_DEATH(Evaluate<Simd>(0.0, 1.5, d_x), "must be in");
  EXPECT_DEATH(Evaluate<Simd>(0.0, -0.5, d_x), "must be in");
}

}  // namespace
}  // namespace hpcnn
