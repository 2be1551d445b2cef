# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Rotation, skew, shift and noise of 28x28 images: hpcnn against OpenCV,
PyTorch and the SciPy/NumPy chain of the course.

The same images and the same drawn parameters for all, bytes in, floats 0..1
out, one thread. Everyone's outputs without noise are compared first; then
rounds are interleaved. OpenCV runs as one warpAffine and noise per image, in
two ways; the ratio is to the faster. Noise comes from each library's own
generator. hpcnn and PyTorch take a batch a call, OpenCV and SciPy an image: how
much of OpenCV's time is Python calling it is measured with empty calls.
"""

import argparse
import ctypes
import statistics
import sys
import time

import cv2
import numpy as np
import scipy
import torch
from scipy import ndimage

SIDE, NOISE = 28, 0.05
CALLS = 5  # of OpenCV an image, at most


class Hpcnn:
    def __init__(self, library, images):
        self.library, self.images = library, images
        self.out = np.empty(images.shape, np.float32)

    def run(self, noise):
        self.library.Augment(self.images.ctypes.data, len(self.images), noise, self.out.ctypes.data)
        return self.out


class OpenCvBytes:
    """Bytes until the end: addition saturates, so nothing clamps apart."""

    def __init__(self, images, maps):
        self.images, self.maps = images, maps
        self.warped = np.empty((SIDE, SIDE), np.uint8)
        self.noise = np.empty((SIDE, SIDE), np.int16)
        self.out = np.empty(images.shape, np.float32)

    def run(self, noise):
        levels = int(round(255 * noise))
        flags, scale = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, np.float32(1 / 255)
        warped, random = self.warped, self.noise
        for image, m, out in zip(self.images, self.maps, self.out):
            cv2.warpAffine(image, m, (SIDE, SIDE), warped, flags)
            if levels:
                cv2.randu(random, -levels, levels + 1)
                cv2.add(warped, random, warped, None, cv2.CV_8U)
            np.multiply(warped, scale, out)
        return self.out


class OpenCvFloats:
    def __init__(self, images, maps):
        self.images, self.maps = images.astype(np.float32) / 255, maps
        self.noise = np.empty((SIDE, SIDE), np.float32)
        self.out = np.empty(images.shape, np.float32)

    def run(self, noise):
        flags, random = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, self.noise
        for image, m, out in zip(self.images, self.maps, self.out):
            cv2.warpAffine(image, m, (SIDE, SIDE), out, flags)
            if noise:
                cv2.randu(random, -noise, noise)
                cv2.add(out, random, out)
                cv2.max(out, 0.0, out)
                cv2.min(out, 1.0, out)
        return self.out

    def empty_calls(self):
        """As many calls from Python, on one pixel."""
        a = np.zeros((1, 1), np.float32)
        for _ in range(CALLS * len(self.images)):
            cv2.add(a, a, a)


class Torch:
    def __init__(self, images, maps):
        self.images = torch.from_numpy(images).float().unsqueeze(1) / 255
        # From pixels to the coordinates -1 ... 1 of grid_sample and back.
        unit = np.array([[2 / (SIDE - 1), 0, -1], [0, 2 / (SIDE - 1), -1], [0, 0, 1]])
        full = np.concatenate([maps, np.tile([[[0, 0, 1]]], (len(maps), 1, 1))], 1)
        theta = unit @ full @ np.linalg.inv(unit)
        self.theta = torch.from_numpy(theta[:, :2].astype(np.float32))

    def run(self, noise):
        f = torch.nn.functional
        with torch.inference_mode():
            parts = []
            for images, theta in zip(self.images.split(256), self.theta.split(256)):
                grid = f.affine_grid(theta, list(images.shape), align_corners=True)
                out = f.grid_sample(images, grid, align_corners=True)
                if noise:
                    out.add_(torch.empty_like(out).uniform_(-noise, noise)).clamp_(0, 1)
                parts.append(out)
        return torch.cat(parts)[:, 0].numpy()


class Scipy:
    """The course's functions one after another."""

    def __init__(self, images, parameters):
        self.images, self.parameters = images / np.float32(255), parameters
        self.generator = np.random.default_rng(1)
        self.x, self.y = np.arange(SIDE), np.arange(SIDE)

    def run(self, noise):
        out = np.empty(self.images.shape, np.float32)
        for i, (angle, tilt, dx, dy) in enumerate(self.parameters):
            image = ndimage.rotate(self.images[i], angle, reshape=False, order=1)
            image = np.stack([np.interp(self.x + (y - (SIDE - 1) / 2) * tilt, self.x, image[y], 0, 0)
                              for y in self.y])
            image = ndimage.shift(image, (-dy, -dx), order=1)
            if noise:
                image = np.clip(image + self.generator.uniform(-noise, noise, image.shape), 0, 1)
            out[i] = image
        return out


