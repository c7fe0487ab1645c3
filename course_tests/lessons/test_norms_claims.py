"""Notebook 12a: what norms mend and break, and what a batch decides.

Fresh seeds: none of those that the notebook uses.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from course import data, networks
from course.lessons.degradation import science as degradation
from course.lessons.norms import explorer, science
from course.lessons.norms.exercise import (
    CASES,
    check_batch_norm,
    check_leaky,
    solve_batch_norm,
)
from course.live import count
from course_tests.claims import claim, seeds
from course_tests.corners import visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(10, 10))


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
                             ("layer", 200, 0.03), ("layer", 4, 0.06)):  # fmt: skip
        net = science.untrained(digits, depth=30, norm=norm, seeds=MANY)
        growth = science.signals(net, digits, batch=size).growth
        form = science.growth(norm, size)
        # 1.21 ± .005, 1.26 ± .01, 1.33 ± .02, .997 ± .02, .988 ± .02
        claim(
            f"{norm} norm, {size} in a batch: growth", growth, least=form - room, most=form + room
        )
    net = science.untrained(digits, depth=30, seeds=MANY)
    four, two = (science.signals(net, digits, batch=size) for size in (4, 2))
    # 1.56 ± .08
    claim("batches of 4: growth", four.growth, least=1.4, most=science.growth("batch", 4))
    ratio = np.median(two.gradient_norms[0] / two.gradient_norms[-1])
    claim("batches of 2: log10 of the gradients' ratio", np.log10(ratio), most=-6)  # -11.9 ± 1


@pytest.mark.claims
def test_norms_take_the_scale_of_the_weights_out(digits: data.Dataset) -> None:
    for norm, factor in (("batch", 1.0), ("layer", 1.0), (None, 3.0)):
        one, three = (
            science.signals(
                science.untrained(digits, depth=20, norm=norm, scale=c, seeds=SEEDS), digits
            )
            for c in (1.0, 3.0)
        )
        # Without a norm the loss is another, and so is the gradient that goes back.
        room = 0.01 if norm else 0.1
        assert np.allclose(three.growth / one.growth, factor, rtol=room)
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
            science.untrained(digits, depth=50, norm=norm, seeds=MANY), digits, batch=200
        )
        for norm in science.NORMS.values()
    }
    claim("batch norm: cosine", found["batch"].cosine[-1], most=0.45)  # .352 ± .02
    claim("layer norm: cosine", found["layer"].cosine[-1], least=0.96)  # .99 ± .02
    claim("no norm: cosine", found[None].cosine[-1], least=0.97)  # .989 ± .01
    norms = found["batch"].gradient_norms
    steep = norms[0] / norms[-1]
    # 4.11 ± .1
    claim("batch norm: log10 of the gradients' ratio", np.log10(steep), least=3.7, most=4.6)


@pytest.mark.claims
@pytest.mark.repeats
def test_batches_of_two_teach_batch_norm_nothing(digits: data.Dataset) -> None:
    def learned(norm: str, size: int) -> np.ndarray:
        *_, last = science.train(norm, size, digits, seeds=SEEDS)
        assert last.train_accuracy is not None
        return last.train_accuracy

    claim("batch norm, batches of 2", learned("batch", 2), most=0.25)  # .144 ± .04
    claim("layer norm, batches of 2", learned("layer", 2), least=0.3)  # .692 ± .1
    # .261 ± .07
    claim("layer over batch norm, of 4", learned("layer", 4) - learned("batch", 4), least=0.1)
    for norm in ("batch", "layer"):
        # .974 ± .005, .982 ± .005
        claim(f"{norm} norm, batches of 32", learned(norm, 32), least=0.9)


def test_a_batch_of_one_is_for_layer_norm_alone(digits: data.Dataset) -> None:
    with pytest.raises(ValueError, match="batch = 1"):
        next(science.train("batch", 1, digits))
    assert np.isfinite(next(science.train("layer", 1, digits, steps=6)).loss).all()


@pytest.mark.claims
@pytest.mark.repeats
def test_running_averages_lag_and_answers_depend_on_the_company(digits: data.Dataset) -> None:
    net = degradation.network("plain", digits, depth=30, seeds=SEEDS, init="he_normal")
    records = list(degradation.train(net, digits, epochs=4, batch_statistics=True))
    running = np.array([record.train_accuracy for record in records])
    by_batch = np.array([record.batch_statistics.train_accuracy for record in records])  # type: ignore[union-attr]
    claim("lag in the first two epochs", (by_batch - running)[:2].mean(0), least=0.02)  # .083 ± .02
    few, many = (science.swayed(net, digits, size) for size in (2, 100))
    claim("answers swayed by one companion", few, least=0.4)  # .701 ± .2
    claim("swayed less by 99 companions", few - many, least=0.02)  # .324 ± .2


def test_asking_whom_company_sways_changes_nothing(digits: data.Dataset) -> None:
    net = degradation.network("plain", digits, depth=3, seeds=SEEDS)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert np.any(science.swayed(net, digits, 2) > 0)
    assert net.training and all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    layer = degradation.network("plain", digits, depth=3, seeds=SEEDS, norm="layer")
    assert np.all(science.swayed(layer, digits, 2) == 0)


def test_weights_that_are_rescaled_are_those_of_another_scale(digits: data.Dataset) -> None:
    net, wide = (science.untrained(digits, depth=2, scale=scale) for scale in (1.0, 3.0))
    drawn = [weight.detach().clone() for weight in science.weights_below_head(net)]
    assert len(drawn) == 3
    for _ in range(2):  # from what was drawn, not from what is there
        science.rescale(net, drawn, 3.0)
    for weight, expected in zip(net.parameters(), wide.parameters(), strict=True):
        torch.testing.assert_close(weight, expected)


def test_the_extremes_of_the_explorers_neither_fail_nor_warn(digits: data.Dataset) -> None:
    panel = explorer.explore(digits)
    assert "closed form 1.22" in panel.text
    some = ((100, 1, 10.0), (1, 2, 10.0), (100, 128, 0.1))
    places = [
        dict(depth=depth, norm=norm, batch=batch, scale=scale)
        for norm in science.NORMS
        for depth, batch, scale in some
    ]
    texts, _ = visit(panel, places)
    assert len(set(texts)) == len(places)
    assert all(
        f", {count(at['depth'], 'block')}," in t for at, t in zip(places, texts, strict=True)
    )
    with pytest.raises(ValueError, match="norm = 'group'"):
        explorer.explore(digits, norm="group")


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_batch_norm(solve_batch_norm)
    assert "right in all" in capsys.readouterr().out
    check_batch_norm(lambda z, scale, shift: solve_batch_norm(z.T, 1, 0).T * scale + shift)
    assert "layer norm" in capsys.readouterr().out

    def right(a: float) -> float:
        return math.sqrt(1 / (1 - (1 - a) ** 2 / (math.pi * (1 + a * a))))

    check_leaky(right)
    assert "right in all" in capsys.readouterr().out
    check_leaky(lambda a: right(a) ** 2)
    assert "root" in capsys.readouterr().out
    check_leaky(lambda a: math.sqrt(0.5 / ((1 + a * a) / 2 - (1 - a) ** 2 / (2 * math.pi))))
    assert "left side" in capsys.readouterr().out
    assert all(math.isclose(right(*a), value) for a, value in CASES)


def test_the_solution_of_the_faded_example_is_the_norm_of_the_library() -> None:
    z, stream = torch.empty(1, 7, 4, dtype=torch.float64), torch.Generator().manual_seed(1)
    z.normal_(generator=stream)
    norm = networks.BatchNorm(1, 4, dtype=torch.float64)
    with torch.no_grad():
        norm.scale.normal_(generator=stream)
        norm.shift.normal_(generator=stream)
        expected = norm(z)[0]
    by_hand = solve_batch_norm(z[0].numpy(), norm.scale[0, 0].detach().numpy(),
                               norm.shift[0, 0].detach().numpy())  # fmt: skip
    assert np.allclose(by_hand, expected)


def test_growth_is_at_least_1_for_every_curve_and_1_for_straight_lines_alone() -> None:
    """Poincare's inequality; ReLU's is the closed form of large batches; small gains straighten."""
    growth = {name: science.growth_of_curve(name) for name in networks.activations.ACTIVATIONS}
    assert math.isclose(growth.pop("identity"), 1.0)
    assert min(growth.values()) > 1.0001  # GELU, ReLU, ...: each of them bends
    assert math.isclose(growth["relu"], science.growth("batch"))
    # sigmoid(z) = 1/2 + tanh(z / 2) / 2
    assert math.isclose(growth["sigmoid"], science.growth_of_curve("tanh", 0.5))
    gains = [science.growth_of_curve("tanh", gain) for gain in (2, 1, 0.5, 0.25, 0.01)]
    assert all(a > b for a, b in itertools.pairwise(gains)) and gains[-1] < 1.00001
    with pytest.raises(ValueError, match="gain = 0"):
        science.growth_of_curve("tanh", 0)


@pytest.mark.claims
def test_orthogonal_weights_follow_the_formula_and_gaussian_ones_lie_above() -> None:
    for name, gain in (("tanh", 1.0), ("tanh", 0.25), ("selu", 1.0), ("hard-tanh", 1.0)):
        form = science.growth_of_curve(name, gain)
        straight, bent = (
            science.measured_growth(name, init, gain=gain, seeds=MANY)
            for init in ("orthogonal", "lecun_normal")
        )
        # .001, .0014, .002, -.0006, each ± .002
        claim(f"{name}, gain {gain}: above formula", straight - form, least=-0.012, most=0.012)
        # .017, .009, .021, .02, each ± .003 or less
        claim(f"{name}, gain {gain}: Gaussian over orthogonal", bent - straight, least=0.0)


@pytest.mark.claims
@pytest.mark.repeats
def test_a_nearly_straight_curve_trains_fifty_blocks_with_batch_norm(digits: data.Dataset) -> None:
    fitted = []
    for gain, rate in ((1.0, 0.01), (0.25, 0.03)):
        net = degradation.network(
            "plain", digits, depth=50, activation="tanh", init="orthogonal", seeds=SEEDS
        )
        science.set_gain(net, gain)
        *_, last = degradation.train(net, digits, epochs=5, rate=rate)
        assert last.train_accuracy is not None
        fitted.append(last.train_accuracy)
    claim("gain 1/4", fitted[1], least=0.95)  # .989 ± .002
    claim("gain 1/4 over gain 1", fitted[1] - fitted[0], least=0.05)  # .37 ± .12


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
