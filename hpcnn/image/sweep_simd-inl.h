// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Takes a filter over an image, in bands of as many rows as its blocks have.

#ifndef HPCNN_IMAGE_SWEEP_SIMD_INL_H_
#define HPCNN_IMAGE_SWEEP_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

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

inline constexpr std::size_t kLine = 64;

// Will blocks of `pixels` results go past the cache? Whole lines pay, so all
// rows must begin at one place of a line.
template <class Out>
bool Streams(MatrixView<Out> out, std::size_t pixels) {
  return out.rows() * out.cols() * sizeof(Out) >= kStreamBytes &&
         out.stride() * sizeof(Out) % kLine == 0 &&
         pixels * sizeof(Out) % kLine == 0;
}

constexpr std::size_t RoundUp(std::size_t n, std::size_t unit) {
  return (n + unit - 1) / unit * unit;
}

// The first column at a line's begin.
template <class Out>
std::size_t FirstAligned(MatrixView<Out> out) {
  const auto at = reinterpret_cast<std::uintptr_t>(out.data());
  return (kLine - at % kLine) % kLine / sizeof(Out);
}

// The rows that a block reads first are fetched ahead: where a processor
// follows fewer streams than a block has rows, large images gain a fifth. This
// far along the row; but where rows are short, the same columns of the band
// below, or the left part of each band would not have been fetched at all (5 to
// 10 % at 512 pixels).
inline constexpr std::size_t kPrefetchBytes = 1024;
inline constexpr std::size_t kShortRowBytes = 4096;

// Where vectors are shorter than lines, some rows of a block pass through a
// buffer in the L1 cache, a strip of so many bytes at a time. Results on their
// way past the cache are put together there, or halves of lines of several rows
// would be written in turn, which takes some AVX2 processors eight times as
// long. And rows that begin in the same set of the cache, as those of 1024
// floats do, find no more than kWays lines there.
inline constexpr bool kStages = HWY_TARGET > HWY_AVX3;
inline constexpr std::size_t kStageBytes = 1024;
inline constexpr std::size_t kSetBytes = 4096;
inline constexpr std::size_t kWays = 8;

