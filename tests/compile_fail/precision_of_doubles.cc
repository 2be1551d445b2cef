// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Gemm's precision is a choice for float alone

#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

#ifdef HPCNN_FAIL
using Element = double;
#else
using Element = float;
#endif

int main() {
  static hpcnn::Tensor<Element, 3, 4> a;
  static hpcnn::Tensor<Element, 4, 2> b;
  static hpcnn::Tensor<Element, 3, 2> c;
  hpcnn::Gemm<hpcnn::Simd, hpcnn::Bf16x3>(a.view(), b.view(), c.view());
}
