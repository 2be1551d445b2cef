// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Arena: one aligned allocation, handed out in order and freed as a whole. The
// training loop takes everything it needs from one arena before it starts, so
// that it never allocates. Not thread-safe; take everything first.

#ifndef HPCNN_BASE_ARENA_H_
#define HPCNN_BASE_ARENA_H_

#include <cstddef>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

#include "hpcnn/base/check.h"
#include "hpcnn/base/target.h"

HPCNN_NAMESPACE_BEGIN

// One cache line and one AVX-512 vector.
inline constexpr std::size_t kArenaAlignment = 64;

// The bytes that Take<T>(count) uses up, for constexpr budgets.
template <class T>
constexpr std::size_t ArenaBytes(std::size_t count) {
  return (count * sizeof(T) + kArenaAlignment - 1) / kArenaAlignment *
         kArenaAlignment;
}

class Arena {
 public:
  explicit Arena(std::size_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(
            ::operator new (bytes, std::align_val_t{kArenaAlignment}))) {}

  // `count` value-initialised elements, aligned to kArenaAlignment. Aborts when
  // the arena is too small: its budget is computed, not guessed.
  template <class T>
  std::span<T> Take(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T>,
                  "hpcnn: an Arena frees memory without calling destructors");
    const std::size_t bytes = ArenaBytes<T>(count);
    HPCNN_CHECK(bytes <= bytes_ - used_, "the arena's budget is too small");
    T* first = reinterpret_cast<T*>(memory_.get() + used_);
    std::uninitialized_value_construct_n(first, count);
    used_ += bytes;
    return {first, count};
  }

  std::size_t bytes() const { return bytes_; }
  std::size_t used() const { return used_; }

 private:
  struct Free {
    void operator()(std::byte* p) const {
      ::operator delete (p, std::align_val_t{kArenaAlignment});
    }
  };
  std::size_t bytes_;
  std::size_t used_ = 0;
  std::unique_ptr<std::byte, Free> memory_;
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_ARENA_H_
