"""Losses and accuracies of R replicas side by side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from course.networks import batch_statistics

LOSSES = ("cross_entropy", "mse")
CHUNK = 1000  # examples evaluated at once


def losses(outputs: Tensor, y: Tensor, kind: str, power: float = 1.0) -> Tensor:
    """Loss of each replica, (R,): the mean over its batch.

    outputs: (R, B, k). "cross_entropy": y holds labels (R, B). "mse": y holds targets (R, B, k),
    and the mean squared error is divided by `power`, the mean square of the targets, so that
    answering 0 costs 1; for a linear map it is |P - A|^2 / |A|^2.
    """
    if kind == "mse":
        return (outputs - y).square().mean(dim=(1, 2)) / power
    each = functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none")
    return each.view(y.shape).mean(1)


def accuracies(outputs: Tensor, y: Tensor) -> Tensor:
    """Share of right answers of each replica, (R,): outputs (R, B, k), labels (R, B)."""
    return (outputs.argmax(2) == y).to(outputs.dtype).mean(1)


@torch.no_grad()
def evaluate(
    network: Any,
    x: Tensor,
    y: Tensor,
    *,
    loss: str = "cross_entropy",
    power: float = 1.0,
    batch: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Loss and accuracy (None for "mse") of each replica, two arrays (R,), over all examples.

    x: (N, d) shared by the replicas, or (R, N, d); y likewise. Batch norm uses its running
    statistics, or with `batch` those of batches of about that many examples, as in training.
    """
    count, shared = x.shape[-2], x.dim() == 2
    summed, right = np.zeros(network.replicas), np.zeros(network.replicas)
    training = network.training
    network.eval()
    try:
        for here, batches in _chunks(count, batch):
            targets = y[here].expand(network.replicas, *y[here].shape) if shared else y[:, here]
            with batch_statistics(network, batches) if batch else nullcontext():
                outputs = network(x[here] if shared else x[:, here])
            means = losses(outputs, targets, loss, power).cpu().double().numpy()
            summed += means * targets.shape[1]
            if loss == "cross_entropy":
                right += (outputs.argmax(2) == targets).sum(1).cpu().numpy()
    finally:
        network.train(training)
    return summed / count, None if loss == "mse" else right / count


def _chunks(count: int, batch: int | None) -> Iterator[tuple[slice, int]]:
    """Which of the examples are evaluated at once, and how many batches of one size they are."""
    batches = -(-count // (batch or CHUNK))
    if batch:
        batches = min(batches, max(count // 2, 1))  # one example alone has no variance
    size, larger = divmod(count, batches)
    start = 0
    for each, left in ((size + 1, larger), (size, batches - larger)):
        while left:
            together = min(left, max(1, CHUNK // each))
            yield slice(start, start + together * each), together
            start, left = start + together * each, left - together
