// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// IDX, the format of MNIST: an array of up to 8 dimensions.
//
//   00 00 | type | rank | rank sizes of 4 bytes | the elements, row-major
//
// Numbers are big-endian. Types: 08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64
// (yann.lecun.com/exdb/mnist as of 1998). A file may be packed with gzip. Every
// field is checked before it is used; nothing is allocated for a size that the
// file cannot hold.

#ifndef HPCNN_IO_IDX_H_
#define HPCNN_IO_IDX_H_

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/gzip.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// The type byte of T; 0 for a type that IDX does not have.
template <class T>
inline constexpr char kIdxType = 0;
template <>
inline constexpr char kIdxType<std::uint8_t> = 0x08;
template <>
inline constexpr char kIdxType<std::int8_t> = 0x09;
template <>
inline constexpr char kIdxType<std::int16_t> = 0x0b;
template <>
inline constexpr char kIdxType<std::int32_t> = 0x0c;
template <>
inline constexpr char kIdxType<float> = 0x0d;
template <>
inline constexpr char kIdxType<double> = 0x0e;

inline constexpr std::size_t kIdxMaxRank = 8;
inline constexpr std::size_t kIdxMagicBytes = 4;
inline constexpr std::size_t kIdxMaxHeader = kIdxMagicBytes + 4 * kIdxMaxRank;

// "08 0a"
inline std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char& byte : bytes) {
    absl::StrAppend(&hex, hex.empty() ? "" : " ",
                    absl::BytesToHexString({&byte, 1}));
  }
  return hex;
}

// Between the order of bytes in memory and in the file.
inline void SwapBigEndian(std::span<char> bytes, std::size_t element_size) {
  if constexpr (std::endian::native == std::endian::big) return;
  for (std::size_t i = 0; i < bytes.size(); i += element_size) {
    std::ranges::reverse(bytes.subspan(i, element_size));
  }
}

// Reads exactly `out`, or says that `what` is missing.
inline absl::Status ReadExactly(ContentReader& reader, std::span<char> out,
                                std::string_view what) {
  const std::uint64_t begin = reader.offset();
  const absl::StatusOr<std::size_t> got = reader.Read(out);
  if (!got.ok()) return got.status();
  if (*got == out.size()) return absl::OkStatus();
  if (reader.offset() == 0) {
    return FileError(reader.path(), 0, "an IDX file", "an empty file",
                     "fetch or write it again");
  }
  return FileError(reader.path(), begin + *got,
                   absl::StrCat(out.size(), " bytes of ", what),
                   absl::StrCat("the end of the file after ", *got),
                   "the file is cut short: fetch it again");
}

inline absl::Status ReadIdxMagic(ContentReader& reader, char type,
                                 std::size_t& rank) {
  std::array<char, kIdxMagicBytes> magic;
  if (auto status = ReadExactly(reader, magic, "magic"); !status.ok()) {
    return status;
  }
  if (magic[0] != 0 || magic[1] != 0) {
    return FileError(reader.path(), 0,
                     absl::StrCat("the IDX magic 00 00 ", Hex({&type, 1})),
                     Hex({magic.data(), 3}), "this is not an IDX file");
  }
  if (magic[2] != type) {
    return FileError(reader.path(), 2,
                     absl::StrCat("element type ", Hex({&type, 1})),
                     Hex({&magic[2], 1}),
                     "types are 08 u8, 09 i8, 0b i16, 0c i32, 0d f32, 0e f64");
  }
  rank = static_cast<unsigned char>(magic[3]);
  if (rank < 1 || rank > kIdxMaxRank) {
    return FileError(reader.path(), 3,
                     absl::StrCat("1 to ", kIdxMaxRank, " dimensions"),
                     absl::StrCat(rank), "this is not an IDX file");
  }
  return absl::OkStatus();
}

inline absl::Status ReadIdxDims(ContentReader& reader, std::size_t rank,
                                std::vector<std::uint32_t>& dims) {
  dims.resize(rank);
  const std::span<char> bytes(reinterpret_cast<char*>(dims.data()), 4 * rank);
  const absl::Status status = ReadExactly(reader, bytes, "dimensions");
  SwapBigEndian(bytes, 4);
  return status;
}

