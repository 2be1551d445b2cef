// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/dense.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/init.h"

namespace hpcnn {
namespace {

template <class P>
class DenseTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(DenseTest, Policies);

using Layer = Dense<3>::On<Shape<2>>;

// W [2, 3], then b [3]; two samples; all numbers are exact.
constexpr std::array<float, 9> kParams = {1, 2, 3, -1, 0.5, 4, 10, 20, 30};
constexpr std::array<float, 4> kX = {1, 2, -3, 0};
constexpr std::array<float, 6> kGradient = {1, 0, -1, 2, 4, 8};  // d_y

MatrixView<const float> X() { return {kX.data(), 2, 2}; }
MatrixView<const float> Gradient() { return {kGradient.data(), 2, 3}; }

TYPED_TEST(DenseTest, ForwardByHand) {
  std::array<float, 6> y{};
  Layer::Forward<TypeParam>(
      ForwardPass<float>{kParams, X(), {y.data(), 2, 3}, {}});
  EXPECT_EQ(y, (std::array<float, 6>{1 - 2 + 10, 2 + 1 + 20, 3 + 8 + 30,
                                     -3 + 10, -6 + 20, -9 + 30}));
}

TYPED_TEST(DenseTest, BackwardInputByHand) {
  std::array<float, 4> d_x{};
  Layer::BackwardInput<TypeParam>(BackwardPass<float>{
      kParams, X(), Gradient(), Gradient(), {d_x.data(), 2, 2}, {}});
  EXPECT_EQ(d_x,
            (std::array<float, 4>{1 - 3, -1 - 4, 2 + 8 + 24, -2 + 2 + 32}));
}

TYPED_TEST(DenseTest, BackwardParametersByHand) {
  std::array<float, 9> d_params{};
  Layer::BackwardParameters<TypeParam>(
      ParameterPass<float>{X(), Gradient(), {0, 3}, d_params, {}});
  EXPECT_EQ(d_params, (std::array<float, 9>{1 - 6, -12, -1 - 24,  //
                                            2, 0, -2,             //
                                            3, 4, 7}));
}

// Threads share the rows of the gradient; the bits must not show it.
TYPED_TEST(DenseTest, ParameterGradientDoesNotDependOnTheSplit) {
  using L = Dense<19>::On<Shape<23>>;
  constexpr std::size_t kBatch = 37;
  RandomStream stream({.seed = 1});
  std::vector<float> x(kBatch * 23), d_y(kBatch * 19);
  for (float& v : x) v = stream.Uniform(-1, 1);
  for (float& v : d_y) v = stream.Uniform(-1, 1);
  const auto gradient = [&](std::size_t parts) {
    std::vector<float> d_params(L::kParameterRows * L::kRowSize);
    for (std::size_t part = 0; part < parts; ++part) {
      const IndexRange rows = Partition(L::kParameterRows, part, parts);
      L::BackwardParameters<TypeParam>(ParameterPass<float>{
          {x.data(), kBatch, 23},
          {d_y.data(), kBatch, 19},
          rows,
          std::span(d_params).subspan(rows.begin * L::kRowSize,
                                      rows.size() * L::kRowSize),
          {}});
    }
    return d_params;
  };
  const std::vector<float> whole = gradient(1);
  for (const std::size_t parts : {2u, 3u, 7u, 24u, 40u}) {
    EXPECT_EQ(gradient(parts), whole) << parts;
  }
}

TEST(DenseInitTest, WeightsAreXavierAndBiasesZero) {
  using L = Dense<50>::On<Shape<20>>;
  std::vector<float> params(L::kParameterRows * L::kRowSize, 9);
  RandomStream stream({.seed = 1});
  L::Initialise(std::span<float>(params), stream);
  std::vector<float> weights(20 * 50);
  RandomStream again({.seed = 1});
  Xavier::Fill(std::span<float>(weights), 20, 50, again);
  EXPECT_TRUE(std::equal(weights.begin(), weights.end(), params.begin()));
  EXPECT_EQ(std::count(params.end() - 50, params.end(), 0.0f), 50);
}

}  // namespace
}  // namespace hpcnn
