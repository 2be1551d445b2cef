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
// Highway calls a target AVX2 or better only where there is AES too, which
// -march=x86-64-v3 and -v4 do not name: both would be its SSSE3, slow and with
// one name for two sets of flags. We use no AES.
#if !defined(HWY_DISABLE_PCLMUL_AES) && \
    !(defined(__AES__) && defined(__PCLMUL__))
#define HWY_DISABLE_PCLMUL_AES
#endif
// Its assertions, there without optimisation alone, call its compiled library.
#if !defined(HWY_IS_DEBUG_BUILD)
#define HWY_IS_DEBUG_BUILD 0
#endif
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

// write(2) and _exit because stdio is not there yet.
[[noreturn, gnu::cold, gnu::noinline]] inline void RefuseCpu(
    const char* missing) {
  char line[192];
  unsigned length = 0;
  const auto append = [&](const char* text) {
    while (*text != 0 && length < sizeof(line)) line[length++] = *text++;
  };
  append("hpcnn: this program was compiled for a processor with ");
  append(missing);
  append(
      ", which this one lacks; rebuild it here, or with --config=portable or "
      "--config=scalar\n");
  if (write(2, line, length) < 0) _exit(2);
  _exit(2);
}

// Runs before every other initialiser of the program (priority 101 is the first
// that is not reserved), so that nothing has used a missing instruction yet.
// One test and branch a feature: whatever computes more might be compiled to
// the instructions that are asked for. The list is what GCC 12 and Clang 14
// both know, the oldest first.
[[gnu::constructor(101), gnu::cold, gnu::noinline]] static void
RefuseLesserCpu() {
  __builtin_cpu_init();
#define HPCNN_NEEDS(feature, name) \
  if (!__builtin_cpu_supports(feature)) RefuseCpu(name)
#ifdef __SSE4_2__
  HPCNN_NEEDS("sse4.2", "SSE4.2");
#endif
#ifdef __AVX__
  HPCNN_NEEDS("avx", "AVX");
#endif
#ifdef __AVX2__
  HPCNN_NEEDS("avx2", "AVX2");
#endif
#ifdef __FMA__
  HPCNN_NEEDS("fma", "FMA");
#endif
#ifdef __BMI__
  HPCNN_NEEDS("bmi", "BMI");
#endif
#ifdef __BMI2__
  HPCNN_NEEDS("bmi2", "BMI2");
#endif
#ifdef __AES__
  HPCNN_NEEDS("aes", "AES");
#endif
#ifdef __PCLMUL__
  HPCNN_NEEDS("pclmul", "PCLMUL");
#endif
#ifdef __AVX512F__
  HPCNN_NEEDS("avx512f", "AVX-512F");
#endif
#ifdef __AVX512BW__
  HPCNN_NEEDS("avx512bw", "AVX-512BW");
#endif
#ifdef __AVX512CD__
  HPCNN_NEEDS("avx512cd", "AVX-512CD");
#endif
#ifdef __AVX512DQ__
  HPCNN_NEEDS("avx512dq", "AVX-512DQ");
#endif
#ifdef __AVX512VL__
  HPCNN_NEEDS("avx512vl", "AVX-512VL");
#endif
#ifdef __AVX512IFMA__
  HPCNN_NEEDS("avx512ifma", "AVX-512IFMA");
#endif
#ifdef __AVX512VBMI__
  HPCNN_NEEDS("avx512vbmi", "AVX-512VBMI");
#endif
#ifdef __AVX512VBMI2__
  HPCNN_NEEDS("avx512vbmi2", "AVX-512VBMI2");
#endif
#ifdef __AVX512VNNI__
  HPCNN_NEEDS("avx512vnni", "AVX-512VNNI");
#endif
#ifdef __AVX512BITALG__
  HPCNN_NEEDS("avx512bitalg", "AVX-512BITALG");
#endif
#ifdef __AVX512VPOPCNTDQ__
  HPCNN_NEEDS("avx512vpopcntdq", "AVX-512VPOPCNTDQ");
#endif
#ifdef __AVX512BF16__
  HPCNN_NEEDS("avx512bf16", "AVX-512BF16");
#endif
// Except these, which Clang 14 does not know by name.
#if defined(__AVX512FP16__) && !defined(__clang__)
  HPCNN_NEEDS("avx512fp16", "AVX-512FP16");
#endif
#if defined(__AVXVNNI__) && !defined(__clang__)
  HPCNN_NEEDS("avxvnni", "AVX-VNNI");
#endif
#if defined(__VAES__) && !defined(__clang__)
  HPCNN_NEEDS("vaes", "VAES");
#endif
#ifdef __GFNI__
  HPCNN_NEEDS("gfni", "GFNI");
#endif
#ifdef __VPCLMULQDQ__
  HPCNN_NEEDS("vpclmulqdq", "VPCLMULQDQ");
#endif
#undef HPCNN_NEEDS
}

}  // namespace internal
HPCNN_NAMESPACE_END

#endif  // x86

#endif  // HPCNN_BASE_TARGET_H_
