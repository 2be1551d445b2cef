// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Trainer: a network's parameters, its optimizer's state, and the training
// step.
//
// A step is two parallel phases. First every thread takes some samples of the
// batch: forward, loss, gradient of the inputs. Then every thread takes some
// rows of every parameter matrix: gradient, summed over the batch in a fixed
// order, and update. Both split work over outputs, never a sum, so the weights
// are the same to the byte for any number of threads. Where more threads turn
// out to be slower, the steps are left to one (fork_choice.h). A layer that needs
// statistics of all the batch splits the first phase. For a rule that
// needs the gradient's norm all of the gradient is stored, and the update is a
// third phase. Nothing allocates after construction.
//
// A step whose loss or gradient is not finite leaves the weights as they were,
// and failure() says what was wrong. One case is between: where all that goes
// into a weight's gradient is finite and the sum over the batch overflows, weights
// that others updated until then stay updated. All are finite still.

#ifndef HPCNN_TRAIN_TRAINER_H_
#define HPCNN_TRAIN_TRAINER_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "hpcnn/base/arena.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/flush_denormals.h"
#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/loss/loss.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/non_finite.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/workspace.h"
#include "hpcnn/ops/reduce.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/train/fork_choice.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// The words of a static_assert: where an output that does not fit arrives.
template <class LossFunction>
struct AtLoss;

template <class LossFunction>
struct LossExpects {
  using Type = AnyShape;
};
template <class LossFunction>
requires requires { typename LossFunction::Expects; }
struct LossExpects<LossFunction> {
  using Type = typename LossFunction::Expects;
};

}  // namespace internal

template <class Net, Loss LossFunction, Optimizer Rule,
          ExecutionPolicy P = DefaultPolicy>
class Trainer {
  static_assert(
      kShapesChain<internal::AtLoss<LossFunction>,
                   Produces<typename Net::OutputShape>,
                   Expects<typename internal::LossExpects<LossFunction>::Type>>,
      "hpcnn: the loss must take the network's outputs: SoftmaxCrossEntropy a "
      "vector (end with Flatten and Dense<classes>), JointLoss as many as its "
      "heads have");

 public:
  using Network = Net;
  using Policy = P;
  using Targets = typename LossFunction::template Targets<float>;
  static constexpr std::size_t kInputs = Net::InputShape::kVolume;

  // `batch`: the largest number of samples of a step. `pool` must outlive the
  // trainer. The initial parameters depend on `seed` alone, and with them what
  // Dropout drops in each step.
  Trainer(ThreadPool& pool, std::size_t batch, const Rule& rule,
          std::uint64_t seed)
      : pool_(pool),
        choice_(pool.threads()),
        rule_(rule),
        seed_(seed),
        arena_(Bytes(batch, pool.threads())),
        parameters_(arena_.Take<float>(Net::kParameterCount)
                        .template first<Net::kParameterCount>()),
        activations_(arena_.Take<float>(Activations::TrainingElements(batch))),
        workspace_(activations_, batch),
        inference_(activations_, batch),
        losses_(arena_.Take<float>(batch)),
        gradients_(arena_.Take<float>(GradientElements(pool.threads()))),
        scratch_(arena_.Take<float>(pool.threads() * Net::kScratch)) {
    for (float*& state : states_) {
      state = arena_.Take<float>(Net::kParameterCount).data();
    }
    Net::Initialise(seed, std::span<float>(parameters_));
  }

  // Bytes of the arena that holds all of it.
  static constexpr std::size_t Bytes(std::size_t batch, std::size_t threads) {
    return ArenaBytes<float>(Net::kParameterCount) * (1 + Rule::kStates) +
           ArenaBytes<float>(Activations::TrainingElements(batch)) +
           ArenaBytes<float>(batch) +
           ArenaBytes<float>(GradientElements(threads)) +
           ArenaBytes<float>(threads * Net::kScratch);
  }

