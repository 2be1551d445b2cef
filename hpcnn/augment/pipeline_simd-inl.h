// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AugmentPipeline<Simd>: the reference of pipeline.h in 16-bit lanes, one
// vector (32 pixels with AVX-512) at a time.
//
//   1. plane: the image with a black border, each 16-bit word holding a pixel
//      and the one below it. Two neighbouring words are the four neighbours
//      that a position needs.
//   2. warp: positions, words, two vertical and one horizontal interpolation.
//   3. finish: noise, clamp, to float; row ends no longer matter here.
//
// Step 2 fetches words by table lookup where that is one instruction (AVX-512:
// a lookup in 64 words, of which a small rotation touches one to three per row;
// a gather takes several times longer), elsewhere word by word, a row ahead: a
// vector that was stored word by word cannot be loaded at once.

#ifndef HPCNN_AUGMENT_PIPELINE_SIMD_INL_H_
#define HPCNN_AUGMENT_PIPELINE_SIMD_INL_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "hpcnn/augment/pipeline.h"
#include "hpcnn/base/random_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// One lane, or a number of lanes unknown to the compiler.
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE
template <>
struct AugmentKernel<Simd> : AugmentKernel<Scalar> {};
#else
template <>
struct AugmentKernel<Simd> {
  template <std::size_t H, std::size_t W>
  static void Run(TensorView<const std::uint8_t, 1, H, W> image,
                  const FixedWarp& warp, const RandomPlace& noise_place,
                  TensorView<float, 1, H, W> out) {
    // The plane, two bytes a pixel of values, and one of noise.
    static_assert(sizeof(Plane<H, W>) + 3 * H * W <= 16384,
                  "hpcnn: AugmentPipeline works within 16 KiB of stack, which "
                  "this image exceeds; warp it with WarpAffine");
    Plane<H, W> plane;
    FillPlane(image, plane);
    // Rows are stored whole vectors at a time, each over the end of the last.
    alignas(64) std::array<std::uint16_t, RoundUp(H * W, kLanes) + kLanes>
        values;
    Warp(plane, warp, values.data());
    if (warp.noise == 0) {
      Finish(values.data(), out, [](V16 value, std::size_t) { return value; });
    } else {
      AddNoiseAndFinish(values.data(), warp.noise, noise_place, out);
    }
  }

 private:
  using D16 = hwy::HWY_NAMESPACE::ScalableTag<std::uint16_t>;
  using D32 = hwy::HWY_NAMESPACE::Repartition<std::int32_t, D16>;
  using V16 = hwy::HWY_NAMESPACE::Vec<D16>;
  using V32 = hwy::HWY_NAMESPACE::Vec<D32>;
  static constexpr std::size_t kLanes = hwy::HWY_NAMESPACE::MaxLanes(D16());
  // Words in one table lookup.
  static constexpr std::size_t kTable = 2 * kLanes;

  static constexpr std::size_t RoundUp(std::size_t n, std::size_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
  }

  // Row j, column k of the plane is the word of image pixels (j - 1, k - 1) and
  // (j, k - 1). Row H + 1 and columns 0 and from W + 1 on are black.
  template <std::size_t H, std::size_t W>
  struct Plane {
    static constexpr std::size_t kPitch = RoundUp(W + 3, 32);
    static constexpr std::size_t kWords = RoundUp((H + 2) * kPitch + 1, kTable);
    alignas(64) std::array<std::uint16_t, kWords> words;
  };

