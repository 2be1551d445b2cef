// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: Gemm has no kernel for this policy here
// EXPECT: include hpcnn/ops/gemm_cuda.cuh from a .cu file
// MORE ERRORS: GCC goes on after the assertion.

#include "hpcnn/base/policy.h"
#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

#ifdef HPCNN_FAIL
using Policy = hpcnn::Cuda;
#else
using Policy = hpcnn::Simd;
#endif

int main() {
  float x = 1;
  const hpcnn::MatrixView<float> m(&x, 1, 1);
  float y = 0;
  hpcnn::Gemm<Policy>(m, m, hpcnn::MatrixView<float>(&y, 1, 1));
}
