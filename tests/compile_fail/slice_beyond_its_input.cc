// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// EXPECT: Slice<First, Dims...> must end within its input
// EXPECT: kSliceEndsWithin<
// EXPECT: Shape<6>

#include "hpcnn/nn/sequential.h"
#include "hpcnn/nn/slice.h"

#ifdef HPCNN_FAIL
using Part = hpcnn::Slice<3, 4>;
#else
using Part = hpcnn::Slice<3, 3>;
#endif
using Net = hpcnn::Sequential<hpcnn::Input<6>, Part>;

int main() { return Net::kParameterCount == 0 ? 0 : 1; }
