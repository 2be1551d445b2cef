// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AddNoise: adds to every pixel a number uniform in [-max, max] and clamps the
// sum to [0, 1].
//
// Pixel i takes byte i of the RandomStream of `place`, little-endian: 256
// equally likely values max * (2 * byte - 255) / 255. For max <= 1/2 they lie
// closer together than the 256 levels of a stored image, so more bits would
// cost time and show nothing.

#ifndef HPCNN_AUGMENT_NOISE_H_
#define HPCNN_AUGMENT_NOISE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hpcnn/base/policy.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

// The random byte of each pixel in turn.
class NoiseBytes {
 public:
  constexpr explicit NoiseBytes(const RandomPlace& place) : stream_(place) {}

  constexpr std::uint32_t Next() {
    if (left_ == 0) {
      word_ = stream_.Bits();
      left_ = 4;
    }
    const std::uint32_t byte = word_ & 255;
    word_ >>= 8;
    --left_;
    return byte;
  }

 private:
  RandomStream stream_;
  std::uint32_t word_ = 0;
  int left_ = 0;
};

template <class P>
struct AddNoiseKernel {
  HPCNN_NO_KERNEL("AddNoise", P, "hpcnn/augment/noise_cuda.cuh");
};

template <>
struct AddNoiseKernel<Scalar> {
  static void Run(const float* image, std::size_t size, float max,
                  const RandomPlace& place, float* out) {
    NoiseBytes bytes(place);
    for (std::size_t i = 0; i < size; ++i) {
      const int level = 2 * static_cast<int>(bytes.Next()) - 255;
      const float noise = static_cast<float>(level) * (max / 255);
      out[i] = std::min(std::max(image[i] + noise, 0.0f), 1.0f);
    }
  }
};

}  // namespace internal

// `image` and `out`: [1, H, W], brightness 0..1; may be the same.
template <ExecutionPolicy P = DefaultPolicy, std::size_t H, std::size_t W>
void AddNoise(std::type_identity_t<TensorView<const float, 1, H, W>> image,
              float max, const RandomPlace& place,
              TensorView<float, 1, H, W> out) {
  internal::AddNoiseKernel<P>::Run(image.data(), H * W, max, place, out.data());
}

HPCNN_NAMESPACE_END

#ifndef __CUDACC__
#include "hpcnn/augment/noise_simd-inl.h"
#endif

#endif  // HPCNN_AUGMENT_NOISE_H_
