// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Conv2d and pools as layers: shapes, parameters, initial values. What they
// compute is held in tests/ops, their gradients in gradient_test.cc.

#include "hpcnn/nn/conv2d.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/init.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"

namespace hpcnn {
namespace {

// The course's formula, rows and columns apart.
using Layer =
    Conv2d<8, 5, 3, Stride<2, 1>, Padding<1, 0>>::On<Shape<3, 29, 28>>;
static_assert(std::is_same_v<Layer::Output, Shape<8, 14, 26>>);
static_assert(Layer::kParameterRows == 8 && Layer::kRowSize == 3 * 5 * 3 + 1);
static_assert(Layer::kForwardFlops == 2 * 8 * 14 * 26 * 3 * 5 * 3);

using Net = Sequential<Input<1, 28, 28>, Conv2d<6, 5, 5>, MaxPool<2>,
                       Conv2d<16, 5, 5>, AvgPool<2>, Flatten, Dense<10>>;
static_assert(std::is_same_v<Net::LayerAt<0>::Output, Shape<6, 24, 24>>);
static_assert(std::is_same_v<Net::LayerAt<1>::Output, Shape<6, 12, 12>>);
static_assert(std::is_same_v<Net::LayerAt<3>::Output, Shape<16, 4, 4>>);
static_assert(Net::kParameterCount ==
              6 * 26 + 16 * (6 * 25 + 1) + (16 * 4 * 4 + 1) * 10);
static_assert(
    std::is_same_v<MaxPool<3, 2, Stride<1>>::On<Shape<4, 5, 7>>::Output,
                   Shape<4, 3, 6>>);
static_assert(
    std::is_same_v<GlobalAvgPool::On<Shape<4, 5, 7>>::Output, Shape<4>>);

TEST(Conv2dInitTest, WeightsAreHesAndBiasesZero) {
  using L = Conv2d<5, 3, 3>::On<Shape<2, 9, 9>>;
  std::vector<float> params(L::kParameterRows * L::kRowSize, 9);
  RandomStream stream({.seed = 1});
  L::Initialise(std::span<float>(params), stream);
  RandomStream again({.seed = 1});
  for (std::size_t o = 0; o < 5; ++o) {
    std::vector<float> weights(2 * 3 * 3);
    He::Fill(std::span<float>(weights), 2 * 3 * 3, 5 * 3 * 3, again);
    EXPECT_TRUE(
        std::equal(weights.begin(), weights.end(),
                   params.begin() + static_cast<long>(o * L::kRowSize)));
    EXPECT_EQ(params[(o + 1) * L::kRowSize - 1], 0);
  }
}

}  // namespace
}  // namespace hpcnn
