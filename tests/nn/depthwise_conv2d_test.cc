// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/depthwise_conv2d.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/init.h"

namespace hpcnn {
namespace {

using Strided =
    DepthwiseConv2d<5, 3, Stride<2, 1>, Padding<1, 0>>::On<Shape<3, 29, 28>>;
static_assert(std::is_same_v<Strided::Output, Shape<3, 14, 26>>);
static_assert(Strided::kParameterRows == 3 && Strided::kRowSize == 5 * 3 + 1);
static_assert(Strided::kForwardFlops == 2 * 3 * 14 * 26 * 5 * 3);

template <class P>
class DepthwiseConv2dTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(DepthwiseConv2dTest, Policies);

// Two samples of two channels of [1, 3]; kernels of [1, 2] and biases.
using Layer = DepthwiseConv2d<1, 2>::On<Shape<2, 1, 3>>;
constexpr std::array<float, 6> kParams = {1, -1, 10, 2, 3, 20};
constexpr std::array<float, 12> kX = {1, 2, 4, 1, 0, -1,  //
                                      5, 5, 6, 0, 2, 1};
constexpr std::array<float, 8> kGradient = {1, 2, -1, 0,   //
                                            0, 1, 3,  1};  // d_y

TYPED_TEST(DepthwiseConv2dTest, ByHand) {
  std::array<float, Layer::kScratch> scratch;
  const MatrixView<const float> x(kX.data(), 2, 6), d_y(kGradient.data(), 2, 4);
  std::array<float, 8> y{};
  Layer::Forward<TypeParam>(
      ForwardPass<float>{kParams, x, {y.data(), 2, 4}, scratch});
  EXPECT_EQ(y, (std::array<float, 8>{9, 8, 22, 17, 10, 9, 26, 27}));
  std::array<float, 12> d_x{};
  Layer::BackwardInput<TypeParam>(BackwardPass<float>{
      kParams, x, {nullptr, 2, 4}, d_y, {d_x.data(), 2, 6}, scratch});
  EXPECT_EQ(d_x, (std::array<float, 12>{1, 1, -2, -2, -3, 0,  //
                                        0, 1, -1, 6, 11, 3}));
  std::array<float, 6> d_params{};
  Layer::BackwardParameters<TypeParam>(
      ParameterPass<float>{x, d_y, {0, 2}, d_params, scratch});
  EXPECT_EQ(d_params, (std::array<float, 6>{1 + 4 + 5, 2 + 8 + 6, 4,  //
                                            -1 + 2, 6 + 1, 3}));
}

TEST(DepthwiseConv2dInitTest, WeightsAreHesAndBiasesZero) {
  using L = DepthwiseConv2d<3, 3>::On<Shape<2, 9, 9>>;
  std::vector<float> params(L::kParameterRows * L::kRowSize, 9);
  RandomStream stream({.seed = 1});
  L::Initialise(std::span<float>(params), stream);
  RandomStream again({.seed = 1});
  for (std::size_t c = 0; c < 2; ++c) {
    std::array<float, 9> weights{};
    He::Fill(std::span<float>(weights), 9, 9, again);
    EXPECT_TRUE(std::equal(weights.begin(), weights.end(), &params[c * 10]));
    EXPECT_EQ(params[c * 10 + 9], 0);
  }
}

}  // namespace
}  // namespace hpcnn
