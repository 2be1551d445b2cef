// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/data/mnist.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"

namespace hpcnn {
namespace {

namespace fs = std::filesystem;
using Dims = std::vector<std::uint32_t>;

// A folder of 3 training and 2 test images: image i of each part is filled with
// i + 1, its label is i.
class MnistTest : public testing::Test {
 protected:
  MnistTest() {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }

  void WritePart(const std::string& images, const std::string& labels,
                 std::uint32_t count, Packing packing = Packing::kNone) {
    std::vector<std::uint8_t> pixels, numbers;
    for (std::uint32_t i = 0; i < count; ++i) {
      pixels.insert(pixels.end(), 784, static_cast<std::uint8_t>(i + 1));
      numbers.push_back(static_cast<std::uint8_t>(i));
    }
    Write(images, {count, 28, 28}, pixels, packing);
    Write(labels, {count}, numbers, packing);
  }

  void Write(const std::string& name, const Dims& dims,
             const std::vector<std::uint8_t>& values,
             Packing packing = Packing::kNone) {
    fs::create_directories(fs::path(Path(name)).parent_path());
    const IdxArray<std::uint8_t> array{dims, values};
    ASSERT_TRUE(WriteIdx(Path(name), array, packing).ok());
  }

  void WriteAll() {
    WritePart("train-images-idx3-ubyte", "train-labels-idx1-ubyte", 3);
    WritePart("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 2);
  }

  std::string Path(const std::string& name) const { return root_ / name; }

  // The message of LoadMnist, with $D for the folder.
  std::string Message() const {
    const auto mnist = LoadMnist(root_);
    return mnist.ok() ? "ok"
                      : absl::StrReplaceAll(mnist.status().message(),
                                            {{root_.string(), "$D"}});
  }

  const fs::path root_ =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

void ExpectLoads(const std::string& folder) {
  const auto mnist = LoadMnist(folder);
  ASSERT_TRUE(mnist.ok()) << mnist.status();
  ASSERT_EQ(mnist->train.size(), 3u);
  ASSERT_EQ(mnist->test.size(), 2u);
  EXPECT_EQ(mnist->train.image(2)(0, 27, 27), 3);
  EXPECT_EQ(mnist->train.label(2), 2);
  EXPECT_EQ(mnist->test.image(1)(0, 0, 0), 2);
}

TEST_F(MnistTest, RawFiles) {
  WriteAll();
  ExpectLoads(root_);
}

TEST_F(MnistTest, PackedFilesWithDots) {
  WritePart("train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz", 3,
            Packing::kGzip);
  WritePart("t10k-images.idx3-ubyte.gz", "t10k-labels.idx1-ubyte", 2,
            Packing::kGzip);
  ExpectLoads(root_);
}

TEST_F(MnistTest, TorchvisionsFolders) {
  WritePart("MNIST/raw/train-images-idx3-ubyte",
            "MNIST/raw/train-labels-idx1-ubyte", 3);
  WritePart("MNIST/raw/t10k-images-idx3-ubyte",
            "MNIST/raw/t10k-labels-idx1-ubyte", 2);
  ExpectLoads(root_);
  ExpectLoads(Path("MNIST"));
  ExpectLoads(Path("MNIST/raw"));
}

constexpr char kHint[] =
    "; `bazel run //tools/fetch_mnist` downloads MNIST, --data=synthetic needs "
    "no files";

TEST_F(MnistTest, NoFolder) {
  fs::remove_all(root_);
  EXPECT_EQ(Message(),
            std::string("$D: offset 0: expected a folder with "
                        "train-images-idx3-ubyte or "
                        "train-images-idx3-ubyte.gz, found no such folder") +
                kHint);
}

TEST_F(MnistTest, OneFileIsMissing) {
  WriteAll();
  fs::remove(Path("t10k-labels-idx1-ubyte"));
  EXPECT_EQ(Message(),
            std::string("$D: offset 0: expected a folder with "
                        "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz, "
                        "found no such file in it") +
                kHint);
}

TEST_F(MnistTest, DirectoryInPlaceOfAFile) {
  WriteAll();
  fs::remove(Path("train-labels-idx1-ubyte"));
  fs::create_directory(Path("train-labels-idx1-ubyte"));
  EXPECT_EQ(Message(),
            "$D/train-labels-idx1-ubyte: offset 0: expected a file, found a "
            "directory; name the file itself");
}

TEST_F(MnistTest, LabelOutOfRange) {
  WriteAll();
  Write("train-labels-idx1-ubyte", {3}, {9, 10, 0});
  EXPECT_EQ(Message(), std::string("$D/train-labels-idx1-ubyte: offset 9: "
                                   "expected a label of 0 to 9, found 10") +
                           kHint);
}

TEST_F(MnistTest, CountsDiffer) {
  WriteAll();
  Write("t10k-labels-idx1-ubyte", {3}, {0, 1, 2});
  EXPECT_EQ(Message(),
            "$D/t10k-labels-idx1-ubyte: offset 4: expected 2 labels, one per "
            "image, found 3; images and labels must come from the same data "
            "set");
}

TEST_F(MnistTest, LabelsInPlaceOfImages) {
  WriteAll();
  Write("train-images-idx3-ubyte", {3}, {0, 1, 2});
  EXPECT_EQ(Message(),
            std::string("$D/train-images-idx3-ubyte: offset 3: expected 3 "
                        "dimensions (images, rows, columns), found 1") +
                kHint);
}

TEST_F(MnistTest, ImagesInPlaceOfLabels) {
  WriteAll();
  Write("train-labels-idx1-ubyte", {3, 1, 1}, {0, 1, 2});
  EXPECT_EQ(Message(), std::string("$D/train-labels-idx1-ubyte: offset 3: "
                                   "expected 1 dimension (labels), found 3") +
                           kHint);
}

TEST_F(MnistTest, ImagesOfAnotherSize) {
  WriteAll();
  Write("train-images-idx3-ubyte", {3, 28, 32},
        std::vector<std::uint8_t>(3 * 28 * 32));
  EXPECT_EQ(Message(), std::string("$D/train-images-idx3-ubyte: offset 8: "
                                   "expected images of 28 x 28, found 28 x "
                                   "32") +
                           kHint);
}

TEST_F(MnistTest, NoImages) {
  WriteAll();
  WritePart("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", 0);
  EXPECT_EQ(Message(), std::string("$D/t10k-images-idx3-ubyte: offset 4: "
                                   "expected 1 image or more, found 0") +
                           kHint);
}

// Sets a variable, or removes it, until the end of the scope.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    const char* old = std::getenv(name);
    had_ = old != nullptr;
    if (had_) old_ = old;
    Set(value);
  }
  ~ScopedVariable() { Set(had_ ? old_.c_str() : nullptr); }

