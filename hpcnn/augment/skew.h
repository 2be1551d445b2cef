// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Skew: out[y][x] = image[y][x + y * tilt], black where that is outside.
//
// tilt is real, so x + y * tilt mostly falls between two pixels of row y: the
// value is interpolated between them. An array index would have to round
// instead, which tears a slanted stroke into steps; where x + y * tilt is whole
// (any whole tilt, and row 0) both are the same, exactly.

#ifndef HPCNN_AUGMENT_SKEW_H_
#define HPCNN_AUGMENT_SKEW_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/augment/affine.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// `image` and `out`: [1, H, W], not overlapping.
template <ExecutionPolicy P = DefaultPolicy, std::size_t H, std::size_t W>
void Skew(std::type_identity_t<TensorView<const float, 1, H, W>> image,
          float tilt, TensorView<float, 1, H, W> out) {
  WarpAffine<P>(image, AffineMap::Shear(tilt, 0), out);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_SKEW_H_
