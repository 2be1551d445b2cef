// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Batch normalisation of each channel of a batch [N, C, plane], and its
// gradients. Ioffe & Szegedy, ICML 2015:
//
//   x^ = (x - mean) * scale,  scale = 1 / sqrt(variance + kBatchNormEpsilon)
//   y = gain x^ + shift
//
// with the mean and the (biased) variance of the channel over the batch, and
//
//   d_x = gain scale (d_y - mean of d_y - x^ mean of d_y x^)
//
// Statistics are taken of a range of channels, so that threads share the work
// and each sum has one order. A plane is what a channel has of one sample: rows
// times columns of an image, 1 of a vector.

#ifndef HPCNN_OPS_BATCH_NORM_H_
#define HPCNN_OPS_BATCH_NORM_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <tuple>
#include <utility>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN

// Of all channels.
template <class T>
struct BatchStatistics {
  std::span<T> mean;      // [C]
  std::span<T> variance;  // biased
  std::span<T> scale;
  std::span<T> d_y;         // means over the batch: of d_y,
  std::span<T> d_y_normal;  // and of d_y x^
};

inline constexpr double kBatchNormEpsilon = 1e-5;

template <class T>
T BatchNormScale(T variance) {
  return T{1} / std::sqrt(variance + static_cast<T>(kBatchNormEpsilon));
}

namespace internal {

struct BatchNormFunction {
  template <class T>
  T operator()(T x, T mean, T scale, T gain, T shift) const {
    return (x - mean) * (scale * gain) + shift;
  }
};
struct BatchNormGradient {
  template <class T>
  T operator()(T d_y, T x, T mean, T scale, T gain, T mean_d_y,
               T mean_product) const {
    const T normal = (x - mean) * scale;
    return (scale * gain) * (d_y - (normal * mean_product + mean_d_y));
  }
};
struct FrozenBatchNormFunction {
  template <class T>
  T operator()(T x, T mean, T variance, T gain, T shift) const {
    return (x - mean) * (BatchNormScale(variance) * gain) + shift;
  }
};
struct FrozenBatchNormGradient {
  template <class T>
  T operator()(T d_y, T variance, T gain) const {
    return d_y * (BatchNormScale(variance) * gain);
  }
};
struct SquareSum {  // what sums, then what is summed
  template <class T>
  T operator()(T sum, T x, T mean) const {
    return (x - mean) * (x - mean) + sum;
  }
};
struct CentredProductSum {
  template <class T>
  T operator()(T sum, T d_y, T x, T mean) const {
    return d_y * (x - mean) + sum;
  }
};

// F with its last arguments fixed, those of one channel.
template <class F, class T, std::size_t N>
struct OfChannel {
  std::array<T, N> last;
  template <class... In>
  T operator()(In... in) const {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return F{}(in..., last[I]...);
    }
    (std::make_index_sequence<N>{});
  }
};
template <class F, class T, class... Rest>
OfChannel<F, T, 1 + sizeof...(Rest)> Fix(T first, Rest... rest) {
  return {{first, rest...}};
}

// As a MappedSum, which begins at 0.
template <class F>
struct FromZero {
  template <class T, class... In>
  T operator()(T x, In... in) const {
    return F{}(T{0}, x, in...);
  }
};

template <class T>
std::span<T> Plane(MatrixView<T> m, std::size_t n, std::size_t channel,
                   std::size_t plane) {
  return {m.row(n) + channel * plane, plane};
}
template <class T>
std::span<T> Columns(MatrixView<T> m, std::size_t n, IndexRange columns) {
  return {m.row(n) + columns.begin, columns.size()};
}
template <class T>
std::span<T> Part(std::span<T> all, IndexRange range) {
  return all.subspan(range.begin, range.size());
}

// sums[c] += F(0, each element of channel c, its last argument): plane by plane,
// or for vectors, row by row.
template <class F, ExecutionPolicy Policy, class T, class... In>
void ChannelSums(std::size_t plane, IndexRange channels,
                 std::span<const T> mean, std::span<T> sums, In... in) {
  std::fill_n(sums.begin() + channels.begin, channels.size(), T{0});
  const std::size_t samples = std::get<0>(std::tuple{in...}).rows();
  if (plane == 1) {
    for (std::size_t n = 0; n < samples; ++n) {
      Elementwise<Policy>(F{}, Part(sums, channels), Part(sums, channels),
                          Columns(in, n, channels)..., Part(mean, channels));
    }
    return;
  }
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    for (std::size_t n = 0; n < samples; ++n) {
      sums[c] += MappedSum<Policy>(Fix<FromZero<F>>(mean[c]),
                                   Plane(in, n, c, plane)...);
    }
  }
}

