// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/io/image_file.h"

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "zlib.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include "stb_image_write.h"

namespace hpcnn {
namespace {

namespace fs = std::filesystem;

ImageFile TestImage(std::size_t rows, std::size_t cols, std::size_t channels) {
  ImageFile image = {.rows = rows, .cols = cols, .channels = channels};
  for (std::size_t i = 0; i < rows * cols * channels; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(i * i + 7 * i));
  }
  return image;
}

// Reads `image` back from `file` and expects it to be the same.
void ExpectDecodes(const std::string& file, const ImageFile& image) {
  const auto read = DecodeImage(file, "f");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->rows, image.rows);
  EXPECT_EQ(read->cols, image.cols);
  EXPECT_EQ(read->channels, image.channels);
  EXPECT_EQ(read->pixels, image.pixels);
}

std::string BigEndianBytes(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(number >> shift));
  }
  return bytes;
}

std::string PngChunk(std::string_view type, std::string_view data) {
  const std::string summed = absl::StrCat(type, data);
  const auto sum = crc32(0, reinterpret_cast<const Bytef*>(summed.data()),
                         static_cast<uInt>(summed.size()));
  return BigEndianBytes(static_cast<std::uint32_t>(data.size())) + summed +
         BigEndianBytes(static_cast<std::uint32_t>(sum));
}

// Types of PNG: 0 grey, 2 RGB, 3 palette.
std::string PngHeader(std::uint32_t rows, std::uint32_t cols, int bits,
                      int type, int interlaced = 0) {
  return std::string(internal::kPngSignature) +
         PngChunk("IHDR", BigEndianBytes(cols) + BigEndianBytes(rows) +
                              std::string{static_cast<char>(bits),
                                          static_cast<char>(type), 0, 0,
                                          static_cast<char>(interlaced)});
}

// `rows` are the filtered rows: each begins with its filter, 0 for none.
std::string PngData(std::string_view rows) {
  std::string packed(compressBound(static_cast<uLong>(rows.size())), '\0');
  uLongf size = packed.size();
  EXPECT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(rows.data()),
                     static_cast<uLong>(rows.size())),
            Z_OK);
  return PngChunk("IDAT", packed.substr(0, size)) + PngChunk("IEND", "");
}

// Bytes from text like "00 00 08 01 ".
std::string Bytes(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 3) {
    const std::string byte(hex.substr(i, 2));
    bytes.push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
  return bytes;
}

void Append(void* file, void* bytes, int size) {
  static_cast<std::string*>(file)->append(static_cast<const char*>(bytes),
                                          static_cast<std::size_t>(size));
}

std::string Bmp(const ImageFile& image) {
  std::string file;
  stbi_write_bmp_to_func(Append, &file, static_cast<int>(image.cols),
                         static_cast<int>(image.rows),
                         static_cast<int>(image.channels), image.pixels.data());
  return file;
}

std::string Jpeg(const ImageFile& image) {
  std::string file;
  stbi_write_jpg_to_func(Append, &file, static_cast<int>(image.cols),
                         static_cast<int>(image.rows),
                         static_cast<int>(image.channels), image.pixels.data(),
                         /*quality=*/95);
  return file;
}

TEST(ImageFileTest, PngRoundTrip) {
  for (const std::size_t rows : {1u, 2u, 17u}) {
    for (const std::size_t cols : {1u, 3u, 40u}) {
      for (const std::size_t channels : {1u, 2u, 3u, 4u}) {
        const ImageFile image = TestImage(rows, cols, channels);
        const auto png = EncodePng(image.view(), channels);
        ASSERT_TRUE(png.ok()) << png.status();
        ExpectDecodes(*png, image);
      }
    }
  }
}

TEST(ImageFileTest, PngOfAPartOfAnImage) {
  const ImageFile image = TestImage(4, 5, 3);
  const MatrixView<const std::uint8_t> part(&image.pixels[3], 2, 6, 15);
  const auto read = DecodeImage(EncodePng(part, 3).value(), "f");
  ASSERT_TRUE(read.ok()) << read.status();
  const auto& p = image.pixels;
  EXPECT_EQ(read->cols, 2u);
  EXPECT_EQ(read->pixels, (std::vector<std::uint8_t>{
                              p[3], p[4], p[5], p[6], p[7], p[8], p[18], p[19],
                              p[20], p[21], p[22], p[23]}));
}

