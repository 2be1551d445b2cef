# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""The training step of //tools:train's mlp, mlp-large and lenet: hpcnn against PyTorch.

The same network, weights, batches, loss and optimizer
(momentum 0.9), the same number of threads, in one process. First both train 10
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

IMAGE, CLASSES = 784, 10
MOMENTUM = 0.9


class Hpcnn:
    def __init__(self, library, model, batch, threads):
        self.lib = library
        self.batch = batch
        self.session = library.SessionCreate(model.encode(), batch, threads)

    def close(self):
        self.lib.SessionDestroy(self.session)

    def weights(self):
        count = self.lib.SessionParameterCount(self.session)
        return np.ctypeslib.as_array(self.lib.SessionParameters(self.session), (count,))

    def steps(self, batches, rate):
        step, session = self.lib.SessionStep, self.session
        loss = 0.0
        for x, y in batches:
            loss = step(session, x, y, self.batch, rate)
        return loss


def network(model):
    nn = torch.nn
    if model == "mlp":
        return nn.Sequential(nn.Linear(IMAGE, 128), nn.ReLU(), nn.Linear(128, CLASSES))
    if model == "mlp-large":
        return nn.Sequential(
            nn.Linear(IMAGE, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, CLASSES))
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 8, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 5), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, CLASSES))


class Torch:
    def __init__(self, model, weights, fused=False, compiled=False):
        self.net = network(model)
        self.layers = [layer for layer in self.net if list(layer.parameters())]
        with torch.no_grad():
            for layer in self.layers:
                count = layer.weight.numel() + layer.bias.numel()
                weight, bias = self.parts(layer, torch.tensor(weights[:count]))
                layer.weight.copy_(weight)
                layer.bias.copy_(bias)
                weights = weights[count:]
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, momentum=MOMENTUM, fused=fused)
        self.loss = torch.nn.CrossEntropyLoss()
        self.forward = lambda x, y: self.loss(self.net(x), y)
        if compiled:
            self.forward = torch.compile(self.forward)

    @staticmethod
    def parts(layer, flat):
        """The weight and bias in hpcnn's parameters of a layer: of a convolution a
        row a kernel, its bias at the end, of others transposed weights, then bias."""
        outputs = layer.bias.numel()
        if isinstance(layer, torch.nn.Conv2d):
            rows = flat.reshape(outputs, -1)
            return rows[:, :-1].reshape(layer.weight.shape), rows[:, -1]
        rows = flat.reshape(-1, outputs)
        return rows[:-1].T, rows[-1]

    def weights(self):
        flat = []
        for layer in self.layers:
            weight, bias = layer.weight.detach(), layer.bias.detach()
            if isinstance(layer, torch.nn.Conv2d):
                flat.append(torch.cat([weight.flatten(1), bias[:, None]], 1))
            else:
                flat.append(torch.cat([weight.T, bias[None]]))
        return np.concatenate([part.numpy().reshape(-1) for part in flat])

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
    lib.SessionCreate.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t]
    lib.SessionDestroy.argtypes = [ctypes.c_void_p]
    lib.SessionParameterCount.restype = ctypes.c_size_t
    lib.SessionParameterCount.argtypes = [ctypes.c_void_p]
    lib.FlopsPerImage.restype = ctypes.c_size_t
    lib.FlopsPerImage.argtypes = [ctypes.c_char_p]
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


def compare(lib, model, threads, rounds, batch, ours, theirs):
    torch.set_num_threads(threads)
    hpcnn = Hpcnn(lib, model, batch, threads)
    start = hpcnn.weights().copy()
    peers = {
        "torch eager": Torch(model, start),
        "torch eager, fused SGD": Torch(model, start, fused=True),
    }
    try:
        compiled = Torch(model, start, fused=True, compiled=True)
        compiled.steps(theirs[:2], 0.0)
        peers["torch.compile, fused SGD"] = Torch(model, start, fused=True, compiled=True)
    except Exception as error:  # needs a C++ compiler of its own
        print(f"torch.compile does not run here: {type(error).__name__}")

    hpcnn.steps(ours[:10], 0.05)
    for name, peer in peers.items():
        peer.steps(theirs[:10], 0.05)
        difference = np.abs(peer.weights() - hpcnn.weights()).max()
        if not difference < 1e-4:
            sys.exit(f"{name}: weights differ by {difference} after 10 steps")

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
    print(f"\n{model}, {threads} thread(s), batch {batch}, {rounds} rounds of {len(ours)} steps")
    for name, values in times.items():
        median, low, high = quartiles([images / v for v in values])
        print(f"  {name:28s} {median:10.0f} images/s  [{low:.0f} ... {high:.0f}]")
    median, low, high = quartiles([b / a for a, b in zip(times["hpcnn"], times[best])])
    print(f"  hpcnn / {best}: {median:.2f}x  [{low:.2f} ... {high:.2f}]")
    share = [
        images * lib.FlopsPerImage(model.encode()) / t / (p * threads) for t, p in zip(times["hpcnn"], peak)
    ]
    print(f"  hpcnn runs at {100 * statistics.median(share):.0f} % of the FMA peak probed in each round")
    hpcnn.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--models", default="mlp,mlp-large,lenet")
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
        for model in arguments.models.split(","):
            for threads in arguments.threads.split(","):
                compare(lib, model, int(threads), arguments.rounds, batch, ours, theirs)


if __name__ == "__main__":
    main()
