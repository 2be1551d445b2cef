// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The header of an NPY file, NumPy's format for one array (numpy.org/doc/stable
// /reference/generated/numpy.lib.format.html):
//
//   93 "NUMPY" | major | minor | length of the header, 2 bytes (4 from 2.0 on)
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } | the elements
//
// Versions 1.0 to 3.0; little-endian u8, i16, i32, f32 and f64 in C order. For
// the rest, the message says what to type in NumPy. For users: npy.h.

#ifndef HPCNN_IO_NPY_HEADER_H_
#define HPCNN_IO_NPY_HEADER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hpcnn/base/target.h"
#include "hpcnn/io/file.h"

HPCNN_NAMESPACE_BEGIN

enum class NpyType { kU8, kI16, kI32, kF32, kF64 };

struct NpyLimits {
  std::size_t min_rank = 0;
  std::size_t max_rank = 8;
  std::uint64_t max_bytes = kMaxFileBytes;  // of elements
};

namespace internal {

// By NpyType.
inline constexpr std::string_view kNpyDescr[] = {"|u1", "<i2", "<i4", "<f4",
                                                 "<f8"};
inline constexpr std::size_t kNpyBytes[] = {1, 2, 4, 4, 8};

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

// Reads the header, which is Python's text of a dict: keys in any order, either
// quote, any space. Every function returns whether it went well; if not,
// status() says why.
class NpyHeaderReader {
 public:
  // The header is [begin, end) of the file.
  NpyHeaderReader(std::string_view path, std::string_view file,
                  std::size_t begin, std::size_t end, const NpyLimits& limits)
      : path_(path),
        header_(file.substr(0, end)),
        at_(begin),
        limits_(limits) {}

  const absl::Status& status() const { return status_; }

  bool Read(NpyType& type, std::vector<std::size_t>& dims) {
    bool descr = false, order = false, shape = false;
    if (!Expect('{')) return false;
    while (!Skip('}')) {
      std::string_view key;
      const std::size_t begin = at_;
      if (!ReadQuoted("a quoted key", key) || !Expect(':')) return false;
      bool* const seen = key == "descr"           ? &descr
                         : key == "fortran_order" ? &order
                         : key == "shape"         ? &shape
                                                  : nullptr;
      if (seen == nullptr || std::exchange(*seen, true)) {
        return Fail(begin, "'descr', 'fortran_order' and 'shape', once each",
                    kDamaged);
      }
      const bool read = seen == &descr   ? ReadDescr(type)
                        : seen == &order ? ReadOrder()
                                         : ReadShape(dims);
      if (!read) return false;
      if (!Skip(',') && Peek() != '}') return Fail(at_, "',' or '}'", kDamaged);
    }
    if (!descr || !order || !shape) {
      return Fail(at_, "'descr', 'fortran_order' and 'shape', once each",
                  kDamaged);
    }
    Peek();
    return at_ == header_.size() || Fail(at_, "no more than spaces", kDamaged);
  }

 private:
  static constexpr std::string_view kDamaged =
      "the file is damaged, or not one of NumPy's";

  static std::string Quote(std::string_view text) {
    return absl::StrCat(
        "\"", absl::StrReplaceAll(absl::CHexEscape(text), {{"\\'", "'"}}),
        "\"");
  }

  // What is found is the text at `at`, if not told.
  bool Fail(std::size_t at, std::string_view expected, std::string_view hint,
            std::string found = "") {
    constexpr std::size_t kShown = 24;
    if (found.empty()) {
      found = at < header_.size() ? Quote(header_.substr(at, kShown))
                                  : "the end of the header";
    }
    status_ = FileError(path_, at, expected, found, hint);
    return false;
  }

  // The next character that is not a space; 0 at the end.
  char Peek() {
    while (at_ < header_.size() && absl::ascii_isspace(Byte())) ++at_;
    return at_ < header_.size() ? header_[at_] : '\0';
  }
  unsigned char Byte() const {
    return static_cast<unsigned char>(header_[at_]);
  }
  bool Skip(char c) {
    if (Peek() != c || at_ == header_.size()) return false;
    ++at_;
    return true;
  }
  bool Expect(char c) {
    return Skip(c) ||
           Fail(at_, absl::StrCat("'", std::string(1, c), "'"), kDamaged);
  }

  bool ReadQuoted(std::string_view what, std::string_view& text) {
    const char quote = Peek();
    const std::size_t end = header_.find(quote, at_ + 1);
    if ((quote != '\'' && quote != '"') || end == header_.npos) {
      return Fail(at_, what, kDamaged);
    }
    text = header_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }

