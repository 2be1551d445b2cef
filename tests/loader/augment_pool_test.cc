// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/loader/augment_pool.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <mutex>
#include <set>
#include <thread>

#include "hpcnn/concurrency/batch_slots.h"

namespace hpcnn {
namespace {

TEST(AugmentPool, SaysHowManyRunAndHowManyAreParked) {
  BatchSlots slots(2, 1);
  const AugmentPool pool(
      32, 2, slots, [&](const BatchSlots::Chunk& c) { slots.Complete(c); });
  EXPECT_EQ(pool.workers(), 32u);
  EXPECT_EQ(pool.running(), 2u);
  EXPECT_EQ(pool.parked(), 30u);
}

TEST(AugmentPool, FewerWorkersThanProcessorsAllRun) {
  BatchSlots slots(2, 1);
  const AugmentPool pool(
      1, 8, slots, [&](const BatchSlots::Chunk& c) { slots.Complete(c); });
  EXPECT_EQ(pool.running(), 1u);
  EXPECT_EQ(pool.parked(), 0u);
}

TEST(AugmentPool, OnlyRunningWorkersFill) {
  BatchSlots slots(4, 4, 500);
  std::mutex mutex;
  std::set<std::thread::id> fillers;
  const AugmentPool pool(16, 3, slots, [&](const BatchSlots::Chunk& chunk) {
    {
      const std::lock_guard lock(mutex);
      fillers.insert(std::this_thread::get_id());
    }
    slots.Complete(chunk);
  });
  while (slots.Wait()) slots.Release();
  EXPECT_EQ(slots.ticket(), 500u);
  const std::lock_guard lock(mutex);
  EXPECT_GE(fillers.size(), 1u);
  EXPECT_LE(fillers.size(), 3u);
  EXPECT_FALSE(fillers.contains(std::this_thread::get_id()));
}

TEST(AugmentPool, NoWorkers) {
  BatchSlots slots(2, 1);
  const AugmentPool pool(0, 2, slots, [](const BatchSlots::Chunk&) {});
  EXPECT_EQ(pool.workers(), 0u);
  EXPECT_EQ(slots.unclaimed(), 0u);
}

TEST(AugmentPool, GoesAtOnceWhetherBusyAsleepOrParked) {
  for (std::size_t repeat = 0; repeat < 200; ++repeat) {
    BatchSlots slots(2, 1);
    {
      const AugmentPool pool(
          4, repeat % 5, slots,
          [&](const BatchSlots::Chunk& chunk) { slots.Complete(chunk); });
      for (std::size_t i = 0; i < repeat % 4 && pool.running() > 0; ++i) {
        ASSERT_TRUE(slots.Wait());
        slots.Release();
      }
    }
    BatchSlots::Chunk chunk;
    EXPECT_FALSE(slots.Claim(&chunk));
  }
}

}  // namespace
}  // namespace hpcnn
