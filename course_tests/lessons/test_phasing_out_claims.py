"""Notebook 10b: schedules of phasing out, and depth. Fresh seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course import data, training
from course.lessons.degradation import science as degradation
from course.lessons.phasing_out import fading, science
from course.lessons.phasing_out.exercise import check_alpha_step
from course_tests.claims import claim, seeds

SEEDS = tuple(seeds(10, 3))
SIX = tuple(seeds(20, 6))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


@pytest.mark.claims
@pytest.mark.repeats
def test_gradual_is_good_and_abrupt_is_bad(digits: data.Dataset) -> None:
    ways = science.schedules(steps=135)
    del ways["published"]
    nets, runs = science.side_by_side(digits, ways, depth=25, epochs=9, seeds=SIX)
    last: dict[str, np.ndarray] = {}
    for name in ("plain", *ways):
        records = list(runs[name])
        accuracy = records[-1].train_accuracy
        if name in ways:
            removal = training.remove_skips(nets[name], digits)
            accuracy = removal.after.train_accuracy
            assert np.all(removal.certified)
        if name in ("ramp", "cut"):
            assert np.all(removal.change == 0)
        if name == "ramp":
            running = np.array([record.train_accuracy for record in records])
            others = [record.batch_statistics for record in records]
            batches = np.array([other.train_accuracy for other in others if other is not None])
            lag = (batches - running).mean(1)
            claim("ramp: largest lag", lag.max(), least=0.08)  # .382 ± .05
            claim("ramp: last lag", lag[-1], least=-0.05, most=0.05)  # .00637 ± .007
        if name == "weak":
            before, after = removal.before.train_accuracy, removal.after.train_accuracy
            lost = np.asarray(before) - np.asarray(after)
            claim("weak: left of the skips", removal.left.mean((1, 2)), least=0.05)  # .085 ± .01
            claim("weak: lost with them", lost, least=0.3)  # .73 ± .1
        assert accuracy is not None
        last[name] = accuracy
    claim("ramp over plain", last["ramp"] - last["plain"], least=0.03)  # .134 ± .04
    claim("plain over cut", last["plain"] - last["cut"], least=0.1)  # .338 ± .08
    claim("push over ramp", last["push"] - last["ramp"], least=-0.1, most=0.1)  # .007 ± .03
    claim("slow over ramp", last["slow"] - last["ramp"], least=-0.1, most=0.1)  # -.016 ± .03


@pytest.mark.claims
@pytest.mark.repeats
def test_phasing_out_does_not_help_at_50_blocks(digits: data.Dataset) -> None:
    nets = fading.family(("plain", "ramp"), digits, (50,), seeds=SIX)
    nets |= fading.family(("ramp",), digits, (25,), seeds=SEEDS)
    last = {name: list(r) for name, r in fading.train(nets, digits, epochs=6).items()}
    right = {name: np.asarray(records[-1].train_accuracy) for name, records in last.items()}
    # -.04 ± .1
    claim("50 blocks: ramp over plain", right["ramp 50"] - right["plain 50"], most=0.1)
    claim("50 blocks: plain", right["plain 50"], most=0.35)  # .184 ± .03
    neighbours = {n: fading.inside_of(last[f"ramp {n}"], "neighbours") for n in (25, 50)}
    claim("25 blocks: neighbours at the end", neighbours[25][-1], least=0.6)  # .874 ± .05
    # .31 ± .09
    claim("50 blocks: neighbours lost", neighbours[50][0] - neighbours[50][-1], least=0.1)
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
    # .46 ± .39; by the same alpha, .12, the products of 5 and 50 blocks are 2.5 decades apart
    claim("products of skips: decades between", max(products) - min(products), most=1.8)


@pytest.mark.claims
@pytest.mark.slow
def test_a_hundred_epochs_do_not_save_50_blocks(digits: data.Dataset) -> None:
    nets = fading.family(("plain", "ramp"), digits, (50,), seeds=SEEDS)
    last = {name: list(r)[-1] for name, r in fading.train(nets, digits, epochs=100).items()}
    right = {name: np.asarray(record.train_accuracy) for name, record in last.items()}
    claim("plain 50, 100 epochs", right["plain 50"], most=0.6)
    claim("ramp 50, 100 epochs", right["ramp 50"], most=0.6)


def test_where_half_is_lost() -> None:
    accuracy = np.array([[1.0, 0.8], [0.8, 0.6], [0.4, 0.2], [0.1, 0.1]])
    assert math.isclose(fading.half_lost((0, 0.2, 0.6, 1), accuracy), 0.2 + 0.4 * 0.25 / 0.4)
    assert math.isnan(fading.half_lost((0, 0.2), accuracy[:2]))


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


def test_the_checks_of_the_exercise_hint(capsys: pytest.CaptureFixture[str]) -> None:
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
