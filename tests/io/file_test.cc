// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/io/file.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

namespace fs = std::filesystem;

// A new empty folder for each test.
class FileTest : public testing::Test {
 protected:
  FileTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::string Path(const std::string& name) const { return folder_ / name; }
  std::size_t FileCount() const {
    return static_cast<std::size_t>(std::distance(
        fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  const fs::path folder_ =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(FileTest, WhatIsWrittenIsRead) {
  for (const std::string& bytes :
       {std::string(), std::string("a\0b\n", 4), std::string(100'000, 'x')}) {
    ASSERT_TRUE(WriteFileAtomically(Path("f"), bytes).ok());
    EXPECT_EQ(ReadFile(Path("f")).value(), bytes);
    EXPECT_EQ(FileCount(), 1u);
  }
}

TEST_F(FileTest, NewFilesHaveTheUsualPermissions) {
  const mode_t old = umask(022);
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "x").ok());
  umask(old);
  EXPECT_EQ(fs::status(Path("f")).permissions(), fs::perms(0644));
}

TEST_F(FileTest, RelativePathWithoutFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  EXPECT_TRUE(WriteFileAtomically("f", "x").ok());
  EXPECT_EQ(ReadFile("f").value(), "x");
  fs::current_path(before);
}

TEST_F(FileTest, OneLineNamesFileOffsetExpectedFoundAndHint) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  ASSERT_TRUE(WriteFileAtomically(Path("ten"), "0123456789").ok());
  const std::string at = folder_.string() + "/";
  const absl::Status missing = ReadFile(Path("no")).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(),
            at + "no: offset 0: expected a readable file, found No such file "
                 "or directory; check the path and its permissions");
  EXPECT_EQ(ReadFile(folder_).status().message(),
            folder_.string() +
                ": offset 0: expected a file, found a directory; "
                "name the file itself");
  EXPECT_EQ(ReadFile(Path("pipe")).status().message(),
            at + "pipe: offset 0: expected a file, found a device; name the "
                 "file itself");
  EXPECT_EQ(ReadFile(Path("ten"), 9).status().message(),
            at + "ten: offset 0: expected at most 9 bytes, found 10 bytes; is "
                 "this the right file?");
  EXPECT_TRUE(ReadFile(Path("ten"), 10).ok());
  EXPECT_EQ(WriteFileAtomically(Path("no/f"), "x").message(),
            at + "no/f: offset 0: expected a writable folder, found No such "
                 "file or directory; check the path and its permissions");
  EXPECT_EQ(WriteFileAtomically(Path("ten/f"), "x").message(),
            at + "ten/f: offset 0: expected a writable folder, found Not a "
                 "directory; check the path and its permissions");
}

TEST_F(FileTest, ANewlineInANameStaysOneLine) {
  const auto message = ReadFile(Path("a\nb")).status().ToString();
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  EXPECT_NE(message.find("a\\nb"), std::string::npos) << message;
}

TEST_F(FileTest, AFailedRenameLeavesNothingBehind) {
  fs::create_directory(Path("folder"));
  EXPECT_FALSE(WriteFileAtomically(Path("folder"), "x").ok());
  EXPECT_EQ(FileCount(), 1u);
}

// A limit on file sizes stands in for a full disk: the write comes up short.
TEST_F(FileTest, AFullDiskKeepsTheOldFile) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "old").ok());
  rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlim_t before = limit.rlim_cur;
  std::signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status =
      WriteFileAtomically(Path("f"), std::string(10'000, 'x'));
  limit.rlim_cur = before;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_EQ(status.message(),
            Path("f") +
                ": offset 0: expected room for a file of 10000 bytes, "
                "found File too large; check the path and its "
                "permissions");
  EXPECT_EQ(ReadFile(Path("f")).value(), "old");
  EXPECT_EQ(FileCount(), 1u);
}

TEST_F(FileTest, UserPathsStartWhereTheUserIs) {
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(ResolveUserPath("a/b"), "a/b");
  setenv("BUILD_WORKING_DIRECTORY", "/home/user", 1);
  EXPECT_EQ(ResolveUserPath("a/b"), "/home/user/a/b");
  EXPECT_EQ(ResolveUserPath("/a/b"), "/a/b");
  unsetenv("BUILD_WORKING_DIRECTORY");
}

}  // namespace
}  // namespace hpcnn
