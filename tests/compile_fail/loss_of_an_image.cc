// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: the loss must take the network's outputs: SoftmaxCrossEntropy a vector
// EXPECT: end with Flatten and Dense<classes>
// EXPECT: AtLoss<
// EXPECT: SoftmaxCrossEntropy
// EXPECT: Shape<4, 6, 6>
// EXPECT: FlatShape

#include "hpcnn/hpcnn.h"

#ifdef HPCNN_FAIL
using Last = hpcnn::Conv2d<4, 3, 3>;
#else
using Last = hpcnn::Chain<hpcnn::Flatten, hpcnn::Dense<4>>;
#endif
using Net = hpcnn::Sequential<hpcnn::Input<1, 8, 8>, Last>;
using Trainer =
    hpcnn::Trainer<Net, hpcnn::SoftmaxCrossEntropy, hpcnn::Momentum>;

int main() { return Trainer::Bytes(1, 1) > 0 ? 0 : 1; }
