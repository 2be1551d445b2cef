// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/images.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "hpcnn/data/synthetic_digits.h"
#include "tools/train/options.h"

namespace hpcnn::train {

absl::StatusOr<Images> LoadImages(const std::string& data) {
  const DataSource source = ResolveData(data);
  if (source.folder.empty()) {
    // As many as MNIST has, so that every preset works.
    return Images{MakeSyntheticDigits(70'000, /*seed=*/1), 60'000,
                  absl::StrCat("synthetic digits drawn by this program (",
                               source.reason, ")")};
  }
  absl::StatusOr<Mnist> mnist = LoadMnist(source.folder);
  if (!mnist.ok() && source.reason != "--data") {  // not what the user typed
    return absl::Status(mnist.status().code(),
                        absl::StrCat(mnist.status().message(),
                                     " (the folder: ", source.reason, ")"));
  }
  if (!mnist.ok()) return mnist.status();
  const std::size_t train_images = mnist->train.size();
  mnist->train.Append(mnist->test);
  return Images{std::move(mnist->train), train_images,
                absl::StrCat(source.folder, " (", source.reason, ")")};
}

absl::StatusOr<Split<MnistImages>> SplitImages(const Options& options,
                                               const Images& images,
                                               std::string_view advice) {
  const std::size_t available =
      options.lowdata ? images.all.size() : images.train_images;
  const std::size_t validation = options.validation_size.value_or(
      options.lowdata ? DefaultLowDataValidation(available)
                      : DefaultFullValidation(available));
  const std::size_t train = options.lowdata ? kLowDataTrainSize : 1;
  if (train + validation > available) {
    return absl::InvalidArgumentError(absl::StrCat(
        images.source, ": expected ", train, " training and ", validation,
        " validation images or more, found ", available, "; ", advice));
  }
  return options.lowdata
             ? SplitLowData(images.all, train, validation, options.seed)
             : SplitFull(images.all, images.train_images, validation,
                         options.seed);
}

std::string Describe(const Images& images, const Split<MnistImages>& split) {
  return absl::StrFormat(
      "Data: %s: %d training, %d validation, %d test images\n", images.source,
      split.train.size(), split.validation.size(), split.test.size());
}

}  // namespace hpcnn::train
