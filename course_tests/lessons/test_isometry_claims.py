"""What notebook 07b claims: the spectra of Jacobians and training, with seeds and margins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course import data, measures
from course.lessons.initialization import mean_field
from course.lessons.isometry import science
from course.lessons.products.science import along
from course_tests.claims import claim, seeds

pytestmark = pytest.mark.claims
FRESH = tuple(seeds(100, 3))


@pytest.mark.parametrize(
    ("units", "length", "sigma_w", "sigma_b"),
    [("tanh", 1 / 64, 1.0152, 0.0022), ("hard-tanh", 0.1, 1.0008, 0.0116),
     ("relu", 3.0, math.sqrt(2), 0.0), ("identity", 3.0, 1.0, 0.0)],
)  # fmt: skip
def test_critical_weights_are_those_of_the_paper(
    units: str, length: float, sigma_w: float, sigma_b: float
) -> None:
    assert mean_field.critical_line(length, units) == pytest.approx((sigma_w, sigma_b), abs=6e-5)


def test_on_the_critical_line_signals_keep_their_length() -> None:
    network = science.chain("tanh", "Gaussian", length=0.3, width=400, depth=10, seeds=FRESH)
    h = science.start("tanh", 0.3, width=400, seeds=FRESH)
    for number, block in enumerate(network.blocks, start=1):
        z = block.linear(h)
        length = z.square().flatten(1).mean(1).detach()
        # .269 to .33, each ± .04 at most
        claim(f"layer {number}: length", length, least=0.18, most=0.42)
        h = block(h)


@pytest.mark.parametrize("label", list(science.STARTS)[1:])
def test_the_spread_of_the_jacobian_grows_as_the_closed_form_says(label: str) -> None:
    units, weights, length = science.STARTS[label]
    rare = units == "hard-tanh" and length < 0.2  # few units leave the straight part
    few = seeds(0, 48 if rare else 12)
    network = science.chain(units, weights, length=length, width=128, depth=32, seeds=few)
    start = science.start(units, length, width=128, seeds=few)
    found = science.spread(along(science.layer_jacobians(network, start), [16, 32]))
    each = science.spread_per_layer(units, length, weights)
    for depth, values in zip((16, 32), found, strict=True):
        ratio = values / (each * depth)
        # .88 to 1.08, each ± .4 at most
        claim(f"{label}, {depth}: spread over the computed one", ratio, least=0.45, most=1.55)


def test_off_the_critical_line_isometry_is_lost() -> None:
    """Orthogonal tanh, 100 layers: .18 at critical weights, over 1 with weights 1.1 times those."""
    start = science.start("tanh", 1 / 64, width=64, seeds=FRESH)
    spread = {}
    for scale in (1.0, 1.1):
        network = science.chain("tanh", "orthogonal", scale=scale, depth=100, seeds=FRESH)
        found = along(science.layer_jacobians(network, start), [100])
        spread[scale] = science.spread(found)
    claim("critical weights: spread", spread[1.0], most=0.3)  # .173 ± .005
    claim("weights times 1.1: spread", spread[1.1], least=1)  # 5.63 ± .9


def test_products_of_layer_jacobians_are_the_jacobian() -> None:
    network = science.chain("hard-tanh", "Gaussian", length=1.0, depth=6, width=12)
    x = science.start("hard-tanh", 1.0, width=12, seeds=(0, 1, 2))
    layers = science.layer_jacobians(network, x)
    found = along(layers, [1, 6])
    whole = torch.linalg.svdvals(measures.jacobian(network, x)[:, 0])
    np.testing.assert_allclose(10.0 ** found.log10[1], whole, rtol=1e-6, atol=1e-12)
    exact = measures.product_spectrum(layers)
    known = ~(exact.floor | found.floor[1])
    np.testing.assert_allclose(found.log10[1][known], exact.log10[known], atol=1e-6)


@pytest.mark.parametrize("units", ["tanh", "hard-tanh"])
def test_the_signal_for_a_budget_spends_it(units: str) -> None:
    for each in (1e-4, 0.002, 0.3):
        length = science.signal_for(units, each)
        assert science.spread_per_layer(units, length, "orthogonal") == pytest.approx(
            each, rel=1e-6
        )
    quiet = [science.signal_for(units, 0.1 / depth) for depth in (50, 5000)]
    ratio = {"tanh": 10.0, "hard-tanh": 1.9}[units]  # 1/sqrt(L), and hardly at all
    assert quiet[0] / quiet[1] == pytest.approx(ratio, rel=0.1)


def test_a_signal_that_shrinks_with_depth_keeps_the_spectrum() -> None:
    """Powers of ten from value 1 to 31 of 32, 512 layers; the last is the signal's own length."""
    for words, length in (("fixed", 0.1), ("shrinks", science.signal_for("tanh", 0.5 / 512))):
        network = science.chain(
            "tanh", "orthogonal", length=length, depth=512, width=32, seeds=FRESH
        )
        x = science.start("tanh", length, width=32, seeds=FRESH)
        log10 = along(science.layer_jacobians(network, x), [512]).log10[0]
        margin = {"least": 5.0} if words == "fixed" else {"most": 0.9}
        # 7.6 ± .3, .54 ± .03
        claim(f"{words}: powers of ten", np.ptp(log10[:, :-1], axis=-1), **margin)


