# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Image correlation: hpcnn against OpenCV, SciPy, Numba and PyTorch.

The same images and kernels for all, zeros outside, one thread each on one core.
Outputs are compared first, to the last bit where they are integers; then rounds
are interleaved. Outputs are allocated before, except by SciPy's convolve2d and
PyTorch, which cannot. What hpcnn reaches is also given as a share of the limit:
the slower of copying as many bytes between the same buffers and as many
multiply-adds as the kernel has taps, both measured in each round. A round is 20
calls in a row, at 4096 x 4096 three, of the slower libraries two.
"""

import os

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]:
    os.environ[variable] = "1"  # read when the libraries load

import argparse
import ctypes
import math
import re
import statistics
import sys
import time
from typing import NamedTuple

import cv2
import numba
import numpy as np
import scipy
import torch
from scipy import ndimage, signal

FUNCTION = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)


class Kernel(ctypes.Structure):
    """KernelFunctions of filters_shim.cc."""
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("rows", ctypes.c_size_t),
        ("cols", ctypes.c_size_t),
        ("weights", ctypes.POINTER(ctypes.c_int)),
        ("floats", FUNCTION),
        ("bytes", FUNCTION),
        ("magnitude", FUNCTION),
    ]

    def taps(self):
        return np.ctypeslib.as_array(self.weights, (self.rows, self.cols))


class Kind(NamedTuple):
    name: str
    source: type
    result: type
    depth: int  # OpenCV's name for the result
    field: str  # of Kernel
    copy: str  # and
    multiply_adds: str  # of the library


FLOATS = Kind("f32", np.float32, np.float32, cv2.CV_32F, "floats", "CopyFloats", "FloatMultiplyAdds")
BYTES = Kind("u8 to i16", np.uint8, np.int16, cv2.CV_16S, "bytes", "CopyBytesToShorts", "ByteMultiplyAdds")


def load(path):
    lib = ctypes.CDLL(path)
    lib.Kernels.restype = ctypes.POINTER(Kernel)
    lib.KernelCount.restype = ctypes.c_size_t
    lib.SimdTarget.restype = ctypes.c_char_p
    for kind in [FLOATS, BYTES]:
        copy, rate = getattr(lib, kind.copy), getattr(lib, kind.multiply_adds)
        copy.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        copy.restype = rate.restype = ctypes.c_double
    kernels = {}
    for kernel in lib.Kernels()[: lib.KernelCount()]:
        kernels[kernel.name.decode()] = kernel
    return lib, kernels


def buffer(shape, dtype):
    """Memory that starts at a cache line, for all alike."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + 63, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def random_image(shape, kind):
    random, image = np.random.default_rng(1), buffer(shape, kind.source)
    image[:] = random.random(shape, np.float32) if kind is FLOATS else random.integers(0, 256, shape)
    return image


def address(array):
    return array.ctypes.data_as(ctypes.c_void_p)  # keeps the array alive


# The contestants: functions without arguments that return the filtered image.


def hpcnn(kernel, kind, image):
    return call(getattr(kernel, kind.field), image, kind.result)


def call(function, image, result):
    out = buffer(image.shape, result)
    arguments = address(image), address(out), *image.shape

    def run():
        function(*arguments)
        return out

    return run


def filter2d(kernel, kind, image):
    out, weights = buffer(image.shape, kind.result), kernel.taps().astype(np.float32)
    return lambda: cv2.filter2D(image, kind.depth, weights, out, (-1, -1), 0, cv2.BORDER_CONSTANT)


def sep_filter2d(kernel, kind, image):
    """The kernel has rank 1."""
    out, taps = buffer(image.shape, kind.result), kernel.taps()
    row = taps[0] // math.gcd(*taps[0].tolist())
    pivot = np.flatnonzero(row)[0]
    column = taps[:, pivot] // row[pivot]
    if not np.array_equal(np.outer(column, row), taps):
        sys.exit(f"{kernel.name.decode()} is not of rank 1")
    x, y = row.astype(np.float32), column.astype(np.float32)
    return lambda: cv2.sepFilter2D(image, kind.depth, x, y, out, (-1, -1), 0, cv2.BORDER_CONSTANT)


