// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: hpcnn: the kernel must fit into the image and its padding
// EXPECT: ImageSide<2>
// EXPECT: KernelSide<3>

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/flatten.h"
#include "hpcnn/nn/pool.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
using Pool = hpcnn::MaxPool<3>;
#else
using Pool = hpcnn::MaxPool<2>;
#endif

using Net = hpcnn::Sequential<hpcnn::Input<1, 2, 6>, Pool, hpcnn::Flatten,
                              hpcnn::Dense<2>>;

int main() { return Net::kParameterCount > 0 ? 0 : 1; }
