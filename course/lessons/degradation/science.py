"""Networks of growing depth on real data: how they learn, and what their layers pass on.

Thin networks (width 50), batch norm where not said otherwise, SGD with momentum 0.9, batches of
100, 10 epochs: the settings of `course run degradation`. Networks with the same seeds start from
the same draws and see the same batches in the same order.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from course import measures, networks, training
from course.arguments import whole
from course.data import Dataset, LinearTeacher
from course.experiments import EXPERIMENTS, recorded
from course.networks import Network
from course.training import Optimizer, Record

SETTINGS = EXPERIMENTS["degradation"].settings
GROWTH = math.sqrt(math.pi / (math.pi - 1))
"""How much gradients grow from a layer to the one before it, with batch norm and ReLU: 1.2112.

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
    width: int = SETTINGS.width,
    **options: Any,
) -> Network:
    """`networks.build` for these examples, with Highway's gate bias -4 if not said otherwise."""
    if name == "highway":
        options.setdefault("gate_bias", SETTINGS.gate_bias)
    return networks.build(name, like=examples, width=width, depth=depth, seeds=seeds, **options)


def train(
    net: Network,
    examples: Dataset,
    *,
    epochs: int = SETTINGS.epochs,
    rate: float = SETTINGS.rate,
    optimizer: Optimizer | None = None,
    **options: Any,
) -> Iterator[Record]:
    """Train in place; yield a record per epoch, with accuracies on the training and test set.

    rate: of SGD with momentum 0.9, constant for 60 % of the steps, then falling to 0. optimizer:
    another one, at a constant rate. options: further ones of `training.fit`.
    """
    steps = len(examples.y_train) // SETTINGS.batch
    plan = training.linear_decay(SETTINGS.decay_from) if optimizer is None else training.constant
    return training.fit(
        net, examples, epochs=epochs, batch=SETTINGS.batch, schedule=plan,
        optimizer=optimizer or training.SGD(rate, SETTINGS.momentum),
        evaluate_every=steps, record_every=steps, **options,
    )  # fmt: skip


def later(net: Network, examples: Dataset, **options: Any) -> Iterator[Record]:
    """As `train`, but begun when the first record is asked for: many runs are shown at once."""
    yield from train(net, examples, **options)


def family(
    names: Iterable[str], examples: Dataset, depths: Sequence[int], **options: Any
) -> dict[str, Network]:
    """Each network at each depth, at its start: "plain 2", "plain 30" and so on."""
    return {
        f"{name} {depth}": network(name, examples, depth=depth, **options)
        for name in names
        for depth in depths
    }


def by_depth(
    history: Mapping[str, Sequence[Record]], name: str, value: str
) -> tuple[np.ndarray, np.ndarray]:
    """The last records of the runs "NAME DEPTH": depths (N,) and an attribute of theirs (N, R)."""
    last = {
        int(run.rsplit(" ", 1)[1]): getattr(records[-1], value)
        for run, records in history.items()
        if run.rsplit(" ", 1)[0] == name and records
    }
    depths = sorted(last)
    return np.array(depths, dtype=int), np.array([last[depth] for depth in depths])


def recorded_fit(epochs: int) -> dict[int, np.ndarray]:
    """Training accuracies (10,) of plain networks with 20, 30 and 50 blocks, recorded on digits.

    epochs: 40 or 160. The tables come from `course run degradation --networks plain
    --depths 20,30,50 --seeds 10 --epochs 40 --evaluate-every 40`, and the same with 160, on a CPU.
    """
    last = recorded(f"degradation-{epochs}-epochs", "digits").last()
    depths = np.unique(last["depth"])
    return {int(depth): last["train_accuracy"][last["depth"] == depth] for depth in depths}


@dataclass(frozen=True)
class Profile:
    """R networks, layer by layer from the stem (0) to the last block (L).

    gradients (L + 1, R): of an example's own loss with respect to the output, root mean square of
    the norm over the examples. growth (R,): the factor on them per block on their way back,
    geometric mean. places (P,): the layers at which the others were measured. rank (P, R):
    effective rank of the outputs. neighbours (P, R): leave-one-out nearest-neighbour accuracy.
    """

    gradients: np.ndarray
    growth: np.ndarray
    places: np.ndarray
    rank: np.ndarray
    neighbours: np.ndarray


def profile(net: Network, examples: Dataset, *, samples: int = 200, places: int = 11) -> Profile:
    """The profile of a network over the first `samples` training examples, as one batch.

    Batch norm uses the statistics of this batch, as in training. The network is left as it was.
    places: at how many layers at most ranks and neighbours are measured, both ends included.
    """
    signals = one_pass(net, examples, samples=samples)
    chosen, near = neighbours(signals, examples, places=places)
    rank = signals.measure(measures.effective_rank, chosen)
    return Profile(signals.gradient_norms, signals.growth, chosen, rank, near)


