// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/batch_norm.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

constexpr std::size_t kBatch = 6;

template <class T>
class BatchNormOpTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(BatchNormOpTest, Elements);

template <class T>
struct Data {
  Data(std::size_t channel_count, std::size_t plane_size)
      : channels(channel_count),
        plane(plane_size),
        x(kBatch * channels * plane),
        d_y(x.size()),
        gain(channels),
        shift(channels) {
    RandomStream stream({.seed = channels, .epoch = 1, .sample = 2});
    for (auto* values : {&x, &d_y, &gain, &shift}) {
      for (T& value : *values) value = T{stream.Uniform(-2, 2)};
    }
    // Far from 0 at that: the variance must not be a difference of squares.
    for (T& value : x) value += T{300};
  }
  MatrixView<const T> X() const { return {x.data(), kBatch, channels * plane}; }
  MatrixView<const T> DY() const {
    return {d_y.data(), kBatch, channels * plane};
  }
  std::size_t At(std::size_t n, std::size_t c, std::size_t i) const {
    return (n * channels + c) * plane + i;
  }

  std::size_t channels, plane;
  GuardedVector<T> x, d_y, gain, shift;
};

// The formulae in double: y, then d_x, then y with the statistics frozen, then
// its d_x.
template <class T>
std::vector<double> Expected(const Data<T>& data) {
  const std::size_t size = data.x.size();
  const double share = 1 / static_cast<double>(kBatch * data.plane);
  std::vector<double> all(4 * size);
  for (std::size_t c = 0; c < data.channels; ++c) {
    const auto average = [&](const auto& f) {
      double sum = 0;
      for (std::size_t n = 0; n < kBatch; ++n) {
        for (std::size_t i = 0; i < data.plane; ++i) sum += f(data.At(n, c, i));
      }
      return sum * share;
    };
    const double mean = average([&](std::size_t i) { return data.x[i]; });
    const double variance =
        average([&](std::size_t i) { return std::pow(data.x[i] - mean, 2); });
    const double scale = 1 / std::sqrt(variance + 1e-5);
    const double d_y = average([&](std::size_t i) { return data.d_y[i]; });
    const double product = average([&](std::size_t i) {
      return data.d_y[i] * ((data.x[i] - mean) * scale);
    });
    average([&](std::size_t i) {
      const double normal = (data.x[i] - mean) * scale;
      const double y = data.gain[c] * normal + data.shift[c];
      const double slope = data.gain[c] * scale;
      all[i] = all[2 * size + i] = y;
      all[size + i] = slope * (data.d_y[i] - d_y - normal * product);
      all[3 * size + i] = slope * data.d_y[i];
      return 0.0;
    });
  }
  return all;
}

template <class P, class T>
std::vector<T> Computed(const Data<T>& data, std::size_t parts) {
  const std::size_t channels = data.channels, cols = channels * data.plane;
  std::array<GuardedVector<T>, 5> own;
  for (auto& values : own) values = GuardedVector<T>(channels);
  const BatchStatistics<T> of{own[0], own[1], own[2], own[3], own[4]};
  GuardedVector<T> y(data.x.size()), d_x(y), frozen(y), frozen_d_x(y);
  const auto view = [&](GuardedVector<T>& values) {
    return MatrixView<T>(values.data(), kBatch, cols);
  };
  const std::span<const T> gain(data.gain), shift(data.shift);
  for (std::size_t part = 0; part < parts; ++part) {
    const IndexRange some = Partition(channels, part, parts);
    BatchNormMeasure<P>(data.X(), data.plane, some, of);
    BatchNormMeasureBack<P>(data.X(), data.DY(), data.plane, some, of);
  }
  BatchNormForward<P>(data.X(), data.plane, of, gain, shift, view(y));
  BatchNormBackwardInput<P>(data.X(), data.plane, of, gain, data.DY(),
                            view(d_x));
  FrozenBatchNormForward<P>(data.X(), data.plane, std::span<const T>(own[0]),
                            std::span<const T>(own[1]), gain, shift,
                            view(frozen));
  FrozenBatchNormBackwardInput<P>(data.plane, std::span<const T>(own[1]), gain,
                                  data.DY(), view(frozen_d_x));
  std::vector<T> all;
  for (const auto* values : {&y, &d_x, &frozen, &frozen_d_x}) {
    all.insert(all.end(), values->begin(), values->end());
  }
  return all;
}

TYPED_TEST(BatchNormOpTest, EqualsTheFormulaeAtEveryLength) {
  using T = TypeParam;
  // The mean is known to 300 eps; the smallest deviations here are about 0.3.
  const double tolerance = 3e4 * double{std::numeric_limits<T>::epsilon()};
  for (std::size_t length = 1; length <= 2 * 16 + 3; ++length) {
    // Vectors, and images of that many pixels.
    for (const Data<T>& data : {Data<T>(length, 1), Data<T>(3, length)}) {
      const std::vector<double> expected = Expected(data);
      const std::vector<T> scalar = Computed<Scalar>(data, 1);
      const std::vector<T> simd = Computed<Simd>(data, 1);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(scalar[i], expected[i], tolerance) << length << " " << i;
        ASSERT_NEAR(simd[i], expected[i], tolerance) << length << " " << i;
      }
      // To the bit, however channels are shared.
      EXPECT_EQ(Computed<Simd>(data, 2), simd) << length;
      EXPECT_EQ(Computed<Simd>(data, 5), simd) << length;
    }
  }
}

// Without a variance, epsilon keeps it finite.
TYPED_TEST(BatchNormOpTest, OfAConstantIsTheShift) {
  using T = TypeParam;
  Data<T> data(7, 1);
  for (T& x : data.x) x = T{4};
  const std::vector<T> all = Computed<Simd>(data, 1);
  for (std::size_t c = 0; c < 7; ++c) EXPECT_EQ(all[c], data.shift[c]);
}

}  // namespace
}  // namespace hpcnn
