// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// bazel run //bench/peers:queue
//
// Many threads to one, blocking: hpcnn's ring against moodycamel's
// BlockingConcurrentQueue, boost::lockfree::queue and a ring under mutex and
// condition variables. Single items against single items, bulks of 32 against
// bulks of 32; 8-byte items, all summed. The same capacity for all, 4096 items
// for each producer, but for moodycamel's queue, which grows instead of making
// producers wait, and for hpcnn's shared lane, which has 4096 for all of them.
// Rounds are interleaved.
// Needs Debian's libconcurrentqueue-dev and libboost-dev.

#include <concurrentqueue/blockingconcurrentqueue.h>

#include <array>
#include <boost/lockfree/queue.hpp>
#include <boost/version.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bench/queue_harness.h"
#include "bench/roofline.h"

namespace hpcnn::bench {
namespace {

constexpr int kRounds = 9;

using Moodycamel = moodycamel::BlockingConcurrentQueue<Item>;

double MoodycamelSingle(std::size_t producers, std::size_t items) {
  Moodycamel queue(kCapacity * producers, producers, 0);
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        moodycamel::ProducerToken token(queue);
        for (Item i = 0; i < count; ++i) queue.enqueue(token, first + i);
      },
      [&](std::size_t count) {
        moodycamel::ConsumerToken token(queue);
        Item sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
          Item item;
          queue.wait_dequeue(token, item);
          sum += item;
        }
        return sum;
      });
}

double MoodycamelBulk(std::size_t producers, std::size_t items) {
  Moodycamel queue(kCapacity * producers, producers, 0);
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        moodycamel::ProducerToken token(queue);
        std::array<Item, kBulk> bulk;
        for (std::size_t done = 0; done < count; done += kBulk) {
          for (std::size_t i = 0; i < kBulk; ++i) bulk[i] = first + done + i;
          queue.enqueue_bulk(token, bulk.data(), kBulk);
        }
      },
      [&](std::size_t count) {
        moodycamel::ConsumerToken token(queue);
        std::array<Item, kBulk> bulk;
        Item sum = 0;
        for (std::size_t done = 0; done < count;) {
          const std::size_t n =
              queue.wait_dequeue_bulk(token, bulk.data(), kBulk);
          for (std::size_t i = 0; i < n; ++i) sum += bulk[i];
          done += n;
        }
        return sum;
      });
}

// It cannot block: who finds it full or empty yields.
double BoostSingle(std::size_t producers, std::size_t items) {
  boost::lockfree::queue<Item> queue(kCapacity * producers);
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        for (Item i = 0; i < count; ++i) {
          while (!queue.bounded_push(first + i)) std::this_thread::yield();
        }
      },
      [&](std::size_t count) {
        Item sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
          Item item = 0;
          while (!queue.pop(item)) std::this_thread::yield();
          sum += item;
        }
        return sum;
      });
}

double MutexSingle(std::size_t producers, std::size_t items) {
  std::mutex mutex;
  std::condition_variable not_full, not_empty;
  std::vector<Item> ring(kCapacity * producers);
  std::size_t head = 0, tail = 0;
  return Throughput(
      producers, items,
      [&](std::size_t, Item first, std::size_t count) {
        for (Item i = 0; i < count; ++i) {
          std::unique_lock lock(mutex);
          not_full.wait(lock, [&] { return tail - head < ring.size(); });
          ring[tail++ % ring.size()] = first + i;
          lock.unlock();
          not_empty.notify_one();
        }
      },
      [&](std::size_t count) {
        Item sum = 0;
        for (std::size_t i = 0; i < count; ++i) {
          std::unique_lock lock(mutex);
          not_empty.wait(lock, [&] { return tail != head; });
          sum += ring[head++ % ring.size()];
          lock.unlock();
          not_full.notify_one();
        }
        return sum;
      });
}

// moodycamel's headers do not say which version they are; Debian does.
std::string MoodycamelVersion() {
  std::string version;
  if (std::FILE* pipe = popen(
          "dpkg-query -W -f '${Version}' libconcurrentqueue-dev 2>&1", "r")) {
    char line[64];
    while (std::fgets(line, sizeof(line), pipe) != nullptr) version += line;
    pclose(pipe);
  }
  return version;
}

struct Contender {
  const char* name;
  double (*run)(std::size_t producers, std::size_t items);
  std::size_t items;
  bool bulk;
};

// The first of each kind is ours.
constexpr Contender kContenders[] = {
    {"hpcnn", RingSingle, 1 << 20, false},
    {"hpcnn, shared lane", RingShared, 1 << 20, false},
    {"moodycamel", MoodycamelSingle, 1 << 20, false},
    {"boost::lockfree", BoostSingle, 1 << 18, false},
    {"mutex + condition variable", MutexSingle, 1 << 16, false},
    {"hpcnn, bulk of 32", RingBulk, 1 << 22, true},
    {"moodycamel, bulk of 32", MoodycamelBulk, 1 << 22, true},
};
constexpr std::size_t kCount = std::size(kContenders);
constexpr std::size_t kOurSingle = 0, kOurBulk = 5;

// Medians of our throughput, single and bulk.
std::array<double, 2> Compare(std::size_t producers) {
  std::vector<double> rates[kCount], ratios[kCount], limit;
  for (int round = 0; round < kRounds; ++round) {
    limit.push_back(ProbeTransfer(1 << 22));
    for (std::size_t c = 0; c < kCount; ++c) {
      rates[c].push_back(kContenders[c].run(producers, kContenders[c].items));
    }
    for (std::size_t c = 0; c < kCount; ++c) {
      const std::size_t ours = kContenders[c].bulk ? kOurBulk : kOurSingle;
      ratios[c].push_back(rates[ours].back() / rates[c].back());
    }
  }
  std::printf("\n%zu producers; a bare hand-over moves %.0f M items/s\n",
              producers, SpreadOf(limit).median / 1e6);
  for (std::size_t c = 0; c < kCount; ++c) {
    const Spread rate = SpreadOf(rates[c]), ratio = SpreadOf(ratios[c]);
    std::printf("  %-28s %8.2f M items/s   hpcnn is %6.2fx [%.2f ... %.2f]\n",
                kContenders[c].name, rate.median / 1e6, ratio.median, ratio.low,
                ratio.high);
  }
  return {SpreadOf(rates[kOurSingle]).median, SpreadOf(rates[kOurBulk]).median};
}

}  // namespace
}  // namespace hpcnn::bench

int main() {
  using hpcnn::bench::Compare;
  std::printf(
      "moodycamel %s; Boost %s; capacity %zu for each producer; %u "
      "processors\n",
      hpcnn::bench::MoodycamelVersion().c_str(), BOOST_LIB_VERSION,
      hpcnn::bench::kCapacity, std::thread::hardware_concurrency());
  Compare(1);
  const auto two = Compare(2);
  Compare(8);
  const auto many = Compare(32);
  std::printf("\n32 producers against 2: single %.2fx, bulk %.2fx\n",
              many[0] / two[0], many[1] / two[1]);
  return 0;
}
