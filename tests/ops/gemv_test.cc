// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/gemv.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

namespace hpcnn {
namespace {

template <class T>
class GemvTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GemvTest, Elements);

template <class Policy, class T>
std::vector<T> Run(std::size_t m, std::size_t n, bool transposed,
                   const std::vector<T>& a, const std::vector<T>& x) {
  std::vector<T> y(m, T{-1});
  const std::span<const T> in(x);
  const std::span<T> out(y);
  const std::size_t cols = transposed ? m : n;
  const MatrixView<const T> stored(a.data(), transposed ? n : m, cols,
                                   cols + 1);
  if (transposed) {
    Gemv<Policy>(Transpose(stored), in, out);
  } else {
    Gemv<Policy>(stored, in, out);
  }
  return y;
}

template <class T>
void Check(std::size_t m, std::size_t n, bool transposed, bool whole) {
  RandomStream stream({.seed = m * 1009 + n});
  const auto fill = [&](std::size_t size) {
    std::vector<T> values(size);
    for (T& value : values) {
      value = whole ? static_cast<T>(stream.Below(9)) - T{4}
                    : T{stream.Uniform(-1, 1)};
    }
    return values;
  };
  const std::size_t cols = (transposed ? m : n) + 1;
  const std::vector<T> a = fill((transposed ? n : m) * cols);
  const std::vector<T> x = fill(n);
  const std::vector<T> simd = Run<Simd>(m, n, transposed, a, x);
  const std::vector<T> scalar = Run<Scalar>(m, n, transposed, a, x);
  if (whole) {
    EXPECT_EQ(simd, scalar) << m << " x " << n;
  }
  for (std::size_t i = 0; i < m; ++i) {
    double sum = 0;
    double size = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double term =
          double{transposed ? a[j * cols + i] : a[i * cols + j]} * double{x[j]};
      sum += term;
      size += std::abs(term);
    }
    const double bound = static_cast<double>(n + 1) *
                         double{std::numeric_limits<T>::epsilon()} * size;
    ASSERT_LE(std::abs(double{simd[i]} - sum), bound) << m << " x " << n;
    ASSERT_LE(std::abs(double{scalar[i]} - sum), bound) << m << " x " << n;
  }
}

TYPED_TEST(GemvTest, AllSizesBothWays) {
  for (std::size_t i = 0; i <= 2 * 16 + 3; ++i) {
    for (const bool transposed : {false, true}) {
      for (const bool whole : {false, true}) {
        Check<TypeParam>(i, 5, transposed, whole);
        Check<TypeParam>(9, i, transposed, whole);
        Check<TypeParam>(i, i, transposed, whole);
        Check<TypeParam>(i, 300, transposed, whole);
        Check<TypeParam>(130, i, transposed, whole);
      }
    }
  }
}

// The course's layer: 4 neurons of 3 inputs each.
TYPED_TEST(GemvTest, TheCoursesLayer) {
  const std::vector<TypeParam> w = {1, 2, 3, 9, 4,  5, 6, 9,
                                    7, 8, 9, 9, -1, 0, 1, 9};
  const std::vector<TypeParam> x = {1, -1, 2};
  const std::vector<TypeParam> want = {5, 11, 17, 1};
  EXPECT_EQ((Run<Simd>(4, 3, false, w, x)), want);
  EXPECT_EQ((Run<Scalar>(4, 3, false, w, x)), want);
}

TEST(GemvDeathTest, RefusesShapesThatDoNotMatch) {
  std::vector<float> a(6), x(2), y(2);
  EXPECT_DEATH(Gemv<Simd>(MatrixView<const float>(a.data(), 2, 3),
                          std::span<const float>(x), std::span<float>(y)),
               "Gemv needs");
}

}  // namespace
}  // namespace hpcnn
