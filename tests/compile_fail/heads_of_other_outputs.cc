// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: the loss must take the network's outputs
// EXPECT: JointLoss as many as its heads have
// EXPECT: AtLoss<
// EXPECT: Shape<12>
// EXPECT: Elements<11>

#include "hpcnn/hpcnn.h"

#ifdef HPCNN_FAIL
using Second = hpcnn::Head<1, hpcnn::MeanSquaredError>;
#else
using Second = hpcnn::Head<2, hpcnn::MeanSquaredError>;
#endif
using Loss =
    hpcnn::JointLoss<hpcnn::Head<10, hpcnn::SoftmaxCrossEntropy>, Second>;
using Net = hpcnn::Sequential<hpcnn::Input<8>,
                              hpcnn::Concat<hpcnn::Dense<10>, hpcnn::Dense<2>>>;
using Trainer = hpcnn::Trainer<Net, Loss, hpcnn::Momentum>;

int main() { return Trainer::Bytes(1, 1) > 0 ? 0 : 1; }
