// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The handwritten digits that a training is for: found, read and split.

#ifndef HPCNN_TOOLS_TRAIN_IMAGES_H_
#define HPCNN_TOOLS_TRAIN_IMAGES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hpcnn/data/mnist.h"
#include "hpcnn/data/split.h"
#include "tools/train/options.h"

namespace hpcnn::train {

// The published training images first, then the test images.
struct Images {
  MnistImages all;
  std::size_t train_images;
  std::string source;
};

// `data`: a folder, synthetic or auto.
absl::StatusOr<Images> LoadImages(const std::string& data);

// `images` must outlive the result. `advice` ends the line that says there are
// too few of them.
absl::StatusOr<Split<MnistImages>> SplitImages(const Options& options,
                                               const Images& images,
                                               std::string_view advice);

// "Data: ...", a line.
std::string Describe(const Images& images, const Split<MnistImages>& split);

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_IMAGES_H_
