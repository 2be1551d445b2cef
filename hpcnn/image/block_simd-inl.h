// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the blocks of correlate_simd-inl.h's filters are made of: input rows,
// results, vectors of pixels.

#ifndef HPCNN_IMAGE_BLOCK_SIMD_INL_H_
#define HPCNN_IMAGE_BLOCK_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/unroll.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

namespace hn = hwy::HWY_NAMESPACE;

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

// The first pixel that a block reads of each row.
template <class In, std::size_t kCount>
struct InputRows {
  const In* at[kCount];
};

// Where a block's results go. kWhole: all of it is in the image.
template <class Result, bool kWhole>
struct Target {
  using Out = Result;

  // How many pixels of row r, from column c on, are in the image: 0, or more
  // than any block has.
  HWY_INLINE std::size_t Room(std::size_t r, std::size_t c) const {
    if constexpr (kWhole) return std::numeric_limits<std::size_t>::max();
    return r < rows && c < cols ? cols - c : 0;
  }

  Out* at;             // its first pixel
  std::size_t stride;  // elements from row to row
  std::size_t rows;    // of the block, the first ones are in the image
  std::size_t cols;
  bool stream;  // past the cache
};

inline constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3;  // 32, not 16

// Pixels as T, one a lane.
template <class T, class In>
using PixelTag = hn::Rebind<In, hn::ScalableTag<T>>;
template <class T, class In, class V>
HWY_INLINE auto WidenPixels(V pixels) {
  const hn::ScalableTag<T> d;
  if constexpr (std::is_same_v<T, In>) {
    return pixels;
  } else if constexpr (std::is_same_v<T, float>) {
    const hn::Rebind<std::int32_t, decltype(d)> d32;
    return hn::ConvertTo(d, hn::PromoteTo(d32, pixels));
  } else {
    return hn::PromoteTo(d, pixels);
  }
}
template <class T, class In>
HWY_INLINE auto LoadPixels(const In* from) {
  return WidenPixels<T, In>(hn::LoadU(PixelTag<T, In>(), from));
}

// Does a block end at the image's left or right edge? Zeros are beyond.
enum class Edge { kNone, kLeft, kRight };

// May a load leave out lanes that are not the process's to read?
inline constexpr bool kLeavesOutLanes = HWY_TARGET <= HWY_AVX3;

// The lanes that lie inside, of the vector that begins `offset` from the first
// pixel of a block of so many pixels at an edge.
template <Edge kEdge, class D>
HWY_INLINE auto LanesInside(D d, std::ptrdiff_t offset, std::size_t pixels) {
  const auto first = [&](std::ptrdiff_t n) HWY_ATTR {
    return hn::FirstN(d, static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(
                             n, 0, static_cast<std::ptrdiff_t>(hn::Lanes(d)))));
  };
  if constexpr (kEdge == Edge::kLeft) {
    return hn::Not(first(-offset));
  } else {
    return first(static_cast<std::ptrdiff_t>(pixels) - offset);
  }
}

// That vector; pixels beyond the edge are 0.
template <class T, Edge kEdge, std::size_t kPixels, std::ptrdiff_t kOffset,
          class In>
HWY_INLINE auto LoadPixelsAtEdge(const In* first) {
  const PixelTag<T, In> d;
  constexpr auto kLanes = static_cast<std::ptrdiff_t>(hn::MaxLanes(d));
  constexpr auto kEnd = static_cast<std::ptrdiff_t>(kPixels);
  if constexpr (kEdge == Edge::kLeft ? kOffset >= 0
                                     : kOffset + kLanes <= kEnd) {
    return LoadPixels<T>(first + kOffset);
  } else {
    return WidenPixels<T, In>(hn::MaskedLoad(
        LanesInside<kEdge>(d, kOffset, kPixels), d, first + kOffset));
  }
}

// Are vectors as long as cache lines? Then every load that is not aligned takes
// two lines, and it pays to load each pixel once and to shift it in registers.
template <class T, class In>
inline constexpr bool kShiftsPixels =
    HWY_TARGET <=
    HWY_AVX3&& std::is_same_v<T, float>&& std::is_same_v<In, float>;

