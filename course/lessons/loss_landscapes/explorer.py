"""Loss landscapes under your hands: the scale of weights, slices of trained nets, a path."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from course.arguments import one_of
from course.data import Dataset
from course.lessons.loss_landscapes import paths, pictures, roughness, science
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
)
from course.measures import Direction, Surface
from course.networks import Network
from course.plots import style
from course.plots.growing import GrowingCurves
from course.training import Record

SIDES = tuple(reversed(science.DIRECTIONS))
"""Left and right in `rescale`."""
QUICK = 17
FACTORS = tuple(2.0**k for k in range(-5, 6))
RESCALED = (
    "Two slices through the same trained network, on the left with raw directions, on the right "
    "with filter-normalized ones, and sliders for the scale of its weights."
)
SLICED = (
    "A slice through the trained {network} network with {depth} blocks: on the left a map with "
    "dots where it bends downward, on the right a relief that can be turned and tilted."
)
COARSE, FINE, ROWS = 9, 33, 3
"""Points along each axis at first and in the end, and how many rows of them at a time."""


def rescale(nets: Mapping[str, Network], examples: Dataset, *, factor: float = 1.0) -> LivePanel:
    """Two slices through the same function, raw and filter-normalized, as weights change scale.

    nets: trained plain networks by name, whose first replica is shown. factor: the first value of
    the slider, one of `FACTORS`, see `science.rescaled`. Raises ValueError else.
    """
    single = {name: science.replica(net, 0) for name, net in nets.items()}
    fig, axes = style.figure(9.6, 4.2, ncols=2)
    colours = pictures.Colours(fig, list(axes))
    maps = [
        pictures.LossMap(ax, colours, f"{kind} directions")
        for ax, kind in zip(axes, SIDES, strict=True)
    ]
    style.hold(fig, lambda: _widest(fig, colours, maps, science.SPAN))
    x = examples.x_train[: science.SAMPLES]

    @lru_cache(maxsize=128)
    def compared(network: str, factor: float, seed: int) -> tuple[float, list[Surface]]:
        net = single[network]
        other = science.rescaled(net, factor)
        with torch.no_grad():
            outputs = net.train()(x), other.train()(x)
        apart = float((outputs[1] - outputs[0]).abs().max() / outputs[0].abs().max())
        chosen = [science.directions(other, kind, seed=seed) for kind in SIDES]
        return apart, [
            science.slice_through(other, examples, pair, points=QUICK) for pair in chosen
        ]

    def draw(network: str, factor: float, seed: int) -> str:
        apart, slices = compared(network, factor, seed)
        words = [
            f"{network}, factor c = {_factor(factor)}. The outputs differ by at most {apart:.1%} "
            "of the largest."
        ]
        colours.fit(*[surface.loss[0] for surface in slices])
        for panel, kind, surface in zip(maps, SIDES, slices, strict=True):
            panel.show(surface.alphas, surface.betas, surface.loss[0], surface.bends_down()[0])
            share = surface.nonconvex_share()[0]
            words.append(
                f"{kind.capitalize()}: {_heights(surface)} Bends downward at {share:.0%} of points."
            )
        return "\n".join(words)

    return live(
        fig, draw, seed=0, summary=RESCALED,
        network=Choice(list(single), None, "network", "what takes the factor out again"),
        factor=Choice(
            {_factor(c): c for c in FACTORS}, factor, "factor c", "by which weights are multiplied",
            slider=True,
        ),
    )  # fmt: skip


def explore(
    nets: Mapping[str, Mapping[int, Network]],
    examples: Dataset,
    *,
    network: str = "plain",
    depth: int = 20,
    span: float = 0.5,
) -> LivePanel:
    """A slice through a trained network as a map and as a relief, and what is counted on it.

    nets: by kind, then by depth, the same depths for each; the first replica is shown. The other
    arguments are the first values of the controls: span 0.05 to 1.5. Raises ValueError outside.
    """
    depths = sorted(nets[one_of("network", network, list(nets))])
    fig, axes = style.figure(10.4, 4.4, ncols=2)
    colours = pictures.Colours(fig, list(axes))
    flat, relief = pictures.LossMap(axes[0], colours), pictures.Relief(axes[1], colours)
    style.hold(fig, lambda: _widest(fig, colours, [flat], span))

    @lru_cache(maxsize=64)
    def scan(kind: str, depth: int, along: str, span: float, seed: int) -> _Scan:
        net = science.replica(nets[kind][depth], 0)
        return _Scan(net, examples, science.directions(net, along, seed=seed), span)

    def draw(
        network: str, depth: int, along: str, span: float, turn: float, tilt: float, seed: int
    ) -> Caption:
        current = scan(network, depth, along, span, seed)
        surface = current.surface()
        bends = surface.bends_down()[0] if current.rows.done else None
        colours.fit(surface.loss[0])
        flat.show(surface.alphas, surface.betas, surface.loss[0], bends)
        relief.show(surface.loss[0], turn, tilt)
        share = len(current.rows.items) * ROWS / FINE
        text = "\n".join(
            [
                f"{network}, {count(depth, 'block')}, {along} directions, span {span:g}.",
                _heights(surface).capitalize(),
                _counts(surface)
                if current.rows.done
                else f"A coarse look so far; {share:.0%} of the fine one is done.",
            ]
        )
        return Caption(text, seen=2, work=current.rows)

    return live(
        fig, draw, seed=0, summary=SLICED.format(network=network, depth=depth),
        network=Choice(list(nets), network, "network", "with or without skip connections"),
        depth=Choice(depths, depth, "depth L", "number of hidden blocks", slider=True),
        along=Choice(science.DIRECTIONS, None, "directions", "how long the two directions are"),
        span=Slider(0.05, 1.5, 0.05, span, "span", "how far the slice reaches to each side"),
        turn=Slider(0, 360, 10, 30, "turn", "of the relief around its height, in degrees"),
        tilt=Slider(0, 90, 5, 40, "tilt", "of the relief: 0 from the side, 90 from above"),
    )  # fmt: skip


class _Scan:
    """A slice: coarse at once, then fine, a few rows at a time."""

    def __init__(
        self, net: Network, examples: Dataset, chosen: Sequence[Direction], span: float
    ) -> None:
        def cut(points: int, rows: slice = slice(None)) -> Surface:
            return science.slice_through(net, examples, chosen, span=span, points=points, rows=rows)

        self._coarse = cut(COARSE)
        self.rows = Slices(cut(FINE, slice(k, k + ROWS)) for k in range(0, FINE, ROWS))

    def surface(self) -> Surface:
        """The slice: coarse until all rows of the fine one are there."""
        if not self.rows.done:
            return self._coarse
        parts = self.rows.items
        loss = np.concatenate([part.loss for part in parts], axis=1)
        return Surface(parts[0].betas, parts[0].betas, loss, parts[0].precision)


def watch(nets: Mapping[str, Mapping[int, Network]], examples: Dataset, **options: Any) -> LiveRun:
    """Train networks of each kind and depth side by side: their losses fall as you look.

    nets: by kind, then by depth; they are changed in place. options: those of `science.train`.
    """
    fig, ax = style.figure(8.6, 3.8)
    names = {f"{kind} {n}": (kind, n) for kind, by_depth in nets.items() for n in by_depth}
    panel = roughness.Losses(fig, ax, names, options.get("steps", science.STEPS))

    def draw(history: dict[str, list[Record]]) -> str:
        words = []
        for name, records in history.items():
            if records:
                loss = np.array([record.loss for record in records])
                panel.show(name, [record.step for record in records], loss)
                words.append(f"{name}: {number(loss[-1].mean())}")
        return f"Loss of the batch. {', '.join(words)}." if words else ""

    runs = {n: science.train(nets[k][d], examples, **options) for n, (k, d) in names.items()}
    return live_run(runs, fig=fig, draw=draw, title="Training, three runs each")


def watch_path(net: Network, examples: Dataset, **options: Any) -> LiveRun:
    """Train with the loss on the left, and on the right the path so far, on its principal plane.

    The path is that of the first replica. options: those of `paths.follow`.
    """
    fig, axes = style.figure(9.6, 3.8, ncols=2)
    losses = GrowingCurves(axes[0], [net.name], "loss", log=True)
    path = pictures.Path(axes[1])

    def draw(history: dict[str, list[paths.Waypoint]]) -> str:
        points = history["run"]
        words = losses.show({net.name: [point.record for point in points]})
        if len(points) < 3:
            return words
        plane = paths.plane([point.weights for point in points], net.replicas)
        path.show(plane.coordinates[0])
        path.make_room()
        path.name(plane.explained[0])
        share = plane.explained[0].sum()
        return f"{words}\nThe path so far: {share:.0%} of its movement lies in this plane."

    return live_run(paths.follow(net, examples, **options), fig=fig, draw=draw)


def _widest(
    fig: Figure, colours: pictures.Colours, maps: Iterable[pictures.LossMap], span: float
) -> None:
    colours.fit(np.array([1e-16, 1e16]))
    axis = np.linspace(-span, span, 3)
    for panel in maps:
        panel.show(axis, axis, np.ones((3, 3)))
    fig.draw_without_rendering()  # the first time the squares are not yet square


def _factor(c: float) -> str:
    return f"{c:g}" if c >= 1 else f"1/{1 / c:g}"


def _heights(surface: Surface) -> str:
    loss = surface.loss[0]
    middle = loss[len(surface.alphas) // 2, len(surface.betas) // 2]
    finite = loss[np.isfinite(loss)]
    lost = loss.size - finite.size
    most = f"at most {number(finite.max())}" if finite.size else "nowhere finite"
    broken = f" (not finite at {lost} points)" if lost and finite.size else ""
    return f"loss {number(middle)} in the middle, {most}{broken}."


def _counts(surface: Surface) -> str:
    share, minima = surface.nonconvex_share()[0], surface.local_minima()[0]
    return f"It bends downward at {share:.0%} of the points (dots); minima of the slice: {minima}."
