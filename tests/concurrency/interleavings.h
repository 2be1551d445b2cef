// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// A model checker for code templated on Atomics: runs a small program in every
// order that its threads' atomic accesses can take.
//
// Threads are fibers; each atomic access lets the checker choose which goes on,
// and a depth-first search runs the program again for every other choice. What
// is found: wrong results, deadlock (a lost wake-up is one), data races.
//
// Memory is that of x86 (TSO): a store that is not seq_cst may stay in its
// thread's store buffer while later loads go ahead, and leaves it, in order, at
// a moment the checker chooses. HeavyFence empties all buffers, LightFence does
// nothing, as on the machine. Data races are judged by C++'s rules instead: two
// accesses to an item conflict unless a release read by an acquire orders them,
// so a missing release or acquire is found though x86 would forgive it. What is
// not found: reorderings that only weaker machines make.
//
// The search is exhaustive: no bound on switches. Threads are switched only
// where it can matter: not before a store into the buffer (but before it leaves
// that), nor before a load of what no other thread stores to; when that turns
// out to be wrong, the search starts again knowing better. And a state that was
// reached before is not searched again. A state is what is in memory (all that
// the program allocates; static and local variables of its threads must not
// carry knowledge) and in the store buffers, which accesses to items have
// happened before what, and for each thread the values it has read since it
// last said, by Forget, that all it knows is a given number. It is kept as a
// 64-bit hash: the chance that any two of ten million collide is 3e-6.

#ifndef HPCNN_TESTS_CONCURRENCY_INTERLEAVINGS_H_
#define HPCNN_TESTS_CONCURRENCY_INTERLEAVINGS_H_

// Neither ASan nor TSan follows fibers that jump.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HPCNN_TEST_NO_FIBERS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HPCNN_TEST_NO_FIBERS
#endif
#endif

#include <setjmp.h>
#include <ucontext.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

namespace hpcnn_test {

inline constexpr std::size_t kMaxThreads = 4;
// Counts steps of each thread; a <= b in all of them: a happened before b.
using Clock = std::array<std::uint32_t, kMaxThreads>;

inline void Join(Clock& clock, const Clock& other) {
  for (std::size_t t = 0; t < kMaxThreads; ++t) {
    clock[t] = clock[t] > other[t] ? clock[t] : other[t];
  }
}

// What a mutant does wrong.
struct Mutation {
  bool no_notify = false;       // nobody is ever woken
  bool relaxed_stores = false;  // every release store is relaxed
  bool relaxed_loads = false;   // every acquire load is relaxed
  bool no_heavy_fence = false;  // HeavyFence does nothing
  std::size_t skewed_location = ~std::size_t{0};  // loads from this one ...
  std::uint64_t skew = 0;                         // ... read this much too much
};

// One run's threads, and a check to be made when all have ended: "" is right.
struct Program {
  std::vector<std::function<void()>> threads;
  std::function<std::string()> check = [] { return std::string(); };
};

struct Outcome {
  std::string failure;  // "" if there is none
  std::size_t runs = 0;
  std::size_t states = 0;
};

// Memory for the program under test, at the same addresses in every run. While
// `on`, operator new takes from here; the test program defines it so.
struct Arena {
  static constexpr std::size_t kBytes = 64 << 10;
  alignas(4096) static inline unsigned char bytes[kBytes];
  static inline std::size_t used = 0;
  static inline bool on = false;

  static void* Take(std::size_t size, std::size_t alignment) {
    used = (used + alignment - 1) / alignment * alignment + size;
    return used <= kBytes ? bytes + used - size : nullptr;
  }
  static bool Owns(const void* p) { return p >= bytes && p < bytes + kBytes; }
};

class Checker {
 public:
  static Checker& Get() {
    static Checker checker;
    return checker;
  }

  // `make` builds the program anew for every run.
  Outcome Explore(const std::function<Program()>& make,
                  const Mutation& mutation = {}, bool store_buffers = true) {
    outcome_ = {};
    store_buffers_ = store_buffers;
    mutation_ = mutation;
    writers_ = {};
    do {
      new_writer_ = false;
      path_.clear();
      seen_.clear();
      do {
        Run(make);
        ++outcome_.runs;
      } while (outcome_.failure.empty() && !new_writer_ && NextPath());
    } while (outcome_.failure.empty() && new_writer_);
    outcome_.states = seen_.size();
    mutation_ = {};
    return outcome_;
  }

  void Fail(const char* what) {
    const bool arena_on = std::exchange(Arena::on, false);
    if (outcome_.failure.empty()) outcome_.failure = what;
    Arena::on = arena_on;
  }

