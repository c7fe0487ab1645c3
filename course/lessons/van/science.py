"""How skips leave a VAN: with nothing that resists, with a constant resistance, and in training.

The schedules are those of `training`. A resistance g is a slope dC/dalpha that stays the same all
the time. Eqs. 7 and 8 then move alpha by -eta (g + lambda), and g + lambda changes as lambda
does: a constant resistance g acts as if the multiplier had started at lambda_0 + g.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from course import training
from course.arguments import real, whole
from course.data import Dataset
from course.experiments import EXPERIMENTS
from course.lessons.degradation import science as degradation
from course.networks import VariableActivationNetwork
from course.training import Record

SETTINGS = EXPERIMENTS["degradation"].settings
SEEDS = (0, 1, 2)
SMALL = 1e-8
"""An angle in radians that is its own sine and tangent, to all digits of a float."""
LARGEST = float(np.finfo(float).max)


def simulate(
    rate: float, ratio: float, multiplier: float, resistance: float = 0.0, *, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Eqs. 7 and 8 where dC/dalpha = resistance: 1 - alpha and lambda after 0 to `steps` steps."""
    for name, value in (("rate", rate), ("ratio", ratio)):
        real(name, value, least=0)
    alpha, slope = 0.0, real("resistance", resistance)
    left, multipliers = [1.0], [real("multiplier", multiplier)]
    for _ in range(whole("steps", steps, least=0)):
        rise = ratio * (rate * (alpha - 1))  # 0 at alpha = 1, whatever ratio times rate is
        alpha = min(max(alpha - rate * (slope + multipliers[-1]), 0.0), 1.0)
        left.append(1 - alpha)
        multipliers.append(multipliers[-1] + rise)
    return np.array(left), np.array(multipliers)


def closed_form(
    rate: float, ratio: float, multiplier: float, resistance: float = 0.0, *, steps: int
) -> np.ndarray:
    """1 - alpha after 0 to `steps` steps in the limit of small steps, (steps + 1,).

    With m = -(lambda_0 + g) >= 0 it is sin(p - w t) / sin(p) where w = eta sqrt(r) and tan(p) =
    sqrt(r) / m, then 0; see `removal_time`. For lambda_0 + g > 0 it is 1 until the multiplier has
    come down, and as for m = 0 from there on.
    """
    start = real("multiplier", multiplier) + real("resistance", resistance)
    waiting, swing, angle = _phases(rate, ratio, start)
    time = np.maximum(np.arange(whole("steps", steps) + 1) - waiting, 0.0)
    ahead = 1 - np.minimum(time / max(swing, 1e-300), 1.0)  # share of the swing
    return np.sin(angle * ahead) / math.sin(angle) if angle > SMALL else ahead


@dataclass(frozen=True)
class Trace:
    """What the skips did in training: arrays (steps + 1, R, L) that begin before the first step.

    left: 1 - alpha; multiplier: lambda; both are means over the units of a block. clipped: whether
    an alpha of the block was at 0 or 1; rate: eta of eq. 7.
    """

    left: np.ndarray
    multiplier: np.ndarray
    clipped: np.ndarray
    rate: float

    @property
    def gone(self) -> np.ndarray:
        """Steps until the last skip of each run was gone, (R,); NaN if one was still there."""
        none = (self.left == 0).all(axis=2)
        return np.where(none.any(axis=0), none.argmax(axis=0), np.nan)

    @property
    def slope(self) -> np.ndarray:
        """dC/dalpha, (steps, R, L), as eq. 7 must have used it; NaN where an alpha was clipped.

        It is a mean over units as well: where a block has an alpha for each unit, its unit's slope.
        """
        moved = self.left[:-1] - self.left[1:]
        return np.where(self.clipped[1:], np.nan, -moved / self.rate - self.multiplier[:-1])

    @property
    def resistance(self) -> np.ndarray:
        """Mean slope of each run, (R,); NaN where no step had one."""
        slope = self.slope
        with np.errstate(invalid="ignore"):  # 0 / 0, where nanmean would warn
            mean = np.nansum(slope, axis=(0, 2)) / np.sum(~np.isnan(slope), axis=(0, 2))
        return np.asarray(mean)

    @property
    def time(self) -> np.ndarray:
        """Steps until a block's skips were gone, mean over the blocks of each run, (R,)."""
        return np.asarray(self.left.argmin(axis=0).mean(axis=1))


def network(
    examples: Dataset, *, depth: int = 10, seeds: Sequence[int] = SEEDS, alpha: str = "unit"
) -> VariableActivationNetwork:
    """A VAN at its start, all its skips whole. alpha: one for each "unit" (eq. 4), or "block"."""
    net = degradation.network("van", examples, depth=depth, seeds=seeds, alpha=alpha)
    assert isinstance(net, VariableActivationNetwork)
    return net


def phase_out(
    net: VariableActivationNetwork,
    examples: Dataset,
    skips: training.Multipliers,
    *,
    steps: int = 300,
    rate: float = 0.01,
) -> Iterator[Record]:
    """Train a VAN in place at a constant rate, a record per step, for `trace`.

    Its `norms` hold the mean "multiplier" of each block, and whether an alpha of it is "clipped".
    """
    records = training.fit(
        net, examples, steps=steps, batch=SETTINGS.batch, skips=skips,
        optimizer=training.SGD(rate, SETTINGS.momentum),
    )  # fmt: skip
    return _with_multipliers(net, records)


