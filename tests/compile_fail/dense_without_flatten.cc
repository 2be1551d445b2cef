// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: a layer's input must have the shape that the layer before it produces
// EXPECT: put Flatten before a layer that expects FlatShape
// EXPECT: AtLayer<0>
// EXPECT: Produces<
// EXPECT: Shape<1, 28, 28>
// EXPECT: Expects<
// EXPECT: FlatShape

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Dense<10>>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<1, 28, 28>, hpcnn::Flatten,
                              hpcnn::Dense<10>>;
#endif

int main() { return Net::kParameterCount == 7850 ? 0 : 1; }
