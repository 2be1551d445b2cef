// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: branches that are joined may differ in their first dimension alone
// EXPECT: AtLayer<0>
// EXPECT: Shape<2, 3, 6>
// EXPECT: Shape<2, 6, 6>

#include "hpcnn/nn/activation.h"
#include "hpcnn/nn/branch.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Other = hpcnn::Relu;
#else
using Other = hpcnn::AvgPool<2, 1>;
#endif
using Net = hpcnn::Sequential<hpcnn::Input<2, 6, 6>,
                              hpcnn::Concat<hpcnn::MaxPool<2, 1>, Other>>;

int main() { return Net::kParameterCount == 0 ? 0 : 1; }
