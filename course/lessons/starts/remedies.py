"""Every remedy of the course against depth: same data, seeds and batches, another remedy.

Thin networks (width 50), batches of 100, SGD with momentum 0.9; the rate is constant for 60 % of
the steps and then falls to 0. Each remedy has a rate of its own at 0, 10 and 50 blocks: the best of
0.0003, 0.001, 0.003, 0.01, 0.03, 0.1 and 0.3 for the mean training accuracy of five runs (digits,
5 epochs, other seeds than the notebook's). Larger ones than 0.3, and than 0.1 with batch norm, were
not tried. Two controls stand with them: no hidden layer at all, and layers without a curve.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from course import networks
from course.arguments import one_of
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.networks import Network
from course.training import Record


@dataclass(frozen=True)
class Remedy:
    """architecture: a name that `networks.build` knows, or "mlp"; rates: at the start, by depth.

    options: further ones of `networks.build`. by_depth: branches are divided by the root of L.
    """

    architecture: str
    rates: Mapping[int, float]
    options: dict[str, Any] = field(default_factory=dict)
    skips: bool = False
    by_depth: bool = False

    def rate(self, depth: int) -> float:
        """The rate of the depth that is nearest, on a logarithmic scale."""
        return self.rates[min(self.rates, key=lambda one: abs(math.log((one + 1) / (depth + 1))))]


HE: dict[str, Any] = {"init": "he_normal"}
BARE: dict[str, Any] = {"init": "he_normal", "norm": None}
LINEAR: dict[str, Any] = {"init": "orthogonal", "norm": None, "activation": "identity"}
SELU: dict[str, Any] = {"init": "lecun_normal", "norm": None, "activation": "selu"}
NOTHING = "no hidden layer"
REMEDIES = {
    NOTHING: Remedy("mlp", {0: 0.3}),
    "no curve": Remedy("plain", {0: 0.1, 10: 0.01, 50: 0.003}, LINEAR),
    "no norm": Remedy("plain", {0: 0.3, 10: 0.03, 50: 0.003}, BARE),
    "batch norm": Remedy("plain", {0: 0.3, 10: 0.1, 50: 0.03}, HE),
    "layer norm": Remedy("plain", {0: 0.3, 10: 0.03, 50: 0.001}, {**HE, "norm": "layer"}),
    "SELU": Remedy("plain", {0: 0.3, 10: 0.01, 50: 0.001}, SELU),
    "looks-linear": Remedy("looks-linear", {0: 0.3, 10: 0.03, 50: 0.003}, {"norm": None}),
    "ResNet, batch norm": Remedy("resnet", {0: 0.3, 10: 0.1, 50: 0.1}, HE, skips=True),
    "zero branches": Remedy(
        "resnet", {0: 0.3, 10: 0.03, 50: 0.01}, {**BARE, "branch": "zero"}, skips=True
    ),
    "ReZero": Remedy(
        "resnet", {0: 0.3, 10: 0.1, 50: 0.03}, {**BARE, "branch": "rezero"}, skips=True
    ),
    "branches / √L": Remedy(
        "resnet", {0: 0.3, 10: 0.1, 50: 0.1}, BARE, skips=True, by_depth=True
    ),
}  # fmt: skip
"""By name. He's weights and ReLU where not said otherwise; "no curve" has orthogonal weights, and
those with "branches" and "ReZero" have no norm. The first seven have no skip connections."""


def network(name: str, examples: Dataset, depth: int, seeds: Sequence[int] = (0, 1, 2)) -> Network:
    """A network at its start. Raises ValueError for a name that is not in `REMEDIES`."""
    remedy = REMEDIES[one_of("name", name, REMEDIES)]
    if name == NOTHING:
        return networks.mlp([examples.inputs, examples.outputs], seeds=seeds)
    branch = {"branch": max(depth, 1) ** -0.5} if remedy.by_depth else {}
    return degradation.network(
        remedy.architecture, examples, depth=depth, seeds=seeds, **remedy.options, **branch
    )


def family(
    names: Iterable[str],
    examples: Dataset,
    levels: Sequence[int] = (0, 10, 50),
    *,
    seeds: Sequence[int] = (0, 1, 2),
) -> dict[str, Network]:
    """A network at its start for each remedy and depth: "SELU 10", "SELU 50" and so on.

    "no hidden layer" has the depth 0 alone. Raises ValueError for a name not in `REMEDIES`.
    """
    return {
        f"{name} {depth}": network(name, examples, depth, seeds)
        for name in names
        for depth in ((0,) if name == NOTHING else levels)
    }


def train(name: str, net: Network, examples: Dataset, *, epochs: int = 5) -> Iterator[Record]:
    """Train a network of `family` in place at the rate of its remedy; a record per epoch."""
    rate = REMEDIES[one_of("name", name, REMEDIES)].rate(net.depth)
    return degradation.train(net, examples, epochs=epochs, rate=rate)
