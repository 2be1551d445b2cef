// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Dropout: each element times 0 with some probability, otherwise times
// 1 / (1 - probability), so that its mean stays. Number i of the place's stream
// decides about element i. The gradient by x is the same function of d_y.
// Srivastava et al., JMLR 15 (2014).

#ifndef HPCNN_OPS_DROPOUT_H_
#define HPCNN_OPS_DROPOUT_H_

#include <cstddef>
#include <cstdint>

#include "hpcnn/base/check.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class Policy>
struct DropoutKernel {
  HPCNN_NO_KERNEL("Dropout", Policy, "hpcnn/ops/dropout_cuda.cuh");
};

// The factor that random bits make; an element that is a NaN stays one.
template <class Probability, class T>
constexpr T DropoutFactor(std::uint32_t bits) {
  constexpr auto kDropped =
      static_cast<std::uint32_t>(kNumber<Probability, double> * 0x1p32);
  return bits < kDropped ? T{0} : T{1} / (T{1} - kNumber<Probability, T>);
}

template <>
struct DropoutKernel<Scalar> {
  template <class Probability, class T>
  static void Run(const RandomPlace& place, std::size_t size, const T* x,
                  T* y) {
    RandomStream stream(place);
    for (std::size_t i = 0; i < size; ++i) {
      y[i] = x[i] * DropoutFactor<Probability, T>(stream.Bits());
    }
  }
};

}  // namespace internal

// Probability: a std::ratio in [0, 1). x and y [N, V] may be the same; row n is
// drawn at sample place.sample + n.
template <class Probability, ExecutionPolicy Policy = DefaultPolicy, class T>
void DropElements(RandomPlace place, MatrixView<const T> x, MatrixView<T> y) {
  HPCNN_CHECK(x.rows() == y.rows() && x.cols() == y.cols(),
              "DropElements needs matrices of one size");
  for (std::size_t n = 0; n < x.rows(); ++n, ++place.sample) {
    internal::DropoutKernel<Policy>::template Run<Probability>(
        place, x.cols(), x.row(n), y.row(n));
  }
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/ops/dropout_simd-inl.h"
#endif

#endif  // HPCNN_OPS_DROPOUT_H_
