"""What a cell of a grid trains and how: its network, and what `training.fit` is told."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from course import data, networks, training
from course.experiments.settings import ConvGrid, Grid


@lru_cache(maxsize=1)
def examples(settings: Grid, root: str | Path | None) -> data.Dataset:
    """The data of a grid, read once in a process."""
    whole_set = data.load(settings.data, root)
    n = len(whole_set.y_train) if settings.subset is None else settings.subset
    return whole_set.subset(n, settings.test_subset)


def labels(dataset: data.Dataset) -> str:
    """A short digest of all right answers in their order: the same for the same examples."""
    answers = torch.cat([dataset.y_train, dataset.y_test]).to("cpu", torch.int64)
    return hashlib.sha256(answers.numpy().tobytes()).hexdigest()[:12]


def network(settings: Grid, name: str, depth: int, dataset: data.Dataset) -> networks.Network:
    """The network of that name and depth at its start, one replica per seed."""
    make = networks.convolutional if isinstance(settings, ConvGrid) else networks.build
    options: dict[str, Any] = {}
    if name == "highway":
        options["gate_bias"] = settings.gate_bias
    if name in ("van", "van0"):
        options["alpha"] = settings.alpha
    return make(
        name, like=dataset, width=settings.width, depth=depth, seeds=settings.seeds, **options
    )


def how(settings: Grid, name: str, dataset: data.Dataset, device: str) -> dict[str, Any]:
    """How it is trained: arguments of `training.fit`."""
    arguments: dict[str, Any] = {"batch": settings.batch, "device": device}
    arguments["schedule"] = (
        training.linear_decay(settings.decay_from) if settings.decay_from < 1 else training.constant
    )
    decay = 0.0
    if isinstance(settings, ConvGrid):
        decay = settings.weight_decay
        if settings.drops:
            arguments["schedule"] = training.step_decay(settings.drops, 0.1)
        if settings.padding:
            arguments["augment"] = training.CropAndFlip(dataset.shape, settings.padding)
        if name == "van":
            skips = training.Multipliers(settings.ratio, settings.multiplier)
            step = settings.leave_at
            arguments["skips"] = skips if step is None else skips.leaving(step)
        on_gpu = training.device(device).type == "cuda"
        arguments["mixed"] = settings.precision == "auto" and on_gpu
    arguments["optimizer"] = training.SGD(settings.rate, settings.momentum, decay)
    return arguments
