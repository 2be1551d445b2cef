// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Conv2d<Simd>'s gradients where strides are 1: by the parameters the sums of a
// vector a tap, by the images a convolution, or the sums of a plane a tap.

#ifndef HPCNN_OPS_CONV2D_GRADIENTS_SIMD_INL_H_
#define HPCNN_OPS_CONV2D_GRADIENTS_SIMD_INL_H_

#include <algorithm>
#include <cstddef>
#include <span>

#include "hpcnn/base/unroll.h"
#include "hpcnn/ops/conv2d.h"
#include "hpcnn/ops/conv2d_image.h"
#include "hpcnn/ops/gemm.h"
#include "hpcnn/ops/reduce.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// A tile has sums of taps times rows or kernels in registers, besides a vector
// for each of the latter and one more.
inline constexpr std::size_t kConvRegisters = HWY_TARGET <= HWY_AVX3 ? 32 : 16;

// Images [Channels, Rows, Cols] in the middle of frames of zeros.
template <std::size_t Channels, std::size_t Rows, std::size_t Cols,
          std::size_t PadRows, std::size_t PadCols>
struct Frame {
  static constexpr std::size_t kRows = Rows + 2 * PadRows;
  static constexpr std::size_t kCols = Cols + 2 * PadCols;
  static constexpr bool kIsImage = PadRows == 0 && PadCols == 0;
  static constexpr std::size_t kVolume = Channels * kRows * kCols;
  // What a frame takes in scratch.
  static constexpr std::size_t kScratch = kIsImage ? 0 : kVolume;

  template <class T>
  static void Clear(T* frame) {
    std::fill_n(frame, kScratch, T{0});
  }
  // The image in a frame that has been cleared, or itself.
  template <class T>
  static const T* Around(const T* image, T* frame) {
    if constexpr (kIsImage) return image;
    for (std::size_t c = 0; c < Channels; ++c) {
      for (std::size_t r = 0; r < Rows; ++r) {
        std::copy_n(image + (c * Rows + r) * Cols, Cols,
                    frame + (c * kRows + r + PadRows) * kCols + PadCols);
      }
    }
    return frame;
  }
};

// The sums of a parameter gradient, a vector a tap until the end.
template <class G, class T>
struct ConvParameterSums {
  using InFrame =
      Frame<G::kChannels, G::kInRows, G::kInCols, G::kPadRows, G::kPadCols>;
  static constexpr std::size_t kLanes = kLanesOf<T>;
  static constexpr std::size_t kWhole = G::kCols / kLanes;
  static constexpr std::size_t kRest = G::kCols % kLanes;
  // A tile: so many taps of a row by so many kernels.
  static constexpr std::size_t kTaps = std::min<std::size_t>(G::kKernelCols, 8);
  static constexpr std::size_t kKernels =
      std::min(G::kKernels, (kConvRegisters - 1) / (kTaps + 1));
  // Samples between two visits of a tile: sums come and go once for some 512
  // pixels.
  static constexpr std::size_t kSamples =
      std::clamp<std::size_t>(512 / G::kPixels, 1, 16);
  static constexpr std::size_t kScratch =
      G::kKernels * G::kKernelSize * kLanes + kSamples * InFrame::kScratch;

  static void Run(MatrixView<const T> x, MatrixView<const T> d_y,
                  IndexRange kernels, MatrixView<T> d_params, T* scratch) {
    const hn::ScalableTag<T> d;
    T* const sums = scratch;  // [kernels, C * P * Q, lanes]
    T* const frames = sums + kernels.size() * G::kKernelSize * kLanes;
    std::fill(sums, frames, T{0});
    for (std::size_t s = 0; s < kSamples; ++s) {
      InFrame::Clear(frames + s * InFrame::kScratch);
    }
    for (std::size_t n = 0; n < x.rows(); n += kSamples) {
      const std::size_t samples = std::min(kSamples, x.rows() - n);
      for (std::size_t s = 0; s < samples; ++s) {
        InFrame::Around(x.row(n + s), frames + s * InFrame::kScratch);
      }
      const MatrixView<const T> images =
          InFrame::kIsImage
              ? x.Rows(n, samples)
              : MatrixView<const T>(frames, samples, InFrame::kVolume);
      AddSamples(images,
                 d_y.Region(n, kernels.begin * G::kPixels, samples,
                            kernels.size() * G::kPixels),
                 sums);
    }
    for (std::size_t o = 0; o < kernels.size(); ++o) {
      T* const out = d_params.row(o);
      for (std::size_t k = 0; k < G::kKernelSize; ++k) {
        out[k] = hn::ReduceSum(
            d, hn::LoadU(d, sums + (o * G::kKernelSize + k) * kLanes));
      }
      T bias{0};
      for (std::size_t n = 0; n < d_y.rows(); ++n) {
        bias += Sum<Simd>(std::span<const T>(
            d_y.row(n) + (kernels.begin + o) * G::kPixels, G::kPixels));
      }
      out[G::kKernelSize] = bias;
    }
  }

