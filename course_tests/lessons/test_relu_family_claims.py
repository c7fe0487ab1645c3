"""Notebook 04: what ReLU mends, who dies, who comes back, and how deep it goes. Fresh seeds."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from course import data, measures, networks
from course.lessons.relu_family import explorer, pictures, science
from course.lessons.relu_family.exercise import check_leaky_scale, check_rank
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.training import SGD, Adam
from course_tests.claims import claim, seeds
from course_tests.corners import visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(20, 10))
THIRTY = tuple(seeds(40, 30))  # where single runs go either way
claims = pytest.mark.claims


def start(
    name: str, depth: int = 3, *, seeds: tuple[int, ...] = SEEDS, **options: Any
) -> networks.Network:
    return sigmoid_saturation.network(name, depth, seeds=seeds, **options)


def learned(network: networks.Network, rate: float = 0.003, steps: int = 300) -> np.ndarray:
    return sigmoid_saturation.accuracy(network, optimizer=Adam(rate), steps=steps)


def test_units_are_counted_as_a_loop_counts_them() -> None:
    network = sigmoid_saturation.network("relu", 2, bias=-1.0, seeds=[3, 4])
    found = science.units(network, examples=20)
    for r in range(2):
        h = data.digits().x_train[:20]
        for layer, block in enumerate(network.blocks):
            z = (h @ block.linear.weight[r] + block.linear.bias[r]).detach()
            h = z.clamp(min=0)
            assert found.off[layer, r] == pytest.approx((z <= 0).double().mean().item())
            assert found.dead[layer, r] == pytest.approx((h == 0).all(0).double().mean().item())
            rank = measures.effective_rank(h).item()
            assert found.rank[layer, r] == pytest.approx(rank, rel=1e-3)
    last = science.units(network, examples=20, layers=[2])
    for measured in ("off", "dead", "rank", "cosine"):
        np.testing.assert_array_equal(getattr(last, measured), getattr(found, measured)[1:])


@claims
def test_half_is_off_and_twice_the_variance_makes_up_for_it() -> None:
    for scale, factor in ((1.0, math.sqrt(0.5)), (math.sqrt(2), 1.0)):
        found = sigmoid_saturation.hidden_layers(start("relu", 20, scale=scale), scale=scale)
        off = (found.slope == 0).mean((0, 2, 3))
        # .501 ± .009, .501 ± .009
        claim(f"scale {scale:.2f}: share off", off, least=0.47, most=0.53)
        least, most = factor - 0.04, factor + 0.04
        # .702 ± .01, 1 ± .02
        claim(f"scale {scale:.2f}: factor a layer", found.growth, least=least, most=most)


@claims
@pytest.mark.repeats
def test_twenty_layers_learn_with_relu() -> None:
    """With sigmoids not even twelve do: see the claims of lesson 03."""
    claim("relu, 20 layers", learned(start("relu", 20)), least=0.93)  # .982 ± .02


@claims
@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaky-relu", "elu", "gelu"])
def test_twenty_layers_learn_with_the_family(name: str) -> None:
    claim(f"{name}, 20 layers", learned(start(name, 20)), least=0.9)


@claims
@pytest.mark.repeats
def test_dead_units_come_back_unless_a_whole_layer_is_dead() -> None:
    network = start("relu", bias=-1.0, seeds=THIRTY)
    before = science.units(network).dead[2]
    partly = before < 1  # one run in fifteen has none left
    claim("bias -1: dead in layer 3", before, least=0.5)  # .86 ± .09
    right = learned(network)[partly]
    claim("bias -1: accuracy where not all are dead", right, least=0.7)  # .95 ± .2: 1 or guessing
    back = (before - science.units(network).dead[2])[partly]
    claim("bias -1: came back where not all were dead", back, least=0.2)  # .58 ± .13
    for name in ("leaky-relu", "elu", "gelu"):
        # 1 ± 0, 1 ± 0, 1 ± 2e-04
        claim(f"bias -2, {name}: accuracy", learned(start(name, bias=-2.0)), least=0.97)


@claims
def test_below_a_dead_layer_not_one_weight_moves() -> None:
    network = start("relu", bias=-2.0)
    before = science.units(network).dead
    assert (before[2] == 1).all()
    weights = [block.linear.weight.detach().clone() for block in network.blocks]
    claim("bias -2: accuracy", learned(network), most=0.2)  # .102 ± 5e-04
    np.testing.assert_array_equal(science.units(network).dead, before)
    for old, block in zip(weights, network.blocks, strict=True):
        assert torch.equal(old, block.linear.weight)


@claims
@pytest.mark.repeats
def test_long_steps_kill_and_some_deaths_do_no_harm() -> None:
    for rate, least, most in ((0.003, -math.inf, 0.1), (0.03, 0.25, 0.75), (0.1, 0.8, math.inf)):
        network = start("relu")
        learned(network, rate, steps=20)
        dead = science.units(network).dead[0]
        # .0417 ± .008, .441 ± .08, .938 ± .02
        claim(f"rate {rate}: dead in layer 1", dead, least=least, most=most)
    claim("rate 0.03: accuracy", learned(start("relu"), 0.03), least=0.95)  # .99 ± .006
    relu, elu = (learned(start(name, seeds=MANY), 0.1) for name in ("relu", "elu"))
    claim("rate 0.1: elu over relu", elu - relu, least=0)  # .338 ± .2


@claims
def test_plain_gradient_descent_kills_mostly_without_nan() -> None:
    network = start("relu", seeds=THIRTY)
    *_, last = sigmoid_saturation.train(network, optimizer=SGD(0.3, momentum=0.9))
    finite = np.array([first is None for first in last.first_nonfinite])
    claim("SGD, rate 0.3: runs that stay finite", finite, least=0.7)  # .93 ± .25
    dead = science.units(network).dead.mean(0)[finite]
    claim("SGD, rate 0.3: dead", dead, least=0.55)  # .77 ± .22
    # .35 ± .34: most guess, and one run in fifteen gets every digit right with a third of its units
    claim("SGD, rate 0.3: accuracy", last.train_accuracy[finite], most=0.65)


@claims
@pytest.mark.repeats
def test_sixty_layers_fail_again_and_a_lower_rate_helps() -> None:
    high, low = (
        learned(start("relu", 60, seeds=MANY[:6]), rate, steps=150) for rate in (0.003, 0.0003)
    )
    claim("60 layers, rate 0.003", high, most=0.7)  # .242 ± .17
    claim("60 layers, rate 0.0003", low, least=0.5)  # .582 ± .05
    claim("60 layers: the lower rate's gain", low - high, least=0.05)  # .34 ± .18
    twenty = learned(start("relu", 20, seeds=MANY[:6]), steps=150)
    claim("20 layers, rate 0.003", twenty, least=0.93)  # .975 ± .013


@claims
@pytest.mark.slow
def test_eighty_layers_fail_and_learn_in_part_at_a_lower_rate() -> None:
    claim("80 layers, rate 0.003", learned(start("relu", 80)), most=0.3)
    claim("80 layers, rate 0.0003", learned(start("relu", 80), 0.0003), least=0.3, most=0.95)


@claims
def test_digits_grow_alike_as_the_closed_form_says() -> None:
    expected = science.expected_cosine(50)
    assert (np.diff(expected) > 0).all() and expected[-1] > 0.98
    found = science.units(sigmoid_saturation.network("relu", 50, seeds=MANY))
    error = np.abs(found.cosine.mean(axis=1) - expected).max()
    claim("relu: cosine, largest error of the mean", error, most=0.06)  # .0234 ± .005
    claim("relu: rank in layer 10", found.rank[9], least=16)  # 23.1 ± 3
    claim("relu: median rank in layer 50", np.median(found.rank[49]), most=8)  # 3.96 ± .3
    claim("relu: dead in layer 50", found.dead[49], least=0.3, most=0.6)  # .412 ± .06
    claim("relu: dead in layer 1", found.dead[0], most=0.05)  # .00859 ± .01
    for name in ("elu", "tanh", "gelu"):  # not all towards one another, yet few directions are left
        others = science.units(sigmoid_saturation.network(name, 50, seeds=MANY))
        claim(
            f"{name}: cosine in layer 50", others.cosine[49], most=0.8
        )  # .422 ± .2, .322 ± .2, .2 ± .1
        claim(f"{name}: rank in layer 50", others.rank[49], most=10)  # 6.23 ± .9, 5.36 ± .8, 3 ± 2
    leaky = science.units(sigmoid_saturation.network("leaky-relu", 50, seeds=MANY))
    assert (leaky.dead == 0).all()
    claim("leaky-relu: median rank in layer 50", np.median(leaky.rank[49]), most=8)  # 3.96 ± .4


def test_sums_and_outputs_are_those_of_the_layer() -> None:
    network = sigmoid_saturation.network("relu", 3, seeds=[2, 3])
    z = science.sums(network, layer=2, examples=9)
    h = science.outputs(network, layers=(1, 3), examples=9)
    assert z.shape == (2, 9, 64) and list(h) == [1, 3]
    linear = sigmoid_saturation.linears(network)[1]
    again = (h[1] @ linear.weight[0] + linear.bias[0]).detach().numpy()
    np.testing.assert_allclose(z[0], again, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="layer = 4"):
        science.sums(network, layer=4)


def test_directions_say_what_they_show() -> None:
    outputs = science.outputs(sigmoid_saturation.network("relu", 3, seeds=[0]), layers=(1, 3))
    fig, words = pictures.directions(outputs)
    assert "layers 1, 3" in words
    for ax, h in zip(fig.axes, outputs.values(), strict=True):
        rank = measures.effective_rank(h).item()
        assert f"effective rank {rank:.0f}" in ax.get_title()
        heights = [bar.get_height() for bar in ax.patches]  # type: ignore[attr-defined]
        assert heights[0] == pytest.approx(1) and heights == sorted(heights, reverse=True)


def test_the_explorer_at_its_ends() -> None:
    panel = explorer.explore()
    before, picture = panel.text, panel.png
    assert "100% in the last layer" in before and "training digits: 10%" in before
    places = [
        {"bias": 4.0}, {"bias": -4.0}, {"bias": 0.0}, {"rate": 1.0}, {"depth": 1},
        {"activation": "gelu"}, {"rate": 0.0001}, {"activation": "elu"}, {"depth": 12},
    ]  # fmt: skip
    texts, shots = visit(panel, places)
    assert {len(text.splitlines()) for text in texts} == {4}
    for old, new in itertools.pairwise([picture, *shots]):
        assert old != new
    with pytest.raises(ValueError, match="activation = 'selu'"):
        explorer.explore(activation="selu")
    with pytest.raises(ValueError, match="rate"):
        explorer.explore(rate=0.0032)  # no place of the slider


def test_the_exercise_knows_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def said(check: Any, *answers: Any) -> str:
        check(*answers)
        return capsys.readouterr().out

    def rank(h: Any, *, centred: bool = True) -> float:
        s = np.linalg.svd(h - centred * h.mean(0), compute_uv=False)
        p = s[s > 0] / s.sum()
        return float(np.exp(-np.sum(p * np.log(p))))

    assert "right in all 3 cases" in said(check_rank, rank)
    assert "Take off the mean row" in said(check_rank, lambda h: rank(h, centred=False))
    assert "take exp" in said(check_rank, lambda h: math.log(rank(h)))
    assert "has a minus" in said(check_rank, lambda h: 1 / rank(h))
    assert "not yet" in said(check_rank, lambda h: ...)
    assert said(check_leaky_scale, 0.625, 0.625**-0.5).count("right.") == 2
    assert "Square first" in said(check_leaky_scale, 0.75, 1.2649)
