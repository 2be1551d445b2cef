// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/io/npy.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hpcnn {
namespace {

static_assert(NpyElement<std::uint8_t> && NpyElement<double>);
static_assert(!NpyElement<std::int64_t> && !NpyElement<bool>);

std::string TempPath(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / name;
}

// A file of version 1.0 with this header, not padded.
std::string File(std::string_view header, std::string_view elements) {
  const std::string length = {static_cast<char>(header.size() & 0xff),
                              static_cast<char>(header.size() >> 8)};
  return absl::StrCat("\x93NUMPY\1", std::string(1, '\0'), length, header,
                      elements);
}

template <class T>
class NpyTypedTest : public testing::Test {};
using NpyTypes =
    testing::Types<std::uint8_t, std::int16_t, std::int32_t, float, double>;
TYPED_TEST_SUITE(NpyTypedTest, NpyTypes);

TYPED_TEST(NpyTypedTest, RoundTripInEveryRank) {
  std::vector<std::size_t> shape;
  for (std::size_t rank = 0; rank <= 8; ++rank) {
    std::size_t count = 1;
    for (const std::size_t dim : shape) count *= dim;
    std::vector<TypeParam> values(count);
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = static_cast<TypeParam>(3 * i);
    }
    const std::string file = EncodeNpy<TypeParam>(shape, values);
    EXPECT_EQ((file.size() - count * sizeof(TypeParam)) % 64, 0u);
    const auto read = DecodeNpy(file, "f");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->shape, shape);
    EXPECT_EQ(read->template Values<TypeParam>(), values);
    EXPECT_EQ(read->template ValuesAs<double>(),
              std::vector<double>(values.begin(), values.end()));
    shape.push_back(rank + 1);
    if (rank > 3) shape.back() = 2;
  }
}

TYPED_TEST(NpyTypedTest, AMatrixIsWrittenWithoutWhatIsBetweenItsRows) {
  std::vector<TypeParam> values = {1, 2, 3, 99, 4, 5, 6, 99};
  const MatrixView<TypeParam> matrix(values.data(), 2, 3, /*stride=*/4);
  const std::string path = TempPath("matrix.npy");
  ASSERT_TRUE(WriteNpy(path, matrix).ok());
  const auto read = ReadNpy(path, {.min_rank = 2, .max_rank = 2});
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->shape, (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(read->template Values<TypeParam>(),
            (std::vector<TypeParam>{1, 2, 3, 4, 5, 6}));
}

TYPED_TEST(NpyTypedTest, NoElements) {
  const auto read = DecodeNpy(
      EncodeNpy<TypeParam>(std::vector<std::size_t>{0, 28, 28}, {}), "f");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->shape, (std::vector<std::size_t>{0, 28, 28}));
  EXPECT_TRUE(read->template Values<TypeParam>().empty());
}

// Byte for byte what np.save writes.
TEST(NpyTest, BytesAreThoseOfNumPy) {
  const std::vector<float> values = {1.5f, -2};
  const std::string dict =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_EQ(EncodeNpy<float>(std::vector<std::size_t>{2}, values),
            File(dict + std::string(117 - dict.size(), ' ') + "\n",
                 std::string("\0\0\xc0\x3f\0\0\0\xc0", 8)));
}

TEST(NpyTest, ReadsWhateverPythonWouldTakeForTheSameHeader) {
  const std::string data = "abcd";
  for (const std::string header : {
           "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }   \n",
           "{\"shape\":(2L,),\"descr\":\"<i2\",\"fortran_order\":False}",
           "  {'fortran_order' : False ,\n'shape': ( 1 , 2 , ) ,"
           "'descr': '<i2' } ",
       }) {
    const auto read = DecodeNpy(File(header, data), "f");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->Values<std::int16_t>(),
              (std::vector<std::int16_t>{0x6261, 0x6463}));
    // Versions 2.0 and 3.0 differ in the length.
    for (const char version : {'\2', '\3'}) {
      std::string file = File(header, data);
      file[6] = version;
      file.insert(10, 2, '\0');
      EXPECT_TRUE(DecodeNpy(file, "f").ok());
    }
  }
  for (const char order : {'|', '<', '>', '='}) {
    const std::string header =
        absl::StrCat("{'descr': '", std::string(1, order),
                     "u1', 'fortran_order': False, 'shape': ()}");
    const auto read = DecodeNpy(File(header, "\x07"), "f");
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->Values<std::uint8_t>(), std::vector<std::uint8_t>{7});
  }
}

struct BadNpy {
  std::string name;
  std::string file;
  std::string message;  // after "bad.npy: offset "
};

