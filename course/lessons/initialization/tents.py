"""Tents: a function that a deep ReLU network needs few units for, and one hidden layer very many.

    t(x) = 2x up to 1/2, 2 - 2x from there on,   for x from 0 to 1

is one layer of two ReLU units: t(x) = 2 relu(x) - 4 relu(x - 1/2). Applied k times it goes up and
down 2^(k-1) times: 2^k straight pieces by 2k units. One hidden layer of m units bends at most m
times and has m + 1 pieces at most. Telgarsky, "Benefits of depth in neural networks" (2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from course.arguments import whole


def network(times: int) -> nn.Sequential:
    """The tent applied `times` times (1 to 20), as a plain ReLU network in float64: (N, 1) to it.

    `times` hidden layers of two units. Between two tents the sum 2u - 4v and the next layer's
    weights are one matrix.
    """
    layers: list[nn.Module] = []
    for number in range(whole("times", times, least=1, most=20)):
        layers += [nn.Linear(2 if number else 1, 2, dtype=torch.float64), nn.ReLU()]
    layers.append(nn.Linear(2, 1, dtype=torch.float64))
    out = torch.tensor([[2.0, -4.0]], dtype=torch.float64)
    with torch.no_grad():
        for number, layer in enumerate(one for one in layers if isinstance(one, nn.Linear)):
            layer.weight.copy_(torch.ones(layer.weight.shape) if number == 0 else out)
            layer.bias.copy_(torch.tensor([0.0, -0.5] if number < times else [0.0]))
    return nn.Sequential(*layers)


def pieces(x: Tensor, y: Tensor) -> int:
    """How many straight pieces a function has, from its values y at equal steps of x, both (N,).

    A bend that lies between two of the points is seen as two bends: put points on the bends.
    """
    slopes = y.diff() / x.diff()
    return 1 + int((slopes.diff().abs() > 1e-6).sum())
