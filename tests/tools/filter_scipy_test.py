# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""//tools:filter against the SciPy that is installed: every width and height
from 1 to a few vectors of bytes, random taps of random shapes, every border.

  python3 tests/tools/filter_scipy_test.py FILTER FOLDER
"""

import itertools
import pathlib
import subprocess
import sys

import numpy as np
import scipy
from scipy import ndimage, signal

# Our borders: ndimage's names for them.
BORDERS = {"zero": "constant", "replicate": "nearest", "reflect": "reflect", "wrap": "wrap"}
NAMED = {
    "sobel3x3": np.outer([1, 2, 1], [1, 0, -1]),
    "scharr3x3": np.outer([3, 10, 3], [1, 0, -1]),
    "sobel5x3": np.outer([1, 2, 1, 2, 1], [1, 0, -1]),
    "sobel5x5": np.outer([1, 2, 1, 2, 1], [1, 0, 0, 0, -1]),
    "neighbours8": np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]),
}
LONGEST = 2 * 64 + 3  # two vectors of 512 bits of bytes, and a rest

random = np.random.default_rng(20241121)


def image_of(dtype, rows, cols):
    if dtype == np.float32:
        return random.standard_normal((rows, cols), np.float32)
    info = np.iinfo(dtype)
    return random.integers(info.min, info.max, (rows, cols), dtype, endpoint=True)


def expected(image, taps, border):
    """In double, which holds every sum of these integers."""
    image, taps = image.astype(float), taps.astype(float)
    out = ndimage.correlate(image, taps, mode=BORDERS[border])
    if border == "zero":
        full = signal.convolve2d(image, taps[::-1, ::-1])
        (rows, cols), (k, l) = image.shape, taps.shape
        top, left = k - 1 - k // 2, l - 1 - l // 2
        assert np.allclose(out, full[top : top + rows, left : left + cols], rtol=1e-12, atol=1e-9)
    return out


def check(what, got, want, exact, bound):
    wrong = got != want if exact else np.abs(got - want) > bound
    if got.shape != want.shape or wrong.any():
        at = np.argwhere(wrong)[0]
        sys.exit(f"FAIL: {what}: at {at}: {got[tuple(at)]}, SciPy has {want[tuple(at)]}")


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    image_file, taps_file, out_file = (folder / name for name in ("image.npy", "taps.npy", "out.npy"))
    turns = itertools.cycle(
        # Integers twice as often: they must agree to the bit.
        itertools.product((np.uint8, np.int16, np.uint8, np.float32), ("simd", "simd", "scalar"), (True, True, False))
    )
    sizes = [(n, int(random.integers(1, 40))) for n in range(1, LONGEST + 1)]
    sizes += [(cols, rows) for rows, cols in sizes]

    for (rows, cols), border in itertools.product(sizes, BORDERS):
        dtype, policy, whole = next(turns)
        image = image_of(dtype, rows, cols)
        np.save(image_file, image)
        shape = random.integers(1, 10, 2)
        taps = random.integers(-99, 100, shape, np.int32)
        if not whole:
            taps = (taps / 64).astype(np.float32)
        named = int(random.integers(0, 3)) == 0
        kernel = taps_file
        if named:
            kernel = random.choice(list(NAMED))
            taps = NAMED[kernel]
        else:
            np.save(taps_file, taps)
        what = f"{rows}x{cols} {image.dtype}, {kernel} {taps.shape} {taps.dtype}, {border}, {policy}"
        arguments = [f"--in={image_file}", f"--kernel={kernel}", f"--border={border}", f"--policy={policy}"]
        subprocess.run([program, *arguments, f"--out={out_file}"], check=True, capture_output=True)
        integers = dtype != np.float32 and taps.dtype != np.float32
        want = expected(image, taps, border)
        # correlate.h states the bound between two policies; it holds for each
        # of them against the exact sum, too.
        bound = (2 * taps.size + 8) * 2.0**-24 * expected(np.abs(image.astype(float)), np.abs(taps), border)
        got = np.load(out_file)
        assert got.dtype == (np.int32 if integers else np.float32), what
        check(what, got, want, integers, bound)
        if named:
            subprocess.run(
                [program, *arguments, "--op=magnitude", f"--out={out_file}"], check=True, capture_output=True
            )
            size = np.hypot(want, expected(image, taps.T, border))
            check(f"{what}, magnitude", np.load(out_file), size, False, 1e-5 * size.max())
    print(f"{len(sizes) * len(BORDERS)} images agree with SciPy {scipy.__version__}")


main()
