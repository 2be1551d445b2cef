# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Matrix maths: hpcnn against OpenBLAS, oneDNN, BLIS, Eigen, libxsmm, PyTorch,
OpenCV, NumPy and the course's Numba loops.

One thread each, on one core; the same buffers for all. Results are compared
first, then rounds are interleaved. The products run in loops of C, but for
PyTorch's and NumPy's: small ones are mostly the call from Python. OpenBLAS is
NumPy's own; oneDNN, BLIS, Eigen and libxsmm are Debian's, and oneDNN's newer
release is what PyTorch has inside.
"""

import os

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"]:
    os.environ[variable] = "1"  # read when the libraries load

import argparse
import ctypes
import glob
import statistics
import sys
import time

import cv2
import numba
import numpy as np
import torch

GEMMS = [
    (16, 16, 16), (32, 32, 32), (64, 64, 64), (128, 128, 784), (784, 128, 128), (8, 576, 25),
    (128, 10, 128), (256, 256, 256), (1000, 1000, 1000),
]  # fmt: skip
PRECISIONS = [(128, 128, 784), (1024, 128, 784), (1000, 1000, 1000)]
GRAMS = [(100, 100), (784, 128), (1000, 1000)]


class Product(ctypes.Structure):
    """Product of matrix_shim.cc."""
    _fields_ = [(name, ctypes.c_size_t) for name in "mnk"] + [(name, ctypes.c_void_p) for name in "abc"]


def buffer(shape, dtype=np.float32):
    """Memory that starts at a cache line, for all alike."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 63, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def whole_numbers(shape, dtype=np.float32, most=4):
    values = buffer(shape, dtype)
    values[:] = np.random.default_rng(1).integers(0, most, shape)
    return values


def address(function):
    return ctypes.cast(function, ctypes.c_void_p)


def load(path):
    lib = ctypes.CDLL(path)
    lib.HpcnnGemm.argtypes = [ctypes.POINTER(Product), ctypes.c_int, ctypes.c_int]
    for name in ["HpcnnGemmOfSizes", "XsmmGemm", "EigenGemm", "HpcnnGram"]:
        getattr(lib, name).argtypes = [ctypes.POINTER(Product), ctypes.c_int]
    lib.BlasGemm.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Product), ctypes.c_int]
    for name in ["HpcnnConv2d", "DnnlGemm", "BlasGram"]:
        getattr(lib, name).argtypes = [ctypes.c_void_p, ctypes.POINTER(Product), ctypes.c_int]
    for name in ["HpcnnMaxInts", "HpcnnMaxBytes"]:
        getattr(lib, name).argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_size_t, ctypes.c_int]
    lib.CopyFloats.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_size_t, ctypes.c_int]
    for name in [
        "HpcnnGemm", "HpcnnGemmOfSizes", "HpcnnConv2d", "XsmmGemm", "EigenGemm", "HpcnnGram", "BlasGemm", "DnnlGemm", "BlasGram", "HpcnnMaxInts",
        "HpcnnMaxBytes", "CopyFloats", "FloatMultiplyAdds",
    ]:  # fmt: skip
        getattr(lib, name).restype = ctypes.c_double
    lib.SimdTarget.restype = ctypes.c_char_p
    return lib


def debian(name):
    """A library of Debian's, or None."""
    try:
        return ctypes.CDLL(name)
    except OSError:
        print(f"{name} is not installed: left out", file=sys.stderr)
        return None


def openblas():
    folder = os.path.dirname(np.__file__) + ".libs"
    [path] = glob.glob(f"{folder}/libscipy_openblas64_*.so")
    lib = ctypes.CDLL(path)
    lib.scipy_openblas_get_config64_.restype = ctypes.c_char_p
    return lib


def timed(run):
    def mean(calls):
        begin = time.perf_counter()
        for _ in range(calls):
            run()
        return (time.perf_counter() - begin) / calls

    return mean


def interleave(contest, rounds):
    """Seconds of one call, a list for each contestant."""
    # Twenty calls, or 2 ms of them, a round.
    calls = {name: max(20 if mean(1) < 2e-3 else 1, int(2e-3 / max(mean(3), 1e-9))) for name, mean in contest.items()}
    times = {name: [] for name in contest}
    for _ in range(rounds):
        for name, mean in contest.items():
            times[name].append(mean(calls[name]))
    return times


def report(what, work, times, limit, unit):
    """A line for each: its rate, and how much faster hpcnn is."""
    ours = times["hpcnn"]
    share = statistics.median(limit / seconds for seconds in ours)
    print(f"\n{what}: hpcnn {work / statistics.median(ours) / 1e9:.1f} {unit}, {100 * share:.0f} % of the limit")
    for name, values in times.items():
        if name == "hpcnn":
            continue
        ratios = sorted(b / a for a, b in zip(ours, values))
        low, median, high = (ratios[int(q * (len(ratios) - 1))] for q in (0.25, 0.5, 0.75))
        print(f"  {name:24s} {work / statistics.median(values) / 1e9:8.1f} {unit}   {median:6.2f}x [{low:.2f} ... {high:.2f}]")


