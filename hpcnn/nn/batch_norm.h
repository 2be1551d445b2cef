// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// BatchNorm: each channel of an image, or each element of a vector, minus its
// mean over the batch, by its standard deviation, then a gain and a shift, which
// are learned. Ioffe & Szegedy, ICML 2015.
//
// Parameters: four rows of a channel each: gains, shifts, and the running mean
// and variance, which the trainer keeps and no optimizer sees. In Inference<Net>
// FrozenBatchNorm stands in its place, which uses those; where it stands in a
// network that is trained, it is not, but gradients pass it.
//
// Not for batches of a few samples, whose statistics say little: LayerNorm.

#ifndef HPCNN_NN_BATCH_NORM_H_
#define HPCNN_NN_BATCH_NORM_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/base/shape.h"
#include "hpcnn/nn/layer.h"
#include "hpcnn/ops/batch_norm.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// What the two have in common.
template <ShapeType In>
struct BatchNormOn {
  using Input = In;
  using Output = In;
  using Expects = AnyShape;
  static constexpr std::size_t kChannels = In::kDims[0];
  static constexpr std::size_t kPlane = In::kVolume / kChannels;
  static constexpr std::size_t kParameterRows = 4;
  static constexpr std::size_t kRowSize = kChannels;
  static constexpr bool kKeepsOutput = false;

  template <class T>
  static void Initialise(std::span<T> params, RandomStream&) {
    for (std::size_t row = 0; row < kParameterRows; ++row) {
      const bool is_one = row == 0 || row == 3;
      std::ranges::fill(Row(params, row), is_one ? T{1} : T{0});
    }
  }

 protected:
  template <class T>
  static std::span<T> Row(std::span<T> all, std::size_t row) {
    return all.subspan(row * kChannels, kChannels);
  }
};

}  // namespace internal

struct FrozenBatchNorm {
  static constexpr const char* kName = "FrozenBatchNorm";

  template <ShapeType In>
  struct On : internal::BatchNormOn<In> {
    using Base = internal::BatchNormOn<In>;
    static constexpr std::size_t kTrainedRows = 0;
    static constexpr std::size_t kForwardFlops = 2 * In::kVolume;
    static constexpr bool kInPlace = true;

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      FrozenBatchNormForward<P>(pass.x, Base::kPlane, Base::Row(pass.params, 2),
                                Base::Row(pass.params, 3),
                                Base::Row(pass.params, 0),
                                Base::Row(pass.params, 1), pass.y);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      FrozenBatchNormBackwardInput<P>(Base::kPlane, Base::Row(pass.params, 3),
                                      Base::Row(pass.params, 0), pass.d_y,
                                      pass.d_x);
    }
  };
};

struct BatchNorm {
  static constexpr const char* kName = "BatchNorm";
  using Inference = FrozenBatchNorm;

  template <ShapeType In>
  struct On : internal::BatchNormOn<In> {
    using Base = internal::BatchNormOn<In>;
    static constexpr std::size_t kTrainedRows = 2;
    static constexpr std::size_t kStatistics = 5 * Base::kChannels;
    static constexpr std::size_t kForwardFlops = 7 * In::kVolume;
    static constexpr bool kInPlace = false;
    static constexpr bool kReadsInput = true;

    template <ExecutionPolicy P, class T>
    static void Measure(const MeasurePass<T>& pass) {
      BatchNormMeasure<P>(pass.x, Base::kPlane, pass.channels,
                          Statistics(pass.statistics));
    }

    template <ExecutionPolicy P, class T>
    static void MeasureBack(const MeasurePass<T>& pass) {
      BatchNormMeasureBack<P>(pass.x, pass.d_y, Base::kPlane, pass.channels,
                              Statistics(pass.statistics));
    }

    // A tenth of the batch's, of which the variance as an estimate without bias.
    template <class T>
    static void Remember(std::span<T> params, std::span<T> statistics,
                         std::size_t count) {
      const std::size_t values = count * Base::kPlane;
      if (values < 2) return;
      const T unbiased = static_cast<T>(values) / static_cast<T>(values - 1);
      const auto of = Statistics(statistics);
      const std::span<T> mean = Base::Row(params, 2);
      const std::span<T> variance = Base::Row(params, 3);
      constexpr T kShare{0.1f};
      for (std::size_t c = 0; c < Base::kChannels; ++c) {
        mean[c] += kShare * (of.mean[c] - mean[c]);
        variance[c] += kShare * (unbiased * of.variance[c] - variance[c]);
      }
    }

    template <ExecutionPolicy P, class T>
    static void Forward(const ForwardPass<T>& pass) {
      BatchNormForward<P>(pass.x, Base::kPlane, Statistics(pass.statistics),
                          Base::Row(pass.params, 0), Base::Row(pass.params, 1),
                          pass.y);
    }

    template <ExecutionPolicy P, class T>
    static void BackwardInput(const BackwardPass<T>& pass) {
      BatchNormBackwardInput<P>(pass.x, Base::kPlane,
                                Statistics(pass.statistics),
                                Base::Row(pass.params, 0), pass.d_y, pass.d_x);
    }

    // The sums are there: MeasureBack made means of them.
    template <ExecutionPolicy P, class T>
    static void BackwardParameters(const ParameterPass<T>& pass) {
      const auto of = Statistics(pass.statistics);
      const T values = static_cast<T>(pass.x.rows() * Base::kPlane);
      for (std::size_t row = pass.rows.begin; row < pass.rows.end; ++row) {
        const std::span<T> means = row == 0 ? of.d_y_normal : of.d_y;
        std::ranges::transform(
            means, Base::Row(pass.d_params, row - pass.rows.begin).begin(),
            [&](T mean) { return values * mean; });
      }
    }

   private:
    template <class T>
    static BatchStatistics<T> Statistics(std::span<T> all) {
      return {Base::Row(all, 0), Base::Row(all, 1), Base::Row(all, 2),
              Base::Row(all, 3), Base::Row(all, 4)};
    }
  };
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_NN_BATCH_NORM_H_
