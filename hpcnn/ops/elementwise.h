// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Elementwise maths: out[i] = f(in0[i], in1[i], ...) over contiguous elements.
//
// A function is a small type with one call operator for numbers, here, and one
// for vectors, in elementwise_simd-inl.h. out may be the same memory as an
// input, but must not overlap one otherwise. Activation gradients are written
// in terms of the output y = f(x), so that x need not be kept. A NaN stays a
// NaN in every function of x: a network that diverges must show it.

#ifndef HPCNN_OPS_ELEMENTWISE_H_
#define HPCNN_OPS_ELEMENTWISE_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/threads.h"

HPCNN_NAMESPACE_BEGIN

struct Sum2 {
  template <class T>
  T operator()(T x, T y) const {
    return x + y;
  }
};

struct Product {  // of two or more
  template <class T, class... Factors>
  T operator()(T x, Factors... factors) const {
    return (x * ... * factors);
  }
};

// alpha * x + beta * y; with beta = 1 the classic saxpy.
template <class T>
struct ScaledSum {
  T alpha;
  T beta;
  T operator()(T x, T y) const { return alpha * x + beta * y; }
};

// alpha * x + y.
template <class T>
struct SaxpyFunction {
  T alpha;
  T operator()(T x, T y) const { return alpha * x + y; }
};

// The larger one; a NaN if either is.
struct Max2 {
  template <class T>
  T operator()(T x, T y) const {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(x)) return x;
    }
    return x > y ? x : y;  // y if that is a NaN
  }
};

struct ReluFunction {
  template <class T>
  T operator()(T x) const {
    return x < T{0} ? T{0} : x;
  }
};
struct ReluGradient {  // of y = relu(x): d_x from y and d_y; 0 at the kink
  template <class T>
  T operator()(T y, T d_y) const {
    return y > T{0} ? d_y : T{0};
  }
};

// x, or Slope x below 0. Slope > 0 here and Alpha > 0 below are a std::ratio,
// such as Percent<1>: y has the sign of x, so that it tells the side.
template <class Slope>
struct LeakyReluFunction {
  template <class T>
  T operator()(T x) const {
    return x < T{0} ? kNumber<Slope, T> * x : x;
  }
};
template <class Slope>
struct LeakyReluGradient {  // the lower side's at the kink
  template <class T>
  T operator()(T y, T d_y) const {
    return y > T{0} ? d_y : kNumber<Slope, T> * d_y;
  }
};

// x, or Alpha (exp(x) - 1) below 0. Clevert et al., ICLR 2016.
template <class Alpha>
struct EluFunction {
  template <class T>
  T operator()(T x) const {
    return x < T{0} ? kNumber<Alpha, T> * std::expm1(x) : x;
  }
};
template <class Alpha>
struct EluGradient {  // Alpha exp(x) = y + Alpha
  template <class T>
  T operator()(T y, T d_y) const {
    return y > T{0} ? d_y : d_y * (y + kNumber<Alpha, T>);
  }
};

struct SigmoidFunction {
  // exp of a negative number alone, so that no argument overflows.
  template <class T>
  T operator()(T x) const {
    const T e = std::exp(-std::abs(x));
    return (x >= T{0} ? T{1} : e) / (T{1} + e);
  }
};
struct SigmoidGradient {
  template <class T>
  T operator()(T y, T d_y) const {
    return d_y * (y * (T{1} - y));
  }
};

struct TanhFunction {
  template <class T>
  T operator()(T x) const {
    return std::tanh(x);
  }
};
struct TanhGradient {
  template <class T>
  T operator()(T y, T d_y) const {
    return d_y * (T{1} - y * y);
  }
};

