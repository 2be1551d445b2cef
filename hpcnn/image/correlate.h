// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Correlation: out[y, x] = sum over r, c of
//   taps[r, c] * image[y + r - Rows / 2, x + c - Cols / 2]
//
// the filter as it is written down, laid on each pixel in turn. Same size as
// the image, for odd and even kernels; with the zero border it equals
// scipy.signal.convolve2d(image, taps turned by 180 degrees, mode="same").
// Convolve (convolve.h) is the one that turns the taps.
//
//   Correlate<Sobel3x3>(image, out);                        // Simd, zeros
//   Correlate<Sobel3x3, Scalar, ReflectBorder>(image, out);
//   Correlate<Simd>(image, stencil, out);       // weights known at run time
//   Correlate<Simd>(image, taps_view, out);     // their shape, too
//
// Images are u8, i16 or f32, results u8, i16, i32 or f32. Integer images with
// integer taps are summed exactly, in i32, and saturate to the result's type;
// everything else is summed in f32 and rounds to the nearest, ties to even,
// before it saturates. Every policy gives the same integers bit for bit. The
// f32 sums of two policies differ by at most
//   (2 * Rows * Cols + 8) * 2^-24 * sum |tap * pixel|
// where all pixels are finite: taps of 0 are not multiplied at all by Simd, so
// an infinite pixel beside one is a NaN on Scalar alone.
// Not for kernels so large that a Fourier transform pays (some 40 x 40).

#ifndef HPCNN_IMAGE_CORRELATE_H_
#define HPCNN_IMAGE_CORRELATE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/concurrency/threads.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/pixel.h"
#include "hpcnn/image/stencil.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// The taps of a filter, as each form of Correlate gives them.
template <StencilKernel Kernel>
struct KernelTaps {
  using Tap = typename std::remove_cvref_t<decltype(Kernel::kTaps)>::Tap;
  static constexpr std::size_t rows() { return Kernel::kTaps.kRows; }
  static constexpr std::size_t cols() { return Kernel::kTaps.kCols; }
  static constexpr Tap at(std::size_t r, std::size_t c) {
    return Kernel::kTaps(r, c);
  }
};
template <std::size_t Rows, std::size_t Cols, class T>
struct StencilTaps {
  using Tap = T;
  static constexpr std::size_t rows() { return Rows; }
  static constexpr std::size_t cols() { return Cols; }
  Tap at(std::size_t r, std::size_t c) const { return (*stencil)(r, c); }
  const Stencil<Rows, Cols, T>* stencil;
};
template <class T>
struct ViewTaps {
  using Tap = T;
  std::size_t rows() const { return view.rows(); }
  std::size_t cols() const { return view.cols(); }
  Tap at(std::size_t r, std::size_t c) const {
    return flipped ? view(rows() - 1 - r, cols() - 1 - c) : view(r, c);
  }
  MatrixView<const T> view;
  bool flipped;  // turned by 180 degrees
};

// One pixel, whatever its neighbourhood.
template <BorderMode Border, class Taps, SourcePixel In>
auto CorrelateAt(const Taps& taps, MatrixView<const In> image, std::size_t y,
                 std::size_t x) {
  using Sum = SumOf<In, typename Taps::Tap>;
  const auto index = [](std::size_t at, std::size_t offset, std::size_t taps_in,
                        std::size_t size) {
    return Border::Index(static_cast<std::ptrdiff_t>(at + offset) -
                             static_cast<std::ptrdiff_t>(taps_in / 2),
                         static_cast<std::ptrdiff_t>(size));
  };
  Sum sum{0};
  for (std::size_t r = 0; r < taps.rows(); ++r) {
    const auto row = index(y, r, taps.rows(), image.rows());
    for (std::size_t c = 0; c < taps.cols() && row >= 0; ++c) {
      const auto col = index(x, c, taps.cols(), image.cols());
      if (col < 0) continue;
      sum += static_cast<Sum>(taps.at(r, c)) *
             static_cast<Sum>(image(static_cast<std::size_t>(row),
                                    static_cast<std::size_t>(col)));
    }
  }
  return sum;
}

template <class Policy>
struct CorrelateKernel {
  HPCNN_NO_KERNEL("Correlate", Policy, "hpcnn/image/correlate_cuda.cuh");
};

template <>
struct CorrelateKernel<Scalar> {
  // Makes the output rows in `rows`.
  template <BorderMode Border, class Taps, SourcePixel In, FilteredPixel Out>
  static void Run(const Taps& taps, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    for (std::size_t y = rows.begin; y < rows.end; ++y) {
      for (std::size_t x = 0; x < out.cols(); ++x) {
        out(y, x) = SaturateTo<Out>(CorrelateAt<Border>(taps, image, y, x));
      }
    }
  }
};

