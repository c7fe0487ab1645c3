"""No threshold without its source: each constant of the doctor says where it comes from."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course import doctor
from course.doctor.evidence import Evidence
from course.doctor.jacobians import alignment
from course.doctor.patient import Patient
from course.doctor.rules import CERTAIN, SYMPTOMS

FILES = sorted(Path(doctor.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_number_has_a_docstring(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    for line, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(line, ast.Assign) and _is_number(line.value):
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            assert said, f"{path.name}: {ast.unparse(line)} has no docstring"


def _is_number(value: ast.expr) -> bool:
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return all(isinstance(p, ast.Constant) and isinstance(p.value, int | float) for p in parts)


def test_each_rule_says_what_it_takes_for_ill() -> None:
    assert all(rule.__doc__ for rule in (*CERTAIN, *SYMPTOMS))


def test_random_layers_turn_all_directions_into_one_and_orthogonal_ones_none() -> None:
    def measured(start: Callable[[Tensor], object]) -> tuple[float, float]:
        layers = [nn.Linear(32, 32, bias=False) for _ in range(120)]
        for layer in layers:
            start(layer.weight)
        model = nn.Sequential(*layers, nn.Linear(32, 1))
        batches = [(torch.ones(8, 32), torch.ones(8, 1))]
        patient = Patient(model, batches, functional.mse_loss, None, None)
        turned = alignment(Evidence(patient, 1))
        assert turned is not None
        return turned

    with torch.random.fork_rng():
        torch.manual_seed(0)
        random, unrelated = measured(lambda w: nn.init.normal_(w, std=32**-0.5))
        orthogonal, _ = measured(nn.init.orthogonal_)
    assert unrelated == pytest.approx((2 / (math.pi * 32)) ** 0.5)
    assert orthogonal < 2 * unrelated
    assert random > 3 * unrelated


@pytest.mark.parametrize(
    ("shares", "later", "slow"),
    [
        ((-0.03, -0.005, 0.015), 0.07, True),  # at half the pace, or more
        ((-0.03, -0.005, 0.015), 0.0, False),  # it was chance
        ((0.06, 0.08, 0.095), 0.1, True),  # it has learned by then
        ((-0.03, -0.005, 0.015), -math.inf, False),
        ((-0.005, -0.03, 0.015), 0.2, False),  # not asked for: it did not fall steadily
        ((-0.03, -0.005, 0.004), 0.2, False),
        ((0.01, 0.011, 0.012), 0.2, False),  # too slow to learn soon
    ],
)
def test_a_slow_fall_has_to_go_on(shares: Any, later: float, slow: bool) -> None:
    """A loss that happens to be lower at the end of a trial is no sign that the network learns."""
    history = [(0, -0.1), (30, -0.05), *zip((60, 90, 120), shares, strict=True)]
    trial = SimpleNamespace(
        broke=None, history=history, losses=[0.0] * 120, now=shares[-1], share=lambda loss: loss
    )

    def advance(steps: int) -> None:
        assert steps == 120
        trial.now = later

    trial.advance = advance
    evidence = Evidence.__new__(Evidence)
    vars(evidence)["trial"] = trial
    assert evidence.slow is slow