namespace internal {

template <class Policy>
struct ElementwiseKernel {
  HPCNN_NO_KERNEL("Elementwise", Policy, "hpcnn/ops/elementwise_cuda.cuh");
};

template <>
struct ElementwiseKernel<Scalar> {
  template <class F, class T, class... In>
  static void Run(const F& f, std::size_t size, T* out, const In*... in) {
    for (std::size_t i = 0; i < size; ++i) out[i] = f(in[i]...);
  }
  template <class F, class T, std::size_t... R, class... In>
  static void RunEach(const F& f, std::size_t size,
                      const std::array<std::span<T>, sizeof...(R)>& out,
                      std::index_sequence<R...>, const In*... in) {
    for (std::size_t i = 0; i < size; ++i) {
      const std::array<T, sizeof...(R)> y = f(in[i]...);
      ((out[R][i] = y[R]), ...);
    }
  }
};

// f(range) for some of [0, size) a thread, each a multiple of many lines.
template <class F>
void ForChunks(std::size_t size, Threads threads, const F& f) {
  constexpr std::size_t kChunk = 4096;
  threads.ForShares((size + kChunk - 1) / kChunk, [&](IndexRange chunks) {
    f(IndexRange{chunks.begin * kChunk, std::min(chunks.end * kChunk, size)});
  });
}

}  // namespace internal

// T is float or double, or an integer where f takes it; all spans have the same
// length.
template <ExecutionPolicy Policy = DefaultPolicy, class F, class T, class... In>
void Elementwise(const F& f, std::span<T> out, In... in) {
  HPCNN_CHECK(((std::span<const T>(in).size() == out.size()) && ...),
              "Elementwise needs spans of one length");
  internal::ElementwiseKernel<Policy>::Run(f, out.size(), out.data(),
                                           std::span<const T>(in).data()...);
}

// The same, shared by threads: for some 100 000 elements and more.
template <ExecutionPolicy Policy = DefaultPolicy, class F, class T, class... In>
void Elementwise(const F& f, Threads threads, std::span<T> out, In... in) {
  HPCNN_CHECK(((std::span<const T>(in).size() == out.size()) && ...),
              "Elementwise needs spans of one length");
  internal::ForChunks(out.size(), threads, [&](IndexRange range) {
    internal::ElementwiseKernel<Policy>::Run(
        f, range.size(), out.data() + range.begin,
        std::span<const T>(in).data() + range.begin...);
  });
}

// The same for a function with several results, an array: one pass.
template <ExecutionPolicy Policy = DefaultPolicy, class F, class T,
          std::size_t Results, class... In>
void Elementwise(const F& f, const std::array<std::span<T>, Results>& out,
                 In... in) {
  const std::size_t size = out[0].size();
  const auto fits = [&](std::span<const T> x) { return x.size() == size; };
  HPCNN_CHECK(std::all_of(out.begin(), out.end(), fits) && (fits(in) && ...),
              "Elementwise needs spans of one length");
  internal::ElementwiseKernel<Policy>::RunEach(
      f, size, out, std::make_index_sequence<Results>(),
      std::span<const T>(in).data()...);
}

// out = x + y.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void Add(std::span<const T> x, std::span<const T> y, std::span<T> out,
         Threads threads = {}) {
  Elementwise<Policy>(Sum2{}, threads, out, x, y);
}

// out = the larger one of x and y, of integers or floats.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void ElementwiseMax(std::span<const T> x, std::span<const T> y,
                    std::span<T> out, Threads threads = {}) {
  Elementwise<Policy>(Max2{}, threads, out, x, y);
}

// y = alpha * x + y.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void Saxpy(T alpha, std::span<const T> x, std::span<T> y,
           Threads threads = {}) {
  Elementwise<Policy>(SaxpyFunction<T>{alpha}, threads, y, x, y);
}

// y = alpha * x + beta * y.
template <ExecutionPolicy Policy = DefaultPolicy, class T>
void Axpby(T alpha, std::span<const T> x, T beta, std::span<T> y) {
  Elementwise<Policy>(ScaledSum<T>{alpha, beta}, y, x, y);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/elementwise_simd-inl.h"
#endif

#endif  // HPCNN_OPS_ELEMENTWISE_H_
