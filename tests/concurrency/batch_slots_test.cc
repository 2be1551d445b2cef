// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/batch_slots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

namespace hpcnn {
namespace {

using Chunk = BatchSlots::Chunk;

std::exception_ptr Error(const char* what) {
  return std::make_exception_ptr(std::runtime_error(what));
}

TEST(BatchSlots, ClaimsInOrderUpToTheSlots) {
  BatchSlots slots(2, 3);
  Chunk chunk;
  for (std::uint64_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(slots.TryClaim(&chunk));
    EXPECT_EQ(chunk.ticket, i / 3);
    EXPECT_EQ(chunk.slot, i / 3);
    EXPECT_EQ(chunk.index, i % 3);
  }
  EXPECT_FALSE(slots.TryClaim(&chunk));
  EXPECT_EQ(slots.unclaimed(), 2u);
}

TEST(BatchSlots, BoundLimitsWhatIsClaimed) {
  BatchSlots slots(4, 1);
  Chunk chunk;
  EXPECT_FALSE(slots.TryClaim(&chunk, 0));
  EXPECT_TRUE(slots.TryClaim(&chunk, 1));
  EXPECT_FALSE(slots.TryClaim(&chunk, 1));
  EXPECT_TRUE(slots.TryClaim(&chunk, 2));
}

TEST(BatchSlots, ReadyWhenEveryChunkIsComplete) {
  BatchSlots slots(2, 3);
  Chunk chunks[3];
  for (Chunk& chunk : chunks) ASSERT_TRUE(slots.TryClaim(&chunk));
  for (const std::size_t i : {1u, 2u, 0u}) {
    EXPECT_FALSE(slots.ready());
    slots.Complete(chunks[i]);
  }
  EXPECT_TRUE(slots.ready());
  EXPECT_TRUE(slots.Wait());
}

TEST(BatchSlots, LaterBatchWaitsForItsTurn) {
  BatchSlots slots(2, 1);
  Chunk first, second;
  ASSERT_TRUE(slots.TryClaim(&first));
  ASSERT_TRUE(slots.TryClaim(&second));
  slots.Complete(second);
  EXPECT_FALSE(slots.ready());
  slots.Complete(first);
  EXPECT_TRUE(slots.ready());
  slots.Release();
  EXPECT_TRUE(slots.ready());
  EXPECT_EQ(slots.ticket(), 1u);
  EXPECT_EQ(slots.slot(), 1u);
}

TEST(BatchSlots, ReleaseFreesTheSlot) {
  BatchSlots slots(1, 1);
  Chunk chunk;
  for (std::uint64_t ticket = 0; ticket < 5; ++ticket) {
    ASSERT_TRUE(slots.TryClaim(&chunk));
    EXPECT_EQ(chunk.ticket, ticket);
    EXPECT_EQ(chunk.slot, 0u);
    EXPECT_FALSE(slots.TryClaim(&chunk));
    slots.Complete(chunk);
    ASSERT_TRUE(slots.Wait());
    slots.Release();
  }
}

TEST(BatchSlots, EndsAfterTheLastBatch) {
  BatchSlots slots(4, 1, 2);
  Chunk chunk;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(slots.Claim(&chunk));
    slots.Complete(chunk);
  }
  EXPECT_FALSE(slots.Claim(&chunk));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(slots.Wait());
    slots.Release();
  }
  EXPECT_FALSE(slots.Wait());
  EXPECT_FALSE(slots.Wait());
}

TEST(BatchSlots, NoBatchesAtAll) {
  BatchSlots slots(4, 1, 0);
  Chunk chunk;
  EXPECT_FALSE(slots.Claim(&chunk));
  EXPECT_FALSE(slots.Wait());
}

TEST(BatchSlots, CloseEndsBothSides) {
  BatchSlots slots(2, 1);
  Chunk chunk;
  ASSERT_TRUE(slots.Claim(&chunk));
  slots.close();
  slots.Complete(chunk);
  EXPECT_FALSE(slots.Claim(&chunk));
  EXPECT_FALSE(slots.ready());
  EXPECT_FALSE(slots.Wait());
  EXPECT_EQ(slots.TakeError(), nullptr);
}

TEST(BatchSlots, FailureStopsAtItsBatch) {
  BatchSlots slots(3, 1);
  Chunk chunks[3];
  for (Chunk& chunk : chunks) ASSERT_TRUE(slots.TryClaim(&chunk));
  slots.Complete(chunks[2]);
  slots.Fail(chunks[1], Error("second"));
  EXPECT_FALSE(slots.ready());
  slots.Complete(chunks[0]);
  ASSERT_TRUE(slots.Wait());
  slots.Release();
  EXPECT_FALSE(slots.Wait());
  Chunk chunk;
  EXPECT_FALSE(slots.Claim(&chunk));
  EXPECT_THROW(std::rethrow_exception(slots.TakeError()), std::runtime_error);
  EXPECT_EQ(slots.TakeError(), nullptr);
}

TEST(BatchSlots, EarliestFailureCounts) {
  BatchSlots slots(3, 1);
  Chunk chunks[3];
  for (Chunk& chunk : chunks) ASSERT_TRUE(slots.TryClaim(&chunk));
  slots.Fail(chunks[1], Error("second"));
  slots.Fail(chunks[0], Error("first"));
  slots.Fail(chunks[2], Error("third"));
  EXPECT_FALSE(slots.Wait());
  try {
    std::rethrow_exception(slots.TakeError());
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "first");
  }
}

