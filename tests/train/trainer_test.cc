// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/train/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/random.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/mean_squared_error.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/clip.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/sgd.h"
#include "hpcnn/train/predictor.h"

namespace hpcnn {
namespace {

constexpr std::size_t kIn = 19, kHidden = 37, kOut = 5, kBatch = 23;
using Net = MlpOf<Tanh, kIn, kHidden, kOut>;
template <class P>
using MomentumTrainer = Trainer<Net, SoftmaxCrossEntropy, Momentum, P>;

struct Samples {
  std::vector<float> x;
  std::vector<std::uint8_t> labels;
  MatrixView<const float> Images(std::size_t n) const {
    return {x.data(), n, kIn};
  }
  std::span<const std::uint8_t> Labels(std::size_t n) const {
    return {labels.data(), n};
  }
};

Samples MakeSamples(std::uint64_t seed) {
  Samples samples{std::vector<float>(kBatch * kIn),
                  std::vector<std::uint8_t>(kBatch)};
  RandomStream stream({.seed = seed});
  for (float& v : samples.x) v = stream.Uniform(-1, 1);
  for (auto& l : samples.labels)
    l = static_cast<std::uint8_t>(stream.Below(kOut));
  return samples;
}

// The same network by plain loops in double.
class Reference {
 public:
  explicit Reference(std::span<const float> params)
      : p_(params.begin(), params.end()), v_(params.size()) {}

  double Step(const Samples& s, std::size_t n, double rate, double momentum,
              double decay, double max_norm = 1e9) {
    std::vector<double> g(p_.size());
    double loss = 0;
    for (std::size_t i = 0; i < n; ++i) loss += Sample(s, i, g);
    double squares = 0;
    for (double& v : g) {
      v /= static_cast<double>(n);
      squares += v * v;
    }
    const double factor = std::min(1.0, max_norm / std::sqrt(squares));
    for (std::size_t k = 0; k < p_.size(); ++k) {
      v_[k] = momentum * v_[k] + factor * g[k] + decay * p_[k];
      p_[k] -= rate * v_[k];
    }
    return loss / static_cast<double>(n);
  }
  const std::vector<double>& parameters() const { return p_; }

 private:
  static constexpr std::size_t kB1 = kIn * kHidden, kW2 = kB1 + kHidden,
                               kB2 = kW2 + kHidden * kOut;

  double Sample(const Samples& s, std::size_t i, std::vector<double>& g) const {
    double h[kHidden], z[kOut], total = 0;
    const float* x = &s.x[i * kIn];
    for (std::size_t j = 0; j < kHidden; ++j) {
      double a = p_[kB1 + j];
      for (std::size_t k = 0; k < kIn; ++k) a += x[k] * p_[k * kHidden + j];
      h[j] = std::tanh(a);
    }
    for (std::size_t c = 0; c < kOut; ++c) {
      z[c] = p_[kB2 + c];
      for (std::size_t j = 0; j < kHidden; ++j) {
        z[c] += h[j] * p_[kW2 + j * kOut + c];
      }
      total += std::exp(z[c]);
    }
    for (std::size_t c = 0; c < kOut; ++c) {
      const double d = std::exp(z[c]) / total - (c == s.labels[i] ? 1 : 0);
      g[kB2 + c] += d;
      for (std::size_t j = 0; j < kHidden; ++j)
        g[kW2 + j * kOut + c] += h[j] * d;
    }
    for (std::size_t j = 0; j < kHidden; ++j) {
      double d = 0;
      for (std::size_t c = 0; c < kOut; ++c) {
        d += p_[kW2 + j * kOut + c] *
             (std::exp(z[c]) / total - (c == s.labels[i] ? 1 : 0));
      }
      d *= 1 - h[j] * h[j];
      g[kB1 + j] += d;
      for (std::size_t k = 0; k < kIn; ++k) g[k * kHidden + j] += x[k] * d;
    }
    return std::log(total) - z[s.labels[i]];
  }

