"""Every remedy of the course against depth: same data, seeds and batches, another remedy.

Thin networks (width 50), batches of 100, SGD with momentum 0.9; the rate is constant for 60 % of
the steps and then falls to 0. Each remedy has a rate of its own, the best of 0.003, 0.01 and 0.03
for its mean training accuracy over the depths 10, 30 and 50 (digits, 6 epochs, other seeds than the
notebook's).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from course.arguments import one_of
from course.data import Dataset
from course.lessons.degradation import science as degradation
from course.networks import Network
from course.training import Record


@dataclass(frozen=True)
class Remedy:
    """architecture: a name that `networks.build` knows, with these options; rate: at the start."""

    architecture: str
    rate: float
    options: dict[str, Any] = field(default_factory=dict)
    skips: bool = False


HE: dict[str, Any] = {"init": "he_normal"}
BARE: dict[str, Any] = {"init": "he_normal", "norm": None}
REMEDIES = {
    "no norm": Remedy("plain", 0.01, BARE),
    "batch norm": Remedy("plain", 0.03, HE),
    "layer norm": Remedy("plain", 0.003, {**HE, "norm": "layer"}),
    "SELU": Remedy("plain", 0.003, {"init": "lecun_normal", "norm": None, "activation": "selu"}),
    "looks-linear": Remedy("looks-linear", 0.01, {"norm": None}),
    "ResNet, batch norm": Remedy("resnet", 0.03, HE, skips=True),
    "zero branches": Remedy("resnet", 0.01, {**BARE, "branch": "zero"}, skips=True),
    "ReZero": Remedy("resnet", 0.03, {**BARE, "branch": "rezero"}, skips=True),
}
"""By name. He's weights and ReLU where not said otherwise; "zero branches" and "ReZero" without a
norm. The first five have no skip connections."""


def family(
    names: Iterable[str],
    examples: Dataset,
    levels: Sequence[int] = (10, 30, 50),
    *,
    seeds: Sequence[int] = (0, 1, 2),
) -> dict[str, Network]:
    """A network at its start for each remedy and depth: "SELU 10", "SELU 30" and so on.

    Raises ValueError for a name that is not in `REMEDIES`.
    """
    chosen = {name: REMEDIES[one_of("names", name, REMEDIES)] for name in names}
    return {
        f"{name} {depth}": degradation.network(
            remedy.architecture, examples, depth=depth, seeds=seeds, **remedy.options
        )
        for name, remedy in chosen.items()
        for depth in levels
    }


def train(name: str, net: Network, examples: Dataset, *, epochs: int = 6) -> Iterator[Record]:
    """Train a network of `family` in place at the rate of its remedy; a record per epoch."""
    rate = REMEDIES[one_of("name", name, REMEDIES)].rate
    return degradation.train(net, examples, epochs=epochs, rate=rate)
