// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Gemm of sizes that types tell, against the loops of Scalar on views that tell
// none.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/gemm_epilogue.h"
#include "tests/testing/guarded_vector.h"

namespace hpcnn {
namespace {

template <class Element, std::size_t kM, std::size_t kK, std::size_t kN>
struct Sizes {
  using T = Element;
  static constexpr std::size_t M = kM;
  static constexpr std::size_t K = kK;
  static constexpr std::size_t N = kN;
};

using hpcnn_test::GuardedVector;

template <class S>
struct Operands {
  using T = typename S::T;

  explicit Operands(bool whole)
      : a(S::M * S::K), b(S::K * S::N), c(S::M * S::N) {
    RandomStream stream({.seed = S::M * 10007 + S::K * 101 + S::N});
    for (GuardedVector<T>* data : {&a, &b, &c}) {
      for (T& value : *data) {
        value = whole ? static_cast<T>(stream.Below(9)) - T{4}
                      : T{stream.Uniform(-1, 1)};
      }
    }
  }

  GuardedVector<T> a;
  GuardedVector<T> b;
  GuardedVector<T> c;
};

// C by Gemm<Policy>; `fixed`: sizes are in the types.
template <class Policy, bool fixed, class S, class Update = Overwrite,
          class Epilogue = KeepSums>
GuardedVector<typename S::T> Run(const Operands<S>& in, bool transpose_a,
                                 bool transpose_b, const Update& update = {},
                                 const Epilogue& epilogue = {},
                                 Threads threads = {}) {
  using T = typename S::T;
  GuardedVector<T> result = in.c;
  const auto view = [&]<std::size_t rows, std::size_t cols>(auto* data) {
    using Element = std::remove_pointer_t<decltype(data)>;
    if constexpr (fixed) {
      return TensorView<Element, rows, cols>(data);
    } else {
      return MatrixView<Element>(data, rows, cols);
    }
  };
  const auto a = view.template operator()<S::M, S::K>(in.a.data());
  const auto a_t = view.template operator()<S::K, S::M>(in.a.data());
  const auto b = view.template operator()<S::K, S::N>(in.b.data());
  const auto b_t = view.template operator()<S::N, S::K>(in.b.data());
  const auto c = view.template operator()<S::M, S::N>(result.data());
  if (transpose_a && transpose_b) {
    Gemm<Policy>(Transpose(a_t), Transpose(b_t), c, update, epilogue, threads);
  } else if (transpose_a) {
    Gemm<Policy>(Transpose(a_t), b, c, update, epilogue, threads);
  } else if (transpose_b) {
    Gemm<Policy>(a, Transpose(b_t), c, update, epilogue, threads);
  } else {
    Gemm<Policy>(a, b, c, update, epilogue, threads);
  }
  return result;
}

template <class F>
void ForEachTranspose(const F& check) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      SCOPED_TRACE(testing::Message()
                   << "transposes " << transpose_a << transpose_b);
      check(transpose_a, transpose_b);
    }
  }
}

template <class S>
class GemmSizesTest : public ::testing::Test {};
// One tile and several, all of a vector and parts, few columns and many, a
// depth that is unrolled, one that is not, one of several blocks.
using Cases = ::testing::Types<
    Sizes<float, 1, 1, 1>, Sizes<float, 16, 16, 16>, Sizes<float, 17, 3, 35>,
    Sizes<float, 8, 25, 150>, Sizes<float, 29, 32, 33>, Sizes<float, 5, 7, 2>,
    Sizes<float, 33, 70, 10>, Sizes<float, 5, 64, 1>, Sizes<float, 9, 300, 12>,
    Sizes<float, 7, 40, 13>, Sizes<float, 3, 520, 6>, Sizes<float, 70, 40, 70>,
    Sizes<double, 6, 20, 11>, Sizes<double, 11, 37, 5>, Sizes<double, 4, 65, 6>,
    Sizes<double, 70, 200, 5>, Sizes<double, 70, 200, 3>,
    Sizes<double, 70, 100, 1>, Sizes<float, 70, 200, 3>,
    Sizes<float, 70, 200, 1>>;
TYPED_TEST_SUITE(GemmSizesTest, Cases);