  // --- what Atomics and Item below call ---

  // An event word only ever counts up, and all that is done with a value read
  // from it is to ask for its lowest bit and whether the word still has it.
  std::size_t Register(std::uint64_t value, bool is_event_word) {
    locations_.at(location_count_) = {value, {}, is_event_word};
    return location_count_++;
  }

  std::uint64_t Load(std::size_t id, std::memory_order order) {
    if ((writers_[id] & ~Bit()) != 0) Step();
    Tick();
    const StoreBuffer& buffer = Buffer();
    for (std::size_t i = buffer.end; i-- > buffer.first;) {
      if (buffer.stores[i].location == id) {
        return Observed(id, buffer.stores[i].value);
      }
    }
    const Location& l = locations_[id];
    if (Acquires(order) && !mutation_.relaxed_loads) Join(Now(), l.released);
    const bool skewed = id == mutation_.skewed_location && Running();
    threads_[current_].loaded[id] = l.value;
    return Observed(id, l.value + (skewed ? mutation_.skew : 0));
  }

  void Store(std::size_t id, std::uint64_t value, std::memory_order order) {
    if (!store_buffers_ || order == std::memory_order_seq_cst) Step();
    Tick();
    Writes(id);
    last_stored_ = id;
    const bool release = Releases(order) && !mutation_.relaxed_stores;
    Buffer().Add({id, value, release ? Now() : Clock{}});
    if (!Running() || !store_buffers_ || order == std::memory_order_seq_cst) {
      FlushAll(current_);
    }
  }

  // `change` maps the old value to the new one, or returns false.
  template <class Change>
  std::uint64_t ReadModifyWrite(std::size_t id, std::memory_order order,
                                Change change) {
    Step();
    Tick();
    Writes(id);
    FlushAll(current_);
    Location& l = locations_[id];
    if (Acquires(order)) Join(Now(), l.released);
    const std::uint64_t old = Observed(id, l.value);
    // A read-modify-write that does not release continues the release sequence
    // of the store it read.
    if (change(l.value) && Releases(order)) Join(l.released, Now());
    threads_[current_].changed[id] = l.value;
    return old;
  }

  void Wait(std::size_t id, std::uint64_t old, std::memory_order order) {
    for (;;) {
      ForgetAttempt(3);
      Step();
      Tick();
      FlushAll(current_);
      if (Acquires(order)) Join(Now(), locations_[id].released);
      const std::uint64_t value = locations_[id].value;
      Observed(id, value == old ? 0 : 1);
      if (value != old) return;
      threads_[current_].waits_for = id;
    }
  }

  void NotifyAll(std::size_t id) {
    Step();
    Tick();
    FlushAll(current_);
    if (mutation_.no_notify) return;
    for (Thread& thread : threads_) {
      if (thread.waits_for == id) thread.waits_for = kNothing;
    }
  }

  void HeavyFence() {
    Step();
    Tick();
    if (mutation_.no_heavy_fence) return;
    for (std::size_t t = 0; t < kMaxThreads; ++t) FlushAll(t);
  }

  // An access to an item, which is not atomic and now has `value`.
  void Access(const void* address, bool writes, int value) {
    if (!Running() || !Arena::Owns(address)) return;  // else it is a local one
    Item& item = ItemAt(address);
    for (std::size_t t = 0; t < kMaxThreads; ++t) {
      if (item.written[t] > Now()[t] || (writes && item.read[t] > Now()[t])) {
        Fail("data race");
      }
    }
    (writes ? item.written : item.read)[current_] = Now()[current_];
    item.value = value;
  }

  // Said by a thread between two operations: `knowledge` tells all of what it
  // has learned and done so far.
  void Forget(std::uint64_t knowledge) {
    threads_[current_].knowledge = knowledge;
    threads_[current_].changed.fill(kNoValue);
    ForgetAttempt(1);
  }

  // Said by the seam when a thread is about to sleep, or prepares to: of what
  // it has learned since Forget, it goes on with nothing but an event's key.
  void ForgetAttempt(std::uint64_t place) {
    Thread& thread = threads_[current_];
    thread.history = Mix(thread.knowledge, place);
    thread.loaded.fill(kNoValue);
  }

  std::size_t last_stored() const { return last_stored_; }

