// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The distance that keeps what one thread writes from slowing what another
// reads. `alignas(kNoFalseSharing)` starts a new such block in a struct.

#ifndef HPCNN_CONCURRENCY_CACHE_LINE_H_
#define HPCNN_CONCURRENCY_CACHE_LINE_H_

#include <cstddef>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// What moves between cores.
inline constexpr std::size_t kCacheLine = 64;

// Two lines: x86 prefetches lines in aligned pairs. A constant and not
// std::hardware_destructive_interference_size, which changes with -mtune and
// would change the layout of structs with it.
inline constexpr std::size_t kNoFalseSharing = 2 * kCacheLine;

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_CACHE_LINE_H_
