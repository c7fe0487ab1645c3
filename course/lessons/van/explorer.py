"""Phasing skips out: when they go, with the numbers under your hands; and schedules in training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial

import numpy as np

from course import training
from course.data import Dataset
from course.lessons.van import pictures, science
from course.live import (
    Caption,
    LivePanel,
    LiveRun,
    Slices,
    Slider,
    Switch,
    live,
    live_run,
    number,
)
from course.plots import style
from course.training import Record

BLOCKS, LONGEST = 5, 400  # of the network that can be trained beside the simulation


def explore(
    examples: Dataset, *, rate: float = 0.01, ratio: float = 0.5, multiplier: float = -1.0
) -> LivePanel:
    """What is left of a skip and its multiplier, step by step, simulated; on request in training.

    The arguments are the first values of the controls: rate (the alpha step) 0.001 to 0.1, ratio 0
    to 1, multiplier -2 to 0.5. Raises ValueError outside.
    """
    fig, axes = style.figure(10.0, 3.8, ncols=2)
    panels = pictures.Phases(fig, axes)
    wide = np.linspace(-2.55, -2.45, 60_000)
    style.hold(fig, lambda: panels.show(wide, wide, wide, np.inf, 2.5))

    @lru_cache(maxsize=8)
    def begun(skips: training.Multipliers, steps: int) -> Slices[Record]:
        net = science.network(examples, depth=BLOCKS)
        return Slices(partial(science.phase_out, net, examples, skips, steps=steps))

    @lru_cache(maxsize=16)
    def simulated(
        rate: float, ratio: float, multiplier: float, resistance: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """What is left, multiplier and closed form, (steps + 1,), and the predicted last step."""
        predicted = science.removal_time(rate, ratio, multiplier + resistance)
        steps = int(np.ceil(1.25 * predicted)) + 5 if np.isfinite(predicted) else 1000
        settings = (rate, ratio, multiplier, resistance)
        left, multipliers = science.simulate(*settings, steps=steps)
        return left, multipliers, science.closed_form(*settings, steps=steps), predicted

    def draw(
        rate: float, ratio: float, multiplier: float, resistance: float, train: bool
    ) -> Caption:
        left, multipliers, form, predicted = simulated(rate, ratio, multiplier, resistance)
        panels.show(left, multipliers, form, predicted, resistance)
        gone = np.flatnonzero(left == 0)
        words = [
            f"Alpha step = {rate:g}, ratio r = {ratio:g}, first multiplier = {multiplier:g}, "
            f"resistance g = {resistance:g}.",
            f"Predicted: the skips are gone after {predicted:.0f} steps; simulated: {gone[0]}."
            if np.isfinite(predicted) and len(gone)
            else "The skips never leave: the resistance is no smaller than the push.",
            f"Multiplier at the end: {number(multipliers[-1])}.",
        ]
        records = None
        if train:
            skips = training.Multipliers(ratio, multiplier, rate)
            records = begun(skips, min(len(left) - 1, LONGEST))
        if records is not None and records.items:
            trace = science.trace(records.items, skips)
            panels.show_measured(trace.left.mean(2), trace.multiplier.mean(2))
            words.append(_measured(trace))
        else:
            panels.show_measured(None, None)
        return Caption("\n".join(words), seen=1, work=records)

    return live(
        fig, draw, ahead=simulated,
        rate=Slider(0.001, 0.1, 0.1, rate, "alpha's rate", "eta in eqs. 7 and 8", log=True),
        ratio=Slider(0.0, 1.0, 0.05, ratio, "ratio r", "eta' / eta: how fast multipliers fall"),
        multiplier=Slider(-2.0, 0.5, 0.05, multiplier, "first multiplier", "lambda at the start"),
        resistance=Slider(0.0, 1.5, 0.05, 0.0, "resistance g", "a constant slope dC/dalpha"),
        train=Switch(
            False, "train a network beside it",
            f"{BLOCKS} blocks, three runs, at most {LONGEST} steps: takes a few seconds",
        ),
    )  # fmt: skip


def _measured(trace: science.Trace) -> str:
    head = f"Measured, {BLOCKS} blocks, {trace.left.shape[1]} runs: "
    if np.isfinite(trace.gone).all():
        ends = sorted({trace.gone.min(), trace.gone.max()})
        return f"{head}the last skip is gone after {' to '.join(f'{n:.0f}' for n in ends)} steps."
    most = trace.left[-1].max()
    return f"{head}after {len(trace.left) - 1} steps up to {most:.0%} of a skip is left."


def watch_steps(
    runs: Mapping[str, Iterator[Record]], skips: Iterable[training.Multipliers]
) -> LiveRun:
    """Runs of `science.phase_out`, with the skips of each: alpha, multipliers and accuracy."""
    fig, axes = style.figure(11.0, 3.8, ncols=3)
    panels = pictures.Steps(fig, axes, list(runs))
    schedule = dict(zip(runs, skips, strict=True))

    def draw(history: dict[str, list[Record]]) -> str:
        lines = []
        for name, records in history.items():
            if records:
                trace = science.trace(records, schedule[name])
                recent = science.recent(np.array([record.accuracy for record in records]))
                panels.show(name, trace.left.mean(2), trace.multiplier.mean(2), recent)
                lines.append(
                    f"{name}: {trace.left[-1].mean():.2f} of the skips left after "
                    f"{len(records)} steps, multiplier {trace.multiplier[-1].mean():.2f}, "
                    f"{100 * recent[-1].mean():.0f} % right in training."
                )
        return "\n".join(lines)

    return live_run(dict(runs), fig=fig, draw=draw, title="Skips, multipliers, accuracy")
