"""Notebook 10: when skips go, what the schedule does to training, and removal. Fresh seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import data, training
from course.lessons.degradation import science as degradation
from course.lessons.van import explorer, fading, science
from course.lessons.van.exercise import check_alpha_step, check_van_step, solve_van_step
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
    records = science.phase_out(digits, skips, steps=steps, rate=rate, seeds=SEEDS, alpha=alpha)
    return science.trace(records, skips)


@pytest.mark.claims
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
@pytest.mark.repeats
def test_gradual_is_good_abrupt_is_bad_and_a_rest_of_skip_matters(digits: data.Dataset) -> None:
    late = "slow, block"
    ways = science.schedules(steps=135)
    ways = {"ramp": ways["ramp"], "push": ways["push"], "cut": ways["cut"], late: ways["slow"]}
    nets, runs = science.side_by_side(digits, ways, depth=25, epochs=9, seeds=SEEDS)
    last: dict[str, np.ndarray] = {}
    lag: dict[str, np.ndarray] = {}
    removals: dict[str, training.Removal] = {}
    for name in ("plain", *ways):
        records = list(runs[name])
        accuracy = records[-1].train_accuracy
        running = np.array([record.train_accuracy for record in records])
        others = [record.batch_statistics for record in records]
        batches = np.array([other.train_accuracy for other in others if other is not None])
        lag[name] = (batches - running).mean(1)
        if name in ways:
            removals[name] = training.remove_skips(nets[name], digits)
            accuracy = removals[name].after.train_accuracy
        assert accuracy is not None
        last[name] = accuracy
        if name == late:
            fallen = batches[-1] - fading.force(nets[name], digits, [1.0])[0]
            claim("slow, block: by batch, over forced", fallen, least=0.3)  # .831 ± .02
    claim("ramp: largest lag", lag["ramp"].max(), least=0.08)  # .382 ± .05
    claim("ramp: last lag", lag["ramp"][-1], least=-0.05, most=0.05)  # .00637 ± .007
    claim("ramp over plain", last["ramp"] - last["plain"], least=0.03)  # .163 ± .05
    claim("plain over cut", last["plain"] - last["cut"], least=0.1)  # .279 ± .06
    claim("push over ramp", last["push"] - last["ramp"], least=-0.15, most=0.15)  # .005 ± .07
    for name in ("ramp", "cut"):
        assert np.all(removals[name].change == 0)
    assert all(np.all(removal.certified) for removal in removals.values())
    claim("slow, block: largest rest", removals[late].left.max((1, 2)), least=0.1)  # .403 ± .04


@pytest.mark.claims
@pytest.mark.repeats
def test_phasing_out_does_not_help_at_50_blocks(digits: data.Dataset) -> None:
    nets = fading.family(("plain", "ramp"), digits, (50,), seeds=SEEDS)
    nets |= fading.family(("ramp",), digits, (25,), seeds=SEEDS)
    last = {name: list(r) for name, r in fading.train(nets, digits, epochs=6).items()}
    right = {name: records[-1].train_accuracy for name, records in last.items()}
    # -.04 ± .1
    claim("50 blocks: ramp over plain", right["ramp 50"] - right["plain 50"], most=0.16)
    claim("50 blocks: plain", right["plain 50"], most=0.35)  # .184 ± .03
    neighbours = {n: fading.inside_of(last[f"ramp {n}"], "neighbours") for n in (25, 50)}
    claim("25 blocks: neighbours at the end", neighbours[25][-1], least=0.6)  # .874 ± .05
    # .368 ± .1
    claim("50 blocks: neighbours lost", neighbours[50][0] - neighbours[50][-1], least=0.15)
    claim("50 blocks: neighbours at the end", neighbours[50][-1], most=0.45)  # .276 ± .07
    ratio = fading.inside_of(last["ramp 50"], "gradient ratio")
    largest = np.log10(np.median(ratio, axis=1).max())
    claim("50 blocks: log10 of gradients grown", largest, most=2)  # 1.33 ± .1
    assert degradation.GROWTH**49 > 10_000


@pytest.mark.claims
@pytest.mark.repeats
def test_half_is_lost_at_the_same_product_of_skips(digits: data.Dataset) -> None:
    nets = fading.family(("van0",), digits, (5, 50), seeds=SEEDS)
    half, alphas = {}, (0, 0.05, 0.1, 0.15, 0.2, 0.5, 0.6, 0.7, 0.8, 0.9, 1)
    for name, records in fading.train(nets, digits, epochs=6).items():
        *_, last = records
        assert last.alpha is not None
        claim(f"{name}: alpha", np.max(last.alpha), most=0.1)  # .0472 ± .004, .0213 ± .003
        claim(f"{name}: accuracy", last.train_accuracy, least=0.97)  # .998 ± .001, .999 ± 7e-04
        found = fading.force(nets[name], digits, alphas)
        half[nets[name].depth] = fading.half_lost(alphas, found)
    claim("50 blocks: half lost at alpha", half[50], most=0.2)  # .122 ± .001
    claim("5 blocks: half lost at alpha", half[5], least=0.5)  # .759 ± .01
    products = [depth * math.log10(1 - alpha) for depth, alpha in half.items()]
    # .273 ± .1
    claim("products of skips: decades between", max(products) - min(products), most=1.2)


@pytest.mark.claims
@pytest.mark.slow
def test_a_hundred_epochs_do_not_save_50_blocks(digits: data.Dataset) -> None:
    nets = fading.family(("plain", "ramp"), digits, (50,), seeds=SEEDS)
    last = {name: list(r)[-1] for name, r in fading.train(nets, digits, epochs=100).items()}
    right = {name: record.train_accuracy for name, record in last.items()}
    claim("plain 50, 100 epochs", right["plain 50"], most=0.6)
    claim("ramp 50, 100 epochs", right["ramp 50"], most=0.6)
    claim("ramp over plain, 100 epochs", right["ramp 50"] - right["plain 50"], most=0.2)


def test_where_half_is_lost() -> None:
    accuracy = np.array([[1.0, 0.8], [0.8, 0.6], [0.4, 0.2], [0.1, 0.1]])
    assert math.isclose(fading.half_lost((0, 0.2, 0.6, 1), accuracy), 0.2 + 0.4 * 0.25 / 0.4)
    assert math.isnan(fading.half_lost((0, 0.2), accuracy[:2]))


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


def test_forcing_alpha_leaves_the_network_as_it_was(digits: data.Dataset) -> None:
    nets = fading.family(("van0", "ramp"), digits, (3,), seeds=SEEDS)
    runs = fading.train(nets, digits, epochs=2, inside=("van0",))
    last = {name: list(records)[-1] for name, records in runs.items()}
    net = nets["van0 3"]
    before = net.state_dict()
    before = {name: value.clone() for name, value in before.items()}
    found = fading.force(net, digits, (0.0, 0.5, 1.0))
    after = net.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert found.shape == (3, 3) and np.all(found[0] > 0.5) and np.all(found[2] < found[0])
    with fading.forced(net, 1.0):
        assert bool((training.residual(net) == 0).all())
        plain = training.remove_skips(net, digits)
        assert np.all(plain.change == 0)
    profile = degradation.profile(net, digits)
    ratio = profile.gradients[1] / profile.gradients[-1]
    for name, value in (("neighbours", profile.neighbours[-1]), ("gradient ratio", ratio)):
        assert np.allclose(fading.inside_of([last["van0 3"]], name)[0], value, rtol=1e-3)
    assert last["ramp 3"].alpha is not None and np.all(last["ramp 3"].alpha == 1)
    with pytest.raises(ValueError, match="kind = 'vans'"):
        fading.family(("vans",), digits, (3,))


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

    def alpha_step(steps: float, ratio: float, multiplier: float) -> float:
        root = math.sqrt(ratio)
        return math.atan(root / abs(multiplier)) / (steps * root)

    check_alpha_step(alpha_step)
    assert "right in all" in capsys.readouterr().out
    check_alpha_step(lambda steps, ratio, multiplier: 1 / (steps * abs(multiplier)))
    assert "the multiplier falls as well" in capsys.readouterr().out
    check_alpha_step(lambda t, r, m: math.atan(math.sqrt(r) / m) / (t * math.sqrt(r)))
    said = capsys.readouterr().out
    assert "absolute value" in said or "sign" in said
