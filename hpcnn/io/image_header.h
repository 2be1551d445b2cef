// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What a PNG, JPEG or BMP file says of itself, read before a decoder sees it:
// the size of the image, the depth of its channels, and whether the file is
// whole, which stb does not check: it passes over the check sums of PNG and
// takes what is missing of a JPEG or BMP file for zeros.
//
// PNG: www.w3.org/TR/png-3. JPEG: ITU-T T.81, annex B. BMP: the headers of
// OS/2 (12 bytes) and of Windows (40 bytes and more). See image_file.h.

#ifndef HPCNN_IO_IMAGE_HEADER_H_
#define HPCNN_IO_IMAGE_HEADER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hpcnn/base/target.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/stb.h"
#include "zlib.h"

HPCNN_NAMESPACE_BEGIN

struct ImageLimits {
  std::uint64_t max_pixels = 64'000'000;
  std::uint64_t max_file_bytes = std::uint64_t{1} << 28;
};

namespace internal {

inline constexpr std::string_view kImageCutShort =
    "the file is cut short: fetch it again";
inline constexpr std::string_view kImageDamaged =
    "the file is damaged: fetch it again";
inline constexpr std::string_view kImageTrailing =
    "the file is damaged, or two in one: write it again";
inline constexpr std::string_view kImageTo8Bits =
    "convert it to 8 bits a channel";

struct ImageHeader {
  std::uint64_t size_offset = 0;  // where in the file the size stands
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
};

// The densest format is PNG with 8 pixels a byte, packed by deflate, whose
// densest code is 258 bytes for 2 bits.
inline constexpr std::uint64_t kImagePixelsPerByte = 8 * (258 * 8 / 2);

inline absl::Status CheckImageSize(std::string_view path,
                                   const ImageHeader& header,
                                   const ImageLimits& limits,
                                   std::uint64_t file_size) {
  const auto wrong = [&](std::string_view expected, std::string_view hint,
                         absl::StatusCode code) {
    return FileError(path, header.size_offset, expected,
                     absl::StrCat(header.rows, " rows of ", header.cols), hint,
                     code);
  };
  if (header.rows == 0 || header.cols == 0) {
    return wrong("rows and columns of pixels", kImageDamaged,
                 absl::StatusCode::kInvalidArgument);
  }
  if (std::max(header.rows, header.cols) > stb::kMaxSide) {
    return wrong(absl::StrCat("at most ", stb::kMaxSide, " rows and columns"),
                 "the file is damaged, or scale the image down",
                 absl::StatusCode::kResourceExhausted);
  }
  const std::uint64_t pixels = header.rows * header.cols;
  if (pixels > limits.max_pixels) {
    return wrong(absl::StrCat("at most ", limits.max_pixels, " pixels"),
                 "the file is damaged, or scale the image down",
                 absl::StatusCode::kResourceExhausted);
  }
  if (pixels > kImagePixelsPerByte * file_size) {
    return wrong(
        absl::StrCat("no more pixels than ", file_size, " bytes can hold"),
        kImageCutShort, absl::StatusCode::kInvalidArgument);
  }
  return absl::OkStatus();
}

// The first `count` of the bytes, on one line whatever they are.
inline std::string QuoteBytes(std::string_view bytes, std::size_t count) {
  return absl::StrCat("'", absl::CHexEscape(bytes.substr(0, count)), "'");
}

// The number at `at`, of 2 or 4 bytes, which must be there.
inline std::uint32_t BigEndian(std::string_view bytes, std::size_t at,
                               std::size_t size) {
  std::uint32_t number = 0;
  for (const char byte : bytes.substr(at, size)) {
    number = number << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}
inline std::uint32_t LittleEndian(std::string_view bytes, std::size_t at,
                                  std::size_t size) {
  std::uint32_t number = 0;
  while (size-- > 0) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + size]);
  }
  return number;
}

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";

