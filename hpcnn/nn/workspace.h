// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Workspace<Net, T>: the activations and gradients of one batch, and the walk
// through the network that fills them. It holds views of memory that the caller
// gives, so that memory may be static, on the heap or in an arena.
//
// Forward and BackwardInputs walk with some samples; where a layer needs
// statistics of all (BatchNorm), Walk goes on with them together.

#ifndef HPCNN_NN_WORKSPACE_H_
#define HPCNN_NN_WORKSPACE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "hpcnn/base/check.h"
#include "hpcnn/base/for_each_index.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/graph.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/nn/memory_plan.h"
#include "hpcnn/nn/non_finite.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

template <class Net, class T>
class Workspace {
 public:
  // Elements of memory that a batch of up to `batch` samples needs.
  static constexpr std::size_t ForwardElements(std::size_t batch) {
    return batch * Net::kActivations;
  }
  static constexpr std::size_t TrainingElements(std::size_t batch) {
    return ForwardElements(batch) + batch * Net::kGradients +
           Net::kStatisticsOffsets[Net::kLayers];
  }

  // Enough for Forward alone with ForwardElements(batch), for the backward walk
  // too with TrainingElements(batch).
  Workspace(std::span<T> memory, std::size_t batch)
      : memory_(memory), batch_(batch) {
    HPCNN_CHECK(batch > 0, "a batch has at least one sample");
    HPCNN_CHECK(memory.size() >= ForwardElements(batch),
                "the workspace's memory is too small for this batch");
  }

  std::size_t batch() const { return batch_; }

  // Where random numbers of the walks that follow, forward and back, are drawn.
  void At(std::uint64_t seed, std::uint32_t step) {
    seed_ = seed;
    step_ = step;
  }

  // Runs the samples `rows` of `x` [N, In] forward. Logits() shows the result.
  // `scratch` [Net::kScratch] here and below is for this call alone: each thread
  // has its own.
  template <ExecutionPolicy P>
  void Forward(std::span<const T> params, MatrixView<const T> x,
               IndexRange rows, std::span<T> scratch = {}) {
    static_assert(kSamplesAreIndependent,
                  "hpcnn: BatchNorm needs all of the batch: run Inference<Net> "
                  "or, in training, Walk");
    ForwardThrough<P, 0, Net::kLayers>(params, x, rows, scratch);
  }

  // The outputs of the last Forward, [rows.size(), classes].
  MatrixView<const T> Logits(IndexRange rows) const {
    return Place<Net::kLayers>(rows);
  }
  // Where the loss writes its gradient, same shape.
  MatrixView<T> LogitsGradient(IndexRange rows) const {
    return Gradient<Net::kLayers>(rows);
  }

  // From LogitsGradient down to the output of the first trained layer.
  template <ExecutionPolicy P>
  void BackwardInputs(std::span<const T> params, MatrixView<const T> x,
                      IndexRange rows, std::span<T> scratch = {}) {
    static_assert(kSamplesAreIndependent,
                  "hpcnn: BatchNorm needs all of the batch: run Inference<Net> "
                  "or, in training, Walk");
    BackwardThrough<P, 0, Net::kLayers>(params, x, rows, scratch);
  }

  // All of it in training, of any network: forward, evaluate(rows), which makes
  // LogitsGradient(rows) of Logits(rows), and back.
  //   fork(f): calls f(part, parts) for every part, at one time if it likes, and
  //   returns when all are done
  //   scratch(part): [Net::kScratch]
  // Returns whether the gradients of all trained layers' outputs are finite; see
  // FindNonFinite.
  template <ExecutionPolicy P, class Fork, class ScratchOf, class Evaluate>
  bool Walk(std::span<const T> params, MatrixView<const T> x, const Fork& fork,
            const ScratchOf& scratch, const Evaluate& evaluate) {
    std::atomic<bool> finite{true};
    const auto for_rows = [&](const auto& f) {
      fork([&](std::size_t part, std::size_t parts) {
        const IndexRange rows = Partition(x.rows(), part, parts);
        if (rows.size() > 0 && !f(rows, scratch(part))) {
          finite.store(false, std::memory_order_relaxed);
        }
      });
    };
    ForEachIndex<Net::kSegments>([&]<std::size_t S>() {
      constexpr std::size_t kBegin = Net::kStops[S], kEnd = Net::kStops[S + 1];
      if constexpr (S > 0) Measure<P, kBegin, false>(x, fork);
      for_rows([&](IndexRange rows, std::span<T> own) {
        ForwardThrough<P, kBegin, kEnd>(params, x, rows, own);
        if constexpr (kEnd == Net::kLayers) {
          evaluate(rows);
          return BackwardThrough<P, kBegin + (S > 0), kEnd>(params, x, rows,
                                                            own);
        }
        return true;
      });
    });
    ForEachIndexBackwards<Net::kSegments - 1>([&]<std::size_t S>() {
      constexpr std::size_t kBegin = Net::kStops[S], kEnd = Net::kStops[S + 1];
      Measure<P, kEnd, true>(x, fork);
      for_rows([&](IndexRange rows, std::span<T> own) {
        return BackwardThrough<P, kBegin + (S > 0), kEnd + 1>(params, x, rows,
                                                              own);
      });
    });
    return finite.load(std::memory_order_relaxed);
  }