// Small integers leave nothing to round.
TYPED_TEST(GemmSizesTest, IsExactOnSmallIntegers) {
  using T = typename TypeParam::T;
  const Operands<TypeParam> in(true);
  ForEachTranspose([&](bool a, bool b) {
    const auto check = [&](const auto& update) {
      const GuardedVector<T> want = Run<Scalar, false>(in, a, b, update);
      EXPECT_EQ((Run<Simd, true>(in, a, b, update)), want);
      EXPECT_EQ((Run<Scalar, true>(in, a, b, update)), want);
    };
    check(Overwrite{});
    check(Accumulate{});
    check(AlphaBeta<T>{2, T{-0.5}});
  });
}

// (K + lanes) eps (|C| + |A| |B|): K products and sums, and those of the lanes.
TYPED_TEST(GemmSizesTest, StaysWithinTheRoundingBound) {
  using T = typename TypeParam::T;
  constexpr std::size_t K = TypeParam::K;
  constexpr std::size_t N = TypeParam::N;
  const Operands<TypeParam> in(false);
  const GuardedVector<T> got = Run<Simd, true>(in, false, false, Accumulate{});
  for (std::size_t m = 0; m < TypeParam::M; ++m) {
    for (std::size_t n = 0; n < N; ++n) {
      double sum{in.c[m * N + n]};
      double size = std::abs(sum);
      for (std::size_t k = 0; k < K; ++k) {
        const double term = double{in.a[m * K + k]} * double{in.b[k * N + n]};
        sum += term;
        size += std::abs(term);
      }
      EXPECT_LE(std::abs(double{got[m * N + n]} - sum),
                static_cast<double>(K + 16) *
                    double{std::numeric_limits<T>::epsilon()} * size)
          << m << " " << n;
    }
  }
}

TYPED_TEST(GemmSizesTest, DoesNotDependOnTheThreads) {
  const Operands<TypeParam> in(false);
  ForEachTranspose([&](bool a, bool b) {
    const auto one = Run<Simd, true>(in, a, b);
    for (const std::size_t threads : {2u, 5u}) {
      EXPECT_EQ((Run<Simd, true>(in, a, b, Overwrite{}, KeepSums{},
                                 Threads(threads))),
                one)
          << threads;
    }
  });
}

TYPED_TEST(GemmSizesTest, EpiloguesSeeEachSumOnce) {
  using T = typename TypeParam::T;
  constexpr std::size_t N = TypeParam::N;
  const Operands<TypeParam> in(true);
  std::vector<T> bias(N), row_bias(TypeParam::M);
  for (std::size_t n = 0; n < N; ++n) bias[n] = static_cast<T>(n % 11);
  for (std::size_t m = 0; m < TypeParam::M; ++m) {
    row_bias[m] = static_cast<T>(m % 7);
  }
  const InOrder epilogue(AddBias<T>{bias}, AddRowBias<T>{row_bias},
                         Activate<ReluFunction>{});
  ForEachTranspose([&](bool a, bool b) {
    GuardedVector<T> want = Run<Scalar, false>(in, a, b);
    for (std::size_t i = 0; i < want.size(); ++i) {
      want[i] = std::max(T{0}, want[i] + bias[i % N] + row_bias[i / N]);
    }
    for (const std::size_t threads : {1u, 3u}) {
      EXPECT_EQ(
          (Run<Simd, true>(in, a, b, Overwrite{}, epilogue, Threads(threads))),
          want)
          << threads;
    }
  });
}

// What is next to a row of A is not part of its sums.
TEST(GemmSizesTest, FewColumnsOfAWiderMatrix) {
  constexpr std::size_t kM = 5, kK = 70, kN = 10, kStride = 75;
  GuardedVector<float> a((kM - 1) * kStride + kK,
                         std::numeric_limits<float>::quiet_NaN());
  for (std::size_t m = 0; m < kM; ++m) {
    for (std::size_t k = 0; k < kK; ++k) {
      a[m * kStride + k] = static_cast<float>((m + k) % 5);
    }
  }
  const GuardedVector<float> b(kK * kN, 2);
  GuardedVector<float> c(kM * kN), want(kM * kN);
  const MatrixView<const float> left(a.data(), kM, kK, kStride);
  Gemm<Simd>(left, TensorView<const float, kK, kN>(b.data()),
             MatrixView<float>(c.data(), kM, kN));
  Gemm<Scalar>(left, MatrixView<const float>(b.data(), kK, kN),
               MatrixView<float>(want.data(), kM, kN));
  EXPECT_EQ(c, want);
}

}  // namespace
}  // namespace hpcnn
