"""What other tools say of the same networks: torchmortem and gradsnitch, where installed.

Each watches a run of 150 steps as its own documentation shows. A network counts as flagged with any
finding above "info"; a sick one as named right when some finding's title holds a word of `WORDS`
for it, however many others stand beside it; and as located when such a finding has a true place
among its layers, or when the illness sits in no layer. Of the doctor only the root counts.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import time
from dataclasses import dataclass
from typing import Any

from course_tests.doctor.cases.case import Case

STEPS = 150
TOOLS = [name for name in ("torchmortem", "gradsnitch") if importlib.util.find_spec(name)]
RATE = ("diverg", "too high", "too large", "spike", "nan", "oscillat", "catapult")
WORDS: dict[str, tuple[str, ...]] = {
    "vanishing gradients": ("vanish", "stalling"),
    "exploding gradients": ("explod", "nan", "explosion"),
    "exploding through batch norm": ("explod",),
    "dead units": ("dead",),
    "saturated units": ("saturat",),
    "collapsed representation": ("rank", "collapse"),
    "attention at rank one": ("rank", "collapse"),
    "not finite": ("nan", "non-finite", "inf"),
    "input not finite": ("nan", "non-finite", "inf"),
    "float16 overflow": ("nan", "non-finite", "inf"),
    "rate too large": RATE,
    "no warm-up under post-norm": RATE,
    "rate too small": ("too low", "too small", "frozen", "stagnat", "plateau"),
    "clipped to a standstill": ("too low", "too small", "frozen", "stagnat"),
    "decayed to a standstill": ("weight norm", "weight decay", "shrink"),
    "detached": ("frozen", "stagnat", "stalling"),
    "not in the optimizer": ("frozen", "stagnat"),
    "frozen by mistake": ("frozen", "stagnat"),
}


NO_LAYER = frozenset({"data", "loss", "optimizer", "clip", "p.grad", "output", "the loss"})
"""Places that are no layers."""


@dataclass(frozen=True)
class Report:
    """What a tool said. findings: (title, layers) of each; seconds: that it took; error: what it
    failed with, "" if it did not."""

    findings: tuple[tuple[str, tuple[str, ...]], ...]
    seconds: float
    error: str = ""

    def named(self, case: Case) -> bool:
        """Whether some title holds a word of the truth."""
        return bool(self._right(case))

    def located(self, case: Case) -> bool:
        """Whether such a finding has a true place, or there is none in the network."""
        right = self._right(case)
        return bool(right) and (
            set(case.place) <= NO_LAYER or any(case.has_place_right(layers) for layers in right)
        )

    def _right(self, case: Case) -> list[tuple[str, ...]]:
        words = WORDS.get(case.truth or "", ())
        return [layers for title, layers in self.findings if any(w in title.lower() for w in words)]


def report(tool: str, case: Case) -> Report:
    """What a tool says of a run of a copy of the case."""
    twin = copy.deepcopy(case)
    begun = time.perf_counter()
    try:
        said = {"torchmortem": _torchmortem, "gradsnitch": _gradsnitch}[tool](twin)
    except Exception as error:
        return Report((), time.perf_counter() - begun, f"{type(error).__name__}: {error}")
    return Report(tuple(said), time.perf_counter() - begun)


def _step(case: Case, step: int) -> float:
    case.optimizer.zero_grad()
    value = case.value(case.batches[step % len(case.batches)])
    value.backward()
    return float(value.detach())


def _torchmortem(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    import torchmortem

    with torchmortem.Autopsy(case.model, optimizer=case.optimizer) as autopsy:
        for step in range(STEPS):
            loss = _step(case, step)
            case.optimizer.step()
            autopsy.step(loss=loss)
    whole: Any = autopsy.get_report()
    return [
        (one.title, tuple(one.affected_layers))
        for one in whole.findings if one.severity > torchmortem.Severity.INFO
    ]  # fmt: skip


def _gradsnitch(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    import gradsnitch

    monitor = gradsnitch.watch(case.model, case.optimizer)
    for step in range(STEPS):
        loss = _step(case, step)
        monitor.log(step, loss)
        case.optimizer.step()
        if not math.isfinite(loss):
            break
    return [(finding.name, ()) for finding in gradsnitch.lint(monitor.df())]
