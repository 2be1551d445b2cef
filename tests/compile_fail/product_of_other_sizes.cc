// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Gemm needs [M, K] x [K, N] -> [M, N]

#include <cstddef>

#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

#ifdef HPCNN_FAIL
constexpr std::size_t kRows = 5;
#else
constexpr std::size_t kRows = 4;
#endif

int main() {
  static hpcnn::Tensor<float, 3, 4> a;
  static hpcnn::Tensor<float, kRows, 2> b;
  static hpcnn::Tensor<float, 3, 2> c;
  hpcnn::Gemm<hpcnn::Simd>(a.view(), b.view(), c.view());
}
