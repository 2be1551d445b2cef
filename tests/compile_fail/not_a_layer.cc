// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: LayerDescription
// EXPECT: NoLayer

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

struct NoLayer {};

#ifdef HPCNN_FAIL
hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>, NoLayer> net;
#else
hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>> net;
#endif

int main() {}
