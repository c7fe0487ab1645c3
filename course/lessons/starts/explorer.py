"""Starts and remedies under your hands: SELU's fixed point, whole networks, all side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from course.data import Dataset
from course.lessons.starts import pictures, remedies, science
from course.live import (
    Caption,
    Choice,
    LivePanel,
    LiveRun,
    Slider,
    count,
    describe,
    from_start,
    live,
    live_run,
    number,
    percents,
)
from course.networks import Network
from course.plots import style
from course.training import Record

KINDS = ("selu", "relu", "tanh", "elu", "gelu")


def explore_moments(
    *, activation: str = "selu", mean: float = 1.0, deviation: float = 2.0, depth: int = 30
) -> LivePanel:
    """Mean and variance of the units, layer by layer, in random networks without a norm.

    The arguments are the first values of the controls: activation one of `KINDS`, mean (of the
    input) -3 to 3, deviation 0.1 to 10, depth 1 to 100. ValueError outside.
    """
    fig, axes = style.figure(10.0, 3.6, ncols=2)
    panels = pictures.Moments(fig, axes)
    wide = np.geomspace(1e-40, 1e9, 100)
    style.hold(fig, lambda: panels.show(wide, wide, wide, wide))

    @lru_cache(maxsize=64)
    def moments(
        activation: str, gain: float, mean: float, deviation: float, depth: int, seed: int
    ) -> tuple[science.Moments, science.Moments]:
        inputs: dict[str, Any] = {"gain": gain, "mean": mean, "deviation": deviation}
        theory = science.expected_moments(activation, depth, **inputs)
        return theory, science.measured_moments(activation, depth, seeds=(seed,), **inputs)

    def draw(
        activation: str, gain: float, mean: float, deviation: float, depth: int, seed: int
    ) -> Caption:
        theory, network = moments(activation, gain, mean, deviation, depth, seed)
        measured = network.mean[1:, 0], network.variance[1:, 0]
        form = theory.mean[1:], theory.variance[1:]
        panels.show(_share(*measured), measured[1], _share(*form), form[1])
        lines = [
            f"{activation}, weights LeCun times {gain:g}, {count(depth, 'layer')}; input: mean "
            f"{mean:g}, standard deviation {deviation:g}.",
            *([f"Layer 1: {_moments(*measured, 0)}."] if depth > 1 else []),
            f"Layer {depth}: {_moments(*measured, -1)}; closed form: {_moments(*form, -1)}.",
        ]
        signal = np.sqrt(measured[1] + measured[0] ** 2)
        return describe("\n".join(lines), signal=signal, seen=len(lines) - 1)

    return live(
        fig, draw, ahead=moments, seed=0,
        activation=Choice(KINDS, activation, "activation", "what every unit applies"),
        gain=Slider(0.0, 2.0, 0.05, 1.0, "weight scale", "a factor on LeCun's weights, N(0, 1/n)"),
        mean=Slider(-3.0, 3.0, 0.1, mean, "input: mean", "of the numbers that go in"),
        deviation=Slider(
            0.1, 10.0, 0.1, deviation, "input: SD", "standard deviation of what goes in", log=True
        ),
        depth=Slider(1, 100, 1, depth, "depth L", "number of layers"),
    )  # fmt: skip


def _share(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The mean over the root mean square; NaN where all is 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return mean / np.sqrt(variance + mean**2)


def _moments(mean: np.ndarray, variance: np.ndarray, layer: int) -> str:
    share = _share(mean, variance)[layer]
    of_size = (
        "" if np.isnan(share) else f" ({share + 0.0:.2f} of the size)".replace("-0.00", "0.00")
    )
    return f"mean {number(mean[layer], 1)}{of_size}, variance {number(variance[layer])}"


def explore_map(*, kind: str = "orthogonal", weight: float = 1.0, layers: int = 50) -> LivePanel:
    """A whole ReLU network at its start: lengths layer by layer, and its singular values.

    The arguments are the first values of the controls: kind one of `science.MAPS`, weight 0 to 1.5,
    layers 2 to 100. ValueError outside.
    """
    fig, axes = style.figure(10.0, 3.6, ncols=2)
    panels = pictures.Stretching(fig, axes)
    wide = np.geomspace(1e9, 1e-40, 100)
    style.hold(fig, lambda: panels.show(wide, wide[:32], wide))

    @lru_cache(maxsize=64)
    def measured(kind: str, weight: float, layers: int, seed: int) -> science.LayerMap:
        return science.whole_map(kind, weight, layers, seeds=(seed,))

    def draw(kind: str, weight: float, layers: int, seed: int) -> Caption:
        network = measured(kind, weight, layers, seed)
        sizes, singular = network.sizes[1:, 0], network.singular[:, 0]
        powers = weight ** np.arange(1.0, layers + 1)
        panels.show(sizes, singular, powers)
        text = "\n".join(
            [
                f"{kind}, w = {weight:g}, {count(layers, 'layer')}: w^L = {number(powers[-1], 3)}.",
                f"Length of the output, over that of the input: {number(sizes[-1], 3)}.",
                "Singular values of the whole network: "
                f"largest {number(singular[0], 3)}, middle {_known(singular, len(singular) // 2)}, "
                f"smallest {_known(singular, -1)}.",
            ]
        )
        return describe(text, signal=sizes, seen=1)

    return live(
        fig, draw, ahead=measured, seed=0,
        kind=Choice(science.MAPS, kind, "weights", "the law of the first weights"),
        weight=Slider(0.0, 1.5, 0.05, weight, "weight w", "a factor on every matrix"),
        layers=Slider(2, 100, 1, layers, "layers L", "matrices from input to output"),
    )  # fmt: skip


def _known(singular: np.ndarray, rank: int) -> str:
    """A singular value to three digits, if rounding relative to the largest leaves them."""
    value, known = singular[rank], 1e-12 * singular[0]
    return number(value, 3) if value >= known else f"below {number(known, 1)}"


def watch(nets: Mapping[str, Network], examples: Dataset, *, epochs: int = 5) -> LiveRun:
    """Train the networks of `remedies.family` side by side: both accuracies of each, by depth.

    They are changed in place; a restart begins with the weights that they have now.
    """
    keys = {run: _parts(run) for run in nets}
    names = list(dict.fromkeys(name for name, _ in keys.values()))
    depths = sorted({depth for _, depth in keys.values()})
    skips = [name for name in names if remedies.REMEDIES[name].skips]
    fig, axes = style.figure(11.0, 0.9 + 0.4 * len(names), ncols=2, sharey=True)
    labels = {"train_accuracy": "training accuracy (%)", "test_accuracy": "test accuracy (%)"}
    panels = {
        kind: pictures.Remedies(ax, names, depths, skips, examples.outputs, label, ax is axes[1])
        for ax, (kind, label) in zip(axes, labels.items(), strict=True)
    }

    def draw(history: dict[str, list[Record]]) -> str:
        evaluated = {
            keys[run]: records[-1]
            for run, records in history.items()
            if records and records[-1].train_accuracy is not None
        }
        for kind, panel in panels.items():
            panel.show({key: getattr(record, kind) for key, record in evaluated.items()})
        lines = []
        for name in names:
            measured = [depth for depth in depths if (name, depth) in evaluated]
            if measured:
                accuracy = np.array([evaluated[name, depth].train_accuracy for depth in measured])
                lines.append(f"{name}, training accuracy by depth: {percents(measured, accuracy)}.")
        return "\n".join(lines)

    train = {
        name: partial(remedies.train, name, examples=examples, epochs=epochs) for name in names
    }
    runs = {run: from_start(net, train[keys[run][0]]) for run, net in nets.items()}
    return live_run(runs, fig=fig, draw=draw, title=f"{epochs} epochs of training")


def _parts(run: str) -> tuple[str, int]:
    name, depth = run.rsplit(" ", 1)
    return name, int(depth)
