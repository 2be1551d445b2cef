// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Scalar by hand, and what holds for every policy.

#include "hpcnn/image/correlate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/convolve.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "tests/image/test_image.h"

namespace hpcnn {
namespace {

using hpcnn_test::Dense;
using hpcnn_test::Fill;

TEST(Correlate, SumOfTheNeighbours) {
  std::uint8_t image[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::int16_t out[9];
  Correlate<Box<3>, Scalar>(MatrixView(image, 3, 3), MatrixView(out, 3, 3));
  const std::int16_t want[9] = {12, 21, 16, 27, 45, 33, 24, 39, 28};
  for (int i = 0; i < 9; ++i) EXPECT_EQ(out[i], want[i]) << i;
}

TEST(Correlate, IsTheFilterAsWrittenAndConvolveTurnsIt) {
  // An impulse gives the turned kernel to a correlation, the kernel itself to
  // a convolution.
  float image[25] = {};
  image[12] = 1;
  float correlated[25];
  float convolved[25];
  using Kernel = Dense<3, 3>;
  Correlate<Kernel, Scalar>(MatrixView(image, 5, 5),
                            MatrixView(correlated, 5, 5));
  Convolve<Kernel, Scalar>(MatrixView(image, 5, 5),
                           MatrixView(convolved, 5, 5));
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 3; ++c) {
      const auto tap = static_cast<float>(Kernel::kTaps(r, c));
      EXPECT_EQ(correlated[(3 - r) * 5 + 3 - c], tap);
      EXPECT_EQ(convolved[(1 + r) * 5 + 1 + c], tap);
    }
  }
}

template <class P>
class ConvolveTest : public ::testing::Test {};
using CpuPolicies = ::testing::Types<Scalar, Simd>;
TYPED_TEST_SUITE(ConvolveTest, CpuPolicies);

// Of even size, too, where the turned taps have their middle elsewhere.
TYPED_TEST(ConvolveTest, FormsAgree) {
  using Kernel = Dense<4, 3>;
  constexpr auto kTurned = Flip(Kernel::kTaps);
  std::vector<std::uint8_t> image(20 * 70);
  Fill(MatrixView(image.data(), 20, 70));
  const auto filtered = [&](auto filter) {
    std::vector<std::int16_t> out(image.size(), 7);
    filter(MatrixView(image.data(), 20, 70), MatrixView(out.data(), 20, 70));
    return out;
  };
  const auto want = filtered([&](auto in, auto out) {
    Correlate<Scalar, WrapBorder>(in, kTurned, out);
  });
  EXPECT_EQ(filtered([](auto in, auto out) {
              Convolve<Kernel, TypeParam, WrapBorder>(in, out, 2);
            }),
            want);
  EXPECT_EQ(filtered([](auto in, auto out) {
              Convolve<TypeParam, WrapBorder>(in, Kernel::kTaps, out, 2);
            }),
            want);
  EXPECT_EQ(filtered([](auto in, auto out) {
              Convolve<TypeParam, WrapBorder>(
                  in, MatrixView(&Kernel::kTaps.taps[0][0], 4, 3), out, 2);
            }),
            want);
}

TEST(Correlate, SaturatesAndRoundsToEven) {
  std::uint8_t bright[1] = {255};
  std::uint8_t bytes[1];
  std::int16_t shorts[1];
  Correlate<Dense<1, 1>, Scalar>(MatrixView(bright, 1, 1),  // the tap is -39
                                 MatrixView(bytes, 1, 1));
  EXPECT_EQ(bytes[0], 0);
  constexpr Stencil<1, 1> kMany{{{1000}}};
  Correlate<Scalar>(MatrixView(bright, 1, 1), kMany, MatrixView(shorts, 1, 1));
  EXPECT_EQ(shorts[0], 32767);
  constexpr Stencil<1, 1, float> kOne{{{1.0f}}};
  for (const auto& [in, want] : {std::pair{0.5f, 0},
                                 {1.5f, 2},
                                 {2.5f, 2},
                                 {-1.0f, 0},
                                 {300.0f, 255},
                                 {std::nanf(""), 0}}) {
    float pixel[1] = {in};
    Correlate<Scalar>(MatrixView(pixel, 1, 1), kOne, MatrixView(bytes, 1, 1));
    EXPECT_EQ(bytes[0], want) << in;
    Correlate<Simd>(MatrixView(pixel, 1, 1), kOne, MatrixView(bytes, 1, 1));
    EXPECT_EQ(bytes[0], want) << in;
  }
}

// The bound that correlate.h states, on pixels whose sums do round.
TEST(Correlate, FloatsStayWithinTheBound) {
  using Kernel = Dense<9, 9, float>;
  std::vector<float> image(40 * 70);
  std::uint32_t state = 7;
  for (float& pixel : image) {
    state = state * 1664525u + 1013904223u;
    pixel = static_cast<float>(state) / 4294967296.0f * 3.0f - 1.0f;
  }
  std::vector<float> scalar(image.size());
  std::vector<float> simd(image.size());
  std::vector<float> sizes(image.size());
  std::vector<float> largest(image.size());
  for (std::size_t i = 0; i < image.size(); ++i) sizes[i] = std::abs(image[i]);
  const auto view = [](auto& v) { return MatrixView(v.data(), 40, 70); };
  Stencil<9, 9, float> positive = Kernel::kTaps;
  for (auto& row : positive.taps) {
    for (float& tap : row) tap = std::abs(tap);
  }
  Correlate<Scalar>(view(sizes), positive, view(largest));
  const auto expect = [&](auto kernel) {
    using K = decltype(kernel);
    Correlate<K, Scalar>(view(image), view(scalar));
    Correlate<K, Simd>(view(image), view(simd));
    bool differ = false;
    for (std::size_t i = 0; i < image.size(); ++i) {
      ASSERT_LE(std::abs(scalar[i] - simd[i]),
                (2 * 81 + 8) * 0x1p-24f * largest[i]);
      differ |= scalar[i] != simd[i];
    }
    EXPECT_TRUE(differ) << "nothing rounded: the test is too easy";
  };
  expect(Kernel());
  // The Gaussian's taps sum to 1, and no pixel exceeds 2.
  for (float& pixel : largest) pixel = 2;
  expect(Gaussian<9>());
}

TEST(Correlate, ThreadsGiveTheSame) {
  std::vector<std::uint8_t> image(53 * 301);
  const MatrixView in(image.data(), 53, 301);
  Fill(in);
  const auto expect_same = [&](auto filter) {
    std::vector<std::int16_t> one(image.size());
    filter(MatrixView(one.data(), 53, 301), Threads());
    for (const std::size_t threads : {1u, 2u, 3u, 60u}) {
      std::vector<std::int16_t> many(image.size(), 7);
      filter(MatrixView(many.data(), 53, 301), threads);
      EXPECT_EQ(many, one) << threads;
    }
  };
  using Kernel = Dense<5, 5>;
  expect_same(
      [&](auto out, Threads threads) { Correlate<Kernel>(in, out, threads); });
  expect_same([&](auto out, Threads threads) {
    Correlate<Simd>(in, Kernel::kTaps, out, threads);
  });
  expect_same([&](auto out, Threads threads) {
    Correlate<Simd>(in, MatrixView(&Kernel::kTaps.taps[0][0], 5, 5), out,
                    threads);
  });
  expect_same([&](auto out, Threads threads) {
    GradientMagnitude<Sobel3x3>(in, out, threads);
  });
}

TEST(Correlate, RegionsOfOneImage) {
  std::vector<float> image(30 * 64);
  Fill(MatrixView(image.data(), 30, 64));
  const std::vector<float> before = image;
  const MatrixView whole(image.data(), 30, 64);
  // The left part, filtered into the right part: no byte in common.
  Correlate<Sobel3x3>(whole.Region(3, 2, 20, 25), whole.Region(3, 35, 20, 25));
  std::vector<float> want(20 * 25);
  Correlate<Sobel3x3, Scalar>(
      MatrixView<const float>(before.data(), 30, 64).Region(3, 2, 20, 25),
      MatrixView(want.data(), 20, 25));
  for (std::size_t r = 0; r < 30; ++r) {
    for (std::size_t c = 0; c < 64; ++c) {
      const bool inside = r >= 3 && r < 23 && c >= 35 && c < 60;
      EXPECT_EQ(whole(r, c),
                inside ? want[(r - 3) * 25 + c - 35] : before[r * 64 + c]);
    }
  }
}

// What stencil_test counts is what runs.
template <class In, class Kernel>
using FilterOf = decltype(internal::MakeFilter<Kernel, In>());
template <class T, class In, class Kernel>
using LaneFilterOf = internal::LaneFilter<T, In, internal::StoreSum, Kernel>;
#if HWY_TARGET != HWY_SCALAR
static_assert(std::is_same_v<FilterOf<float, Sobel3x3>,
                             LaneFilterOf<float, float, Sobel3x3>>);
static_assert(std::is_same_v<FilterOf<float, Sobel5x5>,
                             LaneFilterOf<float, float, Sobel5x5>>);
static_assert(std::is_same_v<FilterOf<float, Neighbours8>,
                             LaneFilterOf<float, float, Neighbours8>>);
static_assert(std::is_same_v<FilterOf<float, Box<15>>,
                             LaneFilterOf<float, float, Box<15>>>);
static_assert(std::is_same_v<FilterOf<float, Gaussian<63>>,
                             LaneFilterOf<float, float, Gaussian<63>>>);
static_assert(std::is_same_v<FilterOf<float, Dense<9, 9>>,
                             internal::LoopFilter<float, float, 9, 9>>);
static_assert(
    std::is_same_v<FilterOf<std::uint8_t, Sobel3x3>,
                   LaneFilterOf<std::int16_t, std::uint8_t, Sobel3x3>>);
static_assert(std::is_same_v<FilterOf<std::uint8_t, Dense<7, 7>>,
                             internal::ByteFilter<Dense<7, 7>>>);
static_assert(internal::TakesByteStrips<Box<15>, std::uint8_t, std::int16_t>());
#endif

TEST(Correlate, AnEmptyImageIsNothingToDo) {
  float nothing[1] = {5};
  Correlate<Sobel3x3>(MatrixView(nothing, 0, 0), MatrixView(nothing, 0, 0));
  EXPECT_EQ(nothing[0], 5);
}

TEST(CorrelateDeathTest, RefusesWhatCannotWork) {
  std::vector<float> image(64);
  const MatrixView view(image.data(), 8, 8);
  EXPECT_DEATH(Correlate<Sobel3x3>(view, view), "in place");
  EXPECT_DEATH(
      Correlate<Sobel3x3>(view.Region(0, 0, 4, 4), view.Region(0, 3, 4, 4)),
      "in place");
  EXPECT_DEATH(
      Correlate<Sobel3x3>(view.Region(0, 0, 4, 8), view.Region(4, 0, 4, 7)),
      "the image's size");
  EXPECT_DEATH(GradientMagnitude<Sobel3x3>(view, view), "in place");
  EXPECT_DEATH(GradientMagnitude<Sobel3x3>(view.Region(0, 0, 4, 8),
                                           view.Region(4, 0, 4, 7)),
               "the image's size");
  std::vector<std::uint8_t> bytes(4);
  constexpr Stencil<1, 2> kHuge{{{2000000000, 1}}};
  std::vector<std::int32_t> out(4);
  EXPECT_DEATH(Correlate<Simd>(MatrixView(bytes.data(), 2, 2), kHuge,
                               MatrixView(out.data(), 2, 2)),
               "exceed 32 bits");
}

}  // namespace
}  // namespace hpcnn
