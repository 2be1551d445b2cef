// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Smoothing kernels of any size.
//
//   Box<Rows, Cols>       ones: the sum of the neighbourhood, exact on integers
//   Gaussian<Rows, Cols>  normalised to a sum of 1, float; the standard
//                         deviation follows from the side as in OpenCV,
//                         0.3 * ((side - 1) / 2 - 1) + 0.8 pixels, or is given
//                         in hundredths of a pixel: Gaussian<9, 9, 150>
//
// Both are of rank 1, so a side costs little more than its length, not its
// square; but sums of bytes that 16 bits do not hold, for an output of i32 or
// f32 (Box<17> and larger), are made tap by tap. The centre of an even side is
// its tap side / 2, half a pixel off the middle.

#ifndef HPCNN_IMAGE_SMOOTHING_H_
#define HPCNN_IMAGE_SMOOTHING_H_

#include <array>
#include <cstddef>

#include "hpcnn/base/target.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// e^-x for x >= 0, to double precision; <cmath>'s is not constexpr.
constexpr double ExpOfMinus(double x) {
  int halvings = 0;
  for (; x > 0.5; x /= 2) ++halvings;
  double sum = 1;
  double term = 1;
  for (int k = 1; k < 20; ++k) {
    term *= -x / k;
    sum += term;
  }
  for (; halvings > 0; --halvings) sum *= sum;
  return sum;
}

template <std::size_t Side>
constexpr std::array<double, Side> GaussianWeights(int hundredths) {
  const double radius = (static_cast<double>(Side) - 1) / 2;
  const double sigma =
      hundredths > 0 ? hundredths / 100.0 : 0.3 * (radius - 1) + 0.8;
  std::array<double, Side> weights{};
  double sum = 0;
  for (std::size_t i = 0; i < Side; ++i) {
    const double distance = static_cast<double>(i) - radius;
    weights[i] = ExpOfMinus(distance * distance / (2 * sigma * sigma));
    sum += weights[i];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

}  // namespace internal

template <std::size_t Rows, std::size_t Cols = Rows>
struct Box {
  static constexpr auto kTaps = [] {
    Stencil<Rows, Cols> ones{};
    for (auto& row : ones.taps) {
      for (int& tap : row) tap = 1;
    }
    return ones;
  }();
};

template <std::size_t Rows, std::size_t Cols = Rows, int SigmaHundredths = 0>
struct Gaussian {
  static_assert(SigmaHundredths >= 0,
                "hpcnn: the standard deviation of a Gaussian is positive");
  static constexpr auto kTaps = [] {
    const auto down = internal::GaussianWeights<Rows>(SigmaHundredths);
    const auto across = internal::GaussianWeights<Cols>(SigmaHundredths);
    Stencil<Rows, Cols, float> product{};
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t c = 0; c < Cols; ++c) {
        product.taps[r][c] = static_cast<float>(down[r] * across[c]);
      }
    }
    return product;
  }();
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_SMOOTHING_H_
