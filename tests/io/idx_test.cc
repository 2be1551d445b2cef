// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/io/idx.h"

#include <bit>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hpcnn/base/random.h"

namespace hpcnn {
namespace {

static_assert(IdxElement<std::uint8_t> && IdxElement<double>);
static_assert(!IdxElement<std::uint16_t> && !IdxElement<bool>);

// Bytes from text like "00 00 08 01".
std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 3) {
    const std::string byte(hex.substr(i, 2));
    bytes.push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
  return bytes;
}

std::string TempPath(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

template <class T>
class IdxTypedTest : public testing::Test {};
using Elements = testing::Types<std::uint8_t, std::int8_t, std::int16_t,
                                std::int32_t, float, double>;
TYPED_TEST_SUITE(IdxTypedTest, Elements);

// All bit patterns there are, NaNs among them, survive.
TYPED_TEST(IdxTypedTest, RoundTripInEveryRankRawAndPacked) {
  RandomStream random({.seed = 7});
  IdxArray<TypeParam> array{{}, {}};
  for (std::uint32_t rank = 1; rank <= 8; ++rank) {
    array.dims.push_back(rank <= 3 ? rank + 3 : 1 + rank % 2);
    std::size_t count = 1;
    for (const std::uint32_t dim : array.dims) count *= dim;
    std::vector<std::uint32_t> bits((count * sizeof(TypeParam) + 3) / 4);
    for (auto& b : bits) b = random.Bits();
    array.values.resize(count);
    std::memcpy(array.values.data(), bits.data(), count * sizeof(TypeParam));
    for (const Packing packing : {Packing::kNone, Packing::kGzip}) {
      // The name says nothing about the packing.
      const std::string path = TempPath("array.idx");
      ASSERT_TRUE(WriteIdx(path, array, packing).ok());
      const auto file = ReadFile(path);
      EXPECT_EQ(file->starts_with("\x1f\x8b"), packing == Packing::kGzip);
      const auto read = ReadIdx<TypeParam>(path);
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->dims, array.dims);
      ASSERT_EQ(read->values.size(), count);
      EXPECT_EQ(std::memcmp(read->values.data(), array.values.data(),
                            count * sizeof(TypeParam)),
                0);
    }
  }
}

TYPED_TEST(IdxTypedTest, NoElements) {
  const std::string file = FormatIdx<TypeParam>(
      std::vector<std::uint32_t>{0, 28, 28}, std::vector<TypeParam>{});
  const auto read = ParseIdx<TypeParam>("f", file);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->dims, (std::vector<std::uint32_t>{0, 28, 28}));
  EXPECT_TRUE(read->values.empty());
}

// Written by hand from the format's description.
TEST(IdxTest, BytesAreThoseOfTheFormat) {
  using Dims = std::vector<std::uint32_t>;
  EXPECT_EQ(
      FormatIdx<std::uint8_t>(Dims{2, 258}, std::vector<std::uint8_t>(516, 7)),
      Bytes("00 00 08 02 00 00 00 02 00 00 01 02 ") + std::string(516, 7));
  EXPECT_EQ(FormatIdx<std::int8_t>(Dims{1}, std::vector<std::int8_t>{-2}),
            Bytes("00 00 09 01 00 00 00 01 fe "));
  EXPECT_EQ(FormatIdx<std::int16_t>(Dims{1}, std::vector<std::int16_t>{-2}),
            Bytes("00 00 0b 01 00 00 00 01 ff fe "));
  EXPECT_EQ(
      FormatIdx<std::int32_t>(Dims{1}, std::vector<std::int32_t>{0x01020304}),
      Bytes("00 00 0c 01 00 00 00 01 01 02 03 04 "));
  EXPECT_EQ(FormatIdx<float>(Dims{1}, std::vector<float>{-1.5f}),
            Bytes("00 00 0d 01 00 00 00 01 bf c0 00 00 "));
  EXPECT_EQ(FormatIdx<double>(Dims{1}, std::vector<double>{-1.5}),
            Bytes("00 00 0e 01 00 00 00 01 bf f8 00 00 00 00 00 00 "));
}

struct BadIdx {
  std::string name;
  std::string file;
  std::string message;  // after "bad.idx: offset "
};

std::string Good() {
  return Bytes("00 00 08 02 00 00 00 02 00 00 00 03 ") + "abcdef";
}

