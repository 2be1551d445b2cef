// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/init.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/random.h"

namespace hpcnn {
namespace {

TEST(InitTest, XavierFillsItsRangeEvenly) {
  constexpr std::size_t kIn = 300, kOut = 100;
  std::vector<float> weights(kIn * kOut);
  RandomStream stream({.seed = 1});
  Xavier::Fill(std::span<float>(weights), kIn, kOut, stream);
  const float limit = std::sqrt(6.0f / 400);
  const auto [low, high] = std::minmax_element(weights.begin(), weights.end());
  EXPECT_GE(*low, -limit);
  EXPECT_LE(*high, limit);
  EXPECT_LT(*low, -0.999f * limit);
  EXPECT_GT(*high, 0.999f * limit);
  double sum = 0;
  double squares = 0;
  for (const float w : weights) {
    sum += double{w};
    squares += double{w} * double{w};
  }
  const double count = kIn * kOut;
  // Four standard deviations of the mean; the variance is 2 / (in + out).
  EXPECT_NEAR(sum / count, 0, 4 * std::sqrt(2.0 / 400 / count));
  EXPECT_NEAR(squares / count, 2.0 / 400, 0.02 * 2.0 / 400);
}

TEST(InitTest, ZerosAreZero) {
  std::vector<double> weights(7, 1.0);
  RandomStream stream({.seed = 1});
  Zeros::Fill(std::span<double>(weights), 7, 1, stream);
  EXPECT_EQ(weights, std::vector<double>(7, 0.0));
}

}  // namespace
}  // namespace hpcnn
