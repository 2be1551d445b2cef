// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/filter/input.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/image_file.h"
#include "hpcnn/io/npy.h"
#include "tools/filter/kernels.h"

namespace hpcnn::filter {
namespace {

// By NpyType.
constexpr std::string_view kTypeNames[] = {"u8", "i16", "i32", "f32", "f64"};

constexpr std::string_view kToF32 =
    "in NumPy: np.save(path, array.astype(np.float32))";

std::string_view TypeName(const NpyArray& array) {
  return kTypeNames[static_cast<int>(array.type)];
}

template <class T>
Matrix<T> ToMatrix(const NpyArray& array) {
  return {array.shape[0], array.shape[1], array.Values<T>()};
}

// Of two dimensions, neither of them 0.
absl::StatusOr<NpyArray> ReadNpyMatrix(const std::string& path,
                                       std::string_view what,
                                       std::uint64_t max_elements) {
  absl::StatusOr<NpyArray> array =
      ReadNpy(path, {.min_rank = 2,
                     .max_rank = 2,
                     .max_bytes = max_elements * sizeof(double)});
  if (!array.ok()) return array;
  const std::vector<std::size_t>& shape = array->shape;
  if (shape[0] == 0 || shape[1] == 0) {
    return FileError(path, 0,
                     absl::StrCat(what, " of one row and column or more"),
                     absl::StrCat(shape[0], " rows of ", shape[1]),
                     "save an array that is not empty");
  }
  // Dividing, because the product might not fit.
  if (shape[0] > max_elements / shape[1]) {
    return FileError(path, 0,
                     absl::StrCat("at most ", max_elements, " elements"),
                     absl::StrCat(shape[0], " rows of ", shape[1]),
                     "save a part of it", absl::StatusCode::kResourceExhausted);
  }
  return array;
}

absl::StatusOr<Picture> ReadNpyPicture(const std::string& path) {
  const absl::StatusOr<NpyArray> array =
      ReadNpyMatrix(path, "a picture", ImageLimits().max_pixels);
  if (!array.ok()) return array.status();
  switch (array->type) {
    case NpyType::kU8:
      return ToMatrix<std::uint8_t>(*array);
    case NpyType::kI16:
      return ToMatrix<std::int16_t>(*array);
    case NpyType::kF32:
      return ToMatrix<float>(*array);
    default:
      return FileError(path, 0, "pixels of u8, i16 or f32", TypeName(*array),
                       kToF32);
  }
}

absl::StatusOr<Kernel> ReadKernel(const std::string& path) {
  // Any kernel for which this program is a sensible choice.
  constexpr std::uint64_t kMaxTaps = 1 << 16;
  const absl::StatusOr<NpyArray> array =
      ReadNpyMatrix(path, "a kernel", kMaxTaps);
  if (!array.ok()) return array.status();
  if (array->type == NpyType::kI32) {
    return Kernel{path, true, ToMatrix<int>(*array)};
  }
  if (array->type != NpyType::kF32) {
    return FileError(path, 0, "taps of i32 or f32", TypeName(*array), kToF32);
  }
  Matrix<float> taps = ToMatrix<float>(*array);
  if (!std::all_of(taps.values.begin(), taps.values.end(),
                   [](float tap) { return std::isfinite(tap); })) {
    return FileError(path, 0, "taps that are finite", "NaN or infinity",
                     "look at how the file was made");
  }
  return Kernel{path, true, std::move(taps)};
}

}  // namespace

absl::StatusOr<Picture> ReadPicture(const std::string& path) {
  if (IsNpy(path)) return ReadNpyPicture(path);
  absl::StatusOr<ImageFile> image = ReadGrayImage(path);
  if (!image.ok()) return image.status();
  return GrayImage(image->rows, image->cols, std::move(image->pixels));
}

absl::StatusOr<Kernel> FindKernel(const std::string& name) {
  if (IsNpy(name)) return ReadKernel(ResolveUserPath(name));
  Kernel kernel{name, false, Matrix<int>(0, 0)};
  ForEachNamedKernel([&]<class K>(const Named<K>& named) {
    if (named.name != name) return;
    Matrix<int> taps(K::kTaps.kRows, K::kTaps.kCols);
    for (std::size_t r = 0; r < taps.rows; ++r) {
      for (std::size_t c = 0; c < taps.cols; ++c) {
        taps.view()(r, c) = K::kTaps(r, c);
      }
    }
    kernel.taps = std::move(taps);
  });
  return kernel;
}

absl::Status CheckSumsFit(const Kernel& kernel, const Picture& picture) {
  const auto* taps = std::get_if<Matrix<int>>(&kernel.taps);
  if (taps == nullptr || std::holds_alternative<Matrix<float>>(picture)) {
    return absl::OkStatus();  // sums of floats
  }
  const std::int64_t most =
      std::numeric_limits<std::int32_t>::max() /
      (std::holds_alternative<GrayImage>(picture) ? 255 : 32768);
  std::int64_t sum = 0;
  for (const std::int64_t tap : taps->values) sum += std::abs(tap);
  if (sum <= most) return absl::OkStatus();
  return FileError(kernel.name, 0,
                   absl::StrCat("taps whose sizes sum up to ", most,
                                " or less, so that 32 bits hold the results"),
                   absl::StrCat(sum), kToF32);
}

}  // namespace hpcnn::filter