def products(lib, blas, dnnl, blis, product, small):
    """The other libraries' C = A B."""
    contest = {
        "OpenBLAS": lambda calls: lib.BlasGemm(address(blas.scipy_cblas_sgemm64_), 64, product, calls),
        "Eigen": lambda calls: lib.EigenGemm(product, calls),
    }
    if dnnl:
        contest["oneDNN sgemm"] = lambda calls: lib.DnnlGemm(address(dnnl.dnnl_sgemm), product, calls)
    if blis:
        contest["BLIS"] = lambda calls: lib.BlasGemm(address(blis.cblas_sgemm), 32, product, calls)
    if small and lib.XsmmGemm(product, 1) >= 0:
        contest["libxsmm"] = lambda calls: lib.XsmmGemm(product, calls)
    return contest


def check(contest, c, want):
    for name, mean in contest.items():
        c[:] = np.nan
        mean(1)
        assert np.array_equal(c, want), f"{name} is wrong"


def gemms(lib, blas, dnnl, blis, rounds, rate):
    for m, n, k in GEMMS:
        a, b, c = whole_numbers((m, k)), whole_numbers((k, n)), buffer((m, n))
        product = Product(m, n, k, a.ctypes.data, b.ctypes.data, c.ctypes.data)
        ta, tb, tc = (torch.from_numpy(x) for x in (a, b, c))
        contest = {"hpcnn": lambda calls: lib.HpcnnGemm(product, 0, calls)}
        sizes = ""
        if lib.HpcnnGemmOfSizes(product, 1) >= 0:
            contest = {
                "hpcnn": lambda calls: lib.HpcnnGemmOfSizes(product, calls),
                "hpcnn, sizes at run time": contest["hpcnn"],
            }
            sizes = ", sizes in types"
        contest |= products(lib, blas, dnnl, blis, product, m * n * k <= 64**3)
        contest["PyTorch mm"] = timed(lambda: torch.mm(ta, tb, out=tc))
        check(contest, c, a.astype(np.float64) @ b)
        times = interleave(contest, rounds)
        report(f"gemm {m}x{n}x{k}{sizes}", 2 * m * n * k, times, m * n * k / rate(), "GFLOP/s")


def precisions(lib, rounds, rate):
    """Less than strict, which only a processor with AMX makes faster. PyTorch's bfloat16 is oneDNN's, from matrices of
    bfloat16; ours are of float."""
    for m, n, k in PRECISIONS:
        a, b, c = whole_numbers((m, k)), whole_numbers((k, n)), buffer((m, n))
        product = Product(m, n, k, a.ctypes.data, b.ctypes.data, c.ctypes.data)
        halves = [torch.from_numpy(x).bfloat16() for x in (a, b, c)]
        contest = {
            "hpcnn": lambda calls: lib.HpcnnGemm(product, 1, calls),
            "hpcnn Bf16x3": lambda calls: lib.HpcnnGemm(product, 2, calls),
            "hpcnn Strict": lambda calls: lib.HpcnnGemm(product, 0, calls),
        }
        check(contest, c, a.astype(np.float64) @ b)
        contest["PyTorch mm of bfloat16"] = timed(lambda: torch.mm(halves[0], halves[1], out=halves[2]))
        times = interleave(contest, rounds)
        report(f"gemm {m}x{n}x{k}, Bf16", 2 * m * n * k, times, m * n * k / rate(), "GFLOP/s")
        for x in (a, b):
            x[:] = np.random.default_rng(2).uniform(-1, 1, x.shape)
        wide = a.astype(np.float64), b.astype(np.float64)
        for name, parts in [("Bf16", 1), ("Bf16x3", 2), ("Strict", 0)]:
            lib.HpcnnGemm(product, parts, 1)
            error = np.max(np.abs(c - wide[0] @ wide[1]) / (np.abs(wide[0]) @ np.abs(wide[1])))
            print(f"  {name:24s} 2^{np.log2(error):.1f} is the largest |error| / sum of |a b|")


def convolutions(lib, blas, dnnl, blis, rounds, rate):
    """LeNet's first layer. The others' products get its columns copied already, which is not timed."""
    image, a = whole_numbers((28, 28)), whole_numbers((8, 25))
    columns = np.lib.stride_tricks.sliding_window_view(image, (5, 5)).reshape(576, 25).T
    b, c = buffer((25, 576)), buffer((8, 576))
    b[:] = columns
    product = Product(8, 576, 25, a.ctypes.data, b.ctypes.data, c.ctypes.data)
    tx, tw = torch.from_numpy(image).reshape(1, 1, 28, 28), torch.from_numpy(a).reshape(8, 1, 5, 5)
    contest = {
        "hpcnn": lambda calls: lib.HpcnnConv2d(image.ctypes.data, product, calls),
        "hpcnn, product alone": lambda calls: lib.HpcnnGemmOfSizes(product, calls),
    } | {f"{name}, product alone": mean for name, mean in products(lib, blas, dnnl, blis, product, True).items()}
    check(contest, c, a.astype(np.float64) @ b)
    assert np.array_equal(torch.nn.functional.conv2d(tx, tw).numpy().reshape(8, 576), c), "PyTorch conv2d is wrong"
    contest["PyTorch conv2d"] = timed(lambda: torch.nn.functional.conv2d(tx, tw))
    times = interleave(contest, rounds)
    report("conv2d 1x28x28 by 8 of 5x5", 2 * 8 * 576 * 25, times, 8 * 576 * 25 / rate(), "GFLOP/s")


