// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: a Shared layer must be the same and get the same input shape

#include "hpcnn/nn/dense.h"
#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/shared.h"

#ifdef HPCNN_FAIL
using Between = hpcnn::Dense<5>;
#else
using Between = hpcnn::Dense<4>;
#endif
struct Tag;
using Net =
    hpcnn::Sequential<hpcnn::Input<4>, hpcnn::Shared<Tag, hpcnn::Dense<4>>,
                      Between, hpcnn::Shared<Tag, hpcnn::Dense<4>>>;

int main() { return Net::kParameterCount == 40 ? 0 : 1; }