 private:
  // Samples lie x's and d_y's strides apart.
  static void AddSamples(MatrixView<const T> x, MatrixView<const T> d_y,
                         T* sums) {
    const std::size_t kernels = d_y.cols() / G::kPixels;
    std::size_t o = 0;
    const auto tiles = [&]<std::size_t kCount>() HWY_ATTR {
      for (; o + kCount <= kernels; o += kCount) {
        AddTaps<kCount>(
            x, d_y.Region(0, o * G::kPixels, d_y.rows(), kCount * G::kPixels),
            sums + o * G::kKernelSize * kLanes);
      }
    };
    tiles.template operator()<kKernels>();
    if constexpr (kKernels > 1) tiles.template operator()<1>();
  }

  // All taps of kCount kernels.
  template <std::size_t kCount>
  static void AddTaps(MatrixView<const T> x, MatrixView<const T> d_y, T* sums) {
    constexpr std::size_t kLast = G::kKernelCols % kTaps;
    for (std::size_t c = 0; c < G::kChannels; ++c) {
      for (std::size_t p = 0; p < G::kKernelRows; ++p) {
        const std::size_t row = (c * InFrame::kRows + p) * InFrame::kCols;
        std::size_t q = 0;
        for (; q + kTaps <= G::kKernelCols; q += kTaps) {
          Tile<kCount, kTaps>(x, row + q, d_y, sums + q * kLanes);
        }
        if constexpr (kLast > 0) {
          Tile<kCount, kLast>(x, row + q, d_y, sums + q * kLanes);
        }
        sums += G::kKernelCols * kLanes;
      }
    }
  }

  template <std::size_t kCount, std::size_t kTapCount>
  static void Tile(MatrixView<const T> x, std::size_t first,
                   MatrixView<const T> d_y, T* sums) {
    const hn::ScalableTag<T> d;
    using V = hn::Vec<decltype(d)>;
    constexpr std::size_t kKernelStep = G::kKernelSize * kLanes;
    V sum[kCount][kTapCount];
    HPCNN_UNROLL
    for (std::size_t o = 0; o < kCount; ++o) {
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) {
        sum[o][q] = hn::LoadU(d, sums + o * kKernelStep + q * kLanes);
      }
    }
    const auto add = [&](const T* pixels, const T* gradient,
                         const auto& load) HWY_ATTR {
      V d_out[kCount];
      HPCNN_UNROLL
      for (std::size_t o = 0; o < kCount; ++o) {
        d_out[o] = load(gradient + o * G::kPixels);
      }
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) {
        V pixel = load(pixels + q);
        KeepInRegister(pixel);  // GCC would load it for every kernel
        HPCNN_UNROLL
        for (std::size_t o = 0; o < kCount; ++o) {
          sum[o][q] = hn::MulAdd(d_out[o], pixel, sum[o][q]);
        }
      }
    };
    for (std::size_t n = 0; n < x.rows(); ++n) {
      const T* pixels = x.row(n) + first;
      const T* gradient = d_y.row(n);
      for (std::size_t i = 0; i < G::kRows; ++i) {
        for (std::size_t v = 0; v < kWhole; ++v) {
          add(pixels + v * kLanes, gradient + v * kLanes,
              [&](const T* p) HWY_ATTR { return hn::LoadU(d, p); });
        }
        if constexpr (kRest > 0) {
          add(pixels + kWhole * kLanes, gradient + kWhole * kLanes,
              [&](const T* p) HWY_ATTR { return hn::LoadN(d, p, kRest); });
        }
        pixels += InFrame::kCols;
        gradient += G::kCols;
      }
    }
    HPCNN_UNROLL
    for (std::size_t o = 0; o < kCount; ++o) {
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) {
        hn::StoreU(sum[o][q], d, sums + o * kKernelStep + q * kLanes);
      }
    }
  }
};

