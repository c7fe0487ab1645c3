"""Convolutional networks of growing depth on small pictures: gradients at the start, and training.

Depth 8 n + 2 with four channels in the first block; batch norm, He's start, SGD with momentum 0.9,
batches of 50, 3 epochs at the rate 0.03, which falls to 0 over the last 40 % of the steps.
Networks with the same seeds start from the same draws and see the same batches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from course import measures, networks, training
from course.arguments import whole
from course.data import Dataset
from course.experiments.table import Table
from course.networks import Network
from course.training import Record

Array = NDArray[np.float64]
WIDTH, EPOCHS, BATCH, RATE, MOMENTUM, DECAY_FROM = 4, 3, 50, 0.03, 0.9, 0.6


def network(
    name: str, examples: Dataset, *, depth: int, seeds: Sequence[int], width: int = WIDTH
) -> Network:
    """`networks.convolutional` for these examples."""
    return networks.convolutional(name, like=examples, width=width, depth=depth, seeds=seeds)


def family(
    names: Iterable[str], examples: Dataset, depths: Sequence[int], seeds: Sequence[int]
) -> dict[str, Network]:
    """Each network at each depth, at its start: "plain 10", "plain 26" and so on."""
    return {
        f"{name} {depth}": network(name, examples, depth=depth, seeds=seeds)
        for name in names
        for depth in depths
    }


def train(
    net: Network,
    examples: Dataset,
    *,
    epochs: int = EPOCHS,
    rate: float = RATE,
) -> Iterator[Record]:
    """Train in place; yield a record per epoch, with accuracies on the training and test set."""
    every = len(examples.y_train) // BATCH
    return training.fit(
        net, examples, epochs=epochs, batch=BATCH, optimizer=training.SGD(rate, MOMENTUM),
        schedule=training.linear_decay(DECAY_FROM), evaluate_every=every, record_every=every,
    )  # fmt: skip


def growth(side: int, draws: int = 20_000) -> float:
    """How much gradients grow on their way back through a 3 x 3 convolution, of maps side x side.

    Wide layers at the start; batch norm, ReLU, convolution. A weight of the kernel meets a number
    of the map at the share q of all places, and a zero beyond the border at the others. Let Q be
    the sum of q over the nine, v = (pi - 1) / (2 pi) the variance behind ReLU and m^2 = 1 / (2 pi)
    its squared mean. Then the norm divides by the root of v Q + m^2 S, and

        growth^2 = E (Q / 2) / (v Q + m^2 S).

    S is what the border adds, from place to place: near it fewer numbers of mean m are summed. It
    is the variance over places of a sum of standard normal numbers, one for each of the nine that
    is inside; E is a mean over `draws` of these. With one place, or without a border, S = 0, and
    this is pi / (pi - 1), as in a dense layer.
    """
    row = np.arange(whole("side", side, least=1))
    inside = np.abs((row[:, None] + (-1, 0, 1)) * 2 + 1 - side) <= side - 1  # (side, 3)
    valid = np.einsum("ri,cj->rcij", inside, inside).reshape(side * side, 9).astype(float)
    sums = np.random.default_rng(0).normal(size=(draws, 9)) @ valid.T
    shares = valid.mean(0).sum()
    variance = (math.pi - 1) / (2 * math.pi) * shares + sums.var(1) / (2 * math.pi)
    return math.sqrt(np.mean(shares / 2 / variance))


@dataclass(frozen=True)
class Gradients:
    """Gradients of R networks with respect to the output of each of K residual units, on a batch.

    sizes (K, R): of an example's own loss, root mean square of the norm over the examples.
    sides (K,): rows of the maps that each unit returns.
    """

    sizes: Array
    sides: NDArray[np.int64]

    def per_layer(self, side: int) -> Array:
        """The factor on them per layer on the way back, (R,): mean over units of that side.

        Only units that take maps of this side, too: in a unit of two layers it is a root.
        """
        inner = np.flatnonzero((self.sides[1:] == side) & (self.sides[:-1] == side)) + 1
        factors = self.sizes[inner - 1] / self.sizes[inner]
        return np.exp(np.log(factors).mean(0) / 2)


def gradients(net: Network, examples: Dataset, samples: int = 200) -> Gradients:
    """Gradients over the first `samples` training examples as one batch, before training."""
    x, y = examples.x_train[:samples], examples.y_train[:samples]
    signals = measures.one_pass(net, x, y, layers=measures.block_names(net))
    sides = [output.shape[-1] for output in signals.outputs]
    return Gradients(signals.gradient_norms, np.array(sides))


def back_from(found: Gradients, per_layer: Callable[[int], float]) -> Array:
    """Sizes by a formula, (K,), for each size of maps from the measured one after its last unit.

    per_layer: the growth per layer on the way back, for maps of that many rows.
    """
    measured = np.exp(np.log(found.sizes).mean(1))
    last = {int(side): k for k, side in enumerate(found.sides)}
    return np.array(
        [
            measured[last[int(side)]] * per_layer(int(side)) ** (2 * (last[int(side)] - k))
            for k, side in enumerate(found.sides)
        ]
    )


def neighbours(net: Network, examples: Dataset, samples: int = 200) -> Array:
    """Leave-one-out nearest-neighbour accuracy in the last unit, one a replica."""
    x, y = examples.x_train[:samples], examples.y_train[:samples]
    last = measures.block_names(net)[-1]
    (output,) = measures.one_pass(net, x, y, layers=[last]).outputs
    return np.asarray(measures.nearest_neighbour_accuracy(output.flatten(2), y=y))


def parameters(name: str, *, depth: int, width: int) -> int:
    """How many numbers a network for pictures of CIFAR-10 learns."""
    net = networks.convolutional(
        name, shape=(3, 32, 32), outputs=10, width=width, depth=depth, seeds=(0,), init="zero"
    )
    return sum(parameter.numel() for parameter in net.parameters())


def accuracy_table(
    tables: Mapping[str, tuple[Table, str]], measure: str, depths: Sequence[int] | None = None
) -> list[str]:
    """Lines of a table: for each name the network of that table by depth, percent ± its error.

    tables: {name: (table, network)}. measure: a column, such as "test_accuracy". depths: those to
    show; all of the table if None.
    """
    lines = []
    for name, (table, own) in tables.items():
        last = table.last([own])
        cells = []
        for depth in np.unique(last["depth"]) if depths is None else depths:
            values = 100 * last[measure][last["depth"] == depth]
            error = values.std(ddof=1) / math.sqrt(len(values))
            cells.append(f"{depth}: {values.mean():4.1f} ± {error:3.1f}")
        lines.append(f"{name:12} " + "   ".join(cells))
    return lines
