// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The contiguous share of [0, size) that falls to one of several parts. Shares
// differ by at most one element and depend on nothing but these three numbers.

#ifndef HPCNN_BASE_PARTITION_H_
#define HPCNN_BASE_PARTITION_H_

#include <cstddef>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

struct IndexRange {
  std::size_t begin;
  std::size_t end;
  constexpr std::size_t size() const { return end - begin; }
};

constexpr IndexRange Partition(std::size_t size, std::size_t part,
                               std::size_t parts) {
  return {size * part / parts, size * (part + 1) / parts};
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_PARTITION_H_
