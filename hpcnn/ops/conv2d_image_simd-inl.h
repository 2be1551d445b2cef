// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Conv2dImage<Simd>: tiles of some kernels by some vectors of pixels. Rows of an
// image are seldom of whole vectors; where what is left takes no more than half
// of one, two rows share it.

#ifndef HPCNN_OPS_CONV2D_IMAGE_SIMD_INL_H_
#define HPCNN_OPS_CONV2D_IMAGE_SIMD_INL_H_

#include <algorithm>
#include <cstddef>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/conv2d_image.h"
#include "hpcnn/ops/gemm_sizes_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// The vectors of a strip: some rows of so many columns.
template <class T, std::size_t kWidth>
struct ConvStrip {
  static constexpr std::size_t kLanes = kLanesOf<T>;
  static constexpr std::size_t kWhole = kWidth / kLanes;
  static constexpr std::size_t kRest = kWidth % kLanes;
  static constexpr bool kPairs = kRest > 0 && 2 * kRest <= kLanes;

  static constexpr std::size_t Vectors(std::size_t rows) {
    return rows * kWhole + (kRest == 0 ? 0 : kPairs ? (rows + 1) / 2 : rows);
  }

  enum class Kind { kWhole, kRest, kTwoRests };
  struct Place {
    std::size_t row;
    std::size_t col;
    Kind kind;
  };
  // Where vector v of a strip begins: whole ones first.
  static constexpr Place PlaceOf(std::size_t rows, std::size_t v) {
    if constexpr (kWhole > 0) {
      if (v < rows * kWhole) {
        return {v / kWhole, v % kWhole * kLanes, Kind::kWhole};
      }
    }
    const std::size_t rest = v - rows * kWhole;
    if (!kPairs) return {rest, kWhole * kLanes, Kind::kRest};
    return {2 * rest, kWhole * kLanes,
            2 * rest + 1 < rows ? Kind::kTwoRests : Kind::kRest};
  }
};

struct ConvTiling {
  std::size_t kernels;
  std::size_t rows;
};

template <class S, class T>
struct Conv2dImageSimd {
  // Columns that tiles of three vectors take, where there are many.
  static constexpr std::size_t kBodyVectors = 3;
  static constexpr std::size_t kBody = kBodyVectors * kLanesOf<T>;
  static constexpr std::size_t kBodies =
      S::kCols > kBody + kLanesOf<T> ? S::kCols / kBody : 0;
  static constexpr std::size_t kRest = S::kCols - kBodies * kBody;
  static constexpr std::size_t kImageSize = S::kRows * S::kCols;

  template <std::size_t kWidth>
  static constexpr ConvTiling BestTiling() {
    using Strip = ConvStrip<T, kWidth>;
    ConvTiling best{};
    std::size_t least = static_cast<std::size_t>(-1);
    for (std::size_t rows = 1; rows <= std::min<std::size_t>(S::kRows, 8);
         ++rows) {
      for (std::size_t kernels = std::min(S::kKernels, kGemmSums); kernels > 0;
           --kernels) {
        if (kernels * Strip::Vectors(rows) > kGemmSums) continue;
        // As in a matrix product, and a bit for each further kind of tile.
        const auto strip = [&](std::size_t k, std::size_t r) {
          const std::size_t v = Strip::Vectors(r);
          return std::max({k * v, k + v, std::size_t{8}});
        };
        const auto strips = [&](std::size_t k) {
          return S::kRows / rows * strip(k, rows) +
                 (S::kRows % rows == 0 ? 0 : strip(k, S::kRows % rows) + 1);
        };
        const std::size_t rest = S::kKernels % kernels;
        const std::size_t cost = S::kKernels / kernels * strips(kernels) +
                                 (rest == 0 ? 0 : strips(rest) + 1);
        if (cost < least) {
          least = cost;
          best = {kernels, rows};
        }
      }
    }
    return best;
  }

  static void Run(const T* x, const T* w, T* y, bool keep_old) {
    if constexpr (kBodies > 0) Columns<kBody>(x, w, y, kBodies, keep_old);
    if constexpr (kRest > 0) {
      Columns<kRest>(x + kBodies * kBody, w, y + kBodies * kBody, 1, keep_old);
    }
  }

 private:
  // `count` times so many columns.
  template <std::size_t kWidth>
  static void Columns(const T* x, const T* w, T* y, std::size_t count,
                      bool keep_old) {
    constexpr ConvTiling kTiling = BestTiling<kWidth>();
    const auto strips = [&]<std::size_t kKernels>(std::size_t o) HWY_ATTR {
      const auto tiles = [&]<std::size_t kRows>(std::size_t row) HWY_ATTR {
        for (std::size_t i = 0; i < count; ++i) {
          Tile<kKernels, kRows, kWidth>(
              x + row * S::kInCols + i * kWidth, w + o * S::kKernelStep,
              y + o * kImageSize + row * S::kCols + i * kWidth, keep_old);
        }
      };
      constexpr std::size_t kLast = S::kRows % kTiling.rows;
      for (std::size_t row = 0; row + kTiling.rows <= S::kRows;
           row += kTiling.rows) {
        tiles.template operator()<kTiling.rows>(row);
      }
      if constexpr (kLast > 0) {
        tiles.template operator()<kLast>(S::kRows - kLast);
      }
    };
    constexpr std::size_t kLast = S::kKernels % kTiling.kernels;
    for (std::size_t o = 0; o + kTiling.kernels <= S::kKernels;
         o += kTiling.kernels) {
      strips.template operator()<kTiling.kernels>(o);
    }
    if constexpr (kLast > 0) {
      strips.template operator()<kLast>(S::kKernels - kLast);
    }
  }

