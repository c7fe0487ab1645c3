"""The path that training takes through weight space, on the plane that holds most of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from course import measures, networks, seeding
from course.data import Dataset
from course.lessons.loss_landscapes import science
from course.measures import Direction, Path, Surface
from course.networks import Network, one_thread
from course.training import Record

WALK = tuple(float(6 / (np.pi * k) ** 2) for k in (1, 2))
"""Shares of a long random walk's variance along its first two principal directions: .61 and .15.

In many dimensions the k-th share is (6 / pi^2) / k^2, whatever the walk goes through: Antognini and
Sohl-Dickstein, "PCA of high dimensional random walks with comparison to neural network training"
(2018), section 3.
"""

STEPS = 300
"""Of training: a path of 30 points, as long as the random walk that it is compared with."""


@dataclass(frozen=True)
class Waypoint:
    """A point of a path of training: what `training.fit` says there, and copies of the weights."""

    record: Record
    weights: Direction

    @property
    def step(self) -> int:
        """How many steps led here."""
        return self.record.step

    @property
    def steps(self) -> int:
        """How many there will be."""
        return self.record.steps


def follow(
    net: Network, examples: Dataset, *, steps: int = STEPS, every: int = 10
) -> Iterator[Waypoint]:
    """Train in place as `science.train` does, and keep the weights every so many steps."""
    for record in science.train(net, examples, steps=steps, every=every):
        weights = {name: p.detach().clone() for name, p in net.named_parameters()}
        yield Waypoint(record, weights)


def plane(weights: Sequence[Direction], replicas: int) -> Path:
    """`measures.path_plane`, turned so that the path begins on the left and below its end."""
    path = measures.path_plane(weights, replicas)
    turn = np.where(path.coordinates[:, 0] > 0, -1.0, 1.0)  # (R, 2)
    factors = torch.tensor(turn, dtype=torch.float32)
    turned: list[Direction] = [
        {name: d * factors[:, k, None, None] for name, d in direction.items()}
        for k, direction in enumerate(path.directions)
    ]
    return replace(path, directions=turned, coordinates=path.coordinates * turn[:, None])


def around(net: Network, examples: Dataset, path: Path, *, points: int = 25) -> Surface:
    """The loss on the plane of the first replica's path, as far as the path goes and a bit more."""
    one = science.replica(net, 0)
    first, second, start = (
        {name: d[:1] for name, d in part.items()} for part in (*path.directions, path.start)
    )
    low, high = path.coordinates[0].min(0), path.coordinates[0].max(0)
    room = 0.25 * (high - low) + 1e-6
    axes = [np.linspace(a, b, points) for a, b in zip(low - room, high + room, strict=True)]
    return science.loss_on(one, examples, [first, second], *axes, start=start)


def losses_at(net: Network, examples: Dataset, places: Sequence[Direction]) -> np.ndarray:
    """The loss on the examples of the slices at each of T places in weight space, (T, R)."""
    other = networks.rebuild(net)
    x, y = examples.x_train[: science.SAMPLES], examples.y_train[: science.SAMPLES]
    losses = []
    with one_thread():
        for place in places:
            science.load(other, place)
            losses.append(measures.evaluate(other, x, y)[0])
    return np.array(losses)


def on_plane(path: Path) -> list[Direction]:
    """The T points of a path as its plane shows them: what lies beside the plane is left out."""
    first, second = path.directions
    steps = torch.tensor(path.coordinates, dtype=torch.float32)[..., None, None]
    return [
        {
            n: w + steps[:, t, 0] * first[n] + steps[:, t, 1] * second[n]
            for n, w in path.start.items()
        }
        for t in range(steps.shape[1])
    ]


def random_walk(
    steps: int, dimensions: int, seeds: Sequence[int] = science.SEEDS
) -> list[Direction]:
    """Snapshots of a walk of independent N(0, 1) steps, one walk per seed: weights (R, D, 1)."""
    streams = seeding.generators(seeds, "random walk")
    drawn = torch.stack([torch.randn(steps, dimensions, generator=g) for g in streams], 1)
    return [{"place": place[..., None]} for place in drawn.cumsum(0)]
