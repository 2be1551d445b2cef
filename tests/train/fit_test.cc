// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/train/fit.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <stop_token>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/augment/pipeline.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/data/sampler.h"
#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/loader/batch_loader.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/nn/batch_norm.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/layer_norm.h"
#include "hpcnn/nn/mlp.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/clip.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/schedule.h"
#include "hpcnn/train/evaluate.h"
#include "hpcnn/train/trainer.h"
#include "hpcnn/train/weight_average.h"
#include "tests/testing/allocation_count.h"

namespace hpcnn {
namespace {

using Image = Shape<1, 28, 28>;
using Net = Sequential<Input<1, 28, 28>, Flatten, Dense<32>, Relu, Dense<10>>;
using NetTrainer = Trainer<Net, SoftmaxCrossEntropy, Momentum>;

constexpr std::uint32_t kEpochs = 3;

const SyntheticDigits& Digits() {
  // 9 batches of 64 and one of 24.
  static const SyntheticDigits digits = MakeSyntheticDigits(600, 1);
  return digits;
}
const SyntheticDigits& Unseen() {
  static const SyntheticDigits digits = MakeSyntheticDigits(300, 2);
  return digits;
}

template <class TrainerType, class T, class Observer = NoObserver>
History Train(TrainerType& trainer, const T& transform, std::size_t workers,
              Observer&& observer = {}, std::stop_token stop = {}) {
  BatchLoader loader(Digits(), ShuffledSampler(Digits().size(), 1), transform,
                     {.epochs = kEpochs, .workers = workers}, &trainer.pool());
  const FitOptions<> options{.stop = stop};
  return Fit(trainer, loader, Unseen(), options, observer);
}

TEST(FitTest, LearnsAndKeepsAHistory) {
  ThreadPool pool(2);
  NetTrainer trainer(pool, 64, Momentum{}, 1);
  const double before = Evaluate(trainer, Unseen());
  const History history = Train(trainer, Normalise<Image>(), 0);
  ASSERT_EQ(history.epochs.size(), kEpochs);
  EXPECT_FALSE(history.stopped);
  for (std::uint32_t e = 0; e < kEpochs; ++e) {
    EXPECT_EQ(history.epochs[e].epoch, e);
    EXPECT_EQ(history.epochs[e].images, Digits().size());
    EXPECT_GT(history.epochs[e].seconds, 0);
    EXPECT_LE(history.epochs[e].wait_seconds, history.epochs[e].seconds);
  }
  EXPECT_LT(history.epochs.back().loss, 0.7 * history.epochs.front().loss);
  EXPECT_LT(before, 0.4);
  EXPECT_GT(history.epochs.back().validation_accuracy, 0.6);
  EXPECT_EQ(history.epochs.back().validation_accuracy,
            Evaluate(trainer, Unseen()));
}

TEST(FitTest, WeightsAreTheSameForAnyWorkersAndThreads) {
  std::vector<float> first;
  for (const std::size_t threads : {1u, 2u}) {
    for (const std::size_t workers : {0u, 1u, 2u, 7u, 32u}) {
      ThreadPool pool(threads);
      NetTrainer trainer(pool, 64, Momentum{}, 1);
      Train(trainer, AugmentPipeline<Image>(1), workers);
      const auto weights = trainer.parameters();
      if (first.empty()) first.assign(weights.begin(), weights.end());
      ASSERT_TRUE(std::equal(weights.begin(), weights.end(), first.begin()))
          << threads << " threads, " << workers << " workers";
    }
  }
}

TEST(FitTest, AScheduleIsToldOfEveryEpoch) {
  struct Halving {
    std::vector<float>* rates;
    float rate = 1;
    float operator()(double) const {
      rates->push_back(rate);
      return rate;
    }
    void OnEpoch(const EpochRecord& record) {
      EXPECT_EQ(record.images, Digits().size());
      EXPECT_GT(record.validation_accuracy, 0);
      rate /= 2;
    }
  };
  ThreadPool pool(1);
  NetTrainer trainer(pool, 64, Momentum{}, 1);
  BatchLoader loader(Digits(), ShuffledSampler(Digits().size(), 1),
                     Normalise<Image>(), {.epochs = kEpochs}, &pool);
  std::vector<float> rates;
  Fit(trainer, loader, Unseen(), FitOptions<Halving>{.schedule = {&rates}});
  std::vector<float> expected(10, 1.0f);
  expected.resize(20, 0.5f);
  expected.resize(30, 0.25f);
  EXPECT_EQ(rates, expected);
}

static_assert(requires(PlateauSchedule schedule, EpochRecord record) {
  schedule.OnEpoch(record);
});

struct AllocationCounter {
  std::size_t at_first_step = 0;
  std::size_t at_last_epoch = 0;
  void OnStep(const EpochRecord& so_far, std::size_t step, std::size_t) {
    if (so_far.epoch == 0 && step == 1) at_first_step = AllocationCount();
  }
  void OnEpoch(const EpochRecord&) { at_last_epoch = AllocationCount(); }
};

// Loader, augmentation, step, metrics: nothing allocates once they are set up.
template <class TrainerType, class Rule>
void ExpectNoAllocation(const Rule& rule) {
  for (const std::size_t workers : {0u, 2u, 32u}) {
    ThreadPool pool(2);
    TrainerType trainer(pool, 64, rule, 1);
    AllocationCounter counter;
    Train(trainer, AugmentPipeline<Image>(1), workers, counter);
    EXPECT_GT(counter.at_first_step, 0u) << "the counter does not count";
    EXPECT_EQ(counter.at_last_epoch - counter.at_first_step, 0u)
        << workers << " workers";
  }
}

TEST(FitTest, TrainingDoesNotAllocate) {
  ExpectNoAllocation<NetTrainer>(Momentum{});
  // One of each kind.
  using Many = Sequential<
      Input<1, 28, 28>, Conv2d<4, 5, 5>, BatchNorm, Relu, MaxPool<2>,
      Residual<DepthwiseConv2d<3, 3, Stride<1>, Padding<1>>, LayerNorm, Gelu>,
      AvgPool<2>, Flatten, Dropout<Percent<20>>, Concat<Dense<4>, Dense<6>>>;
  using Rule = ClipByNorm<AdamW>;
  ExpectNoAllocation<Trainer<Many, SoftmaxCrossEntropy, Rule>>(Rule{});
}

// Breaks at one image of the second epoch.
struct Throwing {
  void operator()(std::uint32_t epoch, std::uint32_t draw, ImageView<Image> in,
                  TransformedView<Image> out) const {
    if (epoch == 1 && draw == 77) throw std::runtime_error("image 77");
    Normalise<Image>()(epoch, draw, in, out);
  }
};

TEST(FitTest, AnExceptionInAWorkerReachesTheCaller) {
  ThreadPool pool(2);
  for (const std::size_t workers : {0u, 1u, 2u, 32u}) {
    NetTrainer trainer(pool, 64, Momentum{}, 1);
    EXPECT_THROW(
        {
          try {
            Train(trainer, Throwing(), workers);
          } catch (const std::runtime_error& error) {
            EXPECT_STREQ(error.what(), "image 77");
            throw;
          }
        },
        std::runtime_error)
        << workers << " workers";
    // Trainer and pool are still good.
    EXPECT_EQ(Train(trainer, Normalise<Image>(), workers).epochs.size(),
              kEpochs);
  }
}

TEST(FitTest, AStopRequestEndsTheRunBetweenSteps) {
  struct StopAt {
    std::stop_source source;
    std::size_t steps = 0;
    void OnStep(const EpochRecord&, std::size_t, std::size_t) {
      if (++steps == 13) source.request_stop();
    }
    void OnEpoch(const EpochRecord&) {}
  };
  for (const std::size_t workers : {0u, 2u, 32u}) {
    ThreadPool pool(2);
    NetTrainer trainer(pool, 64, Momentum{}, 1);
    StopAt observer;
    const History history = Train(trainer, Normalise<Image>(), workers,
                                  observer, observer.source.get_token());
    EXPECT_EQ(observer.steps, 13u);
    EXPECT_TRUE(history.stopped);
    EXPECT_EQ(history.epochs.size(), 1u);  // 10 steps an epoch
  }
}

// Trains, validates and evaluates in the place of its trainer.
TEST(FitTest, TakesAWeightAverage) {
  ThreadPool pool(2);
  NetTrainer trainer(pool, 64, Momentum{}, 1);
  WeightAverage average(trainer, 0.8f);
  BatchLoader loader(Digits(), ShuffledSampler(Digits().size(), 1),
                     Normalise<Image>(), {.epochs = kEpochs}, &pool);
  const History history = Fit(average, loader, Unseen());
  const double accuracy = history.epochs.back().validation_accuracy;
  EXPECT_GT(accuracy, 0.6);
  EXPECT_EQ(accuracy, Evaluate(average, Unseen()));
  std::copy(average.parameters().begin(), average.parameters().end(),
            trainer.mutable_parameters().begin());
  EXPECT_EQ(accuracy, Evaluate(trainer, Unseen()));
}

TEST(EvaluateTest, CountsRightAnswers) {
  ThreadPool pool(1);
  NetTrainer trainer(pool, 7, Momentum{}, 1);  // a batch that leaves a rest
  // Weights of zero and a bias for class 3: everything is a three.
  std::fill(trainer.mutable_parameters().begin(),
            trainer.mutable_parameters().end(), 0.0f);
  trainer.mutable_parameters().last(10)[3] = 1;
  EXPECT_DOUBLE_EQ(Evaluate(trainer, Digits()), 0.1);
  EXPECT_EQ(Evaluate(trainer, SyntheticDigits(0)), 0);
}

}  // namespace
}  // namespace hpcnn