// The sums of some channels of m.
template <ExecutionPolicy Policy, class T>
void PlainChannelSums(MatrixView<const T> m, std::size_t plane,
                      IndexRange channels, std::span<T> sums) {
  if (plane == 1) {
    ColumnSums<Policy>(m.Region(0, channels.begin, m.rows(), channels.size()),
                       Part(sums, channels));
    return;
  }
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    sums[c] = T{0};
    for (std::size_t n = 0; n < m.rows(); ++n) {
      sums[c] += Sum<Policy>(std::span<const T>(Plane(m, n, c, plane)));
    }
  }
}

// out = F(in..., what `of` has of the channel): plane by plane, or for vectors,
// row by row.
template <class F, ExecutionPolicy Policy, class T, class... In, class... Of>
void ForChannels(std::size_t plane, MatrixView<T> out,
                 const std::tuple<In...>& in, Of... of) {
  const auto run = [&](const auto& f, auto part, auto... last) {
    std::apply(
        [&](const In&... m) {
          Elementwise<Policy>(f, part(out), part(m)..., last...);
        },
        in);
  };
  const std::size_t channels = out.cols() / plane;
  for (std::size_t n = 0; n < out.rows(); ++n) {
    if (plane == 1) {
      run(
          F{},
          [&](auto m) {
            return Columns(m, n, {0, channels});
          },
          of...);
    } else {
      for (std::size_t c = 0; c < channels; ++c) {
        run(Fix<F>(T{of[c]}...), [&](auto m) { return Plane(m, n, c, plane); });
      }
    }
  }
}

}  // namespace internal

// Mean, variance and scale of some channels of x [N, C * plane].
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void BatchNormMeasure(MatrixView<const T> x, std::size_t plane,
                      IndexRange channels, const BatchStatistics<T>& out) {
  if (channels.begin >= channels.end) return;
  const T share = T{1} / static_cast<T>(x.rows() * plane);
  internal::PlainChannelSums<Policy>(x, plane, channels, out.mean);
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    out.mean[c] *= share;
  }
  internal::ChannelSums<internal::SquareSum, Policy>(
      plane, channels, std::span<const T>(out.mean), out.variance, x);
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    out.variance[c] *= share;
    out.scale[c] = BatchNormScale(out.variance[c]);
  }
}

// The means of d_y and of d_y x^ of some channels, from their mean and scale.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void BatchNormMeasureBack(MatrixView<const T> x, MatrixView<const T> d_y,
                          std::size_t plane, IndexRange channels,
                          const BatchStatistics<T>& out) {
  if (channels.begin >= channels.end) return;
  const T share = T{1} / static_cast<T>(x.rows() * plane);
  internal::PlainChannelSums<Policy>(d_y, plane, channels, out.d_y);
  internal::ChannelSums<internal::CentredProductSum, Policy>(
      plane, channels, std::span<const T>(out.mean), out.d_y_normal, d_y, x);
  for (std::size_t c = channels.begin; c < channels.end; ++c) {
    out.d_y[c] *= share;
    out.d_y_normal[c] *= share * out.scale[c];
  }
}

// Of all channels and some samples, with the statistics of the batch.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void BatchNormForward(MatrixView<const T> x, std::size_t plane,
                      const BatchStatistics<T>& of, std::span<const T> gain,
                      std::span<const T> shift, MatrixView<T> y) {
  internal::ForChannels<internal::BatchNormFunction, Policy>(
      plane, y, std::tuple{x}, of.mean, of.scale, gain, shift);
}

// From the means of BatchNormMeasureBack too.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void BatchNormBackwardInput(MatrixView<const T> x, std::size_t plane,
                            const BatchStatistics<T>& of,
                            std::span<const T> gain, MatrixView<const T> d_y,
                            MatrixView<T> d_x) {
  internal::ForChannels<internal::BatchNormGradient, Policy>(
      plane, d_x, std::tuple{d_y, x}, of.mean, of.scale, gain, of.d_y,
      of.d_y_normal);
}

// With a mean and a variance that are known. y may be x.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void FrozenBatchNormForward(MatrixView<const T> x, std::size_t plane,
                            std::span<const T> mean,
                            std::span<const T> variance,
                            std::span<const T> gain, std::span<const T> shift,
                            MatrixView<T> y) {
  internal::ForChannels<internal::FrozenBatchNormFunction, Policy>(
      plane, y, std::tuple{x}, mean, variance, gain, shift);
}

// d_x may be d_y.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void FrozenBatchNormBackwardInput(std::size_t plane,
                                  std::span<const T> variance,
                                  std::span<const T> gain,
                                  MatrixView<const T> d_y, MatrixView<T> d_x) {
  internal::ForChannels<internal::FrozenBatchNormGradient, Policy>(
      plane, d_x, std::tuple{d_y}, variance, gain);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/batch_norm_simd-inl.h"
#endif

#endif  // HPCNN_OPS_BATCH_NORM_H_