  std::vector<double> p_, v_;
};

template <class P>
class TrainerTest : public testing::Test {};
using Policies = testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(TrainerTest, Policies);

TYPED_TEST(TrainerTest, TenStepsFollowAReferenceInDouble) {
  ThreadPool pool(2);
  Momentum rule;
  rule.weight_decay = 0.01f;
  MomentumTrainer<TypeParam> trainer(pool, kBatch, rule, 1);
  Reference reference(trainer.parameters());
  for (std::uint64_t step = 0; step < 10; ++step) {
    const Samples samples = MakeSamples(step);
    const std::size_t n = step == 3 ? 7 : kBatch;  // a short batch between
    const float loss = trainer.Step(samples.Images(n), samples.Labels(n), 0.1f);
    EXPECT_NEAR(loss, reference.Step(samples, n, 0.1f, 0.9f, 0.01f), 1e-5);
  }
  for (std::size_t i = 0; i < Net::kParameterCount; ++i) {
    ASSERT_NEAR(trainer.parameters()[i], reference.parameters()[i], 2e-6) << i;
  }
}

// The gradient's norm in these steps is 0.7 to 1.4: some are clipped.
TYPED_TEST(TrainerTest, ClippedStepsFollowAReferenceInDouble) {
  ThreadPool pool(2);
  using Rule = ClipByNorm<Momentum>;
  Trainer<Net, SoftmaxCrossEntropy, Rule, TypeParam> trainer(
      pool, kBatch, Rule{{.weight_decay = 0.01f}, 0.85f}, 1);
  Reference reference(trainer.parameters());
  for (std::uint64_t step = 0; step < 10; ++step) {
    const Samples samples = MakeSamples(step);
    const std::size_t n = step == 3 ? 7 : kBatch;
    const float loss = trainer.Step(samples.Images(n), samples.Labels(n), 0.1f);
    EXPECT_NEAR(loss, reference.Step(samples, n, 0.1f, 0.9f, 0.01f, 0.85f),
                1e-5);
  }
  for (std::size_t i = 0; i < Net::kParameterCount; ++i) {
    ASSERT_NEAR(trainer.parameters()[i], reference.parameters()[i], 2e-6) << i;
  }
}

template <class P, class Rule>
void ExpectTheSameForAnyNumberOfThreads(const Rule& rule) {
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u, 3u, 7u}) {
    ThreadPool pool(threads);
    Trainer<Net, SoftmaxCrossEntropy, Rule, P> trainer(pool, kBatch, rule, 5);
    for (std::uint64_t step = 0; step < 20; ++step) {
      const Samples samples = MakeSamples(step);
      const std::size_t n = step % 5 == 4 ? 1 : kBatch;  // fewer than threads
      trainer.Step(samples.Images(n), samples.Labels(n), 0.1f);
    }
    const auto weights = trainer.parameters();
    if (first.empty()) first.assign(weights.begin(), weights.end());
    ASSERT_TRUE(std::equal(weights.begin(), weights.end(), first.begin()))
        << threads << " threads, " << rule.kName;
  }
}

TYPED_TEST(TrainerTest, WeightsAreTheSameForAnyNumberOfThreads) {
  ExpectTheSameForAnyNumberOfThreads<TypeParam>(Momentum{});
  ExpectTheSameForAnyNumberOfThreads<TypeParam>(Adam{});
  ExpectTheSameForAnyNumberOfThreads<TypeParam>(ClipByNorm<Adam>{{}, 0.85f});
}

// Makes every weight the number of the step.
struct CountSteps {
  static constexpr const char* kName = "count";
  static constexpr std::size_t kStates = 0;
  template <class P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params, std::span<T>,
              std::array<T*, 0>) const {
    std::fill(params.begin(), params.end(), static_cast<T>(step.number));
  }
};

TEST(TrainerTest, RulesAreToldTheStepsNumber) {
  ThreadPool pool(2);
  Trainer<Net, SoftmaxCrossEntropy, CountSteps> trainer(pool, kBatch, {}, 1);
  const Samples samples = MakeSamples(1);
  for (const float number : {1.0f, 2.0f, 3.0f}) {
    trainer.Step(samples.Images(kBatch), samples.Labels(kBatch), 0.1f);
    for (const float weight : trainer.parameters()) ASSERT_EQ(weight, number);
  }
}

using DroppingNet = Sequential<Input<kIn>, Dropout<Percent<10>>, Dense<kHidden>,
                               Relu, Dropout<Percent<50>>, Dense<kOut>>;
template <class P>
using DroppingTrainer = Trainer<DroppingNet, SoftmaxCrossEntropy, Momentum, P>;

// What Dropout drops depends on the sample, not on who computes it; each step
// draws anew; the seed chooses.
TYPED_TEST(TrainerTest, DropoutIsTheSameForAnyNumberOfThreads) {
  const Samples samples = MakeSamples(1);
  const auto train = [&](std::size_t threads, std::uint64_t seed) {
    ThreadPool pool(threads);
    DroppingTrainer<TypeParam> trainer(pool, kBatch, Momentum{}, seed);
    std::vector<float> losses;
    for (int step = 0; step < 10; ++step) {
      losses.push_back(trainer.Step(samples.Images(kBatch),
                                    samples.Labels(kBatch), /*rate=*/0.0f));
    }
    trainer.Step(samples.Images(kBatch), samples.Labels(kBatch), 0.1f);
    losses.insert(losses.end(), trainer.parameters().begin(),
                  trainer.parameters().end());
    return losses;
  };
  const std::vector<float> first = train(1, 5);
  EXPECT_NE(first[0], first[1]);
  for (const std::size_t threads : {2u, 3u, 7u}) {
    EXPECT_EQ(train(threads, 5), first) << threads << " threads";
  }
  EXPECT_NE(train(1, 6), first);
}

