// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// PNM, the plainest image format (netpbm.sourceforge.net/doc/pnm.html):
//
//   P5 (grey) or P6 (RGB) | columns rows largest | one byte a sample
//
// P2 and P3 are the same with the samples as decimal text. Numbers stand
// between white space; '#' begins a comment. Samples of 0..largest become
// 0..255. Our own reader: stb's does not scale them, and knows no text.

#ifndef HPCNN_IO_PNM_H_
#define HPCNN_IO_PNM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hpcnn/base/target.h"
#include "hpcnn/io/file.h"
#include "hpcnn/io/image_header.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// "P2", "P3", "P5" or "P6".
inline bool StartsPnm(std::string_view file) {
  return file.size() >= 2 && file[0] == 'P' &&
         std::string_view("2356").find(file[1]) != std::string_view::npos;
}

inline std::size_t SkipPnmSpace(std::string_view file, std::size_t at) {
  while (at < file.size() &&
         (absl::ascii_isspace(static_cast<unsigned char>(file[at])) ||
          file[at] == '#')) {
    at = file[at] == '#' ? std::min(file.find('\n', at), file.size()) : at + 1;
  }
  return at;
}

// The number behind white space at `at`, which moves behind the number.
inline absl::Status ReadPnmNumber(std::string_view path, std::string_view file,
                                  std::string_view what, std::size_t& at,
                                  std::uint32_t& number) {
  constexpr std::size_t kMaxDigits = 9;  // below 2^32
  const std::size_t begin = at = SkipPnmSpace(file, at);
  number = 0;
  while (at < file.size() && at - begin <= kMaxDigits &&
         absl::ascii_isdigit(static_cast<unsigned char>(file[at]))) {
    number = 10 * number + static_cast<std::uint32_t>(file[at++] - '0');
  }
  if (at - begin > 0 && at - begin <= kMaxDigits) return absl::OkStatus();
  const bool cut = begin == file.size();
  return FileError(path, begin,
                   absl::StrCat(what, ", a number below 1000000000"),
                   cut ? "the end of the file"
                       : QuoteBytes(file.substr(begin), kMaxDigits + 1),
                   cut ? kImageCutShort : kImageDamaged);
}

// Fills pixels [rows, cols, channels] with the samples that begin at `at`.
inline absl::Status ReadPnmSamples(std::string_view path, std::string_view file,
                                   std::size_t at, std::uint32_t largest,
                                   std::vector<std::uint8_t>& pixels) {
  const bool text = file[1] == '2' || file[1] == '3';
  for (std::uint8_t& pixel : pixels) {
    const std::size_t begin = at = text ? SkipPnmSpace(file, at) : at;
    std::uint32_t sample = 0;
    if (text) {
      const auto status = ReadPnmNumber(path, file, "a sample", at, sample);
      if (!status.ok()) return status;
    } else {
      sample = static_cast<unsigned char>(file[at++]);
    }
    if (sample > largest) {
      return FileError(path, begin,
                       absl::StrCat("samples of at most ", largest),
                       absl::StrCat(sample), kImageDamaged);
    }
    pixel = static_cast<std::uint8_t>((255 * sample + largest / 2) / largest);
  }
  if (text) at = SkipPnmSpace(file, at);
  if (at == file.size()) return absl::OkStatus();
  return FileError(path, at, "the end of the file", "more bytes",
                   kImageTrailing);
}

struct Pnm {
  ImageHeader header;
  std::size_t channels;
  std::vector<std::uint8_t> pixels;  // [rows, cols, channels]
};

inline absl::StatusOr<Pnm> DecodePnm(std::string_view path,
                                     std::string_view file,
                                     const ImageLimits& limits) {
  const bool text = file[1] == '2' || file[1] == '3';
  std::size_t at = 2;
  std::uint32_t cols = 0, rows = 0, largest = 0;
  absl::Status status = ReadPnmNumber(path, file, "the columns", at, cols);
  if (status.ok()) status = ReadPnmNumber(path, file, "the rows", at, rows);
  if (!status.ok()) return status;
  Pnm pnm = {.header = {.size_offset = 2, .rows = rows, .cols = cols},
             .channels = file[1] == '2' || file[1] == '5' ? 1u : 3u,
             .pixels = {}};
  status = CheckImageSize(path, pnm.header, limits, file.size());
  if (!status.ok()) return status;
  const std::size_t largest_at = SkipPnmSpace(file, at);
  status = ReadPnmNumber(path, file, "the largest sample", at, largest);
  if (!status.ok()) return status;
  if (largest < 1 || largest > 255) {
    return FileError(path, largest_at, "a largest sample of 1 to 255",
                     absl::StrCat(largest), kImageTo8Bits);
  }
  ++at;  // one character of white space
  const std::uint64_t samples = pnm.header.rows * cols * pnm.channels;
  const std::uint64_t left = file.size() - std::min(at, file.size());
  // Text has a space between two digits.
  if ((text ? (left + 1) / 2 : left) < samples) {
    return FileError(path, at, absl::StrCat(samples, " samples"),
                     absl::StrCat("no more than ", left, " bytes"),
                     kImageCutShort);
  }
  pnm.pixels.resize(samples);
  status = ReadPnmSamples(path, file, at, largest, pnm.pixels);
  if (!status.ok()) return status;
  return pnm;
}

}  // namespace internal

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_PNM_H_