// The signature, then chunks: length | type | data | CRC-32 of type and data.
inline absl::StatusOr<ImageHeader> CheckPng(std::string_view path,
                                            std::string_view file,
                                            const ImageLimits& limits) {
  constexpr std::size_t kFrame = 12;   // of a chunk around its data
  constexpr std::size_t kHeader = 13;  // bytes of data in IHDR
  constexpr std::size_t kSizeAt = 16;  // columns | rows | depth
  std::size_t at = kPngSignature.size();
  std::string_view type;
  while (type != "IEND") {
    const std::size_t left = file.size() - at;
    if (left < kFrame) {
      return FileError(path, at, "a PNG chunk",
                       absl::StrCat("the end of the file after ", left),
                       kImageCutShort);
    }
    const std::size_t length = BigEndian(file, at, 4);
    type = file.substr(at + 4, 4);
    if (length > left - kFrame) {
      return FileError(
          path, at,
          absl::StrCat(length, " bytes of ", QuoteBytes(type, 4), " data"),
          absl::StrCat("no more than ", left - kFrame), kImageCutShort);
    }
    const std::string_view summed = file.substr(at + 4, 4 + length);
    const std::uint32_t told = BigEndian(file, at + 8 + length, 4);
    const auto sum = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(summed.data()),
              static_cast<uInt>(summed.size())));
    if (sum != told) {
      return FileError(
          path, at + 8 + length,
          absl::StrCat("the check sum ", absl::Hex(sum, absl::kZeroPad8)),
          absl::StrCat(absl::Hex(told, absl::kZeroPad8)), kImageDamaged);
    }
    if (at == kPngSignature.size() && (type != "IHDR" || length != kHeader)) {
      // Apple's CgBI has its channels in another order, without saying so.
      return FileError(path, at, "13 bytes of 'IHDR' data",
                       absl::StrCat(length, " bytes of ", QuoteBytes(type, 4)),
                       "convert it to plain PNG");
    }
    at += kFrame + length;
  }
  if (at != file.size()) {
    return FileError(path, at, "the end of the file", "more bytes",
                     kImageTrailing);
  }
  if (file[kSizeAt + 8] == 16) {
    return FileError(path, kSizeAt + 8, "8 bits a channel or fewer", "16",
                     kImageTo8Bits);
  }
  const ImageHeader header = {.size_offset = kSizeAt,
                              .rows = BigEndian(file, kSizeAt + 4, 4),
                              .cols = BigEndian(file, kSizeAt, 4)};
  if (auto status = CheckImageSize(path, header, limits, file.size());
      !status.ok()) {
    return status;
  }
  return header;
}

inline constexpr std::string_view kJpegSignature = "\xff\xd8\xff";

// The frame header at `at`: bits | rows | columns | channels.
inline absl::StatusOr<ImageHeader> ReadJpegFrame(std::string_view path,
                                                 std::string_view file,
                                                 std::size_t at,
                                                 const ImageLimits& limits) {
  const auto bits = static_cast<unsigned char>(file[at]);
  const auto channels = static_cast<unsigned char>(file[at + 5]);
  if (bits != 8) {
    return FileError(path, at, "8 bits a channel", absl::StrCat(bits),
                     kImageTo8Bits);
  }
  if (channels != 1 && channels != 3) {
    return FileError(path, at + 5, "1 channel (grey) or 3 (colour)",
                     channels == 4 ? "4 (CMYK)" : absl::StrCat(channels),
                     "convert it to RGB");
  }
  const ImageHeader header = {.size_offset = at + 1,
                              .rows = BigEndian(file, at + 1, 2),
                              .cols = BigEndian(file, at + 3, 2)};
  if (auto status = CheckImageSize(path, header, limits, file.size());
      !status.ok()) {
    return status;
  }
  return header;
}

