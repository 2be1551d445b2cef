// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// How the queue benches move items: some producers, one consumer, every item
// counted and summed.

#ifndef HPCNN_BENCH_QUEUE_HARNESS_H_
#define HPCNN_BENCH_QUEUE_HARNESS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "bench/roofline.h"
#include "hpcnn/concurrency/mpsc_ring.h"

namespace hpcnn::bench {

using Item = std::uint64_t;

inline constexpr std::size_t kCapacity = 4096;  // for each producer
inline constexpr std::size_t kBulk = 32;

// Items a second. produce(index, first, count) sends the numbers first ...
// first + count - 1; consume(count) takes `count` items and returns their sum.
template <class Produce, class Consume>
double Throughput(std::size_t producers, std::size_t items, Produce produce,
                  Consume consume) {
  const std::size_t share = items / producers;
  const std::size_t total = share * producers;
  std::atomic<std::size_t> ready{0};
  std::atomic<bool> go{false};
  std::vector<std::jthread> threads;
  for (std::size_t p = 0; p < producers; ++p) {
    threads.emplace_back([&, p] {
      ready.fetch_add(1);
      go.wait(false);
      produce(p, p * share, share);
    });
  }
  while (ready.load() != producers) std::this_thread::yield();
  Item sum = 0;
  const double seconds = Seconds([&] {
    go.store(true);
    go.notify_all();
    sum = consume(total);
  });
  if (sum != Item{total} * (total - 1) / 2) {
    std::fprintf(stderr, "queue: items were lost or came twice\n");
    std::exit(1);
  }
  return static_cast<double>(total) / seconds;
}

using Ring = MpscRing<Item, kCapacity>;

inline double RingSingle(std::size_t producers, std::size_t items) {
  Ring ring(producers);
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        auto producer = ring.MakeProducer();
        for (Item i = 0; i < count; ++i) producer.Push(first + i);
      },
      [&](std::size_t count) {
        Item sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += *ring.Pop();
        return sum;
      });
}

// Everybody on the shared lane, as with plain ring.Push.
inline double RingShared(std::size_t producers, std::size_t items) {
  Ring ring;
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        for (Item i = 0; i < count; ++i) ring.Push(first + i);
      },
      [&](std::size_t count) {
        Item sum = 0;
        for (std::size_t i = 0; i < count; ++i) sum += *ring.Pop();
        return sum;
      });
}

inline double RingBulk(std::size_t producers, std::size_t items) {
  Ring ring(producers);
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        auto producer = ring.MakeProducer();
        std::array<Item, kBulk> bulk;
        for (std::size_t done = 0; done < count; done += kBulk) {
          for (std::size_t i = 0; i < kBulk; ++i) bulk[i] = first + done + i;
          producer.PushMany(std::span(bulk));
        }
      },
      [&](std::size_t count) {
        std::array<Item, kBulk> bulk;
        Item sum = 0;
        for (std::size_t done = 0; done < count;) {
          const std::size_t n = ring.PopMany(bulk);
          for (std::size_t i = 0; i < n; ++i) sum += bulk[i];
          done += n;
        }
        return sum;
      });
}

// The limit: two threads hand blocks of 32 KiB to and fro by one flag each,
// with nothing but the writing, the summing and the cache lines' way between.
// In items a second.
inline double ProbeTransfer(std::size_t items) {
  struct alignas(64) Block {
    std::array<Item, kCapacity> items;
    alignas(64) std::atomic<int> full{0};
  };
  const auto blocks = std::make_unique<std::array<Block, 2>>();
  return Throughput(
      1, items / (2 * kCapacity) * (2 * kCapacity),
      [&](std::size_t, Item first, std::size_t count) {
        for (std::size_t done = 0; done < count; done += kCapacity) {
          Block& block = (*blocks)[done / kCapacity % 2];
          while (block.full.load(std::memory_order_acquire) != 0) {
          }
          for (std::size_t i = 0; i < kCapacity; ++i) {
            block.items[i] = first + done + i;
          }
          block.full.store(1, std::memory_order_release);
        }
      },
      [&](std::size_t count) {
        Item sum = 0;
        for (std::size_t done = 0; done < count; done += kCapacity) {
          Block& block = (*blocks)[done / kCapacity % 2];
          while (block.full.load(std::memory_order_acquire) == 0) {
          }
          for (const Item item : block.items) sum += item;
          block.full.store(0, std::memory_order_release);
        }
        return sum;
      });
}

}  // namespace hpcnn::bench

#endif  // HPCNN_BENCH_QUEUE_HARNESS_H_
