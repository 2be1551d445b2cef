// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm of bytes: sums in 64 bits are the reference.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/ops/gemm.h"
#include "tests/ops/stored.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

struct Size {
  std::size_t m;
  std::size_t k;
  std::size_t n;
};

// Every remainder of a quad and of a vector, then several panels, blocks of k
// and of rows.
std::vector<Size> AllSizes() {
  std::vector<Size> sizes;
  for (std::size_t i = 1; i <= 2 * 16 + 3; ++i) {
    sizes.insert(sizes.end(), {{i, 3, 17}, {3, i, 5}, {7, 2, i}, {i, i, i}});
  }
  sizes.insert(sizes.end(), {{13, 129, 65}, {100, 127, 129}, {5, 1030, 67}});
  return sizes;
}

using hpcnn_test::GuardedVector;
using hpcnn_test::Stored;

enum class Values { kAll, kExtreme };

template <class T>
void Fill(Stored<T>& matrix, RandomStream& stream, Values values) {
  for (T& x : matrix.data) {
    using Limits = std::numeric_limits<T>;
    x = values == Values::kExtreme
            ? (stream.Below(8) != 0 ? Limits::max() : Limits::min())
            : static_cast<T>(stream.Below(256));
  }
}

template <class Policy, class Update, class A, class B>
void Multiply(const Stored<A>& a, bool transpose_a, const Stored<B>& b,
              bool transpose_b, Stored<std::int32_t>& c, Threads threads = {}) {
  const auto run = [&](const auto& left, const auto& right) {
    Gemm<Policy>(left, right, c.view(), Update{}, KeepSums{}, threads);
  };
  if (transpose_a && transpose_b) {
    run(Transpose(a.view()), Transpose(b.view()));
  } else if (transpose_a) {
    run(Transpose(a.view()), b.view());
  } else if (transpose_b) {
    run(a.view(), Transpose(b.view()));
  } else {
    run(a.view(), b.view());
  }
}

template <class Types>
class GemmBytesTest : public ::testing::Test {};
template <class First, class Second>
struct Pair {
  using A = First;
  using B = Second;
};
using Types = ::testing::Types<
    Pair<std::uint8_t, std::int8_t>, Pair<std::int8_t, std::int8_t>,
    Pair<std::uint8_t, std::uint8_t>, Pair<std::int8_t, std::uint8_t>>;
TYPED_TEST_SUITE(GemmBytesTest, Types);

template <class Pair, class Update>
void Check(Values values) {
  for (const Size size : AllSizes()) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "M " << size.m << ", K " << size.k << ", N " << size.n
                     << ", transposes " << transpose_a << transpose_b);
        RandomStream stream({.seed = size.m * 10007 + size.k * 101 + size.n});
        Stored<typename Pair::A> a(transpose_a ? size.k : size.m,
                                   transpose_a ? size.m : size.k, 3);
        Stored<typename Pair::B> b(transpose_b ? size.n : size.k,
                                   transpose_b ? size.k : size.n, 1);
        Fill(a, stream, values);
        Fill(b, stream, values);
        Stored<std::int32_t> c(size.m, size.n, 2);
        for (std::int32_t& x : c.data) {
          x = static_cast<std::int32_t>(stream.Below(2000)) - 1000;
        }
        Stored<std::int32_t> want = c;
        for (std::size_t m = 0; m < size.m; ++m) {
          for (std::size_t n = 0; n < size.n; ++n) {
            std::int64_t sum = Update::kKeepsOld ? c.view()(m, n) : 0;
            for (std::size_t k = 0; k < size.k; ++k) {
              sum +=
                  std::int64_t{transpose_a ? a.view()(k, m) : a.view()(m, k)} *
                  (transpose_b ? b.view()(n, k) : b.view()(k, n));
            }
            want.view()(m, n) = static_cast<std::int32_t>(sum);
          }
        }
        Stored<std::int32_t> scalar = c;
        Multiply<Scalar, Update>(a, transpose_a, b, transpose_b, scalar);
        ASSERT_EQ(scalar.data, want.data);
        for (const std::size_t threads : {1u, 3u}) {
          Stored<std::int32_t> simd = c;
          Multiply<Simd, Update>(a, transpose_a, b, transpose_b, simd, threads);
          ASSERT_EQ(simd.data, want.data) << threads << " threads";
        }
      }
    }
  }
}

