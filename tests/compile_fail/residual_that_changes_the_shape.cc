// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: branches that are added must end in one shape
// EXPECT: AtLayer<1>
// EXPECT: Produces<
// EXPECT: Shape<2, 6, 5>
// EXPECT: Shape<2, 4, 3>

#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Pad = hpcnn::Padding<0>;
#else
using Pad = hpcnn::Padding<1>;
#endif
using Net = hpcnn::Sequential<
    hpcnn::Input<2, 6, 5>, hpcnn::Relu,
    hpcnn::Residual<hpcnn::Conv2d<2, 3, 3, hpcnn::Stride<1>, Pad>>>;

int main() { return Net::kParameterCount == 38 ? 0 : 1; }
