// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/io/gzip.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hpcnn/base/random.h"

namespace hpcnn {
namespace {

// Content that packs, but not to nothing.
std::string Content(std::size_t size) {
  RandomStream random({.seed = 1});
  std::string content(size, '\0');
  for (char& c : content) c = static_cast<char>(random.Below(4));
  return content;
}

// Reads the whole content in pieces of `piece` bytes.
absl::StatusOr<std::string> ReadAll(std::string_view file, std::size_t piece) {
  ContentReader reader("f.gz", file);
  std::string content;
  std::string buffer(piece, '\0');
  while (true) {
    const absl::StatusOr<std::size_t> got = reader.Read(buffer);
    if (!got.ok()) return got.status();
    content.append(buffer, 0, *got);
    EXPECT_EQ(reader.offset(), content.size());
    if (*got < piece) return content;
  }
}

TEST(GzipTest, PacksAndUnpacks) {
  for (const std::size_t size : {0u, 1u, 2u, 1'000u, 100'000u}) {
    const std::string content = Content(size);
    const std::string packed = Gzip(content);
    EXPECT_TRUE(packed.starts_with("\x1f\x8b"));
    for (const std::size_t piece : {1u, 7u, 1'000u, 1'000'000u}) {
      EXPECT_EQ(ReadAll(packed, piece).value(), content);
    }
  }
  EXPECT_LT(Gzip(Content(100'000)).size(), 40'000u);
  EXPECT_EQ(Gzip("same"), Gzip("same"));
}

TEST(GzipTest, BytesThatAreNotPackedAreReadAsTheyAre) {
  for (const std::size_t piece : {1u, 3u, 100u}) {
    EXPECT_EQ(ReadAll("content", piece).value(), "content");
  }
}

TEST(GzipTest, SeveralMembersAreOneContent) {
  EXPECT_EQ(ReadAll(Gzip("one ") + Gzip("") + Gzip("two"), 5).value(),
            "one two");
}

TEST(GzipTest, NoCutAndNoFlippedBitGivesWrongContent) {
  const std::string content = Content(500);
  const std::string packed = Gzip(content);
  for (std::size_t size = 2; size < packed.size(); ++size) {
    const auto read = ReadAll(packed.substr(0, size), 64);
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.status().message(),
              absl::StrCat("f.gz: offset ", size,
                           ": expected an intact gzip file, found the end of "
                           "the file; the file is damaged or cut short: fetch "
                           "it again"));
  }
  // Nothing depends on some bits (time, system, padding); a flip of the others
  // is found.
  int unharmed = 0;
  for (std::size_t bit = 0; bit < 8 * packed.size(); ++bit) {
    std::string flipped = packed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const auto read = ReadAll(flipped, 64);
    if (!read.ok()) continue;
    // Without its signature it is not gzip at all.
    EXPECT_EQ(*read, bit < 16 ? flipped : content) << bit;
    ++unharmed;
  }
  EXPECT_LT(unharmed, 100);
}

TEST(GzipTest, NamesWhatIsWrong) {
  std::string packed = Gzip(Content(500));
  const std::size_t size = packed.size();
  EXPECT_EQ(ReadAll(packed + "xyz", 64).status().message(),
            absl::StrCat("f.gz: offset ", size,
                         ": expected an intact gzip file, found other bytes "
                         "after the end of the gzip data; the file is damaged "
                         "or cut short: fetch it again"));
  packed[size - 6] ^= 1;  // the check sum
  const absl::Status sum = ReadAll(packed, 64).status();
  EXPECT_TRUE(absl::StrContains(sum.message(), "found incorrect data check"))
      << sum;
}

TEST(GzipTest, NoContentIsLongerThanItsBound) {
  const std::string packed = Gzip(std::string(10'000'000, '\0'), 9);
  EXPECT_LT(packed.size(), 11'000u);
  EXPECT_GE(ContentReader("f.gz", packed).MaxContentBytes(), 10'000'000u);
  EXPECT_EQ(ContentReader("f", "four").MaxContentBytes(), 4u);
}

}  // namespace
}  // namespace hpcnn