 private:
  static constexpr std::size_t kMaxLocations = 32;
  static constexpr std::uint64_t kNoValue = ~std::uint64_t{0};
  static constexpr std::size_t kStackBytes = 128 << 10;
  struct Location {
    std::uint64_t value;
    Clock released;  // what an acquire load takes over
    bool is_event_word;
  };
  struct BufferedStore {
    std::size_t location;
    std::uint64_t value;
    Clock released;
  };
  // First in, first out. In place: it grows while Arena is on.
  struct StoreBuffer {
    std::array<BufferedStore, 16> stores;
    std::size_t first = 0, end = 0;
    bool empty() const { return first == end; }
    void Add(const BufferedStore& store) {
      if (empty()) first = end = 0;
      stores.at(end++) = store;
    }
  };
  struct Thread {
    const std::function<void()>* body = nullptr;
    bool started = false;
    bool ended = true;
    std::size_t waits_for = kNothing;
    StoreBuffer buffer;
    std::uint64_t knowledge = 0;  // at the last Forget
    std::uint64_t history = 0;    // and the values it has read since, hashed
    // What it last read from, and left in, each location.
    std::array<std::uint64_t, kMaxLocations> loaded, changed;
    Clock now{};
    ucontext_t context;
    jmp_buf jump;
    std::vector<char> stack = std::vector<char>(kStackBytes);
  };
  struct Item {
    const void* address;
    Clock written{};  // each thread's last write, and last read
    Clock read{};
    int value = 0;
  };
  struct Choice {
    std::size_t taken;
    std::size_t options;
  };

  static bool Acquires(std::memory_order order) {
    return order != std::memory_order_relaxed &&
           order != std::memory_order_release;
  }
  static bool Releases(std::memory_order order) {
    return order != std::memory_order_relaxed &&
           order != std::memory_order_acquire;
  }
  static std::uint64_t Mix(std::uint64_t hash, std::uint64_t value) {
    hash = ((hash ^ value) + 0x2545F4914F6CDD1Du) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
  }

  Item& ItemAt(const void* address) {
    std::size_t i = 0;
    while (i < item_count_ && items_[i].address != address) ++i;
    if (i == item_count_) items_.at(item_count_++) = {address, {}, {}, 0};
    return items_[i];
  }

  void Tick() {
    Thread& thread = threads_[current_];
    if (Running()) ++thread.now[current_];
    thread.history = Mix(thread.history, 1);
  }
  unsigned Bit() const { return 1u << current_; }
  void Writes(std::size_t id) {
    if (!Running() || (writers_[id] & Bit()) != 0) return;
    writers_[id] |= Bit();
    new_writer_ = true;
  }

  bool Running() const { return current_ != kSetup; }
  StoreBuffer& Buffer() { return threads_[current_].buffer; }
  Clock& Now() { return threads_[current_].now; }

  std::uint64_t Observed(std::size_t id, std::uint64_t value) {
    Thread& thread = threads_[current_];
    thread.history =
        Mix(thread.history, locations_[id].is_event_word ? value & 1 : value);
    return value;
  }

  void FlushOne(std::size_t t) {
    StoreBuffer& buffer = threads_[t].buffer;
    const BufferedStore& store = buffer.stores[buffer.first++];
    locations_[store.location].value = store.value;
    locations_[store.location].released = store.released;
  }
  void FlushAll(std::size_t t) {
    while (!threads_[t].buffer.empty()) FlushOne(t);
  }

  // The point before an atomic access at which threads may be switched.
  void Step() {
    if (Running()) SwitchTo(Choose());
  }

  void Run(const std::function<Program()>& make) {
    std::memset(Arena::bytes, 0, Arena::used);
    Arena::used = 0;
    location_count_ = 0;
    item_count_ = 0;
    for (Thread& thread : threads_) {
      thread.ended = true;
      thread.waits_for = kNothing;
      thread.buffer = {};
      thread.knowledge = thread.history = 0;
      thread.loaded.fill(kNoValue);
      thread.changed.fill(kNoValue);
      thread.now = {};
    }
    threads_[kSetup].started = true;
    step_ = 0;
    known_ = false;
    Arena::on = true;
    // Never destroyed: a run may be given up halfway. All is in the arena.
    Program& program = *new Program(make());
    for (std::size_t t = 0; t < program.threads.size(); ++t) {
      Start(t, &program.threads[t]);
    }
    Arena::on = false;
    SwitchTo(Choose());
    if (outcome_.failure.empty() && !known_) {
      const std::string wrong = program.check();
      if (!wrong.empty()) Fail(wrong.c_str());
    }
  }