@numba.njit
def course_matmul_transpose(x, c):
    for i in range(x.shape[0]):
        for j in range(x.shape[0]):
            total = np.float32(0)
            for k in range(x.shape[1]):
                total += x[i, k] * x[j, k]
            c[i, j] = total


@numba.njit
def course_max(a, b, c):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            c[i, j] = a[i, j] if a[i, j] > b[i, j] else b[i, j]


def grams(lib, blas, rounds, rate):
    for m, k in GRAMS:
        a, c = whole_numbers((m, k)), buffer((m, m))
        product = Product(m, m, k, a.ctypes.data, 0, c.ctypes.data)
        ta, tc = torch.from_numpy(a), torch.from_numpy(c)
        contest = {
            "hpcnn": lambda calls: lib.HpcnnGram(product, calls),
            "OpenBLAS ssyrk, one half": lambda calls: lib.BlasGram(address(blas.scipy_cblas_ssyrk64_), product, calls),
            "NumPy X @ X.T": timed(lambda: np.matmul(a, a.T, out=c)),
            "PyTorch X @ X.T": timed(lambda: torch.mm(ta, ta.T, out=tc)),
            "Numba, the course's loop": timed(lambda: course_matmul_transpose(a, c)),
        }
        want = a.astype(np.float64) @ a.T
        for name, mean in contest.items():
            c[:] = 0
            mean(1)
            same = np.array_equal(np.tril(c), np.tril(want)) if "half" in name else np.array_equal(c, want)
            assert same, f"{name} is wrong"
        times = interleave(contest, rounds)
        report(f"X X^T {m}x{k}", m * m * k, times, m * (m + 1) / 2 * k / rate(), "GFLOP/s")


def maxima(lib, rounds):
    side = 1000
    for dtype, function in [(np.int32, lib.HpcnnMaxInts), (np.uint8, lib.HpcnnMaxBytes)]:
        a, b, c = whole_numbers((side, side), dtype, 256), whole_numbers((side, side), dtype, 256), buffer((side, side), dtype)
        b[:] = b[::-1].copy()
        ta, tb, tc = (torch.from_numpy(x) for x in (a, b, c))
        pointers = [x.ctypes.data for x in (a, b, c)]
        contest = {
            "hpcnn": lambda calls: function(*pointers, side * side, calls),
            "OpenCV max": timed(lambda: cv2.max(a, b, c)),
            "NumPy maximum": timed(lambda: np.maximum(a, b, out=c)),
            "PyTorch maximum": timed(lambda: torch.maximum(ta, tb, out=tc)),
            "Numba, the course's loop": timed(lambda: course_max(a, b, c)),
        }
        for name, mean in contest.items():
            c[:] = 0
            mean(1)
            assert np.array_equal(c, np.where(a > b, a, b)), f"{name} is wrong"
        times = interleave(contest, rounds)
        # A copy of as many bytes.
        size = 3 * a.nbytes // 8
        source, target = whole_numbers(size), buffer(size)
        limit = statistics.median(lib.CopyFloats(source.ctypes.data, target.ctypes.data, size, 20) for _ in range(9))
        report(f"max {side}x{side} of {np.dtype(dtype).name}", 3 * a.nbytes, times, limit, "GB/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds: at least 2")
    lib, blas = load(arguments.library), openblas()
    dnnl, blis = debian("libdnnl.so.2"), debian("libblis.so.4")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print(
        f"hpcnn on {lib.SimdTarget().decode()}, 1 thread; NumPy {np.__version__} with "
        f"{blas.scipy_openblas_get_config64_().decode()}; torch {torch.__version__}, {torch.get_num_threads()} thread; "
        f"OpenCV {cv2.__version__}; Numba {numba.__version__}; Debian 12's oneDNN 2.6.3, BLIS 0.9.0, Eigen 3.4.0, "
        "libxsmm 1.17\nmedians [quartiles] of each round's ratio"
    )
    gemms(lib, blas, dnnl, blis, arguments.rounds, lib.FloatMultiplyAdds)
    precisions(lib, arguments.rounds, lib.FloatMultiplyAdds)
    convolutions(lib, blas, dnnl, blis, arguments.rounds, lib.FloatMultiplyAdds)
    grams(lib, blas, arguments.rounds, lib.FloatMultiplyAdds)
    maxima(lib, arguments.rounds)


main()
