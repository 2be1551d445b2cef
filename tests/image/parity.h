// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Simd against Scalar, bit for bit. Images end where the readable memory ends,
// on either side; outputs, and what is between the rows, start as NaN or -1.

#ifndef HPCNN_TESTS_IMAGE_PARITY_H_
#define HPCNN_TESTS_IMAGE_PARITY_H_

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/stencil.h"
#include "hwy/highway.h"
#include "tests/image/test_image.h"

namespace hpcnn_test {

using hpcnn::MatrixView;
using hpcnn::Scalar;
using hpcnn::Simd;

// Kernels without taps, or with few.
struct Nothing {
  static constexpr hpcnn::Stencil<3, 3> kTaps{};
};
struct OnlyACorner {
  static constexpr hpcnn::Stencil<3, 4> kTaps{{{0, 0, 0, -8}, {}, {}}};
};
// Taps that do not fit in 8 bits.
struct BeyondBytes {
  static constexpr hpcnn::Stencil<2, 3> kTaps{
      {{300, -7, 1000}, {-129, 5, 128}}};
};

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

template <class Kernel, class In, class Out, class Border = hpcnn::ZeroBorder>
void ExpectKernelSame(const std::string& what) {
  ExpectSameAtAllSizes<In, Out>(
      []<class Policy>(Policy, MatrixView<In> image, MatrixView<Out> out) {
        hpcnn::Correlate<Kernel, Policy, Border>(image, out);
      },
      what + ", border " + std::string(Border::kName));
}

template <class Kernel, class In, class Out>
void ExpectKernelSameAtAllBorders(const std::string& what) {
  ExpectKernelSame<Kernel, In, Out, hpcnn::ZeroBorder>(what);
  ExpectKernelSame<Kernel, In, Out, hpcnn::ReplicateBorder>(what);
  ExpectKernelSame<Kernel, In, Out, hpcnn::ReflectBorder>(what);
  ExpectKernelSame<Kernel, In, Out, hpcnn::WrapBorder>(what);
}

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_IMAGE_PARITY_H_
