"""Training convolutional networks of several depths before your eyes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from course.data import Dataset
from course.lessons.convolutions import science
from course.lessons.degradation import explorer as degradation_explorer
from course.live import LiveRun, from_start
from course.networks import Network


def watch(nets: Mapping[str, Network], examples: Dataset, title: str = "") -> LiveRun:
    """Train the networks, named "NAME DEPTH", side by side: accuracy against depth as it rises.

    nets: of `science.family`; they are changed in place, and a restart begins with the weights
    that they have now.
    """
    train = partial(science.train, examples=examples)
    runs = {name: from_start(net, train) for name, net in nets.items()}
    return degradation_explorer.watch_runs(runs, examples.outputs, title=title)