TEST(ImageFileTest, PngIsSmall) {
  const ImageFile flat = {.rows = 100,
                          .cols = 100,
                          .channels = 1,
                          .pixels = std::vector<std::uint8_t>(10'000)};
  EXPECT_LT(EncodePng(flat.view())->size(), 120u);
}

TEST(ImageFileTest, PngOfOtherKinds) {
  // One bit a pixel: 1 0 1 1.
  ExpectDecodes(PngHeader(1, 4, 1, 0) + PngData(std::string("\0\xb0", 2)),
                {1, 4, 1, {255, 0, 255, 255}});
  // A palette of two colours.
  ExpectDecodes(PngHeader(1, 2, 8, 3) + PngChunk("PLTE", "abcdef") +
                    PngData(std::string("\0\1\0", 3)),
                {1, 2, 3, {'d', 'e', 'f', 'a', 'b', 'c'}});
  // Grey where 7 is transparent.
  ExpectDecodes(PngHeader(1, 2, 8, 0) +
                    PngChunk("tRNS", std::string("\0\7", 2)) +
                    PngData(std::string("\0\7\x08", 3)),
                {1, 2, 2, {7, 0, 8, 255}});
  // Interlaced: pixel 0, then pixel 1 of both.
  ExpectDecodes(PngHeader(1, 2, 8, 0, 1) + PngData(std::string("\0a\0b", 4)),
                {1, 2, 1, {'a', 'b'}});
}

std::vector<fs::path> FilesOf(const fs::path& folder) {
  return {fs::directory_iterator(folder), fs::directory_iterator()};
}

// As four channels.
std::vector<std::uint8_t> ToRgba(const ImageFile& image) {
  const bool colour = image.channels > 2;
  const bool alpha = image.channels % 2 == 0;
  std::vector<std::uint8_t> pixels;
  for (std::size_t i = 0; i < image.pixels.size(); i += image.channels) {
    const std::uint8_t* pixel = &image.pixels[i];
    pixels.insert(pixels.end(),
                  {pixel[0], pixel[colour ? 1 : 0], pixel[colour ? 2 : 0],
                   alpha ? pixel[image.channels - 1] : std::uint8_t{255}});
  }
  return pixels;
}

// The same images in all kinds of PNG and as plain RGBA.
TEST(ImageFileTest, PngSuite) {
  const fs::path suite = "../stb/tests/pngsuite";
  std::size_t count = 0;
  for (const fs::path& path : FilesOf(suite / "primary")) {
    const auto read = ReadImage(path);
    const auto plain = ReadImage(suite / "primary_check" / path.filename());
    ASSERT_TRUE(read.ok() && plain.ok()) << read.status() << plain.status();
    EXPECT_EQ(ToRgba(*read), ToRgba(*plain)) << path;
    ++count;
  }
  EXPECT_GT(count, 70u);
  for (const std::string folder : {"corrupt", "16bit", "iphone"}) {
    const std::vector<fs::path> files = FilesOf(suite / folder);
    EXPECT_FALSE(files.empty());
    for (const fs::path& path : files) {
      EXPECT_FALSE(ReadImage(path).ok()) << path;
    }
  }
}

TEST(ImageFileTest, BmpRoundTrip) {
  for (const std::size_t cols : {1u, 2u, 3u, 4u, 40u}) {
    for (const std::size_t channels : {3u, 4u}) {
      const ImageFile image = TestImage(7, cols, channels);
      ExpectDecodes(Bmp(image), image);
    }
  }
}

TEST(ImageFileTest, BmpFromTheTopDown) {
  const ImageFile image = TestImage(3, 4, 3);
  std::string file = Bmp(image);
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t i = 0; i < 12; i += 3) {
      for (std::size_t c = 0; c < 3; ++c) {
        file[54 + 12 * row + i + c] =
            static_cast<char>(image.pixels[12 * row + i + 2 - c]);
      }
    }
  }
  file.replace(22, 4, "\xfd\xff\xff\xff");  // -3
  ExpectDecodes(file, image);
}

