// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A fuzz target is one file that defines the function and the constant below.
// It aborts when a promise is broken. libFuzzer calls it (--config=fuzz), and
// so does replay.cc, in the ordinary tests.

#ifndef HPCNN_TESTS_FUZZ_FUZZ_H_
#define HPCNN_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "hpcnn/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace hpcnn::fuzz {

// No `new` of the target's asks for more, whatever the input.
extern const std::size_t kLargestAllocation;

// How many inputs were not refused.
inline int accepted = 0;

inline std::string_view AsText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Every refusal of a reader's is one line. The path is always "fuzz".
inline void CheckRefusal(const absl::Status& status) {
  HPCNN_CHECK(absl::StartsWith(status.message(), "fuzz: offset "),
              "a refusal without path and offset");
  HPCNN_CHECK(!absl::StrContains(status.message(), '\n'),
              "a refusal of several lines");
}

}  // namespace hpcnn::fuzz

#endif  // HPCNN_TESTS_FUZZ_FUZZ_H_
