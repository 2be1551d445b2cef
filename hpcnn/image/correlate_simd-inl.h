// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Correlate<Simd>. The image is swept in blocks of some rows by some vectors,
// whose sums stay in registers. Each input row of a block is loaded once, at
// each horizontal offset, and serves all output rows that it reaches; the taps
// are constants, so those of 0 are not there at all. What a block does with a
// row is one of three filters:
//
//   LaneFilter  one pixel a lane, in f32, i32, or in 16 bits where no sum can
//               overflow; rows factored (row_factors.h)
//   ByteFilter  four bytes a lane times four taps, summed in i32
//   LoopFilter  as LaneFilter, with taps from memory: those known at run time,
//               and kernels too large to be unrolled
//
// Blocks that reach beyond the image's left or right edge read a copy of their
// few pixels with the border filled in; beyond the top and the bottom other rows
// take the place, or none. The image itself is never copied.

#ifndef HPCNN_IMAGE_CORRELATE_SIMD_INL_H_
#define HPCNN_IMAGE_CORRELATE_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "hpcnn/image/correlate.h"
#include "hpcnn/image/row_factors.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

// f(constant 0), f(constant 1), ...: the index is a constant inside f.
template <std::size_t kCount, class F>
HWY_INLINE void Unroll(const F& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>)
      __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<kCount>{});
}

// Pixels that a filter reads around one, in each direction.
struct Reach {
  std::size_t above;
  std::size_t below;
  std::size_t left;
  std::size_t right;
};
constexpr Reach ReachOf(std::size_t rows, std::size_t cols) {
  return {rows / 2, rows - 1 - rows / 2, cols / 2, cols - 1 - cols / 2};
}

// The input rows of a block. Pixel x of row i is at[i][x & mask[i]]: rows beyond
// the image are a few zeros, at[i][0] to at[i][Reads - 1], for any x.
template <class In, std::size_t kCount>
struct InputRows {
  HWY_INLINE const In* From(std::size_t i, std::size_t x) const {
    return at[i] + (x & mask[i]);
  }
  const In* at[kCount];
  std::size_t mask[kCount];
};

// Where a block's results go.
template <class Out>
struct Target {
  Out* at;             // its first pixel
  std::size_t stride;  // elements from row to row
  std::size_t rows;    // of the block, the first ones are in the image
  std::size_t cols;
  bool stream;  // past the cache
};

// --- vectors ---

// Nothing, but the compiler must have computed `v` here. Without it GCC
// finishes one sum after the other and keeps all the pixels meanwhile, of which
// there are more than registers.
template <class V>
HWY_INLINE void KeepInOrder(V& v) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE2
  asm volatile("" : "+v"(v.raw));
#endif
  (void)v;
}

// Pixels as T, one a lane.
template <class T, class In>
HWY_INLINE auto LoadPixels(const In* from) {
  const hn::ScalableTag<T> d;
  if constexpr (std::is_same_v<T, In>) {
    return hn::LoadU(d, from);
  } else if constexpr (std::is_same_v<T, float>) {
    const hn::Rebind<std::int32_t, decltype(d)> d32;
    return hn::ConvertTo(
        d, hn::PromoteTo(d32, hn::LoadU(hn::Rebind<In, decltype(d)>(), from)));
  } else {
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<In, decltype(d)>(), from));
  }
}

// sum + tap * x, for a tap that the compiler knows.
template <class T, class V>
HWY_INLINE V AddScaled(V sum, V x, T tap) {
  const hn::DFromV<V> d;
  const T minus = static_cast<T>(T{0} - tap);
  if (tap == T{1}) return hn::Add(sum, x);
  if (minus == T{1}) return hn::Sub(sum, x);
  if constexpr (std::is_same_v<T, float>) {
    return hn::MulAdd(hn::Set(d, tap), x, sum);
  } else {
    const auto shift = [](T power) {
      int bits = 0;
      while (bits < 8 && (T{1} << bits) != power) ++bits;
      return bits;  // 8: not a small power of two
    };
    if (shift(tap) < 8) return hn::Add(sum, hn::ShiftLeftSame(x, shift(tap)));
    if (shift(minus) < 8) {
      return hn::Sub(sum, hn::ShiftLeftSame(x, shift(minus)));
    }
    return hn::Add(sum, hn::Mul(x, hn::Set(d, tap)));
  }
}

