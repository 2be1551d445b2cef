// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a filter sees beyond the image's edge, as policy tags. Of a row a b c d:
//
//   ZeroBorder       0 0 0 | a b c d | 0 0 0   scipy "constant"
//   ReplicateBorder  a a a | a b c d | d d d   scipy "nearest"
//   ReflectBorder    c b a | a b c d | d c b   scipy "reflect"
//   WrapBorder       b c d | a b c d | a b c   scipy "wrap"
//
// Each also where the kernel is larger than the image.

#ifndef HPCNN_IMAGE_BORDER_H_
#define HPCNN_IMAGE_BORDER_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Satisfied by the tags below: Index(i, size) is the position in [0, size) that
// stands for i, or -1 for a zero.
template <class B>
concept BorderMode = std::is_empty_v<B> && requires(std::ptrdiff_t i) {
  { B::kName } -> std::convertible_to<std::string_view>;
  { B::Index(i, i) } -> std::same_as<std::ptrdiff_t>;
};

struct ZeroBorder {
  static constexpr std::string_view kName = "zero";
  static constexpr std::ptrdiff_t Index(std::ptrdiff_t i, std::ptrdiff_t size) {
    return i < 0 || i >= size ? -1 : i;
  }
};

struct ReplicateBorder {
  static constexpr std::string_view kName = "replicate";
  static constexpr std::ptrdiff_t Index(std::ptrdiff_t i, std::ptrdiff_t size) {
    return std::clamp(i, std::ptrdiff_t{0}, size - 1);
  }
};

struct WrapBorder {
  static constexpr std::string_view kName = "wrap";
  static constexpr std::ptrdiff_t Index(std::ptrdiff_t i, std::ptrdiff_t size) {
    const std::ptrdiff_t rest = i % size;
    return rest < 0 ? rest + size : rest;
  }
};

struct ReflectBorder {
  static constexpr std::string_view kName = "reflect";
  static constexpr std::ptrdiff_t Index(std::ptrdiff_t i, std::ptrdiff_t size) {
    const std::ptrdiff_t rest = WrapBorder::Index(i, 2 * size);
    return rest < size ? rest : 2 * size - 1 - rest;
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_IMAGE_BORDER_H_
