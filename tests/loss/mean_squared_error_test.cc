// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loss/mean_squared_error.h"

#include <array>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/loss/loss.h"

namespace hpcnn {
namespace {

static_assert(Loss<MeanSquaredError>);

template <class P>
class MeanSquaredErrorTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(MeanSquaredErrorTest, Policies);

// Samples 1 and 2 of a batch of three; all numbers are exact.
TYPED_TEST(MeanSquaredErrorTest, ByHand) {
  const std::array<float, 6> targets = {9, 9, 1, -1, 0.5, 2};
  const std::array<float, 4> x = {3, -1, 0, 4};
  std::array<float, 4> d_x{};
  std::array<float, 2> losses{};
  MeanSquaredError::Evaluate<TypeParam>(
      MatrixView<const float>(x.data(), 2, 2),
      MatrixView<const float>(targets.data(), 3, 2), 1, 0.5f,
      MatrixView<float>(d_x.data(), 2, 2), std::span<float>(losses));
  EXPECT_EQ(losses, (std::array<float, 2>{(4 + 0) / 2.0f, (0.25f + 4) / 2}));
  // scale * 2 / 2 * difference
  EXPECT_EQ(d_x, (std::array<float, 4>{1, 0, -0.25, 1}));
}

}  // namespace
}  // namespace hpcnn
