// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// MpscRing in every order that its threads' atomic accesses can take, and
// mutants of it that the search must find.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "hpcnn/concurrency/mpsc_ring.h"
#include "tests/concurrency/interleavings.h"

using hpcnn_test::Arena;

void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto a = static_cast<std::size_t>(alignment);
  void* const p = Arena::on ? Arena::Take(size, a)
                            : std::aligned_alloc(a, (size + a - 1) / a * a);
  if (p == nullptr) std::abort();
  return p;
}
void* operator new(std::size_t size) {
  return operator new (size, std::align_val_t{16});
}
void operator delete(void* p) noexcept {
  if (!Arena::Owns(p)) std::free(p);
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }
void operator delete(void* p, std::align_val_t) noexcept { operator delete(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  operator delete(p);
}

namespace hpcnn_test {
namespace {

template <class T, std::size_t Capacity>
using Ring =
    hpcnn::MpscRing<T, Capacity, CheckedAtomics</*Index=*/std::uint8_t>>;

// Item i of producer p is 10 p + i + 1.
int ItemOf(int p, int i) { return 10 * p + i + 1; }

// What a producer has done and the consumer has got.
struct Log {
  std::vector<int> pushed;  // of each producer: how many it was told it pushed
  std::vector<int> popped;

  explicit Log(std::size_t producers) : pushed(producers) { popped.reserve(8); }
  void Popped(int item) {
    popped.push_back(item);
    std::uint64_t knowledge = 0;
    for (int each : popped) {
      knowledge = knowledge * 32 + static_cast<std::uint64_t>(each);
    }
    Checker::Get().Forget(knowledge);
  }
  // Each pushed item once, each producer's in order.
  std::string Check() const {
    std::vector<int> next(pushed.size());
    for (int item : popped) {
      const auto p = static_cast<std::size_t>(item / 10);
      if (p >= next.size() || item % 10 != ++next[p]) return "wrong item";
    }
    return next == pushed ? "" : "lost item";
  }
};

template <class Ring>
std::function<void()> Pushes(Ring* ring, Log* log, int p, int items,
                             std::stop_token stop = {}) {
  auto* producer = new typename Ring::Producer(ring->MakeProducer());
  return [=] {
    for (int i = 0; i < items; ++i) {
      Checker::Get().Forget(static_cast<std::uint64_t>(i));
      if (!producer->Push(CheckedItem(ItemOf(p, i)), stop)) break;
      ++log->pushed[static_cast<std::size_t>(p)];
    }
    Checker::Get().Forget(100);
  };
}

// Pops until the ring is closed, or this many items.
template <class Ring>
std::function<void()> Pops(Ring* ring, Log* log, int items,
                           std::stop_token stop = {}) {
  return [=] {
    Checker::Get().Forget(0);
    for (int i = 0; i < items; ++i) {
      const auto item = ring->Pop(stop);
      if (!item) break;
      log->Popped(item->Read());
    }
  };
}

// Two producers, one consumer; `own` of the producers have their own lane.
template <std::size_t Capacity>
Program TwoProducers(std::size_t own, int items0, int items1) {
  auto* ring = new Ring<CheckedItem, Capacity>(own);
  auto* log = new Log(2);
  return {{Pushes(ring, log, 0, items0), Pushes(ring, log, 1, items1),
           Pops(ring, log, items0 + items1)},
          [=] { return ring->size() != 0 ? "not empty" : log->Check(); }};
}

void ExpectRight(const std::function<Program()>& make,
                 bool store_buffers = true) {
  const Outcome outcome = Checker::Get().Explore(make, {}, store_buffers);
  EXPECT_EQ(outcome.failure, "");
  EXPECT_GT(outcome.states, 20u);
  std::printf("searched: %zu states in %zu runs\n", outcome.states,
              outcome.runs);
}

class MpscRingInterleavings : public testing::Test {
 protected:
  void SetUp() override {
#ifdef HPCNN_TEST_NO_FIBERS
    GTEST_SKIP()
        << "this sanitizer cannot follow fibers, and there is only one "
           "thread to watch";
#endif
  }
};

TEST_F(MpscRingInterleavings, TwoProducersTwoItemsCapacityTwoOwnLanes) {
  ExpectRight([] { return TwoProducers<2>(2, 2, 2); });
}

TEST_F(MpscRingInterleavings, TwoProducersTwoItemsCapacityTwoOneOnShared) {
  ExpectRight([] { return TwoProducers<2>(1, 2, 2); });
}

// Both on the shared lane. The same with two items each, searched without store
// buffers, is 18 million states, 2 minutes and 1 GB; it is right too:
// --gtest_also_run_disabled_tests.
TEST_F(MpscRingInterleavings, TwoProducersOneItemSharedLane) {
  ExpectRight([] { return TwoProducers<2>(0, 1, 1); });
  ExpectRight([] { return TwoProducers<1>(0, 1, 1); });
}
TEST_F(MpscRingInterleavings, DISABLED_TwoProducersTwoItemsSharedLane) {
  ExpectRight([] { return TwoProducers<2>(0, 2, 2); }, false);
}

// A producer that sleeps on a full ring, twice.
TEST_F(MpscRingInterleavings, CapacityOne) {
  for (const std::size_t own : {0u, 1u}) {
    ExpectRight([own] {
      auto* ring = new Ring<CheckedItem, 1>(own);
      auto* log = new Log(1);
      return Program{{Pushes(ring, log, 0, 4), Pops(ring, log, 4)},
                     [=] { return log->Check(); }};
    });
  }
}

// In place, and a producer that has to sleep for its slot.
TEST_F(MpscRingInterleavings, CapacityOneInPlace) {
  for (const std::size_t own : {0u, 1u}) {
    ExpectRight([own] {
      auto* ring = new Ring<int, 1>(own);
      auto* producer = new Ring<int, 1>::Producer(ring->MakeProducer());
      auto* log = new Log(1);
      return Program{{[=] {
                        for (int i = 0; i < 3; ++i) {
                          Checker::Get().Forget(static_cast<std::uint64_t>(i));
                          auto claim = producer->AwaitClaim(1);
                          claim.slots()[0] = ItemOf(0, i);
                          claim.Publish(1);
                          ++log->pushed[0];
                        }
                        Checker::Get().Forget(100);
                      },
                      [=] {
                        Checker::Get().Forget(0);
                        for (int i = 0; i < 3; ++i) {
                          log->Popped(ring->Pop().value_or(-1));
                        }
                      }},
                     [=] { return log->Check(); }};
    });
  }
}

// Many at a time, which go through the ring in parts.
TEST_F(MpscRingInterleavings, ManyAtATime) {
  for (const std::size_t own : {0u, 1u}) {
    ExpectRight([own] {
      auto* ring = new Ring<int, 2>(own);
      auto* producer = new Ring<int, 2>::Producer(ring->MakeProducer());
      auto* log = new Log(1);
      return Program{
          {[=] {
             Checker::Get().Forget(0);
             std::array<int, 3> items{ItemOf(0, 0), ItemOf(0, 1), ItemOf(0, 2)};
             log->pushed[0] =
                 static_cast<int>(producer->PushMany(std::span(items)));
             Checker::Get().Forget(100);
           },
           [=] {
             Checker::Get().Forget(0);
             std::array<int, 3> out{};
             for (std::size_t n = 0; n < 3;) {
               const std::size_t got = ring->PopMany(out);
               for (std::size_t i = 0; i < got; ++i) {
                 log->Popped(out[i]);
               }
               n += got;
             }
           }},
          [=] { return log->Check(); }};
    });
  }
}

// What Push returned true for is popped, whenever Close comes, and everybody
// comes to an end.
TEST_F(MpscRingInterleavings, Close) {
  for (const std::size_t own : {0u, 1u}) {
    ExpectRight([own] {
      auto* ring = new Ring<CheckedItem, 1>(own);
      auto* log = new Log(1);
      return Program{{Pushes(ring, log, 0, 2), Pops(ring, log, 100),
                      [=] { ring->Close(); }},
                     [=] { return log->Check(); }};
    });
  }
}

TEST_F(MpscRingInterleavings, StopConsumer) {
  ExpectRight([] {
    auto* ring = new Ring<CheckedItem, 2>(1);
    auto* log = new Log(1);
    auto* stop = new std::stop_source;
    return Program{
        {Pushes(ring, log, 0, 1), Pops(ring, log, 100, stop->get_token()),
         [=] { stop->request_stop(); }},
        [=] {
          // What has not been popped is still there.
          while (auto item = ring->TryPop()) {
            log->Popped(item->Read());
          }
          return log->Check();
        }};
  });
}

TEST_F(MpscRingInterleavings, StopProducer) {
  for (const std::size_t own : {0u, 1u}) {
    ExpectRight([own] {
      auto* ring = new Ring<CheckedItem, 1>(own);
      auto* log = new Log(1);
      auto* stop = new std::stop_source;
      return Program{{Pushes(ring, log, 0, 3, stop->get_token()),
                      Pops(ring, log, 1), [=] { stop->request_stop(); }},
                     [=] {
                       while (auto item = ring->TryPop()) {
                         log->Popped(item->Read());
                       }
                       return log->Check();
                     }};
    });
  }
}

TEST_F(MpscRingInterleavings, IndicesWrapAround) {
  ExpectRight([] {
    auto* ring = new Ring<CheckedItem, 2>(0);
    auto* log = new Log(1);
    // Indices count in twos: the next item but one has index 0 again.
    for (int i = 0; i < 127; ++i) {
      if (!ring->TryPush(CheckedItem(0)) || !ring->TryPop()) {
        Checker::Get().Fail("warm-up");
      }
    }
    return Program{{Pushes(ring, log, 0, 4), Pops(ring, log, 4)},
                   [=] { return log->Check(); }};
  });
}

// The checker itself: after x = 1 || y = 1, may both threads read the other's
// variable as 0? On x86 yes, unless the stores are seq_cst.
TEST_F(MpscRingInterleavings, CheckerKnowsStoreBuffers) {
  const auto both_read_0 = [](std::memory_order order, bool store_buffers) {
    const auto make = [=] {
      auto* x = new CheckedAtomic<int>(0);
      auto* y = new CheckedAtomic<int>(0);
      auto* read = new int[2]{-1, -1};
      const auto thread = [=](CheckedAtomic<int>* mine,
                              CheckedAtomic<int>* other, int* result) {
        return [=] {
          mine->store(1, order);
          *result = other->load(std::memory_order_acquire);
        };
      };
      return Program{{thread(x, y, &read[0]), thread(y, x, &read[1])},
                     [=] { return read[0] + read[1] == 0 ? "both" : ""; }};
    };
    return Checker::Get().Explore(make, {}, store_buffers).failure == "both";
  };
  EXPECT_TRUE(both_read_0(std::memory_order_release, true));
  EXPECT_FALSE(both_read_0(std::memory_order_seq_cst, true));
  EXPECT_FALSE(both_read_0(std::memory_order_release, false));
}

// --- mutants ---

std::string FailureOf(const Mutation& mutation) {
  return Checker::Get()
      .Explore([] { return TwoProducers<2>(1, 2, 2); }, mutation)
      .failure;
}

TEST_F(MpscRingInterleavings, FindsMissingNotify) {
  EXPECT_EQ(FailureOf({.no_notify = true}), "deadlock");
}

TEST_F(MpscRingInterleavings, FindsMissingHeavyFence) {
  EXPECT_EQ(FailureOf({.no_heavy_fence = true}), "deadlock");
}

TEST_F(MpscRingInterleavings, FindsRelaxedPublish) {
  EXPECT_EQ(FailureOf({.relaxed_stores = true}), "data race");
}

TEST_F(MpscRingInterleavings, FindsRelaxedLook) {
  EXPECT_EQ(FailureOf({.relaxed_loads = true}), "data race");
}

// The producer believes that the consumer has freed one slot more than it has.
TEST_F(MpscRingInterleavings, FindsWrongFullCheck) {
  Mutation mutation;
  const auto make = [&] {
    auto* ring = new Ring<CheckedItem, 2>(0);
    auto* log = new Log(1);
    // What is stored last when an item is popped is the head of its lane.
    if (!ring->TryPush(CheckedItem(0)) || !ring->TryPop()) {
      Checker::Get().Fail("warm-up");
    }
    mutation.skewed_location = Checker::Get().last_stored();
    return Program{{Pushes(ring, log, 0, 4), Pops(ring, log, 4)},
                   [=] { return log->Check(); }};
  };
  EXPECT_EQ(Checker::Get().Explore(make, mutation).failure, "");
  mutation.skew = 2;  // one item
  EXPECT_EQ(Checker::Get().Explore(make, mutation).failure, "data race");
}

// In place, and published before it is written.
TEST_F(MpscRingInterleavings, FindsPublishedBeforeWritten) {
  const auto program = [](bool publish_first) {
    auto* ring = new Ring<int, 2>(1);
    auto* producer = new Ring<int, 2>::Producer(ring->MakeProducer());
    auto* popped = new int(0);
    return Program{{[=] {
                      auto claim = producer->AwaitClaim(1);
                      int* const slot = claim.slots().data();
                      if (publish_first) claim.Publish(1);
                      *slot = 7;
                      if (!publish_first) claim.Publish(1);
                    },
                    [=] { *popped = ring->Pop().value_or(-1); }},
                   [=] { return *popped == 7 ? "" : "wrong item"; }};
  };
  EXPECT_EQ(Checker::Get().Explore([&] { return program(false); }).failure, "");
  EXPECT_EQ(Checker::Get().Explore([&] { return program(true); }).failure,
            "wrong item");
}

}  // namespace
}  // namespace hpcnn_test
