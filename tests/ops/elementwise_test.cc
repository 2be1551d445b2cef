// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/concurrency/threads.h"

namespace hpcnn {
namespace {

template <class T>
std::vector<T> RandomVector(std::size_t size, std::uint64_t seed) {
  RandomStream stream({.seed = seed});
  std::vector<T> x(size);
  for (T& value : x) value = T{stream.Uniform(-3, 3)};
  return x;
}

// Every magnitude from 2^-40 to 1e4, both signs, and both zeros.
template <class T>
std::vector<T> WideRange() {
  std::vector<T> x = {T{0}, -T{0}, T{1e4}, -T{1e4}};
  for (T v = T{0x1p-40}; v < T{1e4}; v *= T{1.0137f}) {
    x.push_back(v);
    x.push_back(-v);
  }
  return x;
}

// Not inlined: GCC 12 takes vectors that are never loaded for accesses beyond an
// array whose size it sees.
template <class Policy, class F, class T, class... In>
HWY_NOINLINE std::vector<T> Run(const F& f, const std::vector<T>& x,
                                const In&... in) {
  std::vector<T> out(x.size(), std::numeric_limits<T>::quiet_NaN());
  Elementwise<Policy>(f, std::span<T>(out), std::span<const T>(x),
                      std::span<const T>(in)...);
  return out;
}

// All functions of x, then all of (x, y).
template <class F>
void ForEachUnary(const F& check) {
  check("relu", ReluFunction{}, [](double x) { return x < 0 ? 0 : x; });
  check("leaky relu", LeakyReluFunction<Percent<1>>{},
        [](double x) { return x < 0 ? 0.01 * x : x; });
  check("elu", EluFunction<Percent<50>>{},
        [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; });
  check("sigmoid", SigmoidFunction{}, [](double x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
  });
  check("tanh", TanhFunction{}, [](double x) { return std::tanh(x); });
}

template <class T, class F>
void ForEachBinary(const F& check) {
  check("product", Product{}, [](double x, double y) { return x * y; });
  check("sum", Sum2{}, [](double x, double y) { return x + y; });
  check("scaled sum", ScaledSum<T>{T{0.5}, T{-2}},
        [](double x, double y) { return 0.5 * x - 2 * y; });
  check("saxpy", SaxpyFunction<T>{T{-1.5}},
        [](double x, double y) { return -1.5 * x + y; });
  check("max", Max2{}, [](double x, double y) { return std::max(x, y); });
  check("relu gradient", ReluGradient{},
        [](double y, double d_y) { return y > 0 ? d_y : 0; });
  check("leaky relu gradient", LeakyReluGradient<Percent<1>>{},
        [](double y, double d_y) { return y > 0 ? d_y : 0.01 * d_y; });
  check("elu gradient", EluGradient<Percent<50>>{},
        [](double y, double d_y) { return y > 0 ? d_y : d_y * (y + 0.5); });
  check("sigmoid gradient", SigmoidGradient{},
        [](double y, double d_y) { return d_y * y * (1 - y); });
  check("tanh gradient", TanhGradient{},
        [](double y, double d_y) { return d_y * (1 - y * y); });
}

template <class T>
class ElementwiseTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ElementwiseTest, Elements);

// Highway states at most 5 units in the last place for its functions; numbers
// below the smallest normal one may become 0.
TYPED_TEST(ElementwiseTest, EqualsTheStandardLibraryOverAWideRange) {
  using T = TypeParam;
  ForEachUnary([](const char* name, auto f, auto reference) {
    const std::vector<T> x = WideRange<T>();
    const std::vector<T> scalar = Run<Scalar>(f, x);
    const std::vector<T> simd = Run<Simd>(f, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = reference(double{x[i]});
      const double tolerance =
          8 * double{std::numeric_limits<T>::epsilon()} * std::abs(expected) +
          double{std::numeric_limits<T>::min()};
      ASSERT_NEAR(scalar[i], expected, tolerance) << name << " " << x[i];
      ASSERT_NEAR(simd[i], expected, tolerance) << name << " " << x[i];
    }
  });
}

TYPED_TEST(ElementwiseTest, EveryLengthIsRight) {
  using T = TypeParam;
  for (std::size_t size = 0; size <= 2 * 16 + 3; ++size) {
    const std::vector<T> x = RandomVector<T>(size, 1);
    const std::vector<T> y = RandomVector<T>(size, 2);
    const auto check = [&](const char* name, const auto& out,
                           const auto& expected) {
      for (std::size_t i = 0; i < size; ++i) {
        // Sums of numbers up to 3 * 9, of which the largest may cancel.
        ASSERT_NEAR(out[i], expected(i),
                    64 * double{std::numeric_limits<T>::epsilon()})
            << name << ", element " << i << " of " << size;
      }
    };
    ForEachUnary([&](const char* name, auto f, auto reference) {
      const auto expected = [&](std::size_t i) { return reference(x[i]); };
      check(name, Run<Scalar>(f, x), expected);
      check(name, Run<Simd>(f, x), expected);
    });
    ForEachBinary<T>([&](const char* name, auto f, auto reference) {
      const auto expected = [&](std::size_t i) {
        return reference(x[i], y[i]);
      };
      check(name, Run<Scalar>(f, x, y), expected);
      check(name, Run<Simd>(f, x, y), expected);
    });
  }
}

TYPED_TEST(ElementwiseTest, NanStaysNan) {
  using T = TypeParam;
  for (const T sign : {T{1}, T{-1}}) {
    const std::vector<T> x(
        19, std::copysign(std::numeric_limits<T>::quiet_NaN(), sign));
    ForEachUnary([&](const char* name, auto f, auto) {
      for (const T out : Run<Scalar>(f, x))
        ASSERT_TRUE(std::isnan(out)) << name;
      for (const T out : Run<Simd>(f, x)) ASSERT_TRUE(std::isnan(out)) << name;
    });
  }
}

TYPED_TEST(ElementwiseTest, InfinityIsTheLimit) {
  using T = TypeParam;
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const std::vector<T> x = {kInf, -kInf};
  const auto check = [&]<class Policy>() {
    EXPECT_EQ(Run<Policy>(ReluFunction{}, x), (std::vector<T>{kInf, T{0}}));
    EXPECT_EQ(Run<Policy>(LeakyReluFunction<Percent<50>>{}, x),
              (std::vector<T>{kInf, -kInf}));
    EXPECT_EQ(Run<Policy>(EluFunction<Percent<50>>{}, x),
              (std::vector<T>{kInf, T{-0.5}}));
    EXPECT_EQ(Run<Policy>(SigmoidFunction{}, x), (std::vector<T>{T{1}, T{0}}));
    EXPECT_EQ(Run<Policy>(TanhFunction{}, x), (std::vector<T>{T{1}, T{-1}}));
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(ElementwiseTest, WorksInPlace) {
  using T = TypeParam;
  const std::vector<T> x = RandomVector<T>(37, 1);
  const std::vector<T> y = RandomVector<T>(37, 2);
  const auto check = [&]<class Policy>() {
    std::vector<T> in_place = x;
    Elementwise<Policy>(TanhFunction{}, std::span<T>(in_place),
                        std::span<const T>(in_place));
    EXPECT_EQ(in_place, Run<Policy>(TanhFunction{}, x));
    in_place = y;
    Elementwise<Policy>(TanhGradient{}, std::span<T>(in_place),
                        std::span<const T>(x), std::span<const T>(in_place));
    EXPECT_EQ(in_place, Run<Policy>(TanhGradient{}, x, y));
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(ElementwiseTest, AddAndAxpbyOfSmallIntegersAreExact) {
  using T = TypeParam;
  const auto check = []<class Policy>() {
    for (std::size_t size = 1; size <= 2 * 16 + 3; ++size) {
      std::vector<T> x(size), y(size), sum(size), scaled(size);
      for (std::size_t i = 0; i < size; ++i) {
        x[i] = static_cast<T>(i);
        y[i] = static_cast<T>(7 * i % 5);
        sum[i] = x[i] + y[i];
        scaled[i] = 3 * x[i] - 2 * y[i];
      }
      std::vector<T> out(size);
      Add<Policy>(std::span<const T>(x), std::span<const T>(y),
                  std::span<T>(out));
      EXPECT_EQ(out, sum);
      Axpby<Policy>(T{3}, std::span<const T>(x), T{-2}, std::span<T>(y));
      EXPECT_EQ(y, scaled);
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TEST(ElementwiseDeathTest, RefusesLengthsThatDiffer) {
  std::vector<float> out(3), x(4);
  EXPECT_DEATH(Elementwise<Simd>(ReluFunction{}, std::span<float>(out),
                                 std::span<const float>(x)),
               "Elementwise needs");
}

template <class T>
class MaxTest : public ::testing::Test {};
using Numbers =
    ::testing::Types<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                     std::uint32_t, std::int32_t, std::int64_t, float, double>;
TYPED_TEST_SUITE(MaxTest, Numbers);

TYPED_TEST(MaxTest, IsTheLargerOneAtEverySize) {
  using T = TypeParam;
  RandomStream stream({.seed = 5});
  for (std::size_t size = 0; size <= 2 * 64 + 3; ++size) {
    std::vector<T> x(size), y(size), want(size);
    for (std::size_t i = 0; i < size; ++i) {
      // Signs and all widths.
      x[i] = static_cast<T>(static_cast<std::int32_t>(stream.Below(1u << 31)) *
                            (i % 3 == 0 ? -1 : 1));
      y[i] = i % 7 == 0 ? x[i]
                        : static_cast<T>(static_cast<std::int32_t>(
                                             stream.Below(1u << (i % 31))) *
                                         (i % 2 == 0 ? -1 : 1));
      want[i] = std::max(x[i], y[i]);
    }
    std::vector<T> out(size);
    ElementwiseMax<Simd>(std::span<const T>(x), std::span<const T>(y),
                         std::span<T>(out));
    EXPECT_EQ(out, want) << size;
    ElementwiseMax<Scalar>(std::span<const T>(x), std::span<const T>(y),
                           std::span<T>(out));
    EXPECT_EQ(out, want) << size;
  }
}

TEST(MaxTest, ANanIsTheLargerOne) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(40, 1);
  std::vector<float> y(40, -std::numeric_limits<float>::infinity());
  x[0] = x[2] = y[1] = y[2] = kNan;
  const auto check = [&]<class Policy>() {
    std::vector<float> out(x.size());
    ElementwiseMax<Policy>(std::span<const float>(x), std::span<const float>(y),
                           std::span<float>(out));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(out[i])) << i;
    for (std::size_t i = 3; i < 40; ++i) EXPECT_EQ(out[i], 1) << i;
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TEST(ElementwiseThreadsTest, ThreadsGiveTheSame) {
  for (const std::size_t size : {0u, 1u, 4095u, 4096u, 4097u, 100'003u}) {
    const std::vector<float> x = RandomVector<float>(size, 1);
    const std::vector<float> y = RandomVector<float>(size, 2);
    const std::span<const float> in(x);
    const auto run = [&](Threads threads) {
      std::vector<float> sum(size), largest(size), saxpy = y;
      Add<Simd>(in, std::span<const float>(y), std::span<float>(sum), threads);
      ElementwiseMax<Simd>(in, std::span<const float>(y),
                           std::span<float>(largest), threads);
      Saxpy<Simd>(2.0f, in, std::span<float>(saxpy), threads);
      sum.insert(sum.end(), largest.begin(), largest.end());
      sum.insert(sum.end(), saxpy.begin(), saxpy.end());
      return sum;
    };
    const std::vector<float> one = run({});
    EXPECT_EQ(run(2), one) << size;
    EXPECT_EQ(run(7), one) << size;
  }
}

}  // namespace
}  // namespace hpcnn
