"""Trained networks and the loss around them: what notebook 11 slices and counts.

Thin networks (width 32), He's weights, Adam at rate 0.002, batches of 100. Without a norm, the
branch of a residual block is divided by the depth, so that its signals keep their size. A loss
is that on the first 128 training examples. Planes go through the trained weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from course import measures, networks, seeding, training
from course.arguments import one_of, real, whole
from course.data import Dataset
from course.measures import Direction, Surface
from course.networks import Network, one_thread
from course.training import Record

WIDTH, STEPS, RATE, BATCH = 32, 200, 0.002, 100
SAMPLES, SPAN, POINTS = 128, 0.5, 21
SEEDS = (0, 1, 2)
RAW = 0.2
"""Size of a raw step: that of a weight which He's law draws for 50 inputs."""

KINDS: dict[str, dict[str, Any]] = {
    "plain": {"name": "plain"},
    "resnet": {"name": "resnet"},
    "looks-linear": {"name": "looks-linear"},
    "small weights": {"name": "plain", "init": "torch_default"},
    "plain, batch norm": {"name": "plain", "norm": "batch"},
    "resnet, batch norm": {"name": "resnet", "norm": "batch", "branch": 1.0},
}
"""The networks, all with ReLU; without a norm where none is named.

"small weights" is plain too, and its signals vanish with depth. The branches of "resnet, batch
norm" are undivided, as in Li and others (2018).
"""

DIRECTIONS = ("filter-normalized", "raw")


def network(
    kind: str,
    examples: Dataset,
    *,
    depth: int,
    seeds: Sequence[int] = SEEDS,
    **options: Any,
) -> Network:
    """One of `KINDS` for these examples, untrained. options: of `networks.build`.

    depth >= 1 hidden blocks. Raises ValueError for another kind.
    """
    settings: dict[str, Any] = dict(norm=None, init="he_normal", width=WIDTH)
    settings |= KINDS[one_of("kind", kind, KINDS)]
    whole("depth", depth, least=1)
    if kind == "resnet":
        settings["branch"] = 1 / depth
    return networks.build(like=examples, depth=depth, seeds=seeds, **{**settings, **options})


def train(
    net: Network, examples: Dataset, *, steps: int = STEPS, every: int = 20
) -> Iterator[Record]:
    """Train in place; yield a record every so many steps, the last one with the evaluation."""
    return training.fit(
        net, examples, steps=steps, batch=BATCH, optimizer=training.Adam(RATE), record_every=every
    )


def directions(net: Network, kind: str = "filter-normalized", *, seed: int = 0) -> list[Direction]:
    """Two random directions, one of `DIRECTIONS`; raw ones have the size `RAW` in every weight."""
    if one_of("directions", kind, DIRECTIONS) == "filter-normalized":
        return measures.filter_directions(net, seed=seed)
    raw = measures.random_directions(net, seed=seed)
    return [{name: RAW * d for name, d in direction.items()} for direction in raw]


def slice_through(
    net: Network,
    examples: Dataset,
    chosen: Sequence[Direction],
    *,
    span: float = SPAN,
    points: int = POINTS,
    rows: slice = slice(None),
) -> Surface:
    """The loss on a square of the plane, from -span to span in both directions, around the weights.

    points: along each axis; rows: which of them along the first, at least three.
    """
    axis = np.linspace(-span, span, points)
    return loss_on(net, examples, chosen, axis[rows], axis)


def loss_on(
    net: Network,
    examples: Dataset,
    chosen: Sequence[Direction],
    alphas: np.ndarray,
    betas: np.ndarray,
    **options: Any,
) -> Surface:
    """`measures.surface` on the examples of the slices. options: of that function.

    Batch norm uses the statistics of the examples, at each point anew.
    """
    x, y = examples.x_train[:SAMPLES], examples.y_train[:SAMPLES]
    with measures.as_in_training(net):
        return measures.surface(net, x, y, chosen, alphas=alphas, betas=betas, **options)


def slices(nets: Mapping[int, Network], examples: Dataset) -> dict[int, Surface]:
    """The filter-normalized slice of the networks at each depth, every replica its own."""
    return {n: slice_through(net, examples, directions(net)) for n, net in nets.items()}


@dataclass(frozen=True)
class Roughness:
    """What is counted on the slices of R replicas, arrays (R,), with their accuracy in training.

    nonconvex: share of the inner points where the slice bends downward in some direction. minima:
    inner points below all their neighbours.
    """

    nonconvex: np.ndarray
    minima: np.ndarray
    accuracy: np.ndarray


