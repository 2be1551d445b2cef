// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What image_file.cc, the one compiled file of hpcnn, offers to image_file.h.
//
// Outside of the namespace of the SIMD target, unlike all the rest: compiled
// once, it serves files with any -m flags. For users: image_file.h.

#ifndef HPCNN_IO_STB_H_
#define HPCNN_IO_STB_H_

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace hpcnn::stb {

struct Free {
  void operator()(unsigned char* memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<unsigned char, Free>;

struct Pixels {
  Memory data;                  // [rows, cols, channels], or null
  int channels = 0;             // 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
  const char* error = nullptr;  // a few words, where data is null
};

// No image with a longer side is decoded. With it, no size that stb computes
// in int overflows before stb checks it.
inline constexpr int kMaxSide = 16384;

// Decodes a PNG, JPEG or BMP file of 8-bit channels whose header says `rows`
// and `cols`. stb may ask for no more than `budget` bytes, all in all.
// Thread-safe.
Pixels Decode(const unsigned char* file, int size, int rows, int cols,
              std::size_t budget);

// The PNG file of pixels [rows, cols, channels] whose rows start `stride` bytes
// apart, and its size; null if there is no memory. Needs rows * (cols *
// channels + 1) and stride to fit in int. Thread-safe.
Memory EncodePng(const unsigned char* pixels, int stride, int rows, int cols,
                 int channels, int& size);

}  // namespace hpcnn::stb

#endif  // HPCNN_IO_STB_H_