// A header around some of its parts. The dict begins at byte 10, the type at
// 20, the order at 44, the shape at 60.
std::string With(std::string_view descr, std::string_view order,
                 std::string_view shape) {
  return absl::StrCat("{'descr': ", descr, ", 'fortran_order': ", order,
                      ", 'shape': ", shape, "}");
}

std::string Good() { return File(With("'<i2'", "False", "(2, 1)"), "abcd"); }

std::vector<BadNpy> BadFiles() {
  const std::string damaged = "the file is damaged, or not one of NumPy's";
  const std::string cut = "the file is cut short: save it again";
  const std::string magic = "0: expected the NPY magic \"\\x93NUMPY\", found ";
  const std::string types =
      "; in NumPy: np.save(path, array.astype(np.float32))";
  const std::string once =
      ": expected 'descr', 'fortran_order' and 'shape', once each, found ";
  const auto shape = [](std::string_view text) {
    return File(With("'<i2'", "False", text), "abcd");
  };
  const auto descr = [](std::string_view text) {
    return File(With(text, "False", "(2, 1)"), "abcd");
  };
  std::string version4 = Good();
  version4[6] = 4;
  std::string long_header = Good();
  long_header[9] = 2;
  return {
      {"Empty", "",
       magic + "an empty file; this is not an NPY file (an .npz file holds "
               "several)"},
      {"Npz", "PK\3\4\n\r",
       magic + "\"PK\\x03\\x04\\n\\r\"; this is not an NPY file (an .npz file "
               "holds several)"},
      {"CutVersion", Good().substr(0, 7),
       "7: expected version and header, found the end of the file; " + cut},
      {"Version4", version4,
       "6: expected NPY version 1.0, 2.0 or 3.0, found 4.0; save it with a "
       "current NumPy"},
      {"CutHeader", Good().substr(0, 30),
       "30: expected 57 bytes of header, found the end of the file; " + cut},
      {"LongHeader", long_header,
       "71: expected 569 bytes of header, found the end of the file; " + cut},
      {"NoDict", File("[]", "abcd"),
       "10: expected '{', found \"[]\"; " + damaged},
      {"EmptyHeader", File("", "abcd"),
       "10: expected '{', found the end of the header; " + damaged},
      {"OpenDict", File("{'descr': '<i2', ", "abcd"),
       "27: expected a quoted key, found the end of the header; " + damaged},
      {"NoQuotes", File("{descr: '<i2'}", "abcd"),
       "11: expected a quoted key, found \"descr: '<i2'}\"; " + damaged},
      {"NoColon", File("{'descr' '<i2'}", "abcd"),
       "19: expected ':', found \"'<i2'}\"; " + damaged},
      {"NoComma", File("{'descr': '<i2' 'shape': ()}", "abcd"),
       "26: expected ',' or '}', found \"'shape': ()}\"; " + damaged},
      {"UnknownKey", File("{'dtype': '<i2'}", "abcd"),
       "11" + once + "\"'dtype': '<i2'}\"; " + damaged},
      {"KeyTwice", File("{'shape': (), 'shape': ()}", "abcd"),
       "24" + once + "\"'shape': ()}\"; " + damaged},
      {"KeyMissing", File("{'shape': ()}", "abcd"),
       "23" + once + "the end of the header; " + damaged},
      {"MoreInTheHeader", File(With("'<i2'", "False", "(2,)") + " x", "abcd"),
       "66: expected no more than spaces, found \"x\"; " + damaged},
      {"ZeroByteInTheHeader",
       File(With("'<i2'", "False", "(2,)") + std::string(1, '\0'), "abcd"),
       "65: expected no more than spaces, found \"\\x00\"; " + damaged},
      {"BigEndian", descr("'>i2'"),
       "20: expected little-endian elements, found big-endian \">i2\"; in "
       "NumPy: "
       "np.save(path, array.astype(array.dtype.newbyteorder('<')))"},
      {"Int64", descr("'<i8'"),
       "20: expected one of |u1 <i2 <i4 <f4 <f8, found "
       "\"<i8\"" +
           types},
      {"Object", descr("'|O'"),
       "20: expected one of |u1 <i2 <i4 <f4 <f8, found "
       "\"|O\"" +
           types},
      {"Structured", descr("[('x', '<i2')]"),
       "20: expected one type of element, found a structured type; save one "
       "field at a time"},
      {"TypeWithoutQuotes", descr("int"),
       "20: expected a quoted type, found \"int, 'fortran_order': Fa\"; " +
           damaged},
      {"FortranOrder", File(With("'<i2'", "True", "(2, 1)"), "abcd"),
       "44: expected C order, found Fortran order; in NumPy: np.save(path, "
       "np.ascontiguousarray(array))"},
      {"OrderIsANumber", File(With("'<i2'", "0", "(2, 1)"), "abcd"),
       "44: expected False, found \"0, 'shape': (2, 1)}\"; " + damaged},
      {"ShapeIsANumber", shape("2"),
       "60: expected '(', found \"2}\"; " + damaged},
      {"ShapeIsNoTuple", shape("(2)"),
       "60: expected a comma after a single size, found \"(2)}\"; " + damaged},
      {"NegativeSize", shape("(-2,)"),
       "61: expected a size of the shape, found \"-2,)}\"; " + damaged},
      {"NoCommaInShape", shape("(2 1)"),
       "63: expected a size of the shape, found \"1)}\"; " + damaged},
      {"OnlyACommaInShape", shape("(,)"),
       "61: expected a size of the shape, found \",)}\"; " + damaged},
      {"OpenShape", File("{'shape': (2, ", "abcd"),
       "24: expected a size of the shape, found the end of the header; " +
           damaged},
      {"NineDimensions", shape("(1, 1, 1, 1, 1, 1, 1, 2, 1)"),
       "60: expected 0 to 8 dimensions, found 9; in NumPy: array.reshape"},
      {"SizeOf2To64", shape("(18446744073709551616,)"),
       "61: expected sizes below 2^64, found \"18446744073709551616,)}\"; " +
           damaged},
      {"SizeOf20Digits", shape("(99999999999999999999,)"),
       "61: expected sizes below 2^64, found \"99999999999999999999,)}\"; " +
           damaged},
      {"Overflow", shape("(9223372036854775808, 2)"),
       "85: expected a shape of less than 2^64 bytes, found shape "
       "(9223372036854775808, 2) of 2 bytes each; the file is damaged: save it "
       "again"},
      {"Huge", shape("(1000000, 1000000)"),
       "79: expected at most 1073741824 bytes, found shape (1000000, 1000000) "
       "of 2 bytes each; the file is damaged, or too large to load"},
      {"CutData", Good().substr(0, 70),
       "67: expected 4 bytes of elements, found no more than 3; " + cut},
      {"Trailing", Good() + "e",
       "71: expected the end of the file, found more bytes; header and data "
       "disagree: save it again"},
  };
}

