"""Notebook 03: the two failures of sigmoid networks, and one that is neither. Fresh seeds."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from course import data, measures
from course.lessons.sigmoid_saturation import explorer, science
from course.lessons.sigmoid_saturation.exercise import check_gradient_factor, check_lost_tanh
from course.training import SGD, Adam

SEEDS = (10, 11, 12)
claims = pytest.mark.claims


def learned(name: str, depth: int, **options: Any) -> np.ndarray:
    settings = {key: options.pop(key) for key in ("optimizer", "steps") if key in options}
    return science.accuracy(science.network(name, depth, seeds=SEEDS, **options), **settings)


def test_the_numbers_of_the_first_page() -> None:
    value = 1 / (1 + math.exp(-5))
    slope = value * (1 - value)
    assert f"{value:.5f} {slope:.5f} {slope**10:.1e}" == "0.99331 0.00665 1.7e-22"


def test_the_network_has_the_depth_and_the_weights_that_are_said() -> None:
    network = science.network("sigmoid", 7, scale=3.0, bias=-0.5, seeds=range(4))
    linears = [block.linear for block in network.blocks]
    assert len(linears) == 7 and network.head.weight.shape == (4, 64, 10)
    for linear in linears:
        assert abs(linear.weight.std().item() / (3 / 8) - 1) < 0.05
        assert (linear.bias == -0.5).all()
    assert (network.head.bias == 0).all()
    same = science.network("tanh", 7, seeds=range(4)).blocks[3].linear.weight
    torch.testing.assert_close(3 * same, linears[3].weight)


def test_hidden_layers_are_what_autograd_and_a_loop_say() -> None:
    network = science.network("tanh", 3, scale=2.0, seeds=[5], dtype=torch.float64)
    found = science.hidden_layers(network, scale=2.0, input_scale=0.5, examples=4)
    assert found.z.shape == found.slope.shape == (3, 1, 4, 64)
    sizes = []
    for k in range(4):  # one example at a time, by hand
        h, label = 0.5 * data.digits().x_train[k].double(), int(data.digits().y_train[k])
        for number, block in enumerate(network.blocks):
            z = h @ block.linear.weight[0] + block.linear.bias[0, 0]
            np.testing.assert_allclose(found.z[number, 0, k], z.detach().numpy())
            h = torch.tanh(z)
            if number == 0:
                first = h
        scores = h @ network.head.weight[0] + network.head.bias[0, 0]
        (g,) = torch.autograd.grad(-torch.log_softmax(scores, 0)[label], first)
        sizes.append(g.square().sum().item())
    assert found.gradient[0, 0] == pytest.approx(math.sqrt(np.mean(sizes)))
    np.testing.assert_allclose(found.slope, 1 - np.tanh(found.z) ** 2)
    assert found.saturated[1, 0] == np.mean(np.abs(found.z[1, 0]) >= measures.FLAT["tanh"][1])


@claims
@pytest.mark.parametrize(("scale", "low", "high"), [(1.0, 0.22, 0.25), (8.0, 0.75, 0.95)])
def test_slopes_alone_give_the_gradient(scale: float, low: float, high: float) -> None:
    network = science.network("sigmoid", 20, scale=scale, seeds=range(10, 20))
    found = science.hidden_layers(network, scale=scale)
    assert low < found.growth.mean() < high
    predicted = (found.expected[0] / found.expected[-1]) ** (1 / 19)
    np.testing.assert_allclose(predicted, found.growth, rtol=0.06)


@claims
def test_at_glorots_scale_nothing_is_saturated_and_the_gradient_vanishes() -> None:
    found = science.hidden_layers(science.network("sigmoid", 20, seeds=range(10, 20)), scale=1.0)
    assert found.saturated.max() < 0.001
    assert (found.gradient[0] < 1e-10).all() and (found.gradient[-1] > 0.5).all()
    forward = (found.spread[-1] / found.spread[1]) ** (1 / 18)
    assert (forward < 0.25).all(), "differences of digits shrink by at least a quarter as well"


@claims
def test_learning_ends_between_four_and_twelve_layers() -> None:
    assert learned("sigmoid", 4).min() > 0.93
    middle = learned("sigmoid", 6)
    assert 0.35 < middle.mean() < 0.92
    assert learned("sigmoid", 12).mean() < 0.25
    assert learned("sigmoid", 6, steps=800).mean() > 0.93, "patience rescues 6 layers"
    momentum = SGD(0.1, momentum=0.9)
    assert learned("sigmoid", 3, optimizer=momentum).min() > 0.9
    assert learned("sigmoid", 5, optimizer=momentum).max() < 0.2


@claims
@pytest.mark.slow
def test_no_rate_and_no_patience_rescues_twelve_layers() -> None:
    for rate in (0.0001, 0.0003, 0.001, 0.01, 0.03, 0.1):
        assert learned("sigmoid", 12, optimizer=Adam(rate)).mean() < 0.25
    for rate in (0.1, 1.0, 10.0):
        assert learned("sigmoid", 12, optimizer=SGD(rate)).mean() < 0.25
    for epsilon in (1e-20, 1e-30):  # it isn't that Adam's epsilon hides the small gradients
        assert learned("sigmoid", 12, optimizer=Adam(0.003, epsilon=epsilon)).mean() < 0.3
    assert learned("sigmoid", 12, steps=1200).mean() < 0.35


@claims
def test_between_too_small_and_saturated_a_deep_sigmoid_network_learns() -> None:
    for scale, low, high in ((4.0, 0.95, 1.0), (8.0, 0.95, 1.0), (20.0, 0.1, 0.45)):
        assert low <= learned("sigmoid", 12, scale=scale).mean() <= high, scale
    layers = science.hidden_layers(
        science.network("sigmoid", 12, scale=8.0, seeds=SEEDS), scale=8.0
    )
    assert 0.35 < layers.saturated[1:].mean() < 0.47
    layers = science.hidden_layers(
        science.network("sigmoid", 12, scale=20.0, seeds=SEEDS), scale=20.0
    )
    assert layers.saturated[1:].mean() > 0.7 and layers.growth.mean() > 0.95, "it did not vanish"


@claims
def test_thirty_tanh_layers_fail_for_their_rate_with_healthy_gradients() -> None:
    layers = science.hidden_layers(science.network("tanh", 30, seeds=SEEDS), scale=1.0)
    assert (np.abs(np.log10(layers.gradient[0] / layers.gradient[-1])) < 1).all()
    assert learned("tanh", 30).mean() < 0.6
    assert learned("tanh", 30, optimizer=Adam(0.0003)).min() > 0.97


@claims
def test_a_sigmoid_network_in_disguise_is_the_tanh_network() -> None:
    x = torch.randn(50, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for depth in (1, 2, 9):
        kind = {"seeds": SEEDS, "dtype": torch.float64}
        ours, theirs = science.like_tanh(depth, **kind), science.network("tanh", depth, **kind)
        torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-10)
    assert science.accuracy(science.like_tanh(12, seeds=SEEDS)).min() > 0.95


def test_the_explorer_at_its_ends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = explorer.explore()
        before = panel.text
        assert "Saturated: 0% of layer 1, 0% of layer 20." in before
        assert "A factor of 0.236 per layer." in before
        for name, value in (
            ("depth", 100), ("scale", 20.0), ("input_scale", 100.0), ("activation", "hard-tanh"),
            ("input_scale", 0.01), ("scale", 0.0), ("depth", 1), ("activation", "tanh"),
        ):  # fmt: skip
            old = panel.png
            panel.controls[name].value = value
            assert panel.png != old and not panel._picture.failure, name
            assert len(panel.text.splitlines()) == 4
        assert "exactly 0" in panel.text and "no factor per layer" in panel.text
        panel.reset()
        assert panel.text == before
        panel.new_draw()
        assert panel.text != before
    with pytest.raises(ValueError, match="activation = 'relu'"):
        explorer.explore(activation="relu")


def test_the_exercise_knows_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def said(check: Any, *answers: Any) -> str:
        check(*answers)
        return capsys.readouterr().out

    def slope(z: Any) -> Any:
        return 1 / (2 + np.exp(z) + np.exp(-z))

    right = said(check_gradient_factor, lambda z, s: s * np.sqrt(np.mean(slope(z) ** 2)))
    assert "right in all 4 cases" in right and "0.236 by your function" in right
    assert "before the mean" in said(check_gradient_factor, lambda z, s: s * np.mean(slope(z)))
    root = said(check_gradient_factor, lambda z, s: np.sqrt(np.mean(slope(z) ** 2)))
    assert "weight scale is missing" in root
    assert "not yet" in said(check_gradient_factor, lambda z, s: ...)
    tanh = 1 - math.tanh(2) ** 2
    assert said(check_lost_tanh, tanh, 7).count("right.") == 2
    wrong = said(check_lost_tanh, math.tanh(2) * (1 - math.tanh(2)), 6)
    assert "is the sigmoid's" in wrong and "round up" in wrong
