// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>

#include "hpcnn/io/npy.h"
#include "tests/fuzz/fuzz.h"

namespace hpcnn {

const std::size_t fuzz::kLargestAllocation = 8 << 10;  // as doubles

}  // namespace hpcnn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  constexpr std::uint64_t kLimit = 1 << 10;
  const auto read = hpcnn::DecodeNpy(hpcnn::fuzz::AsText(data, size), "fuzz",
                                     {.max_bytes = kLimit});
  if (!read.ok()) {
    hpcnn::fuzz::CheckRefusal(read.status());
    return 0;
  }
  std::uint64_t count = 1;
  for (const std::size_t dim : read->shape) count *= dim;
  HPCNN_CHECK(read->shape.size() <= 8, "more dimensions than the limit");
  HPCNN_CHECK(read->bytes.size() <= kLimit, "more than the limit");
  HPCNN_CHECK(read->ValuesAs<double>().size() == count,
              "values that no shape tells of");
  ++hpcnn::fuzz::accepted;
  return 0;
}
