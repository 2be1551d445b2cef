// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// //tools:filter as its users see it: what it writes and how it refuses.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/image/border.h"
#include "hpcnn/image/correlate.h"
#include "hpcnn/image/gradient.h"
#include "hpcnn/image/sobel.h"
#include "hpcnn/image/stencil.h"
#include "hpcnn/io/image_file.h"
#include "hpcnn/io/npy.h"
#include "tests/testing/files.h"
#include "tests/testing/subprocess.h"
#include "zlib.h"

namespace {

namespace fs = std::filesystem;
using hpcnn::MatrixView;
using hpcnn::Scalar;
using hpcnn::Transposed;
using testing::Each;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

std::set<std::string> FilesIn(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

ProgramResult Filter(
    const std::vector<std::string>& arguments,
    const std::map<std::string, std::string>& environment = {}) {
  return RunProgram(DataPath("tools/filter"), arguments, environment);
}

// In a folder, where paths begin.
ProgramResult FilterIn(const fs::path& folder,
                       const std::vector<std::string>& arguments) {
  return Filter(arguments, {{"BUILD_WORKING_DIRECTORY", folder.string()}});
}

// Wider than two vectors of bytes on any machine.
constexpr std::size_t kRows = 23;
constexpr std::size_t kCols = 141;

template <class T>
std::vector<T> Values() {
  std::vector<T> values(kRows * kCols);
  std::uint32_t state = 1;
  for (T& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<T>(state >> 16);
  }
  return values;
}

template <class T>
MatrixView<T> View(std::vector<T>& values) {
  return {values.data(), kRows, kCols};
}

template <class T>
std::string NpyFile(std::size_t rows, std::size_t cols,
                    const std::vector<T>& values) {
  return hpcnn::EncodeNpy<T>(std::vector<std::size_t>{rows, cols}, values);
}

template <class T>
std::string NpyFile() {
  return NpyFile(kRows, kCols, Values<T>());
}

template <class T>
std::vector<T> ReadValues(const fs::path& path) {
  const auto array = hpcnn::ReadNpy(path.string());
  EXPECT_TRUE(array.ok()) << array.status();
  if (!array.ok()) return {};
  EXPECT_EQ(array->shape, (std::vector<std::size_t>{kRows, kCols}));
  return array->Values<T>();
}

template <class K, class Border = hpcnn::ZeroBorder, class In, class Out>
std::vector<Out> Correlated(std::vector<In> image, Out) {
  std::vector<Out> out(image.size());
  hpcnn::Correlate<K, Scalar, Border>(View(image), View(out));
  return out;
}

template <class K, class Border = hpcnn::ZeroBorder, class In>
std::vector<float> Magnitude(std::vector<In> image) {
  std::vector<float> out(image.size());
  hpcnn::GradientMagnitude<K, Scalar, Border>(View(image), View(out));
  return out;
}

// ---- Results --------------------------------------------------------------

template <class T>
class FilterTypedTest : public testing::Test {};
using ImageTypes = testing::Types<std::uint8_t, std::int16_t, float>;
TYPED_TEST_SUITE(FilterTypedTest, ImageTypes);

TYPED_TEST(FilterTypedTest, NpyFilesHoldWhatTheLibraryComputes) {
  const fs::path folder = Scratch("values");
  Write(folder / "in.npy", NpyFile<TypeParam>());
  const auto values = Values<TypeParam>();
  for (const char* policy : {"--policy=scalar", "--policy=simd"}) {
    const ProgramResult r =
        FilterIn(folder, {"--kernel=sobel3x3", "--op=correlate", policy,
                          "--in=in.npy", "--out=x.npy"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    if constexpr (std::is_integral_v<TypeParam>) {
      EXPECT_EQ(ReadValues<std::int32_t>(folder / "x.npy"),
                Correlated<hpcnn::Sobel3x3>(values, std::int32_t{}));
      EXPECT_THAT(r.out, HasSubstr("x.npy: 23 rows of 141, i32, values -"));
    } else {
      // Whole numbers below 2^24: every order of summing gives the same.
      EXPECT_EQ(ReadValues<float>(folder / "x.npy"),
                Correlated<hpcnn::Sobel3x3>(values, float{}));
      EXPECT_THAT(r.out, HasSubstr("x.npy: 23 rows of 141, f32, values -"));
    }
  }
}

template <class K>
void ExpectEveryBorder(const std::string& name) {
  const fs::path folder = Scratch("borders");
  Write(folder / "in.npy", NpyFile<std::uint8_t>());
  const auto values = Values<std::uint8_t>();
  const auto run = [&](const std::string& border, const std::string& flag) {
    const ProgramResult r =
        FilterIn(folder, {"--kernel=" + name, "--border=" + border, flag,
                          "--in=in.npy", "--out=x.npy"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return folder / "x.npy";
  };
  const auto check = [&]<class Border>(Border) {
    const std::string border(Border::kName);
    EXPECT_EQ(ReadValues<std::int32_t>(run(border, "--policy=simd")),
              (Correlated<K, Border>(values, std::int32_t{})))
        << name << border;
    EXPECT_EQ(ReadValues<std::int32_t>(run(border, "--transpose")),
              (Correlated<Transposed<K>, Border>(values, std::int32_t{})))
        << name << border;
    EXPECT_EQ(ReadValues<float>(run(border, "--op=magnitude")),
              (Magnitude<K, Border>(values)))
        << name << border;
  };
  check(hpcnn::ZeroBorder{});
  check(hpcnn::ReplicateBorder{});
  check(hpcnn::ReflectBorder{});
  check(hpcnn::WrapBorder{});
}

TEST(FilterTest, EveryKernelAndBorder) {
  ExpectEveryBorder<hpcnn::Sobel3x3>("sobel3x3");
  ExpectEveryBorder<hpcnn::Scharr3x3>("scharr3x3");
  ExpectEveryBorder<hpcnn::Sobel5x3>("sobel5x3");
  ExpectEveryBorder<hpcnn::Sobel5x5>("sobel5x5");
  ExpectEveryBorder<hpcnn::Neighbours8>("neighbours8");
}

struct Uneven {
  static constexpr hpcnn::Stencil<2, 3> kTaps{{{1, -2, 3}, {-4, 5, 7}}};
};
struct UnevenFloat {
  static constexpr hpcnn::Stencil<2, 3, float> kTaps{{{1, -2, 3}, {-4, 5, 7}}};
};

TEST(FilterTest, KernelsFromFiles) {
  const fs::path folder = Scratch("kernels");
  Write(folder / "in.npy", NpyFile<std::uint8_t>());
  Write(folder / "i32.npy", NpyFile<std::int32_t>(2, 3, {1, -2, 3, -4, 5, 7}));
  Write(folder / "f32.NPY", NpyFile<float>(2, 3, {1, -2, 3, -4, 5, 7}));
  const auto values = Values<std::uint8_t>();
  const auto run = [&](const std::string& kernel, const std::string& flag) {
    const ProgramResult r = FilterIn(
        folder, {"--kernel=" + kernel, flag, "--in=in.npy", "--out=x.npy"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return folder / "x.npy";
  };
  for (const char* policy : {"--policy=scalar", "--policy=simd"}) {
    EXPECT_EQ(ReadValues<std::int32_t>(run("i32.npy", policy)),
              Correlated<Uneven>(values, std::int32_t{}));
    EXPECT_EQ(ReadValues<float>(run("f32.NPY", policy)),
              Correlated<UnevenFloat>(values, float{}));
  }
  EXPECT_EQ(ReadValues<std::int32_t>(run("i32.npy", "--transpose")),
            Correlated<Transposed<Uneven>>(values, std::int32_t{}));
  EXPECT_EQ(ReadValues<float>(run("i32.npy", "--op=magnitude")),
            Magnitude<Uneven>(values));
}

TEST(FilterTest, ThreadsChangeNothing) {
  const fs::path folder = Scratch("threads");
  std::set<std::string> files;
  for (const char* threads : {"1", "2", "7", "auto"}) {
    const ProgramResult r = FilterIn(
        folder,
        {std::string("--threads=") + threads, "--op=magnitude", "--out=x.npy"});
    ASSERT_EQ(r.exit_code, 0) << r.err;
    files.insert(Read(folder / "x.npy"));
  }
  EXPECT_EQ(files.size(), 1u);
}

// What a PNG shows, as --help tells.
TEST(FilterTest, PngsAreNormalised) {
  struct Case {
    const char* about;
    std::string image;
    const char* flag;
    std::vector<std::uint8_t> gray;
    const char* note;
  };
  // Correlated with the tap 1 on the pixel: the image itself. -1: negated.
  const fs::path folder = Scratch("normalised");
  Write(folder / "plus.npy", NpyFile<std::int32_t>(1, 1, {1}));
  Write(folder / "minus.npy", NpyFile<std::int32_t>(1, 1, {-1}));
  const std::vector<Case> cases = {
      {"no negative",
       NpyFile<std::uint8_t>(1, 3, {0, 10, 20}),
       "--kernel=plus.npy",
       {0, 128, 255},
       "0 as black (0), 20 as white (255)"},
      {"a negative tap",
       NpyFile<std::uint8_t>(1, 3, {0, 10, 20}),
       "--kernel=minus.npy",
       {128, 65, 1},
       "-20 as black (1), 0 as grey (128), 20 as white (255)"},
      {"a negative pixel",
       NpyFile<std::int16_t>(1, 3, {-20, 0, 10}),
       "--kernel=plus.npy",
       {1, 128, 192},
       "0 as grey (128)"},
      {"all zero",
       NpyFile<std::uint8_t>(1, 3, {0, 0, 0}),
       "--kernel=plus.npy",
       {0, 0, 0},
       "0 as black (0)"},
      {"all zero, signed",
       NpyFile<std::uint8_t>(1, 3, {0, 0, 0}),
       "--kernel=minus.npy",
       {128, 128, 128},
       "0 as grey (128)"},
      {"not finite",
       NpyFile<float>(1, 4, {NAN, INFINITY, -INFINITY, 0.5f}),
       "--kernel=plus.npy",
       {0, 255, 255, 255},
       "0.5 as white (255)"},
      {"nothing finite",
       NpyFile<float>(1, 2, {NAN, INFINITY}),
       "--kernel=plus.npy",
       {0, 0},
       "0 as black (0)"},
      {"smallest float",
       NpyFile<float>(1, 2, {0, 1e-45f}),
       "--kernel=plus.npy",
       {0, 255},
       "1.4013e-45 as white (255)"},
  };
  for (const Case& c : cases) {
    Write(folder / "in.npy", c.image);
    const ProgramResult r =
        FilterIn(folder, {c.flag, "--in=in.npy", "--out=x.png"});
    EXPECT_EQ(r.exit_code, 0) << c.about << r.err;
    EXPECT_THAT(r.err, HasSubstr(c.note)) << c.about;
    const auto png = hpcnn::ReadImage((folder / "x.png").string());
    ASSERT_TRUE(png.ok()) << png.status();
    EXPECT_EQ(png->channels, 1u);
    EXPECT_EQ(png->pixels, c.gray) << c.about;
  }
}

TEST(FilterTest, ColoursBecomeGray) {
  const fs::path folder = Scratch("colours");
  Write(folder / "one.npy", NpyFile<std::int32_t>(1, 1, {1}));
  Write(folder / "in.ppm", "P6 2 1 255 \xff\xff\xff\xff" + std::string(2, 0));
  const ProgramResult r =
      FilterIn(folder, {"--kernel=one.npy", "--in=in.ppm", "--out=x.npy"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto array = hpcnn::ReadNpy((folder / "x.npy").string());
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->Values<std::int32_t>(),
            (std::vector<std::int32_t>{255, 76}));
}

TEST(FilterTest, TheGalleryHasEveryKernel) {
  const fs::path folder = Scratch("gallery");
  const ProgramResult r = FilterIn(folder, {"--gallery=."});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.err, HasSubstr("drawn by this program"));
  const std::set<std::string> names = {
      "input.png",    "sobel3x3.png", "scharr3x3.png",  "sobel5x3.png",
      "sobel5x5.png", "gallery.png",  "neighbours8.png"};
  EXPECT_EQ(FilesIn(folder), names);
  std::set<std::string> files;
  for (const std::string& name : names) {
    EXPECT_THAT(r.out, HasSubstr(name + ": "));
    const auto png = hpcnn::ReadImage((folder / name).string());
    ASSERT_TRUE(png.ok()) << png.status();
    EXPECT_GE(png->rows, 384u);
    const auto [low, high] =
        std::minmax_element(png->pixels.begin(), png->pixels.end());
    EXPECT_GT(*high - *low, 150) << name;
    files.insert(Read(folder / name));
  }
  EXPECT_EQ(files.size(), names.size());
  EXPECT_LT(fs::file_size(folder / "gallery.png"), 150'000u);
}

// On every target: the sums are those of integers.
TEST(FilterTest, TheReadmeShowsTheGallery) {
  const fs::path folder = Scratch("readme");
  const ProgramResult r = FilterIn(folder, {"--gallery=."});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto drawn = hpcnn::ReadImage((folder / "gallery.png").string());
  const auto shown = hpcnn::ReadImage(DataPath("docs/gallery.png"));
  ASSERT_TRUE(drawn.ok()) << drawn.status();
  ASSERT_TRUE(shown.ok()) << shown.status();
  EXPECT_TRUE(drawn->pixels == shown->pixels)
      << "bazel run //tools:filter -- --gallery=DIR makes another; copy it to "
         "docs/ if that was meant";
}

TEST(FilterTest, TheGalleryTakesPicturesOfAnySize) {
  for (const auto& [rows, cols] : std::vector<std::pair<int, int>>{
           {1, 1}, {1, 1500}, {1500, 1}, {400, 700}, {5, 4}}) {
    const fs::path folder = Scratch("sizes");
    const std::string in =
        "P5 " + std::to_string(cols) + " " + std::to_string(rows) + " 255 ";
    Write(folder / "in.pgm",
          in + std::string(static_cast<std::size_t>(rows * cols), 'x'));
    const ProgramResult r =
        FilterIn(folder, {"--in=in.pgm", "--gallery=.", "--border=reflect"});
    EXPECT_EQ(r.exit_code, 0) << r.err;
    EXPECT_THAT(r.err, Not(HasSubstr("drawn")));
    const auto png = hpcnn::ReadImage((folder / "gallery.png").string());
    ASSERT_TRUE(png.ok()) << png.status();
    EXPECT_LE(std::max(png->rows, png->cols), 1300u);
    // Grey, but not stretched until it is white.
    const auto input = hpcnn::ReadImage((folder / "input.png").string());
    ASSERT_TRUE(input.ok()) << input.status();
    EXPECT_EQ(input->pixels[0], 'x');
  }
}

TEST(FilterTest, HelpExplainsEveryFlag) {
  const ProgramResult r = Filter({"--help"});
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.err, "");
  const std::string text = std::regex_replace(r.out, std::regex("\\s+"), " ");
  for (const char* flag : {"kernel", "op", "transpose", "border", "policy",
                           "in", "out", "gallery", "threads"}) {
    EXPECT_THAT(r.out, HasSubstr(std::string("  --") + flag + "="));
    EXPECT_THAT(text, HasSubstr(std::string("Example: --") + flag));
  }
  EXPECT_THAT(text, HasSubstr("0 is grey (128)"));
}

TEST(FilterTest, AClosedStdoutDoesNotEndUpInTheFile) {
  const fs::path folder = Scratch("closed");
  const std::string out = (folder / "x.png").string();
  const ProgramResult r = RunProgram(
      "/bin/sh", {"-c", DataPath("tools/filter") + " --out=" + out + " >&-"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_TRUE(hpcnn::ReadImage(out).ok());
}

// ---- Bad input ------------------------------------------------------------

void ExpectRefusal(const ProgramResult& r,
                   const std::vector<const char*>& expected,
                   const std::string& name, int exit_code = 2) {
  EXPECT_EQ(r.exit_code, exit_code) << name << "\n" << r.out << r.err;
  EXPECT_EQ(std::count(r.err.begin(), r.err.end(), '\n'), 1) << name << r.err;
  EXPECT_THAT(r.err, StartsWith("filter: ")) << name;
  EXPECT_EQ(r.out, "") << name;
  for (const char* text : expected) {
    EXPECT_THAT(r.err, HasSubstr(text)) << name;
  }
}

std::string PngFile() {
  auto values = Values<std::uint8_t>();
  return hpcnn::EncodePng(View(values)).value();
}

// The header's text begins behind 10 bytes.
std::string NpyWith(const std::string& header, const std::string& elements) {
  return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) +
         '\0' + header + elements;
}

// With another depth, and the check sum that goes with it.
std::string PngOf16Bits() {
  std::string png = PngFile();
  png[24] = 16;
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17);
  for (std::size_t i = 0; i < 4; ++i) {
    png[29 + i] = static_cast<char>(sum >> (24 - 8 * i));
  }
  return png;
}

struct BadFile {
  const char* about;
  const char* name;
  std::string bytes;
  std::vector<const char*> expected;
};

std::vector<BadFile> BadPictures() {
  const std::string png = PngFile();
  std::string broken = png;
  broken[broken.size() / 2] ^= 1;
  const std::string npy = NpyFile<std::uint8_t>();
  const std::string order =
      "{'descr': '|u1', 'fortran_order': True, "
      "'shape': (2, 2), }";
  const std::string big =
      "{'descr': '>i2', 'fortran_order': False, "
      "'shape': (2, 2), }";
  const std::string lying =
      "{'descr': '<f4', 'fortran_order': False, "
      "'shape': (4294967296, 4294967296), }";
  return {
      {"no image", "in.png", "no image", {"a PNG, JPEG, BMP or PNM"}},
      {"empty", "in.png", "", {"an empty file"}},
      {"truncated", "in.png", png.substr(0, png.size() / 2), {"cut short"}},
      {"broken", "in.png", broken, {"damaged"}},
      {"16 bits", "in.png", PngOf16Bits(), {"8 bits a channel", "found 16"}},
      {"CMYK",
       "in.jpg",
       std::string("\xff\xd8\xff\xc0\0\x14\x08\0\1\0\1\4", 12) +
           std::string(12, '\1'),
       {"CMYK", "convert it to RGB"}},
      {"zero-sized", "in.pgm", "P5 0 3 255 ", {"found 3 rows of 0"}},
      {"huge", "in.pgm", "P5 99999 99999 255 x", {"at most 16384"}},
      {"lying", "in.pgm", "P5 10 10 255 x", {"expected"}},
      {"NPY truncated",
       "in.npy",
       npy.substr(0, npy.size() - 1),
       {"3243 bytes of elements", "cut short"}},
      {"NPY of Fortran order",
       "in.npy",
       NpyWith(order, "1234"),
       {"C order", "np.ascontiguousarray"}},
      {"NPY of big-endian elements",
       "in.npy",
       NpyWith(big, "12345678"),
       {"little-endian"}},
      {"NPY lying", "in.npy", NpyWith(lying, "1234"), {"a shape of less"}},
      {"NPY of i32",
       "in.npy",
       NpyFile<std::int32_t>(),
       {"u8, i16 or f32", "found i32", "astype"}},
      {"NPY of f64", "in.npy", NpyFile<double>(), {"found f64", "astype"}},
      {"NPY of rank 3",
       "in.npy",
       hpcnn::EncodeNpy<float>(std::vector<std::size_t>{1, 1, 1},
                               std::vector<float>{1}),
       {"2 dimensions"}},
      {"NPY without rows",
       "in.npy",
       NpyFile<float>(0, 3, {}),
       {"one row and column or more", "0 rows of 3"}},
      {"NPY without columns",
       "in.npy",
       NpyFile<float>(3, 0, {}),
       {"one row and column or more", "3 rows of 0"}},
      {"an image as NPY", "in.npy", png, {"NPY magic"}},
  };
}

TEST(FilterTest, RefusesBadPicturesInOneLine) {
  for (const BadFile& bad : BadPictures()) {
    const fs::path folder = Scratch("pictures");
    Write(folder / bad.name, bad.bytes);
    for (const std::vector<std::string>& flags :
         std::vector<std::vector<std::string>>{
             {"--out=x.png"}, {"--out=x.npy"}, {"--gallery=."}}) {
      std::vector<std::string> all = flags;
      all.push_back(std::string("--in=") + bad.name);
      const ProgramResult r = FilterIn(folder, all);
      ExpectRefusal(r, bad.expected, bad.about);
      EXPECT_THAT(r.err, MatchesRegex("filter: .+/in\\.[a-z]+: offset [0-9]+: "
                                      "expected .+, found .+; .+\n"))
          << bad.about;
      EXPECT_THAT(FilesIn(folder), Each(bad.name)) << bad.about;
    }
  }
}

TEST(FilterTest, RefusesBadKernelFilesInOneLine) {
  const std::vector<BadFile> cases = {
      {"no rows",
       "k.npy",
       NpyFile<std::int32_t>(0, 3, {}),
       {"a kernel of one row and column or more", "0 rows of 3"}},
      {"f64",
       "k.npy",
       NpyFile<double>(1, 1, {1}),
       {"i32 or f32", "found f64", "astype(np.float32)"}},
      {"u8", "k.npy", NpyFile<std::uint8_t>(1, 1, {1}), {"found u8"}},
      {"NaN", "k.npy", NpyFile<float>(1, 2, {1, NAN}), {"finite"}},
      {"too many taps",
       "k.npy",
       NpyFile<float>(65'537, 1, std::vector<float>(65'537)),
       {"at most 65536 elements", "65537 rows of 1"}},
      {"more bytes than any kernel",
       "k.npy",
       NpyFile<float>(1000, 1000, std::vector<float>(1'000'000)),
       {"at most"}},
      {"rank 1",
       "k.npy",
       hpcnn::EncodeNpy<float>(std::vector<std::size_t>{3},
                               std::vector<float>{1, 2, 3}),
       {"2 dimensions", "array.reshape"}},
      {"sums beyond 32 bits",
       "k.npy",
       NpyFile<std::int32_t>(1, 2, {-8'421'504, 1}),
       {"8421504 or less", "found 8421505", "astype(np.float32)"}},
      {"the smallest tap",
       "k.npy",
       NpyFile<std::int32_t>(1, 1, {-2'147'483'647 - 1}),
       {"found 2147483648"}},
      {"empty file", "k.npy", "", {"an empty file"}},
  };
  for (const BadFile& bad : cases) {
    const fs::path folder = Scratch("kernels");
    Write(folder / bad.name, bad.bytes);
    ExpectRefusal(FilterIn(folder, {"--kernel=k.npy", "--out=x.png"}),
                  bad.expected, bad.about);
    EXPECT_THAT(FilesIn(folder), Each("k.npy")) << bad.about;
  }
}

TEST(FilterTest, TheLargestTapsThatFit) {
  const fs::path folder = Scratch("largest");
  Write(folder / "k.npy", NpyFile<std::int32_t>(1, 1, {-8'421'504}));
  Write(folder / "in.npy", NpyFile<std::uint8_t>(1, 1, {255}));
  const ProgramResult r =
      FilterIn(folder, {"--kernel=k.npy", "--in=in.npy", "--out=x.npy"});
  ASSERT_EQ(r.exit_code, 0) << r.err;
  const auto array = hpcnn::ReadNpy((folder / "x.npy").string());
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_THAT(array->Values<std::int32_t>(), Each(-255 * 8'421'504));
}

TEST(FilterTest, RefusesBadFlagsInOneLine) {
  const fs::path folder = Scratch("flags");
  fs::create_directory(folder / "d.png");
  const std::vector<
      std::pair<std::vector<std::string>, std::vector<const char*>>>
      cases = {
          {{}, {"--out", "FILE.png", "FILE.npy", "--gallery=DIR"}},
          {{"--out="}, {"--out", "\"\""}},
          {{"--out=x.jpg"}, {"--out", "FILE.png", "\"x.jpg\""}},
          {{"--out=png"}, {"--out", "\"png\""}},
          {{"--out=x.png", "--kernel=prewitt"},
           {"--kernel", "\"prewitt\"",
            "sobel3x3, scharr3x3, sobel5x3, "
            "sobel5x5, neighbours8 or FILE.npy"}},
          {{"--out=x.png", "--kernel="}, {"--kernel", "\"\""}},
          {{"--out=x.png", "--kernel=none.npy"}, {"none.npy", "No such file"}},
          {{"--out=x.png", "--op=convolve"},
           {"--op", "correlate or magnitude"}},
          {{"--out=x.png", "--transpose=yes"},
           {"--transpose", "true or false", "\"yes\""}},
          {{"--out=x.png", "--notranspose"}, {"--notranspose"}},
          {{"--out=x.png", "--transpose", "false"}, {"\"false\""}},
          {{"--out=x.png", "--border=mirror"},
           {"--border", "zero or replicate or reflect or wrap"}},
          {{"--out=x.png", "--policy=cuda"}, {"not available yet"}},
          {{"--out=x.png", "--policy=cuda-sim"}, {"not available yet"}},
          {{"--out=x.png", "--policy=gpu"}, {"--policy", "scalar or simd"}},
          {{"--out=x.png", "--threads=0"}, {"--threads", "1 to 1024"}},
          {{"--out=x.png", "--threads=-1"}, {"--threads"}},
          {{"--out=x.png", "--threads=99999999999"}, {"--threads"}},
          {{"--out=x.png", "--in=none.png"}, {"none.png", "No such file"}},
          {{"--out=x.png", "--in=."}, {"found a directory"}},
          {{"--out=x.png", "--kernle=a"}, {"--kernle", "--help"}},
          {{"--out=x.png", "--flagfile=a"}, {"--flagfile"}},
          {{"--out=x.png", "extra"}, {"\"extra\"", "--help"}},
          {{"--out=x.png", "--in"}, {"--in", "a value"}},
          {{"--out=none/x.png"}, {"none/x.png", "a folder that exists"}},
          {{"--out=none/x.npy"}, {"none/x.npy", "a folder that exists"}},
          {{"--out=d.png"}, {"d.png", "a directory"}},
          {{"--gallery=none"}, {"--gallery", "a folder that exists"}},
          {{"--gallery=.", "--out=x.png"}, {"--out", "--gallery"}},
          {{"--gallery=.", "--op=magnitude"}, {"--op", "--gallery"}},
          {{"--gallery=.", "--kernel=sobel5x5"}, {"--kernel"}},
          {{"--gallery=.", "--transpose"}, {"--transpose"}},
          // Not even root may make a file there.
          {{"--out=/sys/x.png"}, {"/sys/x.png", "a writable folder"}},
          {{"--gallery=/sys"}, {"/sys/input.png", "a writable folder"}},
      };
  for (const auto& [flags, expected] : cases) {
    ExpectRefusal(FilterIn(folder, flags), expected,
                  testing::PrintToString(flags));
  }
  EXPECT_THAT(FilesIn(folder), Each("d.png"));
}

TEST(FilterTest, RefusalsAreOneLineWhateverTheInput) {
  const fs::path folder = Scratch("lines");
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{
           {"--out=x.png", "--kernel=a\nb"},
           {"--out=x.png", "--kernel=a\nb.npy"},
           {"--out=x.png", "--in=a\nb"},
           {"--out=a\nb"},
           {"--out=a\nb/x.png"},
           {"--gallery=a\nb"},
           {"a\nb"},
           {"--a\nb=1"}}) {
    ExpectRefusal(FilterIn(folder, flags), {"a\\nb"}, flags.back());
  }
}

TEST(FilterTest, RefusesAFolderWithoutPermission) {
  const fs::path folder = Scratch("permission");
  fs::permissions(folder, fs::perms::owner_read | fs::perms::owner_exec |
                              fs::perms::others_read | fs::perms::others_exec);
  const ProgramResult r =
      Filter({"--out=" + (folder / "x.png").string()}, {{"UNPRIVILEGED", "1"}});
  fs::permissions(folder, fs::perms::owner_all);
  if (r.exit_code == 126 || r.exit_code == 127) {
    GTEST_SKIP() << "here the program cannot run as nobody: " << r.err;
  }
  ExpectRefusal(r, {"x.png", "a writable folder"}, "permission");
}

TEST(FilterTest, BadInputLeavesOldFilesAlone) {
  const fs::path folder = Scratch("keep");
  Write(folder / "in.png", "no image");
  Write(folder / "x.png", "old");
  ExpectRefusal(FilterIn(folder, {"--in=in.png", "--out=x.png"}), {}, "keep");
  EXPECT_EQ(Read(folder / "x.png"), "old");
}

TEST(FilterTest, AGalleryDoesNotReplaceThePicture) {
  const fs::path folder = Scratch("itself");
  Write(folder / "input.png", PngFile());
  ExpectRefusal(FilterIn(folder, {"--in=input.png", "--gallery=."}),
                {"--gallery", "input.png", "the picture itself"}, "itself");
  EXPECT_EQ(Read(folder / "input.png"), PngFile());
  EXPECT_THAT(FilesIn(folder), Each("input.png"));
}

// A limit of the file's size stands for a full disk.
TEST(FilterTest, AGalleryThatCannotBeWholeIsNotBegun) {
  const fs::path folder = Scratch("no_gallery");
  fs::create_directory(folder / "neighbours8.png");
  const ProgramResult in_the_way = FilterIn(folder, {"--gallery=."});
  EXPECT_EQ(in_the_way.exit_code, 2);
  EXPECT_THAT(
      in_the_way.err,
      MatchesRegex("filter: .*neighbours8.png: expected a file that can "
                   "be written, found a directory; name another one\n"));
  EXPECT_EQ(FilesIn(folder), std::set<std::string>{"neighbours8.png"});

  Write(folder / "file", "");
  const ProgramResult no_folder = FilterIn(folder, {"--gallery=file"});
  EXPECT_EQ(no_folder.exit_code, 2);
  EXPECT_THAT(
      no_folder.err,
      MatchesRegex("filter: --gallery: .*file: expected a folder, found "
                   "a file; name another\n"));
}

TEST(FilterTest, AFullDiskIsAFailureAndLeavesOldFilesAlone) {
  const fs::path folder = Scratch("full");
  Write(folder / "x.npy", "old");
  const ProgramResult r = RunProgram(
      "/bin/sh",
      {"-c", "trap '' XFSZ; ulimit -f 8; exec " + DataPath("tools/filter") +
                 " --out=" + (folder / "x.npy").string()});
  ExpectRefusal(r, {"x.npy", "room for a file"}, "full", /*exit_code=*/1);
  EXPECT_EQ(Read(folder / "x.npy"), "old");
  EXPECT_THAT(FilesIn(folder), Each("x.npy"));
}

}  // namespace
