// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/mpsc_ring.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace hpcnn {
namespace {

// ThreadSanitizer slows every access down some 30 times.
#if !defined(__has_feature)
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
constexpr std::uint32_t kItems = 200'000;
#else
constexpr std::uint32_t kItems = 10'000'000;
#endif

// Who sent it, and as which of his.
struct Plain {
  std::uint32_t producer;
  std::uint32_t number;
};

class MoveOnly : public Plain {
 public:
  MoveOnly() = default;
  explicit MoveOnly(Plain plain) : Plain(plain) {}
  MoveOnly(MoveOnly&& other) noexcept
      : Plain(std::exchange(static_cast<Plain&>(other), Plain{~0u, ~0u})) {}
  MoveOnly& operator=(MoveOnly&& other) noexcept {
    Plain::operator=(std::exchange(static_cast<Plain&>(other), {~0u, ~0u}));
    return *this;
  }
};

// Every 97th construction by a thread throws; nothing else does.
class Throwing : public Plain {
 public:
  explicit Throwing(Plain plain) : Plain(plain) { MayThrow(); }
  Throwing(Throwing&& other) : Plain(other) { MayThrow(); }

 private:
  static void MayThrow() {
    thread_local int constructions = 0;
    if (++constructions % 97 == 0) throw std::runtime_error("97th");
  }
};

template <class F>
auto Retry(F f) {
  for (;;) {
    try {
      return f();
    } catch (const std::runtime_error&) {
    }
  }
}

// Items of each producer come once and in order.
class Ledger {
 public:
  explicit Ledger(std::size_t producers) : next_(producers) {}
  void Note(const Plain& item) {
    ASSERT_LT(item.producer, next_.size());
    ASSERT_EQ(item.number, next_[item.producer]) << "from " << item.producer;
    ++next_[item.producer];
  }
  void ExpectAll(std::uint32_t share) const {
    for (const std::uint32_t next : next_) EXPECT_EQ(next, share);
  }

 private:
  std::vector<std::uint32_t> next_;
};

template <class T>
class MpscRingTypeTest : public testing::Test {};
using ItemTypes = testing::Types<Plain, MoveOnly, Throwing>;
TYPED_TEST_SUITE(MpscRingTypeTest, ItemTypes);

template <class Ring, class T>
void SendAndReceive(std::uint32_t producers, std::uint32_t items) {
  Ring ring(producers);
  const std::uint32_t share = items / producers;
  std::vector<std::jthread> threads;
  for (std::uint32_t p = 0; p < producers; ++p) {
    threads.emplace_back([&ring, p, share] {
      auto producer = ring.MakeProducer();
      for (std::uint32_t i = 0; i < share; ++i) {
        Retry([&] { return producer.Push(T(Plain{p, i})); });
      }
    });
  }
  Ledger ledger(producers);
  for (std::uint32_t i = 0; i < share * producers; ++i) {
    const std::optional<T> item = Retry([&] { return ring.Pop(); });
    ASSERT_TRUE(item.has_value());
    ASSERT_NO_FATAL_FAILURE(ledger.Note(*item));
  }
  ledger.ExpectAll(share);
  EXPECT_EQ(ring.size(), 0u);
  EXPECT_FALSE(Retry([&] { return ring.TryPop(); }).has_value());
}

TYPED_TEST(MpscRingTypeTest, EachItemOnceAndInOrderPerProducer) {
  for (const std::uint32_t producers : {1u, 2u, 8u, 32u}) {
    SCOPED_TRACE(producers);
    SendAndReceive<MpscRing<TypeParam, 1024>, TypeParam>(producers, kItems);
    if (this->HasFatalFailure()) return;
  }
}

// All on one lane, whose index wraps around thousands of times.
struct Atomics8 : StdAtomics {
  using Index = std::uint8_t;
};

TEST(MpscRingTest, EightBitIndicesWrapAround) {
  for (const std::uint32_t producers : {1u, 2u, 8u}) {
    SCOPED_TRACE(producers);
    // Two slots: mostly sleeping and waking.
    SendAndReceive<MpscRing<Plain, 2, Atomics8>, Plain>(producers,
                                                        kItems / 200);
    SendAndReceive<MpscRing<Plain, 32, Atomics8>, Plain>(producers,
                                                         kItems / 10);
  }
}

TEST(MpscRingTest, TheSharedLaneKeepsTheOrderOfEachThread) {
  constexpr std::uint32_t kThreads = 4;
  constexpr std::uint32_t kShare = kItems / 100;
  MpscRing<Plain, 64, Atomics8> ring;
  std::vector<std::jthread> threads;
  for (std::uint32_t p = 0; p < kThreads; ++p) {
    threads.emplace_back([&ring, p] {
      for (std::uint32_t i = 0; i < kShare; ++i) ring.Push(Plain{p, i});
    });
  }
  Ledger ledger(kThreads);
  for (std::uint32_t i = 0; i < kThreads * kShare; ++i) {
    ASSERT_NO_FATAL_FAILURE(ledger.Note(*ring.Pop()));
  }
  ledger.ExpectAll(kShare);
}

TEST(MpscRingTest, BulksAndClaims) {
  constexpr std::uint32_t kShare = kItems / 2;
  MpscRing<Plain, 256> ring(2);
  std::jthread bulk([&ring] {
    auto producer = ring.MakeProducer();
    std::array<Plain, 37> items;
    for (std::uint32_t done = 0; done < kShare;) {
      const std::size_t n = std::min<std::size_t>(items.size(), kShare - done);
      for (std::uint32_t i = 0; i < n; ++i) items[i] = {0, done + i};
      ASSERT_EQ(producer.PushMany(std::span(items).first(n)), n);
      done += static_cast<std::uint32_t>(n);
    }
  });
  std::jthread in_place([&ring] {
    auto producer = ring.MakeProducer();
    for (std::uint32_t done = 0; done < kShare;) {
      auto claim = producer.AwaitClaim(std::min(19u, kShare - done));
      // Every other time less than what was claimed, and now and then nothing.
      const std::size_t n = claim.slots().size() - done % claim.slots().size();
      for (std::size_t i = 0; i < n; ++i) {
        claim.slots()[i] = {1, done + static_cast<std::uint32_t>(i)};
      }
      claim.Publish(n);
      done += static_cast<std::uint32_t>(n);
    }
  });
  Ledger ledger(2);
  std::array<Plain, 100> out;
  for (std::uint32_t seen = 0; seen < 2 * kShare;) {
    const std::size_t n = ring.PopMany(out);
    ASSERT_GT(n, 0u);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_NO_FATAL_FAILURE(ledger.Note(out[i]));
    }
    seen += static_cast<std::uint32_t>(n);
  }
  ledger.ExpectAll(kShare);
}