TEST(ImageFileTest, JpegIsClose) {
  for (const std::size_t side : {1u, 8u, 17u}) {
    ImageFile image = TestImage(side, side + 2, 3);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] = static_cast<std::uint8_t>(60 + 70 * (i % 3));
    }
    // Bytes behind the end are a camera's business.
    for (const std::string more : {"", "preview"}) {
      const auto read = DecodeImage(Jpeg(image) + more, "f");
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(read->rows, side);
      EXPECT_EQ(read->cols, side + 2);
      ASSERT_EQ(read->channels, 3u);
      for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        EXPECT_NEAR(read->pixels[i], image.pixels[i], 2) << i;
      }
    }
  }
}

// Grey 128 in two scans: one for the mean of each block, one for the rest.
TEST(ImageFileTest, ProgressiveGreyJpeg) {
  const std::string zeros(15, '\0');
  // Both tables have one code, of 1 bit: 0 for "no difference", "no more".
  const std::string file =
      absl::StrCat(Bytes("ff d8 ff db 00 43 00 "), std::string(64, '\1'),
                   Bytes("ff c2 00 0b 08 00 08 00 08 01 01 11 00 "),
                   Bytes("ff c4 00 14 00 01 "), zeros, Bytes("00 "),
                   Bytes("ff c4 00 14 10 01 "), zeros, Bytes("00 "),
                   Bytes("ff da 00 08 01 01 00 00 00 00 7f "),
                   Bytes("ff da 00 08 01 01 00 01 3f 00 7f "), Bytes("ff d9 "));
  ExpectDecodes(file, {8, 8, 1, std::vector<std::uint8_t>(64, 128)});
}

TEST(ImageFileTest, PnmInItsFourForms) {
  ExpectDecodes("P5 2 1 255\nab", {1, 2, 1, {'a', 'b'}});
  ExpectDecodes("P5#two\n2#by\n\t#one\n1\r255 ab", {1, 2, 1, {'a', 'b'}});
  ExpectDecodes(std::string("P5 2 1 1\n\0\1", 11), {1, 2, 1, {0, 255}});
  ExpectDecodes("P6\n1 2\n255\nRGBrgb",
                {2, 1, 3, {'R', 'G', 'B', 'r', 'g', 'b'}});
  ExpectDecodes("P2\n3 1\n# largest\n4\n0 2 4\n", {1, 3, 1, {0, 128, 255}});
  ExpectDecodes("P3 1 1 255 1 2 3", {1, 1, 3, {1, 2, 3}});
}

TEST(ImageFileTest, GreyIsTheLumaOfBt601) {
  EXPECT_EQ(ToGray({1, 3, 1, {0, 100, 255}}).pixels,
            (std::vector<std::uint8_t>{0, 100, 255}));
  EXPECT_EQ(ToGray({1, 2, 2, {9, 0, 8, 255}}).pixels,
            (std::vector<std::uint8_t>{9, 8}));
  EXPECT_EQ(
      ToGray({4, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 7, 7, 7}}).pixels,
      (std::vector<std::uint8_t>{76, 149, 28, 7}));
  EXPECT_EQ(ToGray({1, 1, 4, {255, 255, 255, 3}}).pixels,
            std::vector<std::uint8_t>{255});
}

