// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The kernels that filters are timed with: nothing to save in them.

#ifndef HPCNN_BENCH_DENSE_KERNEL_H_
#define HPCNN_BENCH_DENSE_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hpcnn/image/stencil.h"

namespace hpcnn::bench {

// The i-th of n whole numbers around 0, without it.
constexpr int Weight(std::size_t i, std::size_t n) {
  return static_cast<int>(i) - static_cast<int>(n / 2) + (i >= n / 2);
}

// Every weight once, none of them 0, shuffled. Of full rank for the sizes that
// are timed; bench/peers/filters.py checks it.
template <std::size_t Rows, std::size_t Cols = Rows>
struct Dense {
  static constexpr Stencil<Rows, Cols> kTaps = [] {
    constexpr std::size_t kCount = Rows * Cols;
    int weights[kCount] = {};
    for (std::size_t i = 0; i < kCount; ++i) weights[i] = Weight(i, kCount);
    std::uint64_t state = 1;
    for (std::size_t i = kCount - 1; i > 0; --i) {
      state = state * 6364136223846793005u + 1442695040888963407u;  // Knuth's
      std::swap(weights[i], weights[(state >> 33) % (i + 1)]);
    }
    Stencil<Rows, Cols> stencil{};
    for (std::size_t i = 0; i < kCount; ++i) {
      stencil.taps[i / Cols][i % Cols] = weights[i];
    }
    return stencil;
  }();
};

}  // namespace hpcnn::bench

#endif  // HPCNN_BENCH_DENSE_KERNEL_H_
