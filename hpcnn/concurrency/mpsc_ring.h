// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// MpscRing<T, Capacity>: a bounded queue from many threads to one.
//
//   MpscRing<Image, 1024> ring(workers);
//   worker     auto producer = ring.MakeProducer();
//              while (producer.Push(NextImage())) {}     // false: closed
//   consumer   while (auto image = ring.Pop()) Use(*image);
//
// It is a set of lanes (ring_lane.h), each a ring buffer of Capacity slots with
// one producer inside at a time: lane 0 is shared by everyone who calls
// ring.Push, each further lane belongs to one Producer. Lanes because producers
// that share an index pay one locked instruction an item, and one that is
// preempted between taking a ticket and filling its slot holds up everybody.
// Not for work that must come out in a fixed order whoever did it: that is
// BatchSlots.
//
// Order      first in, first out per Producer, and over all calls of ring.Push
//            together; none between lanes, which are drained in turn.
// Progress   nothing spins without bound. Try* of a Producer and TryPop are
//            wait-free; ring.TryPush too, but also gives up when another thread
//            is inside the shared lane. A stalled producer never holds up the
//            consumer or a producer of another lane.
// Waiting    a blocking call sleeps until it can go on, Close is called, or its
//            stop token is triggered. Nobody asleep: no system call. To sleep
//            and to be woken costs some 20 us: so a producer first gives way to
//            other threads, once, and the consumer looks again for 24 us, if
//            there are processors for it and all Producers.
// Close      every Push fails from then on; Pop hands out what is there, waits
//            for who is inside a lane, then reports the end. What a Push
//            returned true for is always popped.
// Exceptions if T's constructor throws in a Push, nothing was pushed (PushMany:
//            only the items before); in a Pop, the item is still there.
// Threads    any number of producers; one thread at a time in Pop*; a Producer
//            is used by one thread at a time and does not outlive the ring.
// Memory     allocated by the constructor, nothing afterwards.
//
// What must be synchronised, and where that would be redundant:
//   filling, emptying a slot  nothing: it has one owner at a time
//   Push hands it over        release of tail in Leave, acquired by Look
//   Pop hands it back         release of head in Take, acquired by Empty
//   taking a lane to push     compare-and-swap in the shared lane; a plain
//                             store in a Producer's own
//   is it full, is it empty?  nothing while the copy of the other side's index
//                             that each side keeps says no
//   is anybody asleep?        one load and a compiler fence (event_count.h)
//   size                      nothing: it is out of date when it returns

#ifndef HPCNN_CONCURRENCY_MPSC_RING_H_
#define HPCNN_CONCURRENCY_MPSC_RING_H_

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stop_token>
#include <type_traits>
#include <utility>

#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/atomics.h"
#include "hpcnn/concurrency/cache_line.h"
#include "hpcnn/concurrency/cpu_count.h"
#include "hpcnn/concurrency/event_count.h"
#include "hpcnn/concurrency/ring_lane.h"

HPCNN_NAMESPACE_BEGIN

template <class T, std::size_t Capacity, class Atomics = StdAtomics>
class MpscRing {
  using Index = typename Atomics::Index;
  using Lane = internal::RingLane<T, Capacity, Atomics>;

 public:
  static_assert(std::has_single_bit(Capacity),
                "hpcnn: the Capacity of an MpscRing must be a power of two");
  static_assert(Capacity <= std::numeric_limits<Index>::max() / 4 + 1,
                "hpcnn: Capacity must be at most a quarter of Index's range");
  static_assert(
      std::is_nothrow_destructible_v<T>,
      "hpcnn: the items of an MpscRing need a destructor that cannot throw");

  // Slots to be filled in place. While it lives its lane is taken: one at a
  // time for a Producer, and nobody else gets into the shared lane.
  class Claim {
   public:
    Claim(Claim&& other) noexcept
        : ring_(other.ring_),
          lane_(std::exchange(other.lane_, nullptr)),
          tail_(other.tail_),
          slots_(std::exchange(other.slots_, {})) {}
    Claim& operator=(Claim&&) = delete;
    ~Claim() { Publish(0); }

    // Empty when none could be claimed.
    std::span<T> slots() const { return slots_; }

    // Hands the first `count` slots to the consumer, the rest back to the lane,
    // and ends the claim.
    void Publish(std::size_t count) {
      if (lane_ == nullptr) return;
      std::exchange(lane_, nullptr)->Leave(tail_, count);
      ring_->items_.Notify();
    }

   private:
    friend MpscRing;
    Claim() = default;

    MpscRing* ring_ = nullptr;
    Lane* lane_ = nullptr;
    Index tail_ = 0;
    std::span<T> slots_;
  };