def derivative(ksize):
    """cv2.Sobel's, or with FILTER_SCHARR cv2.Scharr's."""

    def contestant(kernel, kind, image):
        out, sign = buffer(image.shape, kind.result), int(np.sign(kernel.taps()[0, -1]))
        return lambda: cv2.Sobel(image, kind.depth, 1, 0, out, ksize, sign, 0, cv2.BORDER_CONSTANT)

    return contestant


def sobel_magnitude(kernel, image):
    x, y, out = (buffer(image.shape, np.float32) for _ in range(3))

    def run():
        cv2.Sobel(image, cv2.CV_32F, 1, 0, x, 3, 1, 0, cv2.BORDER_CONSTANT)
        cv2.Sobel(image, cv2.CV_32F, 0, 1, y, 3, 1, 0, cv2.BORDER_CONSTANT)
        return cv2.magnitude(x, y, out)

    return run


def sep_magnitude(kernel, image):
    """The kernel is a column of its own times a difference."""
    x, y, out = (buffer(image.shape, np.float32) for _ in range(3))
    across, along = kernel.taps()[0].astype(np.float32), np.abs(kernel.taps()[:, 0]).astype(np.float32)

    def run():
        cv2.sepFilter2D(image, cv2.CV_32F, across, along, x, (-1, -1), 0, cv2.BORDER_CONSTANT)
        cv2.sepFilter2D(image, cv2.CV_32F, along, across, y, (-1, -1), 0, cv2.BORDER_CONSTANT)
        return cv2.magnitude(x, y, out)

    return run


def convolve2d(kernel, image):
    flipped = kernel.taps()[::-1, ::-1].astype(np.float32)
    return lambda: signal.convolve2d(image, flipped, "same")


def ndimage_correlate(kernel, image):
    out, weights = buffer(image.shape, np.float32), kernel.taps().astype(np.float32)

    def run():
        ndimage.correlate(image, weights, out, "constant")
        return out

    return run


@numba.njit
def course_loop(image, taps, out):
    rows, cols = image.shape
    height, width = taps.shape
    for r in range(rows):
        for c in range(cols):
            total = np.float32(0)
            for i in range(height):
                for j in range(width):
                    y = r + i - height // 2
                    x = c + j - width // 2
                    if 0 <= y < rows and 0 <= x < cols:
                        total += taps[i, j] * image[y, x]
            out[r, c] = total


def numba_loop(kernel, image):
    out, weights = buffer(image.shape, np.float32), kernel.taps().astype(np.float32)

    def run():
        course_loop(image, weights, out)
        return out

    return run


def conv2d(kernel, image):
    pixels = torch.from_numpy(image)[None, None]
    weights = torch.from_numpy(kernel.taps().astype(np.float32))[None, None]
    padding = kernel.rows // 2, kernel.cols // 2

    def run():
        with torch.inference_mode():
            return torch.nn.functional.conv2d(pixels, weights, padding=padding)[0, 0].numpy()

    return run


def check(name, contestants):
    """All agree with the first one: integers exactly, floats to 1e-5."""
    ours, *theirs = contestants.items()
    expected = ours[1]()
    for peer, run in theirs:
        out = run()
        if out.dtype != expected.dtype or out.shape != expected.shape:
            sys.exit(f"{name}: {peer} gives {out.dtype}{list(out.shape)}")
        if expected.dtype == np.float32:
            difference = np.abs(out - expected).max() / np.abs(out).max()
            if not difference <= 1e-5:
                sys.exit(f"{name}: {peer} differs by {difference:.2g} of the largest value")
        elif not np.array_equal(out, expected):
            sys.exit(f"{name}: {peer} differs in {np.count_nonzero(out != expected)} of {out.size} pixels")


def check_all(kernels):
    """Small and oblong, black and white as well: there i16 saturates."""
    saturated = 0
    for name, kernel in kernels.items():
        taps = kernel.taps()
        if name.startswith("dense") and (np.linalg.matrix_rank(taps) != min(taps.shape) or
                                         np.unique(taps).size != taps.size or not taps.all()):
            sys.exit(f"the {name} kernel is not dense")
        for shape in [(61, 157), (5, 1000), (64, 9)]:
            for kind in [FLOATS, BYTES]:
                image = random_image(shape, kind)
                check(name, {"hpcnn": hpcnn(kernel, kind, image), "filter2D": filter2d(kernel, kind, image)})
            image[:] = np.where(image > 127, 255, 0)
            ours = hpcnn(kernel, BYTES, image)
            check(name, {"hpcnn": ours, "filter2D": filter2d(kernel, BYTES, image)})
            saturated += np.count_nonzero(np.abs(ours().astype(int)) >= 32767)
    if not saturated:
        sys.exit("no result was large enough to saturate")


