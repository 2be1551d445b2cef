// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/reduce.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/elementwise.h"

namespace hpcnn {
namespace {

template <class T>
class ReduceTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ReduceTest, Elements);

// Every remainder of one and of four vectors.
constexpr std::size_t kSizes = 4 * 16 + 2 * 16 + 3;

TYPED_TEST(ReduceTest, SumsOfSmallIntegersAreExact) {
  using T = TypeParam;
  for (std::size_t size = 0; size <= kSizes; ++size) {
    std::vector<T> x(size);
    T sum{0};
    T squares{0};
    for (std::size_t i = 0; i < size; ++i) {
      x[i] = static_cast<T>(1 + 7 * i % 11);
      sum += x[i];
      squares += x[i] * x[i];
    }
    EXPECT_EQ(Sum<Scalar>(std::span<const T>(x)), sum);
    EXPECT_EQ(Sum<Simd>(std::span<const T>(x)), sum) << size;
    EXPECT_EQ(SumOfSquares<Scalar>(std::span<const T>(x)), squares);
    EXPECT_EQ(SumOfSquares<Simd>(std::span<const T>(x)), squares) << size;
  }
}

TYPED_TEST(ReduceTest, SumStaysWithinTheRoundingBound) {
  using T = TypeParam;
  RandomStream stream({.seed = 1});
  std::vector<T> x(1001);
  double sum = 0;
  double size = 0;
  for (T& value : x) {
    value = T{stream.Uniform(-1, 1)};
    sum += double{value};
    size += std::abs(double{value});
  }
  const double bound = 1001 * double{std::numeric_limits<T>::epsilon()} * size;
  EXPECT_NEAR(Sum<Scalar>(std::span<const T>(x)), sum, bound);
  EXPECT_NEAR(Sum<Simd>(std::span<const T>(x)), sum, bound);
}

// Integers are exact, so this also shows that the rows' gaps are left out.
TYPED_TEST(ReduceTest, ColumnSumsOfSmallIntegersAreExact) {
  using T = TypeParam;
  for (const std::size_t rows : {0u, 1u, 2u, 5u}) {
    for (std::size_t cols = 1; cols <= kSizes; ++cols) {
      const std::size_t stride = cols + 3;
      std::vector<T> data(rows == 0 ? 0 : (rows - 1) * stride + cols);
      std::vector<T> expected(cols);
      for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<T>(1 + 7 * i % 11);
        if (i % stride < cols) expected[i % stride] += data[i];
      }
      const MatrixView<const T> m(data.data(), rows, cols, stride);
      std::vector<T> sums(cols, std::numeric_limits<T>::quiet_NaN());
      ColumnSums<Scalar>(m, std::span<T>(sums));
      EXPECT_EQ(sums, expected);
      sums.assign(cols, std::numeric_limits<T>::quiet_NaN());
      ColumnSums<Simd>(m, std::span<T>(sums));
      EXPECT_EQ(sums, expected) << rows << " x " << cols;
    }
  }
}

// A column is added from the first row to the last by every policy.
TYPED_TEST(ReduceTest, ColumnSumsHaveTheSameBitsInEveryPolicy) {
  using T = TypeParam;
  RandomStream stream({.seed = 1});
  std::vector<T> data(37 * kSizes);
  for (T& value : data) value = T{stream.Uniform(-1, 1)};
  const MatrixView<const T> m(data.data(), 37, kSizes);
  std::vector<T> scalar(kSizes), simd(kSizes);
  ColumnSums<Scalar>(m, std::span<T>(scalar));
  ColumnSums<Simd>(m, std::span<T>(simd));
  EXPECT_EQ(scalar, simd);
}

TYPED_TEST(ReduceTest, MappedSumAddsAFunctionOfEachElement) {
  using T = TypeParam;
  for (std::size_t size = 0; size <= kSizes; ++size) {
    std::vector<T> x(size), y(size);
    const std::vector<T> zeros(size);
    T products{0};
    for (std::size_t i = 0; i < size; ++i) {
      x[i] = static_cast<T>(1 + 7 * i % 11);
      y[i] = static_cast<T>(i % 5) - T{2};
      products += x[i] * y[i];
    }
    const auto check = [&]<class P>(P) {
      EXPECT_EQ(
          MappedSum<P>(Product{}, std::span<const T>(x), std::span<const T>(y)),
          products);
      // f(0) = 1 / 2, which must not be added for what is beyond the end.
      EXPECT_EQ(MappedSum<P>(SigmoidFunction{}, std::span<const T>(zeros)),
                static_cast<T>(size) / 2);
    };
    check(Scalar());
    check(Simd());
  }
}

TYPED_TEST(ReduceTest, AllFiniteSeesEveryElement) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  for (std::size_t size = 0; size <= kSizes; ++size) {
    // The sum of these overflows.
    std::vector<T> x(size, Limits::max());
    const std::span<const T> all(x);
    EXPECT_TRUE(AllFinite<Scalar>(all));
    EXPECT_TRUE(AllFinite<Simd>(all)) << size;
    for (std::size_t i = 0; i < size; ++i) {
      for (const T bad :
           {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
        x[i] = bad;
        EXPECT_FALSE(AllFinite<Scalar>(all));
        EXPECT_FALSE(AllFinite<Simd>(all)) << size << " " << i;
      }
      x[i] = Limits::max();
    }
  }
}

TYPED_TEST(ReduceTest, ArgMaxIsTheFirstLargest) {
  using T = TypeParam;
  const std::vector<T> x = {-3, 2, 7, 7, -9};
  EXPECT_EQ(ArgMax(std::span<const T>(x)), 2u);
  EXPECT_EQ(ArgMax(std::span<const T>(x).first(1)), 0u);
}

}  // namespace
}  // namespace hpcnn
