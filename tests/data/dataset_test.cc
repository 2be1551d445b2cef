// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/data/dataset.h"

#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

using Images = ImageSet<Shape<2, 3, 4>, 5>;
static_assert(Dataset<Images>);
static_assert(Dataset<Subset<Images>>);
static_assert(Dataset<Subset<Subset<Images>>>);
// It would dangle.
static_assert(
    !std::is_constructible_v<Subset<Images>, Images, std::vector<unsigned>>);
static_assert(!Dataset<int>);
static_assert(!Dataset<std::vector<int>>);
static_assert(std::is_same_v<ImageView<Shape<2, 3, 4>>,
                             TensorView<const std::uint8_t, 2, 3, 4>>);

// Image i is filled with 10 * i, its label is i.
Images CountingImages(std::size_t count) {
  Images images(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (auto& pixel : images.image(i)) {
      pixel = static_cast<std::uint8_t>(10 * i);
    }
    images.label(i) = static_cast<std::uint8_t>(i);
  }
  return images;
}

TEST(ImageSetTest, ImagesAreContiguousAndChannelsOutermost) {
  Images images(3);
  images.image(1)(1, 2, 3) = 7;
  EXPECT_EQ(images.size(), 3u);
  EXPECT_EQ(images.pixels().size(), 3u * 24);
  EXPECT_EQ(images.pixels()[24 + 23], 7);
  EXPECT_EQ(std::as_const(images).image(1)(1, 2, 3), 7);
}

TEST(ImageSetTest, TakesOverPixelsAndLabels) {
  std::vector<std::uint8_t> pixels(48, 9);
  const std::uint8_t* where = pixels.data();
  const Images images(std::move(pixels), {3, 4});
  EXPECT_EQ(images.pixels().data(), where);
  EXPECT_EQ(images.label(1), 4);
}

TEST(ImageSetDeathTest, RefusesPixelsWithoutLabel) {
  EXPECT_DEATH(Images(std::vector<std::uint8_t>(47), {3, 4}),
               "one label per image");
}

TEST(ImageSetTest, AppendKeepsOrder) {
  Images images = CountingImages(2);
  images.Append(CountingImages(3));
  ASSERT_EQ(images.size(), 5u);
  EXPECT_EQ(images.label(1), 1);
  EXPECT_EQ(images.label(4), 2);
  EXPECT_EQ(images.image(4)[23], 20);
}

TEST(SubsetTest, ShowsTheChosenImagesInOrder) {
  const Images images = CountingImages(5);
  const Subset subset(images, {4, 0, 4});
  ASSERT_EQ(subset.size(), 3u);
  EXPECT_EQ(subset.label(0), 4);
  EXPECT_EQ(subset.label(1), 0);
  EXPECT_EQ(subset.image(2).data(), images.image(4).data());
  const Subset nested(subset, {1});
  EXPECT_EQ(nested.image(0).data(), images.image(0).data());
}

TEST(SubsetDeathTest, RefusesAnIndexOutsideItsBase) {
  const Images images(5);
  EXPECT_DEATH(Subset(images, {0, 5}), "outside its base");
}

}  // namespace
}  // namespace hpcnn
