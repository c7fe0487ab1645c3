"""What training says as it goes: plain frozen data, numpy arrays with one entry per replica."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class NonFinite:
    """Where NaN or infinity first appeared in a replica.

    what: "activation" (in the output of `layer`), "loss" (it overflowed, the outputs are finite),
    "gradient" (with respect to the parameters of `layer`; the forward pass was finite), or
    "weight" (the update made it, from a finite gradient).
    """

    replica: int
    step: int
    layer: str
    what: str


@dataclass(frozen=True)
class Evaluation:
    """Over all examples of each part, arrays (R,); None for a part or a measure not there."""

    train_loss: np.ndarray | None = None
    train_accuracy: np.ndarray | None = None
    test_loss: np.ndarray | None = None
    test_accuracy: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Record(Evaluation):
    """What is known after a step. Arrays are float64, one entry per replica: shape (R,).

    step: updates done so far, 1 to `steps`; epoch: passes through the data so far, or None.
    rate: the learning rate of this step.
    loss, accuracy: of this step's batch, before its update. Accuracies are None for "mse".
    train_loss, train_accuracy, test_loss, test_accuracy: over all examples, after the update,
        batch norm with its running statistics; None where not evaluated. batch_statistics: the
        same four with the statistics of batches instead, where asked for.
    norms: by what was watched, arrays (R, layers), of the layers named in `layers`; see `fit`.
    alpha: (R, depth), mean over the units of a block; 1 where none has a skip any more.
    alpha_residual: (R, depth), mean of (1 - alpha)^2 over the units, as in figure 2 of the VAN
        paper. smallest_alpha: (R,), of all blocks and units; 1 where no skip is left. All three are
        None for networks without alpha.
    first_nonfinite: for each replica where NaN or infinity first appeared, or None.
    """

    step: int
    steps: int
    rate: float
    loss: np.ndarray
    accuracy: np.ndarray | None = None
    epoch: float | None = None
    batch_statistics: Evaluation | None = None
    layers: tuple[str, ...] = ()
    norms: dict[str, np.ndarray] | None = None
    alpha: np.ndarray | None = None
    alpha_residual: np.ndarray | None = None
    smallest_alpha: np.ndarray | None = None
    first_nonfinite: tuple[NonFinite | None, ...] = ()

    @property
    def evaluated(self) -> bool:
        """Whether train or test set were evaluated after this step."""
        return self.train_loss is not None or self.test_loss is not None


KINDS = {kind.__name__: kind for kind in (NonFinite, Evaluation, Record)}


def to_plain(value: Any) -> Any:
    """Records as tensors, dicts, lists and numbers: what torch loads with weights_only=True."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if type(value) in KINDS.values():
        parts = {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        return {"kind": type(value).__name__, **parts}
    if isinstance(value, dict):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(to_plain(item) for item in value)
    return value


def from_plain(value: Any) -> Any:
    """The inverse of `to_plain`; lists come back as tuples."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if isinstance(value, dict):
        parts = {key: from_plain(item) for key, item in value.items() if key != "kind"}
        return KINDS[value["kind"]](**parts) if "kind" in value else parts
    if isinstance(value, list | tuple):
        return tuple(from_plain(item) for item in value)
    return value
