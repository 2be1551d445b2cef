// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Calls a fuzz target with each file of its corpus and with seeded mutations of
// them: whatever the bytes, the reader returns, and allocates no more than its
// limit. Most telling under ASan.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/base/random.h"
#include "hpcnn/io/file.h"
#include "tests/fuzz/fuzz.h"

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

// In an order that does not depend on the file system.
std::vector<std::string> Corpus() {
  std::vector<std::string> paths;
  for (const auto& file : std::filesystem::directory_iterator(CORPUS)) {
    paths.push_back(file.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    files.push_back(ReadFile(std::filesystem::canonical(path)).value());
  }
  return files;
}

void Call(const std::string& file) {
  // The file itself and what doubled while it was mutated do not count; the
  // target may take a copy.
  largest_allocation = 0;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(file.data()),
                         file.size());
  ASSERT_LE(largest_allocation,
            std::max(fuzz::kLargestAllocation, file.size() + 1));
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

TEST(FuzzTest, NoFileOfTheCorpusBreaksAPromise) {
  const std::vector<std::string> files = Corpus();
  ASSERT_FALSE(files.empty());
  for (const std::string& file : files) Call(file);
}

TEST(FuzzTest, MutatedFilesNeitherCrashNorAllocateMuch) {
  const std::vector<std::string> files = Corpus();
  fuzz::accepted = 0;
  for (std::uint32_t i = 0; i < 20'000 && !HasFatalFailure(); ++i) {
    SCOPED_TRACE(i);
    RandomStream random({.seed = 1, .sample = i});
    std::string file =
        files[random.Below(static_cast<std::uint32_t>(files.size()))];
    Mutate(random, file);
    Call(file);
  }
  // Some mutations hit only data: the fuzzer is not merely refused at the door.
  EXPECT_GE(fuzz::accepted, 100);
}

}  // namespace
}  // namespace hpcnn
