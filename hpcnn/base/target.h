// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// The SIMD target of this translation unit: the namespace named after it, and
// the one-line refusal on a processor that lacks it.
//
// hpcnn is header-only, so its code takes the -m flags of whoever includes it.
// Two files built with different flags would define the same inline functions
// with different bodies; the inline namespace makes every symbol differ, so
// they link side by side and each keeps its own code.

#ifndef HPCNN_BASE_TARGET_H_
#define HPCNN_BASE_TARGET_H_

#if defined(__CUDACC__)
// Highway does not compile under nvcc with AVX-512 flags; .cu files see Scalar
// and Cuda alone.
#define HPCNN_TARGET cuda_host
#else
#include "hwy/highway.h"
#if HWY_TARGET != HWY_STATIC_TARGET
#error "hpcnn: include hpcnn headers outside hwy/foreach_target.h's passes"
#endif
#define HPCNN_TARGET HWY_NAMESPACE
#endif

#define HPCNN_NAMESPACE_BEGIN \
  namespace hpcnn {           \
  inline namespace HPCNN_TARGET {
#define HPCNN_NAMESPACE_END \
  }                         \
  }

#if (defined(__x86_64__) || defined(__i386__)) && !defined(__CUDACC__)

#include <unistd.h>

HPCNN_NAMESPACE_BEGIN
namespace internal {

// Runs before every other initialiser of the program (priority 101 is the first
// that is not reserved), so that nothing has used a missing instruction yet.
// write(2) and _exit because stdio is not there yet; no vector code of its own.
[[gnu::constructor(101), gnu::cold, gnu::noinline]] static void
RefuseLesserCpu() {
  const char* missing = nullptr;
  __builtin_cpu_init();
  // What both GCC 12 and Clang 14 can ask for; the older the feature, the
  // later in the list, so that the message names the oldest one missing.
#ifdef __VPCLMULQDQ__
  if (!__builtin_cpu_supports("vpclmulqdq")) missing = "VPCLMULQDQ";
#endif
#ifdef __GFNI__
  if (!__builtin_cpu_supports("gfni")) missing = "GFNI";
#endif
#ifdef __AVX512BF16__
  if (!__builtin_cpu_supports("avx512bf16")) missing = "AVX-512BF16";
#endif
#ifdef __AVX512VPOPCNTDQ__
  if (!__builtin_cpu_supports("avx512vpopcntdq")) missing = "AVX-512VPOPCNTDQ";
#endif
#ifdef __AVX512BITALG__
  if (!__builtin_cpu_supports("avx512bitalg")) missing = "AVX-512BITALG";
#endif
#ifdef __AVX512VNNI__
  if (!__builtin_cpu_supports("avx512vnni")) missing = "AVX-512VNNI";
#endif
#ifdef __AVX512VBMI2__
  if (!__builtin_cpu_supports("avx512vbmi2")) missing = "AVX-512VBMI2";
#endif
#ifdef __AVX512VBMI__
  if (!__builtin_cpu_supports("avx512vbmi")) missing = "AVX-512VBMI";
#endif
#ifdef __AVX512IFMA__
  if (!__builtin_cpu_supports("avx512ifma")) missing = "AVX-512IFMA";
#endif
#ifdef __AVX512VL__
  if (!__builtin_cpu_supports("avx512vl")) missing = "AVX-512VL";
#endif
#ifdef __AVX512DQ__
  if (!__builtin_cpu_supports("avx512dq")) missing = "AVX-512DQ";
#endif
#ifdef __AVX512CD__
  if (!__builtin_cpu_supports("avx512cd")) missing = "AVX-512CD";
#endif
#ifdef __AVX512BW__
  if (!__builtin_cpu_supports("avx512bw")) missing = "AVX-512BW";
#endif
#ifdef __AVX512F__
  if (!__builtin_cpu_supports("avx512f")) missing = "AVX-512F";
#endif
#ifdef __PCLMUL__
  if (!__builtin_cpu_supports("pclmul")) missing = "PCLMUL";
#endif
#ifdef __AES__
  if (!__builtin_cpu_supports("aes")) missing = "AES";
#endif
#ifdef __BMI2__
  if (!__builtin_cpu_supports("bmi2")) missing = "BMI2";
#endif
#ifdef __BMI__
  if (!__builtin_cpu_supports("bmi")) missing = "BMI";
#endif
#ifdef __FMA__
  if (!__builtin_cpu_supports("fma")) missing = "FMA";
#endif
#ifdef __AVX2__
  if (!__builtin_cpu_supports("avx2")) missing = "AVX2";
#endif
#ifdef __AVX__
  if (!__builtin_cpu_supports("avx")) missing = "AVX";
#endif
#ifdef __SSE4_2__
  if (!__builtin_cpu_supports("sse4.2")) missing = "SSE4.2";
#endif
  if (missing == nullptr) return;

  char line[192];
  unsigned length = 0;
  const auto append = [&](const char* text) {
    while (*text != 0 && length < sizeof(line)) line[length++] = *text++;
  };
  append("hpcnn: this program was compiled for a processor with ");
  append(missing);
  append(
      ", which this one lacks; rebuild it here, or with --config=portable "
      "or --config=scalar\n");
  if (write(2, line, length) < 0) _exit(2);
  _exit(2);
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // x86

#endif  // HPCNN_BASE_TARGET_H_
