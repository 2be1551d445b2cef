// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Image files of 8-bit channels: PNG, JPEG, BMP and PNM in, PNG out.
//
// A file is decoded only if it holds together: its structure is followed first
// (image_header.h), its size is limited before memory is taken for it, and stb,
// which decodes PNG, JPEG and BMP, has an allowance of memory (image_file.cc,
// which a program must link). 16-bit and CMYK images are refused, not converted
// behind the caller's back. JPEG has no check sums: damage to its coded data
// may show in the picture alone. All functions are thread-safe.

#ifndef HPCNN_IO_IMAGE_FILE_H_
#define HPCNN_IO_IMAGE_FILE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/image_header.h"
#include "hpcnn/io/pnm.h"
#include "hpcnn/io/stb.h"

HPCNN_NAMESPACE_BEGIN

struct ImageFile {
  std::size_t rows = 0;
  std::size_t cols = 0;
  std::size_t channels = 0;  // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
  std::vector<std::uint8_t> pixels = {};  // [rows, cols, channels], 0..255

  // One row of the view is one row of pixels, channels side by side.
  MatrixView<const std::uint8_t> view() const {
    return {pixels.data(), rows, cols * channels};
  }
};

namespace internal {

// What stb may take for an image. Per pixel, of at most 4 bytes: PNG unpacks
// into a buffer that doubles (2 x 4), undoes the interlacing (2 x 4), and looks
// up the palette (4); JPEG keeps coefficients of 2 bytes and samples of 3
// channels (9), and the pixels. JPEG pads both sides to at most 32. The packed
// bytes of a PNG are gathered in a buffer that doubles.
inline std::size_t StbBudget(const ImageHeader& header,
                             std::size_t file_bytes) {
  return 20 * (header.rows + 32) * (header.cols + 32) + 2 * file_bytes +
         (std::size_t{1} << 20);
}

inline absl::StatusOr<ImageFile> DecodeWithStb(std::string_view path,
                                               std::string_view file,
                                               const ImageHeader& header) {
  const stb::Pixels pixels = stb::Decode(
      reinterpret_cast<const unsigned char*>(file.data()),
      static_cast<int>(file.size()), static_cast<int>(header.rows),
      static_cast<int>(header.cols), StbBudget(header, file.size()));
  if (pixels.data == nullptr) {
    return FileError(path, 0, "an intact image file", pixels.error,
                     "the file is damaged, or of a kind that is not supported");
  }
  ImageFile image = {.rows = header.rows,
                     .cols = header.cols,
                     .channels = static_cast<std::size_t>(pixels.channels)};
  const unsigned char* data = pixels.data.get();
  image.pixels.assign(data, data + image.rows * image.cols * image.channels);
  return image;
}

}  // namespace internal

// `file` is the whole file; `path` is for messages. The content decides which
// format it is, not the name.
inline absl::StatusOr<ImageFile> DecodeImage(std::string_view file,
                                             std::string_view path,
                                             const ImageLimits& limits = {}) {
  // stb counts bytes in int.
  const std::uint64_t most = std::min<std::uint64_t>(
      limits.max_file_bytes, std::numeric_limits<int>::max());
  if (file.size() > most) {
    return FileError(path, 0, absl::StrCat("at most ", most, " bytes"),
                     absl::StrCat(file.size(), " bytes"),
                     "is this the right file?",
                     absl::StatusCode::kResourceExhausted);
  }
  if (internal::StartsPnm(file)) {
    auto pnm = internal::DecodePnm(path, file, limits);
    if (!pnm.ok()) return pnm.status();
    return ImageFile{.rows = pnm->header.rows,
                     .cols = pnm->header.cols,
                     .channels = pnm->channels,
                     .pixels = std::move(pnm->pixels)};
  }
  absl::StatusOr<internal::ImageHeader> header;
  if (file.starts_with(internal::kPngSignature)) {
    header = internal::CheckPng(path, file, limits);
  } else if (file.starts_with(internal::kJpegSignature)) {
    header = internal::CheckJpeg(path, file, limits);
  } else if (file.starts_with(internal::kBmpSignature)) {
    header = internal::CheckBmp(path, file, limits);
  } else {
    return FileError(
        path, 0, "a PNG, JPEG, BMP or PNM (P2, P3, P5, P6) image",
        file.empty() ? "an empty file" : internal::QuoteBytes(file, 8),
        "convert it to PNG");
  }
  if (!header.ok()) return header.status();
  return internal::DecodeWithStb(path, file, *header);
}

