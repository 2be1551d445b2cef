// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Where compilers need a hint: loops and registers.
//
// GCC leaves a loop of more than some steps as it is, and what it indexes with a
// variable then lives in memory.
//
//   HPCNN_UNROLL
//   for (std::size_t r = 0; r < kRows; ++r) sums[r] = ...
//
// is the cheap way (HPCNN_UNROLL_BY_4: four steps a turn); Unroll, each step of
// which takes time to compile, makes the index a constant expression.

#ifndef HPCNN_BASE_UNROLL_H_
#define HPCNN_BASE_UNROLL_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "hpcnn/base/target.h"

#if defined(__clang__)
#define HPCNN_UNROLL _Pragma("clang loop unroll(full)")
#define HPCNN_UNROLL_BY_4 _Pragma("clang loop unroll_count(4)")
#elif defined(__GNUC__)
#define HPCNN_UNROLL _Pragma("GCC unroll 64")
#define HPCNN_UNROLL_BY_4 _Pragma("GCC unroll 4")
#else
#define HPCNN_UNROLL
#define HPCNN_UNROLL_BY_4
#endif

HPCNN_NAMESPACE_BEGIN
namespace internal {

// f(constant 0), f(constant 1), ...: the index is a constant inside f.
template <std::size_t kCount, class F>
[[gnu::always_inline]] inline void Unroll(const F& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>)
      __attribute__((always_inline)) {
    (f(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<kCount>{});
}

// Nothing, but the compiler must have the vector `v` in a register here: it can
// neither move nor merge what makes it and what uses it. Without it GCC finishes
// one of many sums after the other and keeps all their terms meanwhile, of which
// there are more than registers; or loads a term anew for every sum.
template <class V>
[[gnu::always_inline]] inline void KeepInRegister([[maybe_unused]] V& v) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSE2
  asm volatile("" : "+v"(v.raw));
#endif
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_UNROLL_H_
