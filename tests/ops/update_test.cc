// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Functions with several results, one pass, in place; what they compute is
// tests/optim's.

#include "hpcnn/ops/update.h"

#include <array>
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
class UpdateTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(UpdateTest, Elements);

TYPED_TEST(UpdateTest, EveryLengthIsRight) {
  using T = TypeParam;
  RandomStream stream({.seed = 1});
  const AdamFunction<T> adam{T{0.5f}, T{0.75f}, T{0.5f}, T{0.125f}, T{0.25f}};
  const auto check = [&]<class P>() {
    for (std::size_t size = 1; size <= 2 * 16 + 3; ++size) {
      std::vector<T> g(size), m(size), v(size), w(size);
      for (auto* x : {&g, &m, &v, &w}) {
        for (T& value : *x) value = T{stream.Uniform(0, 1)};
      }
      const std::vector<T> m0 = m, v0 = v, w0 = w;
      Elementwise<P>(adam, std::array{std::span(m), std::span(v), std::span(w)},
                     std::span(g), std::span(m), std::span(v), std::span(w));
      for (std::size_t i = 0; i < size; ++i) {
        const std::array<T, 3> one = adam(g[i], m0[i], v0[i], w0[i]);
        const T tolerance = 16 * std::numeric_limits<T>::epsilon();
        ASSERT_NEAR(m[i], one[0], tolerance) << i << " of " << size;
        ASSERT_NEAR(v[i], one[1], tolerance) << i << " of " << size;
        ASSERT_NEAR(w[i], one[2], tolerance) << i << " of " << size;
      }
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(UpdateTest, ClampKeepsNan) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const auto check = []<class P>() {
    std::vector<T> x(19, T{0.25f});
    x[1] = kInf;
    x[2] = -kInf;
    x[3] = std::numeric_limits<T>::quiet_NaN();
    x[18] = -x[3];
    Elementwise<P>(ClampFunction<T>{T{0.5f}}, std::span(x), std::span(x));
    EXPECT_EQ(x[0], T{0.25f});
    EXPECT_EQ(x[1], T{0.5f});
    EXPECT_EQ(x[2], T{-0.5f});
    EXPECT_TRUE(std::isnan(x[3]));
    EXPECT_TRUE(std::isnan(x[18]));
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(UpdateTest, PenaltyDoesNotDrawAtZero) {
  using T = TypeParam;
  const auto check = []<class P>() {
    const std::vector<T> w = {2, -2, 0, -T{0}};
    std::vector<T> g = {1, 1, 1, 1};
    Elementwise<P>(PenaltyFunction<T>{T{0.5f}, T{0.25f}}, std::span(g),
                   std::span(g), std::span(w));
    EXPECT_EQ(g, (std::vector<T>{2, 0, 1, 1}));
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TEST(UpdateDeathTest, RefusesLengthsThatDiffer) {
  std::vector<float> three(3), four(4);
  const auto run = [](std::span<float> g, std::span<float> v,
                      std::span<float> w) {
    Elementwise<Simd>(MomentumFunction<float>{1, 1}, std::array{v, w}, g, g, g);
  };
  EXPECT_DEATH(run(four, three, three), "Elementwise needs");
  EXPECT_DEATH(run(three, three, four), "Elementwise needs");
}

}  // namespace
}  // namespace hpcnn
