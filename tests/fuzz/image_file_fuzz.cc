// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <string>

#include "hpcnn/io/image_file.h"
#include "tests/fuzz/fuzz.h"
#include "zlib.h"

namespace hpcnn {
namespace {

constexpr std::uint64_t kMaxPixels = 1 << 14;

void Decode(std::string_view file) {
  const auto image = DecodeImage(file, "fuzz", {.max_pixels = kMaxPixels});
  if (!image.ok()) return fuzz::CheckRefusal(image.status());
  HPCNN_CHECK(image->rows > 0 && image->cols > 0 &&
                  image->rows * image->cols <= kMaxPixels,
              "a size beyond the limit");
  HPCNN_CHECK(image->channels >= 1 && image->channels <= 4, "odd channels");
  HPCNN_CHECK(
      image->pixels.size() == image->rows * image->cols * image->channels,
      "pixels that no size tells of");
  // Under MSan or valgrind this also looks at each of them.
  const auto png = EncodePng(image->view(), image->channels);
  HPCNN_CHECK(png.ok() && DecodeImage(*png, "fuzz")->pixels == image->pixels,
              "another image after writing and reading");
  ++fuzz::accepted;
}

// With the check sums that the chunks should have: almost no mutation has them.
std::string WithRightSums(std::string png) {
  std::size_t at = internal::kPngSignature.size();
  while (png.size() - at >= 12) {
    const std::size_t length = internal::BigEndian(png, at, 4);
    if (length > png.size() - at - 12) break;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(&png[at + 4]),
                           static_cast<uInt>(length + 4));
    at += length + 8;
    for (int shift = 24; shift >= 0; shift -= 8) {
      png[at++] = static_cast<char>(sum >> shift);
    }
  }
  return png;
}

}  // namespace

// Of the PNG file, which may be a little longer than what it packs.
const std::size_t fuzz::kLargestAllocation = 5 * kMaxPixels;

}  // namespace hpcnn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view file = hpcnn::fuzz::AsText(data, size);
  hpcnn::Decode(file);
  if (file.starts_with(hpcnn::internal::kPngSignature)) {
    hpcnn::Decode(hpcnn::WithRightSums(std::string(file)));
  }
  return 0;
}
