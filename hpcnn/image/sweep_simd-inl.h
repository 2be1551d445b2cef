// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Takes a filter over an image, in bands of as many rows as its blocks have.

#ifndef HPCNN_IMAGE_SWEEP_SIMD_INL_H_
#define HPCNN_IMAGE_SWEEP_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/block_simd-inl.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/pixel.h"
#include "hwy/cache_control.h"
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

// The rows that a block reads first, this far ahead: where a processor follows
// fewer streams than a block has rows, large images gain a fifth.
inline constexpr std::size_t kPrefetchBytes = 1024;

// `count` blocks side by side. A function of its own: the largest one here, and
// the same for every border.
template <std::size_t kPixels, class Filter, class Rows, class Target>
HWY_NOINLINE void Blocks(const Filter& filter, const Rows& from,
                         std::size_t count, Target to) {
  for (std::size_t x = 0; x < count * kPixels; x += kPixels) {
    for (std::size_t i = Filter::kInputs - Filter::kRows; i < Filter::kInputs;
         ++i) {
      const auto* const ahead =
          reinterpret_cast<const char*>(from.at[i] + x) + kPrefetchBytes;
      for (std::size_t line = 0; line < kPixels * sizeof(*from.at[i]);
           line += 64) {
        hwy::Prefetch(ahead + line);
      }
    }
    filter.template Block<kPixels>(from, x, to);
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
    constexpr std::size_t kRows = Filter::kRows;
    if (rows.size() < kRows) return Band<false>(rows.begin, rows.size());
    for (std::size_t y = rows.begin; y < rows.end; y += kRows) {
      // The last band makes some rows of the one before again.
      Band<true>(std::min(y, rows.end - kRows), kRows);
    }
  }

 private:
  static constexpr Reach kReach = Filter::kReach;
  static constexpr std::size_t kInputs = Filter::kInputs;
  static constexpr std::size_t kNarrow = Filter::kNarrow;
  using Rows = InputRows<In, kInputs>;

  // A row of zeros is as long as some blocks.
  static constexpr std::size_t kZeroBlocks = 4;
  static constexpr In kZeros[(kZeroBlocks - 1) * Filter::kWide +
                             Filter::Reads(Filter::kWide)] = {};

  // Output rows [y, y + rows); kWhole: kRows of them.
  template <bool kWhole>
  void Band(std::size_t y, std::size_t rows) const {
    Rows from;  // null: zeros
    bool zeros = false;
    for (std::size_t i = 0; i < kInputs; ++i) {
      const std::ptrdiff_t row =
          Border::Index(static_cast<std::ptrdiff_t>(y + i) -
                            static_cast<std::ptrdiff_t>(kReach.above),
                        static_cast<std::ptrdiff_t>(image_.rows()));
      const bool zero = row < 0 || i >= rows + kReach.above + kReach.below;
      from.at[i] = zero ? nullptr : image_.row(static_cast<std::size_t>(row));
      zeros |= zero;
    }
    const std::size_t cols = image_.cols();
    const auto to = [&]<bool kWholeBlocks>(std::size_t x, bool stream) {
      return Target<Out, kWholeBlocks>{out_.row(y) + x, out_.stride(), rows,
                                       cols - x, stream};
    };
    const auto edge = [&](std::size_t x) {
      Edge(from, x, to.template operator()<false>(x, false));
    };
    // `count` blocks from column x on that read inside the image.
    constexpr std::size_t kPixels = kWhole ? Filter::kWide : kNarrow;
    const auto inside = [&](std::size_t x, std::size_t count, bool stream) {
      while (count > 0) {
        const std::size_t some = zeros ? std::min(count, kZeroBlocks) : count;
        Rows moved;
        for (std::size_t i = 0; i < kInputs; ++i) {
          moved.at[i] =
              from.at[i] == nullptr ? kZeros : from.at[i] + x - kReach.left;
        }
        Blocks<kPixels>(filter_, moved, some,
                        to.template operator()<kWhole>(x, stream));
        x += some * kPixels;
        count -= some;
      }
    };

    std::size_t x = 0;
    for (; x < kReach.left && x < cols; x += kNarrow) edge(x);
    // Whole blocks end before `end`.
    constexpr std::size_t kBeyond =
        std::max(Filter::Reads(kPixels), kReach.left + kPixels) - kReach.left -
        kPixels;
    const std::size_t end = cols < kBeyond ? 0 : cols - kBeyond;
    if (x + kPixels <= end) {
      const std::size_t count = (end - x) / kPixels;
      inside(x, count, stream_);
      x += count * kPixels;
      if (x + kNarrow < cols && x < end) {  // more than an edge
        inside(end - kPixels, 1, false);
        x = end;
      }
    }
    for (; x < cols; x += kNarrow) edge(x);
  }

  // A block that sees pixels beyond the left or the right edge: it reads a copy
  // of its few pixels with the border filled in.
  [[gnu::noinline]] void Edge(const Rows& from, std::size_t x,
                              Target<Out, false> to) const {
    constexpr std::ptrdiff_t kReads = Filter::Reads(kNarrow);
    const auto cols = static_cast<std::ptrdiff_t>(image_.cols());
    // Rather some pixels once more than many beyond the edge.
    if (to.cols < kNarrow && image_.cols() >= kNarrow) {
      to.at -= kNarrow - to.cols;
      x -= kNarrow - to.cols;
      to.cols = kNarrow;
    }
    const std::ptrdiff_t start = static_cast<std::ptrdiff_t>(x) -
                                 static_cast<std::ptrdiff_t>(kReach.left);
    // [begin, end) of what is read is inside; of the rest, the columns that
    // stand in, or -1 for a zero.
    const std::ptrdiff_t begin = std::max<std::ptrdiff_t>(0, -start);
    const std::ptrdiff_t end = std::min(cols - start, kReads);
    std::ptrdiff_t stand_in[kReads];
    const auto for_beyond = [&](auto f) {
      for (std::ptrdiff_t j = 0; j < begin; ++j) f(j);
      for (std::ptrdiff_t j = end; j < kReads; ++j) f(j);
    };
    for_beyond([&](std::ptrdiff_t j) {
      stand_in[j] = Border::Index(start + j, cols);
    });
    // A copy of a size that the compiler knows, if the image is so wide; what
    // it has too much is before or behind what is read.
    const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(
        start, 0, std::max<std::ptrdiff_t>(0, cols - kReads));
    HWY_ALIGN In copies[kInputs][3 * kReads];
    Rows copied;
    for (std::size_t i = 0; i < kInputs; ++i) {
      In* const copy = copies[i] + kReads;
      copied.at[i] = from.at[i] == nullptr ? kZeros : copy;
      if (from.at[i] == nullptr) continue;
      if (cols >= kReads) {
        std::memcpy(copy + (first - start), from.at[i] + first,
                    kReads * sizeof(In));
      } else {
        std::copy_n(from.at[i], cols, copy - start);
      }
      for_beyond([&](std::ptrdiff_t j) {
        copy[j] = stand_in[j] < 0 ? In{0} : from.at[i][stand_in[j]];
      });
    }
    Blocks<kNarrow>(filter_, copied, 1, to);
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
