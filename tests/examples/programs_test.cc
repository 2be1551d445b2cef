// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// What the programs of examples/ print.

#include <cstddef>
#include <regex>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/subprocess.h"

namespace {

using testing::ContainsRegex;
using testing::Each;
using testing::Ge;
using testing::HasSubstr;
using testing::SizeIs;

std::string Output(const std::string& name) {
  const ProgramResult result = RunProgram(DataPath("examples/" + name), {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return result.out;
}

// The numbers that `pattern` captures, in each place where it matches.
std::vector<double> Numbers(const std::string& text,
                            const std::string& pattern) {
  std::vector<double> numbers;
  const std::regex regex(pattern);
  for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end;
       ++i) {
    for (std::size_t group = 1; group < i->size(); ++group) {
      numbers.push_back(std::stod((*i)[group]));
    }
  }
  return numbers;
}

TEST(SequentialTest, Learns) {
  const std::string out = Output("sequential");
  EXPECT_THAT(out, ContainsRegex("Total +101770 "));
  const auto losses = Numbers(out, R"(epoch \d: loss ([\d.]+), accuracy)");
  ASSERT_THAT(losses, SizeIs(3));
  EXPECT_LT(losses[2], 0.5 * losses[0]);
  const auto accuracies = Numbers(out, R"(accuracy:? ([\d.]+) %)");
  ASSERT_THAT(accuracies, SizeIs(4));
  EXPECT_GE(accuracies[3], 88);
  const auto predicted = Numbers(out, R"(a (\d) looks like a (\d)\n)");
  ASSERT_THAT(predicted, SizeIs(10));
  int right = 0;
  for (std::size_t i = 0; i < 10; i += 2) {
    right += predicted[i] == predicted[i + 1];
  }
  EXPECT_GE(right, 4);
}

TEST(BranchesTest, Learns) {
  const std::string out = Output("branches");
  EXPECT_THAT(Numbers(out, R"(  Slice +\[(\d+)\])"), SizeIs(2));
  EXPECT_THAT(out, ContainsRegex("  Dense +.48. +shared "));
  EXPECT_THAT(out, ContainsRegex("Concat +.672."));
  EXPECT_THAT(out, ContainsRegex("Residual +.64."));
  const auto accuracies = Numbers(out, R"(test accuracy: ([\d.]+) %)");
  ASSERT_THAT(accuracies, SizeIs(1));
  EXPECT_GE(accuracies[0], 92);
}

TEST(OwnClassTest, TrainsToTheWeightsOfTheList) {
  const std::string out = Output("own_class");
  EXPECT_THAT(out, HasSubstr("101770 of 101770 weights are the same"));
  const auto losses = Numbers(out, R"(loss ([\d.]+), test accuracy)");
  ASSERT_THAT(losses, SizeIs(2));
  EXPECT_EQ(losses[0], losses[1]);
  const auto accuracies = Numbers(out, R"(test accuracy ([\d.]+) %)");
  ASSERT_THAT(accuracies, SizeIs(2));
  EXPECT_EQ(accuracies[0], accuracies[1]);
  EXPECT_GE(accuracies[0], 80);
}

TEST(CustomLayerTest, LearnsWithBothPolicies) {
  const std::string out = Output("custom_layer");
  EXPECT_THAT(out, ContainsRegex("scalar: .*\nsimd: "));
  const auto accuracies = Numbers(out, R"(test accuracy ([\d.]+) %)");
  ASSERT_THAT(accuracies, SizeIs(2));
  EXPECT_THAT(accuracies, Each(Ge(90)));
  const auto slopes =
      Numbers(out, R"(from 0.25 to (-?[\d.]+) \.\.\. (-?[\d.]+)\n)");
  ASSERT_THAT(slopes, SizeIs(4));
  for (const std::size_t i : {0u, 2u}) {
    EXPECT_GT(slopes[i + 1] - slopes[i], 0.5);
  }
}

TEST(LinearRegressionTest, FindsTheLine) {
  const std::string out = Output("linear_regression");
  const auto lines = Numbers(
      out, R"((?:around|squares|trained) +(-?\d\.\d{4}) +(-?\d\.\d{4})\n)");
  ASSERT_THAT(lines, SizeIs(6));
  for (const std::size_t i : {0u, 1u}) {
    EXPECT_NEAR(lines[2 + i], lines[i], 0.1);          // noise
    EXPECT_NEAR(lines[4 + i], lines[2 + i], 0.00011);  // rounding, as printed
  }
}

}  // namespace
