// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/image/stencil.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>

#include "hpcnn/image/border.h"
#include "hpcnn/image/row_factors.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"

namespace hpcnn {
namespace {

struct Ascending {
  static constexpr Stencil<2, 3> kTaps{{{1, 2, 3}, {4, 5, 6}}};
};

TEST(Stencil, TransposeFlipAndSums) {
  constexpr Stencil<3, 2> kTransposed{{{1, 4}, {2, 5}, {3, 6}}};
  constexpr Stencil<2, 3> kFlipped{{{6, 5, 4}, {3, 2, 1}}};
  static_assert(Transposed<Ascending>::kTaps == kTransposed);
  static_assert(Flipped<Ascending>::kTaps == kFlipped);
  static_assert(Flip(Flip(Ascending::kTaps)) == Ascending::kTaps);
  static_assert(Sum(Ascending::kTaps) == 21);
  static_assert(Sum(Sobel3x3::kTaps) == 0);
  static_assert(AbsoluteSum(Scharr3x3::kTaps) == 32);
  static_assert(ZeroTaps(Sobel5x5::kTaps) == 15);
  static_assert(ZeroTaps(Ascending::kTaps) == 0);
}

TEST(Stencil, Symmetry) {
  static_assert(ColumnSymmetry(Sobel3x3::kTaps) == -1);
  static_assert(RowSymmetry(Sobel3x3::kTaps) == 1);
  static_assert(ColumnSymmetry(Neighbours8::kTaps) == 1);
  static_assert(ColumnSymmetry(Ascending::kTaps) == 0);
}

template <class Kernel>
struct Named {
  static_assert(StencilKernel<Kernel>);
};
struct NoKernel {
  static constexpr int kTaps = 3;
};
struct NotConstant {
  static inline Stencil<1, 1> kTaps{{{1}}};
};
template struct Named<Sobel3x3>;
template struct Named<Transposed<Flipped<Gaussian<3>>>>;
static_assert(!StencilKernel<NoKernel>);
static_assert(!StencilKernel<NotConstant>);
static_assert(!StencilKernel<int>);

TEST(RowFactors, RankOne) {
  constexpr auto kSobel = FactorRankOne(Sobel3x3::kTaps);
  static_assert(kSobel.exists);
  static_assert(kSobel.row == Stencil<1, 3>{{{1, 0, -1}}});
  static_assert(kSobel.column == Stencil<3, 1>{{{1}, {2}, {1}}});
  static_assert(!FactorRankOne(Ascending::kTaps).exists);
  static_assert(!FactorRankOne(Neighbours8::kTaps).exists);
  static_assert(!FactorRankOne(Stencil<2, 2>{}).exists);
  // Rank 1 in the rationals, not with integer factors of the largest row.
  static_assert(FactorRankOne(Stencil<2, 2>{{{4, 6}, {6, 9}}}).exists);
  static_assert(FactorRankOne(Gaussian<7>::kTaps).exists);
  static_assert(
      !FactorRankOne(Stencil<2, 2, float>{{{1, 2}, {2, 4.01f}}}).exists);
}

// column * basis gives the taps back, whatever the factorisation.
template <class Kernel>
void ExpectProductIsTaps(Factorisation kind) {
  using Factors = RowFactors<Kernel>;
  EXPECT_EQ(Factors::kKind, kind);
  const auto& taps = Kernel::kTaps;
  for (std::size_t r = 0; r < taps.kRows; ++r) {
    for (std::size_t c = 0; c < taps.kCols; ++c) {
      auto sum = Factors::kColumn(r, 0) * Factors::kBasis(0, c);
      for (std::size_t g = 1; g < Factors::kSize; ++g) {
        sum += Factors::kColumn(r, g) * Factors::kBasis(g, c);
      }
      EXPECT_NEAR(sum, taps(r, c), 0x1p-22 * std::abs(taps(r, c)));
    }
  }
}

struct SymmetricRows {
  static constexpr Stencil<3, 5> kTaps{
      {{1, 2, 3, 2, 1}, {4, 1, 0, 1, 4}, {2, 2, 9, 2, 2}}};
};
struct OddRows {
  static constexpr Stencil<3, 4> kTaps{
      {{1, 2, -2, -1}, {4, 1, -1, -4}, {2, 7, -7, -2}}};
};

TEST(RowFactors, ProductIsTheTaps) {
  ExpectProductIsTaps<Ascending>(Factorisation::kTaps);
  ExpectProductIsTaps<Sobel3x3>(Factorisation::kSeparable);
  ExpectProductIsTaps<Transposed<Sobel5x5>>(Factorisation::kSeparable);
  ExpectProductIsTaps<Neighbours8>(Factorisation::kPairs);
  ExpectProductIsTaps<SymmetricRows>(Factorisation::kPairs);
  ExpectProductIsTaps<OddRows>(Factorisation::kPairs);
  ExpectProductIsTaps<Box<9>>(Factorisation::kSeparable);
  ExpectProductIsTaps<Gaussian<5, 9>>(Factorisation::kSeparable);
}

template <std::size_t Rows, std::size_t Cols>
struct Dense {
  static constexpr auto kTaps = [] {
    Stencil<Rows, Cols> taps{};
    for (std::size_t i = 0; i < Rows * Cols; ++i) {
      taps.taps[i / Cols][i % Cols] = static_cast<int>(i * i % 97) + 1;
    }
    return taps;
  }();
};

// Why the named kernels are faster than dense ones of their size, and kernels
// of rank 1 than those of full rank.
TEST(RowFactors, Operations) {
  const auto operations = []<class Kernel>(Kernel) {
    return RowFactors<Kernel>::OperationsPerPixel();
  };
  EXPECT_EQ(operations(Dense<3, 3>()), 9);
  EXPECT_EQ(operations(Dense<7, 7>()), 49);
  // Three for the column; one difference a row, and eight rows make six.
  EXPECT_DOUBLE_EQ(operations(Sobel3x3()), 3 + 8.0 / 6);
  EXPECT_DOUBLE_EQ(operations(Sobel5x5()), 5 + 10.0 / 6);
  EXPECT_LT(operations(Sobel5x3()), 15);
  EXPECT_LT(operations(Neighbours8()), 8);
  EXPECT_LT(operations(Box<7>()), operations(Dense<7, 7>()) / 2);
  EXPECT_LT(operations(Gaussian<9>()), operations(Dense<9, 9>()) / 2);
  EXPECT_LT(operations(Box<15>()), operations(Dense<15, 15>()) / 3);
}

TEST(Gaussian, SumsToOneAndFallsOff) {
  using G = Gaussian<7, 7, 150>;
  EXPECT_NEAR(Sum(G::kTaps), 1, 1e-6);
  EXPECT_NEAR(G::kTaps(3, 4) / G::kTaps(3, 3), std::exp(-1 / 4.5), 1e-6);
  EXPECT_NEAR(G::kTaps(0, 0) / G::kTaps(3, 3), std::exp(-18 / 4.5), 1e-6);
  // OpenCV's getGaussianKernel(5, 0): sigma = 1.1.
  EXPECT_NEAR(Gaussian<5>::kTaps(2, 3) / Gaussian<5>::kTaps(2, 2),
              std::exp(-1 / 2.42), 1e-6);
  EXPECT_EQ(Gaussian<1>::kTaps(0, 0), 1.0f);
}

TEST(Border, Positions) {
  const auto row = [](auto border, std::ptrdiff_t size) {
    std::string text;
    for (std::ptrdiff_t i = -2 * size; i < 3 * size; ++i) {
      const auto at = decltype(border)::Index(i, size);
      text += at < 0 ? '0' : static_cast<char>('a' + at);
    }
    return text;
  };
  EXPECT_EQ(row(ZeroBorder(), 3), "000000abc000000");
  EXPECT_EQ(row(ReplicateBorder(), 3), "aaaaaaabccccccc");
  EXPECT_EQ(row(ReflectBorder(), 3), "abccbaabccbaabc");
  EXPECT_EQ(row(WrapBorder(), 3), "abcabcabcabcabc");
  EXPECT_EQ(row(ReflectBorder(), 1), "aaaaa");
  static_assert(BorderMode<ZeroBorder>);
  static_assert(!BorderMode<int>);
}

}  // namespace
}  // namespace hpcnn