# Training.


@pytest.mark.repeats
def test_orthogonal_beats_gaussian_at_four_rates_and_a_linear_network_beats_both() -> None:
    """Lowest mean loss at five rates: linear .19, three orthogonal ones .46 to .53, 1.9, 2.1."""
    digits = data.digits().subset(1500, test=297)
    losses = {}
    for name in science.STARTS:
        draws = 10 if "1/64" in name else 5
        network = science.started(name, digits, seeds=seeds(200, draws * len(science.RATES)))
        losses[name], accuracy = science.sweep(network, digits)
        assert (accuracy[np.isinf(losses[name])] == 0).all()
    _, _, quiet, loud, gaussian, _ = losses.values()
    claim("tanh 1/64 at the rate 0.003: loss", quiet[2], least=0.9)  # 1.22 ± .03
    claim("tanh 1/4 at the rate 0.003: loss", loud[2], most=0.8)  # .615 ± .03
    for rate, behind in zip(science.RATES[:4], (gaussian - quiet)[:4], strict=True):
        # .107 ± .08, .305 ± .06, .59 ± .2, 1.46 ± .4; at 0.03 neither learns
        claim(f"tanh 1/64 at the rate {rate}: Gaussian less orthogonal", behind, least=0)
    linear, *curved, gauss, relu = (loss[science.best(loss)] for loss in losses.values())
    claim("linear: loss", linear, most=0.3)  # .191 ± .02
    for name, values in zip(list(science.STARTS)[1:4], curved, strict=True):
        claim(f"{name}: loss", values, least=0.25, most=0.85)  # .458 ± .08, .478 ± .07, .533 ± .16
    claim("tanh, Gaussian: loss", gauss, least=1.2)  # 1.76 ± .28: well above the three
    claim("ReLU, Gaussian: loss", relu, least=1.5)  # 2.1 ± .18


@pytest.mark.repeats
def test_where_no_line_helps_the_linear_network_can_only_guess() -> None:
    """Loss on the rings, of three rates: linear .69, tanh 1/4 .25, 1/64 .55, Gaussian .68."""
    rings, rates, best = science.rings(), (0.001, 0.003, 0.01), {}
    for name in science.STARTS:
        network = science.started(name, rings, seeds=seeds(200, 75))  # 25 at each rate
        loss, _ = science.sweep(network, rings, rates=rates)
        best[name] = loss[science.best(loss)]
    linear, hard, small, large, gauss, relu = best.values()
    for name, values in (("tanh 1/64", small), ("Gaussian tanh", gauss), ("ReLU", relu)):
        # .32 ± .2, .43 ± .1, .2 ± .2
        claim(f"tanh 1/4 is the best: less than {name} by", values.mean() - large, least=0)
    claim("linear: loss", linear, least=0.66)  # .693 ± .001
    claim("hard-tanh: loss", hard, most=0.6)  # .35 ± .15
    claim("tanh 1/64: loss", small, most=0.67)  # .51 ± .18; guessing is .69
    claim("tanh 1/4: loss", large, most=0.5)  # .294 ± .06
    claim("tanh, Gaussian: loss", gauss, least=0.62)  # .676 ± .02
    shallow = science.started("tanh, orthogonal, q* = 1/4", rings, depth=1, seeds=seeds(200, 15))
    loss, _ = science.sweep(shallow, rings, rates=(0.01, 0.03, 0.1))
    claim("one hidden layer: loss", loss[science.best(loss)], most=0.3)  # .158 ± .03