def _with_multipliers(
    net: VariableActivationNetwork, records: Iterator[Record]
) -> Iterator[Record]:
    layers = tuple(f"block {k}" for k in range(1, net.depth + 1))
    for record in records:
        alpha, multiplier = net.alpha.detach(), net.multiplier.double()
        norms = {
            "multiplier": multiplier.mean(2).numpy().T,
            "clipped": ((alpha <= 0) | (alpha >= 1)).any(2).numpy().T,
        }
        yield replace(record, layers=layers, norms=norms)


def trace(records: Iterable[Record], skips: training.Multipliers) -> Trace:
    """What `phase_out` recorded with these skips, as arrays."""
    records = list(records)
    assert records, "no record: the run was stopped before its first step"
    left = [1 - record.alpha for record in records if record.alpha is not None]
    norms = [record.norms for record in records if record.norms is not None]
    return Trace(
        np.stack([np.ones_like(left[0]), *left]),
        np.stack(
            [np.full_like(left[0], skips.multiplier), *[each["multiplier"] for each in norms]]
        ),
        np.stack([np.ones_like(left[0], dtype=bool), *[each["clipped"] for each in norms]]),
        records[0].rate if skips.rate is None else skips.rate,
    )


def recent(values: np.ndarray, steps: int = 10) -> np.ndarray:
    """Mean of each value and those before it, `steps` in all (fewer at the start): (N, ...)."""
    sums = np.cumsum(np.asarray(values, dtype=float), axis=0)
    counts = np.minimum(np.arange(1, len(sums) + 1), whole("steps", steps, least=1))
    sums[steps:] -= sums[:-steps].copy()
    return sums / counts.reshape(-1, *[1] * (sums.ndim - 1))


def removal_time(rate: float, ratio: float = 0.5, multiplier: float = -1.0) -> float:
    """Steps until the skips are gone under `Multipliers` if the cost does not resist.

        t* = arctan(sqrt(r) / |lambda_0|) / (eta sqrt(r)),   r = eta' / eta,   lambda_0 <= 0

    Let u = alpha - 1, which starts at -1, and dC/dalpha = 0. In small steps eqs. 7 and 8 are
    u' = -eta lambda and lambda' = eta r u, so u'' = -(eta^2 r) u: an oscillation with the angular
    frequency w = eta sqrt(r). From u(0) = -1 and u'(0) = -eta lambda_0 = eta |lambda_0|,

        u(t) = -cos(w t) + (|lambda_0| / sqrt(r)) sin(w t),

    which is 0 first where tan(w t) = sqrt(r) / |lambda_0|. For lambda_0 = 0 that is a quarter of a
    turn, pi / (2 w); for r = 0 alpha rises at the speed eta |lambda_0|, and t* = 1 / (eta
    |lambda_0|). For lambda_0 > 0 the clipping holds alpha at 0 until lambda has come down to 0,
    lambda_0 / (eta r) steps later; from there on it is as for lambda_0 = 0. Infinite where the
    skips never leave. When alpha reaches 1 the clipping keeps it there, as lambda is still < 0.
    """
    waiting, swing, _ = _phases(rate, ratio, multiplier)
    return waiting + swing


def _phases(rate: float, ratio: float, multiplier: float) -> tuple[float, float, float]:
    """Steps that the clipping holds alpha at 0, steps from there to 1, and the latter's angle."""
    rate, ratio = real("rate", rate, above=0), real("ratio", ratio, least=0)
    push, root = real("multiplier", -multiplier), math.sqrt(ratio)
    waiting = _quotient(max(-push, 0.0), rate, ratio)
    angle = math.atan2(root, max(push, 0.0))
    if angle > SMALL:
        return waiting, _quotient(angle, rate, root), angle
    return waiting, _quotient(1.0, rate, max(push, 0.0)), angle


def _quotient(numerator: float, *divisors: float) -> float:
    """The numerator over all divisors, rounded once: no product of them under- or overflows."""
    if numerator == 0:
        return 0.0
    if 0 in divisors:
        return math.inf
    exact = Fraction(numerator) / math.prod(map(Fraction, divisors))
    return float(exact) if exact < LARGEST else math.inf


def removed_at(records: Sequence[Record], for_good: bool = False) -> np.ndarray:
    """First step after which all skips of a replica were gone, (R,); NaN if that never happened.

    for_good: the step from which on they stayed gone. An alpha may leave 1 again where the cost
    pulls harder than its multiplier, abs(dC/dalpha) > abs(lambda). The records must come from one
    run in order; the answer is as fine as they are.
    """
    gone = np.array([np.all(record.alpha == 1, axis=1) for record in records])
    if for_good:
        gone = np.logical_and.accumulate(gone[::-1])[::-1]
    steps = np.array([record.step for record in records], dtype=float)
    return np.where(gone.any(axis=0), steps[gone.argmax(axis=0)], np.nan)
