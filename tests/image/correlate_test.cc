// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Scalar by hand, Simd against Scalar. Images end where the readable memory
// ends, on either side, and outputs start as NaN or 0xA5.

#include "hpcnn/image/correlate.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/thread_pool.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/convolve.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "hwy/highway.h"

namespace hpcnn {
namespace {

// Memory for an image between two pages that may not be touched. The image lies
// against the one or the other.
template <class T>
class GuardedImage {
 public:
  GuardedImage(std::size_t rows, std::size_t cols, std::size_t stride,
               bool at_end)
      : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    const std::size_t size = ((rows - 1) * stride + cols) * sizeof(T);
    inside_ = (size + page_ - 1) / page_ * page_;
    base_ = static_cast<char*>(mmap(nullptr, inside_ + 2 * page_, PROT_NONE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + page_, inside_, PROT_READ | PROT_WRITE);
    std::memset(base_ + page_, 0xA5, inside_);
    char* const first = base_ + page_ + (at_end ? inside_ - size : 0);
    view_ = MatrixView<T>(reinterpret_cast<T*>(first), rows, cols, stride);
    if constexpr (std::is_same_v<T, float>) {
      for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < cols; ++c) {
          view_(r, c) = std::numeric_limits<float>::quiet_NaN();
        }
      }
    }
  }
  GuardedImage(const GuardedImage&) = delete;
  GuardedImage& operator=(const GuardedImage&) = delete;
  ~GuardedImage() { munmap(base_, inside_ + 2 * page_); }

  MatrixView<T> view() const { return view_; }

  // Are the elements between the rows as they were?
  bool GapsUntouched() const {
    for (std::size_t r = 0; r + 1 < view_.rows(); ++r) {
      const auto* const from =
          reinterpret_cast<const unsigned char*>(view_.row(r) + view_.cols());
      const auto* const to =
          reinterpret_cast<const unsigned char*>(view_.row(r + 1));
      for (const auto* p = from; p < to; ++p) {
        if (*p != 0xA5) return false;
      }
    }
    return true;
  }

 private:
  std::size_t page_;
  std::size_t inside_;
  char* base_;
  MatrixView<T> view_{nullptr, 0, 0};
};

// Small integers in any type: every sum is exact, also in float.
template <class T>
void Fill(MatrixView<T> image) {
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
    Stencil<Rows, Cols, T> taps{};
    for (std::size_t i = 0; i < Rows * Cols; ++i) {
      taps.taps[i / Cols][i % Cols] =
          static_cast<T>(static_cast<int>((i * 37 + 11) % 101) - 50);
    }
    return taps;
  }();
};
struct BeyondBytes {
  static constexpr Stencil<2, 3> kTaps{{{300, -7, 1000}, {-129, 5, 128}}};
};
struct Nothing {
  static constexpr Stencil<3, 3> kTaps{};
};
struct OnlyACorner {
  static constexpr Stencil<3, 4> kTaps{{{0, 0, 0, -8}, {}, {}}};
};

// run(policy, image, out) on both policies; every byte must agree.
template <class In, class Out, class F>
void ExpectSame(std::size_t rows, std::size_t cols, const F& run,
                const std::string& what) {
  for (const bool at_end : {false, true}) {
    const std::size_t gap = at_end ? 0 : 3;
    GuardedImage<In> image(rows, cols, cols + gap, at_end);
    Fill(image.view());
    GuardedImage<Out> want(rows, cols, cols, at_end);
    GuardedImage<Out> got(rows, cols, cols + gap, at_end);
    run(Scalar(), image.view(), want.view());
    run(Simd(), image.view(), got.view());
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < cols; ++c) {
        ASSERT_EQ(got.view()(r, c), want.view()(r, c))
            << what << ", image " << rows << " x " << cols << ", at " << r
            << ", " << c;
      }
    }
    ASSERT_TRUE(got.GapsUntouched()) << what << ": wrote between the rows";
  }
}

