// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the tests of filters share: pixels and a kernel of full size.

#ifndef HPCNN_TESTS_IMAGE_TEST_IMAGE_H_
#define HPCNN_TESTS_IMAGE_TEST_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hpcnn/base/tensor.h"
#include "hpcnn/image/stencil.h"

namespace hpcnn_test {

// Small integers in any type: every sum is exact, also in float.
template <class T>
void Fill(hpcnn::MatrixView<T> image) {
  std::uint32_t state = 12345;
  for (std::size_t r = 0; r < image.rows(); ++r) {
    for (std::size_t c = 0; c < image.cols(); ++c) {
      state = state * 1664525u + 1013904223u;
      const int value = static_cast<int>(state >> 24);
      image(r, c) = static_cast<T>(
          std::is_same_v<T, std::uint8_t> ? value : value * 3 - 384);
    }
  }
}

template <std::size_t Rows, std::size_t Cols, class T = int>
struct Dense {
  static constexpr auto kTaps = [] {
    hpcnn::Stencil<Rows, Cols, T> taps{};
    for (std::size_t i = 0; i < Rows * Cols; ++i) {
      taps.taps[i / Cols][i % Cols] =
          static_cast<T>(static_cast<int>((i * 37 + 11) % 101) - 50);
    }
    return taps;
  }();
};
}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_IMAGE_TEST_IMAGE_H_
