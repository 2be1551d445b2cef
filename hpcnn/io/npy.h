// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// NPY, NumPy's format for one array: little-endian u8, i16, i32, f32 and f64 in
// C order (npy_header.h). As with IDX, nothing is allocated for a shape that
// the file cannot hold.

#ifndef HPCNN_IO_NPY_H_
#define HPCNN_IO_NPY_H_

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/npy_header.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

static_assert(std::endian::native == std::endian::little,
              "hpcnn: npy.h copies elements as they are in the file");

// The NpyType of T; -1 for a type that is not read.
template <class T>
inline constexpr int kNpyType = -1;
template <>
inline constexpr int kNpyType<std::uint8_t> = 0;
template <>
inline constexpr int kNpyType<std::int16_t> = 1;
template <>
inline constexpr int kNpyType<std::int32_t> = 2;
template <>
inline constexpr int kNpyType<float> = 3;
template <>
inline constexpr int kNpyType<double> = 4;

}  // namespace internal

// Satisfied by std::uint8_t, int16_t, int32_t, float and double.
template <class T>
concept NpyElement = internal::kNpyType<T>
>= 0;

struct NpyArray {
  NpyType type = NpyType::kF32;
  std::vector<std::size_t> shape;  // empty for a single number
  std::string bytes;               // of the elements, row-major

  // The elements, which must be of type T.
  template <NpyElement T>
  std::vector<T> Values() const {
    HPCNN_CHECK(static_cast<int>(type) == internal::kNpyType<T>,
                "the array has another type");
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) {
      std::memcpy(values.data(), bytes.data(), bytes.size());
    }
    return values;
  }

  // The elements, of whatever type, as T.
  template <std::floating_point T>
  std::vector<T> ValuesAs() const {
    const auto convert = [](const auto& values) {
      return std::vector<T>(values.begin(), values.end());
    };
    switch (type) {
      case NpyType::kU8:
        return convert(Values<std::uint8_t>());
      case NpyType::kI16:
        return convert(Values<std::int16_t>());
      case NpyType::kI32:
        return convert(Values<std::int32_t>());
      case NpyType::kF32:
        return convert(Values<float>());
      case NpyType::kF64:
        return convert(Values<double>());
    }
    __builtin_unreachable();
  }
};

namespace internal {

// Whether the shape makes just the `left` bytes that begin at `at`.
inline absl::Status CheckNpyBytes(std::string_view path, const NpyArray& array,
                                  std::size_t at, std::uint64_t left,
                                  std::uint64_t max_bytes) {
  const std::size_t element = kNpyBytes[static_cast<int>(array.type)];
  const auto found = [&] {
    return absl::StrCat("shape (", absl::StrJoin(array.shape, ", "), ") of ",
                        element, " bytes each");
  };
  std::uint64_t bytes = element;
  for (const std::size_t dim : array.shape) {
    if (__builtin_mul_overflow(bytes, dim, &bytes)) {
      return FileError(path, at, "a shape of less than 2^64 bytes", found(),
                       "the file is damaged: save it again");
    }
  }
  if (bytes > max_bytes) {
    return FileError(path, at, absl::StrCat("at most ", max_bytes, " bytes"),
                     found(), "the file is damaged, or too large to load",
                     absl::StatusCode::kResourceExhausted);
  }
  if (bytes > left) {
    return FileError(path, at, absl::StrCat(bytes, " bytes of elements"),
                     absl::StrCat("no more than ", left),
                     "the file is cut short: save it again");
  }
  if (bytes < left) {
    return FileError(path, at + bytes, "the end of the file", "more bytes",
                     "header and data disagree: save it again");
  }
  return absl::OkStatus();
}

}  // namespace internal

// `file` is the whole file; `path` is for messages.
inline absl::StatusOr<NpyArray> DecodeNpy(std::string_view file,
                                          std::string_view path,
                                          const NpyLimits& limits = {}) {
  NpyArray array;
  const absl::StatusOr<std::size_t> begin =
      internal::ReadNpyHeader(path, file, limits, array.type, array.shape);
  if (!begin.ok()) return begin.status();
  const absl::Status status = internal::CheckNpyBytes(
      path, array, *begin, file.size() - *begin, limits.max_bytes);
  if (!status.ok()) return status;
  array.bytes = file.substr(*begin);
  return array;
}

inline absl::StatusOr<NpyArray> ReadNpy(const std::string& path,
                                        const NpyLimits& limits = {}) {
  constexpr std::uint64_t kMaxHeader = 1 << 16;
  const absl::StatusOr<std::string> file =
      ReadFile(path, limits.max_bytes + kMaxHeader);
  if (!file.ok()) return file.status();
  return DecodeNpy(*file, path, limits);
}

// The bytes of an NPY file. Needs as many values as the shape tells.
template <NpyElement T>
std::string EncodeNpy(std::span<const std::size_t> shape,
                      std::span<const T> values) {
  std::size_t count = 1;
  for (const std::size_t dim : shape) count *= dim;
  HPCNN_CHECK(count == values.size(),
              "the shape does not tell the number of values");
  std::string header = absl::StrCat(
      "{'descr': '", internal::kNpyDescr[internal::kNpyType<T>],
      "', 'fortran_order': False, 'shape': (", absl::StrJoin(shape, ", "),
      shape.size() == 1 ? ",), }" : "), }");
  // The elements begin at a multiple of 64 bytes, behind a line feed.
  constexpr std::size_t kBefore = internal::kNpyMagic.size() + 4;
  header.resize((kBefore + header.size()) / 64 * 64 + 63 - kBefore, ' ');
  header.push_back('\n');
  std::string file(internal::kNpyMagic);
  file.append({'\1', '\0', static_cast<char>(header.size() & 0xff),
               static_cast<char>(header.size() >> 8)});
  file.append(header);
  if (!values.empty()) {
    file.append(reinterpret_cast<const char*>(values.data()),
                values.size_bytes());
  }
  return file;
}

// Of [rows, cols].
template <class T>
requires NpyElement<std::remove_const_t<T>> std::string EncodeNpy(
    MatrixView<T> matrix) {
  std::vector<std::remove_const_t<T>> values;
  values.reserve(matrix.rows() * matrix.cols());
  for (std::size_t r = 0; r < matrix.rows(); ++r) {
    values.insert(values.end(), matrix.row(r), matrix.row(r) + matrix.cols());
  }
  return EncodeNpy<std::remove_const_t<T>>(
      std::vector<std::size_t>{matrix.rows(), matrix.cols()}, values);
}

// Replaces `path` in one step, or leaves what is there.
template <class T>
requires NpyElement<std::remove_const_t<T>> absl::Status WriteNpy(
    const std::string& path, MatrixView<T> matrix) {
  return WriteFileAtomically(path, EncodeNpy(matrix));
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_NPY_H_
