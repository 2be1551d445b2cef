// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// How the taps of a kernel are shared out, at compile time:
//
//   taps [Rows, Cols] = column [Rows, G] * basis [G, Cols]
//
// A row of the image is first turned into G rows, the basis applied to it, and
// each of those serves every output row that it reaches. Three factorisations:
//
//   taps       the basis is the identity: no work for it, one multiply-add for
//              each tap that is not 0
//   pairs      all rows read the same from both sides, up to the sign: the
//              basis adds or subtracts the two pixels of each pair
//   separable  rank 1: one row of basis, one column; Rows + Cols instead of
//              Rows * Cols
//
// The cheapest is taken. Integer taps factor exactly or not at all. Float taps
// of rank 1 up to rounding do factor: their products are within four units of
// 2^-24 of the taps.

#ifndef HPCNN_IMAGE_ROW_FACTORS_H_
#define HPCNN_IMAGE_ROW_FACTORS_H_

#include <cstddef>
#include <numeric>
#include <type_traits>

#include "hpcnn/base/target.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

// A column and a row whose product the taps are. `exists` is false where the
// rank is not 1.
template <std::size_t Rows, std::size_t Cols, class T>
struct RankOneFactors {
  bool exists;
  Stencil<Rows, 1, T> column;
  Stencil<1, Cols, T> row;
};

template <std::size_t Rows, std::size_t Cols, class T>
constexpr RankOneFactors<Rows, Cols, T> FactorRankOne(
    const Stencil<Rows, Cols, T>& taps) {
  const auto size = [](T x) { return x < T{0} ? -x : x; };
  // The largest tap divides with the smallest error.
  std::size_t r0 = 0;
  std::size_t c0 = 0;
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < Cols; ++c) {
      if (size(taps(r, c)) > size(taps(r0, c0))) {
        r0 = r;
        c0 = c;
      }
    }
  }
  RankOneFactors<Rows, Cols, T> factors{};
  if (taps(r0, c0) == T{0}) return factors;
  T divisor{1};
  if constexpr (std::is_integral_v<T>) {
    divisor = 0;
    for (const T tap : taps.taps[r0]) divisor = std::gcd(divisor, tap);
  }
  for (std::size_t c = 0; c < Cols; ++c) {
    factors.row.taps[0][c] = taps(r0, c) / divisor;
  }
  for (std::size_t r = 0; r < Rows; ++r) {
    factors.column.taps[r][0] = taps(r, c0) / factors.row(0, c0);
    for (std::size_t c = 0; c < Cols; ++c) {
      const T product = factors.column(r, 0) * factors.row(0, c);
      if constexpr (std::is_integral_v<T>) {
        if (product != taps(r, c)) return factors;
      } else if (size(product - taps(r, c)) > 0x1p-22f * size(taps(r, c))) {
        return factors;
      }
    }
  }
  factors.exists = true;
  return factors;
}

enum class Factorisation { kTaps, kPairs, kSeparable };

namespace internal {

// Output rows that share one pass over the basis of an input row: what the
// registers hold.
inline constexpr std::size_t kSharingRows = 6;

template <std::size_t R, std::size_t C, class T>
constexpr std::size_t NonZeroTaps(const Stencil<R, C, T>& s) {
  return R * C - ZeroTaps(s);
}

template <Factorisation kind, StencilKernel Kernel>
constexpr auto MakeBasis() {
  constexpr auto taps = Kernel::kTaps;
  using S = std::remove_cvref_t<decltype(taps)>;
  using T = typename S::Tap;
  constexpr std::size_t kCols = S::kCols;
  if constexpr (kind == Factorisation::kTaps) {
    Stencil<kCols, kCols, T> identity{};
    for (std::size_t c = 0; c < kCols; ++c) identity.taps[c][c] = T{1};
    return identity;
  } else if constexpr (kind == Factorisation::kPairs) {
    constexpr int kSign = ColumnSymmetry(taps);
    Stencil<(kCols + 1) / 2, kCols, T> pairs{};
    for (std::size_t g = 0; g < (kCols + 1) / 2; ++g) {
      pairs.taps[g][kCols - 1 - g] = T{kSign};
      pairs.taps[g][g] = T{1};
    }
    return pairs;
  } else {
    return FactorRankOne(taps).row;
  }
}

template <Factorisation kind, StencilKernel Kernel>
constexpr auto MakeColumn() {
  constexpr auto taps = Kernel::kTaps;
  using S = std::remove_cvref_t<decltype(taps)>;
  if constexpr (kind == Factorisation::kTaps) {
    return taps;
  } else if constexpr (kind == Factorisation::kPairs) {
    Stencil<S::kRows, (S::kCols + 1) / 2, typename S::Tap> column{};
    for (std::size_t r = 0; r < S::kRows; ++r) {
      for (std::size_t g = 0; g < (S::kCols + 1) / 2; ++g) {
        column.taps[r][g] = taps(r, g);
      }
    }
    return column;
  } else {
    return FactorRankOne(taps).column;
  }
}

// Multiply-adds (or additions) for `rows` output pixels below each other.
template <Factorisation kind, StencilKernel Kernel>
constexpr std::size_t OperationsFor(std::size_t rows) {
  constexpr auto column = MakeColumn<kind, Kernel>();
  constexpr auto basis = MakeBasis<kind, Kernel>();
  // The first pixel of a basis row costs nothing.
  std::size_t each = 0;
  for (std::size_t g = 0; g < basis.kRows; ++g) {
    bool used = false;
    for (std::size_t r = 0; r < column.kRows; ++r) used |= column(r, g) != 0;
    std::size_t pixels = 0;
    for (std::size_t c = 0; c < basis.kCols; ++c) pixels += basis(g, c) != 0;
    if (used && pixels > 0) each += pixels - 1;
  }
  return rows * NonZeroTaps(column) + (rows + column.kRows - 1) * each;
}

template <StencilKernel Kernel>
constexpr Factorisation CheapestFactorisation() {
  constexpr std::size_t kRows = kSharingRows;
  auto best = Factorisation::kTaps;
  std::size_t cost = OperationsFor<Factorisation::kTaps, Kernel>(kRows);
  if constexpr (ColumnSymmetry(Kernel::kTaps) != 0) {
    constexpr auto kPairs = OperationsFor<Factorisation::kPairs, Kernel>(kRows);
    if (kPairs < cost) {
      best = Factorisation::kPairs;
      cost = kPairs;
    }
  }
  if constexpr (FactorRankOne(Kernel::kTaps).exists) {
    if (OperationsFor<Factorisation::kSeparable, Kernel>(kRows) <= cost) {
      best = Factorisation::kSeparable;
    }
  }
  return best;
}

}  // namespace internal

// The factors of a kernel, as constants.
template <StencilKernel Kernel>
struct RowFactors {
  static constexpr Factorisation kKind =
      internal::CheapestFactorisation<Kernel>();
  static constexpr auto kColumn = internal::MakeColumn<kKind, Kernel>();
  static constexpr auto kBasis = internal::MakeBasis<kKind, Kernel>();
  static constexpr std::size_t kSize = kBasis.kRows;  // G

  // Multiply-adds for one pixel, where `rows` output rows are made together.
  static constexpr double OperationsPerPixel(
      std::size_t rows = internal::kSharingRows) {
    return static_cast<double>(internal::OperationsFor<kKind, Kernel>(rows)) /
           static_cast<double>(rows);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_ROW_FACTORS_H_
