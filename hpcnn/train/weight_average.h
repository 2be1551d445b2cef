// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// WeightAverage: a trainer that keeps an exponential moving average of its
// weights and answers with that, as PyTorch's AveragedModel with get_ema_avg_fn:
//   a = w after the first step,   a = decay * a + (1 - decay) * w after others
// It stands where the trainer would:
//
//   WeightAverage average(trainer);
//   Fit(average, loader, validation);  // validates with the average
//   Predictor<Net> predictor(average.parameters());

#ifndef HPCNN_TRAIN_WEIGHT_AVERAGE_H_
#define HPCNN_TRAIN_WEIGHT_AVERAGE_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/base/arena.h"
#include "hpcnn/base/flush_denormals.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN

template <class TrainerType>
class WeightAverage {
 public:
  using Network = typename TrainerType::Network;
  using Policy = typename TrainerType::Policy;
  using Targets = typename TrainerType::Targets;
  static constexpr std::size_t kInputs = TrainerType::kInputs;

  // `trainer` must outlive this.
  explicit WeightAverage(TrainerType& trainer, float decay = 0.999f)
      : trainer_(trainer),
        decay_(decay),
        arena_(ArenaBytes<float>(kCount)),
        average_(arena_.Take<float>(kCount).template first<kCount>()) {
    std::ranges::copy(trainer.parameters(), average_.begin());
  }

  // As the trainer's. A step that fails changes no average.
  float Step(MatrixView<const float> x, Targets targets, float rate) {
    const float loss = trainer_.Step(x, targets, rate);
    if (failure()) return loss;
    pool().Run([&](std::size_t part, std::size_t parts) {
      const FlushDenormals flush;
      const IndexRange some = Partition(kCount, part, parts);
      Axpby<Policy>(1 - keep_,
                    std::span<const float>(trainer_.parameters())
                        .subspan(some.begin, some.size()),
                    keep_, average_.subspan(some.begin, some.size()));
    });
    keep_ = decay_;
    return loss;
  }

  MatrixView<const float> Forward(MatrixView<const float> x) {
    return trainer_.Forward(x, parameters());
  }

  std::span<const float, Network::kParameterCount> parameters() const {
    return average_;
  }
  const auto& failure() const { return trainer_.failure(); }
  std::size_t batch() const { return trainer_.batch(); }
  ThreadPool& pool() const { return trainer_.pool(); }

 private:
  static constexpr std::size_t kCount = Network::kParameterCount;

  TrainerType& trainer_;
  const float decay_;
  float keep_ = 0;  // decay_ from the second step on
  Arena arena_;
  std::span<float, kCount> average_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_WEIGHT_AVERAGE_H_
