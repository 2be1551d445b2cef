// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loss/joint_loss.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <ratio>
#include <span>
#include <tuple>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/binary_cross_entropy.h"
#include "hpcnn/loss/mean_absolute_error.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/gradient_check.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/train/trainer.h"

namespace hpcnn {
namespace {

using Joint = JointLoss<
    Head<4, SoftmaxCrossEntropy>, Head<3, MeanSquaredError, Percent<50>>,
    Head<1, BinaryCrossEntropy, std::ratio<3>>, Head<2, MeanAbsoluteError>>;
static_assert(Joint::kOutputs == 10);

constexpr std::size_t kSamples = 5;

template <class T>
struct Data {
  Data() : x(kSamples * 10), numbers(kSamples * 3), truths(kSamples) {
    RandomStream stream({.seed = 1});
    for (T& value : x) value = T{stream.Uniform(-2, 2)};
    for (T& value : numbers) value = T{stream.Uniform(-1, 1)};
    for (T& value : truths) value = T{stream.Uniform(0, 1)};
  }
  MatrixView<const T> X() const { return {x.data(), kSamples, 10}; }
  Joint::Targets<T> Targets() const {
    return {labels, MatrixView<const T>(numbers.data(), kSamples, 3),
            MatrixView<const T>(truths.data(), kSamples, 1),
            MatrixView<const T>(numbers.data(), kSamples, 2, 3)};
  }

  std::vector<T> x, numbers, truths;
  std::array<std::uint8_t, kSamples> labels{3, 0, 2, 1, 3};
};

template <class P>
class JointLossTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(JointLossTest, Policies);

// What one head makes of its columns, alone.
template <class P, class L, class Targets>
void ExpectHead(const Data<float>& data, std::size_t begin, std::size_t width,
                const Targets& targets, float weight,
                MatrixView<const float> d_x, std::span<float> sums) {
  std::vector<float> own(kSamples * width), losses(kSamples);
  L::template Evaluate<P>(
      data.X().Region(0, begin, kSamples, width), targets, 0, weight / kSamples,
      MatrixView<float>(own.data(), kSamples, width), std::span(losses));
  for (std::size_t n = 0; n < kSamples; ++n) {
    sums[n] += weight * losses[n];
    for (std::size_t c = 0; c < width; ++c) {
      EXPECT_EQ(d_x(n, begin + c), own[n * width + c]) << L::kName;
    }
  }
}

TYPED_TEST(JointLossTest, IsTheWeightedSumOfItsHeads) {
  const Data<float> data;
  std::vector<float> d_x(kSamples * 10), losses(kSamples), sums(kSamples);
  const MatrixView<float> d_view(d_x.data(), kSamples, 10);
  Joint::Evaluate<TypeParam>(data.X(), data.Targets(), 0, 1.0f / kSamples,
                             d_view, std::span(losses));
  const auto& [labels, numbers, truths, two] = data.Targets();
  ExpectHead<TypeParam, SoftmaxCrossEntropy>(data, 0, 4, labels, 1, d_view,
                                             sums);
  ExpectHead<TypeParam, MeanSquaredError>(data, 4, 3, numbers, 0.5f, d_view,
                                          sums);
  ExpectHead<TypeParam, BinaryCrossEntropy>(data, 7, 1, truths, 3, d_view,
                                            sums);
  ExpectHead<TypeParam, MeanAbsoluteError>(data, 8, 2, two, 1, d_view, sums);
  EXPECT_EQ(losses, sums);

  // Some samples of the batch alone.
  std::vector<float> part(2);
  Joint::Evaluate<TypeParam>(data.X().Rows(3, 2), data.Targets(), 3,
                             1.0f / kSamples, d_view.Rows(3, 2),
                             std::span(part));
  EXPECT_EQ(part, std::vector<float>(losses.begin() + 3, losses.end()));
}

TYPED_TEST(JointLossTest, GradientsAreThoseOfDifferences) {
  const Data<double> data;
  using Net = Sequential<
      Input<3>, Dense<6>, Tanh,
      Concat<Dense<4>, Chain<Dense<2>, Sigmoid, Dense<3>>, Dense<3>>>;
  for (const std::size_t samples : {1u, 2u, 5u}) {
    EXPECT_LE((CheckLossGradient<TypeParam, Joint>(data.Targets(), samples, 10)
                   .input),
              kGradientTolerance);
    EXPECT_LE(
        (CheckNetworkGradients<TypeParam, Net, Joint>(data.Targets(), samples)
             .parameters),
        kGradientTolerance);
  }
}

// The sign of a sum, and the sum: one trunk, two heads.
TYPED_TEST(JointLossTest, TrainsBothHeads) {
  using Net = Sequential<Input<2>, Dense<8>, Tanh, Concat<Dense<2>, Dense<1>>>;
  using Two =
      JointLoss<Head<2, SoftmaxCrossEntropy>, Head<1, MeanSquaredError>>;
  constexpr std::size_t kBatch = 64;
  std::vector<float> x(2 * kBatch), sums(kBatch);
  std::vector<std::uint8_t> signs(kBatch);
  RandomStream stream({.seed = 2});
  for (float& value : x) value = stream.Uniform(-1, 1);
  for (std::size_t n = 0; n < kBatch; ++n) {
    sums[n] = x[2 * n] + x[2 * n + 1];
    signs[n] = sums[n] > 0;
  }
  ThreadPool pool(2);
  Trainer<Net, Two, Momentum, TypeParam> trainer(pool, kBatch, {}, 1);
  const MatrixView<const float> batch(x.data(), kBatch, 2);
  for (int step = 0; step < 1000; ++step) {
    trainer.Step(batch, {signs, {sums.data(), kBatch, 1}}, 0.1f);
  }
  const MatrixView<const float> y = trainer.Forward(batch);
  std::size_t right = 0;
  for (std::size_t n = 0; n < kBatch; ++n) {
    right += (y(n, 1) > y(n, 0)) == (signs[n] == 1);
    EXPECT_NEAR(y(n, 2), sums[n], 0.1) << n;
  }
  EXPECT_GE(right, kBatch - 2);
}

TEST(JointLossDeathTest, RefusesOutputsThatNoHeadTakes) {
  const Data<float> data;
  std::vector<float> d_x(11), losses(1), x(11);
  EXPECT_DEATH(Joint::Evaluate<Scalar>(MatrixView<const float>(x.data(), 1, 11),
                                       data.Targets(), 0, 1.0f,
                                       MatrixView<float>(d_x.data(), 1, 11),
                                       std::span(losses)),
               "heads need all outputs, and no more");
}

}  // namespace
}  // namespace hpcnn
