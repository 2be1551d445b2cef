// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/activation.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
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

TYPED_TEST(ActivationTest, LeakyRelu) {
  Values y, d_x;
  Run<LeakyRelu<Percent<50>>, TypeParam>(y, d_x);
  EXPECT_EQ(y, (Values{-1, -0.25, 0, 0.5, 1, 30}));
  EXPECT_EQ(d_x, (Values{0.5, -1, 1.5, -4, 5, -6}));
}

TYPED_TEST(ActivationTest, Elu) {
  Values y, d_x;
  Run<Elu<Percent<200>>, TypeParam>(y, d_x);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const bool below = kX[i] <= 0;
    EXPECT_NEAR(y[i], below ? 2 * std::exp(kX[i]) - 2 : kX[i], 1e-15);
    EXPECT_NEAR(d_x[i], kGradient[i] * (below ? 2 * std::exp(kX[i]) : 1),
                1e-15);
  }
}

// Against torch.nn.functional.gelu of PyTorch 2.
TYPED_TEST(ActivationTest, Gelu) {
  const Values x = {-3, -0.5, 0, 0.5, 1, 2.5};
  const Values ones = {1, 1, 1, 1, 1, 1};
  const Values expected_y = {
      -0.00404969409489031, -0.15426876936299344, 0,
      0.34573123063700656,  0.841344746068543,    2.4844758366855597};
  const Values expected_d_x = {
      -0.01194564720418392, 0.13250487534383712, 0.5,
      0.8674951246561629,   1.0833154705876864,  1.037611085908145};
  Values y, d_x;
  using Layer = Gelu::On<Shape<3>>;
  Layer::Forward<TypeParam>(
      ForwardPass<double>{{}, {x.data(), 2, 3}, {y.data(), 2, 3}, {}});
  Layer::BackwardInput<TypeParam>(BackwardPass<double>{{},
                                                       {x.data(), 2, 3},
                                                       {nullptr, 2, 3},
                                                       {ones.data(), 2, 3},
                                                       {d_x.data(), 2, 3},
                                                       {}});
  for (std::size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(y[i], expected_y[i], 1e-15);
    EXPECT_NEAR(d_x[i], expected_d_x[i], 1e-15);
  }
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
