# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures.h: what PyTorch makes of the tests' weights in ten steps.

  python3 tests/optim/make_fixtures.py > tests/optim/fixtures.h
"""

import numpy as np
import torch

SIZE = 37
STEPS = 10


def f32(value):
    """Hyper-parameters are floats in hpcnn."""
    return float(np.float32(value))


def start():
    """Start() in C++."""
    return (np.arange(SIZE) % 7 - 3) / 2


def gradient(step):
    """Gradient(step) in C++: multiples of 1/128 in [-1, 1)."""
    i = np.arange(SIZE, dtype=np.uint64) + np.uint64(SIZE * step)
    return ((i * 2654435761 % 2**32) >> 13 & 255) / 128 - 1


def train(optimizer, clip=lambda w: None, **options):
    w = torch.tensor(start(), dtype=torch.float64, requires_grad=True)
    rule = optimizer([w], lr=0.1, weight_decay=f32(0.03), **options)
    for step in range(STEPS):
        rule.param_groups[0]["lr"] = 0.1 / (1 + step)
        w.grad = torch.tensor(gradient(step), dtype=torch.float64)
        clip(w)
        rule.step()
    return w.detach().numpy()


def emit(name, values):
    text = ", ".join(f"{v:.17g}" for v in values)
    print(f"inline constexpr std::array<double, {SIZE}> {name} = {{{text}}};")


print(f"""// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Written by make_fixtures.py with PyTorch {torch.__version__.split("+")[0]}.

#ifndef HPCNN_TESTS_OPTIM_FIXTURES_H_
#define HPCNN_TESTS_OPTIM_FIXTURES_H_

#include <array>

namespace hpcnn::fixtures {{

// clang-format off""")
sgd, momentum = torch.optim.SGD, f32(0.9)
adam = {"betas": (f32(0.9), f32(0.999)), "eps": f32(1e-8)}
emit("kSgd", train(sgd))
emit("kMomentum", train(sgd, momentum=momentum))
emit("kNesterov", train(sgd, momentum=momentum, nesterov=True))
emit("kRmsProp",
     train(torch.optim.RMSprop, alpha=f32(0.99), eps=f32(1e-8)))
emit("kAdam", train(torch.optim.Adam, **adam))
emit("kAdamW", train(torch.optim.AdamW, **adam))
emit("kAdamByValue", train(
    torch.optim.Adam, lambda w: torch.nn.utils.clip_grad_value_(w, 0.5),
    **adam))
emit("kAdamByNorm", train(
    torch.optim.Adam, lambda w: torch.nn.utils.clip_grad_norm_(w, 3), **adam))
print("""// clang-format on

}  // namespace hpcnn::fixtures

#endif  // HPCNN_TESTS_OPTIM_FIXTURES_H_""")
