# SPDX-FileCopyrightText: The hpcnn authors
# SPDX-License-Identifier: Apache-2.0
"""Writes torch_fixtures.h: layers, losses and training steps by PyTorch.

  python3 tests/nn/make_torch_fixtures.py > tests/nn/torch_fixtures.h

What goes in are floats of two decimals. PyTorch computes in double, and the
results are rounded to floats. Every case draws from the same seed, so that a
new one changes no other.
"""

import textwrap

import numpy as np
import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def f32(value):
    """Hyper-parameters are floats in hpcnn."""
    return float(np.float32(value))


def draw(*shape, scale=1):
    values = (scale * torch.randn(shape)).round(decimals=2)
    return values.float().double()


def packed(net, of):
    """of(each parameter of a network), in the order of hpcnn."""
    parts = [torch.empty(0)]
    for layer in net:
        if not hasattr(layer, "weight"):
            continue
        weight, bias = of(layer.weight), of(layer.bias)
        if isinstance(layer, nn.Linear):  # [In, Out], then the biases
            parts += [weight.T, bias]
        elif isinstance(layer, nn.Conv2d):  # a row a kernel, its bias last
            parts += [torch.column_stack([weight.flatten(1), bias])]
        else:  # gains, then shifts, of a BatchNorm running statistics too
            parts += [weight, bias]
            if hasattr(layer, "running_mean"):
                parts += [of(layer.running_mean), of(layer.running_var)]
    return torch.cat([part.flatten() for part in parts])


def parameters(net):
    return packed(net, lambda p: p.detach().clone())


def gradients(net):
    return packed(net, lambda p: torch.zeros_like(p) if p.grad is None
                  else p.grad)


def with_drawn_parameters(net):
    for p in net.parameters():
        p.data = draw(*p.shape, scale=0.5)
    for name, p in net.named_buffers():
        if name.endswith("mean"):
            p.data = draw(*p.shape, scale=0.5)
        elif name.endswith("var"):
            p.data = draw(*p.shape).abs() + 0.5
    return net


def literal(value):
    if isinstance(value, int):
        return str(value)
    return f"{np.float32(value) + 0!s}f"  # no -0; as short as is exact


def emit(kind, name, **members):
    print(f"inline constexpr {kind} k{name} = {{")
    for member, values in members.items():
        numbers = ", ".join(literal(v) for v in values.flatten().tolist())
        print(textwrap.fill(f".{member} = {{{numbers}}},", 80,
                            initial_indent="    ", subsequent_indent="     ",
                            break_on_hyphens=False))
    print("};")


def layer(name, layers, shape, batch=2, values=(), scale=1):
    """`values`: the first elements of the input, where the rest is drawn."""
    torch.manual_seed(1)
    net = with_drawn_parameters(nn.Sequential(*layers))
    x = draw(batch, *shape, scale=scale)
    x.view(-1)[:len(values)] = torch.tensor(values)
    x.requires_grad_()
    params = parameters(net)
    y = net(x)
    d_y = draw(*y.shape)
    y.backward(d_y)
    emit(f"LayerFixture<{len(params)}, {x.numel()}, {y.numel()}>", name,
         params=params, x=x, y=y, d_y=d_y, d_x=x.grad,
         d_params=gradients(net))


def loss(name, function, targets):
    """The gradient is that of the mean over the batch."""
    torch.manual_seed(1)
    batch, classes = len(targets), 5
    x = draw(batch, classes, scale=2)
    x[0, 0] = targets.flatten()[0]  # the kink of an absolute error
    x[1, :2] = torch.tensor([120.0, -120.0])  # where exp overflows
    x.requires_grad_()
    losses = function(x, targets, reduction="none").reshape(batch, -1).mean(1)
    losses.mean().backward()
    emit(f"LossFixture<{targets_type(targets)}, {batch}, {x.numel()}>", name,
         x=x, targets=targets, losses=losses, d_x=x.grad)


def training(name, layers, shape, function, targets, optimizer, **options):
    """Steps with the whole batch, at falling rates."""
    torch.manual_seed(1)
    net = with_drawn_parameters(nn.Sequential(*layers))
    x = draw(len(targets), *shape)
    params = parameters(net)
    rule = optimizer(net.parameters(), **options)
    rates = torch.tensor([f32(0.1), f32(0.05), f32(0.025)])
    losses, weights = [], []
    for rate in rates:
        rule.param_groups[0]["lr"] = float(rate)
        rule.zero_grad()
        losses.append(function(net(x), targets))
        losses[-1].backward()
        rule.step()
        weights.append(parameters(net))
    emit(f"TrainingFixture<{targets_type(targets)}, {len(rates)}, "
         f"{x.numel()}, {len(params)}>", name,
         x=x, targets=targets, params=params, rates=rates,
         losses=torch.stack(losses), weights=torch.stack(weights))


def targets_type(targets):
    kind = "Floats" if targets.is_floating_point() else "Labels"
    return f"{kind}<{targets.numel()}>"


def floats(*rows):
    return torch.tensor(rows).float().double()


print(f"""// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Written by make_torch_fixtures.py with PyTorch {torch.__version__.split("+")[0]}.
// Everything in the layouts of hpcnn.

#ifndef HPCNN_TESTS_NN_TORCH_FIXTURES_H_
#define HPCNN_TESTS_NN_TORCH_FIXTURES_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace hpcnn::fixtures {{

template <std::size_t N>
using Floats = std::array<float, N>;
template <std::size_t N>
using Labels = std::array<std::uint8_t, N>;

template <std::size_t Params, std::size_t In, std::size_t Out>
struct LayerFixture {{
  Floats<Params> params;
  Floats<In> x;
  Floats<Out> y;
  Floats<Out> d_y;
  Floats<In> d_x;
  Floats<Params> d_params;
}};

template <class Targets, std::size_t N, std::size_t In>
struct LossFixture {{
  Floats<In> x;
  Targets targets;
  Floats<N> losses;  // of each sample
  Floats<In> d_x;    // of their mean
}};

template <class Targets, std::size_t Steps, std::size_t In, std::size_t Params>
struct TrainingFixture {{
  Floats<In> x;
  Targets targets;
  Floats<Params> params;
  Floats<Steps> rates;
  Floats<Steps> losses;            // the mean before each step
  Floats<Steps * Params> weights;  // after each step
}};

// clang-format off""")

