// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/softmax.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"

namespace hpcnn {
namespace {

template <class P>
class SoftmaxTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(SoftmaxTest, Policies);

using Layer = Softmax::On<Shape<3>>;

TYPED_TEST(SoftmaxTest, RowsAreProbabilities) {
  // log 1, log 2, log 3; and the same far away.
  const std::array<double, 6> x = {0,   std::log(2),       std::log(3),
                                   500, 500 + std::log(2), 500 + std::log(3)};
  std::array<double, 6> y{};
  Layer::Forward<TypeParam>(
      ForwardPass<double>{{}, {x.data(), 2, 3}, {y.data(), 2, 3}, {}});
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(y[i], static_cast<double>(i % 3 + 1) / 6, 1e-13);
  }
}

// The Jacobian of softmax is diag(y) - y y^T.
TYPED_TEST(SoftmaxTest, GradientByHand) {
  const std::array<double, 3> y = {0.5, 0.25, 0.25};
  const std::array<double, 3> d_y = {4, 0, 8};
  std::array<double, 3> d_x{};
  Layer::BackwardInput<TypeParam>(BackwardPass<double>{{},
                                                       {nullptr, 1, 3},
                                                       {y.data(), 1, 3},
                                                       {d_y.data(), 1, 3},
                                                       {d_x.data(), 1, 3},
                                                       {}});
  EXPECT_EQ(d_x, (std::array<double, 3>{0, -1, 1}));
}

}  // namespace
}  // namespace hpcnn
