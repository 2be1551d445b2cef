// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: (image - kernel + 2 padding) / stride must be whole
// EXPECT: ImageSide<28>
// EXPECT: KernelSide<4>
// EXPECT: StrideOf<5>

#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 29>,
                              hpcnn::Conv2d<2, 4, 4, hpcnn::Stride<5>>>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<1, 29, 29>,
                              hpcnn::Conv2d<2, 4, 4, hpcnn::Stride<5>>>;
#endif

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