// Do the two views share a byte? Regions of one image side by side do not.
template <class A, class B>
bool Overlap(MatrixView<A> a, MatrixView<B> b) {
  if (a.rows() * a.cols() == 0 || b.rows() * b.cols() == 0) return false;
  const auto begin = [](auto view) {
    return reinterpret_cast<std::uintptr_t>(view.data());
  };
  const auto end = [](auto view) {
    return reinterpret_cast<std::uintptr_t>(view.row(view.rows() - 1) +
                                            view.cols());
  };
  if (end(a) <= begin(b) || end(b) <= begin(a)) return false;
  const std::size_t step = a.stride() * sizeof(A);
  if (step != b.stride() * sizeof(B)) return true;
  // Where b begins in a row of a, and whether it ends before a's next begins.
  const std::size_t offset = (begin(b) + step - begin(a) % step) % step;
  return offset < a.cols() * sizeof(A) || offset + b.cols() * sizeof(B) > step;
}

template <class Taps, SourcePixel In>
constexpr long long LargestSum(const Taps& taps) {
  long long sum = 0;
  for (std::size_t r = 0; r < taps.rows(); ++r) {
    for (std::size_t c = 0; c < taps.cols(); ++c) {
      const long long tap = taps.at(r, c);
      sum += tap < 0 ? -tap : tap;
    }
  }
  return sum * -static_cast<long long>(std::min<long long>(
                   std::numeric_limits<In>::min(),
                   -static_cast<long long>(std::numeric_limits<In>::max())));
}

template <ExecutionPolicy Policy, BorderMode Border, class Taps, class In,
          class Out>
void CheckAndCorrelate(const Taps& taps, MatrixView<In> image,
                       MatrixView<Out> out, Threads threads) {
  using Pixel = std::remove_const_t<In>;
  static_assert(SourcePixel<Pixel>,
                "hpcnn: Correlate reads images of uint8_t, int16_t or float");
  static_assert(FilteredPixel<Out>,
                "hpcnn: Correlate writes uint8_t, int16_t, int32_t or float");
  HPCNN_CHECK(image.rows() == out.rows() && image.cols() == out.cols(),
              "Correlate needs an output of the image's size");
  HPCNN_CHECK(!Overlap(image, out),
              "Correlate cannot work in place: pixels that it has written are "
              "neighbours of those to come");
  if (image.rows() * image.cols() == 0) return;
  threads.ForShares(image.rows(), [&](IndexRange rows) {
    CorrelateKernel<Policy>::template Run<Border>(
        taps, MatrixView<const Pixel>(image), out, rows);
  });
}

// For taps that are constants.
template <class Taps, class In>
constexpr void CheckSumsFitAlways() {
  if constexpr (std::is_same_v<SumOf<In, typename Taps::Tap>, std::int32_t>) {
    static_assert(LargestSum<Taps, In>(Taps{}) <=
                      std::numeric_limits<std::int32_t>::max(),
                  "hpcnn: the taps of this kernel are so large that sums may "
                  "exceed 32 bits; make them float");
  }
}
template <class Taps, class In>
void CheckSumsFit(const Taps& taps) {
  if constexpr (std::is_same_v<SumOf<In, typename Taps::Tap>, std::int32_t>) {
    HPCNN_CHECK((LargestSum<Taps, In>(taps) <=
                 std::numeric_limits<std::int32_t>::max()),
                "the taps are so large that sums may exceed 32 bits");
  }
}

template <ExecutionPolicy Policy, BorderMode Border, class In, class T,
          class Out>
void CorrelateWithView(MatrixView<In> image, MatrixView<T> taps, bool flipped,
                       MatrixView<Out> out, Threads threads) {
  const ViewTaps<std::remove_const_t<T>> view{taps, flipped};
  CheckSumsFit<decltype(view), std::remove_const_t<In>>(view);
  CheckAndCorrelate<Policy, Border>(view, image, out, threads);
}

}  // namespace internal

// image and out: [H, W], any strides, no byte in common. The rows are shared
// among `threads`: a pool, a number, or the caller alone (threads.h).
template <StencilKernel Kernel, ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out>
void Correlate(MatrixView<In> image, MatrixView<Out> out,
               Threads threads = {}) {
  using Taps = internal::KernelTaps<Kernel>;
  internal::CheckSumsFitAlways<Taps, std::remove_const_t<In>>();
  internal::CheckAndCorrelate<Policy, Border>(Taps{}, image, out, threads);
}

// Taps known at run time, their shape [Rows, Cols] at compile time.
template <ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out, std::size_t Rows,
          std::size_t Cols, class T>
void Correlate(MatrixView<In> image, const Stencil<Rows, Cols, T>& stencil,
               MatrixView<Out> out, Threads threads = {}) {
  const internal::StencilTaps<Rows, Cols, T> taps{&stencil};
  internal::CheckSumsFit<decltype(taps), std::remove_const_t<In>>(taps);
  internal::CheckAndCorrelate<Policy, Border>(taps, image, out, threads);
}

// Taps [K, L] known at run time, int or float, any strides. The slowest form.
template <ExecutionPolicy Policy = DefaultPolicy,
          BorderMode Border = ZeroBorder, class In, class Out, class T>
void Correlate(MatrixView<In> image, MatrixView<T> taps, MatrixView<Out> out,
               Threads threads = {}) {
  internal::CorrelateWithView<Policy, Border>(image, taps, false, out, threads);
}

HPCNN_NAMESPACE_END

#if !defined(__CUDACC__)
#include "hpcnn/image/correlate_simd-inl.h"
#endif

#endif  // HPCNN_IMAGE_CORRELATE_H_
