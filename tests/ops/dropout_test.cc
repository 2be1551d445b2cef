// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/dropout.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/percent.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

using hpcnn_test::GuardedVector;

constexpr RandomPlace kPlace{
    .seed = 5, .epoch = 7, .sample = 3, .op = RandomOp::kDropout, .part = 2};

// Of `rows` rows of `cols` ones.
template <class Probability, class P, class T>
GuardedVector<T> Ones(std::size_t rows, std::size_t cols,
                      const RandomPlace& place = kPlace) {
  GuardedVector<T> x(rows * cols, T{1});
  DropElements<Probability, P>(place, MatrixView<const T>(x.data(), rows, cols),
                               MatrixView<T>(x.data(), rows, cols));
  return x;
}

template <class T>
class DropoutOpTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(DropoutOpTest, Elements);

// Every rest of a vector and of a chunk.
TYPED_TEST(DropoutOpTest, SimdEqualsScalarToTheBit) {
  using T = TypeParam;
  for (std::size_t cols = 1; cols < 36; ++cols) {
    EXPECT_EQ((Ones<Percent<20>, Simd, T>(3, cols)),
              (Ones<Percent<20>, Scalar, T>(3, cols)))
        << cols;
  }
  for (const std::size_t cols : {511u, 512u, 513u, 1500u}) {
    EXPECT_EQ((Ones<Percent<70>, Simd, T>(2, cols)),
              (Ones<Percent<70>, Scalar, T>(2, cols)))
        << cols;
  }
}

// Row n is the stream of sample + n: number i below p 2^32 drops element i.
TYPED_TEST(DropoutOpTest, EachElementHasItsNumber) {
  using T = TypeParam;
  const auto y = Ones<Percent<25>, Simd, T>(4, 9);
  for (std::uint32_t n = 0; n < 4; ++n) {
    RandomPlace place = kPlace;
    place.sample += n;
    RandomStream stream(place);
    for (std::size_t i = 0; i < 9; ++i) {
      EXPECT_EQ(y[n * 9 + i], stream.Bits() < 1u << 30 ? T{0} : T{1} / T{0.75});
    }
  }
}

TYPED_TEST(DropoutOpTest, DropsTheGivenShareAndKeepsTheMean) {
  using T = TypeParam;
  constexpr std::size_t kSize = 100'000;
  const auto y = Ones<Percent<20>, Simd, T>(1, kSize);
  const auto dropped =
      static_cast<double>(std::count(y.begin(), y.end(), T{0}));
  // Four standard deviations of sqrt(n p (1 - p)).
  EXPECT_NEAR(dropped, 0.2 * kSize, 4 * std::sqrt(kSize * 0.2 * 0.8));
  EXPECT_EQ(std::count(y.begin(), y.end(), T{1} / (T{1} - T{20} / T{100})),
            static_cast<std::ptrdiff_t>(kSize) -
                static_cast<std::ptrdiff_t>(dropped));
  EXPECT_EQ((Ones<Percent<0>, Simd, T>(1, 99)), (GuardedVector<T>(99, T{1})));
}

TYPED_TEST(DropoutOpTest, PlacesAreIndependent) {
  using T = TypeParam;
  const auto drop = [](const RandomPlace& place) {
    return Ones<Percent<50>, Simd, T>(1, 64, place);
  };
  const auto first = drop(kPlace);
  EXPECT_EQ(drop(kPlace), first);
  RandomPlace other = kPlace;
  other.seed = 6;
  EXPECT_NE(drop(other), first);
  other = kPlace;
  other.epoch = 8;
  EXPECT_NE(drop(other), first);
  other = kPlace;
  other.sample = 4;
  EXPECT_NE(drop(other), first);
  other = kPlace;
  other.part = 3;
  EXPECT_NE(drop(other), first);
}

TYPED_TEST(DropoutOpTest, NanStaysNan) {
  using T = TypeParam;
  std::vector<T> x(40, std::numeric_limits<T>::quiet_NaN());
  DropElements<Percent<50>, Simd>(kPlace, MatrixView<const T>(x.data(), 1, 40),
                                  MatrixView<T>(x.data(), 1, 40));
  for (const T y : x) EXPECT_TRUE(std::isnan(y));
}

}  // namespace
}  // namespace hpcnn
