// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The seam through which the ring reaches the machine: StdAtomics in programs,
// a model checker's in tests, where every access may switch threads.
//
// Asymmetric fences (Goldblatt, P1202): a store followed by a load of something
// else may be overtaken by that load, and forbidding it costs a locked
// instruction, 5 ns. Where one side of such a pair runs once an item and the
// other once a sleep, the frequent side takes LightFence, which only stops the
// compiler, and the rare side takes HeavyFence, which makes the kernel run a
// full fence on every processor that runs this process (membarrier(2), about
// 1 us). Of two threads that pass one each, either what the light side stored
// before is seen after the heavy one, or the light side sees afterwards what
// the heavy side stored before.

#ifndef HPCNN_CONCURRENCY_ATOMICS_H_
#define HPCNN_CONCURRENCY_ATOMICS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// Orders all earlier memory accesses of this thread before all later ones. Not
// std::atomic_thread_fence, which TSan refuses to compile; no data is ever
// handed over by these fences alone, so TSan loses nothing.
inline void FullFence() { __sync_synchronize(); }

// Tells the processor that this is a spin loop: saves power, and the time that
// leaving the loop would take.
inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

inline bool Membarrier() {
#if defined(__linux__)
  return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

inline bool RegisterMembarrier() {
#if defined(__linux__)
  return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
                 0) == 0;
#else
  return false;
#endif
}

// False until initialised, which is the safe side: light fences are then full.
inline const bool kHasMembarrier = RegisterMembarrier();

}  // namespace internal

struct StdAtomics {
  template <class V>
  using Atomic = std::atomic<V>;

  // Counts items, modulo its range; narrower ones make tests wrap around.
  using Index = std::uint32_t;

  static void LightFence() {
    if (internal::kHasMembarrier) [[likely]] {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      internal::FullFence();
    }
  }

  static void HeavyFence() {
    // Registers late when it must: before static initialisation.
    if (!internal::Membarrier() && internal::RegisterMembarrier()) {
      internal::Membarrier();
    }
    internal::FullFence();
  }

  // Before a producer sleeps it lets another thread run, once; then it looks
  // again, if this returns true.
  static bool GiveWay() {
    std::this_thread::yield();
    return true;
  }

  // Before a consumer sleeps it looks so many times more, each after a rest.
  // Who polls without rest takes the producer's cache line away after every
  // item.
  static constexpr int kLooks = 8;
  static void Rest() {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::microseconds(3);
    do {
      internal::SpinPause();
    } while (Clock::now() < end);
  }
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_ATOMICS_H_