def roughness(surface: Surface, net: Network, examples: Dataset) -> Roughness:
    """Count on a slice of `net`."""
    _, accuracy = measures.evaluate(net, examples.x_train, examples.y_train)
    assert accuracy is not None
    return Roughness(surface.nonconvex_share(), surface.local_minima(), accuracy)


def replica(net: Network, number: int) -> Network:
    """A network with this replica of `net` alone."""
    alone = networks.rebuild(net, seeds=(net.seeds[number],))
    load(alone, {name: w[number : number + 1] for name, w in net.named_parameters()})
    return alone


def load(net: Network, weights: Direction) -> None:
    """Give the network these weights, a tensor for each parameter."""
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(weights[name])


def rescaled(net: Network, factor: float) -> Network:
    """Another network with the same function, from weights times, and divided by, `factor` > 0.

    Without norm: the weights and biases of the stem times `factor`, the weights of the first block
    divided by it; ReLU lets a positive factor pass. With batch norm: all weights and biases in
    front of a norm times `factor`, and the norm takes it out again, but for its epsilon. For plain
    networks with at least one block; ValueError for others.
    """
    one_of("network", net.name, ["plain"])
    other = networks.rebuild(net)
    load(other, dict(net.named_parameters()))
    first: Any = other.blocks[0]
    stem: Any = other.stem
    scaled: list[Any] = [stem, *other.blocks]
    with torch.no_grad():
        for part in scaled[:1] if net.recipe.norm is None else scaled:
            part.linear.weight.mul_(factor)
            part.linear.bias.mul_(factor)
        if net.recipe.norm is None:
            first.linear.weight.div_(factor)
    return other


def rescaled_units(net: Network, most: float, *, seed: int = 0) -> Network:
    """Another network with the same function: each hidden unit in units of its own.

    What feeds unit i, weights and bias, is multiplied by a factor c_i, what it feeds is divided by
    it; ReLU lets a positive factor pass. log c_i is uniform within log(most) of 0, most >= 1, and
    the same in all replicas. For plain networks without norm; ValueError for others. After Dinh and
    others (2017), section 5.
    """
    one_of("network", net.name, ["plain"])
    one_of("norm", net.recipe.norm, [None])
    reach = math.log(real("most", most, least=1))
    other: Any = networks.rebuild(net)
    load(other, dict(net.named_parameters()))
    layers = [other.stem.linear, *(block.linear for block in other.blocks), other.head]
    (stream,) = seeding.generators([seed], "units")
    with torch.no_grad():
        for layer, following in pairwise(layers):
            share = torch.rand(layer.weight.shape[-1], generator=stream)
            factors = torch.exp(reach * (2 * share - 1))
            layer.weight.mul_(factors)
            layer.bias.mul_(factors)
            following.weight.div_(factors[:, None])
    return other


def lowest_places(surface: Surface, number: int, *, margin: int = 2) -> np.ndarray:
    """Coordinates (M, 2) of the minima of a replica's slice, without that in its middle.

    margin: up to how many grid points from the middle a minimum counts as that in the middle.
    """
    at = np.argwhere(surface.lowest()[number]) + 1
    middle = [len(surface.alphas) // 2, len(surface.betas) // 2]
    away = at[np.abs(at - middle).max(axis=1) > margin]
    return np.stack([surface.alphas[away[:, 0]], surface.betas[away[:, 1]]], axis=1)


def descend(
    net: Network,
    examples: Dataset,
    chosen: Sequence[Direction],
    places: np.ndarray,
    *,
    steps: int = 60,
    rate: float = RATE / 10,
) -> np.ndarray:
    """Small steps of Adam down the whole gradient from M places on a plane: losses (steps + 1, M).

    net: one replica, which is left as it was. places (M, 2): coordinates along the two directions
    `chosen`. The loss, and its gradient, are those on the examples of the slices, over all weights
    and biases.
    """
    whole("replicas", net.replicas, least=1, most=1)
    many = networks.rebuild(net, seeds=range(len(places)))
    a, b = (torch.tensor(along).float()[:, None, None] for along in np.asarray(places).T)
    first, second = chosen
    load(
        many,
        {n: p.detach() + a * first[n] + b * second[n] for n, p in net.named_parameters()},
    )
    few = examples.subset(SAMPLES, test=1)
    with one_thread():
        start, _ = measures.evaluate(many, few.x_train, few.y_train)
    records = training.fit(
        many, few, steps=steps, batch=SAMPLES, optimizer=training.Adam(rate), evaluate_every=1
    )
    return np.array([start, *(record.train_loss for record in records)])
