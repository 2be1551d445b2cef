// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The training runs of //tools:train for one network, optimizer and policy.

#ifndef HPCNN_TOOLS_TRAIN_RUN_H_
#define HPCNN_TOOLS_TRAIN_RUN_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "hpcnn/augment/pipeline.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/sampler.h"
#include "hpcnn/data/split.h"
#include "hpcnn/io/sha256.h"
#include "hpcnn/loader/batch_loader.h"
#include "hpcnn/loss/softmax_cross_entropy.h"
#include "hpcnn/train/evaluate.h"
#include "hpcnn/train/fit.h"
#include "hpcnn/train/trainer.h"
#include "tools/train/choices.h"
#include "tools/train/options.h"
#include "tools/train/phase.h"
#include "tools/train/run_model.h"

namespace hpcnn::train {

// Over the little-endian bytes of the parameters in declaration order.
inline std::string WeightsSha256(std::span<const float> weights) {
  static_assert(std::endian::native == std::endian::little);
  return Sha256({reinterpret_cast<const std::uint8_t*>(weights.data()),
                 weights.size_bytes()});
}

template <class Net, class Policy>
class Runner {
 public:
  explicit Runner(const Job& job)
      : options_(job.options),
        split_(job.split),
        stop_(job.stop),
        observer_(job.observer) {}

  void Run() {
    if (options_.plain && !Train(Normalise<Image>(), Phase{.workers = 0})) {
      return;
    }
    if (!options_.augmented) return;
    for (const std::size_t workers : options_.workers) {
      if (stop_.stop_requested() ||
          !Train(AugmentPipeline<Image, Policy>(options_.seed, options_.ranges),
                 Phase{.augmented = true, .workers = workers})) {
        return;
      }
    }
  }

 private:
  using Image = MnistImages::ImageShape;

  // Whether nothing failed.
  template <class T>
  bool Train(const T& transform, const Phase& phase) {
    const std::size_t size = split_.train.size();
    if (options_.batches_per_epoch) {
      return Train(
          transform, phase,
          ReplacementSampler(size, *options_.batches_per_epoch * options_.batch,
                             options_.seed));
    }
    return Train(transform, phase, ShuffledSampler(size, options_.seed));
  }

  template <class T, class S>
  bool Train(const T& transform, Phase phase, const S& sampler) {
    phase.threads = options_.threads;
    phase.epochs = options_.epochs;
    observer_.Begin(phase);
    const AnyOptimizer rule(options_.optimizer, options_.weight_decay);
    ThreadPool pool(options_.threads);
    Trainer<Net, SoftmaxCrossEntropy, AnyOptimizer, Policy> trainer(
        pool, options_.batch, rule, options_.seed);
    PhaseResult result;
    result.phase = phase;
    {
      BatchLoader loader(split_.train, sampler, transform,
                         {.batch_size = options_.batch,
                          .epochs = options_.epochs,
                          .workers = phase.workers},
                         &pool);
      const FitOptions<AnySchedule> fit{
          .rate = options_.rate,
          .schedule = AnySchedule(options_.schedule),
          .stop = stop_};
      result.history = Fit(trainer, loader, split_.validation, fit, observer_);
    }
    // The test images are looked at once, here.
    if (!result.history.stopped) {
      result.test_accuracy = Evaluate(trainer, split_.test, stop_);
      result.tested = !stop_.stop_requested();
    }
    result.weights_sha256 = WeightsSha256(trainer.parameters());
    observer_.End(result);
    return !result.history.failure;
  }

  const Options& options_;
  const Split<MnistImages>& split_;
  std::stop_token stop_;
  PhaseObserver& observer_;
};

template <class Net>
void RunNetwork(const Job& job) {
  if (job.options.policy == Scalar::kName) {
    Runner<Net, Scalar>(job).Run();
  } else {
    Runner<Net, Simd>(job).Run();
  }
}

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_RUN_H_
