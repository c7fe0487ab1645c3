"""Phasing out skip connections: how alpha in h -> F(h) + (1 - alpha) h goes from 0 to 1.

Monti, Tootoonian and Cao, "Avoiding degradation in deep feed-forward networks by phasing out
skip-connections" (2018). The network (eq. 4) is `networks.build("van", ...)`; here are the steps of
alpha and of its multiplier lambda, and simpler schedules to compare them with. alpha and lambda
have the shape (depth, R, units): units is the width, or 1 where a block has one alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from torch import Tensor

from course.arguments import one_of, real, reject, whole


class Skips(Protocol):
    """A schedule of the skips. What it changes, it changes in place."""

    learns: bool  # whether step() needs the slope dC/dalpha

    def start(self, alpha: Tensor, multiplier: Tensor) -> None:
        """Set both to what they are before the first step."""

    def step(
        self, alpha: Tensor, multiplier: Tensor, slope: Tensor | None, rate: float, done: float
    ) -> None:
        """One step, after the weights have made theirs.

        slope: dC/dalpha, as alpha, at the old weights, if `learns`; rate: the learning rate of
        the weights; done: share of all steps that are done now, in (0, 1].
        """


@dataclass(frozen=True)
class Multipliers:
    """The skips are penalized by Lagrange multipliers: eqs. 7 and 8 of the paper.

        alpha  <- alpha - eta (dC/dalpha + lambda), clipped to [0, 1]                         (7)
        lambda <- lambda + eta' (alpha - 1),          eta' = ratio eta                        (8)

    Both use the old alpha; alpha starts at 0 and lambda at `multiplier`. eta is `rate`, or the
    learning rate of the weights if that is None. C is the cost without the penalty. (Eq. 7 as
    printed reads dL/dalpha + lambda. If its L is the Lagrangian of eq. 6, which contains lambda
    (alpha - 1), then dL/dalpha contains lambda already, and lambda would be counted twice.) alpha
    makes plain steps: with a momentum of 0.9 the skips would be gone in a fifth of the time.

    The cost resists by dC/dalpha. One alpha for a whole block moves all its units at once, so its
    slope is the sum of theirs, and lambda stays one number: the cost resists as many times more as
    the block has units.

    With multiplier = 0 and ratio = 0 lambda stays 0 and alpha follows the cost alone: this is
    "VAN (lambda = 0)" in the paper.
    """

    ratio: float = 0.5
    multiplier: float = -1.0
    rate: float | None = None
    learns = True

    def __post_init__(self) -> None:
        real("ratio", self.ratio, least=0)
        real("multiplier", self.multiplier)
        if self.rate is not None:
            real("rate", self.rate, least=0)

    def leaving(self, step: int) -> Multipliers:
        """The same, with such a rate that the skips are gone after `step` steps, were C flat.

        Then 1 - alpha = cos(s) + lambda_0 / sqrt(ratio) sin(s) after t steps of a small rate eta,
        s = sqrt(ratio) eta t, and this is 0 where tan(s) = sqrt(ratio) / -lambda_0. ValueError
        unless lambda_0 < 0 and ratio > 0.
        """
        whole("step", step, least=1)
        real("ratio", self.ratio, above=0)
        if self.multiplier >= 0:
            raise reject("multiplier", self.multiplier, "a number < 0: it drives the skips out")
        root = math.sqrt(self.ratio)
        return replace(self, rate=math.atan(root / -self.multiplier) / (root * step))

    def start(self, alpha: Tensor, multiplier: Tensor) -> None:
        """alpha = 0, lambda = multiplier."""
        alpha.detach().zero_()
        multiplier.fill_(self.multiplier)

    def step(
        self, alpha: Tensor, multiplier: Tensor, slope: Tensor | None, rate: float, done: float
    ) -> None:
        """Eqs. 7 and 8."""
        assert slope is not None
        eta = rate if self.rate is None else self.rate
        rise = self.ratio * eta * (alpha - 1)
        alpha.sub_(eta * (slope + multiplier)).clamp_(0, 1)
        multiplier.add_(rise)


class Fixed:
    """Schedules in which the cost has no say: alpha is a function of the share of steps done."""

    learns = False

    def alpha(self, done: float) -> float:
        """alpha of every block when the share `done` of the steps is done, from 0 to 1."""
        raise NotImplementedError

    def start(self, alpha: Tensor, multiplier: Tensor) -> None:
        """alpha = 0."""
        alpha.detach().zero_()

    def step(
        self, alpha: Tensor, multiplier: Tensor, slope: Tensor | None, rate: float, done: float
    ) -> None:
        """alpha as scheduled."""
        alpha.fill_(self.alpha(done))


@dataclass(frozen=True)
class Ramp(Fixed):
    """alpha rises in a straight line from 0 at the start to 1 at the share `until` of the steps.

    until = 0 removes the skips in the first step.
    """

    until: float = 0.8

    def __post_init__(self) -> None:
        real("until", self.until, least=0, most=1)

    def alpha(self, done: float) -> float:
        """done / until, at most 1."""
        return 1.0 if done >= self.until else done / self.until


@dataclass(frozen=True)
class Cut(Fixed):
    """The skips stay whole (alpha = 0) up to the share `at` of the steps, then go at once (1).

    at > 1: they are never cut, and the network stays the residual one that it starts as.
    """

    at: float = 0.6

    def __post_init__(self) -> None:
        real("at", self.at, least=0)

    def alpha(self, done: float) -> float:
        """0 or 1."""
        return float(done >= self.at)


@dataclass(frozen=True)
class ByHand(Fixed):
    """Each skip passes on the share `passed()`, 0 to 1: what somebody turns while it trains.

    With a knob: ``ByHand(lambda: knob.value)``. alpha = 1 - passed() in every block and unit.
    """

    passed: Callable[[], float]

    def alpha(self, done: float) -> float:
        """1 - passed()."""
        return 1.0 - real("passed()", self.passed(), least=0, most=1)


SCHEDULES: dict[str, Skips] = {
    "published": Multipliers(),
    "published on CIFAR": Multipliers(ratio=0.1),
    "free": Multipliers(ratio=0.0, multiplier=0.0),
    "slow": Multipliers(ratio=0.0125, multiplier=-0.05, rate=0.02),
    "ramp": Ramp(),
    "cut": Cut(),
    "none": Cut(at=2.0),
}
"""Schedules by name. The published ones follow the rate of the weights; "slow" is ours."""


def schedule(skips: str | Skips | None, network: Any) -> Skips | None:
    """The schedule for this network: by name, or as it is given, or what belongs to the network.

    None means none for a network without alpha, "free" for van0, and for a van the published one
    with the multiplier that it was built with. Raises ValueError for a schedule and no alpha.
    """
    if isinstance(skips, str):
        skips = SCHEDULES[one_of("skips", skips, SCHEDULES)]
    if not hasattr(network, "alpha"):
        if skips is not None:
            name = getattr(network, "name", type(network).__name__)
            raise reject("skips", skips, f"None for {name}: it has no alpha")
        return None
    if skips is not None:
        if not hasattr(skips, "step"):
            raise reject("skips", skips, "Multipliers, Ramp, Cut, ByHand, or a name in SCHEDULES")
        return skips
    if network.name == "van0":
        return SCHEDULES["free"]
    return Multipliers(multiplier=network.recipe.multiplier)
