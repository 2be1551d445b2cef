// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: put Flatten before a layer that expects FlatShape
// EXPECT: AtLayer<1, 0, 1>
// EXPECT: Shape<2, 3, 5>

#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Between = hpcnn::Tanh;
#else
using Between = hpcnn::Flatten;
#endif
using Net = hpcnn::Sequential<
    hpcnn::Input<2, 3, 5>, hpcnn::Relu,
    hpcnn::Concat<hpcnn::Chain<Between, hpcnn::Dense<4>>, hpcnn::Flatten>>;

int main() { return Net::kParameterCount == 124 ? 0 : 1; }
