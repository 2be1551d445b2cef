// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <cstdint>

#include "hpcnn/io/gzip.h"
#include "tests/fuzz/fuzz.h"

namespace hpcnn {

// zlib's window is not allocated by new.
const std::size_t fuzz::kLargestAllocation = 1 << 10;

}  // namespace hpcnn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::uint64_t kEnough = 1 << 20;  // of a file that unpacks to more
  hpcnn::ContentReader reader("fuzz", hpcnn::fuzz::AsText(data, size));
  std::array<char, 1000> piece;
  while (reader.offset() < kEnough) {
    const std::uint64_t before = reader.offset();
    const auto got = reader.Read(piece);
    if (!got.ok()) {
      hpcnn::fuzz::CheckRefusal(got.status());
      return 0;
    }
    HPCNN_CHECK(reader.offset() == before + *got, "an offset that jumps");
    HPCNN_CHECK(reader.offset() <= reader.MaxContentBytes(),
                "more content than there can be");
    if (*got < piece.size()) break;
  }
  ++hpcnn::fuzz::accepted;
  return 0;
}