def load(path):
    lib = ctypes.CDLL(path)
    lib.Augment.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_float, ctypes.c_void_p]
    lib.Parameters.argtypes = [ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
    lib.Digits.argtypes = [ctypes.c_uint32, ctypes.c_void_p]
    lib.SimdTarget.restype = ctypes.c_char_p
    return lib


def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def quartiles(values):
    low, median, high = statistics.quantiles(values, n=4)
    return median, low, high


def check(name, peer, reference, mean, largest):
    difference = np.abs(peer.run(0.0) - reference)
    print(f"  {name:24s} differs by {difference.mean():.5f} on average, at most {difference.max():.4f}")
    if difference.mean() > mean or difference.max() > largest:
        sys.exit("these are not the same images")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=61)
    parser.add_argument("--images", type=int, default=256)
    arguments = parser.parse_args()
    lib, n = load(arguments.library), arguments.images
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    print(f"hpcnn on {lib.SimdTarget().decode()}; OpenCV {cv2.__version__} (pip); torch {torch.__version__}; "
          f"SciPy {scipy.__version__}; NumPy {np.__version__}; 1 thread each")

    images = np.empty((n, SIDE, SIDE), np.uint8)
    parameters, maps = np.empty((n, 4), np.float32), np.empty((n, 2, 3))
    lib.Digits(n, images.ctypes.data)
    lib.Parameters(n, parameters.ctypes.data, maps.ctypes.data)
    hpcnn, floats = Hpcnn(lib, images), OpenCvFloats(images, maps)
    peers = {
        "OpenCV, bytes": OpenCvBytes(images, maps),
        "OpenCV, floats": floats,
        "torch grid_sample, 256": Torch(images, maps),
        "SciPy chain": Scipy(images[: n // 16], parameters[: n // 16]),
    }
    reference = hpcnn.run(0.0).copy()
    for name, peer in peers.items():
        if name == "SciPy chain":
            # Three interpolations blur; a wrong sign differs by 0.03 and more.
            check(name, peer, reference[: n // 16], 0.02, 1)
        else:
            # OpenCV before 5 rounds positions to 1/32 pixel, bytes to 1/255.
            check(name, peer, reference, 0.005, 0.05)

    times = {name: [] for name in ["hpcnn", *peers, "empty calls"]}
    for _ in range(arguments.rounds):
        # Long enough to be timed, far below a time slice, and on both sides of
        # the others.
        ours = [seconds(lambda: [hpcnn.run(NOISE) for _ in range(20)]) / 20 / n]
        for name, peer in peers.items():
            count = n // 16 if name == "SciPy chain" else n
            times[name].append(seconds(lambda: peer.run(NOISE)) / count)
        times["empty calls"].append(seconds(floats.empty_calls) / n)
        ours.append(seconds(lambda: [hpcnn.run(NOISE) for _ in range(20)]) / 20 / n)
        times["hpcnn"].append(statistics.mean(ours))

    print(f"\n28x28, rotate 8 degrees, skew 0.1, shift 1, noise {NOISE}; {arguments.rounds} rounds of {n} images")
    for name, values in times.items():
        median, low, high = quartiles([1e9 * v for v in values])
        ratio = quartiles([v / ours for v, ours in zip(values, times["hpcnn"])])
        print(f"  {name:24s} {median:10.0f} ns/image  [{low:.0f} ... {high:.0f}]   "
              f"{ratio[0]:7.1f}x hpcnn  [{ratio[1]:.1f} ... {ratio[2]:.1f}]")
    best = min(["OpenCV, bytes", "OpenCV, floats"], key=lambda k: statistics.median(times[k]))
    net = quartiles([(v - e) / o for v, e, o in zip(times[best], times["empty calls"], times["hpcnn"])])
    total = quartiles([v / o for v, o in zip(times[best], times["hpcnn"])])
    print(f"  hpcnn / {best}: {total[0]:.1f}x  [{total[1]:.1f} ... {total[2]:.1f}]; "
          f"without {CALLS} calls from Python {net[0]:.1f}x")


if __name__ == "__main__":
    main()
