// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Random numbers as a pure function of where they are used.
//
// Philox4x32-10 maps a 128-bit counter and a 64-bit key to 128 random bits
// (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11). hpcnn
// uses the seed as key and (epoch, sample, op and part, block) as counter, so a
// draw does not depend on which thread makes it or on what was drawn before. Not
// for cryptography.

#ifndef HPCNN_BASE_RANDOM_H_
#define HPCNN_BASE_RANDOM_H_

#include <array>
#include <cstdint>

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline constexpr std::uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr std::uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
// Weyl increments of the key: golden ratio and sqrt(3) - 1.
inline constexpr std::uint32_t kPhiloxWeyl0 = 0x9E3779B9;
inline constexpr std::uint32_t kPhiloxWeyl1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

constexpr PhiloxCounter Philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t product0 =
        std::uint64_t{kPhiloxMultiplier0} * counter[0];
    const std::uint64_t product1 =
        std::uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
  return counter;
}

// What a stream is drawn for. The numbers are part of the reproducibility
// contract: never renumber, only append, up to 255.
enum class RandomOp : std::uint32_t {
  kInitialise = 0,
  kShuffle = 1,
  kSampleBatch = 2,
  kAugment = 3,
  kNoise = 4,
  kSyntheticDigit = 5,
  kDropout = 6,
};

// Where a stream is used: every distinct place gets independent numbers.
struct RandomPlace {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::uint32_t sample = 0;
  RandomOp op = RandomOp::kInitialise;
  std::uint32_t part = 0;  // below 2^24: of several that do the same, which

  constexpr PhiloxKey Key() const {
    return {static_cast<std::uint32_t>(seed),
            static_cast<std::uint32_t>(seed >> 32)};
  }
  constexpr PhiloxCounter Counter(std::uint32_t block) const {
    return {epoch, sample, static_cast<std::uint32_t>(op) | part << 8, block};
  }
};

// The numbers of one place, in order; 2^34 of them.
class RandomStream {
 public:
  constexpr explicit RandomStream(const RandomPlace& place) : place_(place) {}

  constexpr std::uint32_t Bits() {
    if (used_ == 4) {
      block_ = Philox4x32(place_.Counter(next_block_++), place_.Key());
      used_ = 0;
    }
    return block_[used_++];
  }

  // In [0, 1), a multiple of 2^-24: every value is exact in a float.
  constexpr float Uniform() {
    return static_cast<float>(Bits() >> 8) * 0x1p-24f;
  }

  // In [low, high); float rounding may give high itself.
  constexpr float Uniform(float low, float high) {
    return low + (high - low) * Uniform();
  }

  // In [0, bound), bound >= 1. Without rejection: the bias is below
  // bound / 2^32, far under what a data set could show.
  constexpr std::uint32_t Below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{Bits()} * bound) >> 32);
  }

 private:
  RandomPlace place_;
  PhiloxCounter block_{};
  std::uint32_t next_block_ = 0;
  std::uint32_t used_ = 4;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_RANDOM_H_
