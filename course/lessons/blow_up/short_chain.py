"""The trainable scalar chain, trained in milliseconds: the same as `science.train`, by hand.

A slider needs an answer within a tenth of a second, and most of the time of `training.fit` on so
small a network is Python's. Here are the same equations, in float32, for all runs at once:

    forward    y_l = w_l y_(l-1) + b_l,                    C = mean (y_L - y)^2,
    backward   g_L = 2 (y_L - y) / B,  g_(l-1) = w_l g_l,  dC/dw_l = sum g_l y_(l-1),
               dC/db_l = sum g_l                           (sums over the batch of B examples).

The batches are those of `training.fit` too, so that the numbers agree to float32 rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from course import arguments
from course.lessons.blow_up.science import BATCH, Line
from course.lessons.scalar_chain.science import power
from course.training import FreshBatches, clip_

Array = NDArray[np.float32]


@dataclass(frozen=True)
class ShortRun:
    """R runs of T steps of a chain of L layers.

    loss: (T, R), of each step's batch, before its update; weights: (T + 1, R, L), before each
    update and after the last; slopes: (T, R, L, 2), dC/dw_l and dC/db_l, before clipping.
    activations: (T, R, L), the largest |y_l| of each batch.
    """

    loss: Array
    weights: Array
    slopes: Array
    activations: Array

    @property
    def gradients(self) -> NDArray[np.float64]:
        """Euclidean norm of the gradient of each layer, (T, R, L)."""
        norms: NDArray[np.float64] = np.sqrt(np.square(self.slopes.astype(float)).sum(-1))
        return norms

    @property
    def survived(self) -> NDArray[np.int64]:
        """(R,): the number of steps before the first one with anything that is not finite."""
        sound = np.isfinite(self.loss) & np.isfinite(self.slopes).all(axis=(2, 3))
        sound &= np.isfinite(self.weights[1:]).all(axis=2)
        steps: NDArray[np.int64] = np.logical_and.accumulate(sound, axis=0).sum(axis=0)
        return steps

    def first_nonfinite(self, run: int) -> tuple[int, int, str] | None:
        """(step from 1, layer from 1, what), see `training.NonFinite`; the loss has layer n + 1."""
        step = int(self.survived[run])
        if step == len(self.loss):
            return None
        layers = self.weights.shape[2]
        broken = np.flatnonzero(~np.isfinite(self.activations[step, run]))
        if broken.size:
            return step + 1, int(broken[0]) + 1, "activation"
        if not np.isfinite(self.loss[step, run]):
            return step + 1, layers + 1, "loss"
        broken = np.flatnonzero(~np.isfinite(self.slopes[step, run]).all(axis=1))
        if broken.size:
            return step + 1, int(broken[-1]) + 1, "gradient"  # the backward pass starts at the end
        broken = np.flatnonzero(~np.isfinite(self.weights[step + 1, run]))
        return step + 1, int(broken[0]) + 1, "weight"


@lru_cache(maxsize=4)
def examples(seeds: tuple[int, ...], steps: int) -> tuple[Array, Array]:
    """Inputs and targets of the first steps, (T, R, B): those which `training.fit` gives."""
    batches = FreshBatches(Line(), seeds, BATCH, torch.device("cpu"))
    x, y = zip(*(batches.batch(step) for step in range(steps)), strict=True)
    return torch.stack(x)[..., 0].numpy(), torch.stack(y)[..., 0].numpy()


def train(
    weight: float,
    *,
    depth: int = 20,
    rate: ArrayLike = 0.01,
    clip: float | None = None,
    steps: int = 60,
    seeds: Sequence[int] = range(5),
) -> ShortRun:
    """Train chains whose weights all start at `weight`, one for each seed.

    rate: >= 0, one for all runs; or K of them: then the runs are every rate (slowest) with every
    seed, so R = K len(seeds). clip: the most that the norm of a run's gradient may be.
    """
    arguments.whole("depth", depth, least=1)
    arguments.whole("steps", steps, least=1)
    seeds = arguments.seeds(seeds)
    rates = np.repeat(np.atleast_1d(np.asarray(rate, np.float32)), len(seeds))
    x, y = (np.tile(part, (1, len(rates) // len(seeds), 1)) for part in examples(seeds, steps))
    runs = len(rates)
    p = np.zeros((2, depth, runs, 1), np.float32)  # weights and biases
    p[0] = weight
    weights = np.empty((steps + 1, depth, runs), np.float32)
    slopes = np.empty((steps, 2, depth, runs), np.float32)
    largest = np.empty((steps, depth, runs), np.float32)
    losses = np.empty((steps, runs), np.float32)
    signal = np.empty((depth + 1, runs, BATCH), np.float32)
    terms = np.empty((2, depth, runs, BATCH), np.float32)  # of the sums: y_(l-1) g_l, and g_l
    wide = np.empty((2, depth, runs, BATCH), np.float32)  # p for each example: broadcasting is slow
    w, b, y_of, back = (_rows(each) for each in (*wide, signal, terms[1]))
    with np.errstate(all="ignore"):  # infinity and NaN are what we look for
        for step in range(steps):
            weights[step], wide[:], signal[0] = p[0, ..., 0], p, x[step]
            for k in range(depth):
                np.multiply(w[k], y_of[k], y_of[k + 1])
                np.add(y_of[k + 1], b[k], y_of[k + 1])
            error = signal[-1] - y[step]
            losses[step] = np.square(error).mean(axis=1)
            largest[step] = np.abs(signal[1:]).max(axis=2)
            np.multiply(error, np.float32(2 / BATCH), terms[1, -1])
            for k in reversed(range(1, depth)):
                np.multiply(w[k], back[k], back[k - 1])
            np.multiply(terms[1], signal[:-1], terms[0])
            slopes[step] = sums = np.add.reduce(terms, 3)
            if clip is not None:
                update = np.ascontiguousarray(sums.transpose(2, 1, 0)).reshape(runs, -1)
                clip_(torch.from_numpy(update), clip)
                sums = update.reshape(runs, depth, 2).transpose(2, 1, 0)
            p -= (sums * rates)[..., None]
        weights[steps] = p[0, ..., 0]
    by_run = weights.transpose(0, 2, 1), slopes.transpose(0, 3, 2, 1), largest.transpose(0, 2, 1)
    return ShortRun(losses, *map(np.ascontiguousarray, by_run))


def _rows(layers: Array) -> list[Array]:
    """A flat view of what belongs to each layer: the quickest form for so few numbers."""
    return list(layers.reshape(len(layers), -1))


def typical_end(run: ShortRun, last: int = 20) -> NDArray[np.float64]:
    """(R,): the mean loss of the last steps; NaN for a run that has broken down."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = run.loss[-last:].astype(float).mean(axis=0)
    return np.where(run.survived == len(run.loss), mean, np.nan)


def without_steps(
    weight: float, *, depth: int = 20, steps: int = 60, seeds: Sequence[int] = range(5)
) -> NDArray[np.float64]:
    """The losses (T, R) at learning rate 0 on the same batches, in closed form: y_L = w^L x."""
    x, y = examples(arguments.seeds(seeds), arguments.whole("steps", steps, least=1))
    factor = power(arguments.real("weight", weight), arguments.whole("depth", depth))
    with np.errstate(over="ignore", invalid="ignore"):
        answers = np.where(x == 0, 0.0, factor * x.astype(float))
        loss: NDArray[np.float64] = np.square(answers - y).mean(2)
    return loss
