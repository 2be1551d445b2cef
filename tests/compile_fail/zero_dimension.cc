// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: every dimension of a Shape must be at least 1

#include "hpcnn/base/shape.h"

#ifdef HPCNN_FAIL
hpcnn::Shape<28, 0> shape;
#else
hpcnn::Shape<28, 1> shape;
#endif

int main() {}