// Saturates to Out and writes the first `count` lanes.
template <class Out, class V>
HWY_INLINE void StoreSaturated(V sum, Out* to, std::size_t count, bool stream) {
  const hn::DFromV<V> d;
  using T = hn::TFromV<V>;
  if constexpr (std::is_same_v<T, Out>) {
    if (count < hn::Lanes(d)) {
      hn::StoreN(sum, d, to, count);
    } else if (stream) {
      hn::Stream(sum, d, to);
    } else {
      hn::StoreU(sum, d, to);
    }
  } else if constexpr (std::is_same_v<T, float>) {
    constexpr bool kWide = std::is_same_v<Out, std::int32_t>;
    using Limits = std::numeric_limits<Out>;
    const auto low = hn::Set(d, static_cast<float>(Limits::min()));
    const auto high =
        hn::Set(d, kWide ? 2147483520.0f : static_cast<float>(Limits::max()));
    // In this order a NaN becomes `low`.
    StoreSaturated(hn::NearestInt(hn::Min(
                       hn::IfThenElse(hn::Gt(sum, low), sum, low), high)),
                   to, count, stream);
#if HWY_TARGET != HWY_SCALAR  // which has no sums of 16 bits
  } else if constexpr (sizeof(Out) > sizeof(T)) {
    const hn::RepartitionToWide<decltype(d)> wide;
    const hn::RebindToSigned<decltype(wide)> d32;
    const std::size_t half = hn::Lanes(d32);
    const auto part = [&](auto widened, std::size_t done) HWY_ATTR {
      if (count > done) {
        StoreSaturated(hn::BitCast(d32, widened), to + done,
                       std::min(count - done, half), stream);
      }
    };
    part(hn::PromoteLowerTo(wide, sum), 0);
    part(hn::PromoteUpperTo(wide, sum), half);
#endif
  } else if constexpr (std::is_same_v<Out, float>) {
    StoreSaturated(hn::ConvertTo(hn::Rebind<float, decltype(d)>(), sum), to,
                   count, stream);
  } else if constexpr (std::is_same_v<T, std::uint16_t> &&
                       std::is_same_v<Out, std::int16_t>) {
    const hn::RebindToSigned<decltype(d)> d16;
    StoreSaturated(hn::BitCast(d16, hn::Min(sum, hn::Set(d, 0x7FFF))), to,
                   count, stream);
  } else {
    const hn::Rebind<Out, decltype(d)> narrow;
    StoreSaturated(hn::DemoteTo(narrow, sum), to, count, stream);
  }
}

// --- filters ---

inline constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3;  // 32, not 16

// What becomes of a kernel's sums: stored as they are.
struct StoreSum {
  template <class Out, class V>
  static HWY_INLINE void Store(V sum, Out* to, std::size_t count, bool stream) {
    StoreSaturated(sum, to, count, stream);
  }
};

// T: what a lane sums in. Several kernels see the same pixels; Finish gets all
// their sums.
template <class T, SourcePixel In, class Finish, StencilKernel... Kernels>
struct LaneFilter {
 private:
  static constexpr std::size_t kKernels = sizeof...(Kernels);
  static constexpr Reach kReaches[] = {
      ReachOf(Kernels::kTaps.kRows, Kernels::kTaps.kCols)...};
  static constexpr Reach Union() {
    Reach all = kReaches[0];
    for (const Reach& reach : kReaches) {
      all.above = std::max(all.above, reach.above);
      all.below = std::max(all.below, reach.below);
      all.left = std::max(all.left, reach.left);
      all.right = std::max(all.right, reach.right);
    }
    return all;
  }
  static constexpr std::size_t kVectors = 2;

