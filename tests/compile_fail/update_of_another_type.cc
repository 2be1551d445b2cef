// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Gemm's update is Overwrite, Accumulate or AlphaBeta of C's
// MORE ERRORS: clang looks at the kernels, too.

#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

#ifdef HPCNN_FAIL
using Factor = double;
#else
using Factor = float;
#endif

int main() {
  static hpcnn::Tensor<float, 3, 4> a;
  static hpcnn::Tensor<float, 4, 2> b;
  static hpcnn::Tensor<float, 3, 2> c;
  hpcnn::Gemm<hpcnn::Simd>(a.view(), b.view(), c.view(),
                           hpcnn::AlphaBeta<Factor>{2, 1});
}
