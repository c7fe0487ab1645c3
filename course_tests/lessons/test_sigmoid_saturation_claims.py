"""Notebook 03: the two failures of sigmoid networks, and one that is neither. Fresh seeds."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch

from course import data, measures
from course.lessons.sigmoid_saturation import explorer, science
from course.lessons.sigmoid_saturation.exercise import check_back, check_mended
from course.lessons.sigmoid_saturation.first_step import first_step
from course.training import SGD, Adam
from course_tests.claims import claim, seeds
from course_tests.corners import visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(20, 10))
claims = pytest.mark.claims


def learned(name: str, depth: int, seeds: tuple[int, ...] = SEEDS, **options: Any) -> np.ndarray:
    settings = {key: options.pop(key) for key in ("optimizer", "steps") if key in options}
    return science.accuracy(science.network(name, depth, seeds=seeds, **options), **settings)


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
    found = science.hidden_layers(
        science.network("sigmoid", 20, scale=scale, seeds=MANY), scale=scale
    )
    # .235 ± .002, .877 ± .02
    claim(f"scale {scale}: factor a layer", found.growth, least=low, most=high)
    predicted = (found.expected[0] / found.expected[-1]) ** (1 / 19)
    error = np.abs(predicted / found.growth - 1)
    claim(f"scale {scale}: error of the prediction", error, most=0.06)  # .00826 ± .006, .0143 ± .01


@claims
def test_at_glorots_scale_nothing_is_saturated_and_the_gradient_vanishes() -> None:
    found = science.hidden_layers(science.network("sigmoid", 20, seeds=MANY), scale=1.0)
    claim("saturated", found.saturated.mean(0), most=0.001)  # 8.2e-05 ± 2e-04
    claim("log10 of the first gradient", np.log10(found.gradient[0]), most=-10)  # -11.8 ± .09
    claim("last gradient", found.gradient[-1], least=0.5)  # 1.3 ± .06
    forward = (found.spread[-1] / found.spread[1]) ** (1 / 18)
    claim("differences of digits shrink as well: factor a layer", forward, most=0.25)  # .235 ± .002


@claims
def test_learning_ends_between_four_and_twelve_layers() -> None:
    claim("4 layers", learned("sigmoid", 4), least=0.93)  # .985 ± .006
    claim("6 layers with patience", learned("sigmoid", 6, steps=800), least=0.9)  # .98 ± .04
    momentum = SGD(0.1, momentum=0.9)
    claim("3 layers, momentum", learned("sigmoid", 3, optimizer=momentum), least=0.9)  # .967 ± .004


@claims
@pytest.mark.repeats
def test_six_layers_are_too_many_for_most_and_twelve_for_all() -> None:
    claim("6 layers", learned("sigmoid", 6, MANY), least=0.35)  # .72 ± .22: where learning ends
    claim("12 layers", learned("sigmoid", 12), most=0.3)  # .13 ± .05
    momentum = SGD(0.1, momentum=0.9)
    claim("5 layers, momentum", learned("sigmoid", 5, optimizer=momentum), most=0.2)  # .1 ± .002
    # rounding is not why twelve fail
    claim("12 layers, float64", learned("sigmoid", 12, dtype=torch.float64), most=0.3)
    # 1 ± 0
    claim("like tanh, 12 layers", science.accuracy(science.like_tanh(12, seeds=SEEDS)), least=0.95)


@claims
@pytest.mark.slow
def test_no_rate_and_no_patience_rescues_twelve_layers() -> None:
    for rate in (0.0001, 0.0003, 0.001, 0.01, 0.03, 0.1):
        claim(f"Adam {rate}", learned("sigmoid", 12, optimizer=Adam(rate)), most=0.25)
    for rate in (0.1, 1.0, 10.0):
        claim(f"SGD {rate}", learned("sigmoid", 12, optimizer=SGD(rate)), most=0.25)
    for epsilon in (1e-20, 1e-30):  # it isn't that Adam's epsilon hides the small gradients
        adam = Adam(0.003, epsilon=epsilon)
        claim(f"epsilon {epsilon}", learned("sigmoid", 12, optimizer=adam), most=0.3)
    claim("12 layers with patience", learned("sigmoid", 12, steps=1200), most=0.35)


@claims
def test_between_too_small_and_saturated_a_deep_sigmoid_network_learns() -> None:
    claim("scale 4.0", learned("sigmoid", 12, scale=4.0), least=0.88)  # .973 ± .04
    layers = science.hidden_layers(science.network("sigmoid", 12, scale=8.0, seeds=MANY), scale=8.0)
    claim("scale 8: saturated", layers.saturated[1:].mean(0), least=0.35, most=0.47)  # .401 ± .02
    layers = science.hidden_layers(
        science.network("sigmoid", 12, scale=20.0, seeds=MANY), scale=20.0
    )
    claim("scale 20: saturated", layers.saturated[1:].mean(0), least=0.7)  # .75 ± .01
    claim("scale 20: it did not vanish, factor a layer", layers.growth, least=0.95)  # 1.37 ± .05


@claims
@pytest.mark.repeats
def test_at_eight_times_glorots_scale_it_learns_and_at_twenty_it_does_not() -> None:
    claim("scale 8.0", learned("sigmoid", 12, scale=8.0), least=0.95)  # .996 ± .005
    claim("scale 20.0", learned("sigmoid", 12, scale=20.0), least=0.1, most=0.45)  # .289 ± .03


@claims
@pytest.mark.repeats
def test_thirty_tanh_layers_fail_for_their_rate_with_healthy_gradients() -> None:
    layers = science.hidden_layers(science.network("tanh", 30, seeds=MANY), scale=1.0)
    ratio = np.log10(layers.gradient[0] / layers.gradient[-1])
    claim("log10 of the gradients' ratio", ratio, least=-1, most=1)  # -.667 ± .08
    claim("rate 0.003", learned("tanh", 30), most=0.6)  # .178 ± .07
    claim("rate 0.0003", learned("tanh", 30, optimizer=Adam(0.0003)), least=0.97)  # .993 ± .004


@claims
def test_a_sigmoid_network_in_disguise_is_the_tanh_network() -> None:
    x = torch.randn(50, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for depth in (1, 2, 9):
        kind = {"seeds": SEEDS, "dtype": torch.float64}
        ours, theirs = science.like_tanh(depth, **kind), science.network("tanh", depth, **kind)
        torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-10)


def test_the_explorer_at_its_ends() -> None:
    panel = explorer.explore()
    before, picture = panel.text, panel.png
    assert "Saturated: 0% of layer 1, 0% of layer 20." in before
    assert "A factor of 0.236 per layer." in before
    places = [
        {"depth": 100}, {"scale": 20.0}, {"input_scale": 100.0}, {"activation": "hard-tanh"},
        {"input_scale": 0.01}, {"scale": 0.0}, {"depth": 1}, {"activation": "tanh"},
    ]  # fmt: skip
    texts, pictures = visit(panel, places)
    assert {len(text.splitlines()) for text in texts} == {4}
    for old, new in itertools.pairwise([picture, *pictures]):
        assert old != new
    assert {text.count("layer 1") for text in texts[6:]} == {3}  # the only one is said once
    assert "exactly 0" in texts[-1] and "no factor per layer" in texts[-1]
    panel.new_draw()
    assert panel.text != before
    with pytest.raises(ValueError, match="activation = 'relu'"):
        explorer.explore(activation="relu")


def test_the_exercises_know_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def said(check: Any, *answers: Any) -> str:
        check(*answers)
        return capsys.readouterr().out

    def slope(z: Any) -> Any:
        return 1 / (2 + np.exp(z) + np.exp(-z))

    right = said(check_back, slope, lambda g, z, W: (g * slope(z)) @ W.T)
    assert right.count("right in all 2 cases") == 2 and "they differ by" in right
    assert float(right.split("they differ by ")[1].split()[0]) < 1e-12
    wrong = said(check_back, lambda z: 1 - np.tanh(z) ** 2, lambda g, z, W: g @ W.T)
    assert "slope of tanh" in wrong and "slopes of the units are missing" in wrong
    assert "W.T" in said(check_back, slope, lambda g, z, W: g * slope(z))
    assert "not yet" in said(check_back, lambda z: ..., lambda g, z, W: ...)


def test_the_broken_network_is_mended_by_weights_and_biases(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for scale, bias, words in (
        (..., 0.0, "not yet"), ("6", 0.0, "one number is"), (6.0, True, "one number is"),
        (1.0, 0.0, "slopes below 1/4"), (1.0, -9.0, "end of the curve"), (6.0, 0.0, "right."),
    ):  # fmt: skip
        check_mended(scale, bias)
        assert words in capsys.readouterr().out, (scale, bias)


def test_a_first_step_is_one_of_adam() -> None:
    ours, theirs = (science.network("tanh", 2, seeds=[4], dtype=torch.float64) for _ in range(2))
    x, y = data.digits().x_train[:32].double(), data.digits().y_train[:32]
    adam = torch.optim.Adam(theirs.parameters(), lr=0.01, eps=1e-12)
    loss = torch.nn.functional.cross_entropy(theirs(x)[0], y)
    loss.backward()
    promised = 0.01 * sum(p.grad.abs().sum().item() for p in theirs.parameters())  # type: ignore[union-attr]
    adam.step()
    after = torch.nn.functional.cross_entropy(theirs(x)[0], y)
    found = first_step(ours, 0.01, examples=32)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8)
    assert found.promised[0] == pytest.approx(promised)
    assert found.gained[0] == pytest.approx((loss - after).item(), rel=1e-4)
    assert 0 < found.turned[0] < 1 and found.outputs[0] > 0


@claims
def test_where_a_gradient_keeps_its_promise() -> None:
    for depth, rate, least, most in (
        (3, 0.003, 0.8, 1),
        (30, 0.003, -1, 0.5),
        (30, 0.0003, 0.7, 1),
    ):
        step = first_step(science.network("tanh", depth, seeds=MANY), rate)
        claim(f"tanh {depth}, {rate}: share", step.gained / step.promised, least=least, most=most)
    for scale, least, most in ((8.0, 0.4, 1.0), (20.0, -0.3, 0.3)):  # .67 ± .30, 0 ± .08
        step = first_step(science.network("sigmoid", 12, scale=scale, seeds=seeds(40, 30)), 0.003)
        claim(f"sigmoid, scale {scale}: turned", step.turned, least=least, most=most)


def test_nearest_digits_are_those_of_the_layer() -> None:
    network = science.network("sigmoid", 3, seeds=[1], dtype=torch.float64)
    found = science.nearest(network, 5, layers=(1, 3), examples=50, count=4)
    h = data.digits().x_train[:50].double()
    for number, block in enumerate(network.blocks, start=1):
        linear: Any = block.linear  # type: ignore[union-attr]
        h = torch.sigmoid(h @ linear.weight[0] + linear.bias[0]).detach()
        if number in found:
            order = (h - h[5]).norm(dim=1).argsort().tolist()
            assert found[number] == order[1:5]
