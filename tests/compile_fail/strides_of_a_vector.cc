// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Whatever the strides: that it is no image is all that is said.

// EXPECT: a layer's input must have the shape that the layer before it produces
// EXPECT: AtLayer<1>
// EXPECT: Shape<36>
// EXPECT: ImageShape

#include "hpcnn/nn/depthwise_conv2d.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

using Strided =
    hpcnn::DepthwiseConv2d<3, 3, hpcnn::Stride<5>, hpcnn::Padding<1>>;
#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<1, 6, 6>, hpcnn::Flatten, Strided>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<1, 6, 6>, Strided, hpcnn::Flatten>;
#endif

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
