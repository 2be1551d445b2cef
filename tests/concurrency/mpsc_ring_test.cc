// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "hpcnn/concurrency/mpsc_ring.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "tests/testing/allocation_count.h"

namespace {

using hpcnn::MpscRing;

// TSan is 20 times slower, and finds in fewer items what it can find.
#if defined(__SANITIZE_THREAD__)
#define HPCNN_TEST_TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HPCNN_TEST_TSAN
#endif
#endif
#ifdef HPCNN_TEST_TSAN
constexpr std::uint32_t kItems = 200'000;
#else
constexpr std::uint32_t kItems = 10'000'000;
#endif

// Indices that wrap around every 128 items.
struct NarrowAtomics : hpcnn::StdAtomics {
  using Index = std::uint8_t;
};

// --- one thread ---

TEST(MpscRing, FirstInFirstOutUntilFullAndEmpty) {
  MpscRing<int, 4> ring;
  EXPECT_EQ(ring.capacity(), 4u);
  for (int round = 0; round < 100; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.TryPush(i));
    EXPECT_FALSE(ring.TryPush(9));
    EXPECT_EQ(ring.size(), 4u);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(ring.TryPop(), i);
    EXPECT_EQ(ring.TryPop(), std::nullopt);
    EXPECT_EQ(ring.size(), 0u);
  }
}

TEST(MpscRing, EachProducerHasItsOwnLaneWhileThereAreAny) {
  MpscRing<int, 2> ring(2);
  EXPECT_EQ(ring.capacity(), 6u);
  auto first = std::make_optional(ring.MakeProducer());
  auto second = ring.MakeProducer();
  auto third = ring.MakeProducer();  // on the shared lane
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(first->TryPush(10 + i));
    EXPECT_TRUE(second.TryPush(20 + i));
    EXPECT_TRUE(third.TryPush(30 + i));
  }
  EXPECT_FALSE(first->TryPush(0));
  EXPECT_FALSE(second.TryPush(0));
  EXPECT_FALSE(third.TryPush(0));
  EXPECT_FALSE(ring.TryPush(0));
  EXPECT_EQ(ring.size(), 6u);
  std::set<int> popped;
  while (const auto item = ring.TryPop()) popped.insert(*item);
  EXPECT_EQ(popped, (std::set<int>{10, 11, 20, 21, 30, 31}));

  first.reset();  // its lane goes to the next
  auto fourth = ring.MakeProducer();
  EXPECT_TRUE(fourth.TryPush(40));
  EXPECT_TRUE(third.TryPush(32));
  EXPECT_TRUE(third.TryPush(33));
  EXPECT_FALSE(third.TryPush(0));
  EXPECT_TRUE(fourth.TryPush(41));
}

TEST(MpscRing, ManyAtATime) {
  MpscRing<int, 8> ring(1);
  auto producer = ring.MakeProducer();
  std::array<int, 20> items;
  for (int i = 0; i < 20; ++i) items[static_cast<std::size_t>(i)] = i;
  std::array<int, 20> out{};
  int next_in = 0;
  int next_out = 0;
  // 5 at a time do not divide 8: the runs wrap around in the middle.
  for (int round = 0; round < 50; ++round) {
    std::array<int, 5> five;
    for (int& item : five) item = next_in++;
    EXPECT_EQ(producer.PushMany(std::span(five)), 5u);
    EXPECT_EQ(ring.TryPopMany(std::span(out).first(2)), 2u);
    EXPECT_EQ(ring.PopMany(std::span(out).subspan(2)), 3u);
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(out[i], next_out++);
  }
  // More than there is room for: what fits up to the wrap-around, then more.
  std::size_t pushed = 0;
  while (const std::size_t n = producer.TryPushMany(
             std::span<const int>(items).subspan(pushed))) {
    pushed += n;
  }
  EXPECT_EQ(pushed, 8u);
  EXPECT_EQ(ring.TryPopMany(out), 8u);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(out[static_cast<std::size_t>(i)], i);
  EXPECT_TRUE(ring.TryPush(1));
  EXPECT_EQ(ring.PopMany({}), 0u);
}