 private:
  void Set(const char* value) const {
    if (value == nullptr) {
      unsetenv(name_);
    } else {
      setenv(name_, value, 1);
    }
  }
  const char* name_;
  bool had_;
  std::string old_;
};

TEST_F(MnistTest, ResolvesTheSourceInOrder) {
  const ScopedVariable user("BUILD_WORKING_DIRECTORY", "/user");
  const ScopedVariable cache("XDG_CACHE_HOME", root_.c_str());
  {
    const ScopedVariable data("HPCNN_DATA", "mine");
    EXPECT_EQ(ResolveData("synthetic").folder, "");
    EXPECT_EQ(ResolveData("a/b").folder, "/user/a/b");
    EXPECT_EQ(ResolveData("a/b").reason, "--data");
    EXPECT_EQ(ResolveData("auto").folder, "/user/mine");
    EXPECT_EQ(ResolveData("auto").reason, "HPCNN_DATA");
  }
  const ScopedVariable data("HPCNN_DATA", nullptr);
  EXPECT_EQ(ResolveData("auto").folder, "");
  fs::create_directories(root_ / "hpcnn" / "mnist");
  EXPECT_EQ(ResolveData("auto").folder, Path("hpcnn/mnist"));
  const ScopedVariable no_cache("XDG_CACHE_HOME", nullptr);
  const ScopedVariable home("HOME", root_.c_str());
  EXPECT_EQ(ResolveData("auto").folder, "");
  fs::create_directories(root_ / ".cache" / "hpcnn" / "mnist");
  EXPECT_EQ(ResolveData("auto").folder, Path(".cache/hpcnn/mnist"));
}

// The published set, from the folder that HPCNN_DATA names.
TEST(RealMnistTest, CountsAndSums) {
  const char* folder = std::getenv("HPCNN_DATA");
  if (folder == nullptr || *folder == 0) {
    GTEST_SKIP() << "HPCNN_DATA names no folder with MNIST";
  }
  const auto mnist = LoadMnist(folder);
  ASSERT_TRUE(mnist.ok()) << mnist.status();
  ASSERT_EQ(mnist->train.size(), 60'000u);
  ASSERT_EQ(mnist->test.size(), 10'000u);
  using Histogram = std::array<int, 10>;
  const auto classes = [](const MnistImages& images) {
    Histogram histogram{};
    for (const std::uint8_t label : images.labels()) ++histogram[label];
    return histogram;
  };
  if (classes(mnist->train)[0] == 6'000) {
    GTEST_SKIP() << "HPCNN_DATA holds another set of MNIST's form";
  }
  EXPECT_EQ(classes(mnist->train), (Histogram{5923, 6742, 5958, 6131, 5842,
                                              5421, 5918, 6265, 5851, 5949}));
  EXPECT_EQ(classes(mnist->test),
            (Histogram{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}));
  // Of all training pixels; the mean is the well-known 33.3.
  EXPECT_EQ(mnist->train.label(0), 5);
  std::uint64_t sum = 0;
  for (const std::uint8_t pixel : mnist->train.pixels()) sum += pixel;
  EXPECT_EQ(sum, 1'567'298'545u);
}

}  // namespace
}  // namespace hpcnn
