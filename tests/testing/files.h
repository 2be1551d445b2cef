// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Folders and files for tests of programs.

#ifndef TESTS_TESTING_FILES_H_
#define TESTS_TESTING_FILES_H_

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

// An empty folder of the test's own.
inline std::filesystem::path Scratch(const std::string& name) {
  const char* const base = std::getenv("TEST_TMPDIR");
  const std::filesystem::path path =
      (base != nullptr ? std::filesystem::path(base)
                       : std::filesystem::temp_directory_path()) /
      name;
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

inline void Write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string Read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

#endif  // TESTS_TESTING_FILES_H_
