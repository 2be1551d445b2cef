// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// ThreadPool: fork and join for the training step.
//
//   pool.Run([&](std::size_t part, std::size_t parts) { ... });
//
// calls the function once per thread, part 0 on the caller, and returns when
// all parts are done. A step lasts some 100 us and forks twice, so a thread
// first spins for a few steps' time and only then sleeps: it is woken in some
// 20 us, but then may share a processor with the one that woke it until the
// system moves it. With more threads than processors it does not spin at all.
// Run allocates nothing. Not for jobs of differing length (no stealing), nor
// for ones that block.

#ifndef HPCNN_CONCURRENCY_THREAD_POOL_H_
#define HPCNN_CONCURRENCY_THREAD_POOL_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stop_token>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/cache_line.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/sleepers.h"

HPCNN_NAMESPACE_BEGIN

namespace internal {

// What f() throws, or null. Compiles without exceptions, too.
template <class F>
std::exception_ptr Catch(F&& f) {
#if defined(__cpp_exceptions)
  try {
    f();
  } catch (...) {
    return std::current_exception();
  }
#else
  f();
#endif
  return nullptr;
}

}  // namespace internal

class ThreadPool {
 public:
  // `threads` includes the caller of Run: 1 starts no thread.
  explicit ThreadPool(std::size_t threads)
      : parts_(threads),
        spin_(threads <= UsableCpus().count ? kSpin : Duration::zero()),
        claimed_(threads) {
    HPCNN_CHECK(threads >= 1, "a ThreadPool has at least one thread");
    threads_.reserve(threads - 1);
    while (threads_.size() + 1 < threads) {
      threads_.emplace_back([this](std::stop_token stop) { Serve(stop); });
    }
  }

  std::size_t threads() const { return parts_; }

  // Calls f(part, parts) for each part in [0, threads()). The first exception
  // is thrown again here, after every part has ended. A pool that is busy,
  // because f itself calls Run or another thread does, lets the caller do all
  // parts.
  template <class F>
  void Run(F&& f) {
    // acquire: pairs with the release that ends the Run before.
    if (parts_ == 1 || busy_.exchange(true, std::memory_order_acquire)) {
      for (std::size_t part = 0; part < parts_; ++part) f(part, parts_);
      return;
    }
    Fork({[](void* function, std::size_t part, std::size_t count) {
            (*static_cast<std::remove_reference_t<F>*>(function))(part, count);
          },
          const_cast<void*>(static_cast<const void*>(std::addressof(f)))});
    RunPart(0);
    RunClaims();
    Join();
  }

  // Does one of the threads sleep, for want of a part or until the others are
  // done? A guess: it may have changed already.
  bool maybe_waiting() const {
    return idle_.maybe_any() || joining_.maybe_any();
  }

 private:
  // Measured on two virtual processors: from 50 us to 300 us a step on two
  // threads took ever less, from 1.1 of one thread's time to 0.8.
  using Duration = Sleepers::Clock::duration;
  static constexpr Duration kSpin = std::chrono::microseconds(300);

  struct Job {
    void (*call)(void* function, std::size_t part, std::size_t parts);
    void* function;
  };

  void Fork(Job job) {
    job_ = job;
    pending_.store(parts_, std::memory_order_relaxed);
    // release: publishes job_ and pending_ to whoever claims a part.
    claimed_.store(1, std::memory_order_release);
    idle_.Wake();
  }

  // Runs the parts that nobody has claimed. A thread may come late, even in the
  // middle of the next Run: what it claims belongs to the Run whose job_ it
  // then reads, which cannot end before the part does.
  void RunClaims() {
    for (;;) {
      // acquire: pairs with Fork.
      const std::size_t part = claimed_.fetch_add(1, std::memory_order_acquire);
      if (part >= parts_) return;
      RunPart(part);
    }
  }

  void Join() {
    // acquire: pairs with the end of each part, so that the caller sees what
    // the parts wrote.
    joining_.Await(
        [this] { return pending_.load(std::memory_order_acquire) == 0; },
        spin_);
    const std::exception_ptr error = std::exchange(error_, nullptr);
    failed_.store(false, std::memory_order_relaxed);  // the next Fork publishes
    busy_.store(false, std::memory_order_release);
    if (error) std::rethrow_exception(error);
  }

  void RunPart(std::size_t part) {
    std::exception_ptr error =
        internal::Catch([&] { job_.call(job_.function, part, parts_); });
    // relaxed: it only decides whose error stays; pending_ publishes that.
    if (error && !failed_.exchange(true, std::memory_order_relaxed)) {
      error_ = std::move(error);
    }
    // release: pairs with Join.
    if (pending_.fetch_sub(1, std::memory_order_release) == 1) joining_.Wake();
  }

  void Serve(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { idle_.Wake(); });
    while (!stop.stop_requested()) {
      RunClaims();
      // relaxed: RunClaims acquires.
      idle_.Await(
          [&] {
            return claimed_.load(std::memory_order_relaxed) < parts_ ||
                   stop.stop_requested();
          },
          spin_);
    }
  }

  const std::size_t parts_;
  const Duration spin_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> failed_{false};
  std::exception_ptr error_;
  Sleepers idle_;     // threads without a part
  Sleepers joining_;  // the caller of Run
  // What the spinning threads read, on one cache line.
  alignas(kNoFalseSharing) std::atomic<std::size_t> claimed_;  // parts
  Job job_{};
  alignas(kNoFalseSharing) std::atomic<std::size_t> pending_{0};  // parts
  // Last, so that the threads end before what they use; each one's stop request
  // wakes it.
  std::vector<std::jthread> threads_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_THREAD_POOL_H_
