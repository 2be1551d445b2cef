// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Simd against Scalar on images of shorts and of floats.

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
using hpcnn_test::ExpectSameAtAllSizes;
using hpcnn_test::Nothing;
using hpcnn_test::OnlyACorner;

TEST(CorrelateParity, Types) {
  using Small = Dense<4, 2>;
  ExpectKernelSame<Small, std::int16_t, std::uint8_t>("Dense 4x2 i16 u8");
  ExpectKernelSame<Small, std::int16_t, std::int16_t>("Dense 4x2 i16 i16");
  ExpectKernelSame<Small, std::int16_t, std::int32_t>("Dense 4x2 i16 i32");
  ExpectKernelSame<Small, std::int16_t, float>("Dense 4x2 i16 f32");
  ExpectKernelSame<Small, float, std::uint8_t>("Dense 4x2 f32 u8");
  ExpectKernelSame<Small, float, std::int16_t>("Dense 4x2 f32 i16");
  ExpectKernelSame<Small, float, std::int32_t>("Dense 4x2 f32 i32");
  ExpectKernelSame<Small, float, float>("Dense 4x2 f32 f32");
  using Folded = Transposed<Sobel5x3>;
  ExpectKernelSame<Folded, std::int16_t, std::int32_t>("Transposed<Sobel5x3>");
  ExpectKernelSame<Folded, float, float>("Transposed<Sobel5x3>");
}

TEST(CorrelateParity, Borders) {
  ExpectKernelSameAtAllBorders<Neighbours8, float, float>("Neighbours8");
  ExpectKernelSameAtAllBorders<Scharr3x3, std::int16_t, std::int32_t>(
      "Scharr3x3");
  ExpectKernelSameAtAllBorders<Dense<7, 7>, float, float>("Dense 7x7");
}

TEST(CorrelateParity, Kernels) {
  ExpectKernelSame<Sobel5x5, float, float>("Sobel5x5");
  ExpectKernelSame<Dense<1, 1>, float, float>("Dense 1x1");
  ExpectKernelSame<Dense<9, 1>, float, float>("Dense 9x1");
  ExpectKernelSame<Dense<15, 15>, float, float>("Dense 15x15");
  // Wider than a vector.
  ExpectKernelSame<Box<3, 41>, float, float>("Box 3x41");
  ExpectKernelSame<Box<3, 41>, std::int16_t, std::int32_t>("Box 3x41");
  ExpectKernelSame<BeyondBytes, std::int16_t, float>("BeyondBytes");
  ExpectKernelSame<Nothing, float, float>("Nothing");
  ExpectKernelSame<OnlyACorner, float, float>("OnlyACorner");
}

TEST(CorrelateParity, RunTimeTaps) {
  const auto stencil = Dense<3, 5>::kTaps;
  const auto with_stencil = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, ReflectBorder>(image, stencil, out);
  };
  ExpectSameAtAllSizes<float, float>(with_stencil, "stencil");
  const MatrixView<const int> view(&stencil.taps[0][0], 3, 5);
  const auto with_view = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, WrapBorder>(image, view, out);
  };
  ExpectSameAtAllSizes<float, float>(with_view, "view");
}

TEST(CorrelateParity, GradientMagnitude) {
  const auto magnitude = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Sobel5x3, Policy, ReplicateBorder>(image, out);
  };
  ExpectSameAtAllSizes<std::int16_t, std::int16_t>(magnitude, "i16 i16");
  ExpectSameAtAllSizes<float, float>(magnitude, "f32 f32");
  const auto zero = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Sobel3x3, Policy>(image, out);
  };
  ExpectSameAtAllSizes<float, float>(zero, "f32 f32, zero");
}

}  // namespace
}  // namespace hpcnn