// A new empty folder for each test.
fs::path NewFolder() {
  const fs::path folder =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

TEST(ImageFileTest, WhatIsWrittenIsRead) {
  const std::string path = NewFolder() / "a.png";
  const ImageFile image = TestImage(5, 6, 3);
  ASSERT_TRUE(WritePng(path, image).ok());
  EXPECT_EQ(ReadImage(path)->pixels, image.pixels);
  EXPECT_EQ(ReadGrayImage(path)->pixels, ToGray(image).pixels);
  std::vector<std::uint8_t> grey(6);
  ASSERT_TRUE(WritePng(path, MatrixView(grey.data(), 2, 3)).ok());
  EXPECT_EQ(ReadImage(path)->pixels, grey);
}

TEST(ImageFileTest, NothingIsHalfWritten) {
  const fs::path folder = NewFolder();
  const std::string missing = folder / "no" / "a.png";
  const ImageFile image = TestImage(5, 6, 3);
  EXPECT_EQ(WritePng(missing, image).message(),
            missing +
                ": offset 0: expected a writable folder, found No such file or "
                "directory; check the path and its permissions");
  const std::string empty = folder / "empty.png";
  EXPECT_EQ(WritePng(empty, ImageFile{.channels = 1}).message(),
            empty +
                ": offset 0: expected rows of pixels of 1 to 4 channels, found "
                "0 rows of 0 values in 1 channels; an image file needs at "
                "least one pixel");
  EXPECT_EQ(WritePng(empty, image.view(), 5).message(),
            empty +
                ": offset 0: expected rows of pixels of 1 to 4 channels, found "
                "5 rows of 18 values in 5 channels; an image file needs at "
                "least one pixel");
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST(ImageFileTest, MissingFileNamesThePath) {
  const std::string missing = NewFolder() / "a.png";
  EXPECT_EQ(ReadGrayImage(missing).status().message(),
            missing +
                ": offset 0: expected a readable file, found No such file or "
                "directory; check the path and its permissions");
}

TEST(ImageFileTest, TheCallerLimitsPixelsAndBytes) {
  const std::string png = EncodePng(TestImage(5, 6, 1).view()).value();
  EXPECT_TRUE(DecodeImage(png, "f", {.max_pixels = 30}).ok());
  const absl::Status pixels =
      DecodeImage(png, "f", {.max_pixels = 29}).status();
  EXPECT_EQ(pixels.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(pixels.message(),
            "f: offset 16: expected at most 29 pixels, found 5 rows of 6; the "
            "file is damaged, or scale the image down");
  EXPECT_TRUE(DecodeImage(png, "f", {.max_file_bytes = png.size()}).ok());
  const absl::Status bytes =
      DecodeImage("12345", "f", {.max_file_bytes = 4}).status();
  EXPECT_EQ(bytes.message(),
            "f: offset 0: expected at most 4 bytes, found 5 bytes; is this the "
            "right file?");
  const std::string path = NewFolder() / "a";
  ASSERT_TRUE(WriteFileAtomically(path, "12345").ok());
  EXPECT_EQ(ReadImage(path, {.max_file_bytes = 4}).status().message(),
            path +
                ": offset 0: expected at most 4 bytes, found 5 bytes; is this "
                "the right file?");
  // Refused before it is read.
  fs::resize_file(path, std::uintmax_t{1} << 31);
  EXPECT_EQ(ReadImage(path).status().message(),
            path +
                ": offset 0: expected at most 268435456 bytes, found "
                "2147483648 bytes; is this "
                "the right file?");
}

struct BadImage {
  std::string name;
  std::string file;
  std::string message;  // after "bad: offset "
};

std::string Replaced(std::string file, std::size_t at, std::string_view with) {
  return file.replace(at, with.size(), with);
}

std::vector<BadImage> BadPngs() {
  const std::string cut = "the file is cut short: fetch it again";
  const std::string damaged = "the file is damaged: fetch it again";
  const std::string scale = "the file is damaged, or scale the image down";
  const std::string unfit =
      "the file is damaged, or of a kind that is not supported";
  const std::string intact = "0: expected an intact image file, found ";
  const std::string png = EncodePng(TestImage(4, 4, 1).view()).value();
  const std::string header = PngHeader(1, 1, 8, 0);  // 33 bytes
  const std::string end = PngChunk("IEND", "");
  return {
      {"Empty", "",
       "0: expected a PNG, JPEG, BMP or PNM (P2, P3, P5, P6) image, found an "
       "empty file; convert it to PNG"},
      {"Gif", "GIF89a\1\2\3",
       "0: expected a PNG, JPEG, BMP or PNM (P2, P3, P5, P6) image, found "
       "'GIF89a\\x01\\x02'; convert it to PNG"},
      {"OnlyTheSignature", png.substr(0, 8),
       "8: expected a PNG chunk, found the end of the file after 0; " + cut},
      {"NoHeader", png.substr(0, 8) + end,
       "8: expected 13 bytes of 'IHDR' data, found 0 bytes of 'IEND'; convert "
       "it to plain PNG"},
      {"Apple", png.substr(0, 8) + PngChunk("CgBI", "abcd") + png.substr(8),
       "8: expected 13 bytes of 'IHDR' data, found 4 bytes of 'CgBI'; convert "
       "it to plain PNG"},
      {"NoEnd", png.substr(0, png.size() - 12),
       absl::StrCat(png.size() - 12,
                    ": expected a PNG chunk, found the end of the file after "
                    "0; ",
                    cut)},
      // With this one, stb_image 2.27 asked for 2 GiB.
      {"LyingLength",
       header + std::string("\x7f\xff\xff\xff", 4) + "IDAT" +
           std::string(200, 'x'),
       "33: expected 2147483647 bytes of 'IDAT' data, found no more than "
       "196; " +
           cut},
      {"WrongSum", Replaced(png, png.size() - 1, "x"),
       absl::StrCat(png.size() - 4,
                    ": expected the check sum ae426082, found ae426078; ",
                    damaged)},
      {"Trailing", png + "x",
       absl::StrCat(png.size(),
                    ": expected the end of the file, found more bytes; the "
                    "file is damaged, or two in one: write it again")},
      {"SixteenBits",
       PngHeader(1, 1, 16, 0) + PngData(std::string("\0\1\2", 3)),
       "24: expected 8 bits a channel or fewer, found 16; convert it to 8 bits "
       "a channel"},
      {"NoRows", PngHeader(0, 3, 8, 0) + PngData(""),
       "16: expected rows and columns of pixels, found 0 rows of 3; " +
           damaged},
      {"NoColumns", PngHeader(3, 0, 8, 0) + PngData(""),
       "16: expected rows and columns of pixels, found 3 rows of 0; " +
           damaged},
      {"Huge", PngHeader(0xffffffff, 0xffffffff, 8, 0) + PngData(""),
       "16: expected at most 16384 rows and columns, found 4294967295 rows of "
       "4294967295; " +
           scale},
      {"TooManyPixels", PngHeader(8001, 8000, 8, 0) + PngData(""),
       "16: expected at most 64000000 pixels, found 8001 rows of 8000; " +
           scale},
      {"SmallFileManyPixels", PngHeader(8000, 8000, 8, 0) + PngData(""),
       "16: expected no more pixels than 65 bytes can hold, found 8000 rows of "
       "8000; " +
           cut},
      {"NoData", header + end, intact + "no IDAT; " + unfit},
      {"TooLittleData", header + PngData(std::string(1, '\0')),
       intact + "not enough pixels; " + unfit},
      {"NotDeflate", header + PngChunk("IDAT", "abcdefgh") + end,
       intact + "bad zlib header; " + unfit},
      {"Bomb", header + PngData(std::string(100'000'000, '\0')),
       intact + "more data than its header tells; " + unfit},
      {"UnknownFilter", header + PngData("\x09x"),
       intact + "invalid filter; " + unfit},
      {"UnknownDepth", PngHeader(1, 1, 7, 0) + PngData("abc"),
       intact + "a damaged header; " + unfit},
      {"NoPalette", PngHeader(1, 1, 8, 3) + PngData(std::string("\0\0", 2)),
       intact + "a damaged header; " + unfit},
      {"TwoHeaders", header + header.substr(8) + PngData("abc"),
       intact + "a damaged header; " + unfit},
  };
}

std::vector<BadImage> BadJpegsAndBmps() {
  const std::string cut = "the file is cut short: fetch it again";
  const std::string damaged = "the file is damaged: fetch it again";
  const std::string scale = "the file is damaged, or scale the image down";
  const std::string jpeg = Jpeg(TestImage(8, 8, 3));
  const std::size_t frame = jpeg.find("\xff\xc0") + 4;
  const std::string bmp = Bmp(TestImage(2, 3, 3));  // 54 + 2 * 12 bytes
  const std::string two("\2\0\0\0", 4);
  return {
      {"JpegCut", jpeg.substr(0, jpeg.size() - 1),
       absl::StrCat(jpeg.size() - 1,
                    ": expected the end marker of a JPEG image, found the end "
                    "of the file; ",
                    cut)},
      {"JpegCutSegment", jpeg.substr(0, frame + 3),
       absl::StrCat(frame - 2,
                    ": expected 17 bytes of segment, found no more "
                    "than 5; ",
                    cut)},
      {"JpegCmyk", Replaced(jpeg, frame + 5, "\4"),
       absl::StrCat(frame + 5,
                    ": expected 1 channel (grey) or 3 (colour), found 4 "
                    "(CMYK); convert it to RGB")},
      {"JpegTwoChannels", Replaced(jpeg, frame + 5, "\2"),
       absl::StrCat(frame + 5,
                    ": expected 1 channel (grey) or 3 (colour), found 2; "
                    "convert it to RGB")},
      {"JpegTwelveBits", Replaced(jpeg, frame, "\x0c"),
       absl::StrCat(frame,
                    ": expected 8 bits a channel, found 12; convert it to 8 "
                    "bits a channel")},
      {"JpegNoRows", Replaced(jpeg, frame + 1, std::string(2, '\0')),
       absl::StrCat(frame + 1,
                    ": expected rows and columns of pixels, found 0 rows of "
                    "8; ",
                    damaged)},
      {"JpegHuge", Replaced(jpeg, frame + 1, "\xff\xff\xff\xff"),
       absl::StrCat(frame + 1,
                    ": expected at most 16384 rows and columns, found 65535 "
                    "rows of 65535; ",
                    scale)},
      {"JpegWithoutFrame", "\xff\xd8\xff\xd9",
       "2: expected a frame header and a scan, found the end of the image; " +
           damaged},
      {"JpegWithoutScan", jpeg.substr(0, jpeg.find("\xff\xda")) + "\xff\xd9",
       absl::StrCat(jpeg.find("\xff\xda"),
                    ": expected a frame header and a scan, found the end of "
                    "the image; ",
                    damaged)},
      {"JpegBadTable", Replaced(jpeg, jpeg.find("\xff\xdb") + 4, "\x1f"),
       "0: expected an intact image file, found a damaged header; the file is "
       "damaged, or of a kind that is not supported"},
      // stb would give a picture without what follows.
      {"JpegBadLaterTable", Replaced(jpeg, jpeg.find("\xff\xc4") + 4, "\x2f"),
       "0: expected an intact image file, found bad DHT header; the file is "
       "damaged, or of a kind that is not supported"},
      {"BmpCutHeader", bmp.substr(0, 53),
       "53: expected a BMP header, found the end of the file; " + cut},
      {"BmpOnlyTheSignature", "BM",
       "2: expected a BMP header, found the end of the file; " + cut},
      {"BmpCut", bmp.substr(0, 77),
       "54: expected 24 bytes of pixels, found no more than 23; " + cut},
      {"BmpPixelsBehindTheEnd", Replaced(bmp, 10, "\xff\xff\xff\xff"),
       "4294967295: expected 24 bytes of pixels, found no more than 0; " + cut},
      {"BmpTrailing", bmp + "four",
       "78: expected the end of the file, found more bytes; the file is "
       "damaged, or two in one: write it again"},
      {"BmpNoRows", Replaced(bmp, 22, std::string(4, '\0')),
       "18: expected rows and columns of pixels, found 0 rows of 3; " +
           damaged},
      {"BmpHuge", Replaced(bmp, 18, std::string("\0\0\0\x80\0\0\0\x80", 8)),
       "18: expected at most 16384 rows and columns, found 2147483648 rows of "
       "2147483648; " +
           scale},
      {"BmpRunLengths", Replaced(bmp, 30, two),
       "30: expected uncompressed pixels (0 or 3), found 2; save it without "
       "compression"},
      {"BmpUnknownHeader", Replaced(bmp, 14, two),
       "0: expected an intact image file, found a damaged header; the file is "
       "damaged, or of a kind that is not supported"},
  };
}

std::vector<BadImage> BadPnms() {
  const std::string cut = "the file is cut short: fetch it again";
  const std::string damaged = "the file is damaged: fetch it again";
  const std::string scale = "the file is damaged, or scale the image down";
  const std::string bits = "; convert it to 8 bits a channel";
  return {
      {"PnmOnlyTheSignature", "P5",
       "2: expected the columns, a number below 1000000000, found the end of "
       "the file; " +
           cut},
      {"PnmNegative", "P5 -1 1 255 x",
       "3: expected the columns, a number below 1000000000, found '-1 1 255 "
       "x'; " +
           damaged},
      {"PnmHugeNumber", "P5 1 18446744073709551616 255 x",
       "5: expected the rows, a number below 1000000000, found "
       "'1844674407'; " +
           damaged},
      {"PnmNoRows", "P5 1 0 255 ",
       "2: expected rows and columns of pixels, found 0 rows of 1; " + damaged},
      {"PnmHuge", "P5 999999999 999999999 255 x",
       "2: expected at most 16384 rows and columns, found 999999999 rows of "
       "999999999; " +
           scale},
      // With this one, stb_image 2.27 read out of bounds.
      {"PnmSixteenBits", "P6\v5\t96\v50436@",
       "8: expected a largest sample of 1 to 255, found 50436" + bits},
      {"PnmNoLargest", "P5 1 1 0 x",
       "7: expected a largest sample of 1 to 255, found 0" + bits},
      {"PnmCut", "P6 2 1 255 abcde",
       "11: expected 6 samples, found no more than 5 bytes; " + cut},
      {"PnmNoSpace", "P5 1 1 255",
       "11: expected 1 samples, found no more than 0 bytes; " + cut},
      {"PnmTrailing", "P5 1 1 255 ab",
       "12: expected the end of the file, found more bytes; the file is "
       "damaged, or two in one: write it again"},
      {"PnmAboveLargest", "P5 1 1 9 \x0a",
       "9: expected samples of at most 9, found 10; " + damaged},
      {"PnmTextCut", "P2 2 2 255 1 22 222 ",
       "20: expected a sample, a number below 1000000000, found the end of the "
       "file; " +
           cut},
      {"PnmTextShort", "P2 9 9 255 1 22 3",
       "11: expected 81 samples, found no more than 6 bytes; " + cut},
      {"PnmTextTrailing", "P2 1 1 255 1\n2",
       "13: expected the end of the file, found more bytes; the file is "
       "damaged, or two in one: write it again"},
      {"PnmTextAboveLargest", "P2 1 1 9  10",
       "10: expected samples of at most 9, found 10; " + damaged},
      {"PnmTextOfLetters", "P2 1 1 255 ten",
       "11: expected a sample, a number below 1000000000, found 'ten'; " +
           damaged},
  };
}

class BadImageTest : public testing::TestWithParam<BadImage> {};

TEST_P(BadImageTest, OneLineSaysWhat) {
  const auto read = DecodeImage(GetParam().file, "bad");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message(), "bad: offset " + GetParam().message);
}

constexpr auto kName = [](const testing::TestParamInfo<BadImage>& bad) {
  return bad.param.name;
};
INSTANTIATE_TEST_SUITE_P(Png, BadImageTest, testing::ValuesIn(BadPngs()),
                         kName);
INSTANTIATE_TEST_SUITE_P(JpegAndBmp, BadImageTest,
                         testing::ValuesIn(BadJpegsAndBmps()), kName);
INSTANTIATE_TEST_SUITE_P(Pnm, BadImageTest, testing::ValuesIn(BadPnms()),
                         kName);

TEST(ImageFileTest, EveryCutIsFound) {
  const ImageFile image = TestImage(9, 10, 3);
  for (const std::string& file :
       {EncodePng(image.view(), 3).value(), Jpeg(image), Bmp(image),
        std::string("P5 3 2 255 abcdef")}) {
    ASSERT_TRUE(DecodeImage(file, "f").ok());
    for (std::size_t size = 0; size < file.size(); ++size) {
      EXPECT_FALSE(DecodeImage(file.substr(0, size), "f").ok()) << size;
    }
  }
}

TEST(ImageFileTest, EveryChangedByteOfAPngIsFound) {
  const std::string png = EncodePng(TestImage(5, 5, 3).view(), 3).value();
  for (std::size_t i = 0; i < png.size(); ++i) {
    std::string changed = png;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_FALSE(DecodeImage(changed, "f").ok()) << i;
  }
}

}  // namespace
}  // namespace hpcnn
