// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Gemm multiplies float by float, double by double, or int8_t

#include <cstdint>

#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/gemm.h"

#ifdef HPCNN_FAIL
using Element = bool;
#else
using Element = std::uint8_t;
#endif

int main() {
  static hpcnn::Tensor<Element, 3, 4> a;
  static hpcnn::Tensor<std::int8_t, 4, 2> b;
  static hpcnn::Tensor<std::int32_t, 3, 2> c;
  hpcnn::Gemm<hpcnn::Simd>(a.view(), b.view(), c.view());
}
