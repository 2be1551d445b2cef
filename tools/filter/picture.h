// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What //tools:filter reads, computes and writes, with element types that a
// file decides.

#ifndef HPCNN_TOOLS_FILTER_PICTURE_H_
#define HPCNN_TOOLS_FILTER_PICTURE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "hpcnn/base/tensor.h"

namespace hpcnn::filter {

// Owns its elements, row-major.
template <class T>
struct Matrix {
  Matrix(std::size_t rows_in, std::size_t cols_in)
      : Matrix(rows_in, cols_in, std::vector<T>(rows_in * cols_in)) {}
  Matrix(std::size_t rows_in, std::size_t cols_in, std::vector<T> values_in)
      : rows(rows_in), cols(cols_in), values(std::move(values_in)) {}

  MatrixView<T> view() { return {values.data(), rows, cols}; }
  MatrixView<const T> view() const { return {values.data(), rows, cols}; }

  std::size_t rows;
  std::size_t cols;
  std::vector<T> values;  // [rows, cols]
};

using GrayImage = Matrix<std::uint8_t>;
using Picture = std::variant<GrayImage, Matrix<std::int16_t>, Matrix<float>>;

// i32 for correlations of integer images with integer taps, else f32.
using Result = std::variant<Matrix<std::int32_t>, Matrix<float>>;

struct Kernel {
  std::string name;  // as --kernel gave it
  bool from_file = false;
  std::variant<Matrix<int>, Matrix<float>> taps;
};

// Does the name of the file say that it is an NPY, or PNG, file?
inline bool IsNpy(std::string_view path) {
  return absl::EndsWithIgnoreCase(path, ".npy");
}
inline bool IsPng(std::string_view path) {
  return absl::EndsWithIgnoreCase(path, ".png");
}

}  // namespace hpcnn::filter

#endif  // HPCNN_TOOLS_FILTER_PICTURE_H_
