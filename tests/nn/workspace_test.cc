// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/workspace.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/sequential.h"

namespace hpcnn {
namespace {

template <class P>
class WorkspaceTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(WorkspaceTest, Policies);

// The course's network [2, 3, 1], one sample, one step back, by hand:
//   h = sigmoid(x W1 + b1), y = h W2 + b2, loss = (y - t)^2
TYPED_TEST(WorkspaceTest, CourseNetworkByHand) {
  using Net = Mlp<2, 3, 1>;
  const std::array<double, 13> params = {
      0.5, -1, 2,    1,  0.25, -0.5, 0.1, 0.2, -0.3,  // W1 [2, 3], b1 [3]
      1.5, -2, 0.75, 0.4};                            // W2 [3, 1], b2 [1]
  const std::array<double, 2> x = {1, -2};
  const double target = 0.5;

  // x W1 + b1
  const std::array<double, 3> z = {0.5 - 2 + 0.1, -1 - 0.5 + 0.2, 2 + 1 - 0.3};
  std::array<double, 3> h{};
  double y = params[12];
  for (std::size_t j = 0; j < 3; ++j) {
    h[j] = 1 / (1 + std::exp(-z[j]));
    y += h[j] * params[9 + j];
  }
  const double d_y = 2 * (y - target);

  std::vector<double> memory(Workspace<Net, double>::TrainingElements(1));
  Workspace<Net, double> workspace(memory, 1);
  const MatrixView<const double> batch(x.data(), 1, 2);
  const IndexRange all{0, 1};
  workspace.template Forward<TypeParam>(params, batch, all);
  EXPECT_NEAR(workspace.Logits(all)(0, 0), y, 1e-14);

  double loss = 0;
  MeanSquaredError::Evaluate<TypeParam>(
      workspace.Logits(all), MatrixView<const double>(&target, 1, 1), 0, 1.0,
      workspace.LogitsGradient(all), std::span<double>(&loss, 1));
  EXPECT_NEAR(loss, (y - target) * (y - target), 1e-14);

  workspace.template BackwardInputs<TypeParam>(params, batch, all);
  std::array<double, 4> d_second{};
  workspace.template BackwardParameters<TypeParam, 2>(
      params, batch, 1, {0, 4}, std::span<double>(d_second));
  EXPECT_NEAR(d_second[3], d_y, 1e-14);
  std::array<double, 9> d_first{};
  workspace.template BackwardParameters<TypeParam, 0>(
      params, batch, 1, {0, 3}, std::span<double>(d_first));
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(d_second[j], d_y * h[j], 1e-14);
    const double d_z = d_y * params[9 + j] * h[j] * (1 - h[j]);
    EXPECT_NEAR(d_first[j], x[0] * d_z, 1e-14);
    EXPECT_NEAR(d_first[3 + j], x[1] * d_z, 1e-14);
    EXPECT_NEAR(d_first[6 + j], d_z, 1e-14);
  }
}

using Net = Sequential<Input<1, 3, 5>, Flatten, Dense<19>, Relu, Dense<7>, Tanh,
                       Dense<3>>;
constexpr std::size_t kSamples = 13;

// All outputs and gradients of 13 samples in a workspace for `batch`, taken
// in `parts` parts.
template <class P>
struct Walk {
  Walk(std::size_t batch, std::size_t parts)
      : memory(Workspace<Net, float>::TrainingElements(batch),
               std::numeric_limits<float>::quiet_NaN()),
        gradient(Net::kParameterCount) {
    RandomStream stream({.seed = 3});
    std::vector<float> x(kSamples * 15), params(Net::kParameterCount);
    for (float& v : x) v = stream.Uniform(-1, 1);
    Net::Initialise(1, std::span<float>(params));
    const MatrixView<const float> view(x.data(), kSamples, 15);

    Workspace<Net, float> workspace(memory, batch);
    for (std::size_t part = 0; part < parts; ++part) {
      const IndexRange rows = Partition(kSamples, part, parts);
      workspace.template Forward<P>(params, view, rows);
      const auto out = workspace.Logits(rows);
      const auto d_out = workspace.LogitsGradient(rows);
      for (std::size_t n = 0; n < rows.size(); ++n) {
        for (std::size_t c = 0; c < 3; ++c) d_out(n, c) = out(n, c);
      }
      workspace.template BackwardInputs<P>(params, view, rows);
    }
    const auto out = workspace.Logits({0, kSamples});
    logits.assign(out.data(), out.data() + kSamples * 3);
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      using L = typename Net::template LayerAt<I>;
      if constexpr (L::kParameterRows > 0) {
        workspace.template BackwardParameters<P, I>(
            params, view, kSamples, {0, L::kParameterRows},
            Net::template Parameters<I>(std::span<float>(gradient)));
      }
    });
  }

  std::vector<float> memory;
  std::vector<float> logits;
  std::vector<float> gradient;
};

TYPED_TEST(WorkspaceTest, BitsDependNeitherOnTheSplitNorOnFreeRoom) {
  const Walk<TypeParam> whole(kSamples, 1);
  for (const float g : whole.gradient) ASSERT_TRUE(std::isfinite(g));
  for (const std::size_t batch : {kSamples, kSamples + 3, 10 * kSamples}) {
    for (const std::size_t parts : {1u, 2u, 3u, 13u, 20u}) {
      const Walk<TypeParam> split(batch, parts);
      EXPECT_EQ(split.logits, whole.logits) << batch << " " << parts;
      EXPECT_EQ(split.gradient, whole.gradient) << batch << " " << parts;
    }
  }
}

TYPED_TEST(WorkspaceTest, ForwardNeedsHalfTheMemory) {
  using W = Workspace<Net, float>;
  static_assert(W::ForwardElements(kSamples) == kSamples * (19 + 7 + 3));
  static_assert(W::TrainingElements(kSamples) ==
                2 * W::ForwardElements(kSamples));
  const Walk<TypeParam> whole(kSamples, 1);
  RandomStream stream({.seed = 3});
  std::vector<float> x(kSamples * 15), params(Net::kParameterCount);
  for (float& v : x) v = stream.Uniform(-1, 1);
  Net::Initialise(1, std::span<float>(params));
  std::vector<float> memory(W::ForwardElements(kSamples));
  W workspace(memory, kSamples);
  const MatrixView<const float> view(x.data(), kSamples, 15);
  workspace.template Forward<TypeParam>(params, view, {0, kSamples});
  const auto out = workspace.Logits({0, kSamples});
  EXPECT_EQ(std::vector<float>(out.data(), out.data() + kSamples * 3),
            whole.logits);
  EXPECT_DEATH(
      workspace.template BackwardInputs<TypeParam>(params, view, {0, kSamples}),
      "forward pass alone");
}

TEST(WorkspaceDeathTest, RefusesWhatDoesNotFit) {
  using W = Workspace<Net, float>;
  std::vector<float> memory(W::TrainingElements(4)), x(9 * 15),
      params(Net::kParameterCount);
  EXPECT_DEATH(W(memory, 9), "too small");
  W workspace(memory, 4);
  const auto forward = [&](MatrixView<const float> batch, IndexRange rows) {
    workspace.Forward<Simd>(params, batch, rows);
  };
  EXPECT_DEATH(forward({x.data(), 9, 15}, {0, 5}), "Forward needs");
  EXPECT_DEATH(forward({x.data(), 3, 15}, {0, 4}), "Forward needs");
  EXPECT_DEATH(forward({x.data(), 4, 14}, {0, 4}), "Forward needs");
}

}  // namespace
}  // namespace hpcnn
