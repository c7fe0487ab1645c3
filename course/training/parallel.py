"""A step of R replicas on several threads of the CPU: some of the replicas on each.

Replicas never meet, so each thread makes the whole step of its own ones. It waits for the others
where something is told of all replicas, and else now and then, so that none falls far behind.
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
from course.training.batches import BLOCK
from course.training.recording import hooks
from course.training.records import Evaluation
from course.training.step import BatchMeasures, Stepper

ALONE = 20  # steps before replicas are divided unasked: to make the parts takes as long as some
LONG = 100  # steps of a run in which that pays
BEHIND = 8  # steps that a thread may be behind, where nothing is told of them
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
        self.running: list[list[futures.Future]] = []  # of each step, those of the other threads
        self.modules, self.hooks = list(stepper.network.modules()), hooks(stepper.network)

    @cached_property
    def parts(self) -> list[Stepper]:
        """The steppers of some of the replicas each."""
        bounds = np.linspace(0, self.stepper.network.replicas, self.threads + 1).astype(int)
        return [self.stepper.part(slice(*pair)) for pair in itertools.pairwise(bounds.tolist())]

    @cached_property
    def pools(self) -> list[futures.ThreadPoolExecutor]:
        """A thread for each part but the first, which the calling thread takes."""
        return [
            futures.ThreadPoolExecutor(
                1, "replicas", initializer=torch.set_num_threads, initargs=(1,)
            )
            for _ in self.parts[1:]
        ]

    def step(
        self, number: int, steps: int, rate: float, watch: Sequence[str], told: bool = True
    ) -> BatchMeasures | None:
        """What Stepper.step returns for all replicas, to rounding; None unless it is `told`.

        Then other threads may still be at it, and at steps before: until `join`, or what is told.
        """
        self.stepper.check_attached()
        self.together = number < self.alone
        if self.together or any(self.hooks) or not all(module.training for module in self.modules):
            self.join()
            return self.stepper.step(number, steps, rate, watch)
        mine, jobs = self._each(lambda part: part.step(number, steps, rate, watch))
        self.running.append(jobs)
        # A task draws the examples of BLOCK steps for all threads: none may want others meanwhile.
        if told or (number + 1) % BLOCK == 0:
            theirs = self.join()
            return _joined([mine, *theirs]) if told else None
        if len(self.running) > BEHIND:
            self._wait_for_one()
        return None

    def evaluate(self, batch: int | None = None) -> Evaluation:
        """What Stepper.evaluate returns for all replicas, to rounding."""
        self.join()
        if self.together or any(self.hooks):
            return self.stepper.evaluate(batch)
        mine, jobs = self._each(lambda part: part.evaluate(batch))
        self.running.append(jobs)
        return _joined([mine, *self.join()])

    def join(self) -> list[Any]:
        """Wait until no thread is behind; what the others found in their last step."""
        found: list[Any] = []
        while self.running:
            found = self._wait_for_one()
        return found

    def _each(self, function: Callable[[Stepper], Any]) -> tuple[Any, list[futures.Future]]:
        """What the function returns for the first part, and the jobs that do it for the others."""
        first, *others = self.parts
        pairs = zip(self.pools, others, strict=True)
        jobs = [pool.submit(function, part) for pool, part in pairs]
        try:
            return function(first), jobs
        except BaseException:
            self._leave(jobs)
            raise

    def _wait_for_one(self) -> list[Any]:
        """What the jobs found that are running longest."""
        jobs = self.running.pop(0)
        try:
            return [job.result() for job in jobs]
        except BaseException:
            self._leave(jobs)
            raise

    def _leave(self, jobs: Sequence[futures.Future]) -> None:
        """Wait for these and all others: nothing is written any more when a step breaks off."""
        futures.wait([*jobs, *itertools.chain(*self.running)])
        self.running.clear()


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