class BadNpyTest : public testing::TestWithParam<BadNpy> {};

TEST_P(BadNpyTest, OneLineSaysWhat) {
  const auto read = DecodeNpy(GetParam().file, "bad.npy");
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().message(), "bad.npy: offset " + GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(Table, BadNpyTest, testing::ValuesIn(BadFiles()),
                         [](const auto& bad) { return bad.param.name; });

TEST(NpyTest, EveryCutIsFound) {
  ASSERT_TRUE(DecodeNpy(Good(), "f").ok());
  for (std::size_t size = 0; size < Good().size(); ++size) {
    EXPECT_FALSE(DecodeNpy(Good().substr(0, size), "f").ok()) << size;
  }
}

TEST(NpyTest, TheCallerLimitsRankAndBytes) {
  const auto refusal = [](const NpyLimits& limits) {
    return std::string(DecodeNpy(Good(), "f", limits).status().message());
  };
  EXPECT_EQ(refusal({.min_rank = 2, .max_rank = 2, .max_bytes = 4}), "");
  EXPECT_EQ(refusal({.min_rank = 3, .max_rank = 3}),
            "f: offset 60: expected 3 dimensions, found 2; in NumPy: "
            "array.reshape");
  EXPECT_EQ(refusal({.min_rank = 3, .max_rank = 4}),
            "f: offset 60: expected 3 to 4 dimensions, found 2; in NumPy: "
            "array.reshape");
  EXPECT_EQ(refusal({.max_bytes = 3}),
            "f: offset 67: expected at most 3 bytes, found shape (2, 1) of 2 "
            "bytes each; the file is damaged, or too large to load");
}

TEST(NpyTest, MissingFileNamesThePath) {
  const std::string missing = TempPath("missing.npy");
  EXPECT_EQ(ReadNpy(missing).status().message(),
            missing +
                ": offset 0: expected a readable file, found No such file or "
                "directory; check the path and its permissions");
}

TEST(NpyDeathTest, WrongTypeAndWrongShapeAreBugsOfTheCaller) {
  const auto array = DecodeNpy(Good(), "f");
  ASSERT_TRUE(array.ok());
  EXPECT_DEATH((void)array->Values<float>(), "another type");
  EXPECT_DEATH(
      EncodeNpy<float>(std::vector<std::size_t>{2, 2}, std::vector<float>(3)),
      "number of values");
}

}  // namespace
}  // namespace hpcnn
