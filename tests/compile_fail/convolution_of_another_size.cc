// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Conv2dImage of [C, Y, X] by [O, C, P, Q] gives

#include <cstddef>

#include "hpcnn/base/tensor.h"
#include "hpcnn/ops/conv2d_image.h"

#ifdef HPCNN_FAIL
constexpr std::size_t kCols = 28;
#else
constexpr std::size_t kCols = 24;
#endif

int main() {
  static hpcnn::Tensor<float, 1, 28, 28> x;
  static hpcnn::Tensor<float, 8, 1, 5, 5> w;
  static hpcnn::Tensor<float, 8, 24, kCols> y;
  hpcnn::Conv2dImage<hpcnn::Simd>(x.view(), w.view(), y.view());
}
