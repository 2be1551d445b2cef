// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Loops whose index is a template argument, over the layers of a network.

#ifndef HPCNN_BASE_FOR_EACH_INDEX_H_
#define HPCNN_BASE_FOR_EACH_INDEX_H_

#include <cstddef>
#include <utility>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Calls f.template operator()<I>() for I = 0 ... Count - 1.
template <std::size_t Count, class F>
constexpr void ForEachIndex(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<I>(), ...);
  }
  (std::make_index_sequence<Count>{});
}
// The same, from Count - 1 down to 0.
template <std::size_t Count, class F>
constexpr void ForEachIndexBackwards(F&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<Count - 1 - I>(), ...);
  }
  (std::make_index_sequence<Count>{});
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_FOR_EACH_INDEX_H_
