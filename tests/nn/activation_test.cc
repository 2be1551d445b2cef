// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/activation.h"

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
class ActivationTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(ActivationTest, Policies);

// Two samples of [3, 1].
using Values = std::array<double, 6>;
constexpr Values kX = {-2, -0.5, 0, 0.5, 1, 30};
constexpr Values kGradient = {1, -2, 3, -4, 5, -6};  // d_y

// y and d_x of a layer, each computed in place.
template <class L, class P>
void Run(Values& y, Values& d_x) {
  y = kX;
  d_x = kGradient;
  const MatrixView<double> out(y.data(), 2, 3);
  const MatrixView<double> gradient(d_x.data(), 2, 3);
  using Layer = typename L::template On<Shape<3, 1>>;
  Layer::template Forward<P>(ForwardPass<double>{{}, out, out, {}});
  Layer::template BackwardInput<P>(
      BackwardPass<double>{{}, out, out, gradient, gradient, {}});
}

TYPED_TEST(ActivationTest, Relu) {
  Values y, d_x;
  Run<Relu, TypeParam>(y, d_x);
  EXPECT_EQ(y, (Values{0, 0, 0, 0.5, 1, 30}));
  EXPECT_EQ(d_x, (Values{0, 0, 0, -4, 5, -6}));
}

TYPED_TEST(ActivationTest, Sigmoid) {
  Values y, d_x;
  Run<Sigmoid, TypeParam>(y, d_x);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double s = 1 / (1 + std::exp(-kX[i]));
    EXPECT_NEAR(y[i], s, 1e-15);
    EXPECT_NEAR(d_x[i], kGradient[i] * s * (1 - s), 1e-14);
  }
}

TYPED_TEST(ActivationTest, Tanh) {
  Values y, d_x;
  Run<Tanh, TypeParam>(y, d_x);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double t = std::tanh(kX[i]);
    EXPECT_NEAR(y[i], t, 1e-15);
    EXPECT_NEAR(d_x[i], kGradient[i] * (1 - t * t), 1e-14);
  }
}

}  // namespace
}  // namespace hpcnn
