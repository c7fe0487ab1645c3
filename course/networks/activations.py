"""The nonlinearities of the course by name, their derivatives and their gains."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from course import arguments


def identity(x: Tensor) -> Tensor:
    """x itself: with it, a network is linear."""
    return x


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,  # 1 / (1 + exp(-x))
    "tanh": torch.tanh,
    "hard-tanh": functional.hardtanh,  # x between -1 and 1, else -1 or 1
    "relu": torch.relu,  # max(x, 0)
    "leaky-relu": functional.leaky_relu,  # x where x > 0, else 0.01 x
    "elu": functional.elu,  # x where x > 0, else exp(x) - 1
    "selu": torch.selu,  # 1.0507 x where x > 0, else 1.7581 (exp(x) - 1)
    "gelu": functional.gelu,  # x times the probability that a standard normal number is below x
    "identity": identity,
}

KINKS: dict[str, tuple[float, ...]] = {
    "hard-tanh": (-1.0, 1.0), "relu": (0.0,), "leaky-relu": (0.0,), "elu": (0.0,), "selu": (0.0,),
}  # fmt: skip
"""Where a function, or its derivative, bends or jumps; the others are smooth."""

# E f(z)^2 for a standard normal z; test_layers checks each by numerical integration.
_SECOND_MOMENT = {
    "sigmoid": 0.293379035858,
    "tanh": 0.394294490398,
    "hard-tanh": 0.516058550962,
    "relu": 0.5,
    "leaky-relu": 0.50005,
    "elu": 0.644945417493,
    "selu": 1.0,
    "gelu": 0.425221482570,
    "identity": 1.0,
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """The function called `name`, elementwise; ValueError that lists the names if unknown."""
    return ACTIVATIONS[arguments.one_of("activation", name, ACTIVATIONS)]


def derivative(name: str, x: Tensor) -> Tensor:
    """f'(x) elementwise, the shape of `x`; at a kink what torch's autograd takes (ReLU: 0)."""
    function = activation(name)
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(function(point).sum(), point)
    return slope


def gain(name: str) -> float:
    """The factor on weights of variance 1/fan_in that keeps signals at mean square 1.

    gain = 1 / sqrt(E f(z)^2) with z standard normal: sqrt(2) for ReLU (He et al. 2015, eq. 10),
    exactly 1 for SELU (Klambauer et al. 2017). torch.nn.init.calculate_gain says 5/3 for tanh and
    3/4 for SELU, which are rules of thumb; this says 1.5925 and 1.
    """
    return _SECOND_MOMENT[arguments.one_of("activation", name, ACTIVATIONS)] ** -0.5
