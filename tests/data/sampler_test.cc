// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/data/sampler.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

static_assert(Sampler<ShuffledSampler>);
static_assert(Sampler<ReplacementSampler>);
static_assert(ShuffledSampler(1, 7).Index(0, 0) == 0);

// How many standard deviations the chi-square statistic of `counts` lies above
// its mean; `expected` holds the expected counts, 0 for what cannot happen.
double ChiSquareExcess(const std::vector<double>& counts,
                       const std::vector<double>& expected) {
  double chi_square = 0;
  int freedom = -1;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] == 0) {
      EXPECT_EQ(counts[i], 0);
      continue;
    }
    const double d = counts[i] - expected[i];
    chi_square += d * d / expected[i];
    ++freedom;
  }
  return (chi_square - freedom) / std::sqrt(2.0 * freedom);
}

constexpr double kMostExcess = 4.5;  // seeded, so it passes or fails for ever

class ShuffledSamplerSizeTest : public testing::TestWithParam<std::size_t> {};

TEST_P(ShuffledSamplerSizeTest, EveryIndexOnceAnEpoch) {
  const std::size_t size = GetParam();
  const ShuffledSampler sampler(size, 42);
  ASSERT_EQ(sampler.per_epoch(), size);
  for (const std::uint32_t epoch : {0u, 1u, 0xFFFFFFFFu}) {
    std::vector<bool> seen(size);
    for (std::size_t draw = 0; draw < size; ++draw) {
      const std::uint32_t index = sampler.Index(epoch, draw);
      ASSERT_LT(index, size);
      ASSERT_FALSE(seen[index]) << "epoch " << epoch << " draw " << draw;
      seen[index] = true;
    }
  }
}

// 1 to 3 by hand; squares, and their neighbours, change the Feistel domain.
INSTANTIATE_TEST_SUITE_P(Sizes, ShuffledSamplerSizeTest,
                         testing::Values(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16,
                                         17, 63, 64, 65, 99, 100, 101, 500, 997,
                                         4096, 55'000, 65'535, 65'536, 65'537));

TEST(ShuffledSamplerTest, LargestSize) {
  const ShuffledSampler sampler(0xFFFFFFFF, 1);
  std::map<std::uint32_t, std::size_t> seen;
  for (std::size_t draw = 0xFFFFFFFF - 10'000; draw < 0xFFFFFFFF; ++draw) {
    const std::uint32_t index = sampler.Index(0, draw);
    ASSERT_LT(index, 0xFFFFFFFF);
    ASSERT_TRUE(seen.emplace(index, draw).second);
  }
}

TEST(ShuffledSamplerTest, EpochsAndSeedsDiffer) {
  const std::size_t size = 10'000;
  const ShuffledSampler a(size, 1), b(size, 2);
  int same_epoch = 0, same_seed = 0, unmoved = 0;
  for (std::size_t draw = 0; draw < size; ++draw) {
    same_epoch += a.Index(0, draw) == a.Index(1, draw);
    same_seed += a.Index(0, draw) == b.Index(0, draw);
    unmoved += a.Index(0, draw) == draw;
  }
  // Each is Poisson with mean 1.
  EXPECT_LE(same_epoch, 7);
  EXPECT_LE(same_seed, 7);
  EXPECT_LE(unmoved, 7);
}

TEST(ShuffledSamplerTest, WholePermutationsOfFourAreUniform) {
  constexpr int kEpochs = 60'000;
  const ShuffledSampler sampler(4, 3);
  std::vector<double> counts(256), expected(256);
  for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
    std::size_t permutation = 0;
    for (std::size_t draw = 0; draw < 4; ++draw) {
      permutation = permutation * 4 + sampler.Index(epoch, draw);
    }
    ++counts[permutation];
  }
  for (std::size_t p = 0; p < 256; ++p) {
    unsigned seen = 0;
    for (std::size_t rest = p, i = 0; i < 4; ++i, rest /= 4) {
      seen |= 1u << rest % 4;
    }
    expected[p] = seen == 15 ? kEpochs / 24.0 : 0;
  }
  EXPECT_LT(ChiSquareExcess(counts, expected), kMostExcess);
}

TEST(ShuffledSamplerTest, JointPlacesOfTwoDrawsAreUniform) {
  constexpr int kEpochs = 60'000;
  constexpr std::size_t kBins = 10;
  for (const std::size_t size : {10u, 20u, 100u, 500u}) {
    const ShuffledSampler sampler(size, 5);
    const double per_bin = static_cast<double>(size / kBins);
    for (const std::size_t other : {std::size_t{1}, size / 2, size - 1}) {
      std::vector<double> counts(kBins * kBins), expected(kBins * kBins);
      for (std::uint32_t epoch = 0; epoch < kEpochs; ++epoch) {
        const std::size_t a = sampler.Index(epoch, 0) * kBins / size;
        const std::size_t b = sampler.Index(epoch, other) * kBins / size;
        ++counts[a * kBins + b];
      }
      for (std::size_t i = 0; i < expected.size(); ++i) {
        const bool same_bin = i / kBins == i % kBins;
        expected[i] = kEpochs * per_bin * (per_bin - (same_bin ? 1 : 0)) /
                      static_cast<double>(size * (size - 1));
      }
      EXPECT_LT(ChiSquareExcess(counts, expected), kMostExcess)
          << "size " << size << ", draws 0 and " << other;
    }
  }
}

TEST(ShuffledSamplerDeathTest, RefusesNoImagesAndDrawsBeyondTheEpoch) {
  EXPECT_DEATH(ShuffledSampler(0, 1), "needs 1 to 2");
  EXPECT_DEATH(ShuffledSampler(std::size_t{1} << 32, 1), "needs 1 to 2");
  EXPECT_DEATH(ShuffledSampler(5, 1).Index(0, 5), "beyond the end");
}

TEST(ReplacementSamplerTest, DrawsAreUniformAndIndependent) {
  constexpr std::size_t kSize = 10, kDraws = 100'000;
  const ReplacementSampler sampler(kSize, kDraws, 9);
  EXPECT_EQ(sampler.per_epoch(), kDraws);
  std::vector<double> counts(kSize * kSize);
  for (std::size_t draw = 0; draw < kDraws; draw += 2) {
    ++counts[sampler.Index(4, draw) * kSize + sampler.Index(4, draw + 1)];
  }
  const std::vector<double> expected(kSize * kSize, kDraws / 2.0 / 100);
  EXPECT_LT(ChiSquareExcess(counts, expected), kMostExcess);
}

TEST(ReplacementSamplerTest, EpochsDiffer) {
  const ReplacementSampler sampler(1'000'000, 1'000, 9);
  int same = 0;
  for (std::size_t draw = 0; draw < 1'000; ++draw) {
    same += sampler.Index(0, draw) == sampler.Index(1, draw);
  }
  EXPECT_LE(same, 2);
}

}  // namespace
}  // namespace hpcnn
