"""Notebook 12: what norms mend and break, what a batch decides, and what first weights can do.

Fresh seeds: none of those that the notebook uses.
"""

from __future__ import annotations

import itertools
import math
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import data, measures, networks
from course.lessons.degradation import science as degradation
from course.lessons.normalization_and_initialization import (
    explorer,
    remedies,
    remedies_explorer,
    science,
    starts,
)
from course.lessons.normalization_and_initialization.exercise import CASES, check_half, check_leaky
from course.networks import initializers

SEEDS = (10, 11, 12)
MANY = tuple(range(10, 20))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def test_growth_for_large_batches_is_the_closed_form() -> None:
    assert science.growth("batch") == degradation.GROWTH == math.sqrt(math.pi / (math.pi - 1))
    assert abs(science.growth("batch", 10**6) - degradation.GROWTH) < 1e-5
    sizes = [science.growth("batch", size) for size in range(4, 200)]
    assert all(a > b > degradation.GROWTH for a, b in itertools.pairwise(sizes))
    assert science.growth("batch", 3) == science.growth("batch", 2) == math.inf
    assert science.growth("layer", 2) == 1.0
    with pytest.raises(ValueError, match="batch = 1"):
        science.growth("batch", 1)


@pytest.mark.parametrize("size", [5, 8, 20])
def test_growth_for_small_batches_agrees_with_the_norm_drawn_at_random(size: int) -> None:
    """One block on its own: Gaussian z, batch norm, ReLU; a random gradient sent back through."""
    stream = torch.Generator().manual_seed(size)
    units = 400_000
    z = torch.randn(units, size, generator=stream, dtype=torch.float64)
    g = torch.randn(units, size, generator=stream, dtype=torch.float64)
    g = g - g.mean(1, keepdim=True)  # what comes out of a norm above sums to 0
    y = z - z.mean(1, keepdim=True)
    deviation = y.square().mean(1, keepdim=True).sqrt()
    y = y / deviation
    back = g * (y > 0)
    back = (back - back.mean(1, keepdim=True) - y * (back * y).mean(1, keepdim=True)) / deviation
    h = torch.relu(y)
    h = h - h.mean(1, keepdim=True)
    # random weights of variance 1/n hand the mean squares of h on to the next z, here of variance 1
    factor = back.square().mean() / g.square().mean() / (h.square().mean() * size / (size - 1))
    assert abs(math.sqrt(factor) / science.growth("batch", size) - 1) < 0.02


@pytest.mark.claims
def test_gradients_grow_at_the_computed_rate_for_every_size_of_batch(digits: data.Dataset) -> None:
    for norm, size, room in (("batch", 200, 0.012), ("batch", 16, 0.03), ("batch", 8, 0.05),
                             ("layer", 200, 0.025), ("layer", 4, 0.06)):  # fmt: skip
        net = science.untrained(digits, depth=30, norm=norm, seeds=MANY)
        found = science.signals(net, digits, batch=size).growth
        assert abs(found.mean() - science.growth(norm, size)) < room, (norm, size)
    net = science.untrained(digits, depth=30, seeds=MANY)
    four, two = (science.signals(net, digits, batch=size) for size in (4, 2))
    assert 1.4 < four.growth.mean() < science.growth("batch", 4)
    assert np.median(two.gradient_norms[0] / two.gradient_norms[-1]) < 1e-6


@pytest.mark.claims
def test_norms_take_the_scale_of_the_weights_out(digits: data.Dataset) -> None:
    for norm, factor in (("batch", 1.0), ("layer", 1.0), (None, 3.0)):
        one, three = (
            science.signals(
                science.untrained(digits, depth=20, norm=norm, scale=c, seeds=SEEDS), digits
            )
            for c in (1.0, 3.0)
        )
        assert np.allclose(three.growth / one.growth, factor, rtol=0.01)
        assert np.allclose(three.sizes[-1] / one.sizes[-1], factor**21, rtol=0.05)
        one, three = (
            science.weight_gradients(
                science.untrained(digits, depth=5, norm=norm, scale=c, seeds=SEEDS), digits
            )
            for c in (1.0, 3.0)
        )
        assert one.shape == (5, 3)
        if norm is not None:
            assert np.allclose(three / one, 1 / 3, rtol=0.02)
        forward, back = science.expected(norm, "he_normal", 3.0)
        assert math.isclose(forward, factor) and back >= factor


@pytest.mark.claims
def test_layer_norm_loses_the_angles_and_batch_norm_the_gradients(digits: data.Dataset) -> None:
    found = {
        norm: science.signals(
            science.untrained(digits, depth=50, norm=norm, seeds=SEEDS), digits, batch=200
        )
        for norm in science.NORMS.values()
    }
    assert found["batch"].cosine[-1].max() < 0.45
    assert found["layer"].cosine[-1].min() > 0.97 and found[None].cosine[-1].min() > 0.97
    norms = found["batch"].gradient_norms
    steep = norms[0] / norms[-1]
    assert np.all((steep > 5_000) & (steep < 40_000))