 public:
  using Pixel = In;
  static constexpr Reach kReach = Union();
  // Two ports with a latency of four cycles want eight sums or more; the rest
  // of the registers saves loads.
  static constexpr std::size_t kRows = (kManyRegisters ? 8 : 4) / kKernels;
  static constexpr std::size_t kNarrow = hn::MaxLanes(hn::ScalableTag<T>());
  static constexpr std::size_t kWide = kVectors * kNarrow;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return kReach.left + pixels + kReach.right;
  }

  static constexpr std::size_t kInputs = kRows + kReach.above + kReach.below;

  // kPixels columns of kRows rows; x is the first column that is read.
  template <std::size_t kPixels, class Out>
  HWY_INLINE void Block(const InputRows<In, kInputs>& from, std::size_t x,
                        const Target<Out>& to) const {
    constexpr std::size_t kCount = kPixels / kNarrow;
    using V = hn::Vec<hn::ScalableTag<T>>;
    V sums[kRows][kCount][kKernels];
    Unroll<kRows * kCount * kKernels>([&](
        auto j) __attribute__((always_inline)) {
      sums[j / kKernels / kCount][j / kKernels % kCount][j % kKernels] =
          hn::Zero(hn::ScalableTag<T>());
    });
    Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
      const In* const row = from.From(i, x);
      [&]<std::size_t... K>(std::index_sequence<K...>)
          __attribute__((always_inline)) {
        (AddRow<Kernels, K, i>(row, sums), ...);
      }
      (std::make_index_sequence<kKernels>{});
    });
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      if (r >= to.rows) return;
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        const std::size_t done = v * kNarrow;
        if (kPixels == kNarrow || done < to.cols) {
          [&]<std::size_t... K>(std::index_sequence<K...>)
              __attribute__((always_inline)) {
            Finish::Store(sums[r][v][K]..., to.at + r * to.stride + done,
                          to.cols - done, to.stream);
          }
          (std::make_index_sequence<kKernels>{});
        }
      });
    });
  }

 private:
  // What input row i gives to each output row that it reaches.
  template <class Kernel, std::size_t k, std::size_t i, class Sums>
  static HWY_INLINE void AddRow(const In* row, Sums& sums) {
    using Factors = RowFactors<Kernel>;
    constexpr std::size_t kCount =
        std::extent_v<std::remove_reference_t<Sums>, 1>;
    constexpr std::size_t kDown = kReach.above - kReaches[k].above;
    constexpr std::size_t kAcross = kReach.left - kReaches[k].left;
    Unroll<Factors::kSize>([&](auto g) __attribute__((always_inline)) {
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        const auto x = ApplyBasis<Factors, g>(row + kAcross + v * kNarrow);
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          constexpr std::size_t kFirst = r + kDown;
          if constexpr (i >= kFirst && i < kFirst + Factors::kColumn.kRows) {
            constexpr T kTap = static_cast<T>(Factors::kColumn(i - kFirst, g));
            if constexpr (kTap != T{0}) {
              sums[r][v][k] = AddScaled(sums[r][v][k], x, kTap);
              KeepInOrder(sums[r][v][k]);
            }
          }
        });
      });
    });
  }

  template <class Factors, std::size_t g>
  static HWY_INLINE auto ApplyBasis(const In* row) {
    const hn::ScalableTag<T> d;
    constexpr std::size_t kFirst = FirstTap<Factors>(g);
    constexpr T kFirstTap = static_cast<T>(Factors::kBasis(g, kFirst));
    auto x = LoadPixels<T>(row + kFirst);
    if constexpr (kFirstTap != T{1}) x = hn::Mul(x, hn::Set(d, kFirstTap));
    Unroll<Factors::kBasis.kCols>([&](auto c) __attribute__((always_inline)) {
      constexpr T kTap = static_cast<T>(Factors::kBasis(g, c));
      if constexpr (c > kFirst && kTap != T{0}) {
        x = AddScaled(x, LoadPixels<T>(row + c), kTap);
      }
    });
    return x;
  }
  template <class Factors>
  static constexpr std::size_t FirstTap(std::size_t g) {
    for (std::size_t c = 0; c < Factors::kBasis.kCols; ++c) {
      if (Factors::kBasis(g, c) != 0) return c;
    }
    return 0;
  }
};

