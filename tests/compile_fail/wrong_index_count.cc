// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: give one index per dimension of the tensor

#include "hpcnn/base/tensor.h"

int main() {
  const hpcnn::Tensor<int, 2, 3> zeros{};
#ifdef HPCNN_FAIL
  return zeros(1);
#else
  return zeros(1, 2);
#endif
}