// The gradient by an image as a convolution of d_y, in a frame of zeros, by the
// kernels turned by 180 degrees.
template <class G, class T>
struct ConvTurned {
  using OutFrame =
      Frame<G::kKernels, G::kRows, G::kCols, G::kKernelRows - 1 - G::kPadRows,
            G::kKernelCols - 1 - G::kPadCols>;
  using Sizes = ConvSizes<G::kChannels, G::kKernels, G::kKernelRows,
                          G::kKernelCols, OutFrame::kRows, OutFrame::kCols>;
  // All rows as one, with what the frame has between them.
  struct FlatSizes : Sizes {
    static constexpr std::size_t kRows = 1;
    static constexpr std::size_t kCols =
        Sizes::kRows * OutFrame::kCols - G::kKernelCols + 1;
  };
  // In vectors; those that are not whole take longer.
  static constexpr std::size_t kLanes = kLanesOf<T>;
  static constexpr double kRowsCost =
      Sizes::kRows *
      (Sizes::kCols / kLanes + (Sizes::kCols % kLanes == 0 ? 0 : 1.5));
  static constexpr double kFlatCost =
      static_cast<double>(FlatSizes::kCols) / kLanes;
  static constexpr bool kIsFlat = kFlatCost < kRowsCost;
  static constexpr double kCost = kIsFlat ? kFlatCost : kRowsCost;

  static constexpr std::size_t kTaps = G::kKernelRows * G::kKernelCols;
  static constexpr std::size_t kWeights = G::kKernels * G::kKernelSize;
  static constexpr std::size_t kScratch =
      kWeights + OutFrame::kScratch +
      (kIsFlat ? G::kChannels * FlatSizes::kCols : 0);

  static void Run(MatrixView<const T> params, MatrixView<const T> d_y,
                  MatrixView<T> d_x, T* scratch) {
    T* const frame = scratch + kWeights;
    for (std::size_t o = 0; o < G::kKernels; ++o) {
      for (std::size_t c = 0; c < G::kChannels; ++c) {
        const T* const kernel = params.row(o) + c * kTaps;
        std::reverse_copy(kernel, kernel + kTaps,
                          scratch + (c * G::kKernels + o) * kTaps);
      }
    }
    OutFrame::Clear(frame);
    for (std::size_t n = 0; n < d_y.rows(); ++n) {
      const T* const d_out = OutFrame::Around(d_y.row(n), frame);
      if constexpr (kIsFlat) {
        T* const flat = frame + OutFrame::kScratch;
        Conv2dImageSimd<FlatSizes, T>::Run(d_out, scratch, flat, false);
        TakeRows(flat, d_x.row(n));
      } else {
        Conv2dImageSimd<Sizes, T>::Run(d_out, scratch, d_x.row(n), false);
      }
    }
  }

 private:
  static void TakeRows(const T* flat, T* d_x) {
    for (std::size_t c = 0; c < G::kChannels; ++c) {
      for (std::size_t r = 0; r < G::kInRows; ++r) {
        d_x = std::copy_n(flat + r * OutFrame::kCols, G::kInCols, d_x);
      }
      flat += FlatSizes::kCols;
    }
  }
};

// The same a channel at a time: first what each tap gives to the pixels under it,
// a plane a tap, then for each pixel the sum of what it got.
template <class G, class T>
struct ConvInputSums {
  static constexpr std::size_t kLanes = kLanesOf<T>;
  // In vectors as above, of which there are fewer, for longer.
  static constexpr double kCost =
      1.5 * G::kRows * (G::kCols / kLanes + (G::kCols % kLanes == 0 ? 0 : 1.5));
  // Planes have zeros at both sides, for pixels that a tap does not reach.
  static constexpr std::size_t kSide = G::kKernelCols - 1;
  static constexpr std::size_t kPlaneCols = G::kCols + 2 * kSide;
  static constexpr std::size_t kPlane = G::kRows * kPlaneCols;
  static constexpr std::size_t kTaps = G::kKernelRows * G::kKernelCols;
  // The last vector of a row may read beyond it.
  static constexpr std::size_t kScratch = kTaps * kPlane + kLanes;
  // A tile: a row of taps, or a part, by so many rows of d_y.
  static constexpr std::size_t kTileTaps =
      std::min<std::size_t>(G::kKernelCols, 6);
  static constexpr std::size_t kTileRows =
      std::min(G::kRows, (kConvRegisters - 1) / (kTileTaps + 1));

  static void Run(MatrixView<const T> params, MatrixView<const T> d_y,
                  MatrixView<T> d_x, T* scratch) {
    std::fill_n(scratch, kScratch, T{0});
    for (std::size_t n = 0; n < d_y.rows(); ++n) {
      RunImage(params.data(), d_y.row(n), d_x.row(n), scratch);
    }
  }

 private:
  static void RunImage(const T* params, const T* d_y, T* d_x, T* planes) {
    for (std::size_t c = 0; c < G::kChannels; ++c) {
      const T* const taps = params + c * kTaps;
      for (std::size_t p = 0; p < G::kKernelRows; ++p) {
        Fill(taps + p * G::kKernelCols, d_y,
             planes + p * G::kKernelCols * kPlane);
      }
      Add(planes, d_x + c * G::kInRows * G::kInCols);
    }
  }