#if HWY_TARGET != HWY_SCALAR
// Bytes with taps of -128 to 127. A lane of vector s holds the sum for pixel
// 4 * lane + s: so a plain load, at offset s, puts four neighbours into each
// lane, and one instruction multiplies all of them.
template <StencilKernel Kernel>
struct ByteFilter {
 private:
  static constexpr auto kTaps = Kernel::kTaps;
  static constexpr std::size_t kGroups = (kTaps.kCols + 3) / 4;
  using D32 = hn::ScalableTag<std::int32_t>;
  using D16 = hn::ScalableTag<std::int16_t>;
  using D8 = hn::ScalableTag<std::uint8_t>;
  using V32 = hn::Vec<D32>;

 public:
  using Pixel = std::uint8_t;
  static constexpr Reach kReach = ReachOf(kTaps.kRows, kTaps.kCols);
  static constexpr std::size_t kRows = kManyRegisters ? 5 : 2;
  static constexpr std::size_t kWide = hn::MaxLanes(D8());
  static constexpr std::size_t kNarrow = kWide;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return pixels + 3 + 4 * (kGroups - 1);
  }

  static constexpr std::size_t kInputs = kRows + kTaps.kRows - 1;

  template <std::size_t kPixels, class Out>
  HWY_INLINE void Block(const InputRows<std::uint8_t, kInputs>& from,
                        std::size_t first, const Target<Out>& to) const {
    // From memory: as constants they would pass through the port that
    // multiplies.
    const std::int32_t* taps_at = &kFourTaps.taps[0][0];
    asm("" : "+r"(taps_at));
    V32 sums[kRows][4];
    Unroll<4 * kRows>([&](auto j) __attribute__((always_inline)) {
      sums[j / 4][j % 4] = hn::Zero(D32());
    });
    Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
      const std::uint8_t* const row = from.From(i, first);
      Unroll<kGroups>([&](auto g) __attribute__((always_inline)) {
        hn::Vec<D8> x[4];
        Unroll<4>([&](auto s) __attribute__((always_inline)) {
          x[s] = hn::LoadU(D8(), row + 4 * g + s);
        });
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (i >= r && i < r + kTaps.kRows) {
            if constexpr (kFourTaps(i - r, g) != 0) {
              const auto taps =
                  hn::BitCast(hn::ScalableTag<std::int8_t>(),
                              hn::Set(D32(), taps_at[(i - r) * kGroups + g]));
              Unroll<4>([&](auto s) __attribute__((always_inline)) {
                sums[r][s] =
                    hn::SumOfMulQuadAccumulate(D32(), x[s], taps, sums[r][s]);
                KeepInOrder(sums[r][s]);
              });
            }
          }
        });
      });
    });
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      if (r >= to.rows) return;
      Out* const at = to.at + r * to.stride;
      if (to.cols >= kWide) {
        Store(sums[r], at, to.stream);
      } else {
        HWY_ALIGN Out whole[kWide];
        Store(sums[r], whole, false);
        std::copy_n(whole, to.cols, at);
      }
    });
  }

 private:
  // [r, g]: the taps of columns 4 g to 4 g + 3 of row r, one a byte.
  static constexpr auto PackTaps() {
    Stencil<kTaps.kRows, kGroups> packed{};
    for (std::size_t r = 0; r < kTaps.kRows; ++r) {
      for (std::size_t c = 0; c < kTaps.kCols; ++c) {
        packed.taps[r][c / 4] |= static_cast<int>(
            (static_cast<unsigned>(kTaps(r, c)) & 0xFFu) << (8 * (c % 4)));
      }
    }
    return packed;
  }
  static constexpr auto kFourTaps = PackTaps();

  template <class Out>
  static HWY_INLINE void Store(const V32 (&sums)[4], Out* to, bool stream) {
    if constexpr (std::is_same_v<Out, std::int32_t>) {
      hn::StoreInterleaved4(sums[0], sums[1], sums[2], sums[3], D32(), to);
    } else if constexpr (std::is_same_v<Out, float>) {
      const hn::ScalableTag<float> d;
      hn::StoreInterleaved4(
          hn::ConvertTo(d, sums[0]), hn::ConvertTo(d, sums[1]),
          hn::ConvertTo(d, sums[2]), hn::ConvertTo(d, sums[3]), d, to);
    } else {
      // In each block of 128 bits: 0 0 0 0 2 2 2 2 and 1 1 1 1 3 3 3 3, from
      // those 01 01 01 01 and 23 23 23 23, and then in order.
      const auto even = hn::ReorderDemote2To(D16(), sums[0], sums[2]);
      const auto odd = hn::ReorderDemote2To(D16(), sums[1], sums[3]);
      const auto low =
          hn::BitCast(D32(), hn::InterleaveLower(D16(), even, odd));
      const auto high =
          hn::BitCast(D32(), hn::InterleaveUpper(D16(), even, odd));
      const auto first =
          hn::BitCast(D16(), hn::InterleaveWholeLower(D32(), low, high));
      const auto second =
          hn::BitCast(D16(), hn::InterleaveWholeUpper(D32(), low, high));
      StoreSaturated(first, to, kWide, stream);
      StoreSaturated(second, to + kWide / 2, kWide, stream);
    }
  }
};
#endif

