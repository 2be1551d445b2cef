// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: LeakyRelu's slope and Elu's alpha must be above 0
// EXPECT: ratio<-1, 100>

#include "hpcnn/base/percent.h"
#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Slope = hpcnn::Percent<-1>;
#else
using Slope = hpcnn::Percent<1>;
#endif

using Net = hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>,
                              hpcnn::LeakyRelu<Slope>, hpcnn::Dense<4>>;

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
