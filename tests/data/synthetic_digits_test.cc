// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/data/synthetic_digits.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

// FNV-1a.
std::uint64_t Hash(std::span<const std::uint8_t> bytes) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const std::uint8_t b : bytes) hash = (hash ^ b) * 0x100000001B3;
  return hash;
}

// Tagged "parity": the bytes must be these for every target and compiler.
TEST(SyntheticDigitsTest, FixedBySeed) {
  EXPECT_EQ(Hash(MakeSyntheticDigits(1'000, 1).pixels()), 2240671901158829297u);
}

TEST(SyntheticDigitsTest, ADigitDependsOnSeedAndIndexAlone) {
  const SyntheticDigits all = MakeSyntheticDigits(30, 5);
  const SyntheticDigits tail = MakeSyntheticDigits(10, 5, 20);
  const SyntheticDigits other = MakeSyntheticDigits(30, 6);
  EXPECT_TRUE(
      std::ranges::equal(tail.pixels(), all.pixels().subspan(20 * 784)));
  EXPECT_TRUE(std::ranges::equal(tail.labels(), all.labels().subspan(20)));
  EXPECT_FALSE(std::ranges::equal(other.pixels(), all.pixels()));
  EXPECT_FALSE(std::ranges::equal(all.image(0), all.image(10)));
}

TEST(SyntheticDigitsTest, LooksLikeMnist) {
  const SyntheticDigits digits = MakeSyntheticDigits(2'000, 2);
  std::array<int, 10> per_class{};
  double total = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    ++per_class[digits.label(i)];
    double ink = 0, x = 0, y = 0;
    const auto image = digits.image(i);
    for (std::size_t row = 0; row < 28; ++row) {
      for (std::size_t column = 0; column < 28; ++column) {
        const double v = image(0, row, column);
        ink += v;
        x += v * static_cast<double>(column);
        y += v * static_cast<double>(row);
      }
    }
    total += ink;
    // Bright somewhere, and centred as far as a pixel of shift allows.
    EXPECT_GE(*std::ranges::max_element(image), 150) << i;
    EXPECT_NEAR(x / ink, 13.5, 2.5) << i;
    EXPECT_NEAR(y / ink, 13.5, 2.5) << i;
  }
  for (const int count : per_class) EXPECT_EQ(count, 200);
  // MNIST's mean brightness is 33.3.
  EXPECT_NEAR(total / static_cast<double>(digits.pixels().size()), 30, 6);
}

// A classifier without training: the nearest mean image of the class.
// Learnable, but not by this: the classes overlap in pixel space.
TEST(SyntheticDigitsTest, NearestClassMeanIsGoodButNotGoodEnough) {
  const SyntheticDigits train = MakeSyntheticDigits(4'000, 3);
  const SyntheticDigits test = MakeSyntheticDigits(1'000, 3, 4'000);
  std::vector<float> mean(10 * 784);
  for (std::size_t i = 0; i < train.size(); ++i) {
    for (std::size_t p = 0; p < 784; ++p) {
      mean[train.label(i) * 784u + p] += train.image(i)[p] / 400.0f;
    }
  }
  int right = 0;
  for (std::size_t i = 0; i < test.size(); ++i) {
    std::array<float, 10> distance{};
    for (std::size_t c = 0; c < 10; ++c) {
      for (std::size_t p = 0; p < 784; ++p) {
        const float d = test.image(i)[p] - mean[c * 784 + p];
        distance[c] += d * d;
      }
    }
    const auto nearest = std::ranges::min_element(distance);
    right += nearest - distance.begin() == test.label(i);
  }
  EXPECT_GE(right, 600);
  EXPECT_LE(right, 930);
}

}  // namespace
}  // namespace hpcnn
