// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Against Conv2d with kernels that are zero for all channels but their own,
// exact on small integers.

#include "hpcnn/ops/depthwise_conv2d.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

template <class T>
GuardedVector<T> SmallIntegers(std::size_t size, std::uint64_t seed) {
  RandomStream stream({.seed = seed});
  GuardedVector<T> values(size);
  for (T& value : values) value = static_cast<T>(stream.Below(9)) - T{4};
  return values;
}

// Y, d_X and d_parameters, one after the other; with parameters in `parts`.
template <class P, class T, std::size_t C, class Plane>
std::vector<T> Depthwise(std::size_t batch, std::size_t parts) {
  constexpr std::size_t kIn = C * Plane::Input::kVolume;
  constexpr std::size_t kOut = C * Plane::Output::kVolume;
  constexpr std::size_t kRow = Plane::kParameterCols;
  const auto x = SmallIntegers<T>(batch * kIn, 1);
  const auto d_y = SmallIntegers<T>(batch * kOut, 2);
  const auto params = SmallIntegers<T>(C * kRow, 3);
  GuardedVector<T> scratch(kConvScratch<Plane, P, T>, T{99});
  GuardedVector<T> y(batch * kOut, T{99}), d_x(batch * kIn, T{99}),
      d_params(C * kRow, T{99});
  const MatrixView<const T> from(x.data(), batch, kIn);
  const MatrixView<const T> gradient(d_y.data(), batch, kOut);
  const MatrixView<const T> kernels(params.data(), C, kRow);
  DepthwiseConv2dForward<Plane, P>(from, kernels,
                                   MatrixView<T>(y.data(), batch, kOut),
                                   std::span<T>(scratch));
  DepthwiseConv2dBackwardInput<Plane, P>(kernels, gradient,
                                         MatrixView<T>(d_x.data(), batch, kIn),
                                         std::span<T>(scratch));
  for (std::size_t part = 0; part < parts; ++part) {
    const IndexRange channels = Partition(C, part, parts);
    DepthwiseConv2dBackwardParameters<Plane, P>(
        from, gradient, channels,
        MatrixView<T>(d_params.data() + channels.begin * kRow, channels.size(),
                      kRow),
        std::span<T>(scratch));
  }
  std::vector<T> all(y.begin(), y.end());
  all.insert(all.end(), d_x.begin(), d_x.end());
  all.insert(all.end(), d_params.begin(), d_params.end());
  return all;
}

// The same by Conv2d<Scalar> on all channels.
template <class T, std::size_t C, class Full>
std::vector<T> BySparseKernels(std::size_t batch) {
  constexpr std::size_t kIn = Full::Input::kVolume;
  constexpr std::size_t kOut = Full::Output::kVolume;
  constexpr std::size_t kTaps = Full::kKernelSize / C;
  const auto x = SmallIntegers<T>(batch * kIn, 1);
  const auto d_y = SmallIntegers<T>(batch * kOut, 2);
  const auto params = SmallIntegers<T>(C * (kTaps + 1), 3);
  std::vector<T> sparse(C * Full::kParameterCols), d_sparse(sparse.size());
  // Calls f(place in params, place in sparse).
  const auto for_each = [](const auto& f) {
    for (std::size_t c = 0; c < C; ++c) {
      const std::size_t from = c * (kTaps + 1), to = c * Full::kParameterCols;
      for (std::size_t k = 0; k < kTaps; ++k) f(from + k, to + c * kTaps + k);
      f(from + kTaps, to + Full::kKernelSize);
    }
  };
  for_each([&](std::size_t i, std::size_t j) { sparse[j] = params[i]; });
  const MatrixView<const T> from(x.data(), batch, kIn);
  const MatrixView<const T> gradient(d_y.data(), batch, kOut);
  const MatrixView<const T> kernels(sparse.data(), C, Full::kParameterCols);
  std::vector<T> all(batch * (kOut + kIn) + params.size());
  T* const d_x = all.data() + batch * kOut;
  Conv2dForward<Full, Scalar>(
      from, kernels, MatrixView<T>(all.data(), batch, kOut), std::span<T>());
  Conv2dBackwardInput<Full, Scalar>(
      kernels, gradient, MatrixView<T>(d_x, batch, kIn), std::span<T>());
  Conv2dBackwardParameters<Full, Scalar>(
      from, gradient, {0, C},
      MatrixView<T>(d_sparse.data(), C, Full::kParameterCols), std::span<T>());
  for_each([&](std::size_t i, std::size_t j) {
    d_x[batch * kIn + i] = d_sparse[j];
  });
  return all;
}

template <class T, std::size_t C, std::size_t Y, std::size_t X, std::size_t P,
          std::size_t Q, class Steps = Stride<1>, class Pads = Padding<0>>
void ExpectTheSame() {
  using Plane = ConvGeometry<Shape<1, Y, X>, 1, P, Q, Steps, Pads>;
  using Full = ConvGeometry<Shape<C, Y, X>, C, P, Q, Steps, Pads>;
  for (const std::size_t batch : {1u, 2u, 19u}) {
    SCOPED_TRACE(testing::Message() << X << " columns, batch " << batch);
    const auto expected = BySparseKernels<T, C, Full>(batch);
    EXPECT_EQ((Depthwise<Scalar, T, C, Plane>(batch, 1)), expected);
    EXPECT_EQ((Depthwise<Simd, T, C, Plane>(batch, 1)), expected);
    EXPECT_EQ((Depthwise<Simd, T, C, Plane>(batch, 2)), expected);
  }
}

TEST(DepthwiseConv2dOpTest, IsAConvolutionOfEachChannel) {
  ExpectTheSame<float, 1, 1, 1, 1, 1>();
  ExpectTheSame<float, 3, 4, 5, 1, 1>();
  ExpectTheSame<float, 2, 7, 9, 3, 3, Stride<1>, Padding<1>>();
  ExpectTheSame<float, 3, 7, 9, 3, 3, Stride<2>, Padding<1>>();
  ExpectTheSame<float, 2, 10, 13, 4, 3, Stride<3, 2>>();
  ExpectTheSame<float, 2, 4, 4, 2, 2, Stride<1>, Padding<2, 3>>();
  ExpectTheSame<float, 5, 28, 28, 5, 5>();
  ExpectTheSame<float, 2, 12, 36, 1, 11>();
  ExpectTheSame<double, 3, 8, 19, 3, 5, Stride<1>, Padding<1, 2>>();
}

// Results of 1 to two vectors and more in a row.
TEST(DepthwiseConv2dOpTest, EveryRowLengthIsRight) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (ExpectTheSame<float, 2, 4, I + 2, 3, 2>(), ...);
  }
  (std::make_index_sequence<2 * 16 + 3>{});
}

}  // namespace
}  // namespace hpcnn
