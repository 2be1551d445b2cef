// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/sleepers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace hpcnn {
namespace {

using namespace std::chrono_literals;

TEST(Sleepers, ReturnsAtOnceWhenReady) {
  Sleepers sleepers;
  int asked = 0;
  sleepers.Await([&] { return ++asked == 1; });
  EXPECT_EQ(asked, 1);
  sleepers.Await([&] { return ++asked == 5; }, 1s);
  EXPECT_EQ(asked, 5);
}

TEST(Sleepers, WakeWithoutSleepersIsNotKept) {
  Sleepers sleepers;
  for (int i = 0; i < 3; ++i) sleepers.Wake();
  int asked = 0;
  sleepers.Await([&] { return ++asked == 2; });  // asks again before it sleeps
  EXPECT_EQ(asked, 2);
}

// Two threads take turns as fast as they can: a lost wake-up would hang.
TEST(Sleepers, PingPong) {
  for (const auto spin : {0us, 1us, 50us}) {
    constexpr int kTurns = 5000;
    Sleepers sleepers[2];
    std::atomic<int> turn{0};
    const auto play = [&](int self) {
      for (int i = self; i < kTurns; i += 2) {
        sleepers[self].Await([&] { return turn.load() == i; }, spin);
        turn.store(i + 1);
        sleepers[1 - self].Wake();
      }
    };
    std::jthread other([&] { play(1); });
    play(0);
  }
}

TEST(Sleepers, WakesAll) {
  for (int repeat = 0; repeat < 100; ++repeat) {
    Sleepers sleepers;
    std::atomic<bool> open{false};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back(
          [&] { sleepers.Await([&] { return open.load(); }); });
    }
    if (repeat % 2 == 0) std::this_thread::yield();
    open.store(true);
    sleepers.Wake();
  }
}

// Each of many wakers makes one sleeper's wish come true.
TEST(Sleepers, ManyWakersManySleepers) {
  Sleepers sleepers;
  std::atomic<int> tokens{0};
  constexpr int kEach = 2000;
  const auto take = [&] {
    int seen = tokens.load();
    while (seen > 0 && !tokens.compare_exchange_weak(seen, seen - 1)) {
    }
    return seen > 0;
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) sleepers.Await(take);
    });
    threads.emplace_back([&] {
      for (int n = 0; n < kEach; ++n) {
        tokens.fetch_add(1);
        sleepers.Wake();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(tokens, 0);
}

}  // namespace
}  // namespace hpcnn
