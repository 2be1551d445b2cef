// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/train/fork_choice.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

namespace hpcnn {
namespace {

using std::chrono::microseconds;

// Steps until decided, given what each kind takes; one in five is interrupted.
std::size_t Decide(ForkChoice& choice, microseconds shared,
                   microseconds alone) {
  std::size_t steps = 0;
  for (; !choice.decided() && steps < 1000; ++steps) {
    const microseconds took = choice.forks() ? shared : alone;
    choice.Took(steps % 5 == 0 ? took * 100 : took);
  }
  return steps;
}

TEST(ForkChoice, KeepsWhatIsFaster) {
  ForkChoice sharing(2);
  EXPECT_TRUE(sharing.forks());
  EXPECT_EQ(Decide(sharing, microseconds(60), microseconds(100)), 256u);
  EXPECT_TRUE(sharing.forks());
  ForkChoice alone(2);
  EXPECT_EQ(Decide(alone, microseconds(100), microseconds(60)), 256u);
  EXPECT_FALSE(alone.forks());
  // What comes later changes nothing.
  alone.Took(microseconds(1'000'000));
  EXPECT_FALSE(alone.forks());
}

TEST(ForkChoice, TriesBothForAsLong) {
  ForkChoice choice(8);
  std::size_t shared = 0;
  for (int step = 0; step < 256; ++step) {
    shared += choice.forks() ? 1 : 0;
    choice.Took(microseconds(1));
  }
  EXPECT_EQ(shared, 128u);
}

TEST(ForkChoice, OneThreadHasNoChoice) {
  const ForkChoice choice(1);
  EXPECT_TRUE(choice.decided());
  EXPECT_FALSE(choice.forks());
}

}  // namespace
}  // namespace hpcnn