  void Start(std::size_t t, const std::function<void()>* body) {
    Thread& thread = threads_[t];
    thread.body = body;
    thread.ended = false;
    thread.started = false;
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack.data();
    thread.context.uc_stack.ss_size = thread.stack.size();
    thread.context.uc_link = nullptr;
    makecontext(&thread.context, &Checker::Body, 0);
  }
  static void Body() {
    Checker& checker = Get();
    Thread& thread = checker.threads_[checker.current_];
    thread.history = 1;  // to be told from a thread that has not begun
    (*thread.body)();
    thread.ended = true;
    checker.SwitchTo(checker.Choose());
  }

  // swapcontext makes two system calls; once both sides have run, a jump does.
  void SwitchTo(std::size_t t) {
    if (t == current_) return;
    Thread& from = threads_[current_];
    Thread& to = threads_[t];
    current_ = t;
    Arena::on = Running();
    if (_setjmp(from.jump) != 0) return;
    if (to.started) _longjmp(to.jump, 1);
    to.started = true;
    setcontext(&to.context);
  }

  // The thread to go on with, after as many stores have left their buffers as
  // the path says; kSetup when all have ended, something has failed, or a state
  // comes up that was seen before: what follows has been searched.
  std::size_t Choose() {
    const bool arena_on = std::exchange(Arena::on, false);
    const std::size_t chosen = ChooseByPath();
    Arena::on = arena_on;
    return chosen;
  }

  std::size_t ChooseByPath() {
    for (;;) {
      // Options: to go on with this thread (first, for speed), another thread,
      // or the oldest store of a buffer.
      std::array<std::size_t, 2 * kMaxThreads> options;
      std::size_t count = 0;
      bool ended = true;
      for (std::size_t i = 0; i < kMaxThreads; ++i) {
        const std::size_t t = (current_ + i) % kMaxThreads;
        if (!threads_[t].ended) ended = false;
        if (!threads_[t].ended && threads_[t].waits_for == kNothing) {
          options[count++] = t;
        }
      }
      for (std::size_t t = 0; t < kMaxThreads; ++t) {
        if (!threads_[t].buffer.empty()) options[count++] = kMaxThreads + t;
      }
      if (count == 0 && !ended) Fail("deadlock");
      if (count == 0 || !outcome_.failure.empty()) return kSetup;
      std::size_t taken = 0;
      if (count > 1) {
        if (step_ == path_.size()) {
          known_ = !seen_.insert(State()).second;
          if (known_) return kSetup;
          path_.push_back({0, count});
        }
        taken = path_[step_++].taken;
      }
      if (options[taken] < kMaxThreads) return options[taken];
      FlushOne(options[taken] - kMaxThreads);
    }
  }

  // The next path in depth-first order.
  bool NextPath() {
    while (!path_.empty() && path_.back().taken + 1 == path_.back().options) {
      path_.pop_back();
    }
    if (path_.empty()) return false;
    ++path_.back().taken;
    return true;
  }

  std::uint64_t State() const {
    std::uint64_t hash = 0;
    for (const Thread& thread : threads_) {
      hash = Mix(hash, thread.history);
      hash = Mix(hash, thread.waits_for * 2 + (thread.ended ? 1 : 0));
      hash = Mix(hash, Knows(thread.now));
      for (std::size_t i = thread.buffer.first; i < thread.buffer.end; ++i) {
        const BufferedStore& store = thread.buffer.stores[i];
        hash = Mix(hash, store.location);
        hash = Mix(hash, store.value);
        hash = Mix(hash, Knows(store.released));
      }
    }
    for (std::size_t i = 0; i < location_count_; ++i) {
      const Location& location = locations_[i];
      hash = Mix(hash, Knows(location.released));
      if (!location.is_event_word) {
        hash = Mix(hash, location.value);
        continue;
      }
      hash = Mix(hash, location.value & 1);
      for (const Thread& thread : threads_) {
        hash = Mix(hash, (thread.loaded[i] == location.value ? 2 : 0) +
                             (thread.changed[i] == location.value ? 1 : 0));
      }
    }
    for (std::size_t i = 0; i < item_count_; ++i) {
      const Item& item = items_[i];
      hash = Mix(hash, reinterpret_cast<std::uintptr_t>(item.address));
      hash = Mix(hash, static_cast<std::uint64_t>(item.value));
    }
    std::uint64_t word;
    for (std::size_t i = 0; i < Arena::used; i += sizeof(word)) {
      std::memcpy(&word, Arena::bytes + i, sizeof(word));
      hash = Mix(hash, word);
    }
    return hash;
  }

