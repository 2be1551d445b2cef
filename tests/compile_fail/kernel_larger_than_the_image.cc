// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: the kernel must fit into the image and its padding
// EXPECT: ImageSide<4>
// EXPECT: KernelSide<5>
// EXPECT: PaddingBefore<0>

#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<1, 4, 9>, hpcnn::Conv2d<2, 5, 5>>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<1, 9, 9>, hpcnn::Conv2d<2, 5, 5>>;
#endif

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