// Whether the other side is asleep already when the event comes cannot be seen
// from outside; over many repetitions it is, and it is not.
constexpr int kRepeats = 300;

TEST(BatchSlots, CompleteWakesTheConsumer) {
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    BatchSlots slots(1, 1);
    Chunk chunk;
    ASSERT_TRUE(slots.TryClaim(&chunk));
    std::jthread consumer([&] { EXPECT_TRUE(slots.Wait()); });
    if (repeat % 2 == 0) std::this_thread::yield();
    slots.Complete(chunk);
  }
}

TEST(BatchSlots, CloseWakesTheConsumer) {
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    BatchSlots slots(1, 1);
    std::jthread consumer([&] { EXPECT_FALSE(slots.Wait()); });
    if (repeat % 2 == 0) std::this_thread::yield();
    slots.close();
  }
}

TEST(BatchSlots, FailureWakesTheConsumer) {
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    BatchSlots slots(1, 1);
    Chunk chunk;
    ASSERT_TRUE(slots.TryClaim(&chunk));
    std::jthread consumer([&] { EXPECT_FALSE(slots.Wait()); });
    if (repeat % 2 == 0) std::this_thread::yield();
    slots.Fail(chunk, Error("late"));
  }
}

TEST(BatchSlots, CloseWakesProducers) {
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    BatchSlots slots(1, 1);
    Chunk chunk;
    ASSERT_TRUE(slots.TryClaim(&chunk));
    std::vector<std::jthread> producers;
    for (int i = 0; i < 3; ++i) {
      producers.emplace_back([&] {
        Chunk none;
        EXPECT_FALSE(slots.Claim(&none));
      });
    }
    if (repeat % 2 == 0) std::this_thread::yield();
    slots.close();
  }
}

// A producer that falls asleep with all slots full wakes again: not for every
// slot, but never are half of them left free.
TEST(BatchSlots, ReleaseWakesProducers) {
  constexpr std::uint64_t kBatches = 200;
  for (const std::size_t count : {1u, 2u, 3u, 4u, 7u}) {
    BatchSlots slots(count, 1, kBatches);
    std::jthread producer([&] {
      Chunk chunk;
      while (slots.Claim(&chunk)) slots.Complete(chunk);
    });
    while (slots.ticket() < kBatches) {
      const std::uint64_t full =
          std::min(slots.ticket() + count / 2 + 1, kBatches);
      while (slots.unclaimed() < full) std::this_thread::yield();
      while (slots.ticket() < full) {
        ASSERT_TRUE(slots.Wait());
        slots.Release();
      }
    }
    EXPECT_FALSE(slots.Wait());
  }
}

// (slots, chunks, producers, does the consumer help)
using Stress = std::tuple<std::size_t, std::size_t, std::size_t, bool>;

class BatchSlotsStress : public testing::TestWithParam<Stress> {};

INSTANTIATE_TEST_SUITE_P(Sizes, BatchSlotsStress,
                         testing::Combine(testing::Values(1, 2, 5),
                                          testing::Values(1, 3),
                                          testing::Values(1, 2, 8),
                                          testing::Bool()));

// Each chunk is written once and before it is read, and read before it is
// written again. The data are plain memory, so that the thread sanitizer checks
// the order, too.
TEST_P(BatchSlotsStress, EveryChunkArrivesInItsPlace) {
  const auto [count, chunks, workers, helps] = GetParam();
  constexpr std::uint64_t kBatches = 1000;
  BatchSlots slots(count, chunks, kBatches);
  std::vector<std::uint64_t> data(count * chunks);  // [slots, chunks]
  const auto fill = [&, chunks = chunks](const Chunk& chunk) {
    data[chunk.slot * chunks + chunk.index] =
        chunk.ticket * chunks + chunk.index + 1;
    slots.Complete(chunk);
  };
  std::vector<std::jthread> producers;
  for (std::size_t i = 0; i < workers; ++i) {
    producers.emplace_back([&] {
      Chunk chunk;
      while (slots.Claim(&chunk)) fill(chunk);
    });
  }
  std::uint64_t expected = 0;
  for (;;) {
    Chunk chunk;
    while (helps && slots.TryClaim(&chunk, slots.ticket() + 1)) fill(chunk);
    if (!slots.Wait()) break;
    for (std::size_t i = 0; i < chunks; ++i) {
      std::uint64_t& place = data[slots.slot() * chunks + i];
      ASSERT_EQ(place, ++expected);
      place = 0;
    }
    slots.Release();
  }
  EXPECT_EQ(expected, kBatches * chunks);
}

TEST_P(BatchSlotsStress, ClosesInTheMiddle) {
  const auto [count, chunks, workers, helps] = GetParam();
  for (int stop = 0; stop < 20; ++stop) {
    BatchSlots slots(count, chunks);
    std::vector<std::jthread> producers;
    for (std::size_t i = 0; i < workers; ++i) {
      producers.emplace_back([&] {
        Chunk chunk;
        while (slots.Claim(&chunk)) slots.Complete(chunk);
      });
    }
    for (int taken = 0; taken < stop && slots.Wait(); ++taken) slots.Release();
    slots.close();
  }
}

}  // namespace
}  // namespace hpcnn
