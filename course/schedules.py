"""How the learning rate changes while a network trains: a factor between 0 and 1 at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from course.arguments import real, reject


@dataclass(frozen=True)
class Schedule:
    """A named factor on the learning rate. `factor` takes the share of the steps done, in [0, 1).

    The name is what a checkpoint remembers: two schedules with one name must be the same.
    """

    name: str
    factor: Callable[[float], float]

    def __call__(self, step: int, steps: int) -> float:
        """The factor for step number `step` (the first is 0) of `steps`."""
        return self.factor(step / steps)

    def __repr__(self) -> str:
        return self.name


constant = Schedule("constant", lambda done: 1.0)


def linear_decay(start: float = 0.6) -> Schedule:
    """1 up to the share `start` of the steps, then down in a straight line to reach 0 at the end.

    The last step still has a small factor: 0 would be reached one step later.
    """
    start = real("start", start, least=0, most=1)
    return Schedule(
        f"linear_decay(start={start:g})",
        lambda done: 1.0 if done < start else (1 - done) / (1 - start),
    )


def step_decay(at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> Schedule:
    """Times `factor` at each of the shares `at` of the steps: the usual schedule for CIFAR."""
    if not isinstance(at, Sequence):
        raise reject("at", at, "a sequence of shares of the steps, such as (0.5, 0.75)")
    at = tuple(real("at", share, least=0, most=1) for share in at)
    if list(at) != sorted(set(at)):
        raise reject("at", at, "shares of the steps in rising order")
    factor = real("factor", factor, above=0, most=1)
    return Schedule(
        f"step_decay(at={at}, factor={factor:g})",
        lambda done: factor ** sum(done >= share for share in at),
    )
