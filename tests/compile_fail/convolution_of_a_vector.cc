// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: a layer's input must have the shape that the layer before it produces
// EXPECT: AtLayer<1>
// EXPECT: Shape<784>
// EXPECT: ImageShape

#include "hpcnn/nn/conv2d.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Conv2d<8, 5, 5>>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Conv2d<8, 5, 5>>;
#endif

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
