// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Training, validation and test parts of a dataset.
//
// `all` holds the images for training first and the published test images last,
// as MNIST is published: 60 000 + 10 000. Two ways to cut it:
//
//   SplitFull       keeps the published test images apart; validation images
//                   come from the others (MNIST: 55 000 / 5 000 / 10 000)
//   SplitLowData    draws all three parts from everything, few for training:
//                   the small-data regime (MNIST: 500 / 10 000 / 59 500)
//
// The parts never overlap and depend on the seed and the sizes alone.

#ifndef HPCNN_DATA_SPLIT_H_
#define HPCNN_DATA_SPLIT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "hpcnn/base/check.h"
#include "hpcnn/base/random.h"
#include "hpcnn/base/target.h"
#include "hpcnn/data/dataset.h"

HPCNN_NAMESPACE_BEGIN

template <Dataset D>
struct Split {
  Subset<D> train;
  Subset<D> validation;
  Subset<D> test;
};

inline constexpr std::size_t kLowDataTrainSize = 500;

// Validation sizes in MNIST's proportions, for when the user names none.
constexpr std::size_t DefaultFullValidation(std::size_t train_images) {
  return std::max<std::size_t>(1, train_images / 12);  // 5 000 of 60 000
}
constexpr std::size_t DefaultLowDataValidation(std::size_t all_images) {
  return all_images / 7;  // 10 000 of 70 000
}

namespace internal {

// [0, count) in random order (Fisher and Yates). No training epoch has the
// number kNoEpoch, so these draws are not those of a sampler.
inline std::vector<std::uint32_t> ShuffledIndices(std::size_t count,
                                                  std::uint64_t seed) {
  constexpr std::uint32_t kNoEpoch = 0xFFFFFFFF;
  std::vector<std::uint32_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0u);
  RandomStream random(
      {.seed = seed, .epoch = kNoEpoch, .op = RandomOp::kShuffle});
  for (std::size_t left = count; left > 1; --left) {
    const std::uint32_t pick = random.Below(static_cast<std::uint32_t>(left));
    std::swap(indices[left - 1], indices[pick]);
  }
  return indices;
}

// The indices [begin, end) of `indices` as a Subset of `all`.
template <Dataset D>
Subset<D> Part(const D& all, std::span<const std::uint32_t> indices,
               std::size_t begin, std::size_t end) {
  const auto part = indices.subspan(begin, end - begin);
  return Subset<D>(all, {part.begin(), part.end()});
}

}  // namespace internal

// `train_images` images of `all` are for training and validation, those after
// them for the test. Needs validation_size < train_images.
template <Dataset D>
Split<D> SplitFull(const D& all, std::size_t train_images,
                   std::size_t validation_size, std::uint64_t seed) {
  HPCNN_CHECK(train_images <= all.size() && validation_size < train_images,
              "no training image is left beside the validation images");
  std::vector<std::uint32_t> indices =
      internal::ShuffledIndices(train_images, seed);
  indices.resize(all.size());
  std::iota(indices.begin() + static_cast<std::ptrdiff_t>(train_images),
            indices.end(), static_cast<std::uint32_t>(train_images));
  const std::size_t train_size = train_images - validation_size;
  return {internal::Part(all, indices, 0, train_size),
          internal::Part(all, indices, train_size, train_images),
          internal::Part(all, indices, train_images, all.size())};
}

// What training and validation leave is the test part; it may be empty.
template <Dataset D>
Split<D> SplitLowData(const D& all, std::size_t train_size,
                      std::size_t validation_size, std::uint64_t seed) {
  HPCNN_CHECK(
      train_size <= all.size() && validation_size <= all.size() - train_size,
      "the parts of a split are larger than the dataset");
  const std::vector<std::uint32_t> indices =
      internal::ShuffledIndices(all.size(), seed);
  const std::size_t test_begin = train_size + validation_size;
  return {internal::Part(all, indices, 0, train_size),
          internal::Part(all, indices, train_size, test_begin),
          internal::Part(all, indices, test_begin, all.size())};
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_DATA_SPLIT_H_
