// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// FlushDenormals: while one lives, this thread's results below 2^-126 (float)
// become zero.
//
// Momentum of a weight whose input stays 0 decays into denormals, on which many
// processors are a hundred times slower; to training they are zero. Changes
// nothing on processors other than x86.

#ifndef HPCNN_BASE_FLUSH_DENORMALS_H_
#define HPCNN_BASE_FLUSH_DENORMALS_H_

#include "hpcnn/base/target.h"

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

HPCNN_NAMESPACE_BEGIN

class FlushDenormals {
 public:
#if defined(__SSE2__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlush); }
  ~FlushDenormals() { _mm_setcsr(before_); }
#else
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__)
  static constexpr unsigned kFlush = 0x8040;  // results and operands
  const unsigned before_;
#endif
};

HPCNN_NAMESPACE_END

#endif  // HPCNN_BASE_FLUSH_DENORMALS_H_
