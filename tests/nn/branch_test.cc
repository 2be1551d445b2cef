// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/nn/branch.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/gradient_check.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/shared.h"
#include "hpcnn/nn/slice.h"
#include "hpcnn/nn/summary.h"
#include "hpcnn/nn/workspace.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/train/trainer.h"

namespace hpcnn {
namespace {

using testing::HasSubstr;

using Same = Conv2d<2, 3, 3, Stride<1>, Padding<1>>;

// The nodes of a residual block: two taps, the layers between, the sum.
using Block = Sequential<Input<4>, Dense<3>, Residual<Dense<3>, Relu>>;
static_assert(Block::kLayers == 6);
static_assert(Block::kParameterCount == 15 + 12);
static_assert(std::is_same_v<Block::OutputShape, Shape<3>>);
// Both taps view the first layer's output; the sum is made where Relu's output
// is, which Relu needs for its way back: apart.
static_assert(Block::kMemory.values ==
              std::array<std::size_t, 7>{kInBatch, 0, 0, 0, 3, 3, 6});
// The sum's gradient is that of both branches; Relu must not overwrite it.
static_assert(Block::kMemory.gradients ==
              std::array<std::size_t, 7>{kNoGradient, 6, 0, 6, 3, 0, 0});

// The sum of two layers that need no output: in the memory of the last.
using Projected =
    Sequential<Input<4>, SumOf<Chain<Dense<5>, Relu, Dense<3>>, Dense<3>>>;
static_assert(Projected::kActivations == 5 + 3 + 3);

// Images are joined by channels, vectors one after another.
using Joined = Sequential<Input<2, 6, 4>,
                          Concat<Conv2d<3, 3, 3>, AvgPool<3, 3, Stride<1>>>>;
static_assert(std::is_same_v<Joined::OutputShape, Shape<5, 4, 2>>);
static_assert(std::is_same_v<
              Sequential<Input<4>, Concat<Dense<3>, Dense<5>>>::OutputShape,
              Shape<8>>);

// Inference drops what is for training alone in branches, too.
static_assert(
    std::is_same_v<
        Inference<
            Sequential<Input<4>, Chain<Dense<4>, Dropout<Percent<20>>>,
                       Residual<Dropout<Percent<20>>, Dense<4>>,
                       Concat<Dropout<Percent<50>>, Chain<Dense<2>, Relu>>>>,
        Sequential<Input<4>, Chain<Dense<4>>, SumOf<Chain<>, Chain<Dense<4>>>,
                   Concat<Chain<>, Chain<Dense<2>, Relu>>>>);

struct Tied;
using Twice = Sequential<Input<4>, Shared<Tied, Dense<4>>, Tanh,
                         Shared<Tied, Dense<4>>, Dense<2>>;
static_assert(Twice::kParameterCount == 20 + 10);
static_assert(Twice::kParameterOffsets ==
              std::array<std::size_t, 5>{0, 20, 0, 20, 30});

template <class P>
class BranchTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(BranchTest, Policies);

std::vector<float> RandomVector(std::size_t size, std::uint64_t seed) {
  RandomStream stream({.seed = seed});
  std::vector<float> values(size);
  for (float& v : values) v = stream.Uniform(-1, 1);
  return values;
}

// The outputs of `samples` inputs.
template <class Net, class P>
std::vector<float> Outputs(const std::vector<float>& params,
                           const std::vector<float>& x, std::size_t samples) {
  std::vector<float> memory(Workspace<Net, float>::ForwardElements(samples));
  std::vector<float> scratch(Net::kScratch);
  Workspace<Net, float> workspace(memory, samples);
  workspace.template Forward<P>(
      params,
      MatrixView<const float>(x.data(), samples, Net::InputShape::kVolume),
      {0, samples}, scratch);
  const auto y = workspace.Logits({0, samples});
  return {y.data(), y.data() + samples * y.cols()};
}

constexpr std::size_t kSamples = 5;

TYPED_TEST(BranchTest, ResidualAddsItsInput) {
  using Plain = Sequential<Input<6>, Dense<6>, Tanh>;
  using Added = Sequential<Input<6>, Residual<Dense<6>, Tanh>>;
  const auto params = RandomVector(Plain::kParameterCount, 1);
  const auto x = RandomVector(kSamples * 6, 2);
  const auto f = Outputs<Plain, TypeParam>(params, x, kSamples);
  const auto y = Outputs<Added, TypeParam>(params, x, kSamples);
  for (std::size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], x[i] + f[i]) << i;
}

TYPED_TEST(BranchTest, SumOfManyAddsAll) {
  using Sum4 = Sequential<Input<3>, SumOf<Chain<>, Tanh, Relu, Chain<>>>;
  const std::vector<float> x = {-2, 0.5f, 3};
  const auto y = Outputs<Sum4, TypeParam>({}, x, 1);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FLOAT_EQ(y[i], 2 * x[i] + std::tanh(x[i]) + std::max(x[i], 0.0f));
  }
  using Sum1 = Sequential<Input<3>, SumOf<Relu>>;
  EXPECT_EQ((Outputs<Sum1, TypeParam>({}, x, 1)),
            (std::vector<float>{0, 0.5f, 3}));
}

