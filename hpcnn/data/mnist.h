// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// MNIST, and data sets published in its form (Fashion-MNIST, KMNIST): four IDX
// files in one folder, 28x28 grey images of 10 classes.
//
// Both spellings of the names are known (train-images-idx3-ubyte and
// train-images.idx3-ubyte), with or without .gz, in the folder itself or where
// torchvision keeps them (MNIST/raw). Part of hpcnn/io.h, not of hpcnn/hpcnn.h.

#ifndef HPCNN_DATA_MNIST_H_
#define HPCNN_DATA_MNIST_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hpcnn/base/shape.h"
#include "hpcnn/base/target.h"
#include "hpcnn/data/dataset.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/idx.h"

HPCNN_NAMESPACE_BEGIN

using MnistImages = ImageSet<Shape<1, 28, 28>, 10>;

struct Mnist {
  MnistImages train;  // 60 000 as published
  MnistImages test;   // 10 000
};

namespace internal {

inline constexpr std::string_view kFetchMnist =
    "`bazel run //tools/fetch_mnist` downloads MNIST, --data=synthetic needs "
    "no files";

// Some 300 000 images, four times what these data sets have: a packed megabyte
// may claim a thousand.
inline constexpr std::uint64_t kMaxMnistBytes = std::uint64_t{1} << 28;

// The path of e.g. "train-images" "idx3" below `folder`, however it is spelt.
inline absl::StatusOr<std::string> FindMnistFile(const std::string& folder,
                                                 std::string_view name,
                                                 std::string_view rank) {
  std::error_code ignored;
  for (const char* place : {"", "raw", "MNIST/raw", "FashionMNIST/raw"}) {
    for (const char* dot : {"-", "."}) {
      for (const char* packed : {"", ".gz"}) {
        const auto path = std::filesystem::path(folder) / place /
                          absl::StrCat(name, dot, rank, "-ubyte", packed);
        if (std::filesystem::exists(path, ignored)) return path.string();
      }
    }
  }
  std::error_code error;
  const std::filesystem::directory_iterator entries(folder, error);
  const bool missing = error == std::errc::no_such_file_or_directory;
  return FileError(folder, 0,
                   absl::StrCat("a folder with ", name, "-", rank, "-ubyte or ",
                                name, "-", rank, "-ubyte.gz"),
                   missing                               ? "no such folder"
                   : error == std::errc::not_a_directory ? "a file"
                   : error                               ? error.message()
                                                         : "no such file in it",
                   kFetchMnist, absl::StatusCode::kNotFound);
}

// Dimension i of an IDX file stands at byte 4 + 4 * i.
inline absl::Status CheckMnistDims(const std::string& path,
                                   const std::vector<std::uint32_t>& dims) {
  if (dims.size() != 3) {
    return FileError(path, 3, "3 dimensions (images, rows, columns)",
                     absl::StrCat(dims.size()), kFetchMnist);
  }
  if (dims[0] == 0) {
    return FileError(path, 4, "1 image or more", "0", kFetchMnist);
  }
  if (dims[1] != 28 || dims[2] != 28) {
    return FileError(path, 8, "images of 28 x 28",
                     absl::StrCat(dims[1], " x ", dims[2]), kFetchMnist);
  }
  return absl::OkStatus();
}

inline absl::Status CheckMnistLabels(const std::string& path,
                                     const IdxArray<std::uint8_t>& labels,
                                     std::uint32_t images) {
  if (labels.dims.size() != 1) {
    return FileError(path, 3, "1 dimension (labels)",
                     absl::StrCat(labels.dims.size()), kFetchMnist);
  }
  if (labels.dims[0] != images) {
    return FileError(path, 4, absl::StrCat(images, " labels, one per image"),
                     absl::StrCat(labels.dims[0]),
                     "images and labels must come from the same data set");
  }
  const auto bad = std::ranges::find_if(
      labels.values, [](auto label) { return label >= MnistImages::kClasses; });
  if (bad != labels.values.end()) {
    constexpr std::uint64_t kHeader = 8;
    const auto i = static_cast<std::uint64_t>(bad - labels.values.begin());
    return FileError(path, kHeader + i, "a label of 0 to 9",
                     absl::StrCat(int{*bad}), kFetchMnist);
  }
  return absl::OkStatus();
}

// `part` is "train" or "t10k".
inline absl::StatusOr<MnistImages> LoadMnistPart(const std::string& folder,
                                                 std::string_view part) {
  const auto image_path =
      FindMnistFile(folder, absl::StrCat(part, "-images"), "idx3");
  if (!image_path.ok()) return image_path.status();
  const auto label_path =
      FindMnistFile(folder, absl::StrCat(part, "-labels"), "idx1");
  if (!label_path.ok()) return label_path.status();

  auto images = ReadIdx<std::uint8_t>(*image_path, kMaxMnistBytes);
  if (!images.ok()) return images.status();
  absl::Status status = CheckMnistDims(*image_path, images->dims);
  if (!status.ok()) return status;
  auto labels = ReadIdx<std::uint8_t>(*label_path, kMaxMnistBytes);
  if (!labels.ok()) return labels.status();
  status = CheckMnistLabels(*label_path, *labels, images->dims[0]);
  if (!status.ok()) return status;
  return MnistImages(std::move(images->values), std::move(labels->values));
}

}  // namespace internal

inline absl::StatusOr<Mnist> LoadMnist(const std::string& folder) {
  absl::StatusOr<MnistImages> train = internal::LoadMnistPart(folder, "train");
  if (!train.ok()) return train.status();
  absl::StatusOr<MnistImages> test = internal::LoadMnistPart(folder, "t10k");
  if (!test.ok()) return test.status();
  return Mnist{*std::move(train), *std::move(test)};
}

// Where a program's data comes from, and who said so (a flag, a variable, ...).
struct DataSource {
  std::string folder;  // empty: synthetic digits
  std::string reason;
};

// `flag` is a folder, "synthetic" or "auto": $HPCNN_DATA, else
// ${XDG_CACHE_HOME:-~/.cache}/hpcnn/mnist if there is one, else synthetic. Only
// the absence of that folder leads to synthetic digits; a damaged one is an
// error of LoadMnist.
inline DataSource ResolveData(std::string_view flag) {
  if (flag == "synthetic") return {"", "--data"};
  if (flag != "auto") return {ResolveUserPath(flag), "--data"};
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string_view(value == nullptr ? "" : value);
  };
  if (const auto folder = variable("HPCNN_DATA"); !folder.empty()) {
    return {ResolveUserPath(folder), "HPCNN_DATA"};
  }
  std::filesystem::path cache = variable("XDG_CACHE_HOME");
  if (cache.empty() && !variable("HOME").empty()) {
    cache = std::filesystem::path(variable("HOME")) / ".cache";
  }
  const std::filesystem::path folder = cache / "hpcnn" / "mnist";
  std::error_code ignored;
  if (!cache.empty() && std::filesystem::exists(folder, ignored)) {
    return {folder.string(), "found in the cache folder"};
  }
  return {"", "no HPCNN_DATA and no folder " + folder.string()};
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_DATA_MNIST_H_
