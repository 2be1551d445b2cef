// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AddNoise<Simd>: random bytes by the kilobyte, then a vector of pixels at a
// time. Bit-equal to the reference.

#ifndef HPCNN_AUGMENT_NOISE_SIMD_INL_H_
#define HPCNN_AUGMENT_NOISE_SIMD_INL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/augment/noise.h"
#include "hpcnn/base/random_simd-inl.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <>
struct AddNoiseKernel<Simd> {
  static void Run(const float* image, std::size_t size, float max,
                  const RandomPlace& place, float* out) {
    constexpr std::size_t kChunk = 1024;  // pixels, and bytes of noise
    alignas(64) std::array<std::uint32_t, kChunk / 4> words;
    for (std::size_t i = 0; i < size; i += kChunk) {
      const std::size_t count = std::min(kChunk, size - i);
      FillRandomBits(place, static_cast<std::uint32_t>(i / 16),
                     std::span(words).first((count + 3) / 4));
      Add(image + i, count, max,
          reinterpret_cast<const std::uint8_t*>(words.data()), out + i);
    }
  }

 private:
  static void Add(const float* image, std::size_t count, float max,
                  const std::uint8_t* bytes, float* out) {
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::ScalableTag<float> d;
    const hn::RebindToSigned<decltype(d)> di;
    const hn::Rebind<std::uint8_t, decltype(d)> d8;
    const std::size_t lanes = hn::Lanes(d);
    const auto scale = hn::Set(d, max / 255);
    for (std::size_t i = 0; i < count; i += lanes) {
      const std::size_t n = std::min(lanes, count - i);
      // No tail for the bytes: a chunk is a multiple of the vector.
      const auto byte = hn::PromoteTo(di, hn::LoadU(d8, bytes + i));
      const auto level =
          hn::Sub(hn::ShiftLeft<1>(byte), hn::Set(di, std::int32_t{255}));
      const auto noise = hn::Mul(hn::ConvertTo(d, level), scale);
      const auto sum = hn::Add(hn::LoadN(d, image + i, n), noise);
      hn::StoreN(hn::Min(hn::Max(sum, hn::Zero(d)), hn::Set(d, 1.0f)), d,
                 out + i, n);
    }
  }
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_NOISE_SIMD_INL_H_
