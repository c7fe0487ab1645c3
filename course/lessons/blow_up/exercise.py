"""Checks of notebook 02, when training blows up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from course import data, measures
from course.lessons.blow_up import short_chain
from course.selfcheck import check, check_function

Arrays = list[np.ndarray]
NO_NETWORK = "is none"


def forward(x: np.ndarray, weights: Arrays, biases: Arrays) -> Arrays:
    """The input and the outputs of all layers, h_0 to h_L, of a network without curves."""
    h = [x]
    for W, b in zip(weights, biases, strict=True):
        h.append(h[-1] @ W + b)
    return h


def solve_backward(h: Arrays, weights: Arrays, g: np.ndarray) -> tuple[Arrays, Arrays]:
    dW: Arrays = []
    db: Arrays = []
    for l in reversed(range(len(weights))):  # noqa: E741  l is a layer
        dW.insert(0, h[l].T @ g)
        db.insert(0, g.sum(axis=0))
        g = g @ weights[l].T
    return dW, db


def solve_step(
    weights: Arrays, biases: Arrays, x: np.ndarray, y: np.ndarray, rate: float
) -> tuple[Arrays, Arrays]:
    h = forward(x, weights, biases)
    dW, db = solve_backward(h, weights, 2 * (h[-1] - y) / len(y))
    new_weights = [W - rate * d for W, d in zip(weights, dW, strict=True)]
    new_biases = [b - rate * d for b, d in zip(biases, db, strict=True)]
    return new_weights, new_biases


def _network(*widths: int) -> tuple[Arrays, Arrays, np.ndarray, np.ndarray]:
    """Weights, biases, five inputs and their right answers, the same at each call."""
    rng = np.random.default_rng(len(widths))
    weights = [rng.normal(size=pair) for pair in pairwise(widths)]
    biases = [rng.normal(size=width) for width in widths[1:]]
    return weights, biases, rng.normal(size=(5, widths[0])), rng.normal(size=(5, widths[-1]))


def _side_by_side(function: Callable[..., Any], *arguments: Any) -> Any:
    """The two lists that `function` returns, as one tuple; ... while a part is not filled in."""
    lists = function(*arguments)
    if not isinstance(lists, list | tuple) or not all(isinstance(one, list) for one in lists):
        return lists  # it may be anything, and is told so
    parts = [part for one in lists for part in one]
    return ... if any(part is ... for part in parts) else tuple(parts)


def check_backward(backward: Callable[..., Any]) -> None:
    """Build it: the gradients of all weights and biases of networks of one to three layers."""
    cases = []
    for widths in ((1, 1, 1), (2, 3), (2, 3, 4, 1)):
        weights, biases, x, y = _network(*widths)
        h = forward(x, weights, biases)
        arguments = h, weights, 2 * (h[-1] - y) / len(y)
        cases.append((arguments, _side_by_side(solve_backward, *arguments)))

    def unsummed(h: Arrays, weights: Arrays, g: np.ndarray) -> tuple[Arrays, Arrays]:
        dW, db = solve_backward(h, weights, g)
        return dW, [part / len(g) for part in db]

    def stays(h: Arrays, weights: Arrays, g: np.ndarray) -> tuple[Arrays, Arrays]:
        return [part.T @ g for part in h[:-1]], [g.sum(axis=0) for _ in weights]

    slips = [
        (unsummed, "The bias counts in every example: sum g over them, axis 0."),
        (stays, "g has to pass each layer on its way: multiply by W transposed."),
    ]
    check_function(
        "backward", backward, cases, mistakes=slips, solution=solve_backward, trial=_side_by_side
    )


def check_step(step: Callable[..., Any]) -> None:
    """Build it: one step of descent. Then four steps of it on the chain of the notebook."""
    cases = []
    for widths in ((1, 1), (3, 2, 2)):
        weights, biases, x, y = _network(*widths)
        arguments = weights, biases, x, y, 0.1
        cases.append((arguments, _side_by_side(solve_step, *arguments)))

    def uphill(weights: Arrays, biases: Arrays, x: Any, y: Any, rate: float) -> Any:
        return solve_step(weights, biases, x, y, -rate)

    slips = [(uphill, "That goes uphill: step against the gradient.")]
    verdict = check_function(
        "step", step, cases, mistakes=slips, solution=solve_step, trial=_side_by_side
    )
    if verdict:
        print(f"Your own network, trained as above: cost {', '.join(run_by_hand(step))}.")


def run_by_hand(step: Callable[..., Any], steps: int = 4) -> list[str]:
    """The cost of each step of the notebook's chain, in float32, as texts."""
    x, y = (part[:, 0, :, None] for part in short_chain.examples((0,), steps))
    weights: Arrays = [np.full((1, 1), 1.2, np.float32) for _ in range(20)]
    biases: Arrays = [np.zeros(1, np.float32) for _ in range(20)]
    costs = []
    with np.errstate(all="ignore"):
        for k in range(steps):
            costs.append(np.square(forward(x[k], weights, biases)[-1] - y[k]).mean())
            weights, biases = step(weights, biases, x[k], y[k], np.float32(0.01))
    return [f"{cost:.0e}" for cost in costs]