TEST(MpscRing, InPlace) {
  MpscRing<int, 4> ring(1);
  auto producer = ring.MakeProducer();
  {
    auto claim = producer.TryClaim(3);
    ASSERT_EQ(claim.slots().size(), 3u);
    EXPECT_EQ(ring.TryPop(), std::nullopt);
    // One claim at a time.
    EXPECT_TRUE(producer.TryClaim(1).slots().empty());
    EXPECT_FALSE(producer.TryPush(0));
    for (int i = 0; i < 3; ++i) claim.slots()[static_cast<std::size_t>(i)] = i;
    claim.Publish(2);  // and gives the third back
  }
  EXPECT_EQ(ring.TryPop(), 0);
  EXPECT_EQ(ring.TryPop(), 1);
  EXPECT_EQ(ring.TryPop(), std::nullopt);
  { auto unused = producer.TryClaim(4); }
  EXPECT_EQ(ring.size(), 0u);
  // Two slots are left before the lane wraps around.
  EXPECT_EQ(producer.TryClaim(4).slots().size(), 2u);
  EXPECT_EQ(producer.AwaitClaim(4).slots().size(), 2u);
}

TEST(MpscRing, NarrowIndicesWrapAround) {
  MpscRing<int, 64, NarrowAtomics> ring(1);
  auto producer = ring.MakeProducer();
  int next_in = 0;
  int next_out = 0;
  for (int round = 0; round < 1000; ++round) {
    // Every fill level, full included, comes by at every index.
    for (int i = 0; i < round % 65; ++i) {
      ASSERT_TRUE(producer.TryPush(next_in++));
    }
    if (round % 65 == 64) {
      ASSERT_FALSE(producer.TryPush(-1));
    }
    ASSERT_EQ(ring.size(), static_cast<std::size_t>(round % 65));
    for (int i = 0; i < round % 65; ++i) ASSERT_EQ(ring.TryPop(), next_out++);
    ASSERT_EQ(ring.TryPop(), std::nullopt);
  }
}

TEST(MpscRing, DestroysWhatWasNotPopped) {
  const auto token = std::make_shared<int>(0);
  {
    MpscRing<std::shared_ptr<int>, 4> ring(1);
    auto producer = ring.MakeProducer();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.TryPush(token));
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(producer.TryPush(token));
    EXPECT_EQ(token.use_count(), 8);
    EXPECT_EQ(ring.Pop(), token);
    EXPECT_EQ(token.use_count(), 7);
  }
  EXPECT_EQ(token.use_count(), 1);
}

TEST(MpscRing, AFailedPushLeavesTheItemAlone) {
  MpscRing<std::unique_ptr<int>, 1> ring;
  EXPECT_TRUE(ring.TryPush(std::make_unique<int>(1)));
  auto item = std::make_unique<int>(2);
  EXPECT_FALSE(ring.TryPush(std::move(item)));
  ASSERT_NE(item, nullptr);
  ring.Close();
  EXPECT_FALSE(ring.Push(std::move(item)));
  ASSERT_NE(item, nullptr);
}

// Throws when it is told to; counts itself.
struct Thrower {
  static inline int throw_in = -1;  // moves until one throws
  static inline int alive = 0;
  static void Count() {
    if (throw_in >= 0 && throw_in-- == 0) throw std::runtime_error("told to");
  }
  explicit Thrower(int v = 0) : value(v) { ++alive; }
  Thrower(Thrower&& other) : value(other.value) {
    Count();
    ++alive;
  }
  Thrower& operator=(Thrower&& other) {
    Count();
    value = other.value;
    return *this;
  }
  ~Thrower() { --alive; }
  int value;
};

TEST(MpscRing, AThrowingItemIsNeitherLostNorDoubled) {
  {
    MpscRing<Thrower, 4> ring;
    for (int i = 0; i < 3; ++i) {
      Thrower::throw_in = 0;
      EXPECT_THROW(ring.TryPush(Thrower(i)), std::runtime_error);
      EXPECT_EQ(ring.size(), static_cast<std::size_t>(i));
      EXPECT_TRUE(ring.TryPush(Thrower(i)));
    }
    for (int i = 0; i < 3; ++i) {
      Thrower::throw_in = 0;
      EXPECT_THROW(ring.Pop(), std::runtime_error);
      EXPECT_EQ(ring.size(), static_cast<std::size_t>(3 - i));
      const auto item = ring.Pop();
      ASSERT_TRUE(item);
      EXPECT_EQ(item->value, i);
    }
  }
  {
    // Many at a time: those before the one that threw have changed places.
    MpscRing<Thrower, 4> ring(1);
    auto producer = ring.MakeProducer();
    std::array<Thrower, 4> items{Thrower(0), Thrower(1), Thrower(2),
                                 Thrower(3)};
    Thrower::throw_in = 3;
    EXPECT_THROW(producer.TryPushMany(std::span(items)), std::runtime_error);
    EXPECT_EQ(ring.size(), 3u);
    std::array<Thrower, 3> out;
    Thrower::throw_in = 2;
    EXPECT_THROW(ring.TryPopMany(out), std::runtime_error);
    EXPECT_EQ(out[0].value, 0);
    EXPECT_EQ(out[1].value, 1);
    EXPECT_EQ(ring.size(), 1u);
    Thrower::throw_in = -1;
    const auto item = ring.Pop();
    ASSERT_TRUE(item);
    EXPECT_EQ(item->value, 2);
    EXPECT_TRUE(producer.TryPush(Thrower(9)));
  }
  EXPECT_EQ(Thrower::alive, 0);
}

