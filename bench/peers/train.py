# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""The mlp training step: hpcnn against PyTorch.

The same network (784-128-10, ReLU), weights, batches, loss and optimizer
(momentum 0.9), the same number of threads, in one process. First both train 50
steps from the same weights and must agree; then rounds of steps are interleaved.
PyTorch runs as most people write it (eager, SGD), with its fused optimizer, and
compiled; the ratio is to the fastest of them.
"""

import argparse
import ctypes
import statistics
import sys
import time

import numpy as np
import torch

IMAGE, HIDDEN, CLASSES = 784, 128, 10
MOMENTUM = 0.9
FLOPS_PER_IMAGE = 2 * (2 * IMAGE * HIDDEN + 3 * HIDDEN * CLASSES)


class Hpcnn:
    def __init__(self, library, batch, threads):
        self.lib = library
        self.batch = batch
        self.session = library.SessionCreate(batch, threads)

    def close(self):
        self.lib.SessionDestroy(self.session)

    def weights(self):
        count = self.lib.SessionParameterCount()
        return np.ctypeslib.as_array(self.lib.SessionParameters(self.session), (count,))

    def steps(self, batches, rate):
        step, session = self.lib.SessionStep, self.session
        loss = 0.0
        for x, y in batches:
            loss = step(session, x, y, self.batch, rate)
        return loss


class Torch:
    def __init__(self, weights, fused=False, compiled=False):
        self.net = torch.nn.Sequential(
            torch.nn.Linear(IMAGE, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, CLASSES)
        )
        w1, b1, w2, b2 = np.split(
            weights,
            np.cumsum([IMAGE * HIDDEN, HIDDEN, HIDDEN * CLASSES]),
        )
        with torch.no_grad():
            self.net[0].weight.copy_(torch.tensor(w1.reshape(IMAGE, HIDDEN).T))
            self.net[0].bias.copy_(torch.tensor(b1))
            self.net[2].weight.copy_(torch.tensor(w2.reshape(HIDDEN, CLASSES).T))
            self.net[2].bias.copy_(torch.tensor(b2))
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=MOMENTUM, fused=fused)
        self.loss = torch.nn.CrossEntropyLoss()
        self.forward = lambda x, y: self.loss(self.net(x), y)
        if compiled:
            self.forward = torch.compile(self.forward)

    def weights(self):
        parts = [self.net[0].weight.T, self.net[0].bias, self.net[2].weight.T, self.net[2].bias]
        return np.concatenate([p.detach().numpy().reshape(-1) for p in parts])

    def steps(self, batches, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for x, y in batches:
            self.optimizer.zero_grad()
            loss = self.forward(x, y)
            loss.backward()
            self.optimizer.step()
        return loss.item()


def load(path):
    lib = ctypes.CDLL(path)
    lib.SessionCreate.restype = ctypes.c_void_p
    lib.SessionCreate.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
    lib.SessionDestroy.argtypes = [ctypes.c_void_p]
    lib.SessionParameterCount.restype = ctypes.c_size_t
    lib.SessionParameters.restype = ctypes.POINTER(ctypes.c_float)
    lib.SessionParameters.argtypes = [ctypes.c_void_p]
    lib.SessionStep.restype = ctypes.c_float
    lib.SessionStep.argtypes = [
        ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_float
    ]
    lib.ProbeFmaFlops.restype = ctypes.c_double
    lib.SimdTarget.restype = ctypes.c_char_p
    return lib


def seconds(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def quartiles(values):
    low, median, high = statistics.quantiles(values, n=4)
    return median, low, high


def compare(lib, threads, rounds, batch, ours, theirs):
    torch.set_num_threads(threads)
    hpcnn = Hpcnn(lib, batch, threads)
    start = hpcnn.weights().copy()
    peers = {
        "torch eager": Torch(start),
        "torch eager, fused SGD": Torch(start, fused=True),
    }
    try:
        compiled = Torch(start, fused=True, compiled=True)
        compiled.steps(theirs[:2], 0.0)
        peers["torch.compile, fused SGD"] = Torch(start, fused=True, compiled=True)
    except Exception as error:  # needs a C++ compiler of its own
        print(f"torch.compile does not run here: {type(error).__name__}")

    hpcnn.steps(ours[:50], 0.05)
    for name, peer in peers.items():
        peer.steps(theirs[:50], 0.05)
        difference = np.abs(peer.weights() - hpcnn.weights()).max()
        if not difference < 1e-4:
            sys.exit(f"{name}: weights differ by {difference} after 50 steps")

    times = {name: [] for name in ["hpcnn", *peers]}
    peak = []
    for _ in range(rounds):
        peak.append(lib.ProbeFmaFlops())
        # Each one's threads first get their processors from the one before,
        # whose threads spin for a while.
        hpcnn.steps(ours[:100], 1e-3)
        times["hpcnn"].append(seconds(lambda: hpcnn.steps(ours, 1e-3)))
        for name, peer in peers.items():
            peer.steps(theirs[:100], 1e-3)
            times[name].append(seconds(lambda: peer.steps(theirs, 1e-3)))
    images = len(ours) * batch
    best = min(peers, key=lambda name: statistics.median(times[name]))
    print(f"\n{threads} thread(s), batch {batch}, {rounds} rounds of {len(ours)} steps")
    for name, values in times.items():
        median, low, high = quartiles([images / v for v in values])
        print(f"  {name:28s} {median:10.0f} images/s  [{low:.0f} ... {high:.0f}]")
    median, low, high = quartiles([b / a for a, b in zip(times["hpcnn"], times[best])])
    print(f"  hpcnn / {best}: {median:.2f}x  [{low:.2f} ... {high:.2f}]")
    share = [
        images * FLOPS_PER_IMAGE / t / (p * threads) for t, p in zip(times["hpcnn"], peak)
    ]
    print(f"  hpcnn runs at {100 * statistics.median(share):.0f} % of the FMA peak probed in each round")
    hpcnn.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=200, help="a round")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batches", default="64,256")
    arguments = parser.parse_args()
    lib = load(arguments.library)
    print(f"hpcnn on {lib.SimdTarget().decode()}; torch {torch.__version__} "
          f"({torch.backends.cpu.get_cpu_capability()}, mkl {torch.backends.mkl.is_available()}, "
          f"mkldnn {torch.backends.mkldnn.is_available()}); numpy {np.__version__}")

    random = np.random.default_rng(1)
    for batch in [int(text) for text in arguments.batches.split(",")]:
        # Strokes are sparse: a fifth of the pixels is lit, as in MNIST.
        count = arguments.steps
        x = random.random((count, batch, IMAGE), dtype=np.float32)
        x *= random.random((count, batch, IMAGE)) < 0.2
        y = random.integers(0, CLASSES, (count, batch), dtype=np.uint8)
        ours = [(x[i].ctypes.data, y[i].ctypes.data) for i in range(count)]
        theirs = [(torch.from_numpy(x[i]), torch.from_numpy(y[i].astype(np.int64))) for i in range(count)]
        for threads in arguments.threads.split(","):
            compare(lib, int(threads), arguments.rounds, batch, ours, theirs)


if __name__ == "__main__":
    main()