  // One step of gradient descent on the mean loss of a batch.
  //   x: [n, inputs], targets: n of them, 1 <= n <= batch
  // Returns the mean loss before the step. Look at failure() after it.
  float Step(MatrixView<const float> x, Targets targets, float rate) {
    const std::size_t n = x.rows();
    HPCNN_CHECK(0 < n && n <= workspace_.batch() && x.cols() == kInputs,
                "a step needs [1...batch, inputs]");
    const auto start = std::chrono::steady_clock::now();
    const float scale = 1.0f / static_cast<float>(n);
    workspace_.At(seed_, static_cast<std::uint32_t>(steps_));
    failure_.reset();
    const bool finite = workspace_.template Walk<P>(
        parameters(), x, [&](const auto& f) { Fork(f); },
        [&](std::size_t part) { return Scratch(part); },
        [&](IndexRange rows) {
          LossFunction::template Evaluate<P>(
              workspace_.Logits(rows), targets, rows.begin, scale,
              workspace_.LogitsGradient(rows),
              losses_.subspan(rows.begin, rows.size()));
        });
    const float loss = scale * Sum<P>(std::span<const float>(losses_.first(n)));
    if (!finite || !std::isfinite(loss)) {
      failure_ = workspace_.FindNonFinite(x, losses_.first(n));
      if (!failure_) failure_ = NonFinite{"mean loss"};
      return loss;
    }
    OptimizerStep<float> step{.rate = rate, .number = ++steps_};
    std::atomic<bool> overflow{false};
    Fork([&](std::size_t part, std::size_t parts) {
      ForEachTrained([&]<std::size_t I>() {
        UpdateLayer<I>(x, n, step, part, parts, overflow);
      });
    });
    if (overflow.load(std::memory_order_relaxed)) return loss;
    if constexpr (kNeedsNorm) {
      step.norm = GradientNorm();
      if (!std::isfinite(step.norm)) {
        failure_ = NonFinite{"norm of the parameters' gradient"};
        return loss;
      }
      Fork([&](std::size_t part, std::size_t parts) {
        ForEachTrained([&]<std::size_t I>() {
          const IndexRange all = Partition(kTrained<I>, part, parts);
          for (std::size_t i = all.begin; i < all.end; i += kSlice) {
            const std::size_t first = Net::kParameterOffsets[I] + i;
            Update(step, first,
                   gradients_.subspan(first, std::min(kSlice, all.end - i)));
          }
        });
      });
    }
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      workspace_.template Remember<I>(parameters_, n);
    });
    // Short batches say nothing about the others.
    if (n == workspace_.batch()) {
      choice_.Took(std::chrono::steady_clock::now() - start);
    }
    return loss;
  }

  // The outputs of Inference<Net> for x [n, inputs], n <= batch: [n, outputs],
  // valid until the next call.
  MatrixView<const float> Forward(MatrixView<const float> x) {
    return Forward(x, parameters());
  }
  // The same with other parameters.
  MatrixView<const float> Forward(
      MatrixView<const float> x,
      std::span<const float, Net::kParameterCount> params) {
    pool_.Run([&](std::size_t part, std::size_t parts) {
      const IndexRange rows = Partition(x.rows(), part, parts);
      inference_.template Forward<P>(params, x, rows, Scratch(part));
    });
    return inference_.Logits({0, x.rows()});
  }

  std::span<const float, Net::kParameterCount> parameters() const {
    return parameters_;
  }
  std::span<float, Net::kParameterCount> mutable_parameters() {
    return parameters_;
  }
  // What was not finite in the last step; nothing where all was well.
  const std::optional<NonFinite>& failure() const { return failure_; }
  std::size_t batch() const { return workspace_.batch(); }
  ThreadPool& pool() const { return pool_; }

 private:
  using Activations = Workspace<Net, float>;
  static constexpr bool kNeedsNorm = internal::NeedsNorm<Rule>();
  // A slice of the gradient is used up while it is in the L1 cache: 24 KiB of
  // the usual 32 or 48, but at least one row.
  static constexpr std::size_t kSlice = 24 * 1024 / sizeof(float);
  static constexpr std::size_t kGradientElements = [] {
    std::size_t elements = kSlice;
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      elements = std::max(elements, Net::template LayerAt<I>::kRowSize);
    });
    return elements;
  }();
  static constexpr std::size_t GradientElements(std::size_t threads) {
    return kNeedsNorm ? Net::kParameterCount : threads * kGradientElements;
  }

  // Elements of layer I that the rule sees.
  template <std::size_t I>
  static constexpr std::size_t kTrained =
      internal::TrainedRows<typename Net::template LayerAt<I>>() *
      Net::template LayerAt<I>::kRowSize;

  // f.operator()<I>() for the layers that have such, each set once.
  template <class F>
  static void ForEachTrained(const F& f) {
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      if constexpr (kTrained < I >> 0 && Net::kOwners[I] == I) {
        f.template operator()<I>();
      }
    });
  }

  // As pool_.Run, or one part on the caller.
  template <class F>
  void Fork(const F& f) {
    const auto run = [&](std::size_t part, std::size_t parts) {
      const FlushDenormals flush;
      f(part, parts);
    };
    if (choice_.forks()) {
      pool_.Run(run);
    } else {
      run(0, 1);
    }
  }

  std::span<float> Scratch(std::size_t part) const {
    return scratch_.subspan(part * Net::kScratch, Net::kScratch);
  }

  // By one thread: the order of the sum does not depend on their number.
  float GradientNorm() const {
    const FlushDenormals flush;
    return std::sqrt(SumOfSquares<P>(std::span<const float>(gradients_)));
  }

  template <std::size_t I>
  void UpdateLayer(MatrixView<const float> x, std::size_t n,
                   const OptimizerStep<float>& step, std::size_t part,
                   std::size_t parts, std::atomic<bool>& overflow) {
    using Layer = typename Net::template LayerAt<I>;
    constexpr std::size_t kWidth = Layer::kRowSize;
    constexpr std::size_t kRows = kGradientElements / kWidth;
    const IndexRange all =
        Partition(internal::TrainedRows<Layer>(), part, parts);
    for (std::size_t row = all.begin; row < all.end; row += kRows) {
      const IndexRange rows{row, std::min(row + kRows, all.end)};
      const std::size_t first = Net::kParameterOffsets[I] + row * kWidth;
      const std::span<float> gradient = gradients_.subspan(
          kNeedsNorm ? first : part * kGradientElements, rows.size() * kWidth);
      workspace_.template BackwardParameters<P, I>(parameters(), x, n, rows,
                                                   gradient, Scratch(part));
      if constexpr (!kNeedsNorm) {
        if (!AllFinite<P>(std::span<const float>(gradient)) &&
            !overflow.exchange(true)) {
          failure_ = NonFinite{"gradient of the parameters of " +
                               Activations::template LayerText<I>()};
        }
        if (overflow.load(std::memory_order_relaxed)) return;
        Update(step, first, gradient);
      }
    }
  }

  // The parameters from `first` on, by their gradient.
  void Update(const OptimizerStep<float>& step, std::size_t first,
              std::span<float> gradient) {
    std::array<float*, Rule::kStates> states = states_;
    for (float*& state : states) state += first;
    rule_.template Update<P>(step, parameters_.subspan(first, gradient.size()),
                             gradient, states);
  }

  ThreadPool& pool_;
  ForkChoice choice_;
  const Rule rule_;
  const std::uint64_t seed_;
  Arena arena_;
  std::span<float, Net::kParameterCount> parameters_;
  std::span<float> activations_;
  Activations workspace_;
  Workspace<Inference<Net>, float> inference_;  // in the same memory
  std::span<float> losses_;                     // [batch]
  std::span<float> gradients_;                  // [GradientElements(threads)]
  std::span<float> scratch_;                    // [threads, Net::kScratch]
  std::array<float*, Rule::kStates> states_{};  // each [kParameterCount]
  std::uint64_t steps_ = 0;
  std::optional<NonFinite> failure_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_TRAIN_TRAINER_H_
