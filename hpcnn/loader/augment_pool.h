// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// AugmentPool: worker threads that fill the chunks of BatchSlots.
//
// More running threads than processors only take turns, so at most
// `max_running` of the workers run; the others are parked: blocked, at no cost,
// until the pool goes. Destroying the pool closes the slots and joins.

#ifndef HPCNN_LOADER_AUGMENT_POOL_H_
#define HPCNN_LOADER_AUGMENT_POOL_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/batch_slots.h"

HPCNN_NAMESPACE_BEGIN

class AugmentPool {
 public:
  // fill(chunk) is called by the running workers at once. It must end in
  // slots.Complete or slots.Fail and not throw. `slots` and what `fill` refers
  // to must outlive the pool.
  template <class Fill>
  AugmentPool(std::size_t workers, std::size_t max_running, BatchSlots& slots,
              Fill fill)
      : running_(std::min(workers, max_running)), stop_(slots) {
    threads_.reserve(workers);
    while (threads_.size() < running_) {
      threads_.emplace_back([&slots, fill] {
        BatchSlots::Chunk chunk;
        while (slots.Claim(&chunk)) fill(chunk);
      });
    }
    while (threads_.size() < workers) {
      threads_.emplace_back([this, stop = stop_.parked.get_token()] {
        std::unique_lock lock(parked_mutex_);
        parked_.wait(lock, stop, [] { return false; });
      });
    }
  }

  std::size_t workers() const { return threads_.size(); }
  std::size_t running() const { return running_; }
  std::size_t parked() const { return workers() - running_; }

 private:
  // One stop for all, so that they end at the same time, not one by one.
  struct Stop {
    explicit Stop(BatchSlots& batch_slots) : slots(batch_slots) {}
    ~Stop() {
      slots.close();
      parked.request_stop();
    }
    BatchSlots& slots;
    std::stop_source parked;
  };

  std::size_t running_;
  std::mutex parked_mutex_;
  std::condition_variable_any parked_;
  // In this order: first the stop, then the joins, then the rest. It holds in
  // the constructor, too, when a thread cannot be started.
  std::vector<std::jthread> threads_;
  Stop stop_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_LOADER_AUGMENT_POOL_H_
