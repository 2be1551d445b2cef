// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace hpcnn {
namespace {

// Each index of [0, 100) is in one share; returns the number of shares.
std::size_t ExpectEachIndexOnce(Threads threads) {
  std::vector<std::atomic<int>> hits(100);
  std::atomic<std::size_t> shares{0};
  threads.ForShares(hits.size(), [&](IndexRange share) {
    ++shares;
    for (std::size_t i = share.begin; i < share.end; ++i) ++hits[i];
  });
  for (const auto& hit : hits) EXPECT_EQ(hit, 1);
  return shares;
}

TEST(Threads, AShareForEach) {
  EXPECT_EQ(ExpectEachIndexOnce({}), 1u);
  EXPECT_EQ(ExpectEachIndexOnce(nullptr), 1u);
  EXPECT_EQ(ExpectEachIndexOnce(1), 1u);
  EXPECT_EQ(ExpectEachIndexOnce(3u), 3u);
  ThreadPool pool(2);
  EXPECT_EQ(ExpectEachIndexOnce(&pool), 2u);
  EXPECT_EQ(ExpectEachIndexOnce(std::size_t{130}), 130u);  // some are empty
}

TEST(Threads, NoneButTheCallerUnlessAsked) {
  const std::thread::id caller = std::this_thread::get_id();
  Threads().ForShares(7, [&](IndexRange share) {
    EXPECT_EQ(share.size(), 7u);
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

TEST(ThreadsDeathTest, AtLeastOne) {
  EXPECT_DEATH(Threads(0), "at least one thread");
  EXPECT_DEATH(Threads(-1), "at least one thread");
}

}  // namespace
}  // namespace hpcnn
