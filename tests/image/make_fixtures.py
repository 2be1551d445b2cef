# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures.h: what SciPy makes of the test images.

  python3 tests/image/make_fixtures.py > tests/image/fixtures.h
"""

import numpy as np
import scipy
from scipy import ndimage, signal

# Our borders: SciPy's and NumPy's names for them.
BORDERS = {
    "kZero": ("constant", "constant"),
    "kReplicate": ("nearest", "edge"),
    "kReflect": ("reflect", "symmetric"),
    "kWrap": ("wrap", "wrap"),
}
BYTE_SIZES = [(1, 1), (1, 9), (9, 1), (3, 4), (17, 35), (9, 150)]
SHORT_SIZES = [(3, 4), (17, 35)]
LISTED = 16  # results of up to so many pixels are in the file


def levels(rows, cols):
    """The test image of this size, levels 0..255; Levels() in C++."""
    r, c = np.mgrid[:rows, :cols]
    return (r * 37 + c * 101 + r * c * 7) % 256


IMAGES = {
    "kBytes": levels,
    # From -16384 to 16511.
    "kShorts": lambda rows, cols: levels(rows, cols) * 129 - 16384,
}


def shuffled(rows, cols, lowest):
    """Distinct weights from `lowest` up, of full rank."""
    random = np.random.default_rng(1)
    while True:
        taps = random.permutation(rows * cols).reshape(rows, cols) + lowest
        if np.linalg.matrix_rank(taps) == min(rows, cols):
            return taps


KERNELS = {
    "Sobel3x3": np.outer([1, 2, 1], [1, 0, -1]),
    "Scharr3x3": np.outer([3, 10, 3], [1, 0, -1]),
    "Sobel5x3": np.outer([1, 2, 1, 2, 1], [1, 0, -1]),
    "Sobel5x5": np.outer([1, 2, 1, 2, 1], [1, 0, 0, 0, -1]),
    "Neighbours8": np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]),
    "Ones3x5": np.ones((3, 5), int),
    "Binomial5x5": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]),
    "Dense1x1": np.array([[-3]]),
    "Dense1x5": np.array([[2, -1, 4, 0, -5]]),
    "Dense5x1": np.array([[3], [-4], [0], [1], [2]]),
    "Dense2x3": shuffled(2, 3, -2),
    "Dense4x4": shuffled(4, 4, -7),
    "Dense7x7": shuffled(7, 7, -24),
    "Dense15x15": shuffled(15, 15, -112),
}


def correlate(image, taps, border):
    """By ndimage, which anchors at K / 2 as we do; checked against others."""
    scipy_mode, numpy_mode = BORDERS[border]
    out = ndimage.correlate(image, taps, mode=scipy_mode)
    kh, kw = taps.shape
    padded = np.pad(image, ((kh // 2, kh - 1 - kh // 2), (kw // 2, kw - 1 - kw // 2)), numpy_mode)
    assert np.allclose(out, signal.correlate2d(padded, taps, mode="valid"), rtol=1e-13, atol=0)
    if border == "kZero":
        assert np.allclose(out, signal.convolve2d(image, taps[::-1, ::-1], mode="same"), rtol=1e-13, atol=0)
    return out


def fnv1a(values):
    """FNV-1a, 64 bits, of the little-endian int32 values."""
    hash = 0xCBF29CE484222325
    for byte in values.astype("<i4").tobytes():
        hash = (hash ^ byte) * 0x100000001B3 % 2**64
    return hash


def listing(values):
    return ", ".join(str(v) for v in np.ravel(values))


print(f"""// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Written by make_fixtures.py with NumPy {np.__version__} and SciPy {scipy.__version__}.

#ifndef HPCNN_TESTS_IMAGE_FIXTURES_H_
#define HPCNN_TESTS_IMAGE_FIXTURES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hpcnn {{

enum class BorderFixture {{ kZero, kReplicate, kReflect, kWrap }};

// Pixel r, c: with level = (37 r + 101 c + 7 r c) mod 256, kBytes is the level,
// kShorts is 129 level - 16384.
enum class ImageFixture {{ kBytes, kShorts }};

struct KernelFixture {{
  std::string_view name;
  std::size_t rows, cols;
  const int* taps;  // [rows, cols]
}};

struct CorrelateFixture {{
  std::size_t kernel;  // of kKernelFixtures
  BorderFixture border;
  ImageFixture image;
  std::size_t rows, cols;
  std::uint64_t hash;    // FNV-1a of the results, int32, little-endian
  std::ptrdiff_t first;  // of kListedResults; -1: these are not listed
}};

// The 5x5 kGaussianTaps over levels / 255.0f of [9, 13], computed in double.
struct GaussianFixture {{
  BorderFixture border;
  double out[9 * 13];
}};

// clang-format off""")
for name, taps in KERNELS.items():
    print(f"inline constexpr int k{name}Taps[] = {{{listing(taps)}}};")
print("inline constexpr KernelFixture kKernelFixtures[] = {")
for name, taps in KERNELS.items():
    print(f'  {{"{name}", {taps.shape[0]}, {taps.shape[1]}, k{name}Taps}},')
print("};\n\ninline constexpr CorrelateFixture kCorrelateFixtures[] = {")
listed = []
for index, taps in enumerate(KERNELS.values()):
    for border in BORDERS:
        for kind, sizes in [("kBytes", BYTE_SIZES), ("kShorts", SHORT_SIZES)]:
            for rows, cols in sizes:
                out = correlate(IMAGES[kind](rows, cols), taps, border)
                assert np.abs(out).max() < 2**31
                first = -1
                if out.size <= LISTED:
                    first = len(listed)
                    listed.extend(out.ravel())
                print(f"  {{{index}, BorderFixture::{border}, ImageFixture::{kind}, "
                      f"{rows}, {cols}, {fnv1a(out):#018x}, {first}}},")
print("};\n\ninline constexpr std::int32_t kListedResults[] = {")
for start in range(0, len(listed), 16):
    print(f"  {listing(listed[start:start + 16])},")
print("};\n")
bell = np.exp(-np.arange(-2, 3) ** 2 / 2.0)
gaussian = (np.outer(bell, bell) / bell.sum() ** 2).astype(np.float32)
print(f"inline constexpr float kGaussianTaps[] = {{{', '.join(f'{v:.9g}f' for v in gaussian.ravel())}}};")
print("inline constexpr GaussianFixture kGaussianFixtures[] = {")
for border in BORDERS:
    image = (levels(9, 13).astype(np.float32) / np.float32(255)).astype(float)
    out = correlate(image, gaussian.astype(float), border)
    print(f"  {{BorderFixture::{border}, {{{', '.join(f'{v:.10g}' for v in out.ravel())}}}}},")
print("""};
// clang-format on

}  // namespace hpcnn

#endif  // HPCNN_TESTS_IMAGE_FIXTURES_H_""")
