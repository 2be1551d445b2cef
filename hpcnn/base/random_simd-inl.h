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

#if HWY_TARGET != HWY_SCALAR
namespace internal {

// The words of Lanes(d) blocks from `first_block` on, in order.
template <class D64>
HWY_INLINE void PhiloxBlocks(D64 d, const RandomPlace& place,
                             std::uint32_t first_block,
                             std::uint32_t* HWY_RESTRICT words) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::Repartition<std::uint32_t, D64> d32;
  const auto multiply = [&](auto a, auto b) HWY_ATTR {
    return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, b));
  };
  const std::size_t half = hn::Lanes(d) / 2;
  const PhiloxCounter counter = place.Counter(first_block);
  PhiloxKey key = place.Key();

  // Lanes take blocks 0, half, 1, half + 1, ...: InterleaveLower and -Upper,
  // which work within 128 bits, then leave the blocks in order.
  const auto lane = hn::Iota(d, 0);
  auto c0 = hn::Set(d, counter[0]);
  auto c1 = hn::Set(d, counter[1]);
  auto c2 = hn::Set(d, counter[2]);
  auto c3 = hn::Add(
      hn::Add(hn::Set(d, counter[3]), hn::ShiftRight<1>(lane)),
      hn::IfThenElseZero(hn::TestBit(lane, hn::Set(d, 1)), hn::Set(d, half)));
  const auto m0 = hn::Set(d, kPhiloxMultiplier0);
  const auto m1 = hn::Set(d, kPhiloxMultiplier1);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const auto product0 = multiply(c0, m0);
    const auto product1 = multiply(c2, m1);
    c0 = hn::Xor3(hn::ShiftRight<32>(product1), c1, hn::Set(d, key[0]));
    c1 = product1;
    c2 = hn::Xor3(hn::ShiftRight<32>(product0), c3, hn::Set(d, key[1]));
    c3 = product0;
    key[0] += kPhiloxWeyl0;
    key[1] += kPhiloxWeyl1;
  }

  // Two words of a block to a lane: the even 32 bits of one vector, then those
  // of the other.
  const auto pair = [&](auto low, auto high) HWY_ATTR {
    return hn::BitCast(d, hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(high)),
                                      hn::BitCast(d32, low)));
  };
  const auto first = pair(c0, c1);
  const auto second = pair(c2, c3);
  hn::StoreU(hn::BitCast(d32, hn::InterleaveLower(d, first, second)), d32,
             words);
  hn::StoreU(hn::BitCast(d32, hn::InterleaveUpper(d, first, second)), d32,
             words + 4 * half);
}

}  // namespace internal
#endif

// words[i] = number 4 * first_block + i of RandomStream(place).
HWY_INLINE void FillRandomBits(const RandomPlace& place,
                               std::uint32_t first_block,
                               std::span<std::uint32_t> words) {
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t i = 0; i < words.size(); i += 4) {
    const PhiloxCounter block =
        Philox4x32(place.Counter(first_block++), place.Key());
    std::copy_n(block.begin(), std::min<std::size_t>(4, words.size() - i),
                words.begin() + static_cast<std::ptrdiff_t>(i));
  }
#else
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<std::uint64_t> d;
  const std::size_t step = 4 * hn::Lanes(d);
  std::size_t i = 0;
  for (; i + step <= words.size(); i += step) {
    internal::PhiloxBlocks(
        d, place, first_block + static_cast<std::uint32_t>(i / 4), &words[i]);
  }
  if (i == words.size()) return;
  std::array<std::uint32_t, 4 * hn::MaxLanes(d)> rest;
  internal::PhiloxBlocks(
      d, place, first_block + static_cast<std::uint32_t>(i / 4), rest.data());
  std::copy_n(rest.begin(), words.size() - i,
              words.begin() + static_cast<std::ptrdiff_t>(i));
#endif
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_RANDOM_SIMD_INL_H_