TEST(MpscRingTest, FullAndEmpty) {
  MpscRing<int, 4> ring(1);
  auto producer = ring.MakeProducer();
  EXPECT_EQ(ring.capacity(), 8u);  // the shared lane and the producer's
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(producer.TryPush(i));
  EXPECT_FALSE(producer.TryPush(4));
  EXPECT_EQ(ring.size(), 4u);
  EXPECT_EQ(ring.TryPop(), 0);
  EXPECT_TRUE(producer.TryPush(4));
  for (int i = 1; i < 5; ++i) EXPECT_EQ(ring.TryPop(), i);
  EXPECT_EQ(ring.TryPop(), std::nullopt);
  EXPECT_EQ(ring.size(), 0u);
}

TEST(MpscRingTest, AFailedTryPushLeavesTheItemAlone) {
  MpscRing<std::unique_ptr<int>, 1> ring(1);
  auto producer = ring.MakeProducer();
  EXPECT_TRUE(producer.TryPush(std::make_unique<int>(1)));
  auto item = std::make_unique<int>(2);
  EXPECT_FALSE(producer.TryPush(std::move(item)));
  ASSERT_NE(item, nullptr);
  EXPECT_EQ(*item, 2);
}

TEST(MpscRingTest, LanesAreUsedAgain) {
  MpscRing<int, 2> ring(1);
  for (int round = 0; round < 5; ++round) {
    auto owner = ring.MakeProducer();
    auto guest = ring.MakeProducer();  // on the shared lane
    EXPECT_TRUE(owner.TryPush(1));
    EXPECT_TRUE(owner.TryPush(2));
    EXPECT_FALSE(owner.TryPush(3));
    EXPECT_TRUE(guest.TryPush(4));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.TryPop().has_value());
  }
}

TEST(MpscRingTest, WhatIsLeftIsDestroyed) {
  const auto watched = std::make_shared<int>(7);
  {
    MpscRing<std::shared_ptr<int>, 8> ring(1);
    auto producer = ring.MakeProducer();
    for (int i = 0; i < 5; ++i) producer.Push(watched);
    ring.Push(watched);
    ring.TryPop();
    EXPECT_EQ(watched.use_count(), 1 + 5);
  }
  EXPECT_EQ(watched.use_count(), 1);
}

// Throws when told to.
struct Fragile {
  static inline bool armed = false;
  explicit Fragile(int v) : value(v) {
    if (armed) throw std::runtime_error("push");
  }
  Fragile(Fragile&& other) : value(other.value) {
    if (armed) throw std::runtime_error("move");
  }
  int value;
};