// `count` blocks side by side. A function of its own: the largest one here, and
// the same for every border. next: what to prefetch.
template <std::size_t kPixels, class Filter, class Rows, class Target>
HWY_NOINLINE void Blocks(const Filter& filter, const Rows& from,
                         const Rows& next, std::size_t count, Target to) {
  for (std::size_t x = 0; x < count * kPixels; x += kPixels) {
    for (std::size_t i = Filter::kInputs - Filter::kRows; i < Filter::kInputs;
         ++i) {
      const auto* const lines = reinterpret_cast<const char*>(next.at[i] + x);
      for (std::size_t line = 0; line < kPixels * sizeof(*next.at[i]);
           line += kLine) {
        hwy::Prefetch(lines + line);
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
        stream_(Streams(out, Filter::kWide)),
        same_sets_(kStages && image.stride() * sizeof(In) % kSetBytes == 0) {}

  void Run(IndexRange rows) const {
    if (rows.size() == 0) return;  // there are more threads than rows
    if (rows.size() < kRows) {
      Bands<false>(rows);
    } else {
      for (std::size_t y = rows.begin; y < rows.end; y += kBandRows) {
        // Never less than a block's rows, rather some once more.
        Bands<true>(
            {std::min(y, rows.end - kRows), std::min(y + kBandRows, rows.end)});
      }
    }
    // Or another thread that is told of the result might not see all of it.
    if (stream_) hwy::FlushStream();
  }

 private:
  static constexpr Reach kReach = Filter::kReach;
  static constexpr std::size_t kRows = Filter::kRows;
  static constexpr std::size_t kInputs = Filter::kInputs;
  static constexpr std::size_t kNarrow = Filter::kNarrow;
  using Rows = InputRows<In, kInputs>;

  // For so many rows first the edges that are copied are made, then the inside:
  // the copies that edges read are then no longer on their way to the cache, and
  // the image's lines that they touched are still there.
  static constexpr std::size_t kBandRows = 8 * kRows;

  // Does the filter itself put zeros beyond the edges?
  static constexpr bool kOwnEdges =
      Filter::kHasEdges && std::is_same_v<Border, ZeroBorder>;

  // A row of zeros is as long as some blocks.
  static constexpr std::size_t kZeroBlocks = 4;
  static constexpr In kZeros[(kZeroBlocks - 1) * Filter::kWide +
                             Filter::Reads(Filter::kWide)] = {};

  // The row that stands at y + i - kReach.above; null: zeros.
  const In* InputRow(std::size_t y, std::size_t i) const {
    const std::ptrdiff_t row =
        Border::Index(static_cast<std::ptrdiff_t>(y + i) -
                          static_cast<std::ptrdiff_t>(kReach.above),
                      static_cast<std::ptrdiff_t>(image_.rows()));
    return row < 0 ? nullptr : image_.row(static_cast<std::size_t>(row));
  }

  // f(y, count) for every kRows of `rows`, the last ones maybe once more; less
  // only where there are less.
  template <class F>
  static void ForBands(IndexRange rows, const F& f) {
    if (rows.size() < kRows) return f(rows.begin, rows.size());
    for (std::size_t y = rows.begin; y < rows.end; y += kRows) {
      f(std::min(y, rows.end - kRows), kRows);
    }
  }

  // Up to kBandRows output rows; kWhole: at least kRows.
  template <bool kWhole>
  void Bands(IndexRange rows) const {
    constexpr std::size_t kPixels = kWhole ? Filter::kWide : kNarrow;
    // What a block reads beyond its last pixel.
    constexpr std::size_t kBeyond =
        std::max(Filter::Reads(kPixels), kReach.left + kPixels) - kReach.left -
        kPixels;
    const std::size_t cols = image_.cols();
    // `count` blocks from `left` on lie inside with all that they read.
    constexpr std::size_t kUnit = std::max(kNarrow, kLine / sizeof(Out));
    const std::size_t start = stream_ ? FirstAligned(out_) : 0;
    if constexpr (kOwnEdges && kWhole && kReach.left + kBeyond <= kPixels) {
      const std::size_t inside =
          stream_ ? start + (kPixels - start) / kUnit * kUnit : kPixels;
      if (cols >= 2 * kPixels && inside >= kReach.left) {
        return OwnEdges(rows, inside, cols - kBeyond);
      }
    }
    const std::size_t left =
        start >= kReach.left
            ? std::min(cols, start)
            : std::min(cols, start + RoundUp(kReach.left - start,
                                             stream_ ? kUnit : kNarrow));
    const std::size_t end = cols < kBeyond ? 0 : cols - kBeyond;
    const std::size_t count =
        left + kPixels <= end ? (end - left) / kPixels : 0;
    std::size_t right = left + count * kPixels;
    // One more makes some columns again, if that saves an edge.
    const bool again = count > 0 && right + kNarrow < cols && right < end;
    if (again) right = end;

    for (std::size_t x = 0; x < left; x += kNarrow) CopiedEdge(x, rows);
    for (std::size_t x = right; x < cols; x += kNarrow) CopiedEdge(x, rows);
    if (count == 0) return;
    ForBands(rows, [&](std::size_t y, std::size_t n) {
      Inside<kWhole, kPixels>(y, n, left, count, stream_);
      if (again) Inside<kWhole, kPixels>(y, n, end - kPixels, 1, false);
    });
  }

  // The same, where no more than whole blocks inside [0, end) are needed, from
  // `left` on, and one at each edge.
  void OwnEdges(IndexRange rows, std::size_t left, std::size_t end) const {
    constexpr std::size_t kPixels = Filter::kWide;
    const std::size_t last = image_.cols() - kPixels;
    const std::size_t count =
        left + kPixels <= end ? (end - left) / kPixels : 0;
    const bool again = left + count * kPixels < last;
    ForBands(rows, [&](std::size_t y, std::size_t n) {
      EdgeBlock<Edge::kLeft>(y, 0);
      if (count > 0) Inside<true, kPixels>(y, n, left, count, stream_);
      if (again) Inside<true, kPixels>(y, n, end - kPixels, 1, false);
      EdgeBlock<Edge::kRight>(y, last);
    });
  }

  // A block at column x, which is at an edge.
  template <Edge kEdge>
  HWY_NOINLINE void EdgeBlock(std::size_t y, std::size_t x) const {
    Rows from;
    for (std::size_t i = 0; i < kInputs; ++i) {
      const In* const row = InputRow(y, i);
      from.at[i] = row == nullptr ? kZeros + kReach.left : row + x;
    }
    filter_.template Block<Filter::kWide, kEdge>(
        from, 0,
        Target<Out, true>{out_.row(y) + x, out_.stride(), kRows, Filter::kWide,
                          false});
  }

  // Output rows [y, y + rows) of `count` blocks from column x on.
  template <bool kWhole, std::size_t kPixels>
  void Inside(std::size_t y, std::size_t rows, std::size_t x, std::size_t count,
              bool stream) const {
    const In* row[kInputs];
    bool zeros = false;
    for (std::size_t i = 0; i < kInputs; ++i) {
      row[i] =
          i < rows + kReach.above + kReach.below ? InputRow(y, i) : nullptr;
      zeros |= row[i] == nullptr;
    }
    const std::size_t ahead = count * kPixels * sizeof(In) <= kShortRowBytes
                                  ? kRows * image_.stride()
                                  : kPrefetchBytes / sizeof(In);
    const bool stages_in = same_sets_ && kInputs > kWays;
    const bool stages_out =
        kStages && (stream || (same_sets_ && kInputs + kRows > kWays));
    while (count > 0) {
      std::size_t some = zeros ? std::min(count, kZeroBlocks) : count;
      if (stages_in || stages_out) {
        some = std::min(some, Stage<In, kPixels>::kPixels / kPixels);
      }
      Rows from;
      Rows next;
      for (std::size_t i = 0; i < kInputs; ++i) {
        from.at[i] = row[i] == nullptr ? kZeros : row[i] + x - kReach.left;
        next.at[i] = from.at[i] + (stages_in ? some * kPixels : ahead);
      }
      const Target<Out, kWhole> to{out_.row(y) + x, out_.stride(), rows,
                                   out_.cols() - x, stream};
      if (stages_in || stages_out) {
        Staged<kPixels>(stages_in, stages_out, from, next, some, to);
      } else {
        Blocks<kPixels>(filter_, from, next, some, to);
      }
      x += some * kPixels;
      count -= some;
    }
  }

  // Strips of rows, which do not begin in one set of the cache.
  template <class T, std::size_t kBlock>
  struct Stage {
    static constexpr std::size_t kPixels =
        std::max(kStageBytes / std::max(sizeof(In), sizeof(Out)), kBlock);
    static constexpr std::size_t kPitch =
        RoundUp(kPixels + std::max(Filter::Reads(kBlock), kBlock) - kBlock,
                kLine / sizeof(T)) +
        kLine / sizeof(T);
  };

  // Blocks that read or write copies, or both, of at most Stage::kPixels.
  template <std::size_t kPixels, bool kWhole>
  HWY_NOINLINE void Staged(bool in, bool out, Rows from, const Rows& next,
                           std::size_t count,
                           const Target<Out, kWhole>& to) const {
    using InStage = Stage<In, kPixels>;
    using OutStage = Stage<Out, kPixels>;
    HWY_ALIGN In inputs[kInputs][InStage::kPitch];
    HWY_ALIGN Out results[kRows][OutStage::kPitch];
    const std::size_t pixels = count * kPixels;
    if (in) {
      for (std::size_t i = 0; i < kInputs; ++i) {
        std::memcpy(inputs[i], from.at[i],
                    (pixels - kPixels + Filter::Reads(kPixels)) * sizeof(In));
        from.at[i] = inputs[i];
      }
    }
    if (!out) return Blocks<kPixels>(filter_, from, next, count, to);
    Blocks<kPixels>(filter_, from, next, count,
                    Target<Out, kWhole>{results[0], OutStage::kPitch, to.rows,
                                        to.cols, false});
    const hn::ScalableTag<Out> d;
    const std::size_t lanes = hn::Lanes(d);
    for (std::size_t r = 0; r < to.rows; ++r) {
      Out* const row = to.at + r * to.stride;
      std::size_t i = 0;
      if (to.stream) {
        for (; i + lanes <= pixels; i += lanes) {
          hn::Stream(hn::Load(d, results[r] + i), d, row + i);
        }
      }
      std::memcpy(row + i, results[r] + i, (pixels - i) * sizeof(Out));
    }
  }

  // Blocks below each other that see pixels beyond the left or the right edge:
  // they read a copy of these columns with the border filled in.
  [[gnu::noinline]] void CopiedEdge(std::size_t x, IndexRange rows) const {
    constexpr std::ptrdiff_t kReads = Filter::Reads(kNarrow);
    const auto cols = static_cast<std::ptrdiff_t>(image_.cols());
    // Rather some pixels once more than many beyond the edge.
    if (image_.cols() >= kNarrow) x = std::min(x, image_.cols() - kNarrow);
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
    const std::size_t inputs = rows.size() + kReach.above + kReach.below;
    HWY_ALIGN In copies[kBandRows + kReach.above + kReach.below][3 * kReads];
    for (std::size_t i = 0; i < inputs; ++i) {
      In* const copy = copies[i] + kReads;
      const In* const row = InputRow(rows.begin, i);
      if (row == nullptr) {
        std::fill_n(copy, kReads, In{0});
        continue;
      }
      if (cols >= kReads) {
        std::memcpy(copy + (first - start), row + first, kReads * sizeof(In));
      } else {
        std::copy_n(row, cols, copy - start);
      }
      for_beyond([&](std::ptrdiff_t j) {
        copy[j] = stand_in[j] < 0 ? In{0} : row[stand_in[j]];
      });
    }
    ForBands(rows, [&](std::size_t y, std::size_t n) {
      Rows from;
      for (std::size_t i = 0; i < kInputs; ++i) {
        from.at[i] = copies[std::min(y - rows.begin + i, inputs - 1)] + kReads;
      }
      Blocks<kNarrow>(filter_, from, from, 1,
                      Target<Out, false>{out_.row(y) + x, out_.stride(), n,
                                         out_.cols() - x, false});
    });
  }

  const Filter& filter_;
  const MatrixView<const In> image_;
  const MatrixView<Out> out_;
  const bool stream_;
  const bool same_sets_;
};

template <BorderMode Border, class Filter, class In, class Out>
void Sweep(const Filter& filter, MatrixView<const In> image,
           MatrixView<Out> out, IndexRange rows) {
  Sweeper<Border, Filter, In, Out>(filter, image, out).Run(rows);
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_SWEEP_SIMD_INL_H_
