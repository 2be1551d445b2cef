// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>

#include "hpcnn/io/idx.h"
#include "tests/fuzz/fuzz.h"

namespace hpcnn {
namespace {

constexpr std::uint64_t kLimit = 1 << 16;

template <class T>
void Parse(std::string_view file) {
  const auto read = ParseIdx<T>("fuzz", file, kLimit);
  if (!read.ok()) return fuzz::CheckRefusal(read.status());
  std::uint64_t count = 1;
  for (const std::uint32_t dim : read->dims) count *= dim;
  HPCNN_CHECK(count == read->values.size(), "values that no dims tell of");
  HPCNN_CHECK(count * sizeof(T) <= kLimit, "more than the limit");
  ++fuzz::accepted;
}

}  // namespace

const std::size_t fuzz::kLargestAllocation = kLimit;

}  // namespace hpcnn

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view file = hpcnn::fuzz::AsText(data, size);
  hpcnn::Parse<std::uint8_t>(file);
  hpcnn::Parse<std::int16_t>(file);
  hpcnn::Parse<double>(file);
  return 0;
}