TEST(MpscRing, DoesNotAllocate) {
  MpscRing<int, 64> ring(1);
  auto producer = ring.MakeProducer();
  std::array<int, 8> items{};
  const auto before = AllocationCount();
  for (int i = 0; i < 1000; ++i) {
    ring.Push(i);
    producer.Push(i);
    producer.PushMany(std::span(items));
    producer.AwaitClaim(4).Publish(1);
    ring.Pop();
    while (ring.TryPopMany(items) != 0) {
    }
  }
  EXPECT_EQ(AllocationCount(), before);
}

// --- many threads: each item once, and each producer's in order ---

// An item says who made it, and that it has not been damaged.
struct Plain {
  std::uint32_t producer;
  std::uint32_t number;
};
Plain Make(std::type_identity<Plain>, std::uint32_t p, std::uint32_t i) {
  return {p, i};
}
Plain Read(const Plain& item) { return item; }

using MoveOnly = std::unique_ptr<Plain>;
MoveOnly Make(std::type_identity<MoveOnly>, std::uint32_t p, std::uint32_t i) {
  return std::make_unique<Plain>(Plain{p, i});
}
Plain Read(const MoveOnly& item) { return *item; }

// Every 41st move throws.
struct Unreliable {
  Unreliable(std::uint32_t p, std::uint32_t i) : plain{p, i} {}
  Unreliable(Unreliable&& other) : plain(other.plain) {
    thread_local int moves = 0;
    if (++moves % 41 == 0) throw std::runtime_error("unreliable");
  }
  Plain plain;
};
Unreliable Make(std::type_identity<Unreliable>, std::uint32_t p,
                std::uint32_t i) {
  return {p, i};
}
Plain Read(const Unreliable& item) { return item.plain; }

// Repeats what throws.
template <class F>
auto Insist(F f) {
  for (;;) {
    try {
      return f();
    } catch (const std::runtime_error&) {
    }
  }
}

enum class Lanes { kShared, kOwn };

template <class T, class Atomics = hpcnn::StdAtomics, std::size_t Capacity = 64>
void OnceAndInOrder(std::uint32_t producers, std::uint32_t items, Lanes lanes) {
  MpscRing<T, Capacity, Atomics> ring(lanes == Lanes::kOwn ? producers : 0);
  const std::uint32_t each = items / producers;
  std::vector<std::jthread> threads;
  for (std::uint32_t p = 0; p < producers; ++p) {
    threads.emplace_back([&ring, each, p] {
      auto producer = ring.MakeProducer();
      for (std::uint32_t i = 0; i < each; ++i) {
        T item = Insist([&] { return Make(std::type_identity<T>(), p, i); });
        if (!Insist([&] { return producer.Push(std::move(item)); })) {
          ADD_FAILURE() << "Push failed";
        }
      }
    });
  }
  std::vector<std::uint32_t> next(producers);
  for (std::uint32_t i = 0; i < each * producers; ++i) {
    const auto item = Insist([&] { return ring.Pop(); });
    ASSERT_TRUE(item);
    const Plain plain = Read(*item);
    ASSERT_LT(plain.producer, producers);
    ASSERT_EQ(plain.number, next[plain.producer]++);
  }
  EXPECT_FALSE(ring.TryPop());
}

class MpscRingProducers : public testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Counts, MpscRingProducers,
                         testing::Values(1, 2, 8, 32));

