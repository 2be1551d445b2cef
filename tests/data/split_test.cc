// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/data/split.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

using Images = ImageSet<Shape<1, 1, 1>, 10>;

std::vector<std::uint32_t> Sorted(const Subset<Images>& part) {
  std::vector<std::uint32_t> indices(part.indices().begin(),
                                     part.indices().end());
  std::sort(indices.begin(), indices.end());
  return indices;
}

void ExpectDisjointCover(const Split<Images>& split, std::size_t size) {
  std::vector<int> seen(size);
  for (const auto* part : {&split.train, &split.validation, &split.test}) {
    for (const std::uint32_t i : part->indices()) ++seen[i];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1),
            static_cast<std::ptrdiff_t>(size));
}

TEST(SplitTest, FullOfMnistSize) {
  const Images all(70'000);
  const std::size_t validation = DefaultFullValidation(60'000);
  const Split split = SplitFull(all, 60'000, validation, 1);
  EXPECT_EQ(split.train.size(), 55'000u);
  EXPECT_EQ(split.validation.size(), 5'000u);
  ASSERT_EQ(split.test.size(), 10'000u);
  ExpectDisjointCover(split, all.size());
  // The published test images, and only they, in their order.
  for (std::size_t i = 0; i < 10'000; ++i) {
    ASSERT_EQ(split.test.indices()[i], 60'000 + i);
  }
}

TEST(SplitTest, LowDataOfMnistSize) {
  const Images all(70'000);
  const std::size_t validation = DefaultLowDataValidation(all.size());
  const Split split = SplitLowData(all, kLowDataTrainSize, validation, 1);
  EXPECT_EQ(split.train.size(), 500u);
  EXPECT_EQ(split.validation.size(), 10'000u);
  EXPECT_EQ(split.test.size(), 59'500u);
  ExpectDisjointCover(split, all.size());
  // Drawn from everything: some of the published test images are among them.
  EXPECT_GE(Sorted(split.train).back(), 60'000u);
  EXPECT_LT(Sorted(split.test).front(), 60'000u);
}

TEST(SplitTest, DependsOnTheSeedAlone) {
  const Images all(1'000);
  const Split a = SplitFull(all, 900, 100, 1);
  const Split b = SplitFull(all, 900, 100, 1);
  const Split c = SplitFull(all, 900, 100, 2);
  EXPECT_EQ(Sorted(a.validation), Sorted(b.validation));
  EXPECT_NE(Sorted(a.validation), Sorted(c.validation));
}

TEST(SplitTest, NoValidationAndNoTestImages) {
  const Images all(10);
  EXPECT_EQ(SplitFull(all, 10, 0, 1).validation.size(), 0u);
  EXPECT_EQ(SplitFull(all, 10, 0, 1).test.size(), 0u);
  EXPECT_EQ(SplitLowData(all, 4, 6, 1).test.size(), 0u);
}

TEST(SplitTest, EveryImageIsEquallyOftenDrawn) {
  const Images all(20);
  std::vector<int> drawn(20);
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    const Split split = SplitLowData(all, 5, 0, seed);
    for (const std::uint32_t i : split.train.indices()) ++drawn[i];
  }
  for (const int count : drawn) {
    EXPECT_NEAR(count, 1'000, 5 * 27.4);  // 5 standard deviations, binomial
  }
}

TEST(SplitDeathTest, RefusesPartsThatDoNotFit) {
  const Images all(10);
  EXPECT_DEATH(SplitFull(all, 5, 5, 1), "no training image is left");
  EXPECT_DEATH(SplitFull(all, 11, 5, 1), "no training image is left");
  EXPECT_DEATH(SplitLowData(all, 6, 5, 1), "larger than the dataset");
}

}  // namespace
}  // namespace hpcnn
