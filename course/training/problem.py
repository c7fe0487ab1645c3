"""The data of a run, checked and on its device: what it trains on, and what it is evaluated on."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course.arguments import reject
from course.data import draw
from course.measures import evaluate
from course.networks import BatchNorm
from course.training import checkpoints
from course.training.augmentation import CropAndFlip
from course.training.batches import Batches, Examples, FreshBatches, ShuffledBatches
from course.training.records import Evaluation

HELD_OUT = 1000  # fresh examples on which a task's test loss is measured


class Problem:
    """The data of a run, checked and on the device: `batches`, and examples to evaluate on.

    `evaluation` maps "train" and "test" to inputs and targets, shared by the replicas or one set
    each; a part that the data have not got is missing. `power` is the mean square of the targets,
    which makes squared errors relative (1 for labels).

    augment: changes the training examples, each time that one is in a batch.
    data: anything with x_train (N, d) and y_train, maybe x_test and y_test too (a `data.Dataset`),
    or a `data.Task`. Raises ValueError for NaN or infinity, labels out of range, shapes that do
    not fit each other or the network, and a batch larger than the training set.
    """

    def __init__(
        self,
        data: Any,
        network: Any,
        loss: str,
        batch: int,
        device: torch.device,
        augment: CropAndFlip | None = None,
    ):
        seeds = tuple(network.seeds)
        self.data = data
        dtype = next(network.parameters()).dtype
        if batch == 1 and any(isinstance(module, BatchNorm) for module in network.modules()):
            raise reject("batch", batch, "at least 2: batch norm needs a variance")
        self.power = 1.0
        self.evaluation: dict[str, Examples] = {}
        self.batches: Batches
        if hasattr(data, "draw"):
            if loss != "mse":
                raise reject("loss", loss, f"mse, as the targets of {data!r} are no labels")
            if augment is not None:
                raise reject("augment", augment, "None for a task: its examples are no pictures")
            self.power = data.power
            test = draw(data, seeds, "held-out examples", HELD_OUT, device, dtype)
            self.evaluation["test"] = test
            self.batches = FreshBatches(data, seeds, batch, device, dtype)
            _try(network, test[0][:, :2], "data", repr(data), outputs=data.outputs)
            return
        if not hasattr(data, "x_train"):
            allowed = "a data set with x_train and y_train, or a task with draw()"
            raise reject("data", type(data).__name__, allowed)
        for part in ("train", "test"):
            x: Any = getattr(data, f"x_{part}", None)
            y: Any = getattr(data, f"y_{part}", None)
            if x is not None and (part == "train" or len(x)):
                _check_inputs(f"x_{part}", x)
                size = _check_targets(f"y_{part}", y, len(x), loss)
                targets = y.to(device, dtype) if loss == "mse" else y.to(device)
                self.evaluation[part] = (x.to(device, dtype), targets)
                shape = tuple(x.shape)
                outputs = _try(network, self.evaluation[part][0][:2], f"shape of x_{part}", shape)
                _check_outputs(f"y_{part}", size, outputs, loss)
        if loss == "mse":
            self.power = float(data.y_train.square().mean())
            if not self.power > 0:
                raise reject("y_train", "all zeros", "targets which are not all zero")
        self.batches = ShuffledBatches(*self.evaluation["train"], seeds, batch, augment)

    def part(self, rows: slice) -> Problem:
        """The problem of these replicas alone."""
        part = copy.copy(self)
        part.batches = self.batches.part(rows)
        part.evaluation = {
            name: (x, y) if x.dim() == 2 else (x[rows], y[rows])
            for name, (x, y) in self.evaluation.items()
        }
        return part

    def fingerprint(self) -> str:
        """What the data are, for a checkpoint: a task by its arguments, a data set by a digest."""
        if hasattr(self.data, "draw"):
            return checkpoints.describe(self.data)
        parts = self.evaluation.items()
        tensors = {
            f"{axis}_{part}": t for part, pair in parts for axis, t in zip("xy", pair, strict=True)
        }
        return f"{getattr(self.data, 'name', 'data')} {checkpoints.fingerprint(tensors)}"


def _check_inputs(name: str, x: Any) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.dim() != 2 or not len(x):
        allowed = "a floating-point tensor (N, d), N >= 1"
        raise reject(name, _brief(x), allowed)
    if not torch.isfinite(x).all():
        row = int((~torch.isfinite(x)).flatten(1).any(1).nonzero()[0])
        raise reject(f"{name}[{row}]", x[row].flatten().sum().item(), "finite numbers")


def _check_targets(name: str, y: Any, count: int, loss: str) -> int:
    """The number of outputs that these targets need."""
    if not isinstance(y, Tensor) or y.dim() < 1 or len(y) != count:
        raise reject(name, _brief(y), f"a tensor with {count} rows, as many as the inputs")
    if loss == "mse":
        if y.dim() != 2 or not y.is_floating_point() or not torch.isfinite(y).all():
            raise reject(name, _brief(y), f"finite numbers ({count}, outputs) for loss mse")
        return y.shape[1]
    if y.dim() != 1 or y.dtype != torch.int64:
        raise reject(name, _brief(y), f"labels ({count},) of type int64 for loss cross_entropy")
    if int(y.min()) < 0:
        raise reject(f"smallest label in {name}", int(y.min()), ">= 0")
    return int(y.max()) + 1


def _check_outputs(name: str, size: int, outputs: int, loss: str) -> None:
    if loss == "mse" and size != outputs:
        raise reject(f"columns of {name}", size, f"{outputs}, the outputs of the network")
    if size > outputs:
        allowed = f"less than {outputs}, the outputs of the network"
        raise reject(f"largest label in {name}", size - 1, allowed)


def _try(network: Any, x: Tensor, name: str, value: Any, outputs: int | None = None) -> int:
    """Number of outputs of the network, found on two examples; ValueError if x does not fit."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            result = network(x)
    except (RuntimeError, ValueError) as error:
        line = str(error).partition("\n")[0]
        raise reject(name, value, f"inputs that the network takes ({line})") from error
    finally:
        network.train(training)
    if result.dim() != 3 or result.shape[0] != network.replicas:
        allowed = f"(replicas = {network.replicas}, batch, outputs)"
        raise reject("shape of the network's outputs", tuple(result.shape), allowed)
    if outputs is not None and result.shape[2] != outputs:
        raise reject(name, value, f"a task with {result.shape[2]} outputs, as the network has")
    return result.shape[2]


def _brief(value: Any) -> Any:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} tensor {tuple(value.shape)}"
    return type(value).__name__


def evaluation(
    network: Any, problem: Any, *, loss: str = "cross_entropy", batch: int | None = None
) -> Evaluation:
    """Losses and accuracies on every part of a `Problem`; batch: see `evaluate`."""
    values: dict[str, np.ndarray | None] = {}
    for part, (x, y) in problem.evaluation.items():
        values[f"{part}_loss"], values[f"{part}_accuracy"] = evaluate(
            network, x, y, loss=loss, power=problem.power, batch=batch
        )
    return Evaluation(**values)
