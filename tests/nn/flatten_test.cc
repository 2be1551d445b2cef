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

namespace hpcnn {
namespace {

using Layer = Flatten::On<Shape<1, 2, 2>>;
static_assert(std::is_same_v<Layer::Output, Shape<4>>);

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

}  // namespace
}  // namespace hpcnn