  // After a Walk: what was not finite first, in the order of computation, if
  // anything is; layers that work in place of one another are named together.
  // losses: [N], of the Walk's samples.
  std::optional<NonFinite> FindNonFinite(MatrixView<const T> x,
                                         std::span<const T> losses) const {
    constexpr auto& kMemory = Net::kMemory;
    // Of the layer that makes value V; empty where none writes it.
    std::array<std::string, Net::kLayers + 1> makers;
    std::array<std::size_t, Net::kLayers + 1> widths{};
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      using Layer = typename Net::template LayerAt<I>;
      if constexpr (internal::IsView<Layer>()) return;
      makers[I + 1] = LayerText<I>();
      widths[I + 1] = kWidth<I + 1>;
    });
    std::optional<NonFinite> found;
    const auto look = [&](const std::string& tensor, const T* from,
                          std::size_t width) {
      const auto row =
          internal::NonFiniteRow(MatrixView<const T>(from, x.rows(), width));
      if (row) found = NonFinite{tensor, row};
    };
    look("input", x.data(), x.cols());
    for (std::size_t v = 1; v <= Net::kLayers && !found; ++v) {
      if (makers[v].empty()) continue;
      std::string all = makers[v];
      for (std::size_t w = v + 1; w <= Net::kLayers; ++w) {
        if (kMemory.values[w] == kMemory.values[v] && !makers[w].empty()) {
          all += " or " + makers[w];
        }
      }
      look("output of " + all, memory_.data() + kMemory.values[v] * batch_,
           widths[v]);
    }
    if (!found) look("loss", losses.data(), 1);
    for (std::size_t v = Net::kLayers; v > 0 && !found; --v) {
      const std::size_t place = kMemory.gradients[v];
      if (makers[v].empty() || place == kNoGradient) continue;
      // Written last for the first of them.
      std::size_t first = 1;
      while (kMemory.gradients[first] != place || makers[first].empty()) {
        ++first;
      }
      look("gradient of the output of " + makers[first],
           memory_.data() + (Net::kActivations + place) * batch_, widths[v]);
    }
    return found;
  }

  // Layer I for people: its place in the network's list, and its name.
  template <std::size_t I>
  static std::string LayerText() {
    using Node = typename Net::template NodeAt<I>;
    return internal::LayerText(internal::kPath<typename Node::Where>,
                               Node::kName);
  }

  // After a Walk with `count` samples: what layer I keeps of their statistics.
  template <std::size_t I>
  void Remember(std::span<T> params, std::size_t count) const {
    using Layer = typename Net::template LayerAt<I>;
    if constexpr (internal::Statistics<Layer>() > 0) {
      Layer::Remember(Net::template Parameters<I>(params), Statistics<I>(),
                      count);
    }
  }

  // Rows `rows` of layer I's parameter gradient, summed over the first `count`
  // samples and all places of a Shared layer, to d_params [rows.size(),
  // kRowSize].
  template <ExecutionPolicy P, std::size_t I>
  void BackwardParameters(std::span<const T> params, MatrixView<const T> x,
                          std::size_t count, IndexRange rows,
                          std::span<T> d_params, std::span<T> scratch = {}) {
    static_assert(Net::kOwners[I] == I, "ask the first of the places");
    BackwardAt<P, I>(params, x, count, rows, d_params, scratch);
    ForEachIndex<Net::kLayers>([&]<std::size_t Other>() {
      if constexpr (Other != I && Net::kOwners[Other] == I) {
        constexpr std::size_t kSize = Net::template LayerAt<I>::kRowSize;
        constexpr std::size_t kRows = Net::template kSumElements<I> / kSize;
        for (std::size_t row = rows.begin; row < rows.end; row += kRows) {
          const IndexRange some{row, std::min(row + kRows, rows.end)};
          const std::span<T> sum =
              d_params.subspan((row - rows.begin) * kSize, some.size() * kSize);
          const std::span<T> term = scratch.first(sum.size());
          BackwardAt<P, Other>(params, x, count, some, term,
                               scratch.subspan(kRows * kSize));
          Add<P>(std::span<const T>(term), std::span<const T>(sum), sum);
        }
      }
    });
  }

 private:
  static constexpr bool kSamplesAreIndependent = Net::kSegments == 1;

  template <std::size_t I>
  static constexpr std::size_t kFrom = Net::template NodeAt<I>::kFrom[0];
  // Elements of value V, a sample.
  template <std::size_t V>
  static constexpr std::size_t kWidth = [] {
    if constexpr (V == 0) {
      return Net::InputShape::kVolume;
    } else {
      return Net::template LayerAt<V - 1>::Output::kVolume;
    }
  }();
  template <std::size_t V>
  static constexpr bool kHasGradient = Net::kMemory.gradients[V] != kNoGradient;

  RandomPlace Draws(std::size_t layer, IndexRange rows) const {
    return {.seed = seed_,
            .epoch = step_,
            .sample = static_cast<std::uint32_t>(rows.begin),
            .part = static_cast<std::uint32_t>(layer)};
  }

  // Layers [Begin, End), forward.
  template <ExecutionPolicy P, std::size_t Begin, std::size_t End>
  void ForwardThrough(std::span<const T> params, MatrixView<const T> x,
                      IndexRange rows, std::span<T> scratch) {
    HPCNN_CHECK(scratch.size() >= Net::kScratch, "scratch must hold kScratch");
    HPCNN_CHECK(rows.end <= batch_ && rows.end <= x.rows() &&
                    x.cols() == Net::InputShape::kVolume &&
                    x.stride() == x.cols(),
                "Forward needs at most `batch` samples of the input's shape");
    ForEachIndex<End - Begin>([&]<std::size_t Index>() {
      constexpr std::size_t I = Begin + Index;
      using Layer = typename Net::template LayerAt<I>;
      if constexpr (internal::IsJoin<Layer>()) {
        Layer::template Forward<P>(Branches<I>(x, rows), Place<I + 1>(rows));
      } else if constexpr (!internal::IsView<Layer>()) {
        Layer::template Forward<P>(ForwardPass<T>{
            Net::template Parameters<I>(params), Value<kFrom<I>>(x, rows),
            Place<I + 1>(rows), scratch, Draws(I, rows), Statistics<I>()});
      }
    });
  }

  // The same layers, on the way back. Returns whether the gradients of the trained
  // ones' outputs are finite.
  template <ExecutionPolicy P, std::size_t Begin, std::size_t End>
  bool BackwardThrough(std::span<const T> params, MatrixView<const T> x,
                       IndexRange rows, std::span<T> scratch) {
    HPCNN_CHECK(memory_.size() >= TrainingElements(batch_),
                "this workspace has memory for the forward pass alone");
    bool finite = true;
    ForEachIndexBackwards<End - Begin>([&]<std::size_t Index>() {
      constexpr std::size_t I = Begin + Index;
      using Layer = typename Net::template LayerAt<I>;
      if constexpr (internal::TrainedRows<Layer>() > 0) {
        const MatrixView<const T> d_y = Gradient<I + 1>(rows);
        finite &= AllFinite<P>(std::span(d_y.data(), d_y.rows() * d_y.cols()));
      }
      if constexpr (internal::IsJoin<Layer>()) {
        BackThroughJoin<P, I>(rows);
      } else if constexpr (!kHasGradient<kFrom<I>>) {
        // Nothing before it is trained.
      } else if constexpr (internal::IsTap<Layer>()) {
        BackThroughTap<P, I>(rows);
      } else if constexpr (!internal::IsView<Layer>()) {
        Layer::template BackwardInput<P>(BackwardPass<T>{
            Net::template Parameters<I>(params), Value<kFrom<I>>(x, rows),
            Place<I + 1>(rows), Gradient<I + 1>(rows), Gradient<kFrom<I>>(rows),
            scratch, Draws(I, rows), Statistics<I>()});
      }
    });
    return finite;
  }

  // Layer I's statistics of the batch, shared by channels.
  template <ExecutionPolicy P, std::size_t I, bool kBack, class Fork>
  void Measure(MatrixView<const T> x, const Fork& fork) {
    HPCNN_CHECK(memory_.size() >= TrainingElements(batch_),
                "this workspace has memory for the forward pass alone");
    using Layer = typename Net::template LayerAt<I>;
    const IndexRange all{0, x.rows()};
    fork([&](std::size_t part, std::size_t parts) {
      const MeasurePass<T> pass{Value<kFrom<I>>(x, all), Gradient<I + 1>(all),
                                Partition(Layer::kChannels, part, parts),
                                Statistics<I>()};
      if constexpr (kBack) {
        Layer::template MeasureBack<P>(pass);
      } else {
        Layer::template Measure<P>(pass);
      }
    });
  }

  template <std::size_t I>
  std::span<T> Statistics() const {
    constexpr std::size_t kSize =
        internal::Statistics<typename Net::template LayerAt<I>>();
    if constexpr (kSize == 0) return {};
    return memory_.subspan(batch_ * (Net::kActivations + Net::kGradients) +
                               Net::kStatisticsOffsets[I],
                           kSize);
  }

  template <ExecutionPolicy P, std::size_t I>
  void BackwardAt(std::span<const T> params, MatrixView<const T> x,
                  std::size_t count, IndexRange rows, std::span<T> d_params,
                  std::span<T> scratch) {
    constexpr std::size_t kSize = Net::template LayerAt<I>::kRowSize;
    const IndexRange all{0, count};
    Net::template LayerAt<I>::template BackwardParameters<P>(
        ParameterPass<T>{Value<kFrom<I>>(x, all), Gradient<I + 1>(all), rows,
                         d_params, scratch, Statistics<I>(),
                         Net::template Parameters<I>(params).subspan(
                             rows.begin * kSize, rows.size() * kSize)});
  }

  template <ExecutionPolicy P, std::size_t I>
  void BackThroughJoin(IndexRange rows) {
    using Layer = typename Net::template LayerAt<I>;
    if constexpr (!Layer::kSharesGradient) {
      ForEachBranch<I>([&]<std::size_t... From>() {
        if constexpr ((kHasGradient<From> || ...)) {
          Layer::template BackwardInput<P, T>(Gradient<I + 1>(rows),
                                              {Gradient<From>(rows)...});
        }
      });
    }
  }

  // The last branch is the first on the way back.
  template <ExecutionPolicy P, std::size_t I>
  void BackThroughTap(IndexRange rows) {
    const MatrixView<const T> from = Gradient<I + 1>(rows);
    const MatrixView<T> to = Gradient<kFrom<I>>(rows);
    const std::span<const T> all(from.data(), from.rows() * from.cols());
    const std::span<T> sum(to.data(), all.size());
    if constexpr (!Net::template LayerAt<I>::kIsLast) {
      Add<P>(std::span<const T>(sum), all, sum);
    } else if (all.data() != sum.data()) {
      std::ranges::copy(all, sum.begin());
    }
  }

  // f.operator()<From...>() with the values that a join reads.
  template <std::size_t I, class F>
  static auto ForEachBranch(const F& f) {
    constexpr auto& kAll = Net::template NodeAt<I>::kFrom;
    return [&]<std::size_t... B>(std::index_sequence<B...>) {
      return f.template operator()<kAll[B]...>();
    }
    (std::make_index_sequence<kAll.size()>{});
  }
  template <std::size_t I>
  auto Branches(MatrixView<const T> x, IndexRange rows) const {
    return ForEachBranch<I>([&]<std::size_t... From>() {
      return std::array{Value<From>(x, rows)...};
    });
  }

  // What layers read of value V: an output, or the batch itself.
  template <std::size_t V>
  MatrixView<const T> Value(MatrixView<const T> x, IndexRange rows) const {
    if constexpr (Net::kMemory.values[V] == kInBatch) {
      return x.Rows(rows.begin, rows.size());
    } else {
      return Place<V>(rows);
    }
  }

  // The memory of the output of layer V - 1, and that of its gradient.
  template <std::size_t V>
  MatrixView<T> Place(IndexRange rows) const {
    static_assert(Net::kMemory.values[V] != kInBatch);
    return At<V>(Net::kMemory.values[V], rows);
  }
  template <std::size_t V>
  MatrixView<T> Gradient(IndexRange rows) const {
    if constexpr (!kHasGradient<V>) {
      return {nullptr, rows.size(), kWidth<V>};
    } else {
      return At<V>(Net::kActivations + Net::kMemory.gradients[V], rows);
    }
  }
  template <std::size_t V>
  MatrixView<T> At(std::size_t offset, IndexRange rows) const {
    return {memory_.data() + offset * batch_ + rows.begin * kWidth<V>,
            rows.size(), kWidth<V>};
  }

  std::span<T> memory_;
  std::size_t batch_;
  std::uint64_t seed_ = 0;
  std::uint32_t step_ = 0;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_WORKSPACE_H_
