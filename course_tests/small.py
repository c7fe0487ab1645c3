"""Small problems that train in a blink, for tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from course import networks


def blobs(train: int = 120, test: int = 40, size: int = 6, classes: int = 3) -> Any:
    """Three overlapping clouds of points: x_train (train, size), labels 0 to classes - 1."""
    source = torch.Generator().manual_seed(7)
    centres = torch.randn(classes, size, generator=source)
    labels = torch.arange(train + test) % classes
    x = centres[labels] + 0.5 * torch.randn(train + test, size, generator=source)
    return SimpleNamespace(
        name="blobs",
        x_train=x[:train],
        y_train=labels[:train],
        x_test=x[train:],
        y_test=labels[train:],
    )


def build(name: str = "plain", **changes: Any) -> networks.Network:
    """A network that fits `blobs`: width 8, depth 3, seeds 0 and 1."""
    size = dict(inputs=6, width=8, depth=3, outputs=3, seeds=(0, 1))
    return networks.build(name, **{**size, **changes})
