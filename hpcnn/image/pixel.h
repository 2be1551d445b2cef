// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The types of pixels, what they are summed in, and how sums become pixels.

#ifndef HPCNN_IMAGE_PIXEL_H_
#define HPCNN_IMAGE_PIXEL_H_

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Satisfied by the pixels that a filter reads.
template <class T>
concept SourcePixel = std::same_as<T, std::uint8_t> ||
    std::same_as<T, std::int16_t> || std::same_as<T, float>;
// Satisfied by those that it writes.
template <class T>
concept FilteredPixel = SourcePixel<T> || std::same_as<T, std::int32_t>;

namespace internal {

// What products of a pixel and a tap are summed in.
template <class In, class Tap>
using SumOf =
    std::conditional_t<std::is_integral_v<In> && std::is_integral_v<Tap>,
                       std::int32_t, float>;

template <FilteredPixel Out, class Sum>
Out SaturateTo(Sum sum) {
  using Limits = std::numeric_limits<Out>;
  if constexpr (std::is_same_v<Out, Sum> || std::is_same_v<Out, float>) {
    return static_cast<Out>(sum);
  } else if constexpr (std::is_integral_v<Sum>) {
    return static_cast<Out>(std::clamp<Sum>(sum, Limits::min(), Limits::max()));
  } else {
    // The largest float that fits; a NaN becomes the smallest value.
    constexpr float kMin = static_cast<float>(Limits::min());
    constexpr float kMax = std::is_same_v<Out, std::int32_t>
                               ? 2147483520.0f
                               : static_cast<float>(Limits::max());
    return static_cast<Out>(
        std::nearbyint(std::min(sum > kMin ? sum : kMin, kMax)));
  }
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_PIXEL_H_