def fitted(name: str, depth: int, examples: data.Dataset) -> np.ndarray:
    (net,) = remedies.family([name], examples, (depth,), seeds=SEEDS).values()
    *_, last = remedies.train(name, net, examples, epochs=5)
    assert last.train_accuracy is not None
    return last.train_accuracy


@pytest.mark.claims
def test_looks_linear_trains_fifty_plain_blocks_as_well_as_a_resnet(digits: data.Dataset) -> None:
    mirrored, skips = (fitted(name, 50, digits) for name in ("looks-linear", "ResNet, batch norm"))
    assert mirrored.min() > 0.96 and mirrored.mean() > skips.mean() - 0.01
    assert fitted("looks-linear", 10, digits).min() > 0.96
    for name in ("no norm", "batch norm", "layer norm"):
        assert fitted(name, 50, digits).max() < 0.5, name


@pytest.mark.claims
def test_other_starts_train_too_and_selu_up_to_some_depth(digits: data.Dataset) -> None:
    for name in ("zero branches", "ReZero"):
        assert fitted(name, 50, digits).min() > 0.9, name
    thirty, fifty = fitted("SELU", 30, digits), fitted("SELU", 50, digits)
    assert thirty.min() > 0.9 and 0.4 < fifty.mean() < 0.85


@pytest.mark.claims
def test_batches_of_two_teach_batch_norm_nothing(digits: data.Dataset) -> None:
    def learned(norm: str, size: int) -> np.ndarray:
        *_, last = science.train(norm, size, digits, seeds=SEEDS)
        assert last.train_accuracy is not None
        return last.train_accuracy

    assert learned("batch", 2).max() < 0.25 and learned("layer", 2).min() > 0.3
    assert learned("batch", 4).mean() < learned("layer", 4).mean() - 0.1
    assert learned("batch", 32).min() > 0.9 and learned("layer", 32).min() > 0.9
    with pytest.raises(ValueError, match="batch = 1"):
        next(science.train("batch", 1, digits))
    assert np.isfinite(next(science.train("layer", 1, digits, steps=6)).loss).all()


@pytest.mark.claims
def test_running_averages_lag_and_answers_depend_on_the_company(digits: data.Dataset) -> None:
    net = degradation.network("plain", digits, depth=30, seeds=SEEDS, init="he_normal")
    records = list(degradation.train(net, digits, epochs=4, batch_statistics=True))
    running = np.array([record.train_accuracy for record in records])
    by_batch = np.array([record.batch_statistics.train_accuracy for record in records])  # type: ignore[union-attr]
    assert (by_batch - running)[:2].mean() > 0.02
    before = {name: value.clone() for name, value in net.state_dict().items()}
    few, many = (science.swayed(net, digits, size).mean() for size in (2, 100))
    assert few > 0.5 and many < few - 0.1
    assert net.training and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    layer = degradation.network("plain", digits, depth=3, seeds=SEEDS, norm="layer")
    assert np.all(science.swayed(layer, digits, 2) == 0)


def test_looks_linear_is_linear_and_orthogonal(digits: data.Dataset) -> None:
    net = networks.build(
        "looks-linear", inputs=64, width=50, outputs=10, depth=50, seeds=SEEDS, norm=None,
        dtype=torch.float64,
    )  # fmt: skip
    x = digits.x_train[:3].double()
    slopes = measures.jacobian(net, x)
    assert (torch.linalg.svdvals(slopes) - 1).abs().max() < 1e-12
    assert (slopes - slopes[:, :1]).abs().max() < 1e-12  # the same at every picture
    with torch.no_grad():
        assert (net(x[:1] + x[1:2]) - net(x[:1]) - net(x[1:2])).abs().max() < 1e-12
    found = science.signals(net, digits)
    assert np.abs(found.growth - 1).max() < 1e-12
    assert np.all(degradation.profile(net.float(), digits).neighbours[-1] > 0.95)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 1.5), st.integers(2, 60))
def test_the_whole_map_is_a_power(weight: float, layers: int) -> None:
    found = starts.whole_map("looks-linear", weight, layers, units=6, seeds=(3,))
    assert np.allclose(found.singular, weight**layers, rtol=1e-9)
    assert np.allclose(found.sizes[:, 0], weight ** np.arange(layers + 1.0), rtol=1e-9)


