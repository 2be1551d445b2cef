// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Stencil<Rows, Cols>: the taps of a filter, and kernels, the types that carry
// one. A kernel is a type so that the compiler sees every tap: a tap of 0 costs
// nothing, a kernel of rank 1 runs as two passes.
//
//   struct Ridge { static constexpr Stencil<1, 3> kTaps{{{-1, 2, -1}}}; };
//   Correlate<Ridge>(image, out);
//   Correlate<Transposed<Ridge>>(image, out);
//
// The anchor, the tap that lies on the output pixel, is (Rows / 2, Cols / 2).

#ifndef HPCNN_IMAGE_STENCIL_H_
#define HPCNN_IMAGE_STENCIL_H_

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// T is an integer, for results that are exact on integer images, or float.
template <std::size_t Rows, std::size_t Cols, class T = int>
struct Stencil {
  static_assert(Rows > 0 && Cols > 0,
                "hpcnn: a Stencil has at least one row and one column");
  static_assert(std::is_same_v<T, int> || std::is_same_v<T, float>,
                "hpcnn: the taps of a Stencil are int or float");
  using Tap = T;
  static constexpr std::size_t kRows = Rows;
  static constexpr std::size_t kCols = Cols;

  T taps[Rows][Cols];  // [Rows, Cols]

  constexpr T operator()(std::size_t r, std::size_t c) const {
    return taps[r][c];
  }
  constexpr bool operator==(const Stencil&) const = default;
};

namespace internal {

template <class S>
inline constexpr bool kIsStencil = false;
template <std::size_t Rows, std::size_t Cols, class T>
inline constexpr bool kIsStencil<Stencil<Rows, Cols, T>> = true;

}  // namespace internal

// Satisfied by a type with a constexpr member kTaps that is a Stencil.
template <class K>
concept StencilKernel =
    internal::kIsStencil<std::remove_cvref_t<decltype(K::kTaps)>> && requires {
  std::bool_constant<(K::kTaps(0, 0), true)>{};
};

template <std::size_t Rows, std::size_t Cols, class T>
constexpr Stencil<Cols, Rows, T> Transpose(const Stencil<Rows, Cols, T>& s) {
  Stencil<Cols, Rows, T> transposed{};
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < Cols; ++c) transposed.taps[c][r] = s(r, c);
  }
  return transposed;
}

// Turned by 180 degrees: what tells a convolution from a correlation.
template <std::size_t Rows, std::size_t Cols, class T>
constexpr Stencil<Rows, Cols, T> Flip(const Stencil<Rows, Cols, T>& s) {
  Stencil<Rows, Cols, T> flipped{};
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < Cols; ++c) {
      flipped.taps[r][c] = s(Rows - 1 - r, Cols - 1 - c);
    }
  }
  return flipped;
}

template <std::size_t Rows, std::size_t Cols, class T>
constexpr T Sum(const Stencil<Rows, Cols, T>& s) {
  T sum{0};
  for (const auto& row : s.taps) {
    for (const T tap : row) sum += tap;
  }
  return sum;
}

// The sum of the taps' sizes: how much the filter can enlarge a pixel.
template <std::size_t Rows, std::size_t Cols, class T>
constexpr auto AbsoluteSum(const Stencil<Rows, Cols, T>& s) {
  std::conditional_t<std::is_integral_v<T>, long long, T> sum{0};
  for (const auto& row : s.taps) {
    for (const T tap : row) sum += tap < T{0} ? -tap : tap;
  }
  return sum;
}

template <std::size_t Rows, std::size_t Cols, class T>
constexpr std::size_t ZeroTaps(const Stencil<Rows, Cols, T>& s) {
  std::size_t zeros = 0;
  for (const auto& row : s.taps) {
    for (const T tap : row) zeros += tap == T{0} ? 1 : 0;
  }
  return zeros;
}

// +1 where each row reads the same from both sides, -1 where the right half is
// the left half negated, 0 where neither holds.
template <std::size_t Rows, std::size_t Cols, class T>
constexpr int ColumnSymmetry(const Stencil<Rows, Cols, T>& s) {
  bool even = true;
  bool odd = true;
  for (std::size_t r = 0; r < Rows; ++r) {
    for (std::size_t c = 0; c < Cols; ++c) {
      even &= s(r, c) == s(r, Cols - 1 - c);
      odd &= s(r, c) == -s(r, Cols - 1 - c);
    }
  }
  return even ? 1 : odd ? -1 : 0;
}
template <std::size_t Rows, std::size_t Cols, class T>
constexpr int RowSymmetry(const Stencil<Rows, Cols, T>& s) {
  return ColumnSymmetry(Transpose(s));
}

template <StencilKernel Kernel>
struct Transposed {
  static constexpr auto kTaps = Transpose(Kernel::kTaps);
};
template <StencilKernel Kernel>
struct Flipped {
  static constexpr auto kTaps = Flip(Kernel::kTaps);
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_STENCIL_H_
