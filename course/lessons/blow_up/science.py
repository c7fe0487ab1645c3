"""Networks that are trained until they break down, and what rescues them.

Two of them. The trainable scalar chain: L layers y_l = w_l y_(l-1) + b_l, each with a weight and a
bias of its own, all weights w_0 and all biases 0 at first, which has to learn a line. And a ReLU
network on digits, whose weights are `scale` times those of He. Both by plain SGD on batches of 32.

After R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks"
(2013), where clipping comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from course import data, measures, networks, training
from course.arguments import real, whole
from course.networks import Network
from course.networks.initializers import he_normal, identity
from course.training import Optimizer, Record

BATCH = 32


@dataclass(frozen=True)
class Line:
    """Learn y = 2 x + 1 + 0.1 e from x ~ U(-1, 1), e ~ N(0, 1).

    `power` is 1, so that a loss is the mean squared error itself. The best possible one is
    0.1^2 = 0.01; answering always 1, the mean of y, costs its variance.
    """

    inputs = outputs = 1
    power = 1.0
    noise = 0.1
    mean = 1.0
    variance = 4 / 3 + noise**2

    def draw(self, seed: int, source: Generator, count: int) -> tuple[Tensor, Tensor]:
        """`count` fresh pairs (x, y), each (count, 1)."""
        x = 2 * torch.rand(count, 1, generator=source) - 1
        return x, 2 * x + 1 + self.noise * torch.randn(count, 1, generator=source)


def chain(
    weight: float | Sequence[float],
    *,
    depth: int = 20,
    seeds: Sequence[int] = range(10),
    dtype: torch.dtype = torch.float32,
) -> Network:
    """The trainable scalar chain at its start. weight: of every layer, or one for each."""
    depth = whole("depth", depth, least=1)
    weights = [weight] * depth if isinstance(weight, int | float) else weight
    laws = [partial(signed_identity, weight=real("weight", w)) for w in weights]
    widths = [1] * (len(laws) + 1)
    return networks.mlp(widths, seeds=seeds, activation="identity", init=laws, dtype=dtype)


def signed_identity(fan_in: int, fan_out: int, generator: Generator, *, weight: float) -> Tensor:
    """weight times the identity; `initializers.identity` has no negative gain."""
    return weight * identity(fan_in, fan_out, generator)


def digits_network(
    scale: float = 1.5, *, depth: int = 10, width: int = 32, seeds: Sequence[int] = range(5)
) -> Network:
    """A ReLU network on digits with `depth` hidden layers; its weights are `scale` times He's."""
    widths = [64, *[width] * whole("depth", depth), 10]
    return networks.mlp(widths, seeds=seeds, init=partial(he_normal, gain=scale))


def train(
    network: Network,
    *,
    rate: float,
    steps: int,
    clip: float | training.Schedule | None = None,
    **settings: Any,
) -> Iterator[Record]:
    """Train a `chain` (on the line) or a `digits_network` by plain SGD, in place.

    clip: the most that the norm of a run's gradient may be. settings: others of `training.fit`.
    The batches of a seed are the same whatever the rate, the clip and the weights.
    """
    line = network.recipe.inputs == 1
    return training.fit(
        network, Line() if line else data.digits(), loss="mse" if line else "cross_entropy",
        optimizer=training.SGD(rate, momentum=0.0), batch=BATCH, steps=steps, clip=clip, **settings,
    )  # fmt: skip


DIGITS_REMEDIES: dict[str, dict[str, Any]] = {
    "as it was": dict(scale=1.5, rate=0.03),
    "rate 0.003": dict(scale=1.5, rate=0.003),
    "clip at 3, rate 0.1": dict(scale=1.5, rate=0.1, clip=3.0),
    "He's start": dict(scale=1.0, rate=0.03),
}
"""What may rescue the network on digits, each at its best. For `digits_runs`.

Tried on seeds 200 to 204, which no notebook uses: rates 0.001, 0.003, 0.01, 0.03, 0.1 and 0.3;
clips 0.1, 0.3, 1 and 3 at each of them; the best by the mean accuracy after 300 steps.
"""


def digits_runs(
    name: str, *, steps: int = 300, seeds: Sequence[int] = range(20), **settings: Any
) -> Iterator[Record]:
    """Train the network on digits as `DIGITS_REMEDIES[name]` says, evaluated every 20 steps."""
    remedy = dict(DIGITS_REMEDIES[name])
    network = digits_network(remedy.pop("scale"), seeds=seeds)
    return train(network, **{"steps": steps, "evaluate_every": 20, **remedy, **settings})


def broken_share(network: Network) -> np.ndarray:
    """Share of the weights and biases of each layer that are NaN or infinite: (R, layers)."""
    names = list(measures.layers(network))
    broken, size = np.zeros((2, network.replicas, len(names)))
    for parameter, values in network.named_parameters():
        column = names.index(measures.layer_of(network, parameter))
        broken[:, column] += (~torch.isfinite(values)).flatten(1).sum(1).numpy()
        size[:, column] += values[0].numel()
    return broken / size


def layer_numbers(network: Network) -> dict[str, int]:
    """The names of the layers in records ("block 1", ..., "head") -> 1, 2, ..., input first."""
    return {name: number for number, name in enumerate(measures.layers(network), start=1)}


def places(record: Record, numbers: Mapping[str, int]) -> list[str]:
    """Where each run that broke down did: "step 3, activation of layer 2", without repetition.

    numbers: as of `layer_numbers`. The loss has no layer.
    """
    breaks = {}
    for broken in record.first_nonfinite:
        if broken is not None:
            number = numbers.get(broken.layer, len(numbers) + 1)
            where = f"{broken.what} of layer {number}" if broken.layer in numbers else "loss"
            breaks[f"step {broken.step}, {where}"] = (broken.step, number)
    return sorted(breaks, key=breaks.__getitem__)


def chain_ends(
    weight: float, optimizer: Optimizer, *, clip: float | None = None, steps: int = 300,
    seeds: Sequence[int] = range(10),
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Loss and slope at the end of runs of a chain: (R,) each.

    The loss is the mean of the last 20 steps, NaN for a run that has broken down. The slope is that
    of the answers in x, the product of the weights; 2 is right.
    """
    network = chain(weight, seeds=seeds)
    records = training.fit(
        network, Line(), loss="mse", optimizer=optimizer, batch=BATCH, steps=steps, clip=clip
    )
    losses = np.array([record.loss for record in records][-20:])
    with np.errstate(over="ignore", invalid="ignore"):
        return losses.mean(axis=0), np.abs(parameters(network).weights.prod(axis=1))


@dataclass(frozen=True)
class Parameters:
    """Weights and biases of a chain: (R, n) each, float64."""

    weights: np.ndarray
    biases: np.ndarray


def parameters(network: Network) -> Parameters:
    """The weights and biases of a `chain` as they are now."""
    layers = list(measures.layers(network).values())
    linears = [next(m for m in layer.modules() if hasattr(m, "weight")) for layer in layers]
    columns = [
        torch.stack([getattr(linear, name).detach().double().flatten() for linear in linears], 1)
        for name in ("weight", "bias")
    ]
    return Parameters(columns[0].numpy().copy(), columns[1].numpy().copy())


def outputs(network: Network, x: Sequence[float]) -> np.ndarray:
    """What a `chain` answers to the numbers x: (R, len(x))."""
    dtype = next(network.parameters()).dtype
    with torch.no_grad():
        outputs = network(torch.tensor(x, dtype=dtype)[:, None])
    return outputs[..., 0].double().numpy()
