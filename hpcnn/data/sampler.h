// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Which image is the n-th of an epoch, as a pure function: workers ask for any
// draw of any epoch in any order, without a shared table, a lock or a state.
//
//   ShuffledSampler      every index exactly once an epoch
//   ReplacementSampler   independent uniform draws, with repetitions
//
// The shuffle is a cipher on [0, size): a Feistel network over the pairs
// (left, right) of Z_a x Z_b with a * b just above `size`, stepped again while
// it leaves [0, size) (J. Black, P. Rogaway, "Ciphers with Arbitrary Finite
// Domains", CT-RSA 2002). Good enough to shuffle with, not to encrypt with.

#ifndef HPCNN_DATA_SAMPLER_H_
#define HPCNN_DATA_SAMPLER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "hpcnn/base/check.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// Satisfied by ShuffledSampler and ReplacementSampler. Index(epoch, draw) is
// thread-safe and defined for draw < per_epoch().
template <class S>
concept Sampler = requires(const S& sampler, std::uint32_t epoch,
                           std::size_t draw) {
  { sampler.per_epoch() } -> std::same_as<std::size_t>;
  { sampler.Index(epoch, draw) } -> std::same_as<std::uint32_t>;
};

class ShuffledSampler {
 public:
  constexpr ShuffledSampler(std::size_t size, std::uint64_t seed)
      : size_(size), seed_(seed) {
    HPCNN_CHECK(size >= 1 && size <= 0xFFFFFFFF,
                "a sampler needs 1 to 2^32 - 1 images");
    while (left_ * left_ < size) ++left_;
    right_ = (size + left_ - 1) / left_;
  }

  constexpr std::size_t per_epoch() const { return size_; }

  constexpr std::uint32_t Index(std::uint32_t epoch, std::size_t draw) const {
    HPCNN_CHECK(draw < size_, "a draw beyond the end of the epoch");
    const PhiloxCounter bits = Philox4x32(
        RandomPlace{.seed = seed_, .epoch = epoch, .op = RandomOp::kShuffle}
            .Counter(0),
        RandomPlace{.seed = seed_}.Key());
    const std::uint64_t key = Join(bits[0], bits[1]);
    const std::uint64_t step = Join(bits[2], bits[3]) | 1;
    std::uint64_t value = draw;
    // a * b < size + a, so at most one value in a or so needs a second turn.
    do {
      value = Encipher(value, key, step);
    } while (value >= size_);
    return static_cast<std::uint32_t>(value);
  }

 private:
  // Small domains mix more slowly. Measured by chi-square over 2e5 to 2e6
  // epochs: with 12 and 4 rounds whole permutations of 5 images and the joint
  // places of two of 100 are seen not to be uniform, with 20 and 8 nothing is.
  constexpr int Rounds() const { return size_ < 64 ? 20 : 8; }

  static constexpr std::uint64_t Join(std::uint32_t low, std::uint32_t high) {
    return low | std::uint64_t{high} << 32;
  }

  // The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), scaled to
  // [0, bound) by the upper half of its bits.
  static constexpr std::uint64_t Hash(std::uint64_t x, std::uint64_t bound) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return ((x ^ (x >> 31)) >> 32) * bound >> 32;
  }

  // (a + b) mod m for a, b < m; a mask, because a branch would be mispredicted
  // every other time.
  static constexpr std::uint64_t AddModulo(std::uint64_t a, std::uint64_t b,
                                           std::uint64_t m) {
    const std::uint64_t sum = a + b;
    return sum - (m & (std::uint64_t{0} - std::uint64_t{sum >= m}));
  }

  constexpr std::uint64_t Encipher(std::uint64_t value, std::uint64_t key,
                                   std::uint64_t step) const {
    std::uint64_t left = value / right_;
    std::uint64_t right = value % right_;
    for (int round = 0; round < Rounds(); round += 2) {
      left = AddModulo(left, Hash((key += step) ^ right, left_), left_);
      right = AddModulo(right, Hash((key += step) ^ left, right_), right_);
    }
    return left * right_ + right;
  }

  std::uint64_t size_;
  std::uint64_t seed_;
  std::uint64_t left_ = 1;   // a, the root of size rounded up
  std::uint64_t right_ = 1;  // b, with a * b >= size
};

class ReplacementSampler {
 public:
  constexpr ReplacementSampler(std::size_t size, std::size_t draws_per_epoch,
                               std::uint64_t seed)
      : size_(static_cast<std::uint32_t>(size)),
        draws_per_epoch_(draws_per_epoch),
        seed_(seed) {
    HPCNN_CHECK(size >= 1 && size <= 0xFFFFFFFF,
                "a sampler needs 1 to 2^32 - 1 images");
    HPCNN_CHECK(draws_per_epoch <= 0xFFFFFFFF,
                "an epoch has at most 2^32 - 1 draws");
  }

  constexpr std::size_t per_epoch() const { return draws_per_epoch_; }

  constexpr std::uint32_t Index(std::uint32_t epoch, std::size_t draw) const {
    return RandomStream({.seed = seed_,
                         .epoch = epoch,
                         .sample = static_cast<std::uint32_t>(draw),
                         .op = RandomOp::kSampleBatch})
        .Below(size_);
  }

 private:
  std::uint32_t size_;
  std::size_t draws_per_epoch_;
  std::uint64_t seed_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_DATA_SAMPLER_H_
