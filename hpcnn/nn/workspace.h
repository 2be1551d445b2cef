// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Workspace<Net, T>: the activations and gradients of one batch, and the walk
// through the network that fills them. It holds views of memory that the caller
// gives, so that memory may be static, on the heap or in an arena.

#ifndef HPCNN_NN_WORKSPACE_H_
#define HPCNN_NN_WORKSPACE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/nn/sequential.h"

HPCNN_NAMESPACE_BEGIN

template <class Net, class T>
class Workspace {
 public:
  // Elements of memory that a batch of up to `batch` samples needs.
  static constexpr std::size_t ForwardElements(std::size_t batch) {
    return batch * Net::kActivations;
  }
  static constexpr std::size_t TrainingElements(std::size_t batch) {
    return 2 * ForwardElements(batch);
  }

  // Enough for Forward alone with ForwardElements(batch), for the backward walk
  // too with TrainingElements(batch).
  Workspace(std::span<T> memory, std::size_t batch)
      : memory_(memory), batch_(batch) {
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
    HPCNN_CHECK(scratch.size() >= Net::kScratch, "scratch must hold kScratch");
    HPCNN_CHECK(rows.end <= batch_ && rows.end <= x.rows() &&
                    x.cols() == Net::InputShape::kVolume &&
                    x.stride() == x.cols(),
                "Forward needs at most `batch` samples of the input's shape");
    ForEachIndex<Net::kLayers>([&]<std::size_t I>() {
      if constexpr (Net::kBuffers[I + 1] != Net::kInBatch) {
        Net::template LayerAt<I>::template Forward<P>(ForwardPass<T>{
            Net::template Parameters<I>(params), Value<I>(x, rows),
            Buffer<I + 1>(0, rows), scratch, Place(I, rows)});
      }
    });
  }

  // The outputs of the last Forward, [rows.size(), classes].
  MatrixView<const T> Logits(IndexRange rows) const {
    return Buffer<Net::kLayers>(0, rows);
  }
  // Where the loss writes its gradient, same shape.
  MatrixView<T> LogitsGradient(IndexRange rows) const {
    return Buffer<Net::kLayers>(1, rows);
  }

  // From LogitsGradient down to the output of the first trained layer.
  template <ExecutionPolicy P>
  void BackwardInputs(std::span<const T> params, MatrixView<const T> x,
                      IndexRange rows, std::span<T> scratch = {}) {
    HPCNN_CHECK(memory_.size() >= TrainingElements(batch_),
                "this workspace has memory for the forward pass alone");
    ForEachIndexBackwards<Net::kLayers>([&]<std::size_t I>() {
      if constexpr (I > Net::kFirstTrained) {
        Net::template LayerAt<I>::template BackwardInput<P>(BackwardPass<T>{
            Net::template Parameters<I>(params), Value<I>(x, rows),
            Buffer<I + 1>(0, rows), Buffer<I + 1>(1, rows), Buffer<I>(1, rows),
            scratch, Place(I, rows)});
      }
    });
  }

  // Rows `rows` of layer I's parameter gradient, summed over the first `count`
  // samples, to d_params [rows.size(), kRowSize].
  template <ExecutionPolicy P, std::size_t I>
  void BackwardParameters(MatrixView<const T> x, std::size_t count,
                          IndexRange rows, std::span<T> d_params,
                          std::span<T> scratch = {}) {
    const IndexRange all{0, count};
    Net::template LayerAt<I>::template BackwardParameters<P>(ParameterPass<T>{
        Value<I>(x, all), Buffer<I + 1>(1, all), rows, d_params, scratch});
  }

 private:
  RandomPlace Place(std::size_t layer, IndexRange rows) const {
    return {.seed = seed_,
            .epoch = step_,
            .sample = static_cast<std::uint32_t>(rows.begin),
            .part = static_cast<std::uint32_t>(layer)};
  }

  // What layer I reads: an earlier layer's buffer, or the batch itself.
  template <std::size_t I>
  MatrixView<const T> Value(MatrixView<const T> x, IndexRange rows) const {
    if constexpr (Net::kBuffers[I] == Net::kInBatch) {
      return x.Rows(rows.begin, rows.size());
    } else {
      return Buffer<I>(0, rows);
    }
  }

  // The memory of the output of layer I - 1; half 0 holds values, 1 gradients.
  template <std::size_t I>
  MatrixView<T> Buffer(std::size_t half, IndexRange rows) const {
    static_assert(Net::kBuffers[I] != Net::kInBatch);
    constexpr std::size_t kWidth =
        Net::template LayerAt<I - 1>::Output::kVolume;
    constexpr std::size_t kOffset = Net::kBufferOffsets[Net::kBuffers[I]];
    T* const first = memory_.data() + half * ForwardElements(batch_) +
                     kOffset * batch_ + rows.begin * kWidth;
    return {first, rows.size(), kWidth};
  }

  std::span<T> memory_;
  std::size_t batch_;
  std::uint64_t seed_ = 0;
  std::uint32_t step_ = 0;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_WORKSPACE_H_