// Taps from memory. Unrolled over the rows, not over the columns.
template <class T, SourcePixel In, std::size_t Rows, std::size_t Cols>
struct LoopFilter {
 private:
  static constexpr std::size_t kVectors = 2;

 public:
  using Pixel = In;
  static constexpr Reach kReach = ReachOf(Rows, Cols);
  // Tall and narrow: a load that is not aligned costs two, and each one serves
  // up to Rows sums of its column. Not taller: the taps of a column stay in
  // registers, too, and where rows lie some KiB apart those of a block must
  // find room in one set of the L1 cache.
  static constexpr std::size_t kRows = kManyRegisters ? 8 : 4;
  static constexpr std::size_t kNarrow = hn::MaxLanes(hn::ScalableTag<T>());
  static constexpr std::size_t kWide = kVectors * kNarrow;
  static constexpr std::size_t Reads(std::size_t pixels) {
    return pixels + Cols - 1;
  }

  static constexpr std::size_t kInputs = kRows + Rows - 1;

  template <class Taps>
  explicit LoopFilter(const Taps& taps) {
    for (std::size_t r = 0; r < Rows; ++r) {
      for (std::size_t c = 0; c < Cols; ++c) {
        taps_[c][r] = static_cast<T>(taps.at(r, c));
      }
    }
  }

  template <std::size_t kPixels, class Out>
  HWY_INLINE void Block(const InputRows<In, kInputs>& from, std::size_t first,
                        const Target<Out>& to) const {
    const hn::ScalableTag<T> d;
    constexpr std::size_t kCount = kPixels / kNarrow;
    using V = hn::Vec<decltype(d)>;
    V sums[kRows][kCount];
    Unroll<kRows * kCount>([&](auto j) __attribute__((always_inline)) {
      sums[j / kCount][j % kCount] = hn::Zero(d);
    });
    for (std::size_t c = 0; c < Cols; ++c) {
      Unroll<kInputs>([&](auto i) __attribute__((always_inline)) {
        V x[kCount];
        Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
          x[v] = LoadPixels<T>(from.From(i, first) + c + v * kNarrow);
        });
        Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
          if constexpr (i >= r && i < r + Rows) {
            const V tap = hn::Set(d, taps_[c][i - r]);
            Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
              sums[r][v] = hn::MulAdd(tap, x[v], sums[r][v]);
              KeepInOrder(sums[r][v]);
            });
          }
        });
      });
    }
    Unroll<kRows>([&](auto r) __attribute__((always_inline)) {
      if (r >= to.rows) return;
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        const std::size_t done = v * kNarrow;
        if (done < to.cols) {
          StoreSaturated(sums[r][v], to.at + r * to.stride + done,
                         to.cols - done, to.stream);
        }
      });
    });
  }

 private:
  T taps_[Cols][Rows];
};