TEST_P(MpscRingProducers, PlainItemsOwnLanes) {
  OnceAndInOrder<Plain, hpcnn::StdAtomics, 1024>(GetParam(), kItems,
                                                 Lanes::kOwn);
}
TEST_P(MpscRingProducers, PlainItemsSharedLane) {
  OnceAndInOrder<Plain, hpcnn::StdAtomics, 1024>(GetParam(), kItems,
                                                 Lanes::kShared);
}
TEST_P(MpscRingProducers, MoveOnlyItems) {
  OnceAndInOrder<MoveOnly, hpcnn::StdAtomics, 1024>(GetParam(), kItems,
                                                    Lanes::kOwn);
  OnceAndInOrder<MoveOnly, hpcnn::StdAtomics, 1024>(GetParam(), kItems,
                                                    Lanes::kShared);
}
TEST_P(MpscRingProducers, ThrowingItems) {
  OnceAndInOrder<Unreliable>(GetParam(), kItems, Lanes::kOwn);
  OnceAndInOrder<Unreliable>(GetParam(), kItems, Lanes::kShared);
}
// Small and narrow: full, empty and wrapped around all the time.
TEST_P(MpscRingProducers, TinyRingNarrowIndices) {
  OnceAndInOrder<Plain, NarrowAtomics, 2>(GetParam(), kItems / 1000,
                                          Lanes::kOwn);
  OnceAndInOrder<Plain, NarrowAtomics, 2>(GetParam(), kItems / 1000,
                                          Lanes::kShared);
  OnceAndInOrder<Plain, NarrowAtomics, 64>(GetParam(), kItems / 10,
                                           Lanes::kShared);
}

TEST_P(MpscRingProducers, ManyAtATimeAndInPlace) {
  const std::uint32_t producers = GetParam();
  const std::uint32_t each = kItems / producers / 32 * 32;
  MpscRing<Plain, 256> ring(producers);
  std::vector<std::jthread> threads;
  for (std::uint32_t p = 0; p < producers; ++p) {
    threads.emplace_back([&ring, each, p] {
      auto producer = ring.MakeProducer();
      std::array<Plain, 32> items;
      for (std::uint32_t i = 0; i < each;) {
        if (i % 64 == 0) {
          for (Plain& item : items) item = {p, i++};
          if (producer.PushMany(std::span(items)) != items.size()) {
            ADD_FAILURE() << "PushMany failed";
          }
        } else {
          auto claim = producer.AwaitClaim(64 - i % 64);
          for (Plain& item : claim.slots()) item = {p, i++};
          claim.Publish(claim.slots().size());
        }
      }
    });
  }
  std::vector<std::uint32_t> next(producers);
  std::array<Plain, 100> out;
  for (std::size_t popped = 0; popped < std::size_t{each} * producers;) {
    const std::size_t n = ring.PopMany(out);
    ASSERT_GT(n, 0u);
    for (std::size_t i = 0; i < n; ++i) {
      ASSERT_EQ(out[i].number, next[out[i].producer]++);
    }
    popped += n;
  }
  EXPECT_EQ(ring.size(), 0u);
}

TEST(MpscRing, SizeStaysWithinCapacity) {
  MpscRing<int, 8> ring(2);
  std::atomic<bool> done = false;
  std::vector<std::jthread> threads;
  for (int p = 0; p < 2; ++p) {
    threads.emplace_back([&] {
      auto producer = ring.MakeProducer();
      while (producer.Push(1)) {
      }
    });
  }
  threads.emplace_back([&] {
    while (!done) EXPECT_LE(ring.size(), ring.capacity());
  });
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(ring.Pop());
  done = true;
  ring.Close();
}

// --- close and stop, from every state ---

// The two ways to end a wait. Which comes first, the wait or its end, is left
// to chance here; every order is tried in mpsc_ring_interleavings_test.cc.
enum class End { kClose, kStop };
enum class State { kEmpty, kHalf, kFull };
enum class Where { kOwnLane, kSharedLane };

class MpscRingEnd
    : public testing::TestWithParam<std::tuple<End, State, Where>> {};
INSTANTIATE_TEST_SUITE_P(
    All, MpscRingEnd,
    testing::Combine(testing::Values(End::kClose, End::kStop),
                     testing::Values(State::kEmpty, State::kHalf, State::kFull),
                     testing::Values(Where::kOwnLane, Where::kSharedLane)));

