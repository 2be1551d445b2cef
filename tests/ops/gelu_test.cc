// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/gelu.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/ops/elementwise.h"

namespace hpcnn {
namespace {

template <class T>
class GeluTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GeluTest, Elements);

template <class P, class T>
std::vector<T> Gelu(const std::vector<T>& x) {
  std::vector<T> y(x.size());
  Elementwise<P>(GeluFunction{}, std::span<T>(y), std::span<const T>(x));
  return y;
}
template <class P, class T>
std::vector<T> Gradient(const std::vector<T>& x, T d_y) {
  std::vector<T> d_x(x.size(), d_y);
  Elementwise<P>(GeluGradient{}, std::span<T>(d_x), std::span<const T>(x),
                 std::span<const T>(d_x));
  return d_x;
}

// Phi(x) and x times the density of x.
double Distribution(double x) {
  return static_cast<double>(
      std::erfc(-x / std::numbers::sqrt2_v<long double>) / 2);
}
double DensityPart(double x) {
  const long double square = static_cast<long double>(x) * x;
  return static_cast<double>(x * std::exp(-square / 2) /
                             std::sqrt(2 * std::numbers::pi_v<long double>));
}

// Relative errors, also where the result is next to nothing: there exp(-x^2 / 2)
// knows its argument to x^2 / 2 units in the last place.
TYPED_TEST(GeluTest, EqualsTheDefinitionOverAWideRange) {
  using T = TypeParam;
  std::vector<T> x;
  for (T v = T{-20}; v < T{20}; v += T{0x1p-7}) x.push_back(v);
  for (T v = T{1e-6f}; v < T{1}; v *= T{1.0137f}) x.push_back(v);
  const auto check = [&]<class P>(P) {
    const std::vector<T> y = Gelu<P>(x);
    const std::vector<T> d_x = Gradient<P>(x, T{1});
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = x[i];
      const double distribution = Distribution(v);
      const double part = DensityPart(v);
      const double relative =
          (8 + (v < 0 ? v * v : 0)) * std::numeric_limits<T>::epsilon();
      const double smallest = std::numeric_limits<T>::min();
      ASSERT_NEAR(y[i], v * distribution,
                  relative * std::abs(v * distribution) + smallest)
          << P::kName << " " << v;
      // Its two parts have other signs below 0.
      ASSERT_NEAR(d_x[i], distribution + part,
                  relative * (distribution + std::abs(part)) + smallest)
          << P::kName << " " << v;
    }
  };
  check(Scalar());
  check(Simd());
}

TYPED_TEST(GeluTest, EveryLengthIsRight) {
  using T = TypeParam;
  for (std::size_t size = 0; size <= 2 * 16 + 3; ++size) {
    std::vector<T> x(size);
    for (std::size_t i = 0; i < size; ++i) x[i] = static_cast<T>(i) / 9 - 2;
    const std::vector<T> scalar = Gelu<Scalar>(x), simd = Gelu<Simd>(x);
    for (std::size_t i = 0; i < size; ++i) {
      ASSERT_NEAR(scalar[i], simd[i], 4 * std::numeric_limits<T>::epsilon());
    }
  }
}

TYPED_TEST(GeluTest, NanStaysNanAndInfinityIsTheLimit) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> ends = {kInf, -kInf, T{1e30f}, T{-1e30f}};
  const auto check = [&]<class P>(P) {
    EXPECT_EQ(Gelu<P>(ends), (std::vector<T>{kInf, T{0}, T{1e30f}, T{0}}));
    EXPECT_EQ(Gradient<P>(ends, T{3}),
              (std::vector<T>{T{3}, T{0}, T{3}, T{0}}));
    for (const T nan : {kNan, -kNan}) {
      const std::vector<T> x(19, nan);
      for (const T y : Gelu<P>(x)) ASSERT_TRUE(std::isnan(y));
      for (const T d_x : Gradient<P>(x, T{1})) ASSERT_TRUE(std::isnan(d_x));
    }
  };
  check(Scalar());
  check(Simd());
}

}  // namespace
}  // namespace hpcnn
