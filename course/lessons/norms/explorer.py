"""Norms under your hands: what they do to sizes, angles and gradients, and the batch's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from torch import Tensor

from course import networks
from course.data import Dataset
from course.lessons.degradation.science import by_depth
from course.lessons.norms import pictures, science
from course.live import (
    Caption,
    Choice,
    LivePanel,
    LiveRun,
    Slider,
    count,
    describe,
    live,
    live_run,
    number,
    percents,
)
from course.networks import Network
from course.plots import style
from course.training import Record

BATCHES = (1, 2, 3, 4, 5, 6, 8, 12, 16, 32, 64, 128)
LAWS = {"torch's default": "torch_default", "LeCun": "lecun_normal", "He": "he_normal"}
RUNS = 3
DRAWN = (20, 60, 100)  # blocks that are drawn together: the slider seldom waits for a draw
NOTHING = np.empty(0)


def explore(
    examples: Dataset,
    *,
    depth: int = 50,
    norm: str = "batch norm",
    batch: int = 128,
    scale: float = 1.0,
) -> LivePanel:
    """Signal, cosine and gradients, block by block, in plain networks before any training.

    The arguments are the first values of the controls: depth 1 to 100, norm one of `science.NORMS`,
    batch one of `BATCHES`, scale (on all weights) 0.1 to 10. Raises ValueError outside.
    """
    fig, axes = style.figure(11.0, 3.8, ncols=3)
    panels = pictures.Blocks(fig, axes)
    wide = np.geomspace(1e-40, 1e9, 100)
    style.hold(fig, lambda: panels.show(wide, np.ones((100, 1)), wide, (wide, wide)))

    @lru_cache(maxsize=8)
    def drawn_network(depth: int, norm: str, init: str, seed: int) -> tuple[Network, list[Tensor]]:
        """A network of which others are the first blocks, and its weights as they were drawn."""
        seeds = range(RUNS * seed, RUNS * (seed + 1))
        kind = science.NORMS[norm]
        net = science.untrained(examples, depth=depth, norm=kind, init=LAWS[init], seeds=seeds)
        return net, [weight.detach().clone() for weight in science.weights_below_head(net)]

    @lru_cache(maxsize=64)
    def measured(
        depth: int, norm: str, batch: int, init: str, scale: float, seed: int
    ) -> tuple[Any, ...]:
        """Sizes (L,), cosine (L, R), gradients (L,) and their growth, medians over R but one."""
        deeper = next(most for most in DRAWN if depth <= most)
        net, drawn = drawn_network(deeper, norm, init, seed)
        science.rescale(net, drawn, scale)
        signals = science.signals(networks.first_blocks(net, depth), examples, batch=batch)
        sizes, gradients = (np.median(v, axis=1) for v in (signals.sizes, signals.gradient_norms))
        return sizes, signals.cosine, gradients, np.median(signals.growth)

    def draw(
        depth: int, norm: str, batch: int, init: str, scale: float, seed: int
    ) -> Caption | str:
        head = (
            f"{'no norm' if norm == 'none' else norm}, {count(depth, 'block')}, "
            f"batches of {batch}, weights: {init} times {scale:g}. Untrained, {RUNS} runs."
        )
        if batch == 1 and norm == "batch norm":
            panels.show(NOTHING, np.empty((0, 1)), NOTHING, (NOTHING, NOTHING))
            words = "One example has no variance: batch norm refuses it."
            nothing = {"signal": NOTHING, "gradient": NOTHING}  # the picture stays where it is
            return Caption(f"{head}\n{words}", rows=nothing, seen=1)
        sizes, cosine, gradients, growth = measured(depth, norm, batch, init, scale, seed)
        forward, back = science.expected(science.NORMS[norm], LAWS[init], scale, batch)
        blocks = np.arange(1, depth + 1)
        with np.errstate(over="ignore", invalid="ignore"):
            forms = (
                sizes[0] * forward ** (blocks - 1.0),
                gradients[-1] * back ** (depth - 1.0 * blocks),
            )
        panels.show(sizes, cosine, gradients, forms)
        alike = cosine[-1].mean()
        text = "\n".join([head, *_words(alike, sizes, gradients, growth, back)])
        caption = describe(text, signal=sizes, gradient=gradients, seen=3)
        if alike > 0.98 and caption.badge == "healthy":
            return replace(caption, badge="degenerate")
        return caption

    return live(
        fig, draw, ahead=measured, seed=0,
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden blocks"),
        norm=Choice(
            tuple(science.NORMS), norm, "normalization", "what each block does to its signal"
        ),
        batch=Choice(
            BATCHES, batch, "batch size", "pictures that go through together", slider=True
        ),
        init=Choice(tuple(LAWS), "He", "weights", "the law of the first weights"),
        scale=Slider(0.1, 10.0, 0.1, scale, "weight scale", "a factor on all weights", log=True),
    )  # fmt: skip


def _words(
    cosine: float, sizes: np.ndarray, gradients: np.ndarray, growth: float, back: float
) -> list[str]:
    alike = "has no meaning for one picture" if np.isnan(cosine) else f"is {cosine:.2f}"
    form = f"closed form {back:.2f}" if np.isfinite(back) else "the closed form is infinite"
    grows = f", a factor of {growth:.2f} per block going back ({form})" if len(sizes) > 1 else ""
    return [
        f"Signal: size {number(sizes[0])} after the first block, "
        f"{number(sizes[-1])} after the last.",
        f"Mean cosine of pictures after the last block {alike}.",
        f"Gradient: {number(gradients[0])} at the first block, {number(gradients[-1])} at the last"
        f"{grows}.",
    ]


def watch_batches(examples: Dataset, batches: Sequence[int], **options: Any) -> LiveRun:
    """Plain networks with either norm learn from batches of every size: accuracies as they rise.

    options: those of `science.train`. The runs are called "batch norm 16", "layer norm 16" and so
    on: `degradation.science.by_depth` takes them apart.
    """
    names = list(pictures.NORMS)
    fig, ax = style.figure(8.6, 3.4)
    panel = pictures.ByBatch(ax, batches, examples.outputs)

    def draw(history: dict[str, list[Record]]) -> str:
        lines = []
        for name in names:
            sizes, accuracy = by_depth(history, name, "train_accuracy")
            panel.show(name, sizes, accuracy)
            if len(sizes):
                values = percents(sizes, accuracy)
                lines.append(f"{name}, training accuracy by size of the batch: {values}.")
        return "\n".join(lines)

    runs = {
        f"{name} {size}": partial(science.train, name.split()[0], size, examples, **options)
        for name in names
        for size in batches
    }
    return live_run(runs, fig=fig, draw=draw, title="The same number of steps for each")
