// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: Dropout needs a probability of at least 0 and below 1
// EXPECT: kLeavesSomething
// EXPECT: ratio<100, 100>

#include "hpcnn/base/percent.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/dropout.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Probability = hpcnn::Percent<100>;
#else
using Probability = hpcnn::Percent<50>;
#endif

using Net = hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>,
                              hpcnn::Dropout<Probability>, hpcnn::Dense<4>>;

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
