// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Rotate: by an angle in degrees, counterclockwise, about the centre
// ((H-1)/2, (W-1)/2); same size, zero fill, bilinear. Equal to
// scipy.ndimage.rotate(image, angle, reshape=False, order=1); SciPy's own
// default is order=3, a spline that overshoots the legal brightness. For many
// random operations on one image use AugmentPipeline: it makes one pass.

#ifndef HPCNN_AUGMENT_ROTATE_H_
#define HPCNN_AUGMENT_ROTATE_H_

#include <cstddef>
#include <type_traits>

#include "hpcnn/augment/affine.h"
#include "hpcnn/base/policy.h"
#include "hpcnn/base/target.h"
#include "hpcnn/base/tensor.h"

HPCNN_NAMESPACE_BEGIN

// `image` and `out`: [1, H, W], not overlapping.
template <ExecutionPolicy P = DefaultPolicy, std::size_t H, std::size_t W>
void Rotate(std::type_identity_t<TensorView<const float, 1, H, W>> image,
            float angle, TensorView<float, 1, H, W> out) {
  WarpAffine<P>(image, AffineMap::Rotation(angle, H, W), out);
}

HPCNN_NAMESPACE_END

#endif  // HPCNN_AUGMENT_ROTATE_H_
