// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: put Flatten before a layer that expects FlatShape
// EXPECT: AtLayer<0>
// EXPECT: Shape<3, 4>
// EXPECT: FlatShape

#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/softmax.h"

#ifdef HPCNN_FAIL
using Net = hpcnn::Sequential<hpcnn::Input<3, 4>, hpcnn::Softmax>;
#else
using Net =
    hpcnn::Sequential<hpcnn::Input<3, 4>, hpcnn::Flatten, hpcnn::Softmax>;
#endif

int main() { return static_cast<int>(Net::kParameterCount); }
