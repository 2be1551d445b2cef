// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What //tools:train reaches on real MNIST with its defaults. Needs the folder
// named by HPCNN_DATA and skips without it.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hpcnn/data/mnist.h"
#include "tests/testing/subprocess.h"

namespace {

struct Accuracy {
  double plain = 0;  // percent, test images
  double augmented = 0;
};

std::string Data() {
  const char* folder = std::getenv("HPCNN_DATA");
  return folder == nullptr ? "" : folder;
}

// Fashion-MNIST, say, has the same form.
bool IsMnist() {
  constexpr std::uint8_t kFirst[] = {7, 2, 1, 0, 4, 1, 4, 9, 5, 9};
  const auto mnist = hpcnn::LoadMnist(Data());
  return mnist.ok() && mnist->test.size() == 10'000 &&
         std::ranges::equal(mnist->test.labels().first(std::size(kFirst)),
                            kFirst);
}

#define SKIP_WITHOUT_MNIST()                                           \
  if (Data().empty()) {                                                \
    GTEST_SKIP() << "set HPCNN_DATA to a folder with the MNIST files"; \
  }                                                                    \
  if (!IsMnist()) {                                                    \
    GTEST_SKIP() << "HPCNN_DATA holds another data set than MNIST";    \
  }

double Find(const std::string& text, const std::string& phase) {
  const std::regex pattern("\"event\":\"summary\",\"phase\":\"" + phase +
                           "\",\"test_accuracy\":([0-9.]+)");
  std::smatch match;
  return std::regex_search(text, match, pattern) ? std::stod(match[1]) : 0;
}

// One run of the program with seed `seed`.
Accuracy Measure(int seed, std::vector<std::string> flags) {
  const char* scratch = std::getenv("TEST_TMPDIR");
  const std::string metrics =
      std::string(scratch == nullptr ? "/tmp" : scratch) + "/metrics.jsonl";
  flags.insert(flags.end(),
               {"--data=" + Data(), "--seed=" + std::to_string(seed),
                "--metrics=" + metrics});
  const ProgramResult result = RunProgram(DataPath("tools/train"), flags);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::ostringstream text;
  text << std::ifstream(metrics).rdbuf();
  const Accuracy accuracy{Find(text.str(), "plain"),
                          Find(text.str(), "augmented")};
  std::printf("seed %d: plain %.2f %%, augmented %.2f %%\n", seed,
              accuracy.plain, accuracy.augmented);
  return accuracy;
}

TEST(AccuracyTest, Mlp) {
  SKIP_WITHOUT_MNIST();
  constexpr int kSeeds = 3;
  Accuracy mean;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Accuracy a = Measure(seed, {});
    EXPECT_GT(a.augmented, a.plain) << "seed " << seed;
    mean.plain += a.plain / kSeeds;
    mean.augmented += a.augmented / kSeeds;
  }
  EXPECT_GE(mean.plain, 97.9);
  EXPECT_GE(mean.augmented, 98.5);
}

TEST(AccuracyTest, Course) {
  SKIP_WITHOUT_MNIST();
  const Accuracy a = Measure(1, {"--model=course"});
  EXPECT_GE(a.plain, 95);
  EXPECT_GE(a.augmented, 95);
}

TEST(AccuracyTest, Lenet) {
  SKIP_WITHOUT_MNIST();
  constexpr int kSeeds = 3;
  Accuracy mean;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Accuracy a = Measure(seed, {"--model=lenet", "--epochs=10"});
    mean.plain += a.plain / kSeeds;
    mean.augmented += a.augmented / kSeeds;
  }
  EXPECT_GE(mean.plain, 98.9);
  EXPECT_GE(mean.augmented, 99.3);
}

TEST(AccuracyTest, LowData) {
  SKIP_WITHOUT_MNIST();
  constexpr int kSeeds = 5;
  Accuracy mean;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Accuracy a = Measure(seed, {"--preset=lowdata"});
    mean.plain += a.plain / kSeeds;
    mean.augmented += a.augmented / kSeeds;
  }
  EXPECT_GE(mean.plain, 86);
  EXPECT_GE(mean.augmented, 92);
  EXPECT_GE(mean.augmented, mean.plain + 4);
}

// Without MNIST the program draws its digits; they can be learnt, and
// augmentation helps.
TEST(AccuracyTest, SyntheticDigits) {
  const ProgramResult result = RunProgram(
      DataPath("tools/train"), {"--data=synthetic", "--preset=lowdata"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::smatch match;
  ASSERT_TRUE(std::regex_search(result.out, match,
                                std::regex("test +([0-9.]+) % +([0-9.]+) %")))
      << result.out;
  EXPECT_GT(std::stod(match[2]), std::stod(match[1]));
}

TEST(AccuracyTest, SyntheticDigitsWithAllData) {
  const ProgramResult result =
      RunProgram(DataPath("tools/train"), {"--data=synthetic", "--epochs=3"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::smatch match;
  ASSERT_TRUE(std::regex_search(result.out, match,
                                std::regex("test +([0-9.]+) % +([0-9.]+) %")))
      << result.out;
  EXPECT_GT(std::stod(match[1]), 95) << result.out;
  EXPECT_GT(std::stod(match[2]), std::stod(match[1])) << result.out;
}

}  // namespace
