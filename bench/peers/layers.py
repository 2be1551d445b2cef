# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Layers, forward and back: hpcnn against PyTorch, whose convolutions are oneDNN's.

A batch of 64, one thread each. Outputs and gradients are compared first, then
rounds are interleaved: forward alone, and forward with all gradients.
"""

import argparse
import ctypes
import os
import statistics
import time

import numpy as np
import torch
from torch import nn

LAYERS = {  # with the shape of one sample, as in layers_shim.cc
    "conv2d 1 to 8, 5x5": (nn.Conv2d(1, 8, 5), (1, 28, 28)),
    "conv2d 8 to 16, 5x5": (nn.Conv2d(8, 16, 5), (8, 12, 12)),
    "conv2d 16 to 16, 3x3, padded": (nn.Conv2d(16, 16, 3, padding=1), (16, 24, 24)),
    "depthwise conv2d 16, 3x3, padded": (nn.Conv2d(16, 16, 3, padding=1, groups=16), (16, 24, 24)),
    "dense 784 to 128": (nn.Linear(784, 128), (784,)),
    "dense 128 to 10": (nn.Linear(128, 10), (128,)),
    "max pool 2x2": (nn.MaxPool2d(2), (8, 24, 24)),
    "average pool 2x2": (nn.AvgPool2d(2), (8, 24, 24)),
    "batch norm of images": (nn.BatchNorm2d(16), (16, 12, 12)),
    "batch norm of vectors": (nn.BatchNorm1d(256), (256,)),
    "layer norm": (nn.LayerNorm(256), (256,)),
    "relu": (nn.ReLU(), (16, 12, 12)),
    "gelu": (nn.GELU(), (16, 12, 12)),
    "elu": (nn.ELU(), (16, 12, 12)),
    "sigmoid": (nn.Sigmoid(), (16, 12, 12)),
    "tanh": (nn.Tanh(), (16, 12, 12)),
    "softmax of 10": (nn.Softmax(1), (10,)),
}


class Arrays(ctypes.Structure):
    """Arrays of layers_shim.cc."""
    _fields_ = [(name, ctypes.c_void_p) for name in ["params", "x", "y", "d_y", "d_x", "d_params"]]


def load(path):
    lib = ctypes.CDLL(path)
    for name in ["LayerInputs", "LayerOutputs", "LayerParameters", "LayerFlops"]:
        getattr(lib, name).argtypes = [ctypes.c_size_t]
        getattr(lib, name).restype = ctypes.c_size_t
    lib.LayerCount.restype = ctypes.c_size_t
    lib.LayerName.argtypes = [ctypes.c_size_t]
    lib.LayerName.restype = ctypes.c_char_p
    lib.LayerRun.argtypes = [ctypes.c_size_t, ctypes.POINTER(Arrays), ctypes.c_size_t, ctypes.c_bool, ctypes.c_int]
    lib.LayerRun.restype = ctypes.c_double
    lib.ProbeFmaFlops.restype = ctypes.c_double
    lib.SimdTarget.restype = ctypes.c_char_p
    return lib


def packed(module, of):
    """of(weight) and of(bias) in the order of hpcnn's parameters."""
    if not list(module.parameters()):
        return np.zeros(0, np.float32)
    weight, bias = of(module.weight), of(module.bias)
    if isinstance(module, nn.Linear):  # [In, Out], then the biases
        parts = [weight.T, bias]
    elif isinstance(module, nn.Conv2d):  # a row a kernel, its bias last
        parts = [torch.column_stack([weight.flatten(1), bias])]
    else:  # gains, then shifts
        parts = [weight, bias]
    return torch.cat([part.flatten() for part in parts]).numpy()


def seconds(run, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - begin) / calls


def compare(lib, index, batch, rounds):
    name = lib.LayerName(index).decode()
    module, shape = LAYERS[name]
    x = torch.randn(batch, *shape, requires_grad=True)
    d_y = torch.randn_like(module(x))
    wanted = [x, *module.parameters()]

    def forward():
        with torch.no_grad():
            module(x)

    def both():
        return torch.autograd.grad(module(x), wanted, d_y)

    params = packed(module, lambda p: p.detach())
    # BatchNorm has running statistics behind.
    params = np.concatenate([params, np.ones(len(params), np.float32)])
    y, d_x = np.empty(d_y.shape, np.float32), np.empty(x.shape, np.float32)
    d_params = np.empty(max(1, lib.LayerParameters(index)), np.float32)
    arrays = Arrays(*(a.ctypes.data for a in [params, x.detach().numpy(), y, d_y.numpy(), d_x, d_params]))
    lib.LayerRun(index, arrays, batch, True, 1)

    gradients = both()
    for parameter, gradient in zip(wanted[1:], gradients[1:]):
        parameter.gradient = gradient
    expected = [module(x).detach().numpy(), gradients[0].numpy(), packed(module, lambda p: p.gradient)]
    for what, a, b in zip(["y", "d_x", "d_params"], [y, d_x, d_params], expected):
        if b.size:
            error = np.abs(a.ravel() - b.ravel()).max() / max(1, np.abs(b).max())
            assert error < 1e-4, f"{name}: {what} differs by {error}"

    print(f"{name:34s}", end="")
    for back, run in [(False, forward), (True, both)]:
        ours = lambda calls: lib.LayerRun(index, arrays, batch, back, calls)
        calls = [max(3, int(2e-3 / f(3))) for f in (ours, lambda c: seconds(run, c))]
        times = [(lib.ProbeFmaFlops(), ours(calls[0]), seconds(run, calls[1])) for _ in range(rounds)]
        low, ratio, high = statistics.quantiles([b / a for _, a, b in times], n=4)
        flops = lib.LayerFlops(index) * batch * (3 if back else 1)
        share = statistics.median(flops / a / peak for peak, a, _ in times)
        mine, theirs = (1e6 * statistics.median(t[i] for t in times) for i in (1, 2))
        of_peak = f"{100 * share:3.0f} %" if "conv" in name or "dense" in name else "     "
        print(f"{mine:8.1f} {theirs:8.1f} {ratio:6.2f}x [{low:5.2f} ... {high:5.2f}] {of_peak}", end="")
    print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--batch", type=int, default=64)
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error("--rounds: at least 2")
    lib = load(arguments.library)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    torch.manual_seed(1)
    print(
        f"hpcnn on {lib.SimdTarget().decode()}; torch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}, "
        f"mkldnn {torch.backends.mkldnn.is_available()}); 1 thread, batch {arguments.batch}\n"
        "microseconds of hpcnn and of PyTorch, their ratio [quartiles], hpcnn's share of the probed FMA peak\n"
        f"{'':34s}{'forward':48s}forward and back"
    )
    for index in range(lib.LayerCount()):
        compare(lib, index, arguments.batch, arguments.rounds)


if __name__ == "__main__":
    main()