def timed(run):
    """Seconds of one call in a row of some, the first one not counted."""

    def mean(calls):
        run()
        start = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - start) / calls

    return mean


def interleave(contestants, rounds, calls):
    """Seconds of a call, for each name one a round; every other one backwards."""
    times = {name: [] for name in contestants}
    for i in range(rounds):
        for name in list(contestants)[:: 1 if i % 2 else -1]:
            times[name].append(contestants[name](calls))
    return times


def calls_for(side):
    return 20 if side <= 1000 else 3


def quartiles(values):
    low, median, high = statistics.quantiles(values, n=4)
    return median, low, high


def ratio(theirs, ours):
    median, low, high = quartiles([b / a for a, b in zip(ours, theirs)])
    return median, f"{median:6.2f}x [{low:.2f} ... {high:.2f}]"


def rate(pixels, times):
    return f"{pixels / statistics.median(times) / 1e6:7.0f} Mpx/s"


def probes(lib, kind, image, taps):
    """The seconds that copying and that multiplying take at least."""
    out, pixels = buffer(image.shape, kind.result), image.size
    source, target, copy = address(image), address(out), getattr(lib, kind.copy)
    multiply_adds = getattr(lib, kind.multiply_adds)
    return {
        "copy": lambda calls: copy(source, target, pixels, calls),
        "multiply-adds": lambda calls: pixels * taps / multiply_adds(),
    }


def dense_cells(lib, kernels, rounds):
    print("\nDense kernels, every weight different")
    ratios, shares = [], []
    for kind in [FLOATS, BYTES]:
        for k in [3, 5, 7]:
            kernel = kernels[f"dense {k}x{k}"]
            for side in [512, 1000, 4096]:
                image = random_image((side, side), kind)
                runs = {"hpcnn": hpcnn(kernel, kind, image), "filter2D": filter2d(kernel, kind, image)}
                check(f"{k}x{k}, {side}", runs)
                times = interleave(
                    {name: timed(run) for name, run in runs.items()} | probes(lib, kind, image, k * k),
                    rounds, calls_for(side))
                limits = [max(pair) for pair in zip(times["copy"], times["multiply-adds"])]
                share = statistics.median(b / a for a, b in zip(times["hpcnn"], limits))
                which = max(["copy", "multiply-adds"], key=lambda name: statistics.median(times[name]))
                median, text = ratio(times["filter2D"], times["hpcnn"])
                ratios.append(median)
                shares.append(share)
                print(f"  {kind.name:9s} {k}x{k} {side:4d}^2  hpcnn {rate(side**2, times['hpcnn'])}  "
                      f"filter2D {rate(side**2, times['filter2D'])}  {text}  "
                      f"{100 * share:3.0f} % of {rate(side**2, limits).strip()} ({which})", flush=True)
    print(f"  hpcnn / filter2D: {statistics.geometric_mean(ratios):.2f}x, the geometric mean of these "
          f"{len(ratios)}; the lowest {min(ratios):.2f}x, the lowest share {100 * min(shares):.0f} %")


def magnitudes(lib, kernels, rounds):
    print("\nGradient magnitude, f32, in one pass; OpenCV: two gradients and cv2.magnitude")
    for name, peer, contestant in [("Sobel3x3", "Sobel", sobel_magnitude), ("Sobel5x5", "sepFilter2D", sep_magnitude)]:
        kernel = kernels[name]
        for side in [1000, 4096]:
            image = random_image((side, side), FLOATS)
            runs = {"hpcnn": call(kernel.magnitude, image, np.float32), peer: contestant(kernel, image)}
            check(f"magnitude of {name}", runs)
            contest = {key: timed(run) for key, run in runs.items()}
            contest["copy"] = probes(lib, FLOATS, image, 0)["copy"]
            times = interleave(contest, rounds, calls_for(side))
            share = statistics.median(b / a for a, b in zip(times["hpcnn"], times["copy"]))
            print(f"  {name} {side:4d}^2  hpcnn {rate(side**2, times['hpcnn'])}  "
                  f"{peer:11s} {rate(side**2, times[peer])}  {ratio(times[peer], times['hpcnn'])[1]}  "
                  f"{100 * share:3.0f} % of a copy", flush=True)


