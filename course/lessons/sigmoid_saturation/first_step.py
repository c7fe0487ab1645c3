"""What one step of Adam changes in an untrained network: why a step may be too long for a depth.

The first step of Adam moves every weight by `rate`, against the sign of its gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from course import data, measures
from course.lessons.sigmoid_saturation.science import linears
from course.networks import Network, activations


@dataclass(frozen=True)
class FirstStep:
    """How far a network is from where it was, on the first digits, all (R,).

    outputs: distance of the last hidden layer's outputs from those before, relative to their size.
    promised: how much smaller the loss should be by its gradient, to first order.
    gained: how much smaller it is.
    turned: cosine of the gradient after the step and the one before, all weights together.
    """

    outputs: np.ndarray
    promised: np.ndarray
    gained: np.ndarray
    turned: np.ndarray


def first_step(network: Network, rate: float, *, examples: int = 256) -> FirstStep:
    """Move the network, in place, by one such step, and measure what it has changed."""
    digits = data.digits()
    x = digits.x_train[:examples].to(next(network.parameters()).dtype)
    y = digits.y_train[:examples]
    before, loss, old = _outputs(network, x), *_gradient(network, x, y)
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), old, strict=True):
            parameter.sub_(rate * gradient.sign())
    after, later, new = _outputs(network, x), *_gradient(network, x, y)
    return FirstStep(
        ((after - before).norm(dim=(1, 2)) / before.norm(dim=(1, 2))).numpy(),
        rate * _rows(old).abs().sum(1).numpy(),
        (loss - later).numpy(),
        torch.cosine_similarity(_rows(old), _rows(new), dim=1).numpy(),
    )


def _outputs(network: Network, x: Tensor) -> Tensor:
    """h_L of all replicas, (R, B, n)."""
    with torch.no_grad(), measures.outputs_of(linears(network)) as sums:
        network(x)
    return activations.activation(network.recipe.activation)(sums[-1])


def _gradient(network: Network, x: Tensor, y: Tensor) -> tuple[Tensor, Sequence[Tensor]]:
    """The loss of each replica, (R,), and the gradient of their sum, one for each parameter."""
    outputs = network(x)
    loss = measures.losses(outputs, y.expand(len(outputs), -1), "cross_entropy")
    return loss.detach(), torch.autograd.grad(loss.sum(), list(network.parameters()))


def _rows(gradients: Sequence[Tensor]) -> Tensor:
    """All parameters of a replica in one row, (R, N)."""
    return torch.cat([one.reshape(len(one), -1) for one in gradients], 1)
