"""Which examples each replica sees at each step: a data set in shuffled order, or fresh draws.

What replica r sees depends on seeds[r], the step and the batch size only: not on the network, nor
on the other replicas. Networks with the same seeds are compared on the same batches, and a run
that was interrupted finds its place again from the number of the step alone.
"""

from __future__ import annotations

import copy
import threading
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course.arguments import reject
from course.data import Task, draw
from course.measures import evaluate
from course.networks import BatchNorm
from course.seeding import generator
from course.training import checkpoints
from course.training.augmentation import CropAndFlip
from course.training.records import Evaluation

BLOCK = 50  # steps whose fresh examples are drawn at once
HELD_OUT = 1000  # fresh examples on which a task's test loss is measured

Examples = tuple[Tensor, Tensor]


class Batches(ABC):
    """What the trainer asks of its data."""

    steps_per_epoch: int | None = None  # None: there are no epochs

    @abstractmethod
    def chosen(self, step: int) -> tuple[Tensor, ...]:
        """Of which `examples` makes the batch of step number `step` (from 0).

        The same however often and in whatever order asked.
        """

    @abstractmethod
    def examples(self, *chosen: Tensor) -> Examples:
        """Inputs (R, B, d) and targets, (R, B) or (R, B, k): a part of the step that is recorded.

        It uses what is chosen and the training examples alone.
        """

    def batch(self, step: int) -> Examples:
        """Inputs and targets of step number `step`."""
        return self.examples(*self.chosen(step))

    @abstractmethod
    def part(self, rows: slice) -> Batches:
        """The batches of these replicas alone: each part may be asked in a thread of its own."""


class FreshBatches(Batches):
    """Batches of a task. The examples of BLOCK steps are drawn at once."""

    def __init__(
        self,
        task: Task,
        seeds: tuple[int, ...],
        batch: int,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ):
        self.task, self.seeds, self.size, self.device = task, seeds, batch, device
        self.dtype = dtype
        self.block = -1
        self.lock = threading.Lock()  # a task is nobody's but one thread's while it draws

    def chosen(self, step: int) -> tuple[Tensor, ...]:
        """The examples themselves."""
        block, position = divmod(step, BLOCK)
        with self.lock:
            if block != self.block:
                purpose, count = f"fresh examples {block}", BLOCK * self.size
                drawn = draw(self.task, self.seeds, purpose, count, self.device, self.dtype)
                self.x, self.y = drawn
                self.block = block
            here = slice(position * self.size, (position + 1) * self.size)
            return self.x[:, here], self.y[:, here]

    def examples(self, *chosen: Tensor) -> Examples:
        x, y = chosen
        return x, y

    def part(self, rows: slice) -> Batches:
        return Rows(self, rows)


class Rows(Batches):
    """The batches of some replicas, cut from those of all: whoever comes first draws for all."""

    def __init__(self, batches: Batches, rows: slice) -> None:
        self.batches, self.rows = batches, rows
        self.steps_per_epoch = batches.steps_per_epoch

    def chosen(self, step: int) -> tuple[Tensor, ...]:
        """What is chosen for these rows."""
        return tuple(tensor[self.rows] for tensor in self.batches.chosen(step))

    def examples(self, *chosen: Tensor) -> Examples:
        return self.batches.examples(*chosen)

    def part(self, rows: slice) -> Batches:
        return Rows(self, rows)


class ShuffledBatches(Batches):
    """Batches of a data set, each epoch in a new order; N mod batch examples are left out of it."""

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        seeds: tuple[int, ...],
        batch: int,
        augment: CropAndFlip | None = None,
    ):
        if batch > len(x):
            raise reject("batch", batch, f"at most {len(x)}, the number of training examples")
        if augment is not None:
            augment.check(x.shape[1])
        self.x, self.y, self.seeds, self.size, self.augment = x, y, seeds, batch, augment
        self.steps_per_epoch = len(x) // batch
        self.epoch = -1

    def chosen(self, step: int) -> tuple[Tensor, ...]:
        """The numbers of the examples (R, B), and how they are changed, if they are."""
        epoch, position = divmod(step, self.steps_per_epoch)
        if epoch != self.epoch:
            orders = [
                torch.randperm(len(self.x), generator=generator(seed, f"order of epoch {epoch}"))
                for seed in self.seeds
            ]
            drawn = [torch.stack(orders)]
            if self.augment is not None:
                drawn.append(self.augment.draw(len(self.x), self.seeds, epoch))
            steps = (each.to(self.x.device).split(self.size, dim=1) for each in drawn)
            self.steps = list(zip(*steps, strict=True))
            self.epoch = epoch
        return self.steps[position]

    def examples(self, *chosen: Tensor) -> Examples:
        rows, *changes = chosen
        shape, flat = rows.shape, rows.flatten()
        # index_select: self.x[rows] takes three to five times as long, a tenth of a step of MNIST.
        x, y = (
            examples.index_select(0, flat).view(*shape, *examples.shape[1:])
            for examples in (self.x, self.y)
        )
        return x if self.augment is None else self.augment(x, *changes), y

    def part(self, rows: slice) -> Batches:
        part = copy.copy(self)
        part.seeds, part.epoch = self.seeds[rows], -1
        return part


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
    """Losses and accuracies on every part of a `batches.Problem`; batch: see `evaluate`."""
    values: dict[str, np.ndarray | None] = {}
    for part, (x, y) in problem.evaluation.items():
        values[f"{part}_loss"], values[f"{part}_accuracy"] = evaluate(
            network, x, y, loss=loss, power=problem.power, batch=batch
        )
    return Evaluation(**values)
