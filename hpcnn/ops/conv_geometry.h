// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The sizes of a layer's convolution, as the course has them:
//
//   OpY = (InY - KnY + 2 Py) / Sy + 1, and OpX likewise
//
//   using G = ConvGeometry<Shape<1, 28, 28>, 8, 5, 5>;     // y [8, 24, 24]
//   using H = ConvGeometry<Shape<3, 33, 33>, 16, 3, 3, Stride<2>, Padding<1>>;
//
// A position that does not come out whole, or a kernel larger than the image, is
// refused with the numbers.

#ifndef HPCNN_OPS_CONV_GEOMETRY_H_
#define HPCNN_OPS_CONV_GEOMETRY_H_

#include <cstddef>

#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Steps of the kernel, down and across.
template <std::size_t Y, std::size_t X = Y>
struct Stride {
  static_assert(Y > 0 && X > 0, "hpcnn: a Stride is at least 1");
  static constexpr std::size_t kRows = Y;
  static constexpr std::size_t kCols = X;
};

// Zeros above and below, left and right.
template <std::size_t Y, std::size_t X = Y>
struct Padding {
  static constexpr std::size_t kRows = Y;
  static constexpr std::size_t kCols = X;
};

namespace internal {

// The words of a geometry that does not fit: numbers of one axis.
template <std::size_t N>
struct ImageSide;
template <std::size_t N>
struct KernelSide;
template <std::size_t N>
struct PaddingBefore;
template <std::size_t N>
struct StrideOf;

template <class In, class Kernel, class Pad, class Step>
inline constexpr bool kKernelFits = false;
template <std::size_t In, std::size_t Kernel, std::size_t Pad, std::size_t Step>
inline constexpr bool kKernelFits<ImageSide<In>, KernelSide<Kernel>,
                                  PaddingBefore<Pad>, StrideOf<Step>> =
    0 < Kernel&& Kernel <= In + 2 * Pad;

template <class In, class Kernel, class Pad, class Step>
inline constexpr bool kStepsAreWhole = false;
template <std::size_t In, std::size_t Kernel, std::size_t Pad, std::size_t Step>
inline constexpr bool kStepsAreWhole<ImageSide<In>, KernelSide<Kernel>,
                                     PaddingBefore<Pad>, StrideOf<Step>> =
    !kKernelFits<ImageSide<In>, KernelSide<Kernel>, PaddingBefore<Pad>,
                 StrideOf<Step>> ||
    (In + 2 * Pad - Kernel) % Step == 0;

// Positions of a kernel along one axis; 1 where that is refused.
constexpr std::size_t Positions(std::size_t in, std::size_t kernel,
                                std::size_t pad, std::size_t step) {
  return kernel <= in + 2 * pad ? (in + 2 * pad - kernel) / step + 1 : 1;
}

// Apart from Positions, so that a failed check does not take away the sizes
// that everything else is built on: one mistake, one message.
template <std::size_t In, std::size_t Kernel, std::size_t Pad, std::size_t Step>
struct CheckPositions {
  static_assert(kKernelFits<ImageSide<In>, KernelSide<Kernel>,
                            PaddingBefore<Pad>, StrideOf<Step>>,
                "hpcnn: the kernel must fit into the image and its padding; "
                "make it smaller or the padding larger");
  static_assert(kStepsAreWhole<ImageSide<In>, KernelSide<Kernel>,
                               PaddingBefore<Pad>, StrideOf<Step>>,
                "hpcnn: (image - kernel + 2 padding) / stride must be whole; "
                "change one of the four");
};

}  // namespace internal

// Kernels [O, C, P, Q] on images [C, Y, X]. On what is no image, which networks
// refuse (nn/layer.h), one position, so that nothing else fails.
template <ShapeType Image, std::size_t Kernels, std::size_t KernelRows,
          std::size_t KernelCols, class Steps = Stride<1>,
          class Pads = Padding<0>>
struct ConvGeometry : ConvGeometry<Shape<1, KernelRows, KernelCols>, Kernels,
                                   KernelRows, KernelCols> {};
template <std::size_t C, std::size_t Y, std::size_t X, std::size_t O,
          std::size_t P, std::size_t Q, class Steps, class Pads>
struct ConvGeometry<Shape<C, Y, X>, O, P, Q, Steps, Pads> {
  static constexpr std::size_t kChannels = C;
  static constexpr std::size_t kInRows = Y;
  static constexpr std::size_t kInCols = X;
  static constexpr std::size_t kKernels = O;
  static constexpr std::size_t kKernelRows = P;
  static constexpr std::size_t kKernelCols = Q;
  static constexpr std::size_t kStepRows = Steps::kRows;
  static constexpr std::size_t kStepCols = Steps::kCols;
  static constexpr std::size_t kPadRows = Pads::kRows;
  static constexpr std::size_t kPadCols = Pads::kCols;
  static constexpr std::size_t kRows =
      internal::Positions(Y, P, Pads::kRows, Steps::kRows);
  static constexpr std::size_t kCols =
      internal::Positions(X, Q, Pads::kCols, Steps::kCols);
  static_assert(
      sizeof(internal::CheckPositions<Y, P, Pads::kRows, Steps::kRows>) > 0 &&
      sizeof(internal::CheckPositions<X, Q, Pads::kCols, Steps::kCols>) > 0);

  using Input = Shape<C, Y, X>;
  using Output = Shape<O, kRows, kCols>;
  static constexpr std::size_t kPixels = kRows * kCols;
  static constexpr std::size_t kKernelSize = C * P * Q;
  static constexpr std::size_t kParameterCols = kKernelSize + 1;

  // Whether tap (p, q) at position (i, j) falls on padding.
  static constexpr bool Outside(std::size_t i, std::size_t j, std::size_t p,
                                std::size_t q) {
    // Wraps far beyond the image where it would be negative.
    return i * kStepRows + p - kPadRows >= kInRows ||
           j * kStepCols + q - kPadCols >= kInCols;
  }
  // The place in the image [C, Y, X] under it, if not.
  static constexpr std::size_t Pixel(std::size_t c, std::size_t i,
                                     std::size_t j, std::size_t p,
                                     std::size_t q) {
    return (c * kInRows + i * kStepRows + p - kPadRows) * kInCols +
           j * kStepCols + q - kPadCols;
  }
};

namespace internal {

// Calls f(c, p, q, place in the kernel) for each tap.
template <class G, class F>
void ForEachTap(const F& f) {
  std::size_t k = 0;
  for (std::size_t c = 0; c < G::kChannels; ++c) {
    for (std::size_t p = 0; p < G::kKernelRows; ++p) {
      for (std::size_t q = 0; q < G::kKernelCols; ++q, ++k) f(c, p, q, k);
    }
  }
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_CONV_GEOMETRY_H_