  // One producer's end of the ring.
  class Producer {
   public:
    Producer(Producer&& other) noexcept
        : ring_(other.ring_), lane_(std::exchange(other.lane_, nullptr)) {}
    Producer& operator=(Producer&&) = delete;
    ~Producer() {
      if (lane_ != nullptr && !lane_->shared()) lane_->Disown();
    }

    // Constructs an item from `item`, which is left alone when false is
    // returned: no room, somebody else inside the shared lane, or closed.
    template <class U>
    bool TryPush(U&& item) {
      Claim claim = Begin(1);
      if (claim.slots().empty()) return false;
      std::construct_at(claim.slots().data(), std::forward<U>(item));
      claim.Publish(1);
      return true;
    }

    // As TryPush, but waits for room. False: closed, or stop is requested and
    // there is no room.
    template <class U>
    bool Push(U&& item, const std::stop_token& stop = {}) {
      if (TryPush(std::forward<U>(item))) [[likely]]
        return true;
      bool pushed = false;
      AwaitRoom(stop, [&] {
        pushed = TryPush(std::forward<U>(item));
        return pushed || ring_->closed();
      });
      return pushed;
    }

    // Moves out of the first items (copies, if U is const); returns of how
    // many.
    template <class U, std::size_t Extent>
    std::size_t TryPushMany(std::span<U, Extent> items) {
      struct Filled {
        ~Filled() { claim.Publish(count); }
        Claim claim;
        std::size_t count = 0;
      } filled{Begin(items.size())};
      const std::span<T> slots = filled.claim.slots();
      for (; filled.count < slots.size(); ++filled.count) {
        std::construct_at(&slots[filled.count], std::move(items[filled.count]));
      }
      return slots.size();
    }

    // Returns less than all only when closed or stopped.
    template <class U, std::size_t Extent>
    std::size_t PushMany(std::span<U, Extent> items,
                         const std::stop_token& stop = {}) {
      std::size_t pushed = 0;
      const auto push = [&] {
        while (pushed < items.size()) {
          const std::size_t count = TryPushMany(items.subspan(pushed));
          if (count == 0) return ring_->closed();
          pushed += count;
        }
        return true;
      };
      if (!push()) AwaitRoom(stop, push);
      return pushed;
    }

    // Up to `most` slots, adjacent in memory, to be written in place and
    // published: fewer where the lane wraps around or has no more room.
    Claim TryClaim(std::size_t most) {
      static_assert(std::is_trivially_default_constructible_v<T> &&
                        std::is_trivially_destructible_v<T>,
                    "hpcnn: only trivial items can be written in place");
      return Begin(most);
    }

    // As TryClaim, but waits for one slot at least; none: closed or stopped.
    Claim AwaitClaim(std::size_t most, const std::stop_token& stop = {}) {
      std::optional<Claim> claim;
      const auto begin = [&] {
        claim.reset();  // an empty one still holds the lane
        claim.emplace(TryClaim(most));
        return !claim->slots().empty() || ring_->closed();
      };
      if (!begin()) AwaitRoom(stop, begin);
      return *std::move(claim);
    }

   private:
    friend MpscRing;
    Producer(MpscRing* ring, Lane* lane) : ring_(ring), lane_(lane) {}

    Claim Begin(std::size_t most) {
      Claim claim;
      if (!lane_->Enter(claim.tail_)) return claim;
      claim.ring_ = ring_;
      claim.lane_ = lane_;
      // Pairs with the heavy fence in AwaitItems: either this producer sees
      // that the ring is closed, or the consumer sees it inside the lane.
      Atomics::LightFence();
      if (!ring_->closed()) claim.slots_ = lane_->Empty(claim.tail_, most);
      return claim;
    }

    template <class Done>
    void AwaitRoom(const std::stop_token& stop, Done done) {
      if (Atomics::GiveWay() && done()) return;
      Await(lane_->room(), stop, done);
    }

    MpscRing* ring_;
    Lane* lane_;
  };

  // The shared lane, and lanes for `producers` Producers.
  explicit MpscRing(std::size_t producers = 0)
      : lane_count_(1 + producers),
        looks_(Atomics::kLooks > 0 &&
                       std::max<std::size_t>(producers, 1) < UsableCpus().count
                   ? Atomics::kLooks
                   : 0),
        lanes_(std::make_unique<Lane[]>(lane_count_)),
        slots_(static_cast<T*>(::operator new(lane_count_* Capacity * sizeof(T),
                                              kSlotAlignment))) {
    for (std::size_t i = 0; i < lane_count_; ++i) {
      lanes_[i].Start(slots_ + i * Capacity, /*shared=*/i == 0);
    }
  }
  ~MpscRing() {
    while (TryTake(Capacity, [](T&&) {})) {
    }
    ::operator delete(slots_, kSlotAlignment);
  }
  MpscRing(const MpscRing&) = delete;
  MpscRing& operator=(const MpscRing&) = delete;