// Two dense layers side by side are one whose weights lie side by side.
TYPED_TEST(BranchTest, ConcatOfDenseIsAWiderDense) {
  using Wide = Sequential<Input<4>, Dense<5>>;
  using Parts = Sequential<Input<4>, Concat<Dense<3>, Dense<2>>>;
  const auto parts = RandomVector(Parts::kParameterCount, 1);
  std::vector<float> wide;
  for (std::size_t row = 0; row < 5; ++row) {  // of weights, then biases
    wide.insert(wide.end(), &parts[3 * row], &parts[3 * row] + 3);
    wide.insert(wide.end(), &parts[15 + 2 * row], &parts[15 + 2 * row] + 2);
  }
  const auto x = RandomVector(kSamples * 4, 2);
  const auto expected = Outputs<Wide, TypeParam>(wide, x, kSamples);
  const auto y = Outputs<Parts, TypeParam>(parts, x, kSamples);
  for (std::size_t i = 0; i < y.size(); ++i) {
    EXPECT_NEAR(y[i], expected[i], 1e-6);
  }
}

TYPED_TEST(BranchTest, SlicesAreSeveralInputs) {
  using Net = Sequential<Input<7>, Concat<Slice<4, 3>, Slice<1, 2>>>;
  const std::vector<float> x = {0,  1,  2,  3,  4,  5,  6,
                                10, 11, 12, 13, 14, 15, 16};
  EXPECT_EQ((Outputs<Net, TypeParam>({}, x, 2)),
            (std::vector<float>{4, 5, 6, 1, 2, 14, 15, 16, 11, 12}));
}

// All gradients by finite differences: whatever may alias, and does not.
template <class P, class Net>
void ExpectGradients(const char* what) {
  constexpr std::size_t kOutputs = Net::OutputShape::kVolume;
  for (const std::size_t samples : {1u, 4u}) {
    RandomStream stream({.seed = 7});
    std::vector<double> targets(samples * kOutputs);
    for (double& t : targets) t = stream.Uniform(-1, 1);
    const auto errors = CheckNetworkGradients<P, Net, MeanSquaredError>(
        MatrixView<const double>(targets.data(), samples, kOutputs), samples);
    EXPECT_LE(errors.parameters, kGradientTolerance) << what;
  }
}

