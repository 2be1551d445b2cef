// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// stb's implementation, cut down to what is used and kept on a leash: three
// formats, no stdio, no side above 16384, an allowance of memory for each call.
// Everything of stb's is static, so a program may have a copy of its own.

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "hpcnn/io/stb.h"
#include "zlib.h"

namespace hpcnn::stb {
namespace {

// What stb may still ask for in this call. What it frees is not given back: the
// size of the image bounds the sum of all requests, too, and a count that only
// falls need not know how much is freed.
thread_local std::size_t allowance = 0;
thread_local bool overdrawn = false;

bool Spend(std::size_t bytes) {
  overdrawn = overdrawn || bytes > allowance;
  if (!overdrawn) allowance -= bytes;
  return !overdrawn;
}

// Zeroed: a JPEG file may lack scans, and its pixels must not be what another
// image left in memory.
void* Allocate(std::size_t bytes) {
  return Spend(bytes) ? std::calloc(1, bytes) : nullptr;
}

void* Reallocate(void* memory, std::size_t old_bytes, std::size_t new_bytes) {
  if (new_bytes <= old_bytes) return memory;
  if (!Spend(new_bytes - old_bytes)) return nullptr;
  return std::realloc(memory, new_bytes);
}

// zlib's deflate, smaller and faster than stb's own.
unsigned char* Compress(unsigned char* data, int size, int* packed_size,
                        int level) {
  uLongf room = compressBound(static_cast<uLong>(size));
  auto* packed = static_cast<unsigned char*>(std::malloc(room));
  if (packed == nullptr) return nullptr;
  if (compress2(packed, &room, data, static_cast<uLong>(size), level) != Z_OK) {
    std::free(packed);
    return nullptr;
  }
  *packed_size = static_cast<int>(room);
  return packed;
}

}  // namespace
}  // namespace hpcnn::stb

#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS ::hpcnn::stb::kMaxSide
#define STBI_MALLOC(bytes) ::hpcnn::stb::Allocate(bytes)
#define STBI_REALLOC_SIZED(memory, old_bytes, new_bytes) \
  ::hpcnn::stb::Reallocate(memory, old_bytes, new_bytes)
#define STBI_FREE(memory) std::free(memory)

#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
#define STBIW_ZLIB_COMPRESS ::hpcnn::stb::Compress

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include "stb_image.h"
#include "stb_image_write.h"
#pragma GCC diagnostic pop

namespace hpcnn::stb {

Pixels Decode(const unsigned char* file, int size, int rows, int cols,
              std::size_t budget) {
  allowance = budget;
  overdrawn = false;
  int seen_cols = 0;
  int seen_rows = 0;
  Pixels pixels;
  if (stbi_info_from_memory(file, size, &seen_cols, &seen_rows,
                            &pixels.channels) == 0) {
    pixels.error = "a damaged header";
  } else if (seen_cols != cols ||
             // stb tells the rows of a BMP file that starts at the top as < 0.
             std::abs(seen_rows) != rows ||
             stbi_is_16_bit_from_memory(file, size) != 0) {
    pixels.error = "a header that contradicts itself";
  } else {
    pixels.data.reset(stbi_load_from_memory(file, size, &seen_cols, &seen_rows,
                                            &pixels.channels, 0));
    // stb tries PNG first, which leaves this reason if nothing else goes wrong.
    const char* reason = stbi_failure_reason();
    const bool told =
        reason != nullptr && std::strcmp(reason, "bad png sig") != 0;
    if (pixels.data == nullptr) {
      pixels.error = overdrawn ? "more data than its header tells"
                     : told    ? reason
                               : "damaged data";
    } else if (file[0] == 0xff && told) {
      // Behind a broken table of a JPEG file stb stops, and is content.
      pixels.error = reason;
      pixels.data.reset();
    } else if (seen_cols != cols || seen_rows != rows) {
      pixels.error = "a header that contradicts itself";
      pixels.data.reset();
    }
  }
  allowance = 0;
  return pixels;
}

Memory EncodePng(const unsigned char* pixels, int stride, int rows, int cols,
                 int channels, int& size) {
  return Memory(
      stbi_write_png_to_mem(pixels, stride, cols, rows, channels, &size));
}

}  // namespace hpcnn::stb