TEST(TrainerTest, SeedChoosesTheInitialWeights) {
  ThreadPool pool(1);
  const MomentumTrainer<Simd> a(pool, 1, Momentum{}, 1);
  const MomentumTrainer<Simd> b(pool, 1, Momentum{}, 1);
  const MomentumTrainer<Simd> c(pool, 1, Momentum{}, 2);
  const auto same = [](const auto& x, const auto& y) {
    return std::equal(x.parameters().begin(), x.parameters().end(),
                      y.parameters().begin());
  };
  EXPECT_TRUE(same(a, b));
  EXPECT_FALSE(same(a, c));
}

// A layer wider than the gradient slice, and one with a single output.
TEST(TrainerTest, RowsLargerThanTheGradientSliceTrain) {
  using Wide = Mlp<2, 7000, 1>;
  ThreadPool pool(2);
  Trainer<Wide, MeanSquaredError, Sgd> trainer(pool, 4, Sgd{}, 1);
  const std::vector<float> x{0, 0, 0, 1, 1, 0, 1, 1};
  const std::vector<float> y{0, 1, 1, 2};
  const MatrixView<const float> targets(y.data(), 4, 1);
  const MatrixView<const float> inputs(x.data(), 4, 2);
  const float before = trainer.Step(inputs, targets, 1e-4f);
  float after = before;
  for (int i = 0; i < 50; ++i) after = trainer.Step(inputs, targets, 1e-4f);
  EXPECT_LT(after, 0.5f * before);

  // The whole gradient is several slices.
  using Rule = ClipByNorm<Sgd>;
  Trainer<Wide, MeanSquaredError, Rule> clipped(pool, 4, Rule{{}, 1e9f}, 1);
  for (int i = 0; i < 51; ++i) clipped.Step(inputs, targets, 1e-4f);
  EXPECT_TRUE(std::equal(clipped.parameters().begin(),
                         clipped.parameters().end(),
                         trainer.parameters().begin()));
}

TEST(TrainerTest, BudgetIsConstexpr) {
  static_assert(MomentumTrainer<Simd>::Bytes(1, 1) <= 64 * 1024);
  static_assert(MomentumTrainer<Simd>::Bytes(64, 1) >
                MomentumTrainer<Simd>::Bytes(32, 1));
}

TEST(TrainerDeathTest, RefusesABatchOfNothing) {
  ThreadPool pool(1);
  EXPECT_DEATH(MomentumTrainer<Simd>(pool, 0, Momentum{}, 1),
               "a batch has at least one sample");
}

TEST(TrainerDeathTest, RefusesABatchThatIsTooLarge) {
  ThreadPool pool(1);
  MomentumTrainer<Simd> trainer(pool, 4, Momentum{}, 1);
  const Samples samples = MakeSamples(1);
  EXPECT_DEATH(trainer.Step(samples.Images(5), samples.Labels(5), 0.1f),
               "a step needs");
}

TEST(PredictorTest, AgreesWithTheTrainer) {
  ThreadPool pool(2);
  MomentumTrainer<Simd> trainer(pool, kBatch, Momentum{}, 3);
  const Samples samples = MakeSamples(9);
  const auto logits = trainer.Forward(samples.Images(kBatch));
  Predictor<Net> predictor(trainer.parameters());
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::span<const float, kIn> sample(&samples.x[i * kIn], kIn);
    const auto outputs = predictor.Outputs(sample);
    for (std::size_t c = 0; c < kOut; ++c) {
      ASSERT_EQ(outputs[c], logits(i, c)) << i << " " << c;
    }
    EXPECT_EQ(predictor.Predict(sample),
              ArgMax(std::span<const float>(logits.row(i), kOut)));
  }
}

// Neither of them drops: they agree with a network that never had Dropout.
TEST(PredictorTest, NeverDrops) {
  using Plain = Sequential<Input<kIn>, Dense<kHidden>, Relu, Dense<kOut>>;
  static_assert(std::is_same_v<Inference<DroppingNet>, Plain>);
  ThreadPool pool(2);
  DroppingTrainer<Simd> trainer(pool, kBatch, Momentum{}, 3);
  const Samples samples = MakeSamples(9);
  trainer.Step(samples.Images(kBatch), samples.Labels(kBatch), 0.1f);
  const auto logits = trainer.Forward(samples.Images(kBatch));
  Predictor<DroppingNet> dropping(trainer.parameters());
  Predictor<Plain> plain(trainer.parameters());
  for (std::size_t i = 0; i < kBatch; ++i) {
    const std::span<const float, kIn> sample(&samples.x[i * kIn], kIn);
    for (std::size_t c = 0; c < kOut; ++c) {
      const float expected = plain.Outputs(sample)[c];
      ASSERT_EQ(logits(i, c), expected) << i << " " << c;
      ASSERT_EQ(dropping.Outputs(sample)[c], expected) << i << " " << c;
    }
  }
}

}  // namespace
}  // namespace hpcnn
