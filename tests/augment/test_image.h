// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Images for the tests of augment/: TestImage() of make_fixtures.py, as levels
// and as brightness.

#ifndef HPCNN_TESTS_AUGMENT_TEST_IMAGE_H_
#define HPCNN_TESTS_AUGMENT_TEST_IMAGE_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"

namespace hpcnn {

using CpuPolicies = ::testing::Types<Scalar, Simd>;

template <std::size_t H, std::size_t W>
Tensor<std::uint8_t, 1, H, W> TestLevels() {
  Tensor<std::uint8_t, 1, H, W> image;
  for (std::size_t i = 0; i < H * W; ++i) {
    const auto hash = static_cast<std::uint32_t>(i * 2654435761u);
    image[i] = static_cast<std::uint8_t>(hash >> 13);
  }
  return image;
}

template <std::size_t H, std::size_t W>
Tensor<float, 1, H, W> TestImage() {
  const auto levels = TestLevels<H, W>();
  Tensor<float, 1, H, W> image;
  for (std::size_t i = 0; i < H * W; ++i) {
    image[i] = static_cast<float>(levels[i]) / 255;
  }
  return image;
}

template <std::size_t H, std::size_t W, std::size_t N>
void ExpectNear(const Tensor<float, 1, H, W>& image,
                const std::array<double, N>& expected, double tolerance) {
  static_assert(N == H * W);
  for (std::size_t i = 0; i < N; ++i) {
    EXPECT_NEAR(image[i], expected[i], tolerance)
        << "row " << i / W << ", column " << i % W;
  }
}

}  // namespace hpcnn

#endif  // HPCNN_TESTS_AUGMENT_TEST_IMAGE_H_