std::vector<BadIdx> BadFiles() {
  const std::string six = "abcdef";
  const std::string bomb = Gzip(Good() + std::string(1'000'000, '\0'), 9);
  const std::string packed = Gzip(Good());
  std::string wrong_sum = packed;
  wrong_sum[packed.size() - 5] ^= 1;
  const std::string cut = "the file is cut short: fetch it again";
  const std::string damaged =
      "the file is damaged or cut short: fetch it again";
  return {
      {"Empty", "",
       "0: expected an IDX file, found an empty file; fetch or write it again"},
      {"PackedEmpty", Gzip(""),
       "0: expected an IDX file, found an empty file; fetch or write it again"},
      {"Png", "\x89PNG\r\n\x1a\n",
       "0: expected the IDX magic 00 00 08, found 89 50 4e; this is not an IDX "
       "file"},
      {"SecondByte", Bytes("00 01 08 01 00 00 00 06 ") + six,
       "0: expected the IDX magic 00 00 08, found 00 01 08; this is not an IDX "
       "file"},
      {"UnknownType", Bytes("00 00 0a 01 00 00 00 06 ") + six,
       "2: expected element type 08, found 0a; types are 08 u8, 09 i8, 0b i16, "
       "0c i32, 0d f32, 0e f64"},
      {"OtherType", Bytes("00 00 0d 01 00 00 00 06 ") + six,
       "2: expected element type 08, found 0d; types are 08 u8, 09 i8, 0b i16, "
       "0c i32, 0d f32, 0e f64"},
      {"NoDimensions", Bytes("00 00 08 00 ") + six,
       "3: expected 1 to 8 dimensions, found 0; this is not an IDX file"},
      {"NineDimensions", Bytes("00 00 08 09 ") + std::string(60, 0),
       "3: expected 1 to 8 dimensions, found 9; this is not an IDX file"},
      {"CutMagic", Bytes("00 00 08 "),
       "3: expected 4 bytes of magic, found the end of the file after 3; " +
           cut},
      {"CutDimensions", Good().substr(0, 9),
       "9: expected 8 bytes of dimensions, found the end of the file after "
       "5; " +
           cut},
      {"CutData", Good().substr(0, 16),
       "12: expected 6 bytes of data, found no more than 4; " + cut},
      {"PackedCutData", Gzip(Good().substr(0, 16)),
       "16: expected 6 bytes of data, found the end of the file after 4; " +
           cut},
      {"Trailing", Good() + "g",
       "18: expected the end of the file, found more bytes; header and data "
       "disagree: fetch or write it again"},
      {"Bomb", bomb,
       "18: expected the end of the file, found more bytes; header and data "
       "disagree: fetch or write it again"},
      {"Overflow", Bytes("00 00 08 03 ff ff ff ff ff ff ff ff ff ff ff ff "),
       "4: expected dimensions whose product is below 2^64, found 4294967295 x "
       "4294967295 x 4294967295 elements of 1; the file is damaged: fetch it "
       "again"},
      {"TooLarge", Bytes("00 00 08 02 ff ff ff ff ff ff ff ff "),
       "4: expected at most 1073741824 bytes of data, found 4294967295 x "
       "4294967295 elements of 1; the file is damaged, or too large to load"},
      // 1 GiB is promised; 30 packed bytes cannot hold it.
      {"PackedTooShortForItsHeader", Gzip(Bytes("00 00 08 01 40 00 00 00 ")),
       absl::StrCat("8: expected 1073741824 bytes of data, found no more than ",
                    Gzip(Bytes("00 00 08 01 40 00 00 00 ")).size() * 1032 - 8,
                    "; ", cut)},
      {"PackedCut", packed.substr(0, packed.size() - 1),
       absl::StrCat(packed.size() - 1,
                    ": expected an intact gzip file, found the end of the "
                    "file; ",
                    damaged)},
      {"PackedWrongSum", wrong_sum,
       absl::StrCat(packed.size() - 4,
                    ": expected an intact gzip file, found incorrect data "
                    "check; ",
                    damaged)},
      {"PackedThenText", packed + "x",
       absl::StrCat(packed.size(),
                    ": expected an intact gzip file, found other bytes after "
                    "the end of the gzip data; ",
                    damaged)},
      {"PackedNotDeflate", Bytes("1f 8b 08 00 00 00 00 00 00 03 ff ff "),
       absl::StrCat("11: expected an intact gzip file, found invalid block "
                    "type; ",
                    damaged)},
  };
}

class BadIdxTest : public testing::TestWithParam<BadIdx> {};

TEST_P(BadIdxTest, OneLineSaysWhat) {
  const auto read = ParseIdx<std::uint8_t>("bad.idx", GetParam().file);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message(), "bad.idx: offset " + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Table, BadIdxTest, testing::ValuesIn(BadFiles()),
                         [](const auto& bad) { return bad.param.name; });

TEST(IdxTest, EveryCutIsFound) {
  for (const std::string& file : {Good(), Gzip(Good())}) {
    ASSERT_TRUE(ParseIdx<std::uint8_t>("f", file).ok());
    for (std::size_t size = 0; size < file.size(); ++size) {
      EXPECT_FALSE(ParseIdx<std::uint8_t>("f", file.substr(0, size)).ok());
    }
  }
}

TEST(IdxTest, TheLimitIsOnTheData) {
  EXPECT_TRUE(ParseIdx<std::uint8_t>("f", Good(), 6).ok());
  EXPECT_FALSE(ParseIdx<std::uint8_t>("f", Good(), 5).ok());
  const std::string path = TempPath("limit.idx");
  ASSERT_TRUE(WriteFileAtomically(path, Good()).ok());
  EXPECT_TRUE(ReadIdx<std::uint8_t>(path, 6).ok());
}

TEST(IdxTest, MissingFileAndDirectoryNameThePath) {
  const std::string missing = TempPath("missing.idx");
  EXPECT_EQ(ReadIdx<float>(missing).status().message(),
            missing +
                ": offset 0: expected a readable file, found No such "
                "file or directory; check the path and its permissions");
  EXPECT_EQ(ReadIdx<float>(testing::TempDir()).status().message(),
            testing::TempDir() +
                ": offset 0: expected a file, found a "
                "directory; name the file itself");
}

TEST(IdxDeathTest, TheWriterRefusesWhatTheFormatCannotSay) {
  const std::vector<float> values(6);
  EXPECT_DEATH(FormatIdx<float>(std::vector<std::uint32_t>{}, values),
               "1 to 8");
  EXPECT_DEATH(FormatIdx<float>(std::vector<std::uint32_t>(9, 1), values),
               "1 to 8");
  EXPECT_DEATH(FormatIdx<float>(std::vector<std::uint32_t>{2, 4}, values),
               "number of values");
}

}  // namespace
}  // namespace hpcnn
