// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// gzip (RFC 1952) by zlib: a packer, and a reader that unpacks only as much as
// it is asked for, so that a small file that unpacks to a huge one ("bomb")
// costs no more memory than its reader offers.

#ifndef HPCNN_IO_GZIP_H_
#define HPCNN_IO_GZIP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/io/file.h"
#include "zlib.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// zlib counts in 32 bits.
inline uInt ZlibSize(std::size_t bytes) {
  return static_cast<uInt>(std::min(bytes, std::size_t{1} << 30));
}

// zlib does not write to its input, but says so only with ZLIB_CONST.
inline Bytef* ZlibInput(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

inline constexpr int kGzipWindowBits = 15 + 16;  // 32 KiB window, gzip wrapper

}  // namespace internal

// Reads the content of a file from its bytes, which it does not own. Whether
// the file is packed is told by the bytes, not by the name. Not thread-safe.
class ContentReader {
 public:
  // `path` is for messages.
  ContentReader(std::string path, std::string_view file)
      : path_(std::move(path)),
        rest_(file),
        size_(file.size()),
        packed_(StartsGzip(file)) {
    if (packed_) {
      HPCNN_CHECK(inflateInit2(&stream_, internal::kGzipWindowBits) == Z_OK,
                  "no memory for zlib");
    }
  }
  ContentReader(const ContentReader&) = delete;
  ContentReader& operator=(const ContentReader&) = delete;
  ~ContentReader() {
    if (packed_) inflateEnd(&stream_);
  }

  const std::string& path() const { return path_; }
  // Of the content: how many bytes have been read.
  std::uint64_t offset() const { return offset_; }

  // No content is longer. The densest code of deflate is 258 bytes for 2 bits.
  std::uint64_t MaxContentBytes() const {
    return packed_ ? size_ * (258 * 8 / 2) : size_;
  }

  // The next bytes of the content; fewer than asked for only at its end.
  absl::StatusOr<std::size_t> Read(std::span<char> out) {
    std::size_t count = 0;
    if (packed_) {
      absl::StatusOr<std::size_t> unpacked = Unpack(out);
      if (!unpacked.ok()) return unpacked;
      count = *unpacked;
    } else {
      count = rest_.copy(out.data(), out.size());
      rest_.remove_prefix(count);
    }
    offset_ += count;
    return count;
  }

 private:
  static bool StartsGzip(std::string_view bytes) {
    return bytes.starts_with("\x1f\x8b");
  }

  absl::Status Damaged(std::string_view found) const {
    return FileError(path_, size_ - rest_.size(), "an intact gzip file", found,
                     "the file is damaged or cut short: fetch it again");
  }

  absl::StatusOr<std::size_t> Unpack(std::span<char> out) {
    std::size_t done = 0;
    while (done < out.size() && !ended_) {
      stream_.next_in = internal::ZlibInput(rest_);
      stream_.avail_in = internal::ZlibSize(rest_.size());
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + done);
      stream_.avail_out = internal::ZlibSize(out.size() - done);
      const uInt room = stream_.avail_out;
      const uInt given = stream_.avail_in;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      rest_.remove_prefix(given - stream_.avail_in);
      done += room - stream_.avail_out;
      if (result == Z_STREAM_END) {
        // A gzip file is one member or several.
        ended_ = rest_.empty();
        if (!ended_ && !StartsGzip(rest_)) {
          return Damaged("other bytes after the end of the gzip data");
        }
        inflateReset(&stream_);
      } else if (result == Z_BUF_ERROR ||
                 (result == Z_OK && rest_.empty() && stream_.avail_out != 0)) {
        return Damaged("the end of the file");
      } else if (result != Z_OK) {
        return Damaged(stream_.msg != nullptr ? stream_.msg : zError(result));
      }
    }
    return done;
  }

  std::string path_;
  std::string_view rest_;  // of the file, not yet read
  std::size_t size_;       // of the file
  bool packed_;
  bool ended_ = false;
  std::uint64_t offset_ = 0;
  z_stream stream_{};
};

// `bytes` as one gzip member without name or time: the same bytes give the same
// file.
inline std::string Gzip(std::string_view bytes,
                        int level = Z_DEFAULT_COMPRESSION) {
  constexpr int kMemoryLevel = 8;  // zlib's default
  z_stream stream{};
  HPCNN_CHECK(
      deflateInit2(&stream, level, Z_DEFLATED, internal::kGzipWindowBits,
                   kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK,
      "no memory for zlib, or a level that is not -1 to 9");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::size_t size = 0;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    stream.next_in = internal::ZlibInput(bytes);
    stream.avail_in = internal::ZlibSize(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data() + size);
    stream.avail_out = internal::ZlibSize(packed.size() - size);
    const uInt room = stream.avail_out;
    const uInt given = stream.avail_in;
    result = deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    HPCNN_CHECK(result >= Z_OK || result == Z_BUF_ERROR, "deflate failed");
    bytes.remove_prefix(given - stream.avail_in);
    size += room - stream.avail_out;
  }
  deflateEnd(&stream);
  packed.resize(size);
  return packed;
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_GZIP_H_
