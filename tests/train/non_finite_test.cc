// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Steps whose numbers are not finite: what is said of them, and that the weights
// stay as they were.

#include "hpcnn/nn/non_finite.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/augment/pipeline.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/data/sampler.h"
#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/loader/batch_loader.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/batch_norm.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/init.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/optim/clip.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/schedule.h"
#include "hpcnn/train/fit.h"
#include "hpcnn/train/trainer.h"

namespace hpcnn {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kBatch = 5;

template <int Value>
struct Constant {
  template <class T>
  static void Fill(std::span<T> weights, std::size_t, std::size_t,
                   RandomStream&) {
    std::ranges::fill(weights, T{Value});
  }
};

// y = sqrt(x), whose gradient is infinite at 0.
struct Root {
  static constexpr const char* kName = "Root";
  template <ShapeType In>
  struct On : ParameterFree<In, In> {
    using Expects = AnyShape;
    static constexpr std::size_t kForwardFlops = In::kVolume;
    static constexpr bool kInPlace = true;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.x.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.y(n, i) = std::sqrt(pass.x(n, i));
        }
      }
    }
    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      for (std::size_t n = 0; n < pass.y.rows(); ++n) {
        for (std::size_t i = 0; i < In::kVolume; ++i) {
          pass.d_x(n, i) = pass.d_y(n, i) / (2 * pass.y(n, i));
        }
      }
    }
  };
};

template <class P>
class NonFiniteTest : public ::testing::Test {};
using Policies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(NonFiniteTest, Policies);

// A step on inputs and targets that `spoil` changes, by several threads: it
// fails, says `text`, and leaves the weights alone. The next one, with good
// numbers, is well.
template <class Net, class P, class Rule = Momentum, class F>
void ExpectFailure(const std::string& text, const F& spoil,
                   const Rule& rule = {}) {
  constexpr std::size_t kIn = Net::InputShape::kVolume;
  constexpr std::size_t kOut = Net::OutputShape::kVolume;
  for (const std::size_t threads : {1u, 3u}) {
    ThreadPool pool(threads);
    Trainer<Net, MeanSquaredError, Rule, P> trainer(pool, kBatch, rule, 1);
    std::vector<float> x(kBatch * kIn, 0.5f), targets(kBatch * kOut, 0.25f);
    const auto step = [&] {
      trainer.Step({x.data(), kBatch, kIn}, {targets.data(), kBatch, kOut},
                   0.01f);
    };
    const std::vector<float> good_x = x, good_targets = targets;
    const std::vector<float> before(trainer.parameters().begin(),
                                    trainer.parameters().end());
    spoil(std::span(x), std::span(targets));
    step();
    ASSERT_TRUE(trainer.failure()) << text;
    EXPECT_EQ(trainer.failure()->Text(), text);
    EXPECT_TRUE(std::ranges::equal(trainer.parameters(), before)) << text;

    x = good_x;
    targets = good_targets;
    step();
    EXPECT_FALSE(trainer.failure());
    EXPECT_FALSE(std::ranges::equal(trainer.parameters(), before));
  }
}

using Plain = Sequential<Input<4>, Dense<3>, Relu, Dense<2>>;

TYPED_TEST(NonFiniteTest, Inputs) {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
    ExpectFailure<Plain, TypeParam>(
        "the input of sample 3 is not finite",
        [=](std::span<float> x, std::span<float>) { x[3 * 4 + 1] = bad; });
  }
}

TYPED_TEST(NonFiniteTest, OutputsOfLayers) {
  const auto huge = [](std::span<float> x, std::span<float>) {
    std::ranges::fill(x.subspan(2 * 4, 4), 3e38f);
  };
  using All = Constant<4>;
  ExpectFailure<Sequential<Input<4>, Dense<3, All>, Relu, Dense<2, All>>,
                TypeParam>(
      "the output of layer 0 (Dense) or layer 1 (Relu) of sample 2 is not "
      "finite",
      huge);
  // 3e38 passes the branch; its double does not.
  ExpectFailure<Sequential<Input<4>, Residual<Relu>, Dense<2, All>>, TypeParam>(
      "the output of layer 0 (Residual) of sample 2 is not finite", huge);
  ExpectFailure<Sequential<Input<4>, Concat<Relu, Chain<Relu, Dense<2, All>>>>,
                TypeParam>(
      "the output of layer 0.1.1 (Dense) of sample 2 is not finite", huge);
}