// `high` and `low` as one row of lanes, from lane `shift` of `low` on.
template <std::size_t shift, class V>
HWY_INLINE V ShiftedLanes([[maybe_unused]] V high, [[maybe_unused]] V low) {
#if HWY_TARGET <= HWY_AVX3
  return V{_mm512_castsi512_ps(
      _mm512_maskz_alignr_epi32(0xFFFF, _mm512_castps_si512(high.raw),
                                _mm512_castps_si512(low.raw), shift))};
#else
  static_assert(kAlwaysFalse<V>, "hpcnn: only AVX-512 shifts pixels");
#endif
}

// kCount vectors of pixels of a row, side by side, as they are seen from
// several horizontal offsets. Offset 0 is at `from`, but at an edge, where that
// might not be in the row, kAligned is.
template <class T, class In, std::size_t kCount, std::size_t kAligned,
          Edge kEdge>
class PixelRow {
 public:
  using V = hn::Vec<hn::ScalableTag<T>>;

  HWY_INLINE explicit PixelRow(const In* from) : from_(from) {
    if constexpr (kShiftsPixels<T, In>) {
      Unroll<kCount>([&](auto v) __attribute__((always_inline)) {
        pixels_[v] = Load<kAligned + v * kLanes>();
        KeepInRegister(pixels_[v]);
      });
    }
  }

  // Vector v from offset c on.
  template <std::size_t c, std::size_t v>
  HWY_INLINE V At() const {
    constexpr std::size_t kBegin = c + v * kLanes;
    constexpr std::size_t kEnd = kAligned + kCount * kLanes;
    // Of a wide kernel some vectors have none of the pixels at hand.
    if constexpr (!kShiftsPixels<T, In> || kBegin + kLanes <= kAligned ||
                  kBegin >= kEnd) {
      return Load<kBegin>();
    } else {
      constexpr std::size_t kShift = (kBegin + kLanes - kAligned) % kLanes;
      constexpr std::size_t kFirst =
          kBegin < kAligned ? 0 : (kBegin - kAligned) / kLanes;
      const V zero = hn::Zero(hn::ScalableTag<T>());
      if constexpr (kBegin < kAligned) {
        if constexpr (kEdge != Edge::kLeft) return Load<kBegin>();
        return ShiftedLanes<kShift>(pixels_[0], zero);
      } else if constexpr (kShift == 0) {
        return pixels_[kFirst];
      } else if constexpr (kBegin + kLanes > kEnd) {
        if constexpr (kEdge != Edge::kRight) return Load<kBegin>();
        return ShiftedLanes<kShift>(zero, pixels_[kFirst]);
      } else {
        return ShiftedLanes<kShift>(pixels_[kFirst + 1], pixels_[kFirst]);
      }
    }
  }

 private:
  static constexpr std::size_t kLanes = hn::MaxLanes(hn::ScalableTag<T>());

  template <std::size_t kOffset>
  HWY_INLINE V Load() const {
    if constexpr (kEdge == Edge::kNone) {
      return LoadPixels<T>(from_ + kOffset);
    } else {
      return LoadPixelsAtEdge<T, kEdge, kCount * kLanes,
                              static_cast<std::ptrdiff_t>(kOffset) -
                                  static_cast<std::ptrdiff_t>(kAligned)>(from_);
    }
  }

  const In* from_;
  V pixels_[kCount];
};

// tap * x and sum + tap * x, for a tap that the compiler knows.
template <class T, class V>
HWY_INLINE V Scaled(V x, T tap) {
  if (tap == T{1}) return x;
  if (static_cast<T>(T{0} - tap) == T{1})
    return hn::Sub(hn::Zero(hn::DFromV<V>()), x);
  return hn::Mul(x, hn::Set(hn::DFromV<V>(), tap));
}
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

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_BLOCK_SIMD_INL_H_
