// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// FillRandomBits: many numbers of one RandomPlace at once, the same that
// RandomStream gives one by one. One Philox block per 64-bit lane: a round is
// two 32x32->64 multiplications, and what they leave in the upper half of a
// lane is ignored by the next round's.

#ifndef HPCNN_BASE_RANDOM_SIMD_INL_H_
#define HPCNN_BASE_RANDOM_SIMD_INL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"
#include "hwy/highway.h"

HPCNN_NAMESPACE_BEGIN

// One lane, or a number of lanes unknown to the compiler.
#if HWY_TARGET == HWY_SCALAR || HWY_HAVE_SCALABLE

// words[i] = number 4 * first_block + i of RandomStream(place).
inline void FillRandomBits(const RandomPlace& place, std::uint32_t first_block,
                           std::span<std::uint32_t> words) {
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const PhiloxCounter block =
        Philox4x32(place.Counter(first_block++), place.Key());
    std::copy_n(block.begin(), std::min<std::size_t>(4, words.size() - i),
                words.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

#else
namespace internal {

// Vectors in step: each operation of a round waits for the one before, about
// seven cycles a round, which four vectors fill. AVX-512 has the registers.
inline constexpr std::size_t kPhiloxVectors = HWY_MAX_BYTES >= 64 ? 4 : 2;

template <class D64>
constexpr std::size_t PhiloxWords(D64 d) {
  return kPhiloxVectors * 4 * hwy::HWY_NAMESPACE::MaxLanes(d);
}

// Sets words to the PhiloxWords(d) numbers from `first_block` on.
template <class D64>
HWY_INLINE void PhiloxBlocks(D64 d, const RandomPlace& place,
                             std::uint32_t first_block,
                             std::uint32_t* HWY_RESTRICT words) {
  namespace hn = hwy::HWY_NAMESPACE;
  using V = hn::Vec<D64>;
  const hn::Repartition<std::uint32_t, D64> d32;
  const auto multiply = [&](V a, V b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  const PhiloxCounter counter = place.Counter(first_block);
  PhiloxKey key = place.Key();
  std::array<V, kPhiloxVectors> c0, c1, c2, c3;
  // Lanes take blocks 0, half, 1, half + 1, ...: InterleaveLower and -Upper,
  // which work within 128 bits, then leave the blocks in order.
  constexpr std::size_t kHalf = hn::MaxLanes(d) / 2;
  const V lane = hn::Iota(d, 0);
  const V block = hn::Add(
      hn::ShiftRight<1>(lane),
      hn::IfThenElseZero(hn::TestBit(lane, hn::Set(d, 1)), hn::Set(d, kHalf)));
  for (std::size_t v = 0; v < kPhiloxVectors; ++v) {
    c0[v] = hn::Set(d, counter[0]);
    c1[v] = hn::Set(d, counter[1]);
    c2[v] = hn::Set(d, counter[2]);
    c3[v] = hn::Add(hn::Set(d, counter[3] + v * 2 * kHalf), block);
  }
  const V m0 = hn::Set(d, kPhiloxMultiplier0);
  const V m1 = hn::Set(d, kPhiloxMultiplier1);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const V k0 = hn::Set(d, key[0]), k1 = hn::Set(d, key[1]);
    for (std::size_t v = 0; v < kPhiloxVectors; ++v) {
      const V product0 = multiply(c0[v], m0);
      const V product1 = multiply(c2[v], m1);
      c0[v] = hn::Xor3(hn::ShiftRight<32>(product1), c1[v], k0);
      c1[v] = product1;
      c2[v] = hn::Xor3(hn::ShiftRight<32>(product0), c3[v], k1);
      c3[v] = product0;
    }
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }
  // Two words of a block to a lane: the even 32 bits of both vectors.
  const auto pair = [&](V low, V high) HWY_ATTR {
    return hn::BitCast(d, hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(high)),
                                      hn::BitCast(d32, low)));
  };
  for (std::size_t v = 0; v < kPhiloxVectors; ++v) {
    const V first = pair(c0[v], c1[v]), second = pair(c2[v], c3[v]);
    hn::StoreU(hn::BitCast(d32, hn::InterleaveLower(d, first, second)), d32,
               words + v * 8 * kHalf);
    hn::StoreU(hn::BitCast(d32, hn::InterleaveUpper(d, first, second)), d32,
               words + v * 8 * kHalf + 4 * kHalf);
  }
}

}  // namespace internal

// words[i] = number 4 * first_block + i of RandomStream(place).
HWY_INLINE void FillRandomBits(const RandomPlace& place,
                               std::uint32_t first_block,
                               std::span<std::uint32_t> words) {
  constexpr hwy::HWY_NAMESPACE::ScalableTag<std::uint64_t> d;
  constexpr std::size_t kStep = internal::PhiloxWords(d);
  std::size_t i = 0;
  for (; i + kStep <= words.size(); i += kStep) {
    internal::PhiloxBlocks(
        d, place, first_block + static_cast<std::uint32_t>(i / 4), &words[i]);
  }
  if (i == words.size()) return;
  std::array<std::uint32_t, kStep> rest;
  internal::PhiloxBlocks(
      d, place, first_block + static_cast<std::uint32_t>(i / 4), rest.data());
  std::copy_n(rest.begin(), words.size() - i,
              words.begin() + static_cast<std::ptrdiff_t>(i));
}

#endif

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_RANDOM_SIMD_INL_H_
