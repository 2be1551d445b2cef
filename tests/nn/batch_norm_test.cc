// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/batch_norm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/gradient_check.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/shared.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/clip.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/train/trainer.h"

namespace hpcnn {
namespace {

struct Tied;

// Where it may stand: first, after a convolution, twice in a row, in branches,
// in two places, last.
using Net = Sequential<
    Input<2, 5, 4>, BatchNorm, Conv2d<2, 3, 3, Stride<1>, Padding<1>>,
    BatchNorm, BatchNorm, Relu,
    Residual<BatchNorm, Relu, Conv2d<2, 3, 3, Stride<1>, Padding<1>>>, Flatten,
    Dense<6>, Shared<Tied, BatchNorm>, Tanh, Shared<Tied, BatchNorm>, Dense<3>,
    BatchNorm>;
static_assert(Net::kSegments == 8);

// Vectors, and the running statistics of the only one.
using Vectors = Sequential<Input<5>, BatchNorm>;
static_assert(Vectors::kParameterCount == 20);
static_assert(std::is_same_v<
              Inference<Sequential<Input<4>, Dense<3>, Residual<BatchNorm>>>,
              Sequential<Input<4>, Dense<3>,
                         SumOf<Chain<>, Chain<FrozenBatchNorm>>>>);

template <class P>
class BatchNormTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(BatchNormTest, Policies);

std::vector<float> Draw(std::size_t size, std::uint64_t seed) {
  RandomStream stream({.seed = seed});
  std::vector<float> values(size);
  for (float& value : values) value = stream.Uniform(-2, 3);
  return values;
}

std::vector<std::uint8_t> Labels(std::size_t size) {
  std::vector<std::uint8_t> labels(size);
  for (std::size_t i = 0; i < size; ++i) {
    labels[i] = static_cast<std::uint8_t>(i * 7 % 3);
  }
  return labels;
}

TYPED_TEST(BatchNormTest, GradientsOfNetworksAreThoseOfDifferences) {
  const std::vector<std::uint8_t> labels = Labels(7);
  for (const std::size_t samples : {3u, 7u}) {
    const auto errors =
        CheckNetworkGradients<TypeParam, Net, SoftmaxCrossEntropy>(
            std::span(labels).first(samples), samples);
    EXPECT_LE(errors.Worst(), kGradientTolerance) << samples;
  }
}

// After one step: a tenth of the way from 0 and 1, whatever else the
// rule does to parameters.
template <class P, class Rule>
void ExpectRunningStatistics(const Rule& rule) {
  constexpr std::size_t kBatch = 6, kWidth = 5;
  const std::vector<float> x = Draw(kBatch * kWidth, 1);
  const std::vector<float> targets(kBatch * kWidth, 0.5f);
  ThreadPool pool(2);
  Trainer<Vectors, MeanSquaredError, Rule, P> trainer(pool, kBatch, rule, 1);
  trainer.Step({x.data(), kBatch, kWidth}, {targets.data(), kBatch, kWidth},
               0.01f);
  for (std::size_t c = 0; c < kWidth; ++c) {
    double mean = 0, variance = 0;
    for (std::size_t n = 0; n < kBatch; ++n) mean += x[n * kWidth + c];
    mean /= kBatch;
    for (std::size_t n = 0; n < kBatch; ++n) {
      variance += std::pow(x[n * kWidth + c] - mean, 2);
    }
    variance /= kBatch - 1;
    EXPECT_NEAR(trainer.parameters()[2 * kWidth + c], 0.1 * mean, 1e-6);
    EXPECT_NEAR(trainer.parameters()[3 * kWidth + c], 0.9 + 0.1 * variance,
                1e-6);
    EXPECT_NE(trainer.parameters()[c], 1);
  }
}

TYPED_TEST(BatchNormTest, RunningStatisticsAreTheTrainersAlone) {
  ExpectRunningStatistics<TypeParam>(AdamW{.weight_decay = 0.5f});
  // The whole gradient is kept, for its norm.
  ExpectRunningStatistics<TypeParam>(
      ClipByNorm<Momentum>{{.weight_decay = 0.5f}, 1.0f});
}

TYPED_TEST(BatchNormTest, InferenceTakesThem) {
  using Small = Sequential<Input<2, 1, 3>, BatchNorm>;
  ThreadPool pool(1);
  Trainer<Small, MeanSquaredError, Momentum, TypeParam> trainer(pool, 2, {}, 1);
  // gain, shift, mean, variance of each channel
  constexpr std::array<float, 8> kParams{2, 3, -1, 1, 0.5f, -2, 4, 0.25f};
  std::ranges::copy(kParams, trainer.mutable_parameters().begin());
  const std::array<float, 6> x{0.5f, 2.5f, -1.5f, -2, -1, 0};
  const MatrixView<const float> y = trainer.Forward({x.data(), 1, 6});
  const std::array<float, 6> expected{-1, 1, -3, 1, 7, 13};
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(y(0, i), expected[i], 3e-4) << i;  // 1e-5 beside the variance
  }
}

TYPED_TEST(BatchNormTest, OneSampleSaysNothing) {
  ThreadPool pool(1);
  Trainer<Vectors, MeanSquaredError, Momentum, TypeParam> trainer(pool, 3, {},
                                                                  1);
  const std::vector<float> x = Draw(5, 1), targets(5, 0.25f);
  // All outputs are the shift: 0.
  EXPECT_FLOAT_EQ(trainer.Step({x.data(), 1, 5}, {targets.data(), 1, 5}, 0.01f),
                  0.0625f);
  for (std::size_t c = 0; c < 5; ++c) {
    EXPECT_EQ(trainer.parameters()[c], 1);
    EXPECT_EQ(trainer.parameters()[10 + c], 0);
    EXPECT_EQ(trainer.parameters()[15 + c], 1);
  }
}

template <class P>
std::vector<float> TrainedOn(std::size_t threads) {
  ThreadPool pool(threads);
  Trainer<Net, SoftmaxCrossEntropy, Momentum, P> trainer(pool, 9, {}, 1);
  const std::vector<float> x = Draw(9 * 40, 2);
  const std::vector<std::uint8_t> labels = Labels(9);
  for (const std::size_t samples : {9u, 9u, 4u}) {
    trainer.Step({x.data(), samples, 40}, std::span(labels).first(samples),
                 0.1f);
  }
  return {trainer.parameters().begin(), trainer.parameters().end()};
}

TYPED_TEST(BatchNormTest, WeightsAreTheSameForAnyThreads) {
  const std::vector<float> expected = TrainedOn<TypeParam>(1);
  EXPECT_TRUE(
      std::ranges::all_of(expected, [](float w) { return std::isfinite(w); }));
  for (const std::size_t threads : {2u, 3u, 12u}) {
    EXPECT_EQ(TrainedOn<TypeParam>(threads), expected) << threads;
  }
}

}  // namespace
}  // namespace hpcnn
