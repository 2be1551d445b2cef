// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Sleepers: threads that sleep until a condition on other atomics holds.
//
//   one side:    sleepers.Await([&] { return the condition; });
//   other side:  make the condition true;  sleepers.Wake();
//
// A futex call costs microseconds, so Wake makes one only when somebody sleeps
// or is about to; else it costs one uncontended read-modify-write, ~5 ns. That
// suits signals once a batch or a fork; the ring, which signals once an item,
// has EventCount. Wake wakes all and is wait-free but for the system call.

#ifndef HPCNN_CONCURRENCY_SLEEPERS_H_
#define HPCNN_CONCURRENCY_SLEEPERS_H_

#include <atomic>
#include <chrono>
#include <cstdint>

#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/atomics.h"
#include "hpcnn/concurrency/cache_line.h"

HPCNN_NAMESPACE_BEGIN

class Sleepers {
 public:
  using Clock = std::chrono::steady_clock;

  // Returns once ready() is true, having asked for as long as `spin` before it
  // sleeps. ready() may claim something when it succeeds: it is not asked again
  // then.
  template <class Ready>
  void Await(Ready ready, Clock::duration spin = {}) {
    if (spin > Clock::duration::zero()) {
      // By the clock: a pause takes 12 ns on one processor, 45 on another.
      const auto end = Clock::now() + spin;
      do {
        for (int look = 0; look < 16; ++look) {
          if (ready()) return;
          internal::SpinPause();
        }
      } while (Clock::now() < end);
    }
    while (!ready()) {
      // acquire: if Wake has counted already, ready() sees what it was for.
      const std::uint32_t wakes = wakes_.load(std::memory_order_acquire);
      // No wake-up is lost, for of this exchange and the one in Wake one reads
      // what the other wrote. If ours is later, its acquire pairs with their
      // release, and ready() sees the condition; if it is earlier, they see
      // that we are here, and wakes_ changes either before wait() looks or
      // after.
      armed_.exchange(1, std::memory_order_acq_rel);
      if (ready()) return;
      wakes_.wait(wakes, std::memory_order_acquire);
    }
  }

  void Wake() {
    // Always a read-modify-write: the proof above needs its place in the order.
    if (armed_.exchange(0, std::memory_order_acq_rel) == 0) return;
    wakes_.fetch_add(1, std::memory_order_release);  // pairs with the acquires
    wakes_.notify_all();
  }

  // Does somebody sleep? A guess, for hints: true a while longer than that.
  bool maybe_any() const { return armed_.load(std::memory_order_relaxed) != 0; }

 private:
  // 4 bytes each: the size for which std::atomic::wait is a plain futex.
  alignas(kNoFalseSharing) std::atomic<std::uint32_t> armed_{0};
  std::atomic<std::uint32_t> wakes_{0};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_SLEEPERS_H_