// Markers FF xx, most with a segment behind: length, counting itself | data.
// Not looked at: what follows the end of the image, where cameras put previews.
inline absl::StatusOr<ImageHeader> CheckJpeg(std::string_view path,
                                             std::string_view file,
                                             const ImageLimits& limits) {
  ImageHeader header;
  bool scanned = false;
  std::size_t at = 2;
  while (true) {
    // A marker's byte is neither 00 (an FF of the coded data) nor FF (filler).
    at = file.find('\xff', at);
    const std::size_t after = file.find_first_not_of('\xff', at);
    if (at == file.npos || after == file.npos) {
      return FileError(path, file.size(), "the end marker of a JPEG image",
                       "the end of the file", kImageCutShort);
    }
    const auto marker = static_cast<unsigned char>(file[after]);
    at = after + 1;
    if (marker == 0xd9) break;
    // 01 and the restarts D0 to D7 stand alone.
    if (marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const std::size_t left = file.size() - at;
    const std::size_t length = left < 2 ? 2 : BigEndian(file, at, 2);
    if (left < length) {
      return FileError(path, at, absl::StrCat(length, " bytes of segment"),
                       absl::StrCat("no more than ", left), kImageCutShort);
    }
    const bool frame = (marker & 0xf0) == 0xc0 && marker != 0xc4 &&
                       marker != 0xc8 && marker != 0xcc;
    if (frame && length >= 8) {
      auto read = ReadJpegFrame(path, file, at + 2, limits);
      if (!read.ok()) return read;
      header = *read;
    }
    scanned = scanned || marker == 0xda;
    at += length;
  }
  if (header.rows == 0 || !scanned) {
    return FileError(path, at - 2, "a frame header and a scan",
                     "the end of the image", kImageDamaged);
  }
  return header;
}

inline constexpr std::string_view kBmpSignature = "BM";

// Little-endian. 2: bytes of the file | 10: where the pixels begin | 14: the
// header's length; from there on columns, rows, planes, bits, compression.
inline absl::StatusOr<ImageHeader> CheckBmp(std::string_view path,
                                            std::string_view file,
                                            const ImageLimits& limits) {
  constexpr std::size_t kSizeAt = 18;
  constexpr std::size_t kOs2 = 12;
  const std::size_t length =
      file.size() < kSizeAt ? 0 : LittleEndian(file, 14, 4);
  const bool os2 = length == kOs2;
  if (file.size() < kSizeAt || file.size() < (os2 ? 26u : 54u)) {
    return FileError(path, file.size(), "a BMP header", "the end of the file",
                     kImageCutShort);
  }
  const std::size_t width = os2 ? 2 : 4;
  const std::uint32_t rows = LittleEndian(file, kSizeAt + width, width);
  // Negative for rows from the top down.
  const bool downwards = !os2 && rows > 0x7fff'ffff;
  const ImageHeader header = {.size_offset = kSizeAt,
                              .rows = downwards ? 0 - rows : rows,
                              .cols = LittleEndian(file, kSizeAt, width)};
  if (auto status = CheckImageSize(path, header, limits, file.size());
      !status.ok()) {
    return status;
  }
  const std::uint32_t compression = os2 ? 0 : LittleEndian(file, 30, 4);
  if (compression != 0 && compression != 3) {
    return FileError(path, 30, "uncompressed pixels (0 or 3)",
                     absl::StrCat(compression), "save it without compression");
  }
  const std::uint32_t bits = LittleEndian(file, os2 ? 24 : 28, 2);
  const std::uint64_t begin = LittleEndian(file, 10, 4);
  const std::uint64_t end =
      begin + header.rows * ((header.cols * bits + 31) / 32 * 4);
  if (end > file.size()) {
    return FileError(path, begin, absl::StrCat(end - begin, " bytes of pixels"),
                     absl::StrCat("no more than ",
                                  file.size() - std::min(begin, file.size())),
                     kImageCutShort);
  }
  // Some writers pad the file, others append a colour profile and count it.
  if (file.size() > end + 3 && file.size() != LittleEndian(file, 2, 4)) {
    return FileError(path, end, "the end of the file", "more bytes",
                     kImageTrailing);
  }
  return header;
}

}  // namespace internal

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_IMAGE_HEADER_H_