// --- the sweep ---

// Results larger than this leave no room in the cache for the image; written
// past it, they need not be read first.
inline constexpr std::size_t kStreamBytes = std::size_t{16} << 20;

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
        // A vector that is streamed must be aligned, and whole lines pay.
        stream_(out.rows() * out.cols() * sizeof(Out) >= kStreamBytes &&
                reinterpret_cast<std::uintptr_t>(out.data()) % 64 == 0 &&
                out.stride() * sizeof(Out) % 64 == 0 &&
                Filter::kNarrow * sizeof(Out) % 64 == 0) {}

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

// --- which filter ---

// Does every sum of bytes fit 16 bits, signed or unsigned?
template <StencilKernel Kernel>
struct ShortSums {
  static constexpr long long Part(int sign) {
    long long part = 0;
    for (const auto& row : Kernel::kTaps.taps) {
      for (const auto tap : row) {
        if (tap * sign > 0) part += static_cast<long long>(tap) * sign;
      }
    }
    return 255 * part;
  }
  static constexpr bool kUnsigned = Part(-1) == 0 && Part(1) <= 65535;
  static constexpr bool kSigned = Part(-1) <= 32768 && Part(1) <= 32767;
  using Type = std::conditional_t<kSigned, std::int16_t, std::uint16_t>;
};

template <StencilKernel Kernel>
constexpr bool TapsFitBytes() {
  for (const auto& row : Kernel::kTaps.taps) {
    for (const auto tap : row) {
      if (tap < -128 || tap > 127) return false;
    }
  }
  return true;
}

// A block of more taps than this, unrolled, leaves the cache of decoded
// instructions; nor does it pay where there is hardly a zero to be dropped.
inline constexpr std::size_t kUnrolledTaps = 40;

template <StencilKernel Kernel, class Sum, SourcePixel In>
auto MakeLaneFilter() {
  using Factors = RowFactors<Kernel>;
  constexpr std::size_t kTaps = NonZeroTaps(Factors::kColumn);
  constexpr bool kDense = Factors::kKind == Factorisation::kTaps &&
                          ZeroTaps(Factors::kColumn) * 4 < kTaps;
  if constexpr (kTaps <= kUnrolledTaps && !kDense) {
    return LaneFilter<Sum, In, StoreSum, Kernel>();
  } else {
    return LoopFilter<Sum, In, Kernel::kTaps.kRows, Kernel::kTaps.kCols>(
        KernelTaps<Kernel>{});
  }
}

template <StencilKernel Kernel, SourcePixel In>
auto MakeFilter() {
  using Sum = SumOf<In, typename KernelTaps<Kernel>::Tap>;
#if HWY_TARGET != HWY_SCALAR
  if constexpr (std::is_same_v<In, std::uint8_t> &&
                std::is_same_v<Sum, std::int32_t>) {
    using Short = ShortSums<Kernel>;
    constexpr bool kFactored =
        RowFactors<Kernel>::kKind != Factorisation::kTaps;
    if constexpr (kFactored && (Short::kSigned || Short::kUnsigned)) {
      return LaneFilter<typename Short::Type, In, StoreSum, Kernel>();
    } else if constexpr (TapsFitBytes<Kernel>()) {
      return ByteFilter<Kernel>();
    } else {
      return MakeLaneFilter<Kernel, Sum, In>();
    }
  } else
#endif
    return MakeLaneFilter<Kernel, Sum, In>();
}