  bool ReadDescr(NpyType& type) {
    constexpr std::string_view kHint =
        "in NumPy: np.save(path, array.astype(np.float32))";
    if (Peek() == '[') {
      return Fail(at_, "one type of element", "save one field at a time",
                  "a structured type");
    }
    const std::size_t begin = at_;
    std::string_view descr;
    if (!ReadQuoted("a quoted type", descr)) return false;
    if (descr.ends_with("u1") && descr.size() == 3) descr = "|u1";
    for (int i = 0; i < 5; ++i) {
      if (descr == kNpyDescr[i]) {
        type = static_cast<NpyType>(i);
        return true;
      }
    }
    if (descr.starts_with('>')) {
      return Fail(begin, "little-endian elements",
                  "in NumPy: np.save(path, array.astype(array.dtype."
                  "newbyteorder('<')))",
                  absl::StrCat("big-endian ", Quote(descr)));
    }
    return Fail(begin, "one of |u1 <i2 <i4 <f4 <f8", kHint, Quote(descr));
  }

  bool ReadOrder() {
    Peek();
    const std::string_view rest = header_.substr(at_);
    if (rest.starts_with("True")) {
      return Fail(at_, "C order",
                  "in NumPy: np.save(path, np."
                  "ascontiguousarray(array))",
                  "Fortran order");
    }
    if (!rest.starts_with("False")) return Fail(at_, "False", kDamaged);
    at_ += 5;
    return true;
  }

  // "()", "(3,)", "(3, 4)", "(3, 4,)"; Python 2 wrote "(3L, 4L)".
  bool ReadShape(std::vector<std::size_t>& shape) {
    Peek();
    const std::size_t begin = at_;
    if (!Expect('(')) return false;
    bool comma = true;
    while (!Skip(')')) {
      Peek();
      std::size_t dim = 0;
      const std::size_t digits = at_;
      while (at_ < header_.size() && absl::ascii_isdigit(Byte())) {
        if (__builtin_mul_overflow(dim, 10u, &dim) ||
            __builtin_add_overflow(dim, Byte() - '0', &dim)) {
          return Fail(digits, "sizes below 2^64", kDamaged);
        }
        ++at_;
      }
      if (at_ == digits || !comma) {
        return Fail(digits, "a size of the shape", kDamaged);
      }
      shape.push_back(dim);
      Skip('L');
      comma = Skip(',');
    }
    if (shape.size() == 1 && !comma) {
      return Fail(begin, "a comma after a single size", kDamaged);
    }
    if (shape.size() < limits_.min_rank || shape.size() > limits_.max_rank) {
      const std::string least = absl::StrCat(limits_.min_rank);
      return Fail(
          begin,
          limits_.min_rank == limits_.max_rank
              ? absl::StrCat(least, " dimensions")
              : absl::StrCat(least, " to ", limits_.max_rank, " dimensions"),
          "in NumPy: array.reshape", absl::StrCat(shape.size()));
    }
    return true;
  }

  std::string_view path_;
  std::string_view header_;  // the file up to the header's end
  std::size_t at_;           // in the file
  NpyLimits limits_;
  absl::Status status_;
};

// Where the elements begin. Sets type and shape.
inline absl::StatusOr<std::size_t> ReadNpyHeader(
    std::string_view path, std::string_view file, const NpyLimits& limits,
    NpyType& type, std::vector<std::size_t>& shape) {
  const std::size_t version = kNpyMagic.size();
  if (!file.starts_with(kNpyMagic)) {
    const std::string start = absl::CHexEscape(file.substr(0, version));
    return FileError(
        path, 0, "the NPY magic \"\\x93NUMPY\"",
        file.empty() ? "an empty file" : absl::StrCat("\"", start, "\""),
        "this is not an NPY file (an .npz file holds several)");
  }
  const auto cut_short = [&](std::string_view expected) {
    return FileError(path, file.size(), expected, "the end of the file",
                     "the file is cut short: save it again");
  };
  const auto byte = [&](std::size_t at) -> std::size_t {
    return static_cast<unsigned char>(file[at]);
  };
  if (file.size() < version + 6) return cut_short("version and header");
  const std::size_t major = byte(version);
  if (major < 1 || major > 3 || byte(version + 1) != 0) {
    return FileError(path, version, "NPY version 1.0, 2.0 or 3.0",
                     absl::StrCat(major, ".", byte(version + 1)),
                     "save it with a current NumPy");
  }
  const std::size_t width = major == 1 ? 2 : 4;
  const std::size_t begin = version + 2 + width;
  std::size_t length = 0;
  for (std::size_t i = width; i-- > 0;) {
    length = length << 8 | byte(version + 2 + i);
  }
  if (length > file.size() - begin) {
    return cut_short(absl::StrCat(length, " bytes of header"));
  }
  NpyHeaderReader reader(path, file, begin, begin + length, limits);
  if (!reader.Read(type, shape)) return reader.status();
  return begin + length;
}

}  // namespace internal

HPCNN_NAMESPACE_END

#endif  // HPCNN_IO_NPY_HEADER_H_
