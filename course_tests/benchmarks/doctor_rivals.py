"""What other tools say of the same networks: torchmortem and gradsnitch, where installed.

Each watches a run of 150 steps as its own documentation shows. A network counts as flagged with any
finding above "info"; a sick one as named right when some finding's title holds a word of `WORDS`
for it, however many others stand beside it.
"""

from __future__ import annotations

import copy
import importlib.util
import math
import time
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


def findings(tool: str, case: Case) -> tuple[list[str], float]:
    """(titles of the tool's findings, seconds) of a run of a copy of the case."""
    twin = copy.deepcopy(case)
    begun = time.perf_counter()
    try:
        titles = {"torchmortem": _torchmortem, "gradsnitch": _gradsnitch}[tool](twin)
    except Exception as error:
        titles = [f"does not run: {type(error).__name__}"]
    return titles, time.perf_counter() - begun


def named_right(truth: str, titles: list[str]) -> bool:
    """Whether some title holds a word of the truth."""
    words = WORDS.get(truth, ())
    return any(word in title.lower() for title in titles for word in words)


def _step(case: Case, step: int) -> float:
    case.optimizer.zero_grad()
    value = case.value(case.batches[step % len(case.batches)])
    value.backward()
    return float(value.detach())


def _torchmortem(case: Case) -> list[str]:
    import torchmortem

    with torchmortem.Autopsy(case.model, optimizer=case.optimizer) as autopsy:
        for step in range(STEPS):
            loss = _step(case, step)
            case.optimizer.step()
            autopsy.step(loss=loss)
    report: Any = autopsy.get_report()
    return [f.title for f in report.findings if f.severity > torchmortem.Severity.INFO]


def _gradsnitch(case: Case) -> list[str]:
    import gradsnitch

    monitor = gradsnitch.watch(case.model, case.optimizer)
    for step in range(STEPS):
        loss = _step(case, step)
        monitor.log(step, loss)
        case.optimizer.step()
        if not math.isfinite(loss):
            break
    return [finding.name for finding in gradsnitch.lint(monitor.df())]