layer("Dense", [nn.Linear(7, 19)], [7], batch=3)
layer("Conv2d", [nn.Conv2d(2, 3, (3, 2))], [2, 4, 13])
layer("Conv2dOfPixels", [nn.Conv2d(3, 5, 1)], [3, 2, 3])
layer("Conv2dPadded", [nn.Conv2d(2, 3, (3, 2), padding=(2, 1))], [2, 3, 5])
layer("Conv2dStrided",
      [nn.Conv2d(2, 3, (3, 2), stride=(2, 3), padding=(1, 0))], [2, 5, 8])
layer("DepthwiseConv2d", [nn.Conv2d(2, 2, (3, 2), groups=2)], [2, 4, 13])
layer("DepthwiseConv2dPadded",
      [nn.Conv2d(3, 3, (3, 2), padding=(2, 1), groups=3)], [3, 3, 5])
layer("DepthwiseConv2dStrided",
      [nn.Conv2d(3, 3, (3, 2), stride=(2, 3), padding=(1, 0), groups=3)],
      [3, 5, 8])

# A window begins with equal pixels: the first gets the gradient.
equal = [3, 3]
layer("MaxPool", [nn.MaxPool2d(2)], [1, 4, 20], values=equal)
layer("MaxPoolOverlapping", [nn.MaxPool2d((3, 2), stride=1)], [2, 4, 5],
      values=equal)
layer("AvgPool", [nn.AvgPool2d(2)], [1, 4, 20])
layer("AvgPoolOverlapping", [nn.AvgPool2d((3, 2), stride=1)], [2, 4, 5])
layer("GlobalAvgPool", [nn.AdaptiveAvgPool2d(1), nn.Flatten()], [3, 2, 5])
layer("LayerNorm", [nn.LayerNorm([2, 3, 7])], [2, 3, 7], batch=3)
layer("BatchNorm", [nn.BatchNorm2d(3)], [3, 2, 5], batch=3)
layer("BatchNormOfVectors", [nn.BatchNorm1d(19)], [19], batch=5)
layer("FrozenBatchNorm", [nn.BatchNorm2d(3).eval()], [3, 2, 5], batch=3)
layer("FrozenBatchNormOfVectors", [nn.BatchNorm1d(19).eval()], [19], batch=5)

# At the kink, far from it, and around it.
edges = [0, 30, -30]
for name, module in [("Relu", nn.ReLU()), ("LeakyRelu", nn.LeakyReLU(0.01)),
                     ("LeakyReluOf30", nn.LeakyReLU(0.3)), ("Elu", nn.ELU()),
                     ("EluOf30", nn.ELU(0.3)), ("Gelu", nn.GELU()),
                     ("Sigmoid", nn.Sigmoid()), ("Tanh", nn.Tanh())]:
    layer(name, [module], [3, 7], values=edges, scale=2)
layer("Softmax", [nn.Softmax(1)], [19], values=edges, scale=2)

labels = torch.tensor([3, 0, 4])
quantities = floats([0.25, -1.5, 0.8, 2, -0.3], [1, 0, -0.7, 0.4, 3],
                    [-2.2, 1.1, 0.6, -0.9, 0.05])
probabilities = floats([0.25, 0, 1, 0.9, 0.5], [0, 1, 1, 0, 0.3],
                       [1, 0.1, 0, 0.75, 1])
functions = nn.functional
loss("SoftmaxCrossEntropy", functions.cross_entropy, labels)
loss("BinaryCrossEntropy", functions.binary_cross_entropy_with_logits,
     probabilities)
loss("MeanSquaredError", functions.mse_loss, quantities)
loss("MeanAbsoluteError", functions.l1_loss, quantities)

decay = {"weight_decay": f32(0.03)}
adam = decay | {"betas": (f32(0.9), f32(0.999)), "eps": f32(1e-8)}
training("MlpByMomentum", [nn.Linear(6, 7), nn.Tanh(), nn.Linear(7, 5)], [6],
         functions.cross_entropy, labels,
         torch.optim.SGD, momentum=f32(0.9), **decay)
training("LeNetByAdam",
         [nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
          nn.Linear(27, 5)], [1, 8, 8],
         functions.cross_entropy, labels, torch.optim.Adam, **adam)
training("DepthwiseByAdamW",
         [nn.Conv2d(2, 2, (2, 3), groups=2), nn.LayerNorm([2, 4, 2]),
          nn.GELU(), nn.Flatten(), nn.Linear(16, 5)], [2, 5, 4],
         functions.mse_loss, quantities, torch.optim.AdamW, **adam)
# Not by Adam: biases before a BatchNorm have no gradient but rounding errors,
# and Adam makes steps of those.
training("BatchNormByMomentum",
         [nn.Conv2d(2, 3, (2, 3)), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
          nn.Linear(24, 7), nn.BatchNorm1d(7), nn.Tanh(), nn.Linear(7, 5)],
         [2, 5, 4], functions.cross_entropy, labels,
         torch.optim.SGD, momentum=f32(0.9), **decay)

print("""// clang-format on

}  // namespace hpcnn::fixtures

#endif  // HPCNN_TESTS_NN_TORCH_FIXTURES_H_""")
