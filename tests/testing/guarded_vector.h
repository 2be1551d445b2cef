// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#ifndef HPCNN_TESTS_TESTING_GUARDED_VECTOR_H_
#define HPCNN_TESTS_TESTING_GUARDED_VECTOR_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <vector>

namespace hpcnn_test {

// Elements end where a page begins that may not be touched.
template <class T>
struct GuardedAllocator {
  using value_type = T;

  GuardedAllocator() = default;
  template <class U>
  GuardedAllocator(const GuardedAllocator<U>&) {}

  T* allocate(std::size_t n) {
    const std::size_t inside = Pages(n);
    void* const base = mmap(nullptr, inside + Page(), PROT_NONE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED || mprotect(base, inside, PROT_READ | PROT_WRITE)) {
      throw std::bad_alloc();
    }
    return reinterpret_cast<T*>(static_cast<char*>(base) + inside) - n;
  }
  void deallocate(T* p, std::size_t n) {
    const std::size_t inside = Pages(n);
    munmap(reinterpret_cast<char*>(p + n) - inside, inside + Page());
  }
  bool operator==(const GuardedAllocator&) const = default;

 private:
  static std::size_t Page() {
    return static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  }
  // Bytes of the pages that n elements need.
  static std::size_t Pages(std::size_t n) {
    return (n * sizeof(T) + Page() - 1) / Page() * Page();
  }
};

// Not to be resized. For tests that a sanitizer would take minutes to compile.
template <class T>
using GuardedVector = std::vector<T, GuardedAllocator<T>>;

}  // namespace hpcnn_test

#endif  // HPCNN_TESTS_TESTING_GUARDED_VECTOR_H_
