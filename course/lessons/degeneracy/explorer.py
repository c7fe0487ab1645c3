"""Degeneracy under your hands: what the first weights are like, and how the network then learns."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import ipywidgets
import numpy as np

from course import measures, training
from course.arguments import one_of
from course.lessons.degeneracy import pictures, science
from course.live import Control, LivePanel, LiveRun, go_on, live, live_run, seconds
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
    one_of("optimizer", optimizer, OPTIMIZERS)
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Explorer(fig, axes)
    run: list[_Run] = []

    def draw(**settings: Any) -> str:
        # A slider's value carries rounding errors of its steps; 1 has to be 1 exactly.
        settings |= {name: round(settings[name], 4) for name in ("orthogonality", "scale")}
        if not run or run[0].settings != settings:
            run[:] = [_Run(settings)]
        current = run[0]
        current.advance(seconds())
        current.show(panels)
        if not current.done:
            go_on(lambda: panel.again())
        return current.words()

    panel = live(
        fig, draw, seed=0,
        fold=Control(0, 5, 1, fold, "fold k", "how often half of each matrix is copied"),
        orthogonality=Control(
            0.0, 1.0, 0.05, orthogonality, "orthogonality", "0: Gaussian, 1: orthogonal matrices"
        ),
        scale=Control(0.0, 2.0, 0.05, scale, "scale", "a factor on every matrix"),
        depth=Control(1, 100, 1, depth, "depth L", "number of matrices"),
        optimizer=ipywidgets.Dropdown(
            options=list(OPTIMIZERS), value=optimizer, description="optimizer",
            tooltip="what turns gradients into steps", layout={"width": "440px"},
        ),
    )  # fmt: skip
    return panel


class _Run:
    """One training run in slices of time; the next position of a slider forgets it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        start = {name: settings[name] for name in ("fold", "orthogonality", "scale")}
        seeds = range(RUNS * settings["seed"], RUNS * (settings["seed"] + 1))
        self.network = science.deep_linear(
            science.start(**start), depth=settings["depth"], width=WIDTH, seeds=seeds
        )
        self.before = self.after = science.linear_map(self.network)
        self.records: list[Record] = []
        self._more: Iterator[Record] = science.train(
            self.network, steps=STEPS, optimizer=OPTIMIZERS[settings["optimizer"]]
        )

    @property
    def done(self) -> bool:
        return len(self.records) == STEPS

    def advance(self, seconds: float) -> None:
        """Train for so long, or to the end."""
        until = time.monotonic() + seconds
        while not self.done and time.monotonic() < until:
            self.records.append(next(self._more))
        self.after = science.linear_map(self.network)

    def show(self, panels: pictures.Explorer) -> None:
        found = science.curve(self.records)
        maps = (self.before, self.after)
        gradients = [np.median(one.gradients, axis=1) for one in maps]
        singular = [np.median(one.singular, axis=0) for one in maps]
        panels.show(found.step, found.loss, gradients, singular, STEPS)

    def words(self) -> str:
        """What the picture shows: settings, the start, and what training has made of it."""
        s = self.settings
        head = (
            f"fold {s['fold']}, orthogonality {s['orthogonality']:.2f}, scale {s['scale']:.2f}, "
            f"{s['depth']} layer{'s' * (s['depth'] > 1)}, {s['optimizer']}. Middle of {RUNS} runs."
        )
        ranks = np.median(measures.participation(self.before.singular).numpy())
        steps = len(self.records)
        return "\n".join(
            [
                head,
                f"At the start: {_state(self.before)}. Directions of the product that count: "
                f"{ranks:.2g} of {WIDTH}.",
                f"After {steps} steps: {_state(self.after)}. {_verdict(self.after.loss)}",
            ]
        )


def _state(state: science.LinearMap) -> str:
    first, last = np.median(state.gradients, axis=1)[[0, -1]]
    return (
        f"loss {_short(np.median(state.loss))}, gradient {_short(first)} at the first layer "
        f"and {_short(last)} at the last"
    )


def _verdict(loss: np.ndarray) -> str:
    middle = float(np.median(loss))
    if not math.isfinite(middle):
        return "It broke down."
    if middle > 0.99:
        return "No better than answering 0 (loss 1)."
    return "It learns." if middle < 0.5 else "It has learned less than half."


def _short(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "not finite"


def watch(
    names: Mapping[str, Iterable[Record]] | Sequence[str], title: str = "", **settings: Any
) -> LiveRun:
    """Train the starts called `names` (of `science.STARTS`) side by side, with a Stop button.

    names may also map a name to records of its own, of a run that has ended or is to come.
    settings: those of `science.learn`.
    """
    runs: dict[str, Iterable[Record]] = (
        dict(names)
        if isinstance(names, Mapping)
        else {n: science.learn(science.STARTS[n], **settings) for n in names}
    )
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Runs(fig, axes, list(runs))

    def draw(history: dict[str, list[Record]]) -> str:
        lines = []
        for name, records in history.items():
            if not records:
                continue
            found = science.curve(records)
            panels.show(name, found.step, found.loss, found.gradients, records[-1].steps)
            (loss, error), layers = curves.mean_and_error(found.loss[-1]), found.gradients[-1]
            lines.append(
                f"{name}: loss {loss:.3g} ± {error:.1g}, "
                f"gradients {_short(layers[0].mean())} at the first layer, "
                f"{_short(layers[-1].mean())} at the last."
            )
        return "\n".join(lines)

    return live_run(runs, fig=fig, draw=draw, title=title)
