// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// RingLane: the ring buffer of which MpscRing has several. One consumer, and
// one producer inside at a time. Only indices and slots; MpscRing does the
// waiting.
//
// Indices count items in steps of 2; bit 0 of tail says that a producer is
// inside. Item i is in slot i mod Capacity. Each side keeps a copy of the other
// side's index and looks at the original only when the copy says full, or
// empty, so that the two touch each other's cache lines once a run, not once an
// item.

#ifndef HPCNN_CONCURRENCY_RING_LANE_H_
#define HPCNN_CONCURRENCY_RING_LANE_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "hpcnn/base/target.h"
#include "hpcnn/concurrency/atomics.h"
#include "hpcnn/concurrency/cache_line.h"
#include "hpcnn/concurrency/event_count.h"

HPCNN_NAMESPACE_BEGIN
namespace internal {

template <class T, std::size_t Capacity, class Atomics>
class RingLane {
 public:
  using Index = typename Atomics::Index;

  // Before use: raw memory for Capacity items, and whether producers compete.
  void Start(T* slots, bool shared) {
    slots_ = slots;
    shared_ = shared;
  }
  bool shared() const { return shared_; }
  EventCount<Atomics>& room() { return room_; }

  // Gives an unshared lane to one owner at a time.
  bool TryOwn() {
    // Acquire: pairs with the release in Disown, of the last owner.
    return !owned_.exchange(true, std::memory_order_acquire);
  }
  void Disown() { owned_.store(false, std::memory_order_release); }

  // Producer: gets inside, unless somebody is, and learns tail.
  bool Enter(Index& tail) {
    // Acquire: pairs with the release in Leave, of the one inside before us.
    tail = tail_.load(std::memory_order_acquire);
    if ((tail & kBusy) != 0) return false;
    const Index busy = static_cast<Index>(tail | kBusy);
    if (shared_) {
      return tail_.compare_exchange_strong(
          tail, busy, std::memory_order_acquire, std::memory_order_relaxed);
    }
    // Release, for nothing new: but the consumer may read this value instead of
    // the one that Leave stored, and must still see the slots filled. (A
    // compare-and-swap continues the release it read; a store does not.)
    tail_.store(busy, std::memory_order_release);
    return true;
  }

  // Producer inside: up to `most` empty slots, adjacent in memory.
  std::span<T> Empty(Index tail, std::size_t most) {
    std::size_t room = Capacity - Distance(seen_head_, tail);
    if (room < most) {
      // Acquire: pairs with the release in Take, which emptied them.
      seen_head_ = head_.load(std::memory_order_acquire);
      room = Capacity - Distance(seen_head_, tail);
    }
    T* const first = Slot(tail);
    const auto to_wrap = static_cast<std::size_t>(slots_ + Capacity - first);
    return {first, std::min({most, room, to_wrap})};
  }

  // Producer: hands over the first `count` of those slots and gets out.
  void Leave(Index tail, std::size_t count) {
    tail = Advance(tail, count);
    Index head = seen_head_;
    // Release: pairs with the acquire in Look; the slots are filled.
    tail_.store(tail, std::memory_order_release);
    if (!shared_) return;
    // Others may wait to get inside, if there is room; if not, it is for the
    // consumer to wake them. Without that distinction a producer that finds the
    // lane full would wake itself, and look again, for ever.
    if (Distance(head, tail) == Capacity) {
      head = head_.load(std::memory_order_acquire);
    }
    if (Distance(head, tail) != Capacity) room_.Notify();
  }

  // Consumer: is anything left of what was seen? Relaxed: its own index.
  bool HasSeen() const {
    return seen_tail_ != head_.load(std::memory_order_relaxed);
  }

  // Consumer: looks for more.
  bool Look() {
    // Acquire: pairs with the release in Leave; the slots are filled.
    seen_tail_ =
        static_cast<Index>(tail_.load(std::memory_order_acquire) & ~kBusy);
    return HasSeen();
  }

  // Consumer: passes up to `most` of the items seen to `sink`. An item is taken
  // when sink has returned; if it throws, that one is still there.
  template <class Sink>
  void Take(std::size_t most, Sink sink) {
    struct Taken {
      ~Taken() {
        // Release: pairs with the acquire in Empty; the slots are empty.
        lane.head_.store(head, std::memory_order_release);
        lane.room_.Notify();
      }
      RingLane& lane;
      Index head;
    } taken{*this, head_.load(std::memory_order_relaxed)};
    const Index end =
        Advance(taken.head, std::min(most, Distance(taken.head, seen_tail_)));
    for (; taken.head != end; taken.head = Advance(taken.head, 1)) {
      T* const slot = Slot(taken.head);
      sink(std::move(*slot));
      std::destroy_at(slot);
    }
  }

  // Consumer: no item, and no producer inside.
  bool Idle() const {
    return tail_.load(std::memory_order_acquire) ==
           head_.load(std::memory_order_relaxed);
  }

  // Anyone. Head first: tail only grows, so the difference may come out too
  // large, which min bounds, but never negative. Relaxed would do for tail.
  std::size_t size() const {
    const Index head = head_.load(std::memory_order_acquire);
    const Index tail = tail_.load(std::memory_order_acquire);
    return std::min(Distance(head, tail), Capacity);
  }

 private:
  template <class V>
  using Atomic = typename Atomics::template Atomic<V>;
  static constexpr Index kBusy = 1;

  static Index Advance(Index index, std::size_t items) {
    return static_cast<Index>(index + 2 * items);
  }
  static std::size_t Distance(Index from, Index to) {
    return static_cast<Index>(to - from) / 2;
  }
  T* Slot(Index index) const { return slots_ + index / 2 % Capacity; }

  // Written by the producer inside.
  alignas(kNoFalseSharing) Atomic<Index> tail_{0};
  Index seen_head_ = 0;
  // Written by the consumer.
  alignas(kNoFalseSharing) Atomic<Index> head_{0};
  Index seen_tail_ = 0;
  // Read by both, seldom written.
  alignas(kNoFalseSharing) EventCount<Atomics> room_;
  Atomic<bool> owned_{false};
  bool shared_ = false;
  T* slots_ = nullptr;  // [Capacity]
};

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_CONCURRENCY_RING_LANE_H_