def special_kernels(kernels, rounds, side):
    """What zero taps and rank 1 save, against a dense kernel of that size."""
    print(f"\nKernels with something to save, {side}^2: against a dense one of hpcnn's, and against OpenCV")
    rows = [
        ("Sobel3x3", "Sobel", derivative(3)),
        ("Scharr3x3", "Scharr", derivative(cv2.FILTER_SCHARR)),
        ("Sobel5x3", "sepFilter2D", sep_filter2d),
        ("Sobel5x5", "sepFilter2D", sep_filter2d),
        ("Neighbours8", "filter2D", filter2d),
        ("rank-1 7x7", "sepFilter2D", sep_filter2d),
        ("rank-1 9x9", "sepFilter2D", sep_filter2d),
        ("rank-1 15x15", "sepFilter2D", sep_filter2d),
    ]
    for kind in [FLOATS, BYTES]:
        image = random_image((side, side), kind)
        for name, peer, contestant in rows:
            kernel = kernels[name]
            dense = f"dense {kernel.rows}x{kernel.cols}"
            runs = {"hpcnn": hpcnn(kernel, kind, image), peer: contestant(kernel, kind, image)}
            check(name, runs)
            runs[dense] = hpcnn(kernels[dense], kind, image)
            times = interleave({key: timed(run) for key, run in runs.items()}, rounds, calls_for(side))
            print(f"  {kind.name:9s} {name:12s} {rate(side**2, times['hpcnn'])}  "
                  f"{dense:11s} {ratio(times[dense], times['hpcnn'])[1]}  "
                  f"{peer:11s} {ratio(times[peer], times['hpcnn'])[1]}", flush=True)


def other_libraries(kernels, rounds, side):
    print(f"\nOther libraries, f32, {side}^2, milliseconds, and hpcnn's factor")
    peers = {
        "SciPy convolve2d": convolve2d,
        "Numba, the course's loop": numba_loop,
        "SciPy ndimage.correlate": ndimage_correlate,
        "PyTorch conv2d": conv2d,
    }
    image = random_image((side, side), FLOATS)
    cells = {name: [] for name in ["hpcnn", *peers]}
    for k in [3, 5, 7]:
        kernel = kernels[f"dense {k}x{k}"]
        runs = {"hpcnn": hpcnn(kernel, FLOATS, image)}
        runs |= {name: peer(kernel, image) for name, peer in peers.items()}
        check(f"{k}x{k}", runs)  # compiles, too
        contest = {name: timed(run) for name, run in runs.items()}
        # The others take so long that two calls are enough.
        few = {name: lambda calls, mean=mean: mean(2) for name, mean in contest.items() if name != "hpcnn"}
        times = interleave(contest | few, rounds, calls_for(side))
        for name, values in times.items():
            cells[name].append((1e3 * statistics.median(values), ratio(values, times["hpcnn"])[1]))
    print("  " + " " * 26 + "".join(f"{f'{k}x{k}':>37s}" for k in [3, 5, 7]))
    for name, row in cells.items():
        print(f"  {name:26s}" + "".join(f"{ms:10.3f} {factor:>26s}" for ms, factor in row))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--quick", action="store_true", help="5 rounds")
    arguments = parser.parse_args()
    rounds = 5 if arguments.quick else arguments.rounds
    if rounds < 2:
        parser.error("--rounds: at least 2")
    lib, kernels = load(arguments.library)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    build = re.findall(r"(?:Baseline|Dispatched code generation|Intel IPP):.*", cv2.getBuildInformation())
    print(f"hpcnn on {lib.SimdTarget().decode()}, 1 thread; OpenCV {cv2.__version__} (pip), {cv2.getNumThreads()} thread; "
          f"SciPy {scipy.__version__}; NumPy {np.__version__}; Numba {numba.__version__}, "
          f"{numba.get_num_threads()} thread; torch {torch.__version__}, {torch.get_num_threads()} thread; "
          f"one core; {rounds} rounds")
    for line in build:
        print("OpenCV: " + " ".join(line.split()))

    check_all(kernels)
    dense_cells(lib, kernels, rounds)
    magnitudes(lib, kernels, rounds)
    for side in [512, 1000, 4096]:
        special_kernels(kernels, rounds if side < 4096 else 5, side)
    other_libraries(kernels, max(rounds // 3, 3), 1000)


if __name__ == "__main__":
    main()