// Every remainder of the widest vector and of the tallest block.
template <class In, class Out, class F>
void ExpectSameAtAllSizes(const F& run, const std::string& what) {
  const std::size_t lanes =
      hwy::HWY_NAMESPACE::MaxLanes(hwy::HWY_NAMESPACE::ScalableTag<In>());
  for (std::size_t cols = 1; cols <= 2 * lanes + 3; ++cols) {
    ExpectSame<In, Out>(cols % 7 + 1, cols, run, what);
  }
  for (std::size_t rows = 1; rows <= 29; ++rows) {
    ExpectSame<In, Out>(rows, rows % 5 == 0 ? 4 * lanes + rows : rows, run,
                        what);
  }
  ExpectSame<In, Out>(27, 5 * lanes + 9, run, what);
}

template <class Kernel, class In, class Out, class Border = ZeroBorder>
void ExpectKernelSame(const std::string& what) {
  ExpectSameAtAllSizes<In, Out>(
      []<class Policy>(Policy, MatrixView<In> image, MatrixView<Out> out) {
        Correlate<Kernel, Policy, Border>(image, out);
      },
      what + ", border " + std::string(Border::kName));
}

template <class Kernel, class In, class Out>
void ExpectKernelSameAtAllBorders(const std::string& what) {
  ExpectKernelSame<Kernel, In, Out, ZeroBorder>(what);
  ExpectKernelSame<Kernel, In, Out, ReplicateBorder>(what);
  ExpectKernelSame<Kernel, In, Out, ReflectBorder>(what);
  ExpectKernelSame<Kernel, In, Out, WrapBorder>(what);
}

template <class Kernel>
void ExpectKernelSameForAllTypes(const std::string& what) {
  ExpectKernelSame<Kernel, std::uint8_t, std::uint8_t>(what + " u8 u8");
  ExpectKernelSame<Kernel, std::uint8_t, std::int16_t>(what + " u8 i16");
  ExpectKernelSame<Kernel, std::uint8_t, std::int32_t>(what + " u8 i32");
  ExpectKernelSame<Kernel, std::uint8_t, float>(what + " u8 f32");
  ExpectKernelSame<Kernel, std::int16_t, std::int16_t>(what + " i16 i16");
  ExpectKernelSame<Kernel, std::int16_t, std::int32_t>(what + " i16 i32");
  ExpectKernelSame<Kernel, float, float>(what + " f32 f32");
  ExpectKernelSame<Kernel, float, std::uint8_t>(what + " f32 u8");
}

TEST(CorrelateParity, Types) {
  ExpectKernelSameForAllTypes<Transposed<Sobel5x3>>("Transposed<Sobel5x3>");
  ExpectKernelSameForAllTypes<Dense<4, 2>>("Dense 4x2");
}
TEST(CorrelateParity, Borders) {
  using Bytes = std::uint8_t;
  ExpectKernelSameAtAllBorders<Neighbours8, Bytes, std::int16_t>("Neighbours8");
  ExpectKernelSameAtAllBorders<Neighbours8, float, float>("Neighbours8");
  ExpectKernelSameAtAllBorders<Dense<7, 7>, Bytes, std::int16_t>("Dense 7x7");
  ExpectKernelSameAtAllBorders<Dense<7, 7>, float, float>("Dense 7x7");
}
TEST(CorrelateParity, Kernels) {
  using Bytes = std::uint8_t;
  ExpectKernelSame<Sobel3x3, Bytes, std::int16_t>("Sobel3x3");
  ExpectKernelSame<Sobel5x5, float, float>("Sobel5x5");
  ExpectKernelSame<Dense<1, 1>, Bytes, std::int16_t>("Dense 1x1");
  ExpectKernelSame<Dense<1, 1>, float, float>("Dense 1x1");
  ExpectKernelSame<Dense<1, 9>, Bytes, std::int16_t>("Dense 1x9");
  ExpectKernelSame<Dense<9, 1>, float, float>("Dense 9x1");
  ExpectKernelSame<Dense<15, 15>, Bytes, std::int32_t>("Dense 15x15");
  ExpectKernelSame<Dense<15, 15>, float, float>("Dense 15x15");
  ExpectKernelSame<Box<15>, Bytes, std::int32_t>("Box 15");
  ExpectKernelSame<Box<15>, Bytes, std::int16_t>("Box 15");
  ExpectKernelSame<Box<15>, Bytes, Bytes>("Box 15");
  ExpectKernelSame<BeyondBytes, Bytes, std::int32_t>("BeyondBytes");
  ExpectKernelSame<BeyondBytes, std::int16_t, float>("BeyondBytes");
  ExpectKernelSame<Nothing, Bytes, std::int16_t>("Nothing");
  ExpectKernelSame<Nothing, float, float>("Nothing");
  ExpectKernelSame<OnlyACorner, Bytes, std::int16_t>("OnlyACorner");
  ExpectKernelSame<OnlyACorner, float, float>("OnlyACorner");
}

