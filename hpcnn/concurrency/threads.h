// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Threads: who does the work of a call, as its last argument.
//
//   Correlate<Sobel3x3>(image, out);         // the caller alone
//   Correlate<Sobel3x3>(image, out, &pool);  // the threads of a ThreadPool
//   Correlate<Sobel3x3>(image, out, 2);      // two that live for this call
//
// The last form takes some 50 us a thread: not for calls in a loop.

#ifndef HPCNN_CONCURRENCY_THREADS_H_
#define HPCNN_CONCURRENCY_THREADS_H_

#include <concepts>
#include <cstddef>

#include "hpcnn/base/check.h"
#include "hpcnn/base/partition.h"
#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/thread_pool.h"

HPCNN_NAMESPACE_BEGIN

class Threads {
 public:
  // A null pool is the caller alone.
  Threads(ThreadPool* pool = nullptr) : pool_(pool) {}
  template <std::integral Count>
  Threads(Count count) : count_(static_cast<std::size_t>(count)) {
    HPCNN_CHECK(count >= 1, "work needs at least one thread");
  }

  // f(IndexRange) for one contiguous share of [0, size) a thread.
  template <class F>
  void ForShares(std::size_t size, F&& f) const {
    const auto run = [&](ThreadPool& pool) {
      pool.Run([&](std::size_t part, std::size_t parts) {
        f(Partition(size, part, parts));
      });
    };
    if (pool_ != nullptr) {
      run(*pool_);
    } else if (count_ == 1) {
      f(IndexRange{0, size});
    } else {
      ThreadPool pool(count_);
      run(pool);
    }
  }

 private:
  ThreadPool* pool_ = nullptr;
  std::size_t count_ = 1;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_THREADS_H_
