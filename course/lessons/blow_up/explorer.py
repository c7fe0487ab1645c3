"""Training that breaks down, under your hands: a chain trained anew at each move of a slider."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from course.lessons.blow_up import pictures, science, short_chain
from course.live import (
    Caption,
    Choice,
    Knob,
    LivePanel,
    LiveRun,
    Slider,
    Switch,
    count,
    live,
    live_run,
    number,
)
from course.plots import style
from course.plots.growing import GrowingCurves
from course.training import Record, Schedule

RUNS, STEPS = 5, 100
CLIP = 1.0
RATE_TIP = "a factor on every network's learning rate, from the next step on"
CLIPS = {"as named": 0.0, "0.3": 0.3, "3": 3.0, "30": 30.0}
CLIP_TIP = "the longest gradient that every network takes, from the next step on"
FLAT = 0.01  # an output that varies less than this over the inputs is called constant


def explore(
    *, depth: int = 20, weight: float = 1.2, rate: float = 0.01, clip: bool = False
) -> LivePanel:
    """The trainable scalar chain on y = 2x + 1: 5 runs of 100 steps at each change of a control.

    The arguments are the first values of the controls: depth 1 to 100, weight -2 to 2, rate 1e-6 to
    1, clip (at norm 1). Raises ValueError outside.
    """
    fig, axes = style.figure(11.0, 4.0, ncols=3)
    panels = pictures.Training(fig, axes)
    wide = np.resize([1e-100, 1e100], 100)
    style.hold(fig, lambda: panels.show(wide[:, None], wide[:, None], [wide] * 2, [wide] * 2))

    @lru_cache(maxsize=16)
    def trained(
        depth: int, weight: float, rate: float, clip: bool, seed: int
    ) -> tuple[short_chain.ShortRun, np.ndarray]:
        """The runs, and their losses at rate 0, (T, R), as far as the runs' float32 reaches."""
        chain: dict[str, Any] = {
            "depth": depth, "steps": STEPS, "seeds": range(RUNS * seed, RUNS * (seed + 1))
        }  # fmt: skip
        run = short_chain.train(weight, rate=rate, clip=CLIP if clip else None, **chain)
        frozen = short_chain.without_steps(weight, **chain)
        return run, np.where(frozen > np.finfo(np.float32).max, np.inf, frozen)

    def draw(depth: int, weight: float, rate: float, clip: bool, seed: int) -> Caption:
        run, frozen = trained(depth, weight, rate, clip, seed)
        last = np.maximum(run.survived - 1, 0)
        every = np.arange(RUNS)
        moments = [
            [np.median(values[0], axis=0), np.median(values[last, every], axis=0)]
            for values in (run.weights, run.gradients)
        ]
        panels.show(run.loss, frozen, *moments)
        settings = f"w0 = {weight:.4g}, {count(depth, 'layer')}, rate {number(rate)}"
        rows = {"weight": moments[0][1], "gradient": moments[1][1]}
        text = f"{settings}, {'clipped at 1' if clip else 'no clipping'}.\n{words(run, frozen)}"
        return Caption(text, _badge(run), rows, seen=3)

    return live(
        fig, draw, ahead=trained, seed=0,
        depth=Slider(1, 100, 1, depth, "depth L", "number of layers"),
        weight=Slider(-2.0, 2.0, 0.05, weight, "weight w0", "what every weight starts at"),
        rate=Slider(1e-6, 1.0, 0.25, rate, "learning rate", "the size of a step", log=True),
        clip=Switch(clip, "clip the gradient", "scale longer gradients down to norm 1"),
    )  # fmt: skip


def words(run: short_chain.ShortRun, frozen: np.ndarray) -> str:
    """What the picture shows: the loss, where it broke down, the gradients, and a verdict."""
    first, last = np.median(run.gradients[0], axis=0)[[0, -1]]
    survived = run.survived == len(run.loss)
    end = np.median(run.loss[-1, survived]) if survived.any() else math.nan
    return "\n".join(
        [
            f"Loss {number(np.median(run.loss[0]), 3)} at the start, {number(end, 3)} at the end "
            f"(median of {run.loss.shape[1]} runs, {len(run.loss)} steps). "
            f"At rate 0 it would be {number(np.median(frozen), 3)}.",
            f"Gradient at the start: {number(first, 3)} at the first layer, "
            f"{number(last, 3)} at the last. {_breakdown(run)}",
            _verdict(run, end),
        ]
    )


def _breakdown(run: short_chain.ShortRun) -> str:
    places = [place for k in range(run.loss.shape[1]) if (place := run.first_nonfinite(k))]
    if not places:
        return "Everything stays finite."
    step, layer, kind = min(places)
    name = "the loss" if kind == "loss" else f"the {kind} of layer {layer}"
    return f"Not finite in {count(len(places), 'run')}, first at step {step}: {name}."


def _badge(run: short_chain.ShortRun) -> str:
    survived = run.survived == len(run.loss)
    if not survived.any():
        return "explodes"
    slope = np.abs(run.weights[-1, survived].astype(float).prod(axis=1))
    end = np.median(run.loss[-1, survived])
    return "vanishes" if np.median(slope) < FLAT else "healthy" if end < 0.05 else ""


def _verdict(run: short_chain.ShortRun, end: float) -> str:
    survived = run.survived == len(run.loss)
    if not survived.any():
        return "It blew up."
    some = "" if survived.all() else "Some blew up. Of the others: "
    slope = np.abs(run.weights[-1, survived].astype(float).prod(axis=1))
    if end < 0.05:
        return f"{some}It has learned the line."
    if np.median(slope) < FLAT:
        return (
            f"{some}Silent: the output hardly depends on the input "
            f"(slope {number(np.median(slope), 1)})."
        )
    return f"{some}It has not learned the line yet."


def watch(
    names: Sequence[str] = tuple(science.DIGITS_REMEDIES), *, steps: int = 300, title: str = ""
) -> LiveRun:
    """Train networks on digits side by side; knobs turn their rates and clipping as they learn.

    names: of `science.DIGITS_REMEDIES`.
    """
    rate = Knob("rate, times", Slider(0.1, 10.0, 0.1, 1.0, "rate, times", RATE_TIP, log=True))
    clip = Knob("clip at", Choice(CLIPS, None, "clip at", CLIP_TIP))
    schedule = Schedule("by hand", lambda _: float(rate.value))

    def learn(name: str) -> Iterator[Record]:
        own = science.DIGITS_REMEDIES[name].get("clip", math.inf)
        most = Schedule("by hand", lambda _: clip.value or own)
        return science.digits_runs(name, steps=steps, schedule=schedule, clip=most)

    runs = {name: partial(learn, name) for name in names}
    fig, ax = style.figure(9.0, 3.4)
    growing = GrowingCurves(ax, names, "train_accuracy", log=False)
    return live_run(runs, fig=fig, draw=growing.show, title=title, knobs=[rate, clip])
