// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/gram.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"

namespace hpcnn {
namespace {

template <class T>
class GramTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GramTest, Elements);

// C of [M, M + 2] with -7 in the gaps, from X of [M, K + 1].
template <class T>
struct Problem {
  Problem(std::size_t m_in, std::size_t k_in, bool whole) : m(m_in), k(k_in) {
    RandomStream stream({.seed = m * 1009 + k});
    x.resize(m * (k + 1));
    for (T& value : x) {
      value = whole ? static_cast<T>(stream.Below(9)) - T{4}
                    : T{stream.Uniform(-1, 1)};
    }
  }
  template <class Policy>
  std::vector<T> Run(Threads threads = {}) const {
    std::vector<T> c(m * (m + 2), T{-7});
    Gram<Policy>(MatrixView<const T>(x.data(), m, k, k + 1),
                 MatrixView<T>(c.data(), m, m, m + 2), threads);
    return c;
  }

  std::size_t m;
  std::size_t k;
  std::vector<T> x;
};

// Every rest of a vector, then several panels, blocks, and their rests.
template <class F>
void ForSizes(const F& f) {
  for (std::size_t i = 1; i <= 2 * 16 + 3; ++i) {
    f(i, i);
    f(i, 1);
    f(3, i);
  }
  for (const std::size_t m : {63u, 64u, 65u, 100u, 130u, 193u}) {
    f(m, 7);
    f(m, 300);
  }
  f(5, 0);
  f(0, 5);
}

TYPED_TEST(GramTest, IsExactOnSmallIntegers) {
  ForSizes([](std::size_t m, std::size_t k) {
    const Problem<TypeParam> problem(m, k, true);
    EXPECT_EQ(problem.template Run<Simd>(), problem.template Run<Scalar>())
        << m << " x " << k;
  });
}

TYPED_TEST(GramTest, ScalarIsTheDefinition) {
  const Problem<TypeParam> problem(2, 3, true);
  const auto& x = problem.x;
  const auto dot = [&](std::size_t a, std::size_t b) {
    return x[a] * x[b] + x[a + 1] * x[b + 1] + x[a + 2] * x[b + 2];
  };
  const std::vector<TypeParam> want = {dot(0, 0), dot(0, 4), -7, -7,
                                       dot(4, 0), dot(4, 4), -7, -7};
  EXPECT_EQ(problem.template Run<Scalar>(), want);
}

// The bound of gemm_test.cc; and what is symmetric is so to the bit.
TYPED_TEST(GramTest, StaysWithinTheRoundingBound) {
  using T = TypeParam;
  ForSizes([](std::size_t m, std::size_t k) {
    const Problem<T> problem(m, k, false);
    const std::vector<T> c = problem.template Run<Simd>();
    for (std::size_t i = 0; i < m; ++i) {
      for (std::size_t j = 0; j < m; ++j) {
        double sum = 0;
        double size = 0;
        for (std::size_t n = 0; n < k; ++n) {
          const double term = double{problem.x[i * (k + 1) + n]} *
                              double{problem.x[j * (k + 1) + n]};
          sum += term;
          size += std::abs(term);
        }
        ASSERT_LE(std::abs(double{c[i * (m + 2) + j]} - sum),
                  static_cast<double>(k + 1) *
                      double{std::numeric_limits<T>::epsilon()} * size);
        ASSERT_EQ(c[i * (m + 2) + j], c[j * (m + 2) + i]);
      }
    }
  });
}

TYPED_TEST(GramTest, DoesNotDependOnTheThreads) {
  for (const std::size_t m : {5u, 64u, 200u, 333u}) {
    const Problem<TypeParam> problem(m, 70, false);
    const auto one = problem.template Run<Simd>();
    for (const std::size_t threads : {2u, 3u, 16u}) {
      EXPECT_EQ(problem.template Run<Simd>(threads), one)
          << m << " " << threads;
    }
    const Problem<TypeParam> whole(m, 70, true);
    EXPECT_EQ(whole.template Run<Scalar>(3), whole.template Run<Simd>());
  }
}

TEST(GramDeathTest, RefusesShapesThatDoNotMatch) {
  std::vector<float> x(6), c(6);
  EXPECT_DEATH(Gram<Simd>(MatrixView<const float>(x.data(), 2, 3),
                          MatrixView<float>(c.data(), 2, 3)),
               "Gram needs");
}

}  // namespace
}  // namespace hpcnn
