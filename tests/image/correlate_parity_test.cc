// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Simd against Scalar, bit for bit. Images end where the readable memory ends,
// on either side; outputs, and what is between the rows, start as NaN or -1.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/smoothing.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "hwy/highway.h"
#include "tests/image/test_image.h"

namespace hpcnn {
namespace {

using hpcnn_test::Dense;
using hpcnn_test::Fill;

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
    // As float: a NaN.
    std::memset(base_ + page_, kUntouched, inside_);
    char* const first = base_ + page_ + (at_end ? inside_ - size : 0);
    view_ = MatrixView<T>(reinterpret_cast<T*>(first), rows, cols, stride);
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
        if (*p != kUntouched) return false;
      }
    }
    return true;
  }

 private:
  static constexpr unsigned char kUntouched = 0xFF;

  std::size_t page_;
  std::size_t inside_;
  char* base_;
  MatrixView<T> view_{nullptr, 0, 0};
};

struct BeyondBytes {
  static constexpr Stencil<2, 3> kTaps{{{300, -7, 1000}, {-129, 5, 128}}};
};
// Pairs of products that 16 bits do not hold.
struct LargestBytes {
  static constexpr Stencil<3, 5> kTaps{{{127, 127, 127, 127, 126},
                                        {-128, -128, -127, -128, -128},
                                        {127, 126, 127, 127, 127}}};
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
  // The widest have blocks at both edges and between them.
  const std::size_t wide = std::max<std::size_t>(3 * lanes, 7 * 16);
  for (std::size_t cols = 1; cols <= wide + 3; ++cols) {
    ExpectSame<In, Out>(cols % 11 + 1, cols, run, what);
    ExpectSame<In, Out>(9, cols, run, what);
  }
  for (std::size_t rows = 1; rows <= std::max<std::size_t>(29, 2 * lanes + 3);
       ++rows) {
    ExpectSame<In, Out>(
        rows, rows % 5 == 0 && rows < 30 ? 4 * lanes + rows : rows % 31 + 1,
        run, what);
    ExpectSame<In, Out>(rows, 1, run, what);
    ExpectSame<In, Out>(1, rows, run, what);
  }
  ExpectSame<In, Out>(1, 1025, run, what);
  ExpectSame<In, Out>(27, 5 * lanes + 9, run, what);
  // Taller than all that is made at once, with a rest.
  ExpectSame<In, Out>(67, 5, run, what);
  ExpectSame<In, Out>(101, 2 * lanes + 1, run, what);
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
  ExpectKernelSame<Kernel, std::int16_t, std::uint8_t>(what + " i16 u8");
  ExpectKernelSame<Kernel, std::int16_t, float>(what + " i16 f32");
  ExpectKernelSame<Kernel, float, std::uint8_t>(what + " f32 u8");
  ExpectKernelSame<Kernel, float, std::int16_t>(what + " f32 i16");
  ExpectKernelSame<Kernel, float, std::int32_t>(what + " f32 i32");
}

TEST(CorrelateParity, Types) {
  ExpectKernelSameForAllTypes<Dense<4, 2>>("Dense 4x2");
  using Folded = Transposed<Sobel5x3>;
  ExpectKernelSame<Folded, std::uint8_t, std::int16_t>("Transposed<Sobel5x3>");
  ExpectKernelSame<Folded, std::int16_t, std::int32_t>("Transposed<Sobel5x3>");
  ExpectKernelSame<Folded, float, float>("Transposed<Sobel5x3>");
}
TEST(CorrelateParity, Borders) {
  using Bytes = std::uint8_t;
  ExpectKernelSameAtAllBorders<Neighbours8, Bytes, std::int16_t>("Neighbours8");
  ExpectKernelSameAtAllBorders<Neighbours8, float, float>("Neighbours8");
  ExpectKernelSameAtAllBorders<Scharr3x3, std::int16_t, std::int32_t>(
      "Scharr3x3");
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
  // Wider than a vector.
  ExpectKernelSame<Box<3, 41>, float, float>("Box 3x41");
  ExpectKernelSame<Box<3, 41>, std::int16_t, std::int32_t>("Box 3x41");
  ExpectKernelSame<Box<15>, Bytes, std::int16_t>("Box 15");
  ExpectKernelSame<Box<15>, Bytes, Bytes>("Box 15");
  ExpectKernelSame<LargestBytes, Bytes, std::int32_t>("LargestBytes");
  ExpectKernelSame<BeyondBytes, Bytes, std::int32_t>("BeyondBytes");
  ExpectKernelSame<BeyondBytes, std::int16_t, float>("BeyondBytes");
  ExpectKernelSame<Nothing, Bytes, std::int16_t>("Nothing");
  ExpectKernelSame<Nothing, float, float>("Nothing");
  ExpectKernelSame<OnlyACorner, Bytes, std::int16_t>("OnlyACorner");
  ExpectKernelSame<OnlyACorner, float, float>("OnlyACorner");
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

TEST(CorrelateParity, RankOneOfBytes) {
  using Bytes = std::uint8_t;
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
  const auto wrapped = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Scharr3x3, Policy, WrapBorder>(image, out);
  };
  ExpectSameAtAllSizes<std::uint8_t, float>(wrapped, "u8 f32, wrap");
  const auto zero = []<class Policy>(Policy, auto image, auto out) {
    GradientMagnitude<Sobel3x3, Policy>(image, out);
  };
  ExpectSameAtAllSizes<float, float>(zero, "f32 f32, zero");
}

}  // namespace
}  // namespace hpcnn