TYPED_TEST(GemmBytesTest, IsExact) {
  Check<TypeParam, Overwrite>(Values::kAll);
  Check<TypeParam, Accumulate>(Values::kAll);
}

// Where pairs of products leave 16 bits.
TYPED_TEST(GemmBytesTest, IsExactAtTheLimits) {
  Check<TypeParam, Overwrite>(Values::kExtreme);
}

// Adds where it is: once, in whichever part of C it is called for.
struct AddPlace {
  template <class Policy>
  void Apply(MatrixView<std::int32_t> c, std::size_t row,
             std::size_t col) const {
    for (std::size_t m = 0; m < c.rows(); ++m) {
      for (std::size_t n = 0; n < c.cols(); ++n) {
        c(m, n) += static_cast<std::int32_t>(1000 * (row + m) + col + n);
      }
    }
  }
};

TYPED_TEST(GemmBytesTest, EpiloguesSeeEachSumOnce) {
  for (const Size size : {Size{13, 20, 129}, {129, 600, 13}}) {
    RandomStream stream({.seed = size.m});
    Stored<typename TypeParam::A> a(size.m, size.k, 0);
    Stored<typename TypeParam::B> b(size.k, size.n, 0);
    Fill(a, stream, Values::kAll);
    Fill(b, stream, Values::kAll);
    Stored<std::int32_t> want(size.m, size.n, 0);
    Multiply<Scalar, Overwrite>(a, false, b, false, want);
    AddPlace().template Apply<Scalar>(want.view(), 0, 0);
    for (const std::size_t threads : {1u, 3u}) {
      Stored<std::int32_t> c(size.m, size.n, 0);
      Gemm<Simd>(a.view(), b.view(), c.view(), Overwrite{}, AddPlace{},
                 Threads(threads));
      EXPECT_EQ(c.data, want.data) << threads;
    }
  }
}

TYPED_TEST(GemmBytesTest, EmptySumIsZeroOrTheOldValue) {
  const Stored<typename TypeParam::A> a(2, 0, 0);
  const Stored<typename TypeParam::B> b(0, 3, 0);
  Stored<std::int32_t> c(2, 3, 0);
  c.data.assign(6, 7);
  Multiply<Simd, Accumulate>(a, false, b, false, c);
  EXPECT_EQ(c.data, GuardedVector<std::int32_t>(6, 7));
  Multiply<Simd, Overwrite>(a, false, b, false, c);
  EXPECT_EQ(c.data, GuardedVector<std::int32_t>(6, 0));
}

// 2 x 127 x 127 x 70000 is more than 2^31.
TEST(GemmBytesSumsTest, AreModulo2To32) {
  constexpr std::size_t kK = 140000;
  Stored<std::int8_t> a(1, kK, 0), b(kK, 2, 0);
  a.data.assign(a.data.size(), 127);
  b.data.assign(b.data.size(), 127);
  Stored<std::int32_t> c(1, 2, 0);
  const auto want =
      static_cast<std::int32_t>(static_cast<std::uint32_t>(127 * 127 * kK));
  ASSERT_LT(want, 0);
  Multiply<Scalar, Overwrite>(a, false, b, false, c);
  EXPECT_EQ(c.data, GuardedVector<std::int32_t>(2, want));
  Multiply<Simd, Overwrite>(a, false, b, false, c);
  EXPECT_EQ(c.data, GuardedVector<std::int32_t>(2, want));
}

}  // namespace
}  // namespace hpcnn