@pytest.mark.claims
def test_relu_keeps_the_size_and_spreads_the_spectrum() -> None:
    for kind in ("orthogonal", "Gaussian"):
        found = starts.whole_map(kind, 1.0, 50, seeds=MANY)
        assert 0.2 < np.median(found.sizes[-1]) < 5
        assert np.all(found.singular[-1] < 1e-12 * found.singular[0])
    law = partial(starts.gaussian, gain=2.0)
    drawn = law(300, 600, torch.Generator().manual_seed(0))
    q = initializers.orthogonal(300, 600, torch.Generator().manual_seed(0), gain=2.0)
    assert math.isclose(drawn.std(), q.std(), rel_tol=0.02)


def test_selu_comes_back_to_mean_0_and_variance_1() -> None:
    for mean, deviation in ((0.0, 1.0), (2.0, 0.5), (-3.0, 5.0)):
        form = starts.expected_moments("selu", 60, mean=mean, deviation=deviation)
        assert abs(form.mean[-1]) < 2e-3 and abs(form.variance[-1] - 1) < 2e-3
        found = starts.measured_moments("selu", 60, mean=mean, deviation=deviation, seeds=SEEDS)
        assert np.abs(found.mean[-1]).max() < 0.15
        assert np.abs(found.variance[-1] - 1).max() < 0.2
    assert starts.expected_moments("relu", 60).variance[-1] < 1e-15
    assert starts.expected_moments("selu", 60, gain=1.5).variance[-1] > 100


def test_the_extremes_of_the_explorers_neither_fail_nor_warn(digits: data.Dataset) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        panel = explorer.explore(digits)
        first, seen = panel.text, set()
        assert "closed form 1.22" in first
        some = ((100, 1, 10.0), (1, 2, 10.0), (100, 128, 0.1))
        ways = [(depth, norm, *rest) for norm in science.NORMS for depth, *rest in some]
        for values in ways:
            for name, value in zip(("depth", "norm", "batch", "scale"), values, strict=True):
                panel.controls[name].value = value
            assert "Error" not in panel.text and f"{values[0]} blocks" in panel.text
            seen.add(panel.text)
        assert len(seen) == len(ways)
        panel.reset()
        assert panel.text == first
        moments = remedies_explorer.explore_moments()
        for kind, gain, depth in itertools.product(("selu", "tanh"), (0.0, 2.0), (1, 100)):
            moments.controls["activation"].value = kind
            moments.controls["gain"].value = gain
            moments.controls["depth"].value = depth
            assert f"{kind}, weights LeCun times {gain:g}, {depth} layers" in moments.text
        whole = remedies_explorer.explore_map()
        for kind, weight, layers in itertools.product(starts.MAPS, (0.0, 1.5), (2, 100)):
            whole.controls["kind"].value = kind
            whole.controls["weight"].value = weight
            whole.controls["layers"].value = layers
            assert f"{kind}, w = {weight:g}, {layers} layers" in whole.text
    with pytest.raises(ValueError, match="norm = 'group'"):
        explorer.explore(digits, norm="group")
    with pytest.raises(ValueError, match="kind = 'zero'"):
        remedies_explorer.explore_map(kind="zero")


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_half(1.0, math.sqrt(0.625 / (0.625 - 0.125 / math.pi)))
    assert capsys.readouterr().out.count("right.") == 2
    check_half(..., 0.625 / (0.625 - 0.125 / math.pi))
    said = capsys.readouterr().out
    assert "not yet" in said and "take the root" in said

    def right(a: float) -> float:
        return math.sqrt(1 / (1 - (1 - a) ** 2 / (math.pi * (1 + a * a))))

    check_leaky(right)
    assert "right in all" in capsys.readouterr().out
    check_leaky(lambda a: right(a) ** 2)
    assert "root" in capsys.readouterr().out
    check_leaky(lambda a: math.sqrt(0.5 / ((1 + a * a) / 2 - (1 - a) ** 2 / (2 * math.pi))))
    assert "left side" in capsys.readouterr().out
    assert all(math.isclose(right(*a), value) for a, value in CASES)


def test_the_exercise_agrees_with_networks(digits: data.Dataset) -> None:
    """Identity (slope 1; correlated units add a little), torch's leaky ReLU (0.01), ReLU (0)."""
    for activation, slope, room in (
        ("identity", 1.0, 0.04), ("leaky-relu", 0.01, 0.015), ("relu", 0.0, 0.015),
    ):  # fmt: skip
        net = degradation.network(
            "plain", digits, depth=20, seeds=MANY, activation=activation, init="he_normal",
            width=200, dtype=torch.float64,
        )  # fmt: skip
        found = science.signals(net, digits, batch=256).growth.mean()
        form = 1 / (1 - (1 - slope) ** 2 / (math.pi * (1 + slope**2)))
        assert abs(found - math.sqrt(form)) < room, activation
