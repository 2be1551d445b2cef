// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/ops/gemm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/ops/elementwise.h"
#include "hpcnn/ops/gemm_epilogue.h"
#include "tests/ops/stored.h"

namespace hpcnn {
namespace {

using hpcnn_test::Stored;

struct Size {
  std::size_t m;
  std::size_t k;
  std::size_t n;
};

// All remainders of a vector (16 floats at most) in each dimension, then sizes
// that take several tiles, panels and blocks.
std::vector<Size> Sizes() {
  std::vector<Size> sizes;
  for (std::size_t i = 1; i <= 2 * 16 + 3; ++i) {
    sizes.insert(sizes.end(), {{i, 3, 17}, {3, i, 5}, {7, 2, i}, {i, i, i}});
  }
  sizes.insert(sizes.end(), {{13, 129, 65}, {65, 127, 129}, {5, 257, 67}});
  sizes.push_back({173, 395, 141});  // blocks of rows, too
  return sizes;
}

enum class Values { kSmallIntegers, kReal };

// Gemm of one policy, with every operand's gap.
template <class T>
class Product {
 public:
  Product(Size size, bool transpose_a, bool transpose_b, Values values)
      : size_(size),
        transpose_a_(transpose_a),
        transpose_b_(transpose_b),
        a_(transpose_a ? size.k : size.m, transpose_a ? size.m : size.k, 3),
        b_(transpose_b ? size.n : size.k, transpose_b ? size.k : size.n, 0),
        c_(size.m, size.n, 2) {
    RandomStream stream({.seed = size.m * 10007 + size.k * 101 + size.n});
    for (auto* data : {&a_.data, &b_.data, &c_.data}) {
      for (T& value : *data) {
        value = values == Values::kReal
                    ? T{stream.Uniform(-1, 1)}
                    : static_cast<T>(stream.Below(9)) - T{4};
      }
    }
  }

  template <class Policy, class Update, class Epilogue = KeepSums>
  Stored<T> Run(const Update& update = {}, const Epilogue& epilogue = {},
                Threads threads = {}) const {
    Stored<T> c = c_;
    const MatrixView<const T> a = a_.view();
    const MatrixView<const T> b = b_.view();
    if (transpose_a_ && transpose_b_) {
      Gemm<Policy>(Transpose(a), Transpose(b), c.view(), update, epilogue,
                   threads);
    } else if (transpose_a_) {
      Gemm<Policy>(Transpose(a), b, c.view(), update, epilogue, threads);
    } else if (transpose_b_) {
      Gemm<Policy>(a, Transpose(b), c.view(), update, epilogue, threads);
    } else {
      Gemm<Policy>(a, b, c.view(), update, epilogue, threads);
    }
    return c;
  }

  // The largest error over its bound, (K + 1) eps (|C| + |A| |B|): K products
  // and K sums, each rounded once. See Higham, Accuracy and Stability, 3.1.
  template <class Update>
  double ErrorOverBound(const Stored<T>& c) const {
    double worst = 0;
    for (std::size_t m = 0; m < size_.m; ++m) {
      for (std::size_t n = 0; n < size_.n; ++n) {
        const double old = Update::kKeepsOld ? double{c_.view()(m, n)} : 0.0;
        double sum = old;
        double size = std::abs(old);
        for (std::size_t k = 0; k < size_.k; ++k) {
          const double term = double{A(m, k)} * double{B(k, n)};
          sum += term;
          size += std::abs(term);
        }
        const double bound = static_cast<double>(size_.k + 1) *
                             double{std::numeric_limits<T>::epsilon()} * size;
        const double error = std::abs(double{c.view()(m, n)} - sum);
        if (error > 0) worst = std::max(worst, error / bound);
      }
    }
    return worst;
  }

  // The elements between the rows of C.
  bool GapsUntouched(const Stored<T>& c) const {
    for (std::size_t i = 0; i < c.data.size(); ++i) {
      if (i % c.stride >= c.cols && c.data[i] != c_.data[i]) return false;
    }
    return true;
  }

 private:
  T A(std::size_t m, std::size_t k) const {
    return transpose_a_ ? a_.view()(k, m) : a_.view()(m, k);
  }
  T B(std::size_t k, std::size_t n) const {
    return transpose_b_ ? b_.view()(n, k) : b_.view()(k, n);
  }

