// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/random_simd-inl.h"

namespace hpcnn {
namespace {

// Every length around the vectors', and a counter that wraps.
TEST(FillRandomBitsTest, IsTheRandomStream) {
  const RandomPlace place{0xFEDCBA9876543210, 0xFFFFFFFF, 123,
                          RandomOp::kNoise};
  RandomStream stream(place);
  std::vector<std::uint32_t> expected(600);
  for (std::uint32_t& word : expected) word = stream.Bits();
  for (std::size_t size = 0; size <= expected.size(); ++size) {
    std::vector<std::uint32_t> words(size);
    FillRandomBits(place, 0, words);
    ASSERT_TRUE(std::equal(words.begin(), words.end(), expected.begin()))
        << size;
  }
  std::vector<std::uint32_t> later(200);
  FillRandomBits(place, 100, later);
  EXPECT_TRUE(std::equal(later.begin(), later.end(), expected.begin() + 400));
}

TEST(FillRandomBitsTest, CounterWrapsLikeTheScalarOne) {
  const RandomPlace place{1, 2, 3, RandomOp::kNoise};
  std::vector<std::uint32_t> words(300);
  FillRandomBits(place, 0xFFFFFFF0, words);
  for (std::uint32_t block = 0; block < 75; ++block) {
    const PhiloxCounter expected =
        Philox4x32(place.Counter(0xFFFFFFF0 + block), place.Key());
    for (std::size_t i = 0; i < 4; ++i) {
      ASSERT_EQ(words[4 * block + i], expected[i]) << block;
    }
  }
}

}  // namespace
}  // namespace hpcnn