TYPED_TEST(BranchTest, GradientsAreThoseOfDifferences) {
  ExpectGradients<TypeParam, Block>("a block that ends in Relu");
  ExpectGradients<TypeParam, Projected>("a projected shortcut");
  ExpectGradients<TypeParam, Joined>("channels joined");
  ExpectGradients<TypeParam, Twice>("one layer in two places");
  ExpectGradients<TypeParam, Sequential<Input<4>, Dense<3>, Tanh,
                                        SumOf<Chain<Dense<3>, Tanh>, Chain<>>>>(
      "the shortcut last");
  ExpectGradients<TypeParam,
                  Sequential<Input<4>, Dense<3>,
                             SumOf<Chain<>, Relu, Chain<>, Tanh>, Dense<2>>>(
      "branches in place");
  ExpectGradients<
      TypeParam,
      Sequential<
          Input<4>, Dense<3>, Residual<Residual<Dense<3>, Sigmoid>, Dense<3>>,
          Tanh, Residual<Concat<Dense<1>, Chain<Residual<Dense<3>>, Dense<2>>>>,
          Dense<2>>>("branches in branches");
  ExpectGradients<TypeParam, Sequential<Input<3>, Residual<Dense<3>>>>(
      "a shortcut from the input");
  ExpectGradients<
      TypeParam, Sequential<Input<4>, Dense<4>, Concat<Chain<>, Tanh>, Relu,
                            Concat<Slice<0, 3>, Chain<Slice<2, 2, 3>, Flatten>>,
                            Dense<2>>>("slices that overlap");
  ExpectGradients<
      TypeParam,
      Sequential<Input<2, 5, 4>, Same, Relu, Residual<Same, Relu, Same>, Relu,
                 Concat<MaxPool<2, 2, Stride<1>>, Conv2d<1, 2, 2>>, Flatten,
                 Dense<3>>>("images");
  // Two towers of one encoder, compared.
  ExpectGradients<
      TypeParam,
      Sequential<Input<8>,
                 Concat<Chain<Slice<0, 4>, Shared<Tied, Dense<3>>, Tanh>,
                        Chain<Slice<4, 4>, Shared<Tied, Dense<3>>, Tanh>>,
                 Dense<2>>>("a shared encoder");
}

// The weights after some steps, the same for every number of threads.
template <class Net, class P>
std::vector<float> Trained(std::size_t threads) {
  constexpr std::size_t kBatch = 16;
  const auto x = RandomVector(kBatch * Net::InputShape::kVolume, 3);
  std::vector<std::uint8_t> labels(kBatch);
  for (std::size_t i = 0; i < kBatch; ++i) {
    labels[i] = static_cast<std::uint8_t>(i % Net::OutputShape::kVolume);
  }
  ThreadPool pool(threads);
  Trainer<Net, SoftmaxCrossEntropy, Momentum, P> trainer(pool, kBatch, {}, 1);
  for (int step = 0; step < 5; ++step) {
    trainer.Step(
        MatrixView<const float>(x.data(), kBatch, Net::InputShape::kVolume),
        labels, 0.1f);
  }
  return {trainer.parameters().begin(), trainer.parameters().end()};
}

TYPED_TEST(BranchTest, WeightsAreTheSameForAnyThreads) {
  using Net = Sequential<Input<2, 5, 4>, Same, Relu, Residual<Same, Relu, Same>,
                         Relu, Flatten, Shared<Tied, Dense<40>>, Tanh,
                         Shared<Tied, Dense<40>>,
                         Concat<Dropout<Percent<20>>, Dense<5>>, Dense<3>>;
  const auto one = Trained<Net, TypeParam>(1);
  EXPECT_EQ((Trained<Net, TypeParam>(2)), one);
  EXPECT_EQ((Trained<Net, TypeParam>(5)), one);
}

TEST(BranchTest, SummaryShowsBranchesIndented) {
  const std::string text =
      Summary<Sequential<Input<4>, Residual<Shared<Tied, Dense<4>>, Relu>,
                         Shared<Tied, Dense<4>>>>();
  EXPECT_THAT(text,
              HasSubstr("\n  Dense      [4]                          20"));
  EXPECT_THAT(text, HasSubstr("\n  Relu "));
  EXPECT_THAT(text, HasSubstr("\nResidual     [4] "));
  EXPECT_THAT(text,
              HasSubstr("\nDense        [4]                      shared"));
}

}  // namespace
}  // namespace hpcnn
