// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A small data set in MNIST's form, for tests of programs.

#ifndef TESTS_TESTING_MNIST_FILES_H_
#define TESTS_TESTING_MNIST_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "hpcnn/data/synthetic_digits.h"
#include "hpcnn/io/idx.h"
#include "tests/testing/files.h"

inline constexpr std::uint32_t kTrain = 240;
inline constexpr std::uint32_t kTest = 60;

inline std::string ImagesFile(std::uint32_t count) {
  const auto digits = hpcnn::MakeSyntheticDigits(count, 1);
  const std::vector<std::uint32_t> dims{count, 28, 28};
  return hpcnn::FormatIdx<std::uint8_t>(dims, digits.pixels());
}

inline std::string LabelsFile(std::uint32_t count) {
  const auto digits = hpcnn::MakeSyntheticDigits(count, 1);
  const std::vector<std::uint32_t> dims{count};
  return hpcnn::FormatIdx<std::uint8_t>(dims, digits.labels());
}

// The four files in a folder of the test's own.
inline std::filesystem::path MakeData(const std::string& name) {
  const std::filesystem::path folder = Scratch(name);
  Write(folder / "train-images-idx3-ubyte", ImagesFile(kTrain));
  Write(folder / "train-labels-idx1-ubyte", LabelsFile(kTrain));
  Write(folder / "t10k-images-idx3-ubyte", ImagesFile(kTest));
  Write(folder / "t10k-labels-idx1-ubyte", LabelsFile(kTest));
  return folder;
}

#endif  // TESTS_TESTING_MNIST_FILES_H_
