// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: a layer's input must have the shape that the layer before it produces
// EXPECT: AtLayer<1>
// EXPECT: Shape<10>
// EXPECT: Elements<12>

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Reshape = hpcnn::Reshape<3, 4>;
#else
using Reshape = hpcnn::Reshape<2, 5>;
#endif

using Net = hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>, Reshape,
                              hpcnn::Flatten, hpcnn::Dense<4>>;

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
