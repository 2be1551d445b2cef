// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: Reshape must keep the number of elements

#include "hpcnn/base/tensor.h"

int main() {
  const hpcnn::Tensor<int, 2, 3> zeros{};
#ifdef HPCNN_FAIL
  return zeros.view().Reshape<4>()[0];
#else
  return zeros.view().Reshape<6>()[0];
#endif
}
