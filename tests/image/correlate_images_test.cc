// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Whole images: results past the cache, and pictures without edges. Not under
// the sanitizers, where it takes minutes to compile.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <vector>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "tests/image/test_image.h"

namespace hpcnn {
namespace {

using hpcnn_test::Dense;
using hpcnn_test::Fill;

TEST(Correlate, LargeResultsAreStreamed) {
  const std::size_t rows = 1030;
  const std::size_t cols = 4096;
  std::vector<float> image(rows * cols);
  Fill(MatrixView(image.data(), rows, cols));
  const auto bytes = rows * cols * sizeof(float);
  ASSERT_GE(bytes, internal::kStreamBytes);
  float* const out = static_cast<float*>(std::aligned_alloc(64, bytes));
  EXPECT_TRUE(internal::Streams(MatrixView(out, rows, cols), 16));
  Correlate<Sobel3x3>(MatrixView(image.data(), rows, cols),
                      MatrixView(out, rows, cols));
  for (const std::size_t r : {std::size_t{0}, std::size_t{7}, rows - 1}) {
    for (std::size_t c = 0; c < cols; ++c) {
      ASSERT_EQ(out[r * cols + c],
                internal::CorrelateAt<ZeroBorder>(
                    internal::KernelTaps<Sobel3x3>(),
                    MatrixView<const float>(image.data(), rows, cols), r, c));
    }
  }
  std::free(out);
}

// Wherever the first result lies in its line, and by two threads.
TEST(Correlate, StreamedResultsMayLieAnywhere) {
  const std::size_t rows = 515;
  const std::size_t cols = 16 * 1024 - 40;
  const std::size_t stride = cols + 40;
  std::vector<std::uint8_t> image(rows * cols);
  const MatrixView in(image.data(), rows, cols);
  Fill(in);
  const auto expect = [&]<class Out>(Out, auto filter, auto at) {
    ASSERT_GE(rows * cols * sizeof(Out), internal::kStreamBytes);
    for (const std::size_t shift : {0u, 8u, 5u}) {
      std::vector<Out> results(rows * stride + 64 + shift);
      auto* const line = reinterpret_cast<Out*>(
          (reinterpret_cast<std::uintptr_t>(results.data()) + 63) / 64 * 64);
      const MatrixView<Out> out(line + shift, rows, cols, stride);
      filter(out);
      for (const std::size_t r : {std::size_t{0}, std::size_t{258}, rows - 1}) {
        for (std::size_t c = 0; c < cols; ++c) {
          ASSERT_EQ(out(r, c), at(r, c)) << shift << ": " << r << ", " << c;
        }
      }
      EXPECT_EQ(out.row(1)[-1], Out{0});
    }
  };
  const auto sum = [&]<class Kernel>(Kernel) {
    return [&](std::size_t r, std::size_t c) {
      return static_cast<std::int16_t>(std::clamp(
          internal::CorrelateAt<ZeroBorder>(internal::KernelTaps<Kernel>(),
                                            MatrixView<const std::uint8_t>(in),
                                            r, c),
          -32768, 32767));
    };
  };
  using Full = Dense<3, 4>;
  expect(
      std::int16_t(), [&](auto out) { Correlate<Full>(in, out, 2); },
      sum(Full()));
  using RankOne = Box<11>;  // makes strips
  expect(
      std::int16_t(), [&](auto out) { Correlate<RankOne>(in, out); },
      sum(RankOne()));
  expect(
      float(), [&](auto out) { GradientMagnitude<Sobel3x3>(in, out); },
      [&](std::size_t r, std::size_t c) {
        const auto gx = static_cast<float>(sum(Sobel3x3())(r, c));
        const auto gy = static_cast<float>(sum(Transposed<Sobel3x3>())(r, c));
        return std::sqrt(gx * gx + gy * gy);
      });
}

// Rows of 4 KiB, which begin in the same set of the L1 cache, of kernels that
// read few and many of them.
TEST(Correlate, RowsMayBeginInTheSameSetOfTheCache) {
  const std::size_t rows = 23;
  const std::size_t cols = 1013;
  std::vector<float> image(rows * 1024), expected(rows * cols);
  const MatrixView in(image.data(), rows, cols, 1024);
  Fill(in);
  const auto check = [&]<class Kernel>(Kernel) {
    Correlate<Kernel, Scalar>(in, MatrixView(expected.data(), rows, cols));
    std::vector<float> out(expected.size(),
                           std::numeric_limits<float>::quiet_NaN());
    Correlate<Kernel>(in, MatrixView(out.data(), rows, cols));
    EXPECT_EQ(out, expected);
  };
  check(Dense<3, 3>());
  check(Dense<7, 5>());
  check(Sobel5x5());
}

// An edge kernel sees nothing in an image without edges.
TEST(Correlate, AConstantImageHasNoGradient) {
  const std::vector<std::uint8_t> image(23 * 71, 200);
  const MatrixView<const std::uint8_t> in(image.data(), 23, 71);
  std::vector<float> out(image.size(), -1.0f);
  const auto expect_zeros = [&] {
    EXPECT_EQ(out, std::vector<float>(out.size(), 0.0f));
    std::fill(out.begin(), out.end(), -1.0f);
  };
  const MatrixView to(out.data(), 23, 71);
  const auto check = [&]<class Kernel>(Kernel) {
    Correlate<Kernel, Simd, ReplicateBorder>(in, to);
    expect_zeros();
    GradientMagnitude<Kernel, Simd, WrapBorder>(in, to);
    expect_zeros();
  };
  check(Sobel3x3());
  check(Scharr3x3());
  check(Sobel5x3());
  check(Sobel5x5());
}

}  // namespace
}  // namespace hpcnn
