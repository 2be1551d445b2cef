// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Seeded mutations of small IDX and gzip files: whatever the bytes, the reader
// returns, and allocates no more than its limit. Most telling under ASan.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/random.h"
#include "hpcnn/io/idx.h"

namespace {

std::size_t largest_allocation = 0;

}  // namespace

// Not inlined, or g++ sees a free of what new returned and warns.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  largest_allocation = std::max(largest_allocation, bytes);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
// Under ASan the nothrow form does not end in the one above.
[[gnu::noinline]] void* operator new(std::size_t bytes,
                                     const std::nothrow_t&) noexcept {
  return operator new(bytes);
}
[[gnu::noinline]] void operator delete(void* memory,
                                       const std::nothrow_t&) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace hpcnn {
namespace {

constexpr std::uint64_t kLimit = 1 << 16;

std::vector<std::string> Seeds() {
  using Dims = std::vector<std::uint32_t>;
  std::vector<std::string> seeds = {
      FormatIdx<std::uint8_t>(Dims{3, 4, 5}, std::vector<std::uint8_t>(60, 9)),
      FormatIdx<std::int16_t>(Dims{7}, std::vector<std::int16_t>(7, -3)),
      FormatIdx<double>(Dims{1, 2, 1, 2, 1, 2, 1, 2},
                        std::vector<double>(16, 0.1)),
      FormatIdx<std::uint8_t>(Dims{200, 300},
                              std::vector<std::uint8_t>(60'000)),
  };
  for (std::size_t i = 0; i < 4; ++i) {
    seeds.push_back(Gzip(seeds[i]));
    // Stored, not compressed: mutations reach the header inside.
    seeds.push_back(Gzip(seeds[i].substr(0, 300), 0));
  }
  return seeds;
}

void Mutate(RandomStream& random, std::string& bytes) {
  constexpr unsigned char kTelling[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x1f};
  for (std::uint32_t n = 1 + random.Below(4); n > 0 && !bytes.empty(); --n) {
    // Half of the mutations go to the header.
    const auto size = static_cast<std::uint32_t>(bytes.size());
    const std::uint32_t at =
        random.Below(random.Below(2) == 0 ? std::min(size, 16u) : size);
    switch (random.Below(6)) {
      case 0:
        bytes[at] = static_cast<char>(random.Bits());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random.Below(8));
        break;
      case 2:
        bytes[at] = static_cast<char>(kTelling[random.Below(6)]);
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.erase(at, 1 + random.Below(4));
        break;
      default:
        bytes.insert(at, 1 + random.Below(4), static_cast<char>(random.Bits()));
    }
  }
}

template <class T>
bool Accepts(const std::string& file) {
  const auto read = ParseIdx<T>("fuzz", file, kLimit);
  if (!read.ok()) {
    const std::string_view message = read.status().message();
    EXPECT_TRUE(message.starts_with("fuzz: offset ")) << message;
    EXPECT_EQ(message.find('\n'), std::string_view::npos) << message;
    return false;
  }
  std::uint64_t count = 1;
  for (const std::uint32_t dim : read->dims) count *= dim;
  EXPECT_EQ(count, read->values.size());
  EXPECT_LE(count * sizeof(T), kLimit);
  return true;
}

TEST(IdxFuzzTest, MutatedFilesNeitherCrashNorAllocateMuch) {
  const std::vector<std::string> seeds = Seeds();
  int accepted = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    RandomStream random({.seed = 1, .sample = i});
    std::string file =
        seeds[random.Below(static_cast<std::uint32_t>(seeds.size()))];
    Mutate(random, file);
    // The file itself and what doubled while it was mutated do not count.
    largest_allocation = 0;
    accepted += Accepts<std::uint8_t>(file);
    accepted += Accepts<std::int16_t>(file);
    accepted += Accepts<double>(file);
    ASSERT_LE(largest_allocation, kLimit) << "mutation " << i;
  }
  // Some mutations hit only data: the fuzzer is not merely refused at the door.
  EXPECT_GE(accepted, 500);
}

}  // namespace
}  // namespace hpcnn
