// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Takes a filter over an image, in bands of as many rows as its blocks have.

#ifndef HPCNN_IMAGE_SWEEP_SIMD_INL_H_
#define HPCNN_IMAGE_SWEEP_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/pixel.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Results larger than this leave no room in the cache for the image; written
// past it, they need not be read first.
inline constexpr std::size_t kStreamBytes = std::size_t{16} << 20;

// Will stores of `lanes` results each, from the left, go past the cache? They
// must be aligned, and whole lines pay.
template <class Out>
bool Streams(MatrixView<Out> out, std::size_t lanes) {
  return out.rows() * out.cols() * sizeof(Out) >= kStreamBytes &&
         reinterpret_cast<std::uintptr_t>(out.data()) % 64 == 0 &&
         out.stride() * sizeof(Out) % 64 == 0 && lanes * sizeof(Out) % 64 == 0;
}

// `count` blocks side by side. A function of its own: the largest one here, and
// the same for every border.
template <std::size_t kPixels, class Filter, class Rows, class Out>
HWY_NOINLINE void Blocks(const Filter& filter, const Rows& from,
                         std::size_t first, std::size_t count, Target<Out> to) {
  for (; count > 0; --count) {
    filter.template Block<kPixels>(from, first, to);
    first += kPixels;
    to.at += kPixels;
    to.cols -= kPixels;
  }
}

template <BorderMode Border, class Filter, SourcePixel In, FilteredPixel Out>
class Sweeper {
 public:
  Sweeper(const Filter& filter, MatrixView<const In> image, MatrixView<Out> out)
      : filter_(filter),
        image_(image),
        out_(out),
        stream_(Streams(out, Filter::kNarrow)) {}

  void Run(IndexRange rows) const {
    for (std::size_t y = rows.begin; y < rows.end; y += Filter::kRows) {
      Band(y, std::min(Filter::kRows, rows.end - y));
    }
  }

 private:
  static constexpr Reach kReach = Filter::kReach;
  static constexpr std::size_t kInputs = Filter::kInputs;
  using Rows = InputRows<In, kInputs>;
  static constexpr In kZeros[Filter::Reads(Filter::kWide)] = {};

  // Output rows [y, y + rows).
  void Band(std::size_t y, std::size_t rows) const {
    Rows from;
    for (std::size_t i = 0; i < kInputs; ++i) {
      const std::ptrdiff_t row =
          Border::Index(static_cast<std::ptrdiff_t>(y + i) -
                            static_cast<std::ptrdiff_t>(kReach.above),
                        static_cast<std::ptrdiff_t>(image_.rows()));
      const bool zero = row < 0 || i >= rows + kReach.above + kReach.below;
      from.at[i] = zero ? kZeros : image_.row(static_cast<std::size_t>(row));
      from.mask[i] = zero ? 0 : ~std::size_t{0};
    }
    const std::size_t cols = image_.cols();
    std::size_t x = 0;
    const auto to = [&] {
      return Target<Out>{out_.row(y) + x, out_.stride(), rows, cols - x,
                         stream_};
    };
    // As many blocks as lie inside the image with all that they read.
    const auto inside = [&]<std::size_t kPixels>() {
      constexpr std::size_t kReads =
          std::max(Filter::Reads(kPixels), kReach.left + kPixels);
      if (x < kReach.left || x - kReach.left + kReads > cols) return;
      const std::size_t count =
          (cols - (x - kReach.left) - kReads) / kPixels + 1;
      Blocks<kPixels>(filter_, from, x - kReach.left, count, to());
      x += count * kPixels;
    };
    while (x < cols) {
      inside.template operator()<Filter::kWide>();
      if constexpr (Filter::kNarrow < Filter::kWide) {
        inside.template operator()<Filter::kNarrow>();
      }
      if (x < cols) {
        Edge(from, x, to());
        x += Filter::kNarrow;
      }
    }
  }

  // A block that sees pixels beyond the left or the right edge.
  [[gnu::noinline]] void Edge(const Rows& from, std::size_t x,
                              const Target<Out>& to) const {
    constexpr std::size_t kReads = Filter::Reads(Filter::kNarrow);
    HWY_ALIGN In copies[kInputs][(kReads + 63) / 64 * 64];
    Rows copied = from;
    const auto cols = static_cast<std::ptrdiff_t>(image_.cols());
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(x) -
                                 static_cast<std::ptrdiff_t>(kReach.left);
    // Those inside are copied as they lie.
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, -start);
    const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(
        cols - start, begin, static_cast<std::ptrdiff_t>(kReads));
    for (std::size_t i = 0; i < kInputs; ++i) {
      if (from.mask[i] == 0) continue;
      copied.at[i] = copies[i];
      const auto fill = [&](std::ptrdiff_t first, std::ptrdiff_t last) {
        for (std::ptrdiff_t j = first; j < last; ++j) {
          const std::ptrdiff_t col = Border::Index(start + j, cols);
          copies[i][j] = col < 0 ? In{0} : from.at[i][col];
        }
      };
      fill(0, begin);
      std::copy(from.at[i] + start + begin, from.at[i] + start + end,
                copies[i] + begin);
      fill(end, static_cast<std::ptrdiff_t>(kReads));
    }
    Blocks<Filter::kNarrow>(filter_, copied, 0, 1, to);
  }

  const Filter& filter_;
  const MatrixView<const In> image_;
  const MatrixView<Out> out_;
  const bool stream_;
};

template <BorderMode Border, class Filter, class In, class Out>
void Sweep(const Filter& filter, MatrixView<const In> image,
           MatrixView<Out> out, IndexRange rows) {
  Sweeper<Border, Filter, In, Out>(filter, image, out).Run(rows);
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_SWEEP_SIMD_INL_H_