def broken_network(seed: int = 0) -> nn.Sequential:
    """A plain ReLU network of 12 hidden layers of 32 units for digits, that does not train."""
    torch.manual_seed(seed)
    widths = [64] + 12 * [32]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(32, 10))


def train_network(network: nn.Module, *, rate: float = 0.03, steps: int = 200) -> list[float]:
    """The loss of each step of plain SGD on digits, on batches of 64; trains in place."""
    digits = data.digits()
    order = torch.Generator().manual_seed(0)
    optimizer = torch.optim.SGD(network.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        rows = torch.randint(len(digits.y_train), (64,), generator=order)
        loss = nn.functional.cross_entropy(network(digits.x_train[rows]), digits.y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def gradients_of(network: nn.Module) -> np.ndarray:
    """Lengths of the gradients of the weights, from the first layer to the last, on 256 digits."""
    digits = data.digits()
    with measures.Probe(network) as probe:
        outputs = network(digits.x_train[:256])
        nn.functional.cross_entropy(outputs, digits.y_train[:256]).backward()
    rows = [row for row in probe.parameters() if row["parameter"].endswith("weight")]
    network.zero_grad()
    return np.array([row["gradient"].item() for row in rows])


def solve_mend(network: nn.Sequential) -> nn.Sequential:
    for layer in network:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


def _training_of(mend: Callable[[nn.Sequential], Any]) -> Any:
    """What becomes of `broken_network` with the weights that `mend` gives it, in words."""
    network = mend(broken_network())
    if network is None or network is ...:
        return network
    if not isinstance(network, nn.Module):
        return NO_NETWORK
    end = float(np.mean(train_network(network)[-20:]))
    return "blows up" if not np.isfinite(end) or end > 100 else "learns" if end < 1.5 else "stalls"


def check_repair(cause: str, mend: Callable[[nn.Sequential], Any]) -> None:
    """The exercise: name what ails `broken_network`, and give it first weights that train."""
    slips = [
        ("exploding", "Look again: the gradients of the first layers, beside those of the last."),
        ("units off", "Units that are off get a gradient of exactly 0. Are these exactly 0?"),
    ]
    check("cause", cause, "vanishing", mistakes=slips)
    mistakes: list[tuple[Callable[..., Any], str]] = [
        (lambda network: NO_NETWORK, "Return the network itself."),
        (lambda network: network, "What multiplies from layer to layer?"),
        (_threefold, "Too much. Which factor does a layer need to keep a size?"),
    ]
    right = check_function(
        "mend", mend, [((), "learns")], mistakes=mistakes, solution=solve_mend,
        trial=_training_of, gives="gives a network that",
    )  # fmt: skip
    if right:
        network = mend(broken_network())
        first, *_, last = gradients_of(network)
        end = np.mean(train_network(network)[-20:])
        print(f"Gradients {first:.0e} in the first layer, {last:.0e} in the last; cost {end:.1f}.")


def _threefold(network: nn.Sequential) -> nn.Sequential:
    """Three times the weights of `solve_mend`: this explodes."""
    for layer in solve_mend(network):
        if isinstance(layer, nn.Linear):
            layer.weight.data *= 3
    return network
