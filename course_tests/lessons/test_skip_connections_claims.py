"""Notebook 09: what skips let pass, which networks train by it, and gradients. Fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from course import data, networks
from course.lessons.degradation import science as degradation
from course.lessons.skip_connections import explorer, science
from course.lessons.skip_connections.exercise import check_gate_bias, check_highway, solve_highway
from course_tests.claims import claim, seeds
from course_tests.corners import corners, visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(20, 10))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def fitted(
    name: str, digits: data.Dataset, depth: int = 30, over: Sequence[int] = SEEDS, **options: Any
) -> np.ndarray:
    net = degradation.network(name, digits, depth=depth, seeds=over, **options)
    *_, last = degradation.train(net, digits, epochs=8)
    assert last.train_accuracy is not None
    return last.train_accuracy


@pytest.mark.claims
@pytest.mark.repeats
def test_thirty_blocks_with_an_identity_in_them_train(digits: data.Dataset) -> None:
    """Plain and ResNet, as deep: see the claims of lesson 08."""
    claim("highway", fitted("highway", digits), least=0.97)  # .985 ± .002
    claim("diracnet", fitted("diracnet", digits), least=0.95)  # .978 ± .003


@pytest.mark.claims
@pytest.mark.repeats
def test_half_open_gates_and_halved_skips_train_worse(digits: data.Dataset) -> None:
    opened = fitted("highway", digits, over=MANY[:6], gate_bias=-1.0)
    claim("highway, gates half open", opened, most=0.96)  # .725 ± .11
    claim("highway, 2 % pass", fitted("highway", digits, gate_bias=-2.0), least=0.9)  # .996 ± .001

    def held(skip: float) -> np.ndarray:
        net = science.scaled(digits, skip, depth=30, seeds=SEEDS)
        *_, last = degradation.train(net, digits, epochs=8, skips=science.ConstantSkip(skip))
        assert last.train_accuracy is not None
        return last.train_accuracy

    # .999 ± .001
    claim("skip 0.9: 4 % of the signal are enough at this depth", held(0.9), least=0.97)
    half = held(0.5)
    claim("skip 0.5", half, least=0.7, most=0.97)  # .846 ± .06
    claim("skip 0.5 over plain", half - fitted("plain", digits), least=0.05)  # .245 ± .05


@pytest.mark.claims
@pytest.mark.repeats
def test_a_trained_resnet_hardly_misses_a_block(digits: data.Dataset) -> None:
    median = {}
    for name in ("plain", "resnet"):
        net = degradation.network(name, digits, depth=20, seeds=SEEDS)
        *_, last = degradation.train(net, digits)
        claim(f"{name}: whole", last.train_accuracy, least=0.8)
        median[name] = np.median(science.cut_one(net, digits), axis=0)
    claim("plain: one block less", median["plain"], most=0.35)  # .112 ± .02
    claim("resnet: one block less", median["resnet"], least=0.97)  # 1 ± 0


def test_a_network_whose_blocks_were_cut_is_whole_again(digits: data.Dataset) -> None:
    net = degradation.network("resnet", digits, depth=3, seeds=SEEDS)
    before = net(digits.x_test)
    assert science.cut_one(net, digits).shape == (3, len(SEEDS))
    assert net.depth == 3 and torch.equal(net(digits.x_test), before)


@pytest.mark.claims
def test_gradients_grow_as_a_power_with_full_skips_and_exponentially_with_others(
    digits: data.Dataset,
) -> None:
    for skip in (0.0, 0.5, 0.9, 1.0):
        net = science.scaled(digits, skip, depth=30, seeds=MANY)
        measured = science.measured_growth(net, digits) ** (1 / 29)
        form = science.growth(30, skip, 1.6) ** (1 / 29)
        # .009 ± .007, .013 ± .005, .01 ± .004, .006 ± .003
        claim(f"skip {skip}: growth", measured - form, least=-0.005, most=0.02)
    ten, hundred = (
        science.measured_growth(degradation.network("resnet", digits, depth=L, seeds=MANY), digits)
        for L in (10, 100)
    )
    claim("resnet: the power", np.log10(hundred / ten), least=0.66, most=0.81)  # .73 ± .04


def test_growth_in_its_limits() -> None:
    assert science.growth(1, 0.3) == 1 and science.growth(2, 0.0) == degradation.GROWTH
    settled = science.growth(400, 0.5) / science.growth(399, 0.5)
    assert math.isclose(settled**2, 0.25 + 0.75 * degradation.GROWTH**2)
    power = math.log(science.growth(4000) / science.growth(2000)) / math.log(2)
    assert math.isclose(power, math.pi / (2 * (math.pi - 1)), rel_tol=1e-3)


@pytest.mark.claims
def test_what_skips_let_pass_is_their_product(digits: data.Dataset) -> None:
    for skip, depth, room in ((1.0, 30, 0.2), (0.9, 10, 0.2), (0.8, 5, 0.2), (1.2, 30, 0.1)):
        net = science.scaled(digits, skip, depth=depth, seeds=MANY)
        kept = science.kept(net, digits)[depth] / skip**depth
        # .949 ± .1, .956 ± .1, .925 ± .1, .975 ± .04
        claim(f"skip {skip}, {depth} blocks: kept", kept, least=1 - room, most=1 + room)
    highway = degradation.network("highway", digits, depth=30, seeds=MANY)
    passed = (1 - science.gates(highway, digits)).prod(0)
    form = (1 - science.gate_at(-4)) ** 30
    claim("highway: passed", passed, least=form - 0.05, most=form + 0.05)  # .561 ± .002
    beyond = science.kept(highway, digits)[30] - passed
    claim("highway: kept, less passed", beyond, least=-0.15, most=0.15)  # .00377 ± .003
    plain = degradation.network("plain", digits, depth=30, seeds=MANY)
    claim("plain: kept", science.kept(plain, digits)[30], most=0.1)  # .0115 ± .009


@pytest.mark.claims
def test_skips_hold_gradients_and_leave_the_rank_alone(digits: data.Dataset) -> None:
    ranks = {}
    for name in ("plain", "resnet", "highway", "diracnet"):
        profile = degradation.profile(
            degradation.network(name, digits, depth=30, seeds=MANY), digits, places=2
        )
        grown = np.log10(profile.gradients[1] / profile.gradients[-1])
        if name == "plain":
            claim("plain: log10 of gradients grown", grown, least=2)  # 2.45 ± .07
        else:
            # .855 ± .04, -.234 ± .003, .127 ± .03
            claim(f"{name}: log10 of gradients grown", grown, most=1.2)
        ranks[name] = profile.rank[-1].mean()
    # 1.33 ± .02
    claim("ranks: largest over smallest", max(ranks.values()) / min(ranks.values()), most=1.5)


@pytest.mark.claims
def test_gates_stay_about_where_they_start(digits: data.Dataset) -> None:
    for bias in (-4.0, -1.0):
        net = degradation.network("highway", digits, depth=10, seeds=SEEDS, gate_bias=bias)
        before = science.gates(net, digits)
        claim(f"gates from bias {bias}", before - science.gate_at(bias), least=-0.02, most=0.02)
        list(degradation.train(net, digits, epochs=3))
        moved = np.abs(science.gates(net, digits).mean(1) - before.mean(1)).max()
        # .00216 ± 2e-04, .0224 ± .005
        claim(f"gates from bias {bias}: farthest in the mean", moved, most=0.08)


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
    for record in degradation.train(net, digits, epochs=2, skips=science.ConstantSkip(0.7)):
        assert record.alpha is not None and np.allclose(record.alpha, 0.3)
    assert torch.allclose(net.alpha, torch.tensor(0.3))


def test_the_extremes_of_the_explorer_neither_fail_nor_warn(digits: data.Dataset) -> None:
    panel = explorer.explore(digits)
    assert "s^L = 0.04" in panel.text
    picture = panel.png
    texts, _ = visit(panel, corners(depth=(1, 100), skip=(0.0, 1.0, 1.2), branch=(0.0, 2.0)))
    assert len(set(texts)) == 12 and {len(text.splitlines()) for text in texts} == {4}
    assert panel.png == picture
    with pytest.raises(ValueError, match=r"skip = 1\.3"):
        explorer.explore(digits, skip=1.3)


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_highway(solve_highway)
    assert "right in all" in capsys.readouterr().out

    def swapped(h: Any, W: Any, b: Any, V: Any, c: Any, norm: Any) -> Any:
        return h + np.maximum(norm(h @ W + b), 0) - solve_highway(h, W, b, V, c, norm)

    check_highway(swapped)
    assert "1 - T how much stays" in capsys.readouterr().out

    def gate_bias(depth: int, share: float) -> float:
        gate = 1 - share ** (1 / depth)
        return math.log(gate / (1 - gate))

    check_gate_bias(gate_bias)
    assert "right in all" in capsys.readouterr().out
    check_gate_bias(lambda depth, share: -gate_bias(depth, share))
    assert "opens the gate" in capsys.readouterr().out
    check_gate_bias(lambda depth, share: 1 - share ** (1 / depth))
    assert "That is the gate T" in capsys.readouterr().out