  template <std::size_t H, std::size_t W>
  static HWY_INLINE void FillPlane(
      TensorView<const std::uint8_t, 1, H, W> image, Plane<H, W>& plane) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const hn::Rebind<std::uint8_t, D16> d8;
    constexpr std::size_t kPitch = Plane<H, W>::kPitch;
    const auto row = [&](std::size_t y, std::size_t x) HWY_ATTR -> V16 {
      if (y >= H || x >= W) return hn::Zero(d);
      const std::uint8_t* from = &image(0, y, x);
      return hn::PromoteTo(d, x + kLanes <= W ? hn::LoadU(d8, from)
                                              : hn::LoadN(d8, from, W - x));
    };
    plane.words[0] = 0;
    for (std::size_t x = 0; x < kPitch; x += kLanes) {
      V16 above = hn::Zero(d);
      for (std::size_t j = 0; j < H + 2; ++j) {
        const V16 below = row(j, x);
        hn::StoreU(hn::Or(above, hn::ShiftLeft<8>(below)), d,
                   &plane.words[j * kPitch + x + 1]);
        above = below;
      }
    }
  }

  // Neighbouring words of the plane: the pixels left and right of a position.
  struct Words {
    V16 left, right;
  };

  // A position on one axis, for a vector of pixels.
  struct Position {
    V16 index;     // row or column of the plane
    V16 fraction;  // units of 2^-15
  };

  // Splits positions on an axis of `size` pixels; two vectors make one.
  static HWY_INLINE Position MakePosition(V32 low, V32 high, std::size_t size) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const auto whole =
        hn::ConcatOdd(d, hn::BitCast(d, high), hn::BitCast(d, low));
    const auto fraction =
        hn::ConcatEven(d, hn::BitCast(d, high), hn::BitCast(d, low));
    // Positions before the plane wrap around and end, with those behind it, at
    // its black end.
    return {hn::Min(whole, hn::Set(d, static_cast<std::uint16_t>(size + 1))),
            hn::ShiftRight<1>(fraction)};
  }

  // Calls f(y, x, y's position in units of 2^-16, column, row) for each vector
  // of pixels, from (y, x) on, with its positions in the plane.
  template <std::size_t H, std::size_t W, class F>
  static HWY_INLINE void ForEachPosition(const FixedWarp& warp, const F& f) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D32 d32;
    // The first vector of the current row. The plane starts one pixel before
    // the image. Stepping from row to row keeps the chain of operations that
    // depend on each other short, which is what limits this loop.
    const auto first = [&](std::int32_t start, std::int32_t step,
                           int lane) HWY_ATTR {
      return hn::Add(hn::Set(d32, start + (1 << 16)),
                     hn::Mul(hn::Iota(d32, lane), hn::Set(d32, step)));
    };
    constexpr int kHalf = kLanes / 2;
    V32 x_low = first(warp.x0, warp.xx, 0);
    V32 x_high = first(warp.x0, warp.xx, kHalf);
    V32 y_low = first(warp.y0, warp.yx, 0);
    V32 y_high = first(warp.y0, warp.yx, kHalf);
    const V32 x_step = hn::Set(d32, warp.xy), y_step = hn::Set(d32, warp.yy);
    std::int32_t y_start = warp.y0 + (1 << 16);
    for (std::size_t y = 0; y < H; ++y) {
      for (std::size_t x = 0; x < W; x += kLanes) {
        const auto columns = static_cast<std::int32_t>(x);
        const V32 dx = hn::Set(d32, warp.xx * columns);
        const V32 dy = hn::Set(d32, warp.yx * columns);
        const Position column =
            MakePosition(hn::Add(x_low, dx), hn::Add(x_high, dx), W);
        const Position row =
            MakePosition(hn::Add(y_low, dy), hn::Add(y_high, dy), H);
        f(y, x, y_start + warp.yx * columns, column, row);
      }
      x_low = hn::Add(x_low, x_step);
      x_high = hn::Add(x_high, x_step);
      y_low = hn::Add(y_low, y_step);
      y_high = hn::Add(y_high, y_step);
      y_start += warp.yy;
    }
  }

  static HWY_INLINE V16 Interpolate(Words words, V16 fx, V16 fy) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const hn::RebindToSigned<D16> di;
    const auto lerp = [&](auto a, auto b, V16 f) HWY_ATTR {
      return hn::Add(a, hn::MulFixedPoint15(hn::Sub(b, a), hn::BitCast(di, f)));
    };
    const auto level = hn::Set(d, 255 * kBrightnessUnit);
    const auto vertical = [&](V16 word) HWY_ATTR {
      const auto top = hn::And(hn::ShiftLeft<7>(word), level);
      const auto bottom = hn::And(hn::ShiftRight<1>(word), level);
      return lerp(hn::BitCast(di, top), hn::BitCast(di, bottom), fy);
    };
    return hn::BitCast(d,
                       lerp(vertical(words.left), vertical(words.right), fx));
  }