def one_pass(net: Network, examples: Dataset, *, samples: int = 200) -> measures.Signals:
    """Stem and blocks for the first `samples` training examples as one batch, and gradients."""
    x = examples.x_train[: whole("samples", samples, least=2)]
    y = examples.y_train[:samples]
    return measures.one_pass(net, x, y, layers=["stem", *measures.block_names(net)])


def neighbours(
    signals: measures.Signals, examples: Dataset, *, places: int = 11
) -> tuple[np.ndarray, np.ndarray]:
    """The places (P,) and the neighbours (P, R) of `Profile`, of a network's `one_pass`."""
    depth, y = len(signals.names) - 1, examples.y_train[: signals.outputs[0].shape[1]]
    chosen = np.unique(np.linspace(0, depth, min(places, depth + 1)).round().astype(int))
    return chosen, signals.measure(partial(measures.nearest_neighbour_accuracy, y=y), chosen)


def parting(
    net: Network, examples: Dataset, *, samples: int = 200, distance: float = 1e-6
) -> np.ndarray:
    """How far two nearly equal pictures are apart, layer by layer from the stem, (L + 1, R).

    Each of the first `samples` training examples gets a companion at `distance` times its length,
    in a random direction; root mean square over the pairs. All are one batch, in float64.
    """
    x = examples.x_train[: whole("samples", samples, least=2)].double()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    noise *= distance * x.norm(dim=1, keepdim=True) / noise.norm(dim=1, keepdim=True)
    exact = copy.deepcopy(net).double()
    signals = measures.one_pass(
        exact, torch.cat([x, x + noise]), layers=["stem", *measures.block_names(net)]
    )
    return signals.measure(
        lambda h: (h[:, len(x) :] - h[:, : len(x)]).square().sum(2).mean(1).sqrt()
    )


def extend_with_identity(net: Network, examples: Dataset, extra: int) -> Network:
    """A trained plain network with batch norm and `extra` blocks more, which answers the same.

    In each of these W = 1 and b = 0, and the norm's scale and shift are the deviation and the mean
    that its input has over the training set: what the norm takes away it puts back, and ReLU leaves
    as it is what a ReLU has returned. For evaluating, with running statistics that are these two.
    """
    deeper = networks.rebuild(net, depth=net.depth + extra).eval()
    deeper.load_state_dict(net.state_dict(), strict=False)
    net.eval()
    with torch.no_grad(), measures.outputs_of([net.blocks[-1]]) as outputs:
        net(examples.x_train)
        mean = outputs[0].mean(1, keepdim=True)
        variance = outputs[0].var(1, correction=0, keepdim=True)
        for block in deeper.blocks[net.depth :]:
            linear, norm = block.linear, block.norm
            assert isinstance(linear, networks.Linear) and isinstance(norm, networks.BatchNorm)
            linear.weight.copy_(torch.eye(linear.weight.shape[-1]))
            if linear.bias is not None:
                linear.bias.zero_()
            norm.running_mean.copy_(mean)
            norm.running_variance.copy_(variance)
            norm.shift.copy_(mean)
            norm.scale.copy_((variance + norm.epsilon).sqrt())
    return deeper


def learn_identity(
    kind: str, depth: int, *, width: int = 32, seeds: Sequence[int] = (0, 1, 2), steps: int = 200
) -> Iterator[Record]:
    """Ask a stack of `depth` blocks without normalization to pass on what comes in, y = x.

    kind: "plain" (a bare chain with ReLU, He's weights and a linear head), "plain, W = 1" (the same
    with unit matrices at the start), "resnet" (the same blocks with skips), or "resnet, zero" (its
    residual functions start at 0). The loss is the mean squared error over fresh x ~ N(0, I),
    relative to answering 0. Adam, rate 0.003, batch 32.
    """
    if kind.startswith("plain"):
        init = "identity" if kind.endswith("W = 1") else "he_normal"
        net = networks.mlp([width] * (depth + 2), seeds=seeds, init=init)
    else:
        net = networks.build(
            "resnet", width=width, depth=depth, seeds=seeds, norm=None, ends=False, bias=0.0,
            branch="zero" if kind.endswith("zero") else 1.0,
        )  # fmt: skip
    return training.fit(
        net, LinearTeacher(width, target="identity"), steps=steps, batch=32, loss="mse",
        optimizer=training.Adam(0.003), record_every=5, evaluate_every=steps,
    )  # fmt: skip
