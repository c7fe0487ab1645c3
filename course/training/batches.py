"""Which examples each replica sees at each step: a data set in shuffled order, or fresh draws.

What replica r sees depends on seeds[r], the step and the batch size only: not on the network, nor
on the other replicas. Networks with the same seeds are compared on the same batches, and a run
that was interrupted finds its place again from the number of the step alone.
"""

from __future__ import annotations

import copy
import threading
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from course.arguments import reject
from course.data import Task, draw
from course.seeding import generator
from course.training.augmentation import CropAndFlip

BLOCK = 50  # steps whose fresh examples are drawn at once

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

    steps_per_epoch: int

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
        """The numbers of the examples (R, B); if they are changed, the examples themselves."""
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
        rows, *changes = self.steps[position]
        if self.augment is None:
            return (rows,)
        x, y = self._picked(rows)
        return self.augment(x, *changes), y

    def examples(self, *chosen: Tensor) -> Examples:
        x, y = self._picked(*chosen) if self.augment is None else chosen
        return x, y

    def _picked(self, rows: Tensor) -> Examples:
        shape, flat = rows.shape, rows.flatten()
        # index_select: self.x[rows] takes three to five times as long, a tenth of a step of MNIST.
        x, y = (
            examples.index_select(0, flat).view(*shape, *examples.shape[1:])
            for examples in (self.x, self.y)
        )
        return x, y

    def part(self, rows: slice) -> Batches:
        part = copy.copy(self)
        part.seeds, part.epoch = self.seeds[rows], -1
        return part
