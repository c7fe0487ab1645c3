"""Networks of growing depth on real data: how they learn, and what their layers pass on.

Thin networks (width 50), batch norm where not said otherwise, SGD with momentum 0.9, batches of
100, 10 epochs: the settings of `course run degradation`. Networks with the same seeds start from
the same draws and see the same batches in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from course import measures, networks, training
from course.arguments import whole
from course.data import Dataset, LinearTeacher
from course.experiments.degradation import SETTINGS
from course.measures import Probe, untouched_buffers
from course.networks import Network, one_thread
from course.training import Optimizer, Record, on_one_thread

GROWTH = math.sqrt(math.pi / (math.pi - 1))
"""How much gradients grow from a layer to the one before it, with batch norm and ReLU: 1.2108.

Wide layers at the start; batch norm, then ReLU, then random weights. With z ~ N(0, 1) behind the
norm, relu(z) has variance 1/2 - 1/(2 pi) = (pi - 1) / (2 pi). The next norm divides by the root of
it, and so does the gradient on its way back; ReLU passes half of the gradient's square. In squares:
1/2 * 2 pi / (pi - 1) = pi / (pi - 1) per layer. After Yang, Pennington, Rao, Sohl-Dickstein and
Schoenholz, "A mean field theory of batch normalization" (2019), section 4.
"""


def network(
    name: str,
    examples: Dataset,
    *,
    depth: int,
    seeds: Sequence[int] = SETTINGS.seeds,
    **options: object,
) -> Network:
    """`networks.build` with the sizes that fit `examples`, width 50 and Highway's gate bias -4."""
    if name == "highway":
        options.setdefault("gate_bias", SETTINGS.gate_bias)
    sizes = dict(inputs=examples.inputs, width=SETTINGS.width, outputs=examples.outputs)
    return networks.build(name, **{**sizes, **options}, depth=depth, seeds=seeds)  # type: ignore[arg-type]


def train(
    net: Network,
    examples: Dataset,
    *,
    epochs: int = SETTINGS.epochs,
    rate: float = SETTINGS.rate,
    optimizer: Optimizer | None = None,
    **options: object,
) -> Iterator[Record]:
    """Train in place; yield a record per epoch, with accuracies on the training and test set.

    rate: of SGD with momentum 0.9, constant for 60 % of the steps, then falling to 0. optimizer:
    another one, at a constant rate. options: further ones of `training.fit`.
    """
    steps = len(examples.y_train) // SETTINGS.batch
    plan = training.linear_decay(SETTINGS.decay_from) if optimizer is None else training.constant
    records = training.fit(
        net, examples, epochs=epochs, batch=SETTINGS.batch, schedule=plan,
        optimizer=optimizer or training.SGD(rate, SETTINGS.momentum),
        evaluate_every=steps, record_every=steps, device="cpu", **options,  # type: ignore[arg-type]
    )  # fmt: skip
    return on_one_thread(records)  # type: ignore[attr-defined]


def family(
    names: Iterable[str], examples: Dataset, depths: Sequence[int], **options: object
) -> dict[str, Network]:
    """Each network at each depth, at its start: "plain 2", "plain 30" and so on."""
    return {
        f"{name} {depth}": network(name, examples, depth=depth, **options)  # type: ignore[arg-type]
        for name in names
        for depth in depths
    }


def by_depth(
    history: Mapping[str, Sequence[Record]], name: str, value: str
) -> tuple[np.ndarray, np.ndarray]:
    """The last records of the runs "NAME DEPTH": depths (N,) and an attribute of theirs (N, R)."""
    found = {
        int(run.rsplit(" ", 1)[1]): getattr(records[-1], value)
        for run, records in history.items()
        if run.rsplit(" ", 1)[0] == name and records
    }
    depths = sorted(found)
    return np.array(depths, dtype=int), np.array([found[depth] for depth in depths])


@dataclass(frozen=True)
class Look:
    """What the layers pass on, in one forward and backward pass of R replicas.

    gradients (R, L + 1): of an example's own loss with respect to the output of the stem and of
    each block, root mean square of its norm over the examples. places (P,): the layers, of 0 (the
    stem) to L, at which the others were measured. rank (R, P): effective rank of the outputs.
    neighbours (R, P): their leave-one-out nearest-neighbour accuracy.
    """

    gradients: np.ndarray
    places: np.ndarray
    rank: np.ndarray
    neighbours: np.ndarray

    @property
    def growth(self) -> np.ndarray:
        """Factor by which gradients grow per block on their way back, (R,): geometric mean."""
        blocks = self.gradients[:, 1:]
        if blocks.shape[1] < 2:
            return np.full(len(blocks), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            return (blocks[:, 0] / blocks[:, -1]) ** (1 / (blocks.shape[1] - 1))


def look(net: Network, examples: Dataset, *, samples: int = 200, places: int = 11) -> Look:
    """Look into the network with the first `samples` training examples as one batch.

    Batch norm uses the statistics of this batch, as in training. The network is left as it was.
    places: at how many layers at most ranks and neighbours are measured, both ends included.
    """
    x = examples.x_train[: whole("samples", samples, least=2)]
    y = examples.y_train[:samples]
    names = ["stem", *(f"block {k}" for k in range(1, net.depth + 1))]
    chosen = np.unique(np.linspace(0, net.depth, min(places, net.depth + 1)).round().astype(int))
    few = Probe(
        net, layers=[names[k] for k in chosen], labels=y, samples=samples,
        measure=["effective_rank", "neighbours"],
    )  # fmt: skip
    mode = net.training
    net.train()
    with one_thread(), untouched_buffers(net), Probe(net, layers=names, measure=[]) as every, few:
        outputs = net(x)
        measures.losses(outputs, y.expand(net.replicas, -1), "cross_entropy").sum().backward()
    net.zero_grad()
    net.train(mode)
    found = few.table()
    return Look(
        np.stack([row["gradient"] for row in every.table()], axis=1),
        chosen,
        np.stack([row["effective_rank"] for row in found], axis=1),
        np.stack([row["neighbours"] for row in found], axis=1),
    )


def learn_identity(
    kind: str, depth: int, *, width: int = 32, seeds: Sequence[int] = (0, 1, 2), steps: int = 200
) -> Iterator[Record]:
    """Ask a stack of `depth` blocks without normalization to pass on what comes in, y = x.

    kind: "plain" (a bare chain with ReLU, He's weights and a linear head), "resnet" (the same
    blocks with skips), or "resnet, zero" (its residual functions start at 0). The loss is the mean
    squared error over fresh x ~ N(0, I), relative to answering 0. Adam, rate 0.003, batch 32.
    """
    if kind == "plain":
        net = networks.mlp([width] * (depth + 2), seeds=seeds)
    else:
        net = networks.build(
            "resnet", inputs=width, width=width, outputs=width, depth=depth, seeds=seeds, norm=None,
            ends=False, branch="zero" if kind.endswith("zero") else 1.0, bias=0.0,
        )  # fmt: skip
    records = training.fit(
        net, LinearTeacher(width, target="identity"), steps=steps, batch=32, loss="mse",
        optimizer=training.Adam(0.003), record_every=5, evaluate_every=steps, device="cpu",
    )  # fmt: skip
    return on_one_thread(records)
