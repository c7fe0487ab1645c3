"""Degeneracy under your hands: what the first weights are like, and how the network then learns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from torch import Tensor

from course import measures, training
from course.lessons.degeneracy import matrices, pictures, science
from course.live import (
    Caption,
    Choice,
    LivePanel,
    LiveRun,
    Slices,
    Slider,
    count,
    live,
    live_run,
    number,
    verdict,
    with_error,
)
from course.plots import curves, style
from course.training import Record

WIDTH, RUNS, STEPS = 32, 3, 100
OPTIMIZERS = {
    f"{kind.__name__}, rate {rate:g}": kind(rate)
    if kind is training.Adam
    else training.SGD(rate, momentum=0.0)
    for kind, rates in (
        (training.Adam, (0.0003, 0.001, 0.003, 0.01)),
        (training.SGD, (0.01, 0.1, 0.3)),
    )
    for rate in rates
}


def explore(
    *,
    fold: int = 0,
    orthogonality: float = 0.0,
    scale: float = 1.0,
    depth: int = 30,
    optimizer: str = "Adam, rate 0.001",
) -> LivePanel:
    """A deep linear network of width 32, trained for 100 steps at each change of a control.

    The arguments are the first values of the controls: fold 0 to 5, orthogonality 0 to 1, scale 0
    to 2, depth 1 to 100, optimizer one of `OPTIMIZERS`. Raises ValueError outside.
    """
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Training(fig, axes)
    wide = np.resize([1e-200, 1e200], 100)
    few = [wide[:WIDTH]] * 2
    style.hold(fig, lambda: panels.show(np.arange(100.0), wide[:, None], [wide] * 2, few, STEPS))
    trained = lru_cache(maxsize=1)(_Run)

    def draw(**settings: Any) -> Caption:
        run = trained(**settings)
        run.show(panels)
        gradients = np.median(run.after.gradients, 1)
        return Caption(run.words(), run.badge(), {"gradient": gradients}, seen=2, work=run.records)

    return live(
        fig, draw, ahead=_started, seed=0,
        fold=Slider(0, 5, 1, fold, "copies", "fold k: how often half of each matrix is copied"),
        orthogonality=Slider(
            0.0, 1.0, 0.05, orthogonality, "orthogonality", "0: Gaussian, 1: orthogonal matrices"
        ),
        scale=Slider(0.0, 2.0, 0.05, scale, "scale", "a factor on every matrix"),
        depth=Slider(1, 100, 1, depth, "depth L", "number of matrices"),
        optimizer=Choice(
            list(OPTIMIZERS), optimizer, "optimizer", "what turns gradients into steps"
        ),
    )  # fmt: skip


@lru_cache(maxsize=16)  # 20 MB
def _started(
    fold: int, orthogonality: float, scale: float, depth: int, seed: int
) -> tuple[Tensor, science.LinearMap]:
    """The first weights, (L, R, n, n), and what they make of an input."""
    start: dict[str, Any] = {"fold": fold, "orthogonality": orthogonality, "scale": scale}
    weights = matrices.first(**start, depth=depth, width=WIDTH, seeds=_seeds(seed))
    return weights, science.map_of(weights, _seeds(seed))


def _seeds(seed: int) -> range:
    return range(RUNS * seed, RUNS * (seed + 1))


class _Run:
    """One training run in slices of time; the next position of a slider forgets it."""

    def __init__(
        self, fold: int, orthogonality: float, scale: float, depth: int, optimizer: str, seed: int
    ) -> None:
        self.settings = (
            f"fold {fold}, orthogonality {orthogonality:.2f}, scale {scale:.2f}, "
            f"{count(depth, 'layer')}, {optimizer}"
        )
        self.seeds, self.optimizer = _seeds(seed), OPTIMIZERS[optimizer]
        self.weights, self.before = _started(fold, orthogonality, scale, depth, seed)
        self.after = self.before
        self.records = Slices(self._train)

    def _train(self) -> Iterator[Record]:
        """Make the network, which the picture before the training did not need, and train it."""
        self.network = matrices.network_of(self.weights, self.seeds)
        return science.train(self.network, steps=STEPS, optimizer=self.optimizer)

    def show(self, panels: pictures.Training) -> None:
        """Draw the training so far, from step 0 on, and the network before it and now."""
        records = self.records.items
        if records:
            self.after = science.linear_map(self.network)
        step = np.array([0, *(record.step for record in records)])
        loss = np.array([self.before.loss, *(record.loss for record in records)])
        moments = (self.before, self.after)
        gradients = [np.median(moment.gradients, axis=1) for moment in moments]
        singular = [np.median(moment.singular, axis=0) for moment in moments]
        panels.show(step, loss, gradients, singular, STEPS, settled=self.records.done)

    def badge(self) -> str:
        """The state of the network now, and what it is the state of: see `live.Caption`."""
        if not np.isfinite(np.median(self.after.loss)):
            return "loss: breaks down"
        if np.median(measures.participation(self.after.singular).numpy()) < WIDTH / 8:
            return "rank: degenerate"
        return f"gradient: {verdict(np.median(self.after.gradients, 1)[::-1])}"

    def words(self) -> str:
        """What the picture shows: settings, the start, and what training has made of it."""
        ranks = np.median(measures.participation(self.before.singular).numpy())
        steps = len(self.records.items)
        return "\n".join(
            [
                f"{self.settings}. Middle of {RUNS} runs; the curve of the loss is their mean.",
                f"At the start: {_state(self.before)}. Directions of the product that count: "
                f"{number(ranks)} of {WIDTH}.",
                f"After {steps} steps: {_state(self.after)}. {_verdict(self.after.loss)}",
            ]
        )


def _state(moment: science.LinearMap) -> str:
    first, last = np.median(moment.gradients, axis=1)[[0, -1]]
    return (
        f"loss {number(np.median(moment.loss))}, gradient {number(first)} at the first layer "
        f"and {number(last)} at the last"
    )


def _verdict(loss: np.ndarray) -> str:
    middle = float(np.median(loss))
    if not math.isfinite(middle):
        return "It broke down."
    if middle > 0.99:
        return "No better than answering 0 (loss 1)."
    return "It learns." if middle < 0.5 else "It has learned less than half."


def watch(
    names: Mapping[str, Iterable[Record]] | Sequence[str], title: str = "", **settings: Any
) -> LiveRun:
    """Train the starts called `names` (of `science.STARTS`) side by side, with a Stop button.

    names may also map a name to records of its own, of a run that has ended or is to come.
    settings: those of `science.learn`.
    """
    runs: dict[str, Any] = (
        dict(names)
        if isinstance(names, Mapping)
        else {n: partial(science.learn, science.STARTS[n], **settings) for n in names}
    )
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Runs(fig, axes, list(runs))

    def draw(history: dict[str, list[Record]]) -> str:
        lines = []
        for name, records in history.items():
            if not records:
                continue
            curve = science.curve(records)
            panels.show(name, curve.step, curve.loss, curve.gradients, records[-1].steps)
            (loss, error), layers = curves.mean_and_error(curve.loss[-1]), curve.gradients[-1]
            lines.append(
                f"{name}: loss {with_error(float(loss), float(error))}, "
                f"gradients {number(layers[0].mean())} at the first layer, "
                f"{number(layers[-1].mean())} at the last."
            )
        return "\n".join(lines)

    return live_run(runs, fig=fig, draw=draw, title=title)
