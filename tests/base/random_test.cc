// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/base/random.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

// The known answers for philox4x32, 10 rounds, that are published with
// Random123.
static_assert(Philox4x32({0, 0, 0, 0}, {0, 0}) ==
              PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(Philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
              PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                         {0xa4093822, 0x299f31d0}) ==
              PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

constexpr RandomPlace kPlace{.seed = 0x123456789abcdef0,
                             .epoch = 3,
                             .sample = 5,
                             .op = RandomOp::kNoise};

TEST(PhiloxTest, KnownAnswersAtRunTime) {
  volatile std::uint32_t pi = 0x243f6a88;  // no constant folding
  const PhiloxCounter out = Philox4x32({pi, 0x85a308d3, 0x13198a2e, 0x03707344},
                                       {0xa4093822, 0x299f31d0});
  EXPECT_EQ(out,
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomStreamTest, ReadsTheBlocksOfItsPlaceInOrder) {
  RandomStream stream(kPlace);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t bits :
         Philox4x32({3, 5, static_cast<std::uint32_t>(RandomOp::kNoise), block},
                    {0x9abcdef0, 0x12345678})) {
      EXPECT_EQ(stream.Bits(), bits);
    }
  }
}

TEST(RandomStreamTest, EveryPlaceHasItsOwnNumbers) {
  std::set<std::uint32_t> first;
  std::size_t places = 0;
  for (std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1} << 32}) {
    for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
      for (std::uint32_t sample = 0; sample < 3; ++sample) {
        for (const RandomOp op : {RandomOp::kShuffle, RandomOp::kAugment}) {
          for (const std::uint32_t part : {0u, 1u, 0xffffffu}) {
            first.insert(RandomStream({seed, epoch, sample, op, part}).Bits());
            ++places;
          }
        }
      }
    }
  }
  EXPECT_EQ(first.size(), places);
}

TEST(RandomStreamTest, UniformFillsItsRange) {
  RandomStream stream(kPlace);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const float u = stream.Uniform();
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    sum += u;
    squares += double{u} * u;
  }
  // Five standard errors: sqrt(1/12/n), sqrt(4/45/n).
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
  for (int i = 0; i < 1000; ++i) {
    const float u = stream.Uniform(-3, 2);
    ASSERT_GE(u, -3.0f);
    ASSERT_LE(u, 2.0f);
  }
}

TEST(RandomStreamTest, BelowIsEven) {
  RandomStream stream(kPlace);
  EXPECT_EQ(stream.Below(1), 0u);
  constexpr std::uint32_t kBound = 7;
  constexpr int kDraws = 70'000;
  std::vector<int> count(kBound);
  for (int i = 0; i < kDraws; ++i) ++count.at(stream.Below(kBound));
  // 10 000 each, give or take five standard deviations of 93.
  for (const int c : count) EXPECT_NEAR(c, kDraws / 7, 465);
}

}  // namespace
}  // namespace hpcnn
