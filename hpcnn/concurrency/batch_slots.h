// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// BatchSlots: who writes what, and when it may be read. Batches are numbered by
// ticket; batch t lives in slot t % slots, whose storage belongs to the user.
//
//   producers     while (slots.Claim(&chunk)) { write; slots.Complete(chunk); }
//   one consumer  while (slots.Wait()) { read slots.slot(); slots.Release(); }
//
// Any number of producers claim the chunks of a batch in order and write them
// in place; the consumer takes the batches in ticket order. Places travel, not
// data, and the result does not depend on who wrote what. A producer claims
// only what it may write at once, so a sleeping one holds nothing, and a
// consumer whose batch is late helps with TryClaim. Nothing allocates after
// construction. Progress: TryClaim, Complete and Release are lock-free; Claim
// and Wait block. What EventCount waits for is accessed with seq_cst, as its
// proof asks; on x86 that costs more than acquire and release in one store a
// batch alone.

#ifndef HPCNN_CONCURRENCY_BATCH_SLOTS_H_
#define HPCNN_CONCURRENCY_BATCH_SLOTS_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <utility>

#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/cache_line.h"
#include "hpcnn/concurrency/sleepers.h"

HPCNN_NAMESPACE_BEGIN

class BatchSlots {
 public:
  using Ticket = std::uint64_t;
  static constexpr Ticket kUnbounded = std::numeric_limits<Ticket>::max();

  struct Chunk {
    Ticket ticket;      // of the batch
    std::size_t slot;   // where the batch lives
    std::size_t index;  // which of its chunks, in [0, chunks)
  };

  // `batches` in all, of `chunks` chunks each, at most `slots` of them at once.
  BatchSlots(std::size_t slots, std::size_t chunks, Ticket batches = kUnbounded)
      : slots_(slots),
        chunks_(chunks),
        incomplete_(std::make_unique<std::atomic<std::uint32_t>[]>(slots)),
        end_(batches) {
    HPCNN_CHECK(slots >= 1 && chunks >= 1,
                "BatchSlots need at least one slot and one chunk");
    for (std::size_t i = 0; i < slots; ++i) Reset(i);
  }

  // --- Producers ---

  // The next unclaimed chunk, if it belongs to a batch below `bound` and its
  // slot is free.
  bool TryClaim(Chunk* chunk, Ticket bound = kUnbounded) {
    std::uint64_t next = next_.load(std::memory_order_relaxed);
    for (;;) {
      const Ticket ticket = next / chunks_;
      // acquire: pairs with Release, so the slot's last reader is done.
      const Ticket free = released_.load(std::memory_order_acquire) + slots_;
      if (ticket >= std::min({bound, free, end()})) return false;
      // relaxed: the claim hands over a number, no data.
      if (next_.compare_exchange_weak(next, next + 1,
                                      std::memory_order_relaxed)) {
        *chunk = {ticket, ticket % slots_, next % chunks_};
        return true;
      }
    }
  }

  // Waits for a free slot; false when there is nothing left to claim, ever.
  bool Claim(Chunk* chunk) {
    bool claimed = false;
    producers_.Await([&] {
      claimed = TryClaim(chunk);
      return claimed || unclaimed() >= end();
    });
    return claimed;
  }

  void Complete(const Chunk& chunk) {
    // release: publishes the chunk to ready(); being a chain of
    // read-modify-writes, the last one publishes all.
    if (incomplete_[chunk.slot].fetch_sub(1, std::memory_order_release) == 1) {
      consumer_.Wake();
    }
  }

  // Instead of Complete: this chunk will never be. Batches before it still
  // reach the consumer, whose Wait is false from this one on.
  void Fail(const Chunk& chunk, std::exception_ptr error) {
    EndAt(chunk.ticket, std::move(error));
  }

  // --- Consumer ---

  // The batch that is or will be the consumer's, and where it lives.
  Ticket ticket() const { return ticket_; }
  std::size_t slot() const { return ticket_ % slots_; }

  bool ready() const {
    return ticket_ < end() &&
           incomplete_[slot()].load(std::memory_order_acquire) == 0;
  }

  // Waits until batch ticket() is complete; false when it will never be.
  bool Wait() {
    consumer_.Await([this] { return ready() || ticket_ >= end(); });
    return ticket_ < end();
  }

  // Gives the slot of batch ticket() back and goes on to the next one.
  void Release() {
    Reset(slot());
    ++ticket_;
    // release: pairs with TryClaim; covers the reads of the batch, and Reset.
    released_.store(ticket_, std::memory_order_release);
    // Sleeping producers wake when half of the slots are free, not for each
    // one: a wake-up costs some 20 us, and where producers and consumer share
    // cores, long turns keep them out of each other's way. None is left asleep:
    // they sleep only when no slot is free, and either the consumer comes by
    // here until half of them are, or it stops and needs none.
    if (unclaimed() - ticket_ <= slots_ / 2) producers_.Wake();
  }

  // The error that made Wait false, once; null when there was none.
  std::exception_ptr TakeError() {
    const std::lock_guard lock(error_mutex_);
    return std::exchange(error_, nullptr);
  }

  // --- Anyone ---

  // No further batches; wakes everybody who waits. Chunks already claimed may
  // still be completed.
  void close() { EndAt(0, nullptr); }

  // The first batch that has chunks which nobody claimed. Only ever grows; the
  // consumer sees no value below ticket().
  Ticket unclaimed() const {
    return next_.load(std::memory_order_relaxed) / chunks_;
  }

 private:
  // No batch from here on will be completed.
  Ticket end() const { return end_.load(std::memory_order_acquire); }

  void EndAt(Ticket ticket, std::exception_ptr error) {
    {
      const std::lock_guard lock(error_mutex_);
      if (ticket < end()) {
        end_.store(ticket, std::memory_order_release);  // pairs with end()
        if (error) error_ = std::move(error);
      }
    }
    consumer_.Wake();
    producers_.Wake();
  }

  void Reset(std::size_t slot) {
    // relaxed: released_ publishes it to those who will count it down.
    incomplete_[slot].store(static_cast<std::uint32_t>(chunks_),
                            std::memory_order_relaxed);
  }

  const std::size_t slots_;
  const std::size_t chunks_;
  // [slots]: chunks of the slot's batch that are not complete.
  const std::unique_ptr<std::atomic<std::uint32_t>[]> incomplete_;
  std::mutex error_mutex_;
  std::exception_ptr error_;
  Ticket ticket_ = 0;   // the consumer's own
  Sleepers consumer_;   // for a complete batch
  Sleepers producers_;  // for a free slot
  alignas(kNoFalseSharing) std::atomic<Ticket> released_{0};
  std::atomic<Ticket> end_;
  alignas(kNoFalseSharing) std::atomic<std::uint64_t> next_{
      0};  // chunk to claim
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_BATCH_SLOTS_H_
