// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Dropout<Simd>: some hundred random numbers, then the elements that they are
// for. Bit-equal to the reference.

#ifndef HPCNN_OPS_DROPOUT_SIMD_INL_H_
#define HPCNN_OPS_DROPOUT_SIMD_INL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/base/random_simd-inl.h"
#include "hpcnn/ops/dropout.h"
#include "hpcnn/ops/elementwise.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <>
struct DropoutKernel<Simd> {
  template <class Probability, class T>
  static void Run(const RandomPlace& place, std::size_t size, const T* x,
                  T* y) {
    constexpr std::size_t kChunk = 512;
    std::array<std::uint32_t, kChunk> words;
    std::array<T, kChunk> factors;
    for (std::size_t i = 0; i < size; i += kChunk) {
      const std::size_t count = std::min(kChunk, size - i);
      FillRandomBits(place, static_cast<std::uint32_t>(i / 4),
                     std::span(words).first(count));
      for (std::size_t j = 0; j < count; ++j) {
        factors[j] = DropoutFactor<Probability, T>(words[j]);
      }
      Elementwise<Simd>(Product{}, std::span<T>(y + i, count),
                        std::span<const T>(x + i, count),
                        std::span(factors).first(count));
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_OPS_DROPOUT_SIMD_INL_H_