TYPED_TEST(NonFiniteTest, Losses) {
  ExpectFailure<Plain, TypeParam>(
      "the loss of sample 4 is not finite",
      [](std::span<float>, std::span<float> targets) { targets[9] = 1e30f; });
}

TYPED_TEST(NonFiniteTest, TheMeanOfLossesThatAreFinite) {
  ExpectFailure<Sequential<Input<4>, Dense<1>>, TypeParam>(
      "the mean loss is not finite",
      [](std::span<float>, std::span<float> targets) {
        std::ranges::fill(targets, 1.7e19f);
      });
}

// The loss is finite, the way back is not.
TYPED_TEST(NonFiniteTest, GradientsOnTheWayBack) {
  using Net = Sequential<Input<4>, Dense<3, Constant<1>>, Root, Dense<2>>;
  ExpectFailure<Net, TypeParam>(
      "the gradient of the output of layer 0 (Dense) of sample 1 is not finite",
      [](std::span<float> x, std::span<float>) {
        std::ranges::fill(x.subspan(4, 4), 0.0f);
      });
}

// All that goes into it is finite, but not the sum.
TYPED_TEST(NonFiniteTest, GradientsOfParameters) {
  using Net = Sequential<Input<4>, Dense<2, Zeros>>;
  const auto huge = [](std::span<float> x, std::span<float> targets) {
    std::ranges::fill(x, 1e30f);
    std::ranges::fill(targets, 1e10f);
  };
  ExpectFailure<Net, TypeParam>(
      "the gradient of the parameters of layer 0 (Dense) is not finite", huge);
  ExpectFailure<Net, TypeParam>(
      "the norm of the parameters' gradient is not finite", huge,
      ClipByNorm<Momentum>());
}

// Nor do running statistics see the batch.
TYPED_TEST(NonFiniteTest, OfABatchThatIsNormalised) {
  ExpectFailure<Sequential<Input<4>, BatchNorm, Dense<2>>, TypeParam>(
      "the loss of sample 0 is not finite",
      [](std::span<float> x, std::span<float> targets) {
        for (std::size_t i = 0; i < x.size(); ++i)
          x[i] = std::sin(static_cast<float>(i));
        targets[1] = kInfinity;
      });
}

TEST(FitTest, StopsAtTheStepThatFails) {
  const auto digits = MakeSyntheticDigits(50, 1);
  ThreadPool pool(1);
  using Net = Sequential<Input<1, 28, 28>, Flatten, Dense<10>>;
  Trainer<Net, SoftmaxCrossEntropy, Momentum> trainer(pool, 10, {}, 1);
  BatchLoader loader(digits, ShuffledSampler(digits.size(), 1),
                     Normalise<Shape<1, 28, 28>>(),
                     {.batch_size = 10, .epochs = 3}, &pool);
  // Well until the second epoch's third step: there the rate is too large, and
  // in the fourth its outputs.
  struct Rate {
    float operator()(double fraction) const {
      return fraction * 15 > 6.5 && fraction * 15 < 7.5 ? 1e38f : 0.01f;
    }
  };
  const History history =
      Fit(trainer, loader, digits, FitOptions<Rate>{.rate = 1});
  EXPECT_TRUE(history.stopped);
  EXPECT_EQ(history.epochs.size(), 1u);
  ASSERT_TRUE(history.failure);
  EXPECT_EQ(history.failure->epoch, 1u);
  EXPECT_EQ(history.failure->batch, 3u);
  EXPECT_TRUE(history.failure->Text().starts_with(
      "epoch 2, batch 3: the output of layer 1 (Dense) of sample "))
      << history.failure->Text();
  EXPECT_TRUE(std::ranges::all_of(trainer.parameters(),
                                  [](float w) { return std::isfinite(w); }));
}

}  // namespace
}  // namespace hpcnn
