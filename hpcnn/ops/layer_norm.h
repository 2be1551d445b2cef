// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Layer normalisation of each row of a batch [N, V], and its gradients:
//
//   x^[i] = (x[i] - mean) / sqrt(variance + 1e-5)
//   y[i] = gain[i] x^[i] + shift[i]
//
// with the mean and the (biased) variance of the row. Ba, Kiros and Hinton,
// arXiv:1607.06450. With h[i] = gain[i] d_y[i],
//
//   d_x[i] = (h[i] - mean of h - x^[i] mean of h x^) / sqrt(variance + 1e-5)

#ifndef HPCNN_OPS_LAYER_NORM_H_
#define HPCNN_OPS_LAYER_NORM_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/reduce.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class T>
struct SquaredDistance {
  T mean;
  T operator()(T x) const { return (x - mean) * (x - mean); }
};

// x^.
template <class T>
struct Standardise {
  T mean;
  T scale;
  T operator()(T x) const { return (x - mean) * scale; }
};

struct ProductSum {
  template <class T>
  T operator()(T x, T y, T z) const {
    return x * y + z;
  }
};

// d_x from x^, d_y and the gain.
template <class T>
struct StandardiseGradient {
  T scale;
  T mean;             // of h
  T mean_of_product;  // of h and x^
  T operator()(T x, T d_y, T gain) const {
    return scale * (d_y * gain - mean - x * mean_of_product);
  }
};

template <ExecutionPolicy Policy, class T>
Standardise<T> StandardiseRow(std::span<const T> x) {
  const T share = T{1} / static_cast<T>(x.size());
  const T mean = share * Sum<Policy>(x);
  const T variance = share * MappedSum<Policy>(SquaredDistance<T>{mean}, x);
  return {mean, T{1} / std::sqrt(variance + static_cast<T>(1e-5))};
}

template <class T>
std::span<T> Row(MatrixView<T> m, std::size_t r) {
  return {m.row(r), m.cols()};
}

}  // namespace internal

template <ExecutionPolicy Policy = DefaultPolicy, class T>
void LayerNormForward(MatrixView<const T> x, std::span<const T> gain,
                      std::span<const T> shift, MatrixView<T> y) {
  for (std::size_t n = 0; n < x.rows(); ++n) {
    const std::span<const T> in = internal::Row(x, n);
    const std::span<T> out = internal::Row(y, n);
    Elementwise<Policy>(internal::StandardiseRow<Policy>(in), out, in);
    Elementwise<Policy>(internal::ProductSum{}, out, out, gain, shift);
  }
}

template <ExecutionPolicy Policy = DefaultPolicy, class T>
void LayerNormBackwardInput(MatrixView<const T> x, std::span<const T> gain,
                            MatrixView<const T> d_y, MatrixView<T> d_x) {
  const T share = T{1} / static_cast<T>(x.cols());
  for (std::size_t n = 0; n < x.rows(); ++n) {
    const std::span<const T> in = internal::Row(x, n);
    const std::span<const T> d_out = internal::Row(d_y, n);
    const std::span<T> d_in = internal::Row(d_x, n);  // x^, at first
    const auto standardise = internal::StandardiseRow<Policy>(in);
    Elementwise<Policy>(standardise, d_in, in);
    const Product product;
    const T mean = share * MappedSum<Policy>(product, d_out, gain);
    const T mean_of_product =
        share * MappedSum<Policy>(product, d_out, gain, d_in);
    Elementwise<Policy>(internal::StandardiseGradient<T>{standardise.scale,
                                                         mean, mean_of_product},
                        d_in, d_in, d_out, gain);
  }
}

// Of the gain, summed over the batch; that of the shift is ColumnSums of d_y.
// scratch: [V]
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void LayerNormBackwardGain(MatrixView<const T> x, MatrixView<const T> d_y,
                           std::span<T> d_gain, std::span<T> scratch) {
  const std::span<T> standard = scratch.first(x.cols());
  std::fill(d_gain.begin(), d_gain.end(), T{0});
  for (std::size_t n = 0; n < x.rows(); ++n) {
    const std::span<const T> in = internal::Row(x, n);
    Elementwise<Policy>(internal::StandardiseRow<Policy>(in), standard, in);
    Elementwise<Policy>(internal::ProductSum{}, d_gain, standard,
                        internal::Row(d_y, n), d_gain);
  }
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/layer_norm_simd-inl.h"
#endif

#endif  // HPCNN_OPS_LAYER_NORM_H_
