"""A step of R replicas on several threads of the CPU: some of the replicas on each.

Replicas never meet, so each thread makes the whole step of its own ones. It waits for the others
where something is told of all replicas, and else now and then, so that none falls far behind.
(torch's own threads share every operation, and wait for one another a thousand times a second: on
layers as thin as these they gain little, and lose a lot where another program wants the core.)
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cached_property
from queue import SimpleQueue
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
        self.behind = 0  # jobs that the other threads were given, and that nobody waited for yet
        self.modules, self.hooks = list(stepper.network.modules()), hooks(stepper.network)

    @cached_property
    def parts(self) -> list[Stepper]:
        """The steppers of some of the replicas each."""
        bounds = np.linspace(0, self.stepper.network.replicas, self.threads + 1).astype(int)
        return [self.stepper.part(slice(*pair)) for pair in itertools.pairwise(bounds.tolist())]

    @cached_property
    def helpers(self) -> list[Helper]:
        """A thread for each part but the first, which the calling thread takes."""
        return [Helper(part) for part in self.parts[1:]]

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
            return self.stepper.step(number, steps, rate, watch, told)
        mine = self._each(lambda part: part.step(number, steps, rate, watch, told))
        # A task draws the examples of BLOCK steps for all threads: none may want others meanwhile.
        if told or (number + 1) % BLOCK == 0:
            theirs = self.join()
            return _joined([mine, *theirs]) if told else None
        if self.behind > BEHIND:
            self._wait_for_one()
        return None

    def evaluate(self, batch: int | None = None) -> Evaluation:
        """What Stepper.evaluate returns for all replicas, to rounding."""
        self.join()
        if self.together or any(self.hooks):
            return self.stepper.evaluate(batch)
        mine = self._each(lambda part: part.evaluate(batch))
        return _joined([mine, *self.join()])

    def join(self) -> list[Any]:
        """Wait until no thread is behind; what the others found in their last job."""
        found: list[Any] = []
        while self.behind:
            found = self._wait_for_one()
        return found

    def _each(self, function: Callable[[Stepper], Any]) -> Any:
        """What the function returns for the first part; it is the next job of the others, too."""
        for helper in self.helpers:
            helper.give(function)
        self.behind += 1
        try:
            return function(self.parts[0])
        except BaseException:
            self._leave()
            raise

    def _wait_for_one(self) -> list[Any]:
        """What the others found in the first job that nobody waited for yet."""
        self.behind -= 1
        try:
            return [helper.take() for helper in self.helpers]
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Wait for all threads: nothing is written any more when a step breaks off."""
        for helper in self.helpers:
            helper.finish()
        self.behind = 0


class Helper:
    """A thread that does one job after another for a part, until nobody has this object any more.

    (An executor of `concurrent.futures` takes so much Python for a job that a step of ten thin
    blocks is 6 % slower.)
    """

    def __init__(self, part: Stepper) -> None:
        self.jobs: SimpleQueue = SimpleQueue()
        self.results: SimpleQueue = SimpleQueue()  # of each job, and its error
        self.left = 0  # results that were not taken yet
        ends = part, self.jobs, self.results
        threading.Thread(target=_help, args=ends, name="replicas", daemon=True).start()
        weakref.finalize(self, self.jobs.put, None)

    def give(self, job: Callable[[Stepper], Any]) -> None:
        """One job more, after those that it was given before."""
        self.left += 1
        self.jobs.put(job)

    def take(self) -> Any:
        """What the first job returned whose result was not taken yet; the error, if it raised."""
        result, error = self.results.get()
        self.left -= 1
        if error is not None:
            raise error
        return result

    def finish(self) -> None:
        """Wait until all is done, whatever comes of it."""
        while self.left:
            self.results.get()
            self.left -= 1


def _help(part: Stepper, jobs: SimpleQueue, results: SimpleQueue) -> None:
    torch.set_num_threads(1)
    for job in iter(jobs.get, None):
        try:
            results.put((job(part), None))
        except BaseException as error:
            results.put((None, error))


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