  // Of all accesses to items, those that happened before `clock`: that, and not
  // the clock itself, decides what will race.
  std::uint64_t Knows(const Clock& clock) const {
    std::uint64_t hash = 0;
    for (std::size_t i = 0; i < item_count_; ++i) {
      const Item& item = items_[i];
      for (std::size_t t = 0; t < kMaxThreads; ++t) {
        hash = hash * 2 + (item.written[t] <= clock[t] ? 1 : 0);
        hash = hash * 2 + (item.read[t] <= clock[t] ? 1 : 0);
      }
      hash = Mix(hash, 0);
    }
    return hash;
  }

  static constexpr std::size_t kSetup =
      kMaxThreads;  // the program is being made
  static constexpr std::size_t kNothing = ~std::size_t{0};

  std::array<Thread, kMaxThreads + 1> threads_;
  std::array<Location, kMaxLocations> locations_;
  std::size_t location_count_ = 0;
  std::array<unsigned, kMaxLocations>
      writers_{};  // of each location, as a set of bits
  bool new_writer_ = false;
  std::array<Item, 64> items_;
  std::size_t item_count_ = 0;
  std::vector<Choice> path_;
  std::unordered_set<std::uint64_t> seen_;
  Mutation mutation_;
  bool store_buffers_ = true;
  Outcome outcome_;
  std::size_t step_ = 0;  // position in path_
  bool known_ = false;    // this run came to a state seen before
  std::size_t current_ = kSetup;
  std::size_t last_stored_ = 0;
};

// The seam: std::atomic's interface, as far as hpcnn/concurrency uses it.
template <class V>
class CheckedAtomic {
 public:
  CheckedAtomic(V value) {
    id_ = Checker::Get().Register(static_cast<std::uint64_t>(value),
                                  std::is_same_v<V, std::uint32_t>);
  }
  CheckedAtomic(const CheckedAtomic&) = delete;

  V load(std::memory_order order) const {
    return static_cast<V>(Checker::Get().Load(id_, order));
  }
  void store(V value, std::memory_order order) {
    Checker::Get().Store(id_, static_cast<std::uint64_t>(value), order);
  }
  V exchange(V value, std::memory_order order) {
    return Change(order, [&](V) { return value; });
  }
  V fetch_add(V value, std::memory_order order) {
    return Change(order, [&](V old) { return static_cast<V>(old + value); });
  }
  V fetch_or(V value, std::memory_order order) {
    Checker::Get().ForgetAttempt(2);
    return Change(order, [&](V old) { return static_cast<V>(old | value); });
  }
  bool compare_exchange_strong(V& expected, V value, std::memory_order order) {
    bool equal = false;
    const auto old =
        Checker::Get().ReadModifyWrite(id_, order, [&](std::uint64_t& bits) {
          equal = static_cast<V>(bits) == expected;
          if (equal) bits = static_cast<std::uint64_t>(value);
          return equal;
        });
    if (!equal) expected = static_cast<V>(old);
    return equal;
  }
  bool compare_exchange_strong(V& expected, V value, std::memory_order order,
                               std::memory_order) {
    return compare_exchange_strong(expected, value, order);
  }
  void wait(V old, std::memory_order order) const {
    Checker::Get().Wait(id_, static_cast<std::uint64_t>(old), order);
  }
  void notify_all() { Checker::Get().NotifyAll(id_); }

 private:
  template <class F>
  V Change(std::memory_order order, F f) {
    return static_cast<V>(
        Checker::Get().ReadModifyWrite(id_, order, [&](std::uint64_t& bits) {
          bits = static_cast<std::uint64_t>(f(static_cast<V>(bits)));
          return true;
        }));
  }
  std::size_t id_;
};

template <class IndexType>
struct CheckedAtomics {
  template <class V>
  using Atomic = CheckedAtomic<V>;
  using Index = IndexType;
  static void LightFence() {}
  static void HeavyFence() { Checker::Get().HeavyFence(); }
  // Who looks again before it sleeps does what it does anyway, sooner.
  static bool GiveWay() { return false; }
  static constexpr int kLooks = 0;
  static void Rest() {}
};

// An item whose every access is watched for races.
class CheckedItem {
 public:
  CheckedItem() = default;
  explicit CheckedItem(int value) : value_(value) { Written(); }
  CheckedItem(const CheckedItem& other) : value_(other.Read()) { Written(); }
  CheckedItem& operator=(const CheckedItem& other) {
    value_ = other.Read();
    Written();
    return *this;
  }
  ~CheckedItem() {
    value_ = -1;
    Written();
  }
  int Read() const {
    Checker::Get().Access(this, /*writes=*/false, value_);
    return value_;
  }

 private:
  void Written() const { Checker::Get().Access(this, /*writes=*/true, value_); }
  int value_ = -1;
};

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_CONCURRENCY_INTERLEAVINGS_H_
