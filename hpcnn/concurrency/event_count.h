// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EventCount: sleep until a condition on other atomics may have come true. The
// signalling side pays one load while nobody sleeps; a futex call happens only
// when somebody does (a round trip through one costs 20 us and more).
//
//   waiter    key = Prepare(); if (condition) return; Wait(key);
//   signaller make the condition true; Notify();
//
// No wake-up is lost: Prepare arms the word, then passes the heavy fence;
// Notify passes the light fence, then looks at the word. So either the waiter's
// test sees the signaller's change or Notify sees the word armed (atomics.h).

#ifndef HPCNN_CONCURRENCY_EVENT_COUNT_H_
#define HPCNN_CONCURRENCY_EVENT_COUNT_H_

#include <atomic>
#include <cstdint>
#include <stop_token>

#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/atomics.h"

HPCNN_NAMESPACE_BEGIN

template <class Atomics = StdAtomics>
class EventCount {
 public:
  using Key = std::uint32_t;

  Key Prepare() {
    // acq_rel: takes in what a NotifyAlways before it published.
    const Key key = word_.fetch_or(kArmed, std::memory_order_acq_rel) | kArmed;
    Atomics::HeavyFence();
    return key;
  }

  // Returns when a Notify has come since Prepare gave `key`, or for no reason.
  void Wait(Key key) { word_.wait(key, std::memory_order_acquire); }

  void Notify() {
    Atomics::LightFence();
    // Relaxed: the fences order it, and the sleeper reads its condition anew.
    const Key word = word_.load(std::memory_order_relaxed);
    if ((word & kArmed) != 0) [[unlikely]]
      Wake(word);
  }

  // For conditions outside the ring, such as std::stop_source's: it changes the
  // word whether armed or not, so it either comes before a Prepare, which then
  // acquires what is released here, or makes its Wait return.
  void NotifyAlways() {
    word_.fetch_add(2 * kArmed, std::memory_order_acq_rel);
    word_.notify_all();
  }

 private:
  static constexpr Key kArmed = 1;  // somebody sleeps, or is about to

  // Of several signallers one disarms and makes the system call. + kArmed
  // clears the bit and counts on, so that a sleeper's key does not come back.
  [[gnu::noinline, gnu::cold]] void Wake(Key word) {
    if (word_.compare_exchange_strong(word, word + kArmed,
                                      std::memory_order_relaxed)) {
      word_.notify_all();
    }
  }

  // 4 bytes: the size for which libstdc++ waits on the word itself.
  typename Atomics::template Atomic<std::uint32_t> word_{0};
};

// Blocks on `event` until done(), which has just said no, or until stop is
// requested. Does not spin (std::atomic::wait looks a few times).
template <class Atomics, class Done>
[[gnu::noinline]] void Await(EventCount<Atomics>& event,
                             const std::stop_token& stop, Done done) {
  const std::stop_callback wake(stop, [&event] { event.NotifyAlways(); });
  for (;;) {
    const auto key = event.Prepare();
    if (done() || stop.stop_requested()) return;
    event.Wait(key);
  }
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_EVENT_COUNT_H_