  Size size_;
  bool transpose_a_;
  bool transpose_b_;
  Stored<T> a_;
  Stored<T> b_;
  Stored<T> c_;
};

template <class T>
class GemmTest : public ::testing::Test {};
using Elements = ::testing::Types<float, double>;
TYPED_TEST_SUITE(GemmTest, Elements);

template <class T, class Update, class F>
void ForEachProduct(Values values, const F& check) {
  for (const Size size : Sizes()) {
    for (const bool transpose_a : {false, true}) {
      for (const bool transpose_b : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << "M " << size.m << ", K " << size.k << ", N " << size.n
                     << ", transposes " << transpose_a << transpose_b
                     << ", accumulate " << Update::kKeepsOld);
        check(Product<T>(size, transpose_a, transpose_b, values));
      }
    }
  }
}

template <class T, class Update>
void CheckExact() {
  ForEachProduct<T, Update>(Values::kSmallIntegers, [](const auto& product) {
    const Stored<T> scalar = product.template Run<Scalar, Update>();
    const Stored<T> simd = product.template Run<Simd, Update>();
    EXPECT_EQ(product.template ErrorOverBound<Update>(scalar), 0);
    EXPECT_EQ(scalar.data, simd.data);
    EXPECT_TRUE(product.GapsUntouched(simd));
  });
}

template <class T, class Update>
void CheckReal() {
  ForEachProduct<T, Update>(Values::kReal, [](const auto& product) {
    EXPECT_LE(product.template ErrorOverBound<Update>(
                  product.template Run<Scalar, Update>()),
              1);
    EXPECT_LE(product.template ErrorOverBound<Update>(
                  product.template Run<Simd, Update>()),
              1);
  });
}

// Small integers leave nothing to round: every policy gives the same bits.
TYPED_TEST(GemmTest, IsExactOnSmallIntegers) {
  CheckExact<TypeParam, Overwrite>();
  CheckExact<TypeParam, Accumulate>();
}

TYPED_TEST(GemmTest, StaysWithinTheRoundingBound) {
  CheckReal<TypeParam, Overwrite>();
  CheckReal<TypeParam, Accumulate>();
}

TYPED_TEST(GemmTest, EmptySumIsZeroOrTheOldValue) {
  const auto check = []<class Policy>() {
    const Product<TypeParam> product({4, 0, 5}, false, true, Values::kReal);
    const auto zero = product.template Run<Policy, Overwrite>();
    EXPECT_EQ(product.template ErrorOverBound<Overwrite>(zero), 0);
    EXPECT_TRUE(product.GapsUntouched(zero));
    const auto old = product.template Run<Policy, Accumulate>();
    EXPECT_EQ(product.template ErrorOverBound<Accumulate>(old), 0);
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

// All that is left to round is alpha times the sum, and there is nothing.
TYPED_TEST(GemmTest, ScalesTheProductAndTheOldValues) {
  using T = TypeParam;
  ForEachProduct<T, Accumulate>(
      Values::kSmallIntegers, [](const auto& product) {
        for (const AlphaBeta<T> update :
             {AlphaBeta<T>{2, T{-0.5}}, {1, 3}, {-3, 0}, {0, 1}}) {
          EXPECT_EQ(product.template Run<Scalar>(update).data,
                    product.template Run<Simd>(update).data)
              << update.alpha << " " << update.beta;
        }
        EXPECT_EQ(product.template Run<Simd>(AlphaBeta<T>{1, 1}).data,
                  (product.template Run<Scalar, Accumulate>().data));
      });
}

TYPED_TEST(GemmTest, BetaOfZeroDoesNotReadOldValues) {
  using T = TypeParam;
  const auto check = []<class Policy>() {
    Stored<T> a(2, 3, 0), b(3, 4, 0), c(2, 4, 0), none(2, 0, 0),
        nothing(0, 4, 0);
    std::fill(a.data.begin(), a.data.end(), T{1});
    std::fill(b.data.begin(), b.data.end(), T{2});
    const auto expect = [&](T value) {
      for (const T x : c.data) EXPECT_EQ(x, value);
    };
    std::fill(c.data.begin(), c.data.end(),
              std::numeric_limits<T>::quiet_NaN());
    Gemm<Policy>(a.view(), b.view(), c.view(), AlphaBeta<T>{T{0.5}, 0});
    expect(3);
    std::fill(c.data.begin(), c.data.end(),
              std::numeric_limits<T>::quiet_NaN());
    Gemm<Policy>(none.view(), nothing.view(), c.view(), AlphaBeta<T>{1, 0});
    expect(0);
    Gemm<Policy>(none.view(), nothing.view(), c.view(), AlphaBeta<T>{1, 1});
    expect(0);
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

TYPED_TEST(GemmTest, NanAndInfinityPassThrough) {
  using T = TypeParam;
  constexpr T kNan = std::numeric_limits<T>::quiet_NaN();
  constexpr T kInf = std::numeric_limits<T>::infinity();
  const auto check = []<class Policy>() {
    Stored<T> a(3, 2, 0), b(2, 37, 0), c(3, 37, 0);
    a.data = {1, 0, kInf, 1, kNan, 1};
    std::fill(b.data.begin(), b.data.end(), T{1});
    b.data[5] = 0;          // infinity times zero
    b.data[37 + 6] = kInf;  // zero times infinity
    Gemm<Policy>(a.view(), b.view(), c.view());
    for (std::size_t n = 0; n < 37; ++n) {
      EXPECT_EQ(std::isnan(c.view()(0, n)), n == 6) << n;
      EXPECT_EQ(std::isnan(c.view()(1, n)), n == 5) << n;
      EXPECT_EQ(std::isinf(c.view()(1, n)), n != 5) << n;
      EXPECT_TRUE(std::isnan(c.view()(2, n))) << n;
    }
  };
  check.template operator()<Scalar>();
  check.template operator()<Simd>();
}

// Bias, activation and gradient mask see each element once, at its place.
TYPED_TEST(GemmTest, EpiloguesFollowTheSums) {
  using T = TypeParam;
  for (const Size size :
       {Size{5, 3, 7}, {13, 200, 70}, {70, 129, 131}, {4, 0, 9}}) {
    const Product<T> product(size, false, true, Values::kSmallIntegers);
    std::vector<T> bias(size.n);
    Stored<T> y(size.m, size.n, 5);
    for (std::size_t n = 0; n < size.n; ++n) bias[n] = static_cast<T>(n % 11);
    for (std::size_t i = 0; i < y.data.size(); ++i) {
      y.data[i] = static_cast<T>(i % 3) - T{1};
    }
    const InOrder epilogue(
        AddBias<T>{bias}, Activate<ReluFunction>{},
        MaskGradient<ReluGradient, T>{{}, std::as_const(y).view()});
    const Stored<T> sums = product.template Run<Scalar, Overwrite>();
    for (const std::size_t threads : {1u, 3u}) {
      const Stored<T> scalar =
          product.template Run<Scalar>(Overwrite{}, epilogue, Threads(threads));
      const Stored<T> simd =
          product.template Run<Simd>(Overwrite{}, epilogue, Threads(threads));
      for (std::size_t m = 0; m < size.m; ++m) {
        for (std::size_t n = 0; n < size.n; ++n) {
          const T expected = y.view()(m, n) > T{0}
                                 ? std::max(T{0}, sums.view()(m, n) + bias[n])
                                 : T{0};
          ASSERT_EQ(scalar.view()(m, n), expected) << m << " " << n;
          ASSERT_EQ(simd.view()(m, n), expected) << m << " " << n;
        }
      }
      EXPECT_TRUE(product.GapsUntouched(simd));
    }
  }
}

TYPED_TEST(GemmTest, DoesNotDependOnTheThreads) {
  using T = TypeParam;
  for (const Size size : {Size{150, 140, 3}, {3, 140, 150}, {67, 300, 66}}) {
    const Product<T> product(size, true, true, Values::kReal);
    const Stored<T> one = product.template Run<Simd, Accumulate>();
    for (const std::size_t threads : {2u, 5u, 16u}) {
      EXPECT_EQ(
          (product
               .template Run<Simd>(Accumulate{}, KeepSums{}, Threads(threads))
               .data),
          one.data)
          << threads;
    }
  }
}

// Threads share a product by rows or by columns; the bits must not show it.
TYPED_TEST(GemmTest, DoesNotDependOnTheSplit) {
  using T = TypeParam;
  constexpr std::size_t kM = 29, kK = 150, kN = 83;
  Stored<T> a(kM, kK, 0), b(kN, kK, 1), whole(kM, kN, 0), split(kM, kN, 0);
  RandomStream stream({.seed = 1});
  for (T& value : a.data) value = T{stream.Uniform(-1, 1)};
  for (T& value : b.data) value = T{stream.Uniform(-1, 1)};
  Gemm<Simd>(a.view(), Transpose(b.view()), whole.view());
  for (std::size_t rows = 1; rows <= kM; ++rows) {
    const std::size_t cols = 1 + stream.Below(kN);
    for (std::size_t m = 0; m < kM; m += rows) {
      for (std::size_t n = 0; n < kN; n += cols) {
        const std::size_t height = std::min(rows, kM - m);
        const std::size_t width = std::min(cols, kN - n);
        Gemm<Simd>(a.view().Rows(m, height), Transpose(b.view().Rows(n, width)),
                   MatrixView<T>(split.view().row(m) + n, height, width, kN));
      }
    }
    ASSERT_EQ(split.data, whole.data) << rows << " x " << cols;
  }
}

TEST(GemmDeathTest, RefusesShapesThatDoNotMatch) {
  Stored<float> a(2, 3, 0), b(4, 5, 0), c(2, 5, 0);
  EXPECT_DEATH(Gemm<Simd>(a.view(), b.view(), c.view()), "Gemm needs");
}

}  // namespace
}  // namespace hpcnn