TEST_P(MpscRingEnd, EndsEveryWait) {
  const End end = std::get<0>(GetParam());
  const State state = std::get<1>(GetParam());
  const Where where = std::get<2>(GetParam());
  for (int round = 0; round < 50; ++round) {
    MpscRing<int, 4> ring(where == Where::kOwnLane ? 1 : 0);
    auto producer = ring.MakeProducer();
    int sent = 0;
    while (sent < (state == State::kEmpty  ? 0
                   : state == State::kHalf ? 2
                                           : 4)) {
      ASSERT_TRUE(producer.Push(sent++));
    }
    std::stop_source stop;
    std::latch started(2);
    // Waits for items, or for room: more than there can ever be.
    std::jthread other([&, token = stop.get_token()] {
      started.arrive_and_wait();
      if (state == State::kEmpty) {
        EXPECT_EQ(ring.Pop(token), std::nullopt);
      } else {
        while (producer.Push(sent, token)) ++sent;
      }
    });
    started.arrive_and_wait();
    for (int spin = 0; spin < round * 20; ++spin) (void)ring.size();
    if (end == End::kClose) {
      ring.Close();
    } else {
      stop.request_stop();
    }
    other.join();
    EXPECT_EQ(ring.closed(), end == End::kClose);
    EXPECT_EQ(producer.TryPush(99), end == End::kStop && sent < 4);
    if (end == End::kStop && sent < 4) ++sent;
    std::size_t popped = 0;
    while (ring.TryPop()) ++popped;
    EXPECT_EQ(popped, static_cast<std::size_t>(sent));
    if (end == End::kClose) {
      EXPECT_EQ(ring.Pop(), std::nullopt);
      EXPECT_FALSE(ring.Push(1));
    }
  }
}

TEST(MpscRing, ClosedRingHandsOutWhatItHas) {
  MpscRing<int, 8> ring(1);
  auto producer = ring.MakeProducer();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(producer.Push(i));
  ring.Close();
  ring.Close();
  EXPECT_FALSE(producer.Push(3));
  EXPECT_FALSE(producer.TryPush(3));
  EXPECT_TRUE(producer.AwaitClaim(1).slots().empty());
  std::array<int, 2> two{};
  EXPECT_EQ(producer.PushMany(std::span(two)), 0u);
  EXPECT_EQ(ring.Pop(), 0);
  EXPECT_EQ(ring.PopMany(two), 2u);
  EXPECT_EQ(two, (std::array<int, 2>{1, 2}));
  EXPECT_EQ(ring.PopMany(two), 0u);
  EXPECT_EQ(ring.Pop(), std::nullopt);
}

// After Close, Pop waits for a claim that was made before.
TEST(MpscRing, ClosedRingWaitsForOpenClaims) {
  MpscRing<int, 8> ring(1);
  auto producer = ring.MakeProducer();
  auto claim = producer.TryClaim(1);
  ring.Close();
  std::jthread consumer([&] {
    EXPECT_EQ(ring.Pop(), 5);
    EXPECT_EQ(ring.Pop(), std::nullopt);
  });
  claim.slots()[0] = 5;
  claim.Publish(1);
}

TEST(MpscRing, StopRequestedBeforeStillTakesWhatIsThere) {
  std::stop_source stop;
  stop.request_stop();
  MpscRing<int, 1> ring;
  EXPECT_TRUE(ring.Push(1, stop.get_token()));
  EXPECT_FALSE(ring.Push(2, stop.get_token()));
  EXPECT_EQ(ring.Pop(stop.get_token()), 1);
  EXPECT_EQ(ring.Pop(stop.get_token()), std::nullopt);
}

// 8 producers asleep on a full ring, and all of them come back.
TEST(MpscRing, CloseWakesEverySleeper) {
  for (const std::size_t lanes : {0u, 8u}) {
    MpscRing<int, 2> ring(lanes);
    std::latch started(9);
    std::vector<std::jthread> producers;
    for (int p = 0; p < 8; ++p) {
      producers.emplace_back([&] {
        auto producer = ring.MakeProducer();
        started.arrive_and_wait();
        while (producer.Push(1)) {
        }
      });
    }
    started.arrive_and_wait();
    for (int i = 0; i < 100; ++i) EXPECT_EQ(ring.Pop(), 1);
    ring.Close();
    producers.clear();
    std::array<int, 9> left;
    while (ring.PopMany(left) != 0) {
    }
  }
}

}  // namespace
