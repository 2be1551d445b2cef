// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What is learned from: labelled images of one static shape.
//
//   Dataset       the concept that loaders and trainers take
//   ImageSet      owns its images and labels in two contiguous arrays
//   Subset        some images of another dataset, chosen by index
//
// data -> augment -> loader -> nn. A Dataset is read by many threads at once,
// so its const members must not write. All images stay in memory: a dataset
// that does not fit needs a Dataset of its own.

#ifndef HPCNN_DATA_DATASET_H_
#define HPCNN_DATA_DATASET_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "hpcnn/base/check.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

template <class T, class S>
struct ViewOfShape;
template <class T, std::size_t... Dims>
struct ViewOfShape<T, Shape<Dims...>> {
  using Type = TensorView<T, Dims...>;
};

}  // namespace internal

// One image, [C, H, W], brightness 0..255.
template <ShapeType ImageShape>
using ImageView =
    typename internal::ViewOfShape<const std::uint8_t, ImageShape>::Type;
template <ShapeType ImageShape>
using MutableImageView =
    typename internal::ViewOfShape<std::uint8_t, ImageShape>::Type;

// Satisfied by ImageSet and Subset. Labels are below kClasses.
template <class D>
concept Dataset = ShapeType<typename D::ImageShape> &&
                  (D::ImageShape::kRank == 3) &&
                  requires(const D& dataset, std::size_t i) {
  { D::kClasses } -> std::convertible_to<std::size_t>;
  { dataset.size() } -> std::same_as<std::size_t>;
  { dataset.image(i) } -> std::same_as<ImageView<typename D::ImageShape>>;
  { dataset.label(i) } -> std::same_as<std::uint8_t>;
};

template <ShapeType S, std::size_t Classes>
class ImageSet {
 public:
  using ImageShape = S;
  static constexpr std::size_t kClasses = Classes;
  static_assert(S::kRank == 3,
                "hpcnn: the shape of an image is Shape<C, H, W>");
  static_assert(Classes <= 256, "hpcnn: a label is one byte");

  // `count` black images of class 0.
  explicit ImageSet(std::size_t count)
      : pixels_(count * S::kVolume), labels_(count) {}

  // Takes over pixels [count, C, H, W] and labels [count].
  ImageSet(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels)
      : pixels_(std::move(pixels)), labels_(std::move(labels)) {
    HPCNN_CHECK(pixels_.size() == labels_.size() * S::kVolume,
                "an ImageSet needs one label per image");
  }

  std::size_t size() const { return labels_.size(); }
  ImageView<S> image(std::size_t i) const {
    return ImageView<S>(pixels_.data() + i * S::kVolume);
  }
  MutableImageView<S> image(std::size_t i) {
    return MutableImageView<S>(pixels_.data() + i * S::kVolume);
  }
  std::uint8_t label(std::size_t i) const { return labels_[i]; }
  std::uint8_t& label(std::size_t i) { return labels_[i]; }

  std::span<const std::uint8_t> pixels() const { return pixels_; }
  std::span<const std::uint8_t> labels() const { return labels_; }

  void Append(const ImageSet& other) {
    pixels_.insert(pixels_.end(), other.pixels_.begin(), other.pixels_.end());
    labels_.insert(labels_.end(), other.labels_.begin(), other.labels_.end());
  }

 private:
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
};

// The images of `base` at `indices`, in that order. Does not own `base`, which
// must outlive it and stay where it is.
template <Dataset D>
class Subset {
 public:
  using ImageShape = typename D::ImageShape;
  static constexpr std::size_t kClasses = D::kClasses;

  Subset(const D& base, std::vector<std::uint32_t> indices)
      : base_(&base), indices_(std::move(indices)) {
    for (const std::uint32_t i : indices_) {
      HPCNN_CHECK(i < base.size(), "an index of a Subset is outside its base");
    }
  }

  Subset(const D&& temporary, std::vector<std::uint32_t> indices) = delete;

  std::size_t size() const { return indices_.size(); }
  ImageView<ImageShape> image(std::size_t i) const {
    return base_->image(indices_[i]);
  }
  std::uint8_t label(std::size_t i) const { return base_->label(indices_[i]); }
  std::span<const std::uint32_t> indices() const { return indices_; }

 private:
  const D* base_;
  std::vector<std::uint32_t> indices_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_DATA_DATASET_H_
