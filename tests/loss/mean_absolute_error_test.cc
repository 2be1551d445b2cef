// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loss/mean_absolute_error.h"

#include <array>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/loss/loss.h"

namespace hpcnn {
namespace {

static_assert(Loss<MeanAbsoluteError>);

template <class P>
class MeanAbsoluteErrorTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(MeanAbsoluteErrorTest, Policies);

// Samples 1 and 2 of a batch of three; all numbers are exact.
TYPED_TEST(MeanAbsoluteErrorTest, ByHand) {
  const std::array<float, 6> targets = {9, 9, 1, -1, 0.5, 2};
  const std::array<float, 4> x = {3, -1, 0, 4};
  std::array<float, 4> d_x{};
  std::array<float, 2> losses{};
  MeanAbsoluteError::Evaluate<TypeParam>(
      MatrixView<const float>(x.data(), 2, 2),
      MatrixView<const float>(targets.data(), 3, 2), 1, 0.5f,
      MatrixView<float>(d_x.data(), 2, 2), std::span<float>(losses));
  EXPECT_EQ(losses, (std::array<float, 2>{(2 + 0) / 2.0f, (0.5f + 2) / 2}));
  // scale / 2 * sign; 0 at the kink
  EXPECT_EQ(d_x, (std::array<float, 4>{0.25, 0, -0.25, 0.25}));
}

TYPED_TEST(MeanAbsoluteErrorTest, ExtremeOutputsStayFinite) {
  const float x = 3e38f;
  const float target = 0;
  float d_x = 0;
  float loss = 0;
  MeanAbsoluteError::Evaluate<TypeParam>(
      MatrixView<const float>(&x, 1, 1), MatrixView<const float>(&target, 1, 1),
      0, 1.0f, MatrixView<float>(&d_x, 1, 1), std::span<float>(&loss, 1));
  EXPECT_EQ(loss, x);
  EXPECT_EQ(d_x, 1);
}

}  // namespace
}  // namespace hpcnn