// The bytes of data behind the header, checked against what can be there.
inline absl::StatusOr<std::size_t> IdxDataBytes(
    const ContentReader& reader, const std::vector<std::uint32_t>& dims,
    std::size_t element_size, std::uint64_t max_bytes) {
  const auto found = [&] {
    return absl::StrCat(absl::StrJoin(dims, " x "), " elements of ",
                        element_size);
  };
  std::uint64_t bytes = element_size;
  for (const std::uint32_t dim : dims) {
    if (__builtin_mul_overflow(bytes, dim, &bytes)) {
      return FileError(reader.path(), kIdxMagicBytes,
                       "dimensions whose product is below 2^64", found(),
                       "the file is damaged: fetch it again");
    }
  }
  if (bytes > max_bytes) {
    return FileError(reader.path(), kIdxMagicBytes,
                     absl::StrCat("at most ", max_bytes, " bytes of data"),
                     found(), "the file is damaged, or too large to load",
                     absl::StatusCode::kResourceExhausted);
  }
  const std::uint64_t most = reader.MaxContentBytes() - reader.offset();
  if (bytes > most) {
    return FileError(reader.path(), reader.offset(),
                     absl::StrCat(bytes, " bytes of data"),
                     absl::StrCat("no more than ", most),
                     "the file is cut short: fetch it again");
  }
  return bytes;
}

}  // namespace internal

// Satisfied by std::uint8_t, int8_t, int16_t, int32_t, float and double.
template <class T>
concept IdxElement = internal::kIdxType<T>
!= 0;

template <IdxElement T>
struct IdxArray {
  std::vector<std::uint32_t> dims;
  std::vector<T> values;  // [dims[0], dims[1], ...]
};

enum class Packing { kNone, kGzip };

// `file` is the whole file, packed or not; `path` is for messages.
template <IdxElement T>
absl::StatusOr<IdxArray<T>> ParseIdx(const std::string& path,
                                     std::string_view file,
                                     std::uint64_t max_bytes = kMaxFileBytes) {
  ContentReader reader(path, file);
  IdxArray<T> array;
  std::size_t rank = 0;
  absl::Status status =
      internal::ReadIdxMagic(reader, internal::kIdxType<T>, rank);
  if (!status.ok()) return status;
  status = internal::ReadIdxDims(reader, rank, array.dims);
  if (!status.ok()) return status;
  const absl::StatusOr<std::size_t> bytes =
      internal::IdxDataBytes(reader, array.dims, sizeof(T), max_bytes);
  if (!bytes.ok()) return bytes.status();

  array.values.resize(*bytes / sizeof(T));
  const std::span<char> data(reinterpret_cast<char*>(array.values.data()),
                             *bytes);
  status = internal::ReadExactly(reader, data, "data");
  if (!status.ok()) return status;
  internal::SwapBigEndian(data, sizeof(T));

  // Asking for one byte more also makes zlib check the sum at the end.
  char surplus = 0;
  const std::uint64_t end = reader.offset();
  const absl::StatusOr<std::size_t> more = reader.Read({&surplus, 1});
  if (!more.ok()) return more.status();
  if (*more != 0) {
    return FileError(path, end, "the end of the file", "more bytes",
                     "header and data disagree: fetch or write it again");
  }
  return array;
}

// `max_bytes` limits the data, and what is read of a packed file.
template <IdxElement T>
absl::StatusOr<IdxArray<T>> ReadIdx(const std::string& path,
                                    std::uint64_t max_bytes = kMaxFileBytes) {
  const absl::StatusOr<std::string> file =
      ReadFile(path, max_bytes + internal::kIdxMaxHeader);
  if (!file.ok()) return file.status();
  return ParseIdx<T>(path, *file, max_bytes);
}

// The bytes of an IDX file. Needs as many values as the dims tell.
template <IdxElement T>
std::string FormatIdx(std::span<const std::uint32_t> dims,
                      std::span<const T> values) {
  HPCNN_CHECK(!dims.empty() && dims.size() <= internal::kIdxMaxRank,
              "an IDX file has 1 to 8 dimensions");
  std::uint64_t count = 1;
  for (const std::uint32_t dim : dims) count *= dim;
  HPCNN_CHECK(count == values.size(),
              "the dimensions do not tell the number of values");
  const std::size_t header = internal::kIdxMagicBytes + 4 * dims.size();
  std::string file(header + values.size_bytes(), '\0');
  file[2] = internal::kIdxType<T>;
  file[3] = static_cast<char>(dims.size());
  std::memcpy(&file[internal::kIdxMagicBytes], dims.data(), dims.size_bytes());
  if (!values.empty()) {
    std::memcpy(&file[header], values.data(), values.size_bytes());
  }
  const std::span<char> bytes(file);
  internal::SwapBigEndian(
      bytes.subspan(internal::kIdxMagicBytes, dims.size_bytes()), 4);
  internal::SwapBigEndian(bytes.subspan(header), sizeof(T));
  return file;
}

template <IdxElement T>
absl::Status WriteIdx(const std::string& path, const IdxArray<T>& array,
                      Packing packing = Packing::kNone) {
  const std::string file = FormatIdx<T>(array.dims, array.values);
  return WriteFileAtomically(path,
                             packing == Packing::kGzip ? Gzip(file) : file);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_IDX_H_