  template <std::size_t kKernels, std::size_t kRows, std::size_t kWidth>
  HWY_INLINE static void Tile(const T* x, const T* w, T* y, bool keep_old) {
    using Strip = ConvStrip<T, kWidth>;
    using Kind = typename Strip::Kind;
    constexpr std::size_t kVectors = Strip::Vectors(kRows);
    const hn::ScalableTag<T> d;
    using V = hn::Vec<decltype(d)>;
    const auto load = [&](const T* from, std::size_t step,
                          std::size_t v) HWY_ATTR {
      const typename Strip::Place place = Strip::PlaceOf(kRows, v);
      const T* const p = from + place.row * step + place.col;
      if (place.kind == Kind::kWhole) return hn::LoadU(d, p);
#if HWY_TARGET != HWY_SCALAR
      if constexpr (Strip::kPairs) {
        if (place.kind == Kind::kTwoRests) {
          const hn::Half<decltype(d)> half;
          return hn::Combine(d, hn::LoadN(half, p + step, Strip::kRest),
                             hn::LoadN(half, p, Strip::kRest));
        }
      }
#endif
      return hn::LoadN(d, p, Strip::kRest);
    };
    const auto store = [&](V value, T* to, std::size_t v) HWY_ATTR {
      const typename Strip::Place place = Strip::PlaceOf(kRows, v);
      T* const p = to + place.row * S::kCols + place.col;
      if (place.kind == Kind::kWhole) return hn::StoreU(value, d, p);
      hn::StoreN(value, d, p, Strip::kRest);
#if HWY_TARGET != HWY_SCALAR
      if constexpr (Strip::kPairs) {
        if (place.kind == Kind::kTwoRests) {
          const hn::Half<decltype(d)> half;
          auto upper = hn::UpperHalf(half, value);
          // GCC would make one instruction of it, which touches what its mask
          // leaves out.
          KeepInRegister(upper);
          hn::StoreN(upper, half, p + S::kCols, Strip::kRest);
        }
      }
#endif
    };

    V sum[kKernels][kVectors];
    HPCNN_UNROLL
    for (std::size_t o = 0; o < kKernels; ++o) {
      HPCNN_UNROLL
      for (std::size_t v = 0; v < kVectors; ++v) {
        if constexpr (S::kHasBias) {
          sum[o][v] = hn::Set(d, w[o * S::kKernelStep + S::kKernelSize]);
        } else {
          sum[o][v] =
              keep_old ? load(y + o * kImageSize, S::kCols, v) : hn::Zero(d);
        }
      }
    }
    for (std::size_t c = 0; c < S::kChannels; ++c) {
      for (std::size_t p = 0; p < S::kKernelRows; ++p) {
        const T* const row = x + (c * S::kInRows + p) * S::kInCols;
        HPCNN_UNROLL
        for (std::size_t q = 0; q < S::kKernelCols; ++q) {
          V pixels[kVectors];
          HPCNN_UNROLL
          for (std::size_t v = 0; v < kVectors; ++v) {
            pixels[v] = load(row + q, S::kInCols, v);
            KeepInRegister(pixels[v]);  // GCC would load it for every kernel
          }
          HPCNN_UNROLL
          for (std::size_t o = 0; o < kKernels; ++o) {
            const V weight = hn::Set(d, w[o * S::kKernelStep + q]);
            HPCNN_UNROLL
            for (std::size_t v = 0; v < kVectors; ++v) {
              sum[o][v] = hn::MulAdd(weight, pixels[v], sum[o][v]);
            }
          }
        }
        w += S::kKernelCols;
      }
    }
    HPCNN_UNROLL
    for (std::size_t o = 0; o < kKernels; ++o) {
      HPCNN_UNROLL
      for (std::size_t v = 0; v < kVectors; ++v) {
        store(sum[o][v], y + o * kImageSize, v);
      }
    }
  }
};

template <>
struct Conv2dImageKernel<Simd> {
  template <class S, class T, class Epilogue>
  static void Run(const T* x, const T* w, T* y, bool keep_old,
                  const Epilogue& epilogue) {
    Conv2dImageSimd<S, T>::Run(x, w, y, keep_old);
    epilogue.template Apply<Simd>(
        MatrixView<T>(y, S::kKernels, S::kRows * S::kCols), 0, 0);
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_CONV2D_IMAGE_SIMD_INL_H_
