// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Shape<Dims...>: the extents of a tensor as a type. Row-major, last dimension
// fastest. `Shape<1, 28, 28>` is one channel of 28 rows and 28 columns.

#ifndef HPCNN_BASE_SHAPE_H_
#define HPCNN_BASE_SHAPE_H_

#include <array>
#include <cstddef>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

template <std::size_t... Dims>
struct Shape {
  static_assert(((Dims > 0) && ...),
                "hpcnn: every dimension of a Shape must be at least 1");
  static constexpr std::size_t kRank = sizeof...(Dims);
  static constexpr std::size_t kVolume = (std::size_t{1} * ... * Dims);
  static constexpr std::array<std::size_t, kRank> kDims{Dims...};
};

namespace internal {

template <class S>
inline constexpr bool kIsShape = false;
template <std::size_t... Dims>
inline constexpr bool kIsShape<Shape<Dims...>> = true;

}  // namespace internal

// Satisfied by Shape<...>.
template <class S>
concept ShapeType = internal::kIsShape<S>;

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_SHAPE_H_