#if HWY_TARGET <= HWY_AVX3
  template <std::size_t H, std::size_t W>
  static HWY_INLINE void Warp(const Plane<H, W>& plane, const FixedWarp& warp,
                              std::uint16_t* values) {
    const Fetcher<H, W> fetcher(plane, warp);
    ForEachPosition<H, W>(
        warp, [&](std::size_t y, std::size_t x, std::int32_t start,
                  const Position& column, const Position& row) HWY_ATTR {
          const Words words = fetcher(start, row.index, column.index);
          hwy::HWY_NAMESPACE::StoreU(
              Interpolate(words, column.fraction, row.fraction), D16(),
              values + y * W + x);
        });
  }

  // By table lookup. The rows that one vector of positions touches lie close
  // together: as many tables are searched as those of any vector need.
  template <std::size_t H, std::size_t W>
  class Fetcher {
   public:
    HWY_INLINE Fetcher(const Plane<H, W>& plane, const FixedWarp& warp)
        : words_(plane.words.data()), y_span_(kSpan * warp.yx) {
      const int rows = (std::abs(y_span_) >> 16) + 2;
      tables_ =
          std::min(RoundUp(static_cast<std::size_t>(rows) * kPitch, kTable),
                   kWords) /
          kTable;
    }

    HWY_INLINE Words operator()(std::int32_t y_start, V16 row,
                                V16 column) const {
      namespace hn = hwy::HWY_NAMESPACE;
      const D16 d;
      const std::int32_t top = std::min(y_start, y_start + y_span_) >> 16;
      const auto first_row =
          static_cast<std::size_t>(std::clamp(top, 0, std::int32_t{H}));
      const std::size_t first =
          std::min(first_row * kPitch, kWords - tables_ * kTable);
      const auto set = [&](std::size_t i) HWY_ATTR {
        return hn::Set(d, static_cast<std::uint16_t>(i));
      };
      const V16 left =
          hn::Add(hn::Mul(row, set(kPitch)), hn::Sub(column, set(first)));
      const V16 right = hn::Add(left, set(1));
      const V16 left_table = hn::ShiftRight<kTableBits>(left);
      // Where a table ends between two rows, it holds both of a pair.
      const V16 right_table =
          kPitch <= kTable ? left_table : hn::ShiftRight<kTableBits>(right);
      Words words{hn::Zero(d), hn::Zero(d)};
      const std::uint16_t* table = words_ + first;
      V16 i = hn::Zero(d);
      for (const std::uint16_t* end = table + tables_ * kTable; table != end;
           table += kTable) {
        // As hn::TwoTablesLookupLanes, which demands indices below kTable: the
        // instruction itself ignores their upper bits.
        const auto lookup = [table](V16 index) HWY_ATTR {
          return V16{
              _mm512_permutex2var_epi16(hn::LoadU(D16(), table).raw, index.raw,
                                        hn::LoadU(D16(), table + kLanes).raw)};
        };
        words.left =
            hn::IfThenElse(hn::Eq(left_table, i), lookup(left), words.left);
        words.right =
            hn::IfThenElse(hn::Eq(right_table, i), lookup(right), words.right);
        i = hn::Add(i, set(1));
      }
      return words;
    }

   private:
    static constexpr std::size_t kPitch = Plane<H, W>::kPitch;
    static constexpr std::size_t kWords = Plane<H, W>::kWords;
    static constexpr int kTableBits = std::countr_zero(kTable);
    // From the first to the last position of a vector that is used.
    static constexpr auto kSpan =
        static_cast<std::int32_t>(std::min(kLanes, W)) - 1;

    const std::uint16_t* words_;
    std::int32_t y_span_;
    std::size_t tables_;
  };
