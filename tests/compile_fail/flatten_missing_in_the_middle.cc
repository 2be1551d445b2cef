// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: put Flatten before a layer that expects FlatShape
// EXPECT: AtLayer<2>
// EXPECT: Produces<
// EXPECT: Shape<2, 3, 5>
// EXPECT: Expects<
// EXPECT: FlatShape

#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<2, 3, 5>, hpcnn::Tanh, hpcnn::Relu,
                              hpcnn::Dense<4>, hpcnn::Relu, hpcnn::Dense<2>>;
#else
using Net = hpcnn::Sequential<hpcnn::Input<2, 3, 5>, hpcnn::Tanh, hpcnn::Relu,
                              hpcnn::Flatten, hpcnn::Dense<4>, hpcnn::Relu,
                              hpcnn::Dense<2>>;
#endif

int main() { return Net::kParameterCount == 134 ? 0 : 1; }
