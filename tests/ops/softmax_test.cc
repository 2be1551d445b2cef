// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"

namespace hpcnn {
namespace {

template <class T>
struct Result {
  std::vector<T> y;
  T log_sum;
};

template <class Policy, class T>
Result<T> Run(const std::vector<T>& x, T scale = 1) {
  Result<T> result{
      std::vector<T>(x.size(), std::numeric_limits<T>::quiet_NaN()), T{}};
  result.log_sum =
      SoftmaxRow<Policy>(std::span<const T>(x), scale, std::span<T>(result.y));
  return result;
}

// The formula itself, in double, for moderate x.
template <class T>
Result<double> Reference(const std::vector<T>& x, double scale) {
  double sum = 0;
  for (const T value : x) sum += std::exp(double{value});
  Result<double> result{{}, std::log(sum)};
  for (const T value : x) {
    result.y.push_back(scale * std::exp(double{value}) / sum);
  }
  return result;
}

template <class T>
class SoftmaxTest : public ::testing::Test {
 public:
  static constexpr double kEpsilon = std::numeric_limits<T>::epsilon();
};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(SoftmaxTest, Elements);

TYPED_TEST(SoftmaxTest, EqualsTheFormulaAtEveryLength) {
  using T = TypeParam;
  RandomStream stream({.seed = 1});
  const auto check = [&]<class Policy>() {
    for (std::size_t size = 1; size <= 2 * 16 + 3; ++size) {
      std::vector<T> x(size);
      for (T& value : x) value = T{stream.Uniform(-9, 9)};
      const Result<double> expected = Reference(x, 0.25);
      const Result<T> result = Run<Policy>(x, T{0.25});
      EXPECT_NEAR(result.log_sum, expected.log_sum, 64 * this->kEpsilon);
      for (std::size_t i = 0; i < size; ++i) {
        // Rounding x - max, up to 18, to T shifts its exp by 9 eps; the sum of
        // `size` terms adds as many.
        const double ulps = 24 + static_cast<double>(size);
        EXPECT_NEAR(result.y[i], expected.y[i],
                    ulps * this->kEpsilon * expected.y[i])
            << i << " of " << size;
      }
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(SoftmaxTest, ExtremeLogitsStayFiniteAndSumToOne) {
  using T = TypeParam;
  constexpr T kMax = std::numeric_limits<T>::max();
  const std::vector<std::vector<T>> rows = {
      {1e4, -1e4, 0},
      {-1e4, -1e4, -1e4},
      {1e4, 1e4},
      {kMax, -kMax},
      {kMax, kMax, 0},
      {-kMax, -kMax, -kMax},
      {88.5, 89, -104.5},
      {709.5, 710, -745},
      {-1e4},
      std::vector<T>(33, T{1e4}),
  };
  const auto check = [&]<class Policy>() {
    for (const std::vector<T>& x : rows) {
      const Result<T> result = Run<Policy>(x);
      EXPECT_TRUE(std::isfinite(result.log_sum));
      double sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        EXPECT_TRUE(result.y[i] >= 0 && result.y[i] <= 1) << result.y[i];
        sum += double{result.y[i]};
      }
      EXPECT_NEAR(sum, 1, 40 * this->kEpsilon) << x[0];
      EXPECT_GE(result.log_sum, *std::max_element(x.begin(), x.end()));
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(SoftmaxTest, ANanMakesTheWholeRowNan) {
  using T = TypeParam;
  const auto check = []<class Policy>() {
    for (const std::size_t size : {1u, 2u, 5u, 16u, 35u}) {
      for (std::size_t at = 0; at < size; ++at) {
        std::vector<T> x(size, T{5});
        x[at] = std::numeric_limits<T>::quiet_NaN();
        const Result<T> result = Run<Policy>(x);
        EXPECT_TRUE(std::isnan(result.log_sum)) << at << " of " << size;
        for (const T y : result.y) EXPECT_TRUE(std::isnan(y)) << at;
      }
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(SoftmaxTest, WorksInPlace) {
  using T = TypeParam;
  const std::vector<T> x = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2};
  const auto check = [&]<class Policy>() {
    std::vector<T> in_place = x;
    SoftmaxRow<Policy>(std::span<const T>(in_place), T{1},
                       std::span<T>(in_place));
    EXPECT_EQ(in_place, Run<Policy>(x).y);
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

}  // namespace
}  // namespace hpcnn
