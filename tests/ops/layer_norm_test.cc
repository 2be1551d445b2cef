// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/layer_norm.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

constexpr std::size_t kBatch = 3;

template <class T>
class LayerNormOpTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(LayerNormOpTest, Elements);

template <class T>
struct Data {
  explicit Data(std::size_t cols)
      : size(cols), x(kBatch * cols), d_y(x.size()), gain(cols), shift(cols) {
    RandomStream stream({.seed = cols});
    for (auto* values : {&x, &d_y, &gain, &shift}) {
      for (T& value : *values) value = T{stream.Uniform(-2, 2)};
    }
    // Far from 0 at that: the variance must not be a difference of squares.
    for (T& value : x) value += T{300};
  }
  MatrixView<const T> X() const { return {x.data(), kBatch, size}; }
  MatrixView<const T> DY() const { return {d_y.data(), kBatch, size}; }

  std::size_t size;
  GuardedVector<T> x, d_y, gain, shift;
};

// The formulae in double, y then d_x then d_gain.
template <class T>
std::vector<double> Expected(const Data<T>& data) {
  const std::size_t size = data.size;
  const double share = 1 / static_cast<double>(size);
  std::vector<double> all(2 * kBatch * size + size);
  for (std::size_t n = 0; n < kBatch; ++n) {
    const T* const x = &data.x[n * size];
    const T* const d_y = &data.d_y[n * size];
    double mean = 0, variance = 0;
    for (std::size_t i = 0; i < size; ++i) mean += share * x[i];
    for (std::size_t i = 0; i < size; ++i) {
      variance += share * (x[i] - mean) * (x[i] - mean);
    }
    const double scale = 1 / std::sqrt(variance + 1e-5);
    double mean_h = 0, mean_product = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const double h = double{data.gain[i]} * d_y[i];
      mean_h += share * h;
      mean_product += share * h * (x[i] - mean) * scale;
    }
    for (std::size_t i = 0; i < size; ++i) {
      const double standard = (x[i] - mean) * scale;
      all[n * size + i] = data.gain[i] * standard + data.shift[i];
      all[(kBatch + n) * size + i] = scale * (double{data.gain[i]} * d_y[i] -
                                              mean_h - standard * mean_product);
      all[2 * kBatch * size + i] += d_y[i] * standard;
    }
  }
  return all;
}

template <class P, class T>
std::vector<T> Computed(const Data<T>& data) {
  const std::size_t size = data.size;
  GuardedVector<T> y(kBatch * size), d_x(kBatch * size), d_gain(size),
      scratch(size);
  const std::span<const T> gain(data.gain);
  LayerNormForward<P>(data.X(), gain, std::span<const T>(data.shift),
                      MatrixView<T>(y.data(), kBatch, size));
  LayerNormBackwardInput<P>(data.X(), gain, data.DY(),
                            MatrixView<T>(d_x.data(), kBatch, size));
  LayerNormBackwardGain<P>(data.X(), data.DY(), std::span<T>(d_gain),
                           std::span<T>(scratch));
  std::vector<T> all(y.begin(), y.end());
  all.insert(all.end(), d_x.begin(), d_x.end());
  all.insert(all.end(), d_gain.begin(), d_gain.end());
  return all;
}

TYPED_TEST(LayerNormOpTest, EqualsTheFormulaeAtEveryLength) {
  using T = TypeParam;
  // The mean is known to 300 eps; the smallest deviations here are about 0.3.
  const double tolerance = 3e4 * double{std::numeric_limits<T>::epsilon()};
  for (std::size_t size = 1; size <= 2 * 16 + 3; ++size) {
    const Data<T> data(size);
    const std::vector<double> expected = Expected(data);
    const std::vector<T> scalar = Computed<Scalar>(data);
    const std::vector<T> simd = Computed<Simd>(data);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(scalar[i], expected[i], tolerance) << size << " " << i;
      ASSERT_NEAR(simd[i], expected[i], tolerance) << size << " " << i;
    }
  }
}

// Without a variance, epsilon keeps it finite.
TYPED_TEST(LayerNormOpTest, OfAConstantIsTheShift) {
  using T = TypeParam;
  Data<T> data(7);
  for (T& x : data.x) x = T{4};
  const std::vector<T> all = Computed<Simd>(data);
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(all[i], data.shift[i]);
}

}  // namespace
}  // namespace hpcnn
