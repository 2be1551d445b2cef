// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/base/arena.h"

#include <cmath>
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"
#include "hpcnn/base/check.h"
#include "hpcnn/base/flush_denormals.h"

namespace hpcnn {
namespace {

static_assert(ArenaBytes<float>(0) == 0);
static_assert(ArenaBytes<float>(16) == 64);
static_assert(ArenaBytes<float>(17) == 128);
static_assert(ArenaBytes<char>(1) == 64);

TEST(ArenaTest, HandsOutAlignedZeroedMemoryInOrder) {
  Arena arena(ArenaBytes<float>(3) + ArenaBytes<double>(5));
  const auto a = arena.Take<float>(3);
  const auto b = arena.Take<double>(5);
  EXPECT_EQ(a.size(), 3u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a.data()) % kArenaAlignment, 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data()) % kArenaAlignment, 0u);
  EXPECT_EQ(
      reinterpret_cast<char*>(b.data()) - reinterpret_cast<char*>(a.data()),
      64);
  for (const float v : a) EXPECT_EQ(v, 0);
  EXPECT_EQ(arena.used(), arena.bytes());
}

TEST(ArenaDeathTest, ABudgetThatIsTooSmallAborts) {
  Arena arena(64);
  arena.Take<char>(1);
  EXPECT_DEATH(arena.Take<char>(1), "budget is too small");
}

TEST(CheckDeathTest, NamesPlaceConditionAndMessage) {
  HPCNN_CHECK(1 + 1 == 2, "arithmetic");
  EXPECT_DEATH(HPCNN_CHECK(1 + 1 == 3, "arithmetic"),
               "arena_test.cc:[0-9]+: arithmetic .1 \\+ 1 == 3.");
}

TEST(FlushDenormalsTest, FlushesWhileItLives) {
#if !defined(__SSE2__)
  GTEST_SKIP() << "this processor's denormals are left alone";
#endif
  volatile float small = std::numeric_limits<float>::min();
  {
    const FlushDenormals flush;
    const float half = small * 0.5f;
    EXPECT_EQ(half, 0);
  }
  const float half = small * 0.5f;
  EXPECT_EQ(std::fpclassify(half), FP_SUBNORMAL);
}

}  // namespace
}  // namespace hpcnn