  // The planes of a row of taps.
  static void Fill(const T* taps, const T* d_y, T* planes) {
    constexpr std::size_t kLast = G::kKernelCols % kTileTaps;
    std::size_t q = 0;
    for (; q + kTileTaps <= G::kKernelCols; q += kTileTaps) {
      FillRows<kTileTaps>(taps + q, d_y, planes + q * kPlane);
    }
    if constexpr (kLast > 0) {
      FillRows<kLast>(taps + q, d_y, planes + q * kPlane);
    }
  }

  template <std::size_t kTapCount>
  static void FillRows(const T* taps, const T* d_y, T* planes) {
    std::size_t i = 0;
    for (; i + kTileRows <= G::kRows; i += kTileRows) {
      FillTiles<kTapCount, kTileRows>(taps, d_y + i * G::kCols,
                                      planes + i * kPlaneCols);
    }
    if constexpr (G::kRows % kTileRows > 0) {
      FillTiles<kTapCount, G::kRows % kTileRows>(taps, d_y + i * G::kCols,
                                                 planes + i * kPlaneCols);
    }
  }

  template <std::size_t kTapCount, std::size_t kRows>
  static void FillTiles(const T* taps, const T* d_y, T* planes) {
    constexpr std::size_t kRest = G::kCols % kLanes;
    const hn::ScalableTag<T> d;
    std::size_t j = 0;
    for (; j + kLanes <= G::kCols; j += kLanes) {
      Tile<kTapCount, kRows>(
          taps, d_y + j, planes + kSide + j,
          [d](const T* from) HWY_ATTR { return hn::LoadU(d, from); },
          [d](auto v, T* to) HWY_ATTR { hn::StoreU(v, d, to); });
    }
    if constexpr (kRest > 0) {
      Tile<kTapCount, kRows>(
          taps, d_y + j, planes + kSide + j,
          [d](const T* from) HWY_ATTR { return hn::LoadN(d, from, kRest); },
          [d](auto v, T* to) HWY_ATTR { hn::StoreN(v, d, to, kRest); });
    }
  }

  template <std::size_t kTapCount, std::size_t kRows, class Load, class Store>
  HWY_INLINE static void Tile(const T* taps, const T* d_y, T* planes,
                              const Load& load, const Store& store) {
    const hn::ScalableTag<T> d;
    using V = hn::Vec<decltype(d)>;
    V sum[kRows][kTapCount];
    HPCNN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) sum[r][q] = hn::Zero(d);
    }
    for (std::size_t o = 0; o < G::kKernels; ++o) {
      V gradient[kRows];
      HPCNN_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        gradient[r] = load(d_y + r * G::kCols);
      }
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) {
        const V tap = hn::Set(d, taps[q]);
        HPCNN_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          sum[r][q] = hn::MulAdd(tap, gradient[r], sum[r][q]);
        }
      }
      d_y += G::kPixels;
      taps += G::kParameterCols;
    }
    HPCNN_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) {
      HPCNN_UNROLL
      for (std::size_t q = 0; q < kTapCount; ++q) {
        store(sum[r][q], planes + q * kPlane + r * kPlaneCols);
      }
    }
  }

  static void Add(const T* planes, T* d_x) {
    const hn::ScalableTag<T> d;
    for (std::size_t y = 0; y < G::kInRows; ++y) {
      // Tap row p reaches row y from row y + Py - p of d_y.
      const std::size_t row = y + G::kPadRows;
      const std::size_t first = row < G::kRows ? 0 : row - G::kRows + 1;
      const std::size_t last = std::min(row + 1, G::kKernelRows);
      for (std::size_t x = 0; x < G::kInCols; x += kLanes) {
        auto sum = hn::Zero(d);
        for (std::size_t p = first; p < last; ++p) {
          const T* const plane = planes + p * G::kKernelCols * kPlane +
                                 (row - p) * kPlaneCols + x + G::kPadCols +
                                 kSide;
          HPCNN_UNROLL
          for (std::size_t q = 0; q < G::kKernelCols; ++q) {
            sum = hn::Add(sum, hn::LoadU(d, plane + q * kPlane - q));
          }
        }
        T* const to = d_x + y * G::kInCols + x;
        if (x + kLanes <= G::kInCols) {
          hn::StoreU(sum, d, to);
        } else {
          hn::StoreN(sum, d, to, G::kInCols - x);
        }
      }
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_CONV2D_GRADIENTS_SIMD_INL_H_