TEST(MpscRingTest, AThrowingPushPushesNothing) {
  MpscRing<Fragile, 4> ring(1);
  auto producer = ring.MakeProducer();
  producer.Push(1);
  Fragile::armed = true;
  EXPECT_THROW(producer.Push(2), std::runtime_error);
  EXPECT_THROW(ring.Push(2), std::runtime_error);
  Fragile::armed = false;
  EXPECT_EQ(ring.size(), 1u);
  EXPECT_TRUE(producer.TryPush(3));
  EXPECT_EQ(ring.Pop()->value, 1);
  EXPECT_EQ(ring.Pop()->value, 3);
}

TEST(MpscRingTest, AThrowingPopLeavesTheItem) {
  MpscRing<Fragile, 4> ring(1);
  auto producer = ring.MakeProducer();
  producer.Push(1);
  producer.Push(2);
  Fragile::armed = true;
  EXPECT_THROW(ring.Pop(), std::runtime_error);
  EXPECT_THROW(ring.TryPop(), std::runtime_error);
  Fragile::armed = false;
  EXPECT_EQ(ring.size(), 2u);
  EXPECT_EQ(ring.Pop()->value, 1);
  EXPECT_EQ(ring.Pop()->value, 2);
}

TEST(MpscRingTest, CloseDrainsThenEnds) {
  MpscRing<int, 4> ring(1);
  auto producer = ring.MakeProducer();
  producer.Push(1);
  producer.Push(2);
  ring.Close();
  ring.Close();
  EXPECT_TRUE(ring.closed());
  EXPECT_FALSE(producer.Push(3));
  EXPECT_FALSE(producer.TryPush(3));
  EXPECT_FALSE(ring.Push(3));
  std::array<int, 2> more{3, 4};
  EXPECT_EQ(producer.PushMany(std::span(more)), 0u);
  EXPECT_TRUE(producer.AwaitClaim(1).slots().empty());
  EXPECT_EQ(ring.Pop(), 1);
  EXPECT_EQ(ring.Pop(), 2);
  EXPECT_EQ(ring.Pop(), std::nullopt);
  std::array<int, 4> out{};
  EXPECT_EQ(ring.PopMany(out), 0u);
}

enum class End { kClose, kStop };
class MpscRingEndTest : public testing::TestWithParam<End> {
 protected:
  void EndIt(MpscRing<int, 2>& ring) {
    if (GetParam() == End::kClose) {
      ring.Close();
    } else {
      stop_.request_stop();
    }
  }
  std::stop_source stop_;
};
INSTANTIATE_TEST_SUITE_P(Ways, MpscRingEndTest,
                         testing::Values(End::kClose, End::kStop));

// Whether the end comes before, while or after the other side falls asleep is
// left to chance; no order may hang.
TEST_P(MpscRingEndTest, WakesAConsumerOfAnEmptyRing) {
  for (int round = 0; round < 300; ++round) {
    MpscRing<int, 2> ring(1);
    stop_ = {};
    std::jthread consumer([&, token = stop_.get_token()] {
      EXPECT_EQ(ring.Pop(token), std::nullopt);
      std::array<int, 2> out{};
      EXPECT_EQ(ring.PopMany(out, token), 0u);
    });
    for (int i = 0; i < round % 7; ++i) std::this_thread::yield();
    EndIt(ring);
  }
}

TEST_P(MpscRingEndTest, WakesProducersOfAFullRing) {
  for (int round = 0; round < 300; ++round) {
    MpscRing<int, 2> ring(2);
    stop_ = {};
    const auto token = stop_.get_token();
    std::vector<std::jthread> producers;
    for (int p = 0; p < 3; ++p) {  // the third one is on the shared lane
      producers.emplace_back([&ring, token, p] {
        auto producer = ring.MakeProducer();
        if (p == 1) {
          const std::array<int, 5> many{};
          EXPECT_LT(producer.PushMany(std::span(many), token), 5u);
        } else {
          int pushed = 0;
          while (producer.Push(p, token)) ++pushed;
          EXPECT_LE(pushed, 2);
        }
      });
    }
    for (int i = 0; i < round % 7; ++i) std::this_thread::yield();
    EndIt(ring);
  }
}

TEST_P(MpscRingEndTest, WhatWasPushedIsPopped) {
  for (int round = 0; round < 300; ++round) {
    MpscRing<int, 2> ring(2);
    stop_ = {};
    const auto token = stop_.get_token();
    std::atomic<int> pushed{0};
    std::vector<std::jthread> producers;
    for (int p = 0; p < 2; ++p) {
      producers.emplace_back([&] {
        auto producer = ring.MakeProducer();
        while (producer.Push(1, token)) pushed.fetch_add(1);
      });
    }
    int popped = 0;
    for (; popped < 10 + round; ++popped) ASSERT_TRUE(ring.Pop().has_value());
    EndIt(ring);
    producers.clear();  // joins
    ring.Close();
    while (ring.Pop().has_value()) ++popped;
    EXPECT_EQ(popped, pushed.load());
  }
}

}  // namespace
}  // namespace hpcnn
