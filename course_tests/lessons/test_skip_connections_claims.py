"""Notebook 09: what skips let pass, which networks train by it, and gradients. Fresh seeds."""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from course import data, networks
from course.lessons.degradation import science as degradation
from course.lessons.skip_connections import explorer, science
from course.lessons.skip_connections.exercise import check_gate_bias, check_half

SEEDS = (10, 11, 12)


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def fitted(name: str, digits: data.Dataset, depth: int = 30, **options: Any) -> np.ndarray:
    net = degradation.network(name, digits, depth=depth, seeds=SEEDS, **options)
    *_, last = degradation.train(net, digits, epochs=8)
    assert last.train_accuracy is not None
    return last.train_accuracy


@pytest.mark.claims
def test_thirty_blocks_with_an_identity_in_them_train(digits: data.Dataset) -> None:
    assert fitted("resnet", digits).min() > 0.99
    assert fitted("highway", digits).min() > 0.97
    assert fitted("diracnet", digits).min() > 0.95
    assert fitted("plain", digits).max() < 0.85


@pytest.mark.claims
def test_half_open_gates_and_halved_skips_train_worse(digits: data.Dataset) -> None:
    assert fitted("highway", digits, gate_bias=-1.0).mean() < 0.9

    def held(skip: float) -> np.ndarray:
        *_, last = science.train_scaled(digits, skip, depth=30, epochs=8)
        assert last.train_accuracy is not None
        return last.train_accuracy

    assert held(0.9).min() > 0.97, "4 % of the signal are enough, at this depth"
    assert 0.7 < held(0.5).mean() < 0.95


@pytest.mark.claims
def test_what_skips_let_pass_is_their_product(digits: data.Dataset) -> None:
    for skip, depth in ((1.0, 30), (0.9, 10), (0.8, 5), (1.2, 30)):
        net = science.scaled(digits, skip, depth=depth, seeds=range(20, 30))
        kept = science.kept(net, digits)[depth].mean()
        assert abs(kept - skip**depth) < 0.08 * max(1.0, skip**depth), (skip, depth)
    highway = degradation.network("highway", digits, depth=30, seeds=range(20, 30))
    passed = (1 - science.gates(highway, digits)).prod(0)
    assert np.allclose(passed, (1 - science.gate_at(-4)) ** 30, atol=0.05)
    assert np.allclose(science.kept(highway, digits)[30], passed, atol=0.15)
    plain = degradation.network("plain", digits, depth=30, seeds=range(20, 30))
    assert science.kept(plain, digits)[30].mean() < 0.1


@pytest.mark.claims
def test_batch_norm_shatters_gradients_and_skips_hold_them_together() -> None:
    lags, seeds = (1, 10), range(20, 26)
    plain = science.correlation("plain", lags, seeds=seeds)
    assert np.all(np.abs(plain.mean(1)) < 0.12)
    for name, least in (("resnet", 0.6), ("highway", 0.7), ("diracnet", 0.8)):
        assert science.correlation(name, lags, seeds=seeds)[0].mean() > least
    assert science.correlation("plain", lags, norm=None, seeds=seeds)[0].mean() > 0.9
    small = science.correlation("resnet", lags, branch=0.1, seeds=seeds)
    assert small[0].mean() > 0.9 and small[1].mean() > 0.4


@pytest.mark.claims
def test_skips_hold_gradients_and_leave_the_rank_alone(digits: data.Dataset) -> None:
    grown, ranks = {}, {}
    for name in ("plain", "resnet", "highway", "diracnet"):
        profile = degradation.profile(
            degradation.network(name, digits, depth=30, seeds=SEEDS), digits, places=2
        )
        grown[name] = np.median(profile.gradients[1] / profile.gradients[-1])
        ranks[name] = profile.rank[-1].mean()
    assert grown.pop("plain") > 100 and max(grown.values()) < 15
    assert max(ranks.values()) < 1.5 * min(ranks.values())


@pytest.mark.claims
def test_gates_stay_about_where_they_start(digits: data.Dataset) -> None:
    for bias in (-4.0, -1.0):
        net = degradation.network("highway", digits, depth=10, seeds=SEEDS, gate_bias=bias)
        records = list(science.with_gates(net, digits, degradation.train(net, digits, epochs=3)))
        assert records[0].layers == tuple(f"block {k}" for k in range(1, 11))
        assert records[-1].norms is not None
        last = records[-1].norms["gates"]
        assert last.shape == (3, 10) and np.array_equal(last, science.gates(net, digits).T)
        for record in records:
            assert record.norms is not None
            assert np.all(np.abs(record.norms["gates"].mean(0) - science.gate_at(bias)) < 0.08)


def test_a_scaled_skip_of_one_is_the_resnet(digits: data.Dataset) -> None:
    resnet = degradation.network("resnet", digits, depth=4, seeds=SEEDS).eval()
    same = science.scaled(digits, 1.0, depth=4, seeds=SEEDS).eval()
    with torch.no_grad():
        assert torch.allclose(resnet(digits.x_test), same(digits.x_test), atol=1e-5)
    first, second = (degradation.profile(net, digits).gradients for net in (resnet, same))
    assert np.allclose(first, second, rtol=1e-4)
    assert np.all(science.kept(resnet, digits)[0] == 1)


def test_a_held_skip_stays_where_it_is(digits: data.Dataset) -> None:
    net = science.scaled(digits, 0.7, depth=2, seeds=SEEDS)
    assert isinstance(net, networks.VariableActivationNetwork)
    for record in degradation.train(net, digits, epochs=2, skips=science.Held(0.7)):
        assert record.alpha is not None and np.allclose(record.alpha, 0.3)
    assert torch.allclose(net.alpha, torch.tensor(0.3))


def test_the_extremes_of_the_explorer_neither_fail_nor_warn(digits: data.Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = explorer.explore(digits)
        first, picture, seen = panel.text, panel.png, set()
        for values in itertools.product((1, 100), (0.0, 1.0, 1.2), (0.0, 2.0)):
            for name, value in zip(("depth", "skip", "branch"), values, strict=True):
                panel.controls[name].value = value
            assert "Error" not in panel.text and len(panel.text.splitlines()) == 4
            seen.add(panel.text)
        assert len(seen) == 12
        panel.reset()
        assert panel.png == picture and panel.text == first and "s^L = 0.04" in first
    with pytest.raises(ValueError, match=r"skip = 1\.3"):
        explorer.explore(digits, skip=1.3)


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    half = 0.5 ** (1 / 100)
    check_half(half, 1 - half)
    assert capsys.readouterr().out.count("right.") == 2
    check_half(0.005, half)
    said = capsys.readouterr().out
    assert "take a root" in said and "The gate T takes the rest" in said

    def gate_bias(depth: int, share: float) -> float:
        gate = 1 - share ** (1 / depth)
        return math.log(gate / (1 - gate))

    check_gate_bias(gate_bias)
    assert "right in all" in capsys.readouterr().out
    check_gate_bias(lambda depth, share: -gate_bias(depth, share))
    assert "opens the gate" in capsys.readouterr().out
    check_gate_bias(lambda depth, share: 1 - share ** (1 / depth))
    assert "That is the gate T" in capsys.readouterr().out
