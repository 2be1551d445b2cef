// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/flatten.h"

#include <array>
#include <span>
#include <type_traits>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

namespace hpcnn {
namespace {

using Layer = Flatten::On<Shape<1, 2, 2>>;
static_assert(std::is_same_v<Layer::Output, Shape<4>>);

static_assert(
    std::is_same_v<Reshape<4, 3>::On<Shape<1, 2, 6>>::Output, Shape<4, 3>>);
// Neither takes memory, not even in a row.
static_assert(Sequential<Input<12>, Dense<6>, Reshape<1, 2, 3>, Relu, Flatten,
                         Reshape<3, 2>>::kActivations == 6);

TEST(FlattenTest, KeepsTheOrder) {
  const std::array<float, 8> x = {1, 2, 3, 4, 5, 6, 7, 8};
  const MatrixView<const float> from(x.data(), 2, 4);
  std::array<float, 8> y{};
  const MatrixView<float> to(y.data(), 2, 4);
  Layer::Forward<Simd>(ForwardPass<float>{{}, from, to, {}});
  EXPECT_EQ(y, x);
  y = {};
  Layer::BackwardInput<Simd>(BackwardPass<float>{{}, from, from, from, to, {}});
  EXPECT_EQ(y, x);
  // On its own memory it does nothing.
  Layer::Forward<Simd>(ForwardPass<float>{{}, to, to, {}});
  EXPECT_EQ(y, x);
}

TEST(ReshapeTest, KeepsTheOrder) {
  using L = Reshape<2, 3>::On<Shape<6>>;
  const std::array<float, 6> x = {1, 2, 3, 4, 5, 6};
  std::array<float, 6> y{};
  L::Forward<Simd>(
      ForwardPass<float>{{}, {x.data(), 1, 6}, {y.data(), 1, 6}, {}});
  EXPECT_EQ(y, x);
}

}  // namespace
}  // namespace hpcnn