  // A producer with a lane of its own or, when those are all taken, on the
  // shared lane.
  Producer MakeProducer() {
    for (std::size_t i = 1; i < lane_count_; ++i) {
      if (lanes_[i].TryOwn()) return Producer(this, &lanes_[i]);
    }
    return Producer(this, &lanes_[0]);
  }

  // From any thread, over the shared lane; as Producer's.
  template <class U>
  bool TryPush(U&& item) {
    return Producer(this, &lanes_[0]).TryPush(std::forward<U>(item));
  }
  template <class U>
  bool Push(U&& item, const std::stop_token& stop = {}) {
    return Producer(this, &lanes_[0]).Push(std::forward<U>(item), stop);
  }

  // Empty when there is nothing to pop.
  std::optional<T> TryPop() {
    std::optional<T> item;
    TryTake(1, [&](T&& slot) { item.emplace(std::move(slot)); });
    return item;  // moved nowhere: no compiler of today copies it
  }

  // Waits. Empty when closed and drained, or stop is requested and there is
  // nothing.
  std::optional<T> Pop(const std::stop_token& stop = {}) {
    if (FindUnread() == nullptr) [[unlikely]]
      AwaitItems(stop);
    return TryPop();
  }

  // Moves the next items to the front of `out` and returns how many.
  std::size_t TryPopMany(std::span<T> out) {
    std::size_t popped = 0;
    const auto move_out = [&](T&& slot) {
      out[popped] = std::move(slot);
      ++popped;
    };
    while (popped < out.size() && TryTake(out.size() - popped, move_out)) {
    }
    return popped;
  }

  // As TryPopMany, but waits for one item at least; 0: as Pop's empty.
  std::size_t PopMany(std::span<T> out, const std::stop_token& stop = {}) {
    if (FindUnread() == nullptr) AwaitItems(stop);
    return TryPopMany(out);
  }

  void Close() {
    // Release: pairs with the acquire in closed.
    closed_.store(true, std::memory_order_release);
    items_.NotifyAlways();
    for (std::size_t i = 0; i < lane_count_; ++i) {
      lanes_[i].room().NotifyAlways();
    }
  }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  // Items pushed and not popped, lane after lane: exact while nobody pushes or
  // pops, else out of date. From any thread.
  std::size_t size() const {
    std::size_t items = 0;
    for (std::size_t i = 0; i < lane_count_; ++i) items += lanes_[i].size();
    return items;
  }
  std::size_t capacity() const { return lane_count_ * Capacity; }

 private:
  static constexpr std::align_val_t kSlotAlignment{
      std::max(alignof(T), kNoFalseSharing)};

  // The current lane until what was seen of it is read, then the next that has
  // any item: so no lane starves.
  Lane* FindUnread() {
    if (lanes_[reading_].HasSeen()) return &lanes_[reading_];
    for (std::size_t i = 0; i < lane_count_; ++i) {
      reading_ = reading_ + 1 == lane_count_ ? 0 : reading_ + 1;
      if (lanes_[reading_].Look()) return &lanes_[reading_];
    }
    return nullptr;
  }

  // Passes up to `most` items of one lane to `sink`; false if there is none.
  template <class Sink>
  bool TryTake(std::size_t most, Sink sink) {
    Lane* const lane = FindUnread();
    if (lane == nullptr) return false;
    lane->Take(most, sink);
    return true;
  }

  void AwaitItems(const std::stop_token& stop) {
    for (int look = 0; look < looks_ && !closed(); ++look) {
      Atomics::Rest();
      if (FindUnread() != nullptr) return;
    }
    Await(items_, stop, [this] {
      if (FindUnread() != nullptr) return true;
      if (!closed()) return false;
      // Pairs with the light fence in Begin: a producer that is not seen inside
      // its lane after this will see that the ring is closed.
      Atomics::HeavyFence();
      return FindUnread() != nullptr ||
             std::all_of(lanes_.get(), lanes_.get() + lane_count_,
                         [](const Lane& lane) { return lane.Idle(); });
    });
  }

  const std::size_t lane_count_;
  const int looks_;  // of the consumer, before it sleeps
  const std::unique_ptr<Lane[]> lanes_;
  T* const slots_;           // [lane_count_, Capacity], raw memory
  std::size_t reading_ = 0;  // the consumer's lane

  // Read by everybody, seldom written.
  alignas(kNoFalseSharing) EventCount<Atomics> items_;
  typename Atomics::template Atomic<bool> closed_{false};
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_MPSC_RING_H_
