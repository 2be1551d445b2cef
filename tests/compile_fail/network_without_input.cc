// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: NetworkInput
// EXPECT: Dense<10
// MORE ERRORS: GCC goes on after a constraint.

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"

#ifdef HPCNN_FAIL
hpcnn::Sequential<hpcnn::Dense<10>, hpcnn::Dense<4>> net;
#else
hpcnn::Sequential<hpcnn::Input<28>, hpcnn::Dense<10>, hpcnn::Dense<4>> net;
#endif

int main() {}