TEST(CorrelateParity, RunTimeTaps) {
  const auto stencil = Dense<3, 5>::kTaps;
  const auto with_stencil = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, ReflectBorder>(image, stencil, out);
  };
  ExpectSameAtAllSizes<std::uint8_t, std::int16_t>(with_stencil, "stencil");
  ExpectSameAtAllSizes<float, float>(with_stencil, "stencil");
  const MatrixView<const int> view(&stencil.taps[0][0], 3, 5);
  const auto with_view = [&]<class Policy>(Policy, auto image, auto out) {
    Correlate<Policy, WrapBorder>(image, view, out);
  };
  ExpectSameAtAllSizes<std::uint8_t, std::int16_t>(with_view, "view");
  ExpectSameAtAllSizes<float, float>(with_view, "view");
}

TEST(CorrelateParity, GradientMagnitude) {
  const auto magnitude = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Sobel5x3, Policy, ReplicateBorder>(image, out);
  };
  ExpectSameAtAllSizes<std::uint8_t, float>(magnitude, "u8 f32");
  ExpectSameAtAllSizes<std::uint8_t, std::uint8_t>(magnitude, "u8 u8");
  ExpectSameAtAllSizes<std::int16_t, std::int16_t>(magnitude, "i16 i16");
  ExpectSameAtAllSizes<float, float>(magnitude, "f32 f32");
}

// --- Scalar, by hand ---

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
  Fill(MatrixView(image.data(), 53, 301));
  std::vector<std::int16_t> one(image.size());
  const MatrixView in(image.data(), 53, 301);
  Correlate<Dense<5, 5>>(in, MatrixView(one.data(), 53, 301));
  for (const std::size_t threads : {1u, 2u, 3u, 60u}) {
    std::vector<std::int16_t> many(image.size(), 7);
    Correlate<Dense<5, 5>>(in, MatrixView(many.data(), 53, 301), threads);
    EXPECT_EQ(many, one) << threads;
  }
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

TEST(Correlate, LargeResultsAreStreamed) {
  const std::size_t rows = 1030;
  const std::size_t cols = 4096;
  std::vector<float> image(rows * cols);
  Fill(MatrixView(image.data(), rows, cols));
  const auto bytes = rows * cols * sizeof(float);
  ASSERT_GE(bytes, internal::kStreamBytes);
  float* const out = static_cast<float*>(std::aligned_alloc(64, bytes));
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
  std::vector<std::uint8_t> bytes(4);
  constexpr Stencil<1, 2> kHuge{{{2000000000, 1}}};
  std::vector<std::int32_t> out(4);
  EXPECT_DEATH(Correlate<Simd>(MatrixView(bytes.data(), 2, 2), kHuge,
                               MatrixView(out.data(), 2, 2)),
               "exceed 32 bits");
}

}  // namespace
}  // namespace hpcnn
