// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Fit: the training loop. batches -> steps -> accuracy on validation data, and
// a history of it.

#ifndef HPCNN_TRAIN_FIT_H_
#define HPCNN_TRAIN_FIT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "hpcnn/base/target.h"
#include "hpcnn/data/dataset.h"
#include "hpcnn/nn/non_finite.h"
#include "hpcnn/optim/schedule.h"
#include "hpcnn/train/evaluate.h"

HPCNN_NAMESPACE_BEGIN

struct EpochRecord {
  std::uint32_t epoch = 0;         // from 0
  double loss = 0;                 // mean over the epoch's samples
  double validation_accuracy = 0;  // fraction; 0 without validation data
  std::size_t images = 0;
  double seconds = 0;       // without the validation
  double wait_seconds = 0;  // of these, spent waiting for data
};

// A step that stopped the run: its loss or gradient was not finite.
struct Failure {
  std::uint32_t epoch = 0;  // from 0, as all here
  std::size_t batch = 0;    // of the epoch
  NonFinite what;

  // With the epoch from 1, as people count them.
  std::string Text() const {
    return "epoch " + std::to_string(epoch + 1) + ", batch " +
           std::to_string(batch) + ": " + what.Text();
  }
};

struct History {
  std::vector<EpochRecord> epochs;
  double seconds = 0;    // all of Fit, with the validation
  bool stopped = false;  // before the last epoch's end
  // Why. The trainer has the weights from before that step.
  std::optional<Failure> failure;
};

template <class Schedule = CosineSchedule>
struct FitOptions {
  float rate = 0.1f;  // multiplied by schedule(fraction of the run)
  Schedule schedule{};
  std::stop_token stop{};  // looked at between batches
};

// Observes a run: OnStep after every step, OnEpoch after every epoch. This one
// looks away.
struct NoObserver {
  void OnStep(const EpochRecord& /*so_far*/, std::size_t /*step*/,
              std::size_t /*steps*/) {}
  void OnEpoch(const EpochRecord&) {}
};

// Trains on all batches of `loader` (a BatchLoader), or until a step fails.
// `trainer`: a Trainer, a WeightAverage, or a network of your own that has Step
// and Forward and what else examples/own_class.cc shows.
// What a loader's worker throws comes out of here.
template <class TrainerType, class Loader, Dataset Validation,
          class Schedule = CosineSchedule, class Observer = NoObserver>
History Fit(TrainerType& trainer, Loader& loader, const Validation& validation,
            const FitOptions<Schedule>& options = {},
            Observer&& observer = {}) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const std::size_t steps = loader.batches_per_epoch();
  const double total = static_cast<double>(steps) * loader.epochs();

  History history;
  history.epochs.reserve(loader.epochs());
  Evaluator<TrainerType> evaluator(trainer);
  Schedule schedule = options.schedule;
  const Clock::time_point start = Clock::now();
  Clock::time_point epoch_start = start;
  double waited_before = 0;
  EpochRecord record;
  double done = 0;
  while (!options.stop.stop_requested()) {
    const auto* batch = loader.Next();
    if (batch == nullptr) break;
    const float rate = options.rate * schedule(done / total);
    const std::size_t n = batch->images.rows();
    const float loss = trainer.Step(batch->images, batch->labels, rate);
    if constexpr (requires { trainer.failure(); }) {
      if (trainer.failure()) {
        history.failure =
            Failure{record.epoch, batch->index, *trainer.failure()};
        break;
      }
    }
    record.loss += static_cast<double>(loss) * static_cast<double>(n);
    record.images += n;
    done += 1;
    const std::size_t step = batch->index + 1;
    observer.OnStep(record, step, steps);
    if (step < steps) continue;

    record.loss /= static_cast<double>(record.images);
    record.seconds = since(epoch_start);
    record.wait_seconds = loader.wait_seconds() - waited_before;
    record.validation_accuracy = evaluator.Accuracy(validation, options.stop);
    if (options.stop.stop_requested()) break;  // it saw a part only
    history.epochs.push_back(record);
    if constexpr (requires { schedule.OnEpoch(record); }) {
      schedule.OnEpoch(record);
    }
    observer.OnEpoch(record);
    record = EpochRecord{.epoch = record.epoch + 1};
    waited_before = loader.wait_seconds();
    epoch_start = Clock::now();
  }
  history.seconds = since(start);
  history.stopped = history.epochs.size() < loader.epochs();
  return history;
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_FIT_H_