inline absl::StatusOr<ImageFile> ReadImage(const std::string& path,
                                           const ImageLimits& limits = {}) {
  const absl::StatusOr<std::string> file =
      ReadFile(path, limits.max_file_bytes);
  if (!file.ok()) return file.status();
  return DecodeImage(*file, path, limits);
}

// The luma of ITU-R BT.601, (77 R + 150 G + 29 B) / 256 rounded down, as stb
// has it: grey stays what it is. Alpha is dropped.
inline ImageFile ToGray(ImageFile image) {
  const std::size_t channels = std::exchange(image.channels, 1);
  if (channels == 1) return image;
  const std::size_t count = image.rows * image.cols;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = &image.pixels[i * channels];
    image.pixels[i] =
        channels == 2
            ? pixel[0]
            : static_cast<std::uint8_t>(
                  (77 * pixel[0] + 150 * pixel[1] + 29 * pixel[2]) >> 8);
  }
  image.pixels.resize(count);
  return image;
}

inline absl::StatusOr<ImageFile> ReadGrayImage(const std::string& path,
                                               const ImageLimits& limits = {}) {
  absl::StatusOr<ImageFile> image = ReadImage(path, limits);
  if (!image.ok()) return image;
  return ToGray(*std::move(image));
}

// The bytes of a PNG file of pixels [rows, cols * channels]: grey, or as many
// channels as ImageFile may have. `path` is for messages.
inline absl::StatusOr<std::string> EncodePng(
    MatrixView<const std::uint8_t> pixels, std::size_t channels = 1,
    std::string_view path = "PNG") {
  constexpr std::uint64_t kMax = std::numeric_limits<int>::max();
  const bool whole = channels >= 1 && channels <= 4 &&
                     pixels.cols() % channels == 0 && pixels.cols() > 0;
  if (!whole || pixels.rows() == 0) {
    return FileError(path, 0, "rows of pixels of 1 to 4 channels",
                     absl::StrCat(pixels.rows(), " rows of ", pixels.cols(),
                                  " values in ", channels, " channels"),
                     "an image file needs at least one pixel");
  }
  // stb computes the size of the unpacked rows in int.
  if (pixels.stride() > kMax || pixels.rows() > kMax / (pixels.cols() + 1)) {
    return FileError(path, 0, absl::StrCat("at most ", kMax, " bytes of rows"),
                     absl::StrCat(pixels.rows(), " rows of ", pixels.cols()),
                     "write it in parts", absl::StatusCode::kResourceExhausted);
  }
  int size = 0;
  const stb::Memory png =
      stb::EncodePng(pixels.data(), static_cast<int>(pixels.stride()),
                     static_cast<int>(pixels.rows()),
                     static_cast<int>(pixels.cols() / channels),
                     static_cast<int>(channels), size);
  if (png == nullptr) {
    return FileError(path, 0, "memory to pack the image", "none left",
                     "write it in parts", absl::StatusCode::kResourceExhausted);
  }
  return std::string(reinterpret_cast<const char*>(png.get()),
                     static_cast<std::size_t>(size));
}

// Replaces `path` in one step, or leaves what is there.
inline absl::Status WritePng(const std::string& path,
                             MatrixView<const std::uint8_t> pixels,
                             std::size_t channels = 1) {
  const absl::StatusOr<std::string> png = EncodePng(pixels, channels, path);
  if (!png.ok()) return png.status();
  return WriteFileAtomically(path, *png);
}

inline absl::Status WritePng(const std::string& path, const ImageFile& image) {
  return WritePng(path, image.view(), image.channels);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_IMAGE_FILE_H_
