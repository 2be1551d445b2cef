// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/train/fork_choice.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

namespace hpcnn {
namespace {

using std::chrono::microseconds;

// How many of the next steps are shared, given what each kind takes; one in
// five is interrupted.
std::size_t SharedOf(std::size_t steps, ForkChoice& choice, microseconds shared,
                     microseconds alone) {
  std::size_t count = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    count += choice.forks() ? 1 : 0;
    const microseconds took = choice.forks() ? shared : alone;
    choice.Took(step % 5 == 0 ? took * 100 : took);
  }
  return count;
}

constexpr microseconds kFast{60};
constexpr microseconds kSlow{100};

TEST(ForkChoice, TriesBothAndKeepsWhatIsFaster) {
  ForkChoice sharing(2);
  EXPECT_EQ(SharedOf(256, sharing, kFast, kSlow), 128u);
  EXPECT_EQ(SharedOf(512, sharing, kFast, kSlow), 512u);
  ForkChoice alone(8);
  EXPECT_EQ(SharedOf(256, alone, kSlow, kFast), 128u);
  EXPECT_EQ(SharedOf(512, alone, kSlow, kFast), 0u);
}

TEST(ForkChoice, TriesAgainEverMoreSeldom) {
  ForkChoice choice(2);
  EXPECT_EQ(SharedOf(256, choice, kSlow, kFast), 128u);
  for (const std::size_t steps : {512u, 2048u, 8192u}) {
    EXPECT_EQ(SharedOf(steps, choice, kSlow, kFast), 0u);
    EXPECT_EQ(SharedOf(128, choice, kSlow, kFast), 128u);
    EXPECT_FALSE(choice.forks());
  }
}

TEST(ForkChoice, RecoversFromADisturbedTrial) {
  ForkChoice choice(2);
  EXPECT_EQ(SharedOf(256, choice, kSlow, kFast), 128u);
  EXPECT_EQ(SharedOf(512, choice, kFast, kSlow), 0u);
  EXPECT_EQ(SharedOf(128 + 512, choice, kFast, kSlow), 640u);
}

TEST(ForkChoice, OneThreadHasNoChoice) {
  ForkChoice choice(1);
  EXPECT_EQ(SharedOf(1000, choice, kFast, kSlow), 0u);
}

}  // namespace
}  // namespace hpcnn
