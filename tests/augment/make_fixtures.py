# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures.h: what SciPy and NumPy make of the test images.

  python3 tests/augment/make_fixtures.py > tests/augment/fixtures.h
"""

import numpy as np
import scipy
from scipy import ndimage


def image(h, w):
    """The test image of this size, levels 0..255; TestImage() in C++."""
    i = np.arange(h * w, dtype=np.uint64)
    return ((i * 2654435761 % 2**32) >> 13 & 255).reshape(h, w)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., SC'11)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ k[0], p1 % 2**32,
             p0 >> 32 ^ c[3] ^ k[1], p0 % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def noise_bytes(count, seed, epoch, sample, op=4):
    key = (seed % 2**32, seed >> 32)
    words = [philox((epoch, sample, op, block), key)
             for block in range((count + 15) // 16)]
    return np.array(words, "<u4").ravel().view(np.uint8)[:count].astype(float)


def rotate(h, w, angle):
    return ndimage.rotate(image(h, w) / 255, angle, reshape=False, order=1)


def shift(h, w, dx, dy):
    return ndimage.shift(image(h, w) / 255, (-dy, -dx), order=1)


def skew(h, w, tilt):
    x = np.arange(w)
    return np.array([np.interp(x + y * tilt, x, row, left=0, right=0)
                     for y, row in enumerate(image(h, w) / 255)])


def noise(h, w, largest):
    u = (2 * noise_bytes(h * w, 0x123456789AB, 3, 7).reshape(h, w) - 255) / 255
    return np.clip(image(h, w) / 255 + largest * u, 0, 1)


def pipeline(h, w, angle, tilt, dx, dy):
    """Rotate, skew about the middle row, shift; black blended in."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    steps = np.array([[c, s], [-s, c]]) @ np.array([[1, 0], [tilt, 1]])  # y, x
    centre = np.array([(h - 1) / 2, (w - 1) / 2])
    return ndimage.affine_transform(
        image(h, w) / 255, steps, steps @ (np.array([dy, dx]) - centre) + centre,
        order=1, mode="grid-constant")


def emit(name, values):
    h, w = values.shape
    text = ", ".join(f"{v:.7g}" for v in values.ravel())
    print(f"inline constexpr std::array<double, {h} * {w}> {name} = {{{text}}};")


print(f"""// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Written by make_fixtures.py with NumPy {np.__version__} and SciPy {scipy.__version__}.

#ifndef HPCNN_TESTS_AUGMENT_FIXTURES_H_
#define HPCNN_TESTS_AUGMENT_FIXTURES_H_

#include <array>

// clang-format off""")
emit("kRotate28x28By10", rotate(28, 28, 10))
emit("kRotate7x9By45", rotate(7, 9, 45))
emit("kRotate7x9ByMinus33", rotate(7, 9, -33.5))
emit("kRotate6x6By90", rotate(6, 6, 90))
emit("kRotate6x6By180", rotate(6, 6, 180))
emit("kRotate9x5ByMinus450", rotate(9, 5, -450))
emit("kRotate1x6By20", rotate(1, 6, 20))
emit("kShift5x7By1And2", shift(5, 7, 1, 2))
emit("kShift5x7ByMinus3And1", shift(5, 7, -3, 1))
emit("kShift5x7ByHalf", shift(5, 7, 0.5, -1.25))
emit("kSkew6x8By1", skew(6, 8, 1))
emit("kSkew6x8ByMinus2", skew(6, 8, -2))
emit("kSkew9x11By03", skew(9, 11, 0.3))
emit("kNoise5x7By02", noise(5, 7, 0.2))
emit("kNoise5x7By1", noise(5, 7, 1.0))
emit("kPipeline28x28", pipeline(28, 28, 11.0, 0.13, 1.4, -0.7))
emit("kPipeline9x14", pipeline(9, 14, -25.0, -0.4, -2.3, 1.1))
print("""// clang-format on

#endif  // HPCNN_TESTS_AUGMENT_FIXTURES_H_""")
