"""Notebook 10a: when skips go, and what cutting them changes. Fresh seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import data, training
from course.lessons.van import explorer, science
from course.lessons.van.exercise import (
    check_certificate,
    check_van_step,
    solve_certificate,
    solve_van_step,
)
from course_tests.claims import claim, seeds
from course_tests.corners import corners, visit

SEEDS = tuple(seeds(10, 3))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def trace(
    digits: data.Dataset, start: float, steps: int, alpha: str = "unit", **options: float
) -> science.Trace:
    skips = training.Multipliers(multiplier=start, **options)
    rate = min(skips.rate or 0.01, 0.01)
    net = science.network(digits, depth=10, seeds=SEEDS, alpha=alpha)
    records = science.phase_out(net, digits, skips, steps=steps, rate=rate)
    return science.trace(records, skips)


@pytest.mark.claims
@pytest.mark.repeats
def test_skips_go_when_predicted_and_later_with_one_alpha_for_a_block(
    digits: data.Dataset,
) -> None:
    for start, steps in ((-1.0, 120), (0.0, 300)):
        free = science.removal_time(0.01, 0.5, start)
        unit, block = (trace(digits, start, steps, alpha) for alpha in ("unit", "block"))
        claim(f"from {start}: unit, gone, over predicted", unit.gone / free, least=1, most=1.03)
        claim(f"from {start}: unit, slope", unit.resistance, least=-0.005, most=0.005)
        # 1.11 ± .01, 1.08 ± .006
        claim(f"from {start}: block, gone, over predicted", block.gone / free, least=1, most=1.15)
        resistance = float(block.resistance.mean())
        # .103 ± .004, .0436 ± 7e-04
        claim(f"from {start}: block, slope", resistance, least=0.02, most=0.2)
        held = science.removal_time(0.01, 0.5, start + resistance)
        error = abs(block.gone.mean() - held) / abs(block.gone.mean() - free)
        # .235 ± .008, .526 ± .007
        claim(f"from {start}: error left by a constant resistance", error, most=0.75)


@pytest.mark.claims
def test_the_schedule_for_cifar_removes_skips_in_a_dozen_steps(digits: data.Dataset) -> None:
    assert abs(science.removal_time(0.1, 0.1, -1) - 9.7) < 0.05
    times = trace(digits, -1.0, 25, ratio=0.1, rate=0.1).gone
    claim("the published schedule: steps", times, least=9, most=13)


@pytest.mark.claims
def test_cut_when_all_are_gone_and_no_step_earlier(digits: data.Dataset) -> None:
    skips = training.Multipliers(multiplier=0.0)
    net = science.network(digits, depth=10, seeds=SEEDS)
    rests = {}
    for record in science.phase_out(net, digits, skips, steps=230):
        if record.step in (190, 205, 230):
            rests[record.step] = training.remove_skips(net, digits)
    lost = {}
    for step, rest in rests.items():
        assert rest.before.train_accuracy is not None and rest.after.train_accuracy is not None
        lost[step] = rest.before.train_accuracy - rest.after.train_accuracy
    assert np.all(rests[230].change == 0) and np.all(rests[230].certified)
    claim("step 205: left of each skip", rests[205].left.mean((1, 2)), least=0.05, most=0.2)
    claim("step 205: lost by cutting it", lost[205], least=0.1)  # .34 ± .06
    claim("step 190: lost by cutting more", lost[190], least=0.4)  # .76 ± .06


@settings(max_examples=30, deadline=None)
@given(
    rate=st.floats(2e-3, 2e-2), ratio=st.floats(0.0, 1.0), start=st.floats(-2.0, 0.5),
    resistance=st.floats(0.0, 0.5),
)  # fmt: skip
def test_a_constant_resistance_is_a_multiplier_that_starts_higher(
    rate: float, ratio: float, start: float, resistance: float
) -> None:
    options = {"steps": 600}
    left, multiplier = science.simulate(rate, ratio, start, resistance, **options)
    same, higher = science.simulate(rate, ratio, start + resistance, **options)
    assert np.allclose(left, same) and np.allclose(multiplier + resistance, higher)
    form = science.closed_form(rate, ratio, start, resistance, **options)
    assert np.abs(left - form).max() < 0.05 + 3 * rate


def test_the_simulation_makes_the_steps_of_the_schedule() -> None:
    skips = training.Multipliers(ratio=0.4, multiplier=-0.3)
    alpha, multiplier = (torch.zeros(1, 1, dtype=torch.float64) for _ in range(2))
    skips.start(alpha, multiplier)
    seen = [(1.0, -0.3)]
    for _ in range(200):
        skips.step(alpha, multiplier, torch.full_like(alpha, 0.1), 0.02, 0.5)
        seen.append((1 - alpha.item(), multiplier.item()))
    left, multipliers = science.simulate(0.02, 0.4, -0.3, 0.1, steps=200)
    assert np.allclose(np.array(seen), np.stack([left, multipliers], axis=1))
    assert left[-1] == 0 and left[50] > 0


def test_the_trace_recovers_the_slope(digits: data.Dataset) -> None:
    seen = trace(digits, -0.5, 5)
    assert seen.left.shape == seen.multiplier.shape == (6, 3, 10)
    assert np.all(seen.left[0] == 1) and np.all(seen.multiplier[0] == -0.5)
    again = 1 - seen.left[1:-1] - 0.01 * (seen.slope[1:] + seen.multiplier[1:-1])
    assert np.allclose(again, 1 - seen.left[2:]) and np.all(np.isnan(seen.gone))
    assert np.allclose(np.diff(seen.multiplier, axis=0), -0.005 * seen.left[:-1], atol=1e-7)


def test_recent_is_the_mean_of_the_last_ones() -> None:
    values = np.arange(24.0).reshape(12, 2)
    found = science.recent(values, steps=5)
    for k in range(12):
        assert np.allclose(found[k], values[max(0, k - 4) : k + 1].mean(0))


def test_the_extremes_of_the_explorer_neither_fail_nor_warn(digits: data.Dataset) -> None:
    panel = explorer.explore(digits)
    assert "after 87 steps" in panel.text
    places = corners(
        rate=(0.001, 0.1), ratio=(0.0, 1.0), multiplier=(-2.0, 0.5), resistance=(0.0, 1.5)
    )
    texts, _ = visit(panel, places)
    assert len(set(texts)) == 16 and any("never leave" in text for text in texts)
    assert {len(text.splitlines()) for text in texts} == {3}
    (trained,), _ = visit(panel, [dict(rate=0.1, train=True)])
    assert "the last skip is gone after" in trained
    with pytest.raises(ValueError, match=r"ratio = 1\.5"):
        explorer.explore(digits, ratio=1.5)


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_van_step(solve_van_step)
    assert "right in all" in capsys.readouterr().out

    def both_new(alpha: Any, multiplier: Any, slope: Any, eta: float, ratio: float) -> Any:
        new, _ = solve_van_step(alpha, multiplier, slope, eta, ratio)
        return new, multiplier + ratio * eta * (new - 1)

    for wrong, hint in (
        (both_new, "the old alpha"),
        (lambda a, m, s, e, r: (a - e * (s + m), m + r * e * (a - 1)), "Clip"),
        (lambda a, m, s, e, r: (solve_van_step(a, m, s, e, r)[0], m - r * e * (a - 1)), "uphill"),
        (lambda a, m, s, e, r: (solve_van_step(a, m, s, e, r)[0], m + e * (a - 1)), "ratio times"),
    ):
        check_van_step(wrong)
        assert hint in capsys.readouterr().out

    check_certificate(solve_certificate)
    assert "right in all" in capsys.readouterr().out
    check_certificate(lambda h, weights, alphas: 0.0)
    assert "right in 1 of 4" in capsys.readouterr().out
