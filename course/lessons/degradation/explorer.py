"""Depth under your hands: what the layers of a network pass on, and training at every depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any

import numpy as np

from course.data import Dataset
from course.lessons.degradation import pictures, science
from course.live import (
    Caption,
    Choice,
    LivePanel,
    LiveRun,
    Slider,
    count,
    from_start,
    live,
    live_run,
    number,
    percents,
    verdict,
)
from course.networks import Network
from course.plots import style
from course.training import Record

NETWORKS = ("plain", "resnet")
NORMS: dict[str, str | None] = {"batch norm": "batch", "layer norm": "layer", "none": None}
LAWS = {"torch's default": "torch_default", "He": "he_normal", "orthogonal": "orthogonal"}
RUNS, SAMPLES = 3, 128


def explore(
    examples: Dataset,
    *,
    depth: int = 30,
    network: str = "plain",
    norm: str = "batch norm",
    init: str = "torch's default",
) -> LivePanel:
    """Gradients, effective rank and nearest neighbours, layer by layer, before any training.

    The arguments are the first values of the controls: depth 1 to 100, network one of `NETWORKS`,
    norm one of `NORMS`, init one of `LAWS`. Raises ValueError outside.
    """
    fig, axes = style.figure(11.0, 3.6, ncols=3)
    panels = pictures.Layers(fig, axes, science.SETTINGS.width, examples.outputs)
    wide, ends, ones = np.array([1e-40, 1e9]), np.array([0, 100]), np.ones((2, 1))
    style.hold(fig, lambda: panels.show(wide, None, ends, ones, ones))

    @lru_cache(maxsize=64)
    def measured(depth: int, network: str, norm: str, init: str, seed: int) -> science.Profile:
        seeds = range(RUNS * seed, RUNS * (seed + 1))
        options: dict[str, Any] = {"norm": NORMS[norm], "init": LAWS[init]}
        net = science.network(network, examples, depth=depth, seeds=seeds, **options)
        return science.profile(net, examples, samples=SAMPLES, places=6)

    def draw(**settings: Any) -> Caption:
        profile = measured(*settings.values())
        known = settings["network"] == "plain" and settings["norm"] == "batch norm"
        size = np.median(profile.gradients, axis=1)
        growth = science.GROWTH if known else None
        panels.show(size[1:], growth, profile.places, profile.rank, profile.neighbours)
        rank = profile.rank.mean(1)
        badge = f"gradient: {verdict(size[:0:-1])}"
        if badge == "gradient: healthy" and rank[-1] < 0.2 * rank[0]:
            badge = "rank: degenerate"
        return Caption(_words(profile, size, settings), badge, {"gradient": size[1:]}, seen=1)

    return live(
        fig, draw, ahead=measured, seed=0,
        depth=Slider(1, 100, 1, depth, "depth L", "number of hidden blocks"),
        network=Choice(NETWORKS, network, "network", "with or without skip connections"),
        norm=Choice(tuple(NORMS), norm, "normalization", "what each block does to its signal"),
        init=Choice(tuple(LAWS), init, "weights", "the law of the first weights"),
    )  # fmt: skip


def _words(profile: science.Profile, size: np.ndarray, settings: dict[str, Any]) -> str:
    factor = np.median(profile.growth)
    grows = "" if np.isnan(factor) else f", a factor of {factor:.2f} from a block to the one before"
    rank, near = profile.rank.mean(1), 100 * profile.neighbours.mean(1)
    return "\n".join(
        [
            f"{settings['network']}, {count(settings['depth'], 'block')}, "
            f"{'no norm' if settings['norm'] == 'none' else settings['norm']}, weights: "
            f"{settings['init']}. Untrained, {RUNS} runs.",
            f"Gradient: {number(size[1])} at the first block, "
            f"{number(size[-1])} at the last{grows}.",
            f"Effective rank: {rank[0]:.0f} after the stem, {rank[-1]:.0f} after the last block.",
            f"Nearest neighbour of the same class: {near[0]:.0f} % after the stem, "
            f"{near[-1]:.0f} % after the last block.",
        ]
    )


def watch(
    nets: Mapping[str, Network], examples: Dataset, title: str = "", **options: Any
) -> LiveRun:
    """Train a family of networks side by side: their accuracies against depth rise as you look.

    nets: of `science.family`; they are changed in place, and a restart begins with the weights
    that they have now. options: those of `science.train`.
    """
    train = partial(science.train, examples=examples, **options)
    runs = {name: from_start(net, train) for name, net in nets.items()}
    return watch_runs(runs, examples.outputs, title=title)


def watch_runs(
    runs: Mapping[str, Iterator[Record] | Callable[[], Iterator[Record]]],
    classes: int,
    title: str = "",
    lines: Mapping[str, dict[str, Any]] | None = None,
) -> LiveRun:
    """Runs named "NAME DEPTH" side by side: accuracy of each name against depth.

    lines: keywords for those of names that are no architecture of `style.ARCHITECTURES`.
    """
    names = list(dict.fromkeys(run.rsplit(" ", 1)[0] for run in runs))
    most = max(int(run.rsplit(" ", 1)[1]) for run in runs)
    fig, axes = style.figure(9.0, 3.6, ncols=2, sharey=True)
    panels = pictures.Accuracies(fig, axes, names, most, classes, lines or {})

    def draw(history: dict[str, list[Record]]) -> str:
        words = []
        for name in names:
            for panel, value in enumerate(("train_accuracy", "test_accuracy")):
                depths, accuracy = science.by_depth(history, name, value)
                panels.show(name, panel, depths, accuracy)
                if not panel and len(depths):
                    words.append(
                        f"{name}, training accuracy by depth: {percents(depths, accuracy)}."
                    )
        return "\n".join(words)

    return live_run(dict(runs), fig=fig, draw=draw, title=title)