// Taps [K, L] of any shape: the columns that no border concerns in vectors, the
// others one by one.
template <BorderMode Border, class T, SourcePixel In, FilteredPixel Out>
void CorrelateView(const ViewTaps<T>& taps, MatrixView<const In> image,
                   MatrixView<Out> out, IndexRange rows) {
  using Sum = SumOf<In, T>;
  const hn::ScalableTag<Sum> d;
  using V = hn::Vec<decltype(d)>;
  constexpr std::size_t kVectors = 4;
  const std::size_t lanes = hn::Lanes(d);
  const Reach reach = ReachOf(taps.rows(), taps.cols());
  for (std::size_t y = rows.begin; y < rows.end; ++y) {
    const auto block = [&]<std::size_t kCount>(std::size_t x) HWY_ATTR {
      V sums[kCount];
      for (V& sum : sums) sum = hn::Zero(d);
      for (std::size_t r = 0; r < taps.rows(); ++r) {
        const std::ptrdiff_t row =
            Border::Index(static_cast<std::ptrdiff_t>(y + r) -
                              static_cast<std::ptrdiff_t>(reach.above),
                          static_cast<std::ptrdiff_t>(image.rows()));
        if (row < 0) continue;
        const In* const from =
            image.row(static_cast<std::size_t>(row)) + x - reach.left;
        for (std::size_t c = 0; c < taps.cols(); ++c) {
          const V tap = hn::Set(d, static_cast<Sum>(taps.at(r, c)));
          for (std::size_t v = 0; v < kCount; ++v) {
            sums[v] =
                hn::MulAdd(tap, LoadPixels<Sum>(from + c + v * lanes), sums[v]);
          }
        }
      }
      for (std::size_t v = 0; v < kCount; ++v) {
        StoreSaturated(sums[v], out.row(y) + x + v * lanes, lanes, false);
      }
    };
    std::size_t x = 0;
    while (x < out.cols()) {
      const std::size_t room = image.cols() - x;  // to the right edge
      if (x < reach.left || room < lanes + reach.right) {
        out(y, x) = SaturateTo<Out>(CorrelateAt<Border>(taps, image, y, x));
        ++x;
      } else if (room < kVectors * lanes + reach.right) {
        block.template operator()<1>(x);
        x += lanes;
      } else {
        block.template operator()<kVectors>(x);
        x += kVectors * lanes;
      }
    }
  }
}

template <>
struct CorrelateKernel<Simd> {
#if HWY_HAVE_SCALABLE
  // Blocks are laid out for vectors whose length the compiler knows.
  template <BorderMode Border, class Taps, SourcePixel In, FilteredPixel Out>
  static void Run(const Taps& taps, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    CorrelateKernel<Scalar>::Run<Border>(taps, image, out, rows);
  }
#else
  template <BorderMode Border, StencilKernel Kernel, SourcePixel In,
            FilteredPixel Out>
  static void Run(const KernelTaps<Kernel>&, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    Sweep<Border>(MakeFilter<Kernel, In>(), image, out, rows);
  }

  template <BorderMode Border, std::size_t Rows, std::size_t Cols, class T,
            SourcePixel In, FilteredPixel Out>
  static void Run(const StencilTaps<Rows, Cols, T>& taps,
                  MatrixView<const In> image, MatrixView<Out> out,
                  IndexRange rows) {
    Sweep<Border>(LoopFilter<SumOf<In, T>, In, Rows, Cols>(taps), image, out,
                  rows);
  }

  template <BorderMode Border, class T, SourcePixel In, FilteredPixel Out>
  static void Run(const ViewTaps<T>& taps, MatrixView<const In> image,
                  MatrixView<Out> out, IndexRange rows) {
    CorrelateView<Border>(taps, image, out, rows);
  }
#endif
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_CORRELATE_SIMD_INL_H_
