// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Simd against Scalar on images of bytes.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "tests/image/parity.h"
#include "tests/image/test_image.h"

namespace hpcnn {
namespace {

using hpcnn_test::BeyondBytes;
using hpcnn_test::Dense;
using hpcnn_test::ExpectKernelSame;
using hpcnn_test::ExpectKernelSameAtAllBorders;
using hpcnn_test::ExpectSame;
using hpcnn_test::ExpectSameAtAllSizes;
using hpcnn_test::Nothing;
using hpcnn_test::OnlyACorner;

using Bytes = std::uint8_t;

// Pairs of products that 16 bits do not hold.
struct LargestBytes {
  static constexpr Stencil<3, 5> kTaps{{{127, 127, 127, 127, 126},
                                        {-128, -128, -127, -128, -128},
                                        {127, 126, 127, 127, 127}}};
};

TEST(CorrelateBytesParity, Types) {
  using Small = Dense<4, 2>;
  ExpectKernelSame<Small, Bytes, std::uint8_t>("Dense 4x2 u8");
  ExpectKernelSame<Small, Bytes, std::int16_t>("Dense 4x2 i16");
  ExpectKernelSame<Small, Bytes, std::int32_t>("Dense 4x2 i32");
  ExpectKernelSame<Small, Bytes, float>("Dense 4x2 f32");
  using Folded = Transposed<Sobel5x3>;
  ExpectKernelSame<Folded, Bytes, std::int16_t>("Transposed<Sobel5x3>");
}

TEST(CorrelateBytesParity, Borders) {
  ExpectKernelSameAtAllBorders<Neighbours8, Bytes, std::int16_t>("Neighbours8");
  ExpectKernelSameAtAllBorders<Dense<7, 7>, Bytes, std::int16_t>("Dense 7x7");
}

TEST(CorrelateBytesParity, Kernels) {
  ExpectKernelSame<Sobel3x3, Bytes, std::int16_t>("Sobel3x3");
  ExpectKernelSame<Dense<1, 1>, Bytes, std::int16_t>("Dense 1x1");
  ExpectKernelSame<Dense<1, 9>, Bytes, std::int16_t>("Dense 1x9");
  ExpectKernelSame<Dense<15, 15>, Bytes, std::int32_t>("Dense 15x15");
  ExpectKernelSame<Box<15>, Bytes, std::int32_t>("Box 15");
  ExpectKernelSame<Box<15>, Bytes, std::int16_t>("Box 15");
  ExpectKernelSame<Box<15>, Bytes, Bytes>("Box 15");
  ExpectKernelSame<LargestBytes, Bytes, std::int32_t>("LargestBytes");
  ExpectKernelSame<BeyondBytes, Bytes, std::int32_t>("BeyondBytes");
  ExpectKernelSame<Nothing, Bytes, std::int16_t>("Nothing");
  ExpectKernelSame<OnlyACorner, Bytes, std::int16_t>("OnlyACorner");
}

// Column times row, with sums of bytes beyond 16 bits.
template <std::size_t Rows, std::size_t Cols>
struct Outer {
  static constexpr auto kTaps = [] {
    constexpr auto weight = [](std::size_t i, std::size_t n) {
      const int w = static_cast<int>(i * 3 % n) - static_cast<int>(n / 2);
      return w < 0 ? w : w + 1;
    };
    Stencil<Rows, Cols> taps{};
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t c = 0; c < Cols; ++c) {
        taps.taps[r][c] = 7 * weight(r, Rows) * weight(c, Cols);
      }
    }
    return taps;
  }();
};
// Row sums of bytes as large as 16 bits hold: 255 * 128.
struct LargestAcross {
  static constexpr Stencil<3, 9> kTaps = [] {
    Stencil<3, 9> taps{};
    for (std::size_t c = 0; c < 9; ++c) {
      taps.taps[0][c] = c % 2 == 0 ? 25 : -32;
      taps.taps[1][c] = -taps.taps[0][c];
      taps.taps[2][c] = 300 * taps.taps[0][c];
    }
    return taps;
  }();
};

// One more, and 16 bits would not hold them: they take another way.
struct BeyondAcross {
  static constexpr Stencil<5, 5> kTaps = [] {
    Stencil<5, 5> taps{};
    for (std::size_t r = 0; r < 5; ++r) {
      for (std::size_t c = 0; c < 5; ++c) taps.taps[r][c] = c == 0 ? 25 : 26;
    }
    return taps;
  }();
};
static_assert(internal::SeparatesBytes<Outer<7, 7>>());
static_assert(internal::SeparatesBytes<Outer<2, 13>>());
static_assert(internal::SeparatesBytes<LargestAcross>());
static_assert(!internal::SeparatesBytes<BeyondAcross>());
static_assert(!internal::SeparatesBytes<Dense<7, 7>>());

TEST(CorrelateBytesParity, RankOneOfBytes) {
  ExpectKernelSameAtAllBorders<Outer<7, 7>, Bytes, std::int16_t>("Outer 7x7");
  ExpectKernelSame<Outer<8, 4>, Bytes, std::int16_t>("Outer 8x4");
  ExpectKernelSame<Outer<5, 6>, Bytes, Bytes>("Outer 5x6");
  ExpectKernelSame<Outer<2, 13>, Bytes, std::int16_t>("Outer 2x13");
  ExpectKernelSame<Outer<15, 15>, Bytes, std::int16_t>("Outer 15x15");
  ExpectKernelSame<LargestAcross, Bytes, std::int16_t>("LargestAcross");
  ExpectKernelSame<BeyondAcross, Bytes, std::int16_t>("BeyondAcross");
  // Longer and wider than what it keeps of an image.
  const auto run = []<class Policy>(Policy, auto image, auto out) {
    Correlate<Outer<9, 5>, Policy, ReflectBorder>(image, out);
  };
  ExpectSame<Bytes, std::int16_t>(40, 2100, run, "Outer 9x5");
}

TEST(CorrelateBytesParity, RunTimeTaps) {
  const auto stencil = Dense<3, 5>::kTaps;
  const auto with_stencil = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, ReflectBorder>(image, stencil, out);
  };
  ExpectSameAtAllSizes<Bytes, std::int16_t>(with_stencil, "stencil");
  const MatrixView<const int> view(&stencil.taps[0][0], 3, 5);
  const auto with_view = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, WrapBorder>(image, view, out);
  };
  ExpectSameAtAllSizes<Bytes, std::int16_t>(with_view, "view");
}

TEST(CorrelateBytesParity, GradientMagnitude) {
  const auto magnitude = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Sobel5x3, Policy, ReplicateBorder>(image, out);
  };
  ExpectSameAtAllSizes<Bytes, float>(magnitude, "f32");
  ExpectSameAtAllSizes<Bytes, Bytes>(magnitude, "u8");
  const auto wrapped = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Scharr3x3, Policy, WrapBorder>(image, out);
  };
  ExpectSameAtAllSizes<Bytes, float>(wrapped, "f32, wrap");
}

}  // namespace
}  // namespace hpcnn
