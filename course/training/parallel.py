"""A step of R replicas on several threads of the CPU: some of the replicas on each.

Replicas never meet, so each thread makes the whole step of its own ones and waits once, at its end.
(torch's own threads share every operation, and wait for one another a thousand times a second: on
layers as thin as these they gain little, and lose a lot where another program wants the core.)
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent import futures
from dataclasses import fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from course.networks import for_replicas
from course.training.recording import hooks
from course.training.records import Evaluation
from course.training.step import BatchMeasures, Stepper

ALONE = 20  # steps before replicas are divided unasked: to make the parts takes as long as some
LONG = 100  # steps of a run in which that pays
WORK = 1.5e7  # weights times examples of a step: with fewer, a thread waits longer than it works


def divided(network: nn.Module, replicas: int, batch: int, steps: int, threads: int | None) -> int:
    """Among how many threads the replicas are divided: at most `threads`, two to each at least.

    None: as many as `networks.for_replicas` says, where there is enough to do for a second one, in
    a step and in all.
    """
    weights = sum(parameter.numel() for parameter in network.parameters())
    if threads is None:
        threads = for_replicas() if weights * batch >= WORK and steps >= LONG else 1
    return max(1, min(threads, replicas // 2))


class Parallel:
    """The steps of `stepper`, whose replicas are divided among `threads` threads.

    The parts have modules of their own over the memory of the network. While one of its modules has
    hooks, which want all replicas at once, or does not train, its steps are not divided. Nor are
    the first steps, `alone` of them: a run that is soon broken off would wait for the parts only.
    """

    def __init__(self, stepper: Stepper, threads: int, alone: int = 0) -> None:
        self.stepper, self.threads, self.alone = stepper, threads, alone
        self.together = alone > 0  # in the step made last
        self.modules, self.hooks = list(stepper.network.modules()), hooks(stepper.network)

    @cached_property
    def parts(self) -> list[Stepper]:
        """The steppers of some of the replicas each."""
        bounds = np.linspace(0, self.stepper.network.replicas, self.threads + 1).astype(int)
        return [self.stepper.part(slice(*pair)) for pair in itertools.pairwise(bounds.tolist())]

    @cached_property
    def pool(self) -> futures.ThreadPoolExecutor:
        """Threads for all parts but the first, which the calling thread takes."""
        return futures.ThreadPoolExecutor(
            self.threads - 1, "replicas", initializer=torch.set_num_threads, initargs=(1,)
        )

    def step(self, number: int, steps: int, rate: float, watch: Sequence[str]) -> BatchMeasures:
        """What Stepper.step returns for all replicas, to rounding."""
        self.stepper.check_attached()
        self.together = number < self.alone
        if self.together or any(self.hooks) or not all(module.training for module in self.modules):
            return self.stepper.step(number, steps, rate, watch)
        return _joined(self._each(lambda part: part.step(number, steps, rate, watch)))

    def evaluate(self, batch: int | None = None) -> Evaluation:
        """What Stepper.evaluate returns for all replicas, to rounding."""
        if self.together or any(self.hooks):
            return self.stepper.evaluate(batch)
        return _joined(self._each(lambda part: part.evaluate(batch)))

    def _each(self, function: Callable[[Stepper], Any]) -> list[Any]:
        """What the function returns for each part."""
        first, *others = self.parts
        running = [self.pool.submit(function, part) for part in others]
        try:
            return [function(first), *(job.result() for job in running)]
        finally:
            futures.wait(running)  # nothing is written any more when a step breaks off


def _joined(parts: Sequence[Any]) -> Any:
    """One record from those of the parts, each array (R, ...) put together from theirs."""
    return type(parts[0])(
        **{
            each.name: _concatenated([getattr(part, each.name) for part in parts])
            for each in fields(parts[0])
        }
    )


def _concatenated(values: Sequence[Any]) -> Any:
    if isinstance(values[0], dict):
        return {key: _concatenated([value[key] for value in values]) for key in values[0]}
    return None if values[0] is None else np.concatenate(values)
