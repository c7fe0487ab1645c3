"""Notebook 04: what ReLU mends, who dies, who comes back, and how deep it goes. Fresh seeds."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from course import data, measures, networks
from course.lessons.relu_family import explorer, science
from course.lessons.relu_family.exercise import check_leaky_scale, check_scale_range
from course.lessons.sigmoid_saturation import science as sigmoid_saturation
from course.networks import initializers
from course.training import SGD, Adam

SEEDS = (10, 11, 12)
claims = pytest.mark.claims


def start(name: str, depth: int = 3, **options: Any) -> networks.Network:
    return sigmoid_saturation.network(name, depth, seeds=SEEDS, **options)


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


@claims
def test_half_is_off_and_twice_the_variance_makes_up_for_it() -> None:
    for scale, factor in ((1.0, math.sqrt(0.5)), (math.sqrt(2), 1.0)):
        found = sigmoid_saturation.hidden_layers(start("relu", 20, scale=scale), scale=scale)
        assert abs((found.slope == 0).mean() - 0.5) < 0.03
        assert abs(found.growth.mean() - factor) < 0.04


@claims
def test_twenty_layers_learn_with_relu_and_not_with_sigmoids() -> None:
    assert learned(start("relu", 20)).mean() > 0.93
    assert learned(start("sigmoid", 20)).mean() < 0.2


@claims
@pytest.mark.slow
@pytest.mark.parametrize("name", ["leaky-relu", "elu", "gelu"])
def test_twenty_layers_learn_with_the_family(name: str) -> None:
    assert learned(start(name, 20)).mean() > 0.9


@claims
def test_dead_units_come_back_unless_a_whole_layer_is_dead() -> None:
    network = start("relu", bias=-1.0)
    before = science.units(network).dead[2]
    assert before.min() > 0.6
    assert learned(network).min() > 0.97
    assert (science.units(network).dead[2] < before - 0.3).all()
    network = start("relu", bias=-2.0)
    before = science.units(network).dead
    assert (before[2] == 1).all()
    weights = [block.linear.weight.detach().clone() for block in network.blocks]
    assert learned(network).max() < 0.2
    np.testing.assert_array_equal(science.units(network).dead, before)
    for old, block in zip(weights, network.blocks, strict=True):
        assert torch.equal(old, block.linear.weight), "not one weight has moved"
    for name in ("leaky-relu", "elu", "gelu"):
        assert learned(start(name, bias=-2.0)).min() > 0.97, name


@claims
def test_long_steps_kill_and_some_deaths_do_no_harm() -> None:
    dead = {}
    for rate in (0.003, 0.03, 0.1):
        network = start("relu")
        learned(network, rate, steps=20)
        dead[rate] = science.units(network).dead[0].mean()
    assert dead[0.003] < 0.1 and 0.25 < dead[0.03] < 0.6 and dead[0.1] > 0.8
    assert learned(start("relu"), 0.03).min() > 0.95
    fast = {name: learned(start(name), 0.1).mean() for name in ("relu", "leaky-relu", "elu")}
    assert fast["relu"] < fast["leaky-relu"] - 0.1 and fast["relu"] < fast["elu"] - 0.1


@claims
def test_plain_gradient_descent_kills_without_nan() -> None:
    network = start("relu")
    *_, last = sigmoid_saturation.train(network, optimizer=SGD(0.3, momentum=0.9))
    assert last.first_nonfinite == (None, None, None)
    assert science.units(network).dead.mean() > 0.65 and last.train_accuracy.mean() < 0.45


@claims
def test_sixty_layers_fail_again_and_a_lower_rate_helps() -> None:
    high, low = learned(start("relu", 60)), learned(start("relu", 60), 0.0003)
    assert high.mean() < 0.7 and low.mean() > 0.7 and low.mean() > high.mean() + 0.2


@claims
@pytest.mark.slow
def test_eighty_layers_fail_and_learn_in_part_at_a_lower_rate() -> None:
    assert learned(start("relu", 80)).mean() < 0.3
    assert 0.3 < learned(start("relu", 80), 0.0003).mean() < 0.95


@claims
def test_digits_grow_alike_as_the_closed_form_says() -> None:
    expected = science.expected_cosine(50)
    assert (np.diff(expected) > 0).all() and expected[-1] > 0.98
    found = science.units(sigmoid_saturation.network("relu", 50, seeds=range(10, 20)))
    assert np.abs(found.cosine.mean(axis=1) - expected).max() < 0.06
    assert np.median(found.rank[49]) < 8 < 18 < found.rank[9].mean()
    assert abs(found.dead[49].mean() - 0.5) < 0.1 and found.dead[0].max() < 0.05
    for name in ("elu", "tanh"):  # not all towards one another, yet few directions are left
        others = science.units(start(name, 50))
        assert others.cosine[49].mean() < 0.8 and others.rank[49].mean() < 10
    leaky = science.units(sigmoid_saturation.network("leaky-relu", 50, seeds=range(10, 20)))
    assert (leaky.dead == 0).all() and np.median(leaky.rank[49]) < 8


@claims
def test_batch_norm_keeps_rank_and_its_gradients_explode() -> None:
    widths = [64] + [64] * 30 + [10]
    nets = {
        norm: networks.mlp(widths, seeds=SEEDS, norm=norm, init=initializers.he_normal)
        for norm in (None, "batch")
    }
    x = data.digits().x_train[:256]
    ranks, gradients = {}, {}
    for norm, network in nets.items():
        h = network.replicated(x)
        first: list[torch.Tensor] = []
        for block in network.blocks:
            h = block(h)
            first.append(h)
        ranks[norm] = measures.effective_rank(h).mean().item()
        target = data.digits().y_train[:256].repeat(3)
        loss = nn.functional.cross_entropy(network.head(h).flatten(0, 1), target)
        ends = torch.autograd.grad(loss, [first[0], first[-1]])
        gradients[norm] = (ends[0].norm() / ends[1].norm()).item()
    assert ranks["batch"] > 2 * ranks[None]
    assert gradients["batch"] > 20 * gradients[None], "they explode towards the input"


def test_the_explorer_at_its_ends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = explorer.explore()
        before = panel.text
        assert "100% in the last layer" in before and "training digits: 10%" in before
        for name, value in (
            ("bias", 4.0), ("bias", -4.0), ("bias", 0.0), ("rate", 1.0), ("depth", 1),
            ("activation", "gelu"), ("rate", 0.0001), ("activation", "elu"), ("depth", 12),
        ):  # fmt: skip
            old = panel.png
            panel.controls[name].value = value
            assert panel.png != old and not panel._picture.failure, name
            assert len(panel.text.splitlines()) == 4
        panel.reset()
        assert panel.text == before
    with pytest.raises(ValueError, match="activation = 'selu'"):
        explorer.explore(activation="selu")
    with pytest.raises(ValueError, match="rate"):
        explorer.explore(rate=0.0032)  # no place of the slider


def test_the_exercise_knows_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def said(check: Any, *answers: Any) -> str:
        check(*answers)
        return capsys.readouterr().out

    def right(depth: int, room: float) -> tuple[float, float]:
        return math.sqrt(2) * room ** (-1 / depth), math.sqrt(2) * room ** (1 / depth)

    text = said(check_scale_range, right)
    assert "right in all 3 cases" in text and text.count("autograd finds") == 2
    ends = [float(line.split("finds")[1].split()[0]) for line in text.splitlines()[1:]]
    assert 0.03 < ends[0] < 0.3 and 3 < ends[1] < 30
    assert "smaller one first" in said(check_scale_range, lambda n, r: right(n, r)[::-1])
    missing = said(check_scale_range, lambda n, r: (r ** (-1 / n), r ** (1 / n)))
    assert "s / root 2" in missing
    assert "not yet" in said(check_scale_range, lambda n, r: ...)
    assert said(check_leaky_scale, 0.625, 0.625**-0.5).count("right.") == 2
    assert "Square first" in said(check_leaky_scale, 0.75, 1.2649)