#else
  // A row of pixels: their words, left and right at once, and fractions.
  template <std::size_t W>
  struct FetchedRow {
    static constexpr std::size_t kPixels = RoundUp(W, kLanes);
    alignas(64) std::array<std::int32_t, kPixels> pairs;
    alignas(64) std::array<std::uint16_t, kPixels> fx;
    alignas(64) std::array<std::uint16_t, kPixels> fy;
  };

  template <std::size_t H, std::size_t W>
  static HWY_INLINE void Warp(const Plane<H, W>& plane, const FixedWarp& warp,
                              std::uint16_t* values) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    constexpr std::uint16_t kPitch = Plane<H, W>::kPitch;
    FetchedRow<W> rows[2];
    ForEachPosition<H, W>(warp, [&](std::size_t y, std::size_t x, std::int32_t,
                                    const Position& column,
                                    const Position& row) HWY_ATTR {
      FetchedRow<W>& fetched = rows[y % 2];
      alignas(64) std::array<std::uint16_t, kLanes> index;
      hn::Store(hn::Add(hn::Mul(row.index, hn::Set(d, kPitch)), column.index),
                d, index.data());
      for (std::size_t i = 0; i < kLanes; ++i) {
        std::memcpy(&fetched.pairs[x + i], &plane.words[index[i]],
                    sizeof(fetched.pairs[0]));
      }
      hn::Store(column.fraction, d, &fetched.fx[x]);
      hn::Store(row.fraction, d, &fetched.fy[x]);
      if (x + kLanes >= W && y > 0) {
        InterpolateRow(rows[(y - 1) % 2], values + (y - 1) * W);
      }
    });
    InterpolateRow(rows[(H - 1) % 2], values + (H - 1) * W);
  }

  template <std::size_t W>
  static HWY_INLINE void InterpolateRow(const FetchedRow<W>& row,
                                        std::uint16_t* values) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const D32 d32;
    for (std::size_t x = 0; x < W; x += kLanes) {
      const auto low = hn::BitCast(d, hn::Load(d32, &row.pairs[x]));
      const auto high =
          hn::BitCast(d, hn::Load(d32, &row.pairs[x + kLanes / 2]));
      const Words words{hn::ConcatEven(d, high, low),
                        hn::ConcatOdd(d, high, low)};
      hn::StoreU(
          Interpolate(words, hn::Load(d, &row.fx[x]), hn::Load(d, &row.fy[x])),
          d, values + x);
    }
  }
#endif

  template <std::size_t H, std::size_t W>
  static HWY_INLINE void AddNoiseAndFinish(const std::uint16_t* values,
                                           std::int32_t noise,
                                           const RandomPlace& place,
                                           TensorView<float, 1, H, W> out) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const hn::RebindToSigned<D16> di;
    const hn::Rebind<std::uint8_t, D16> d8;
    // Whole Philox vectors: a tail would cost as much as one.
    alignas(64) std::array<std::uint32_t, RoundUp(H * W, 16 * kLanes) / 4>
        words;
    FillRandomBits(place, 0, words);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
    const auto largest = hn::Set(di, static_cast<std::int16_t>(noise));
    const auto middle = hn::Set(di, std::int16_t{-kBrightnessMax});
    Finish(values, out, [&](V16 value, std::size_t i) HWY_ATTR {
      const auto byte = hn::PromoteTo(d, hn::LoadU(d8, bytes + i));
      const auto level =
          hn::Add(hn::BitCast(di, hn::ShiftLeft<8>(byte)), middle);
      const auto sum = hn::SaturatedAdd(hn::BitCast(di, value),
                                        hn::MulFixedPoint15(level, largest));
      return hn::BitCast(d, hn::Min(hn::Max(sum, hn::Zero(di)),
                                    hn::Set(di, std::int16_t{kBrightnessMax})));
    });
  }

  // To float, after `change(vector, index of its first pixel)`.
  template <std::size_t H, std::size_t W, class Change>
  static HWY_INLINE void Finish(const std::uint16_t* values,
                                TensorView<float, 1, H, W> out,
                                const Change& change) {
    namespace hn = hwy::HWY_NAMESPACE;
    const D16 d;
    const D32 d32;
    const hn::RebindToFloat<D32> df;
    const auto scale = hn::Set(df, kBrightnessScale);
    const auto store = [&](V16 value, float* to) HWY_ATTR {
      const auto integer = hn::BitCast(hn::RebindToSigned<D16>(), value);
      const auto low = hn::ConvertTo(df, hn::PromoteLowerTo(d32, integer));
      const auto high = hn::ConvertTo(df, hn::PromoteUpperTo(d32, integer));
      hn::StoreU(hn::Mul(low, scale), df, to);
      hn::StoreU(hn::Mul(high, scale), df, to + kLanes / 2);
    };
    constexpr std::size_t kWhole = H * W / kLanes * kLanes;
    for (std::size_t i = 0; i < kWhole; i += kLanes) {
      store(change(hn::Load(d, values + i), i), out.data() + i);
    }
    if constexpr (kWhole < H * W) {
      alignas(64) std::array<float, kLanes> rest;
      store(change(hn::Load(d, values + kWhole), kWhole), rest.data());
      std::copy_n(rest.data(), H * W - kWhole, out.data() + kWhole);
    }
  }
};
#endif

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_PIPELINE_SIMD_INL_H_
