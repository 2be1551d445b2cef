// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Shift: dx pixels to the left and dy upwards, black where nothing arrives:
// out[y][x] = image[y + dy][x + dx]. Negative goes right and down. Whole pixels
// are moved exactly, fractions interpolated (scipy.ndimage.shift(image,
// (-dy, -dx), order=1)).

#ifndef HPCNN_AUGMENT_SHIFT_H_
#define HPCNN_AUGMENT_SHIFT_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/augment/affine.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// `image` and `out`: [1, H, W], not overlapping.
template <ExecutionPolicy P = DefaultPolicy, std::size_t H, std::size_t W>
void Shift(std::type_identity_t<TensorView<const float, 1, H, W>> image,
           float dx, float dy, TensorView<float, 1, H, W> out) {
  WarpAffine<P>(image, AffineMap::Translation(dx, dy), out);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_SHIFT_H_
