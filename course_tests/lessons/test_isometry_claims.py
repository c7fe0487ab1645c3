"""What notebook 07b claims: the spectra of Jacobians and training, with seeds and margins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course import data, measures, training
from course.lessons.initialization import mean_field
from course.lessons.isometry import science
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


@pytest.mark.parametrize("label", science.STARTS)
def test_the_spread_of_the_jacobian_grows_as_the_closed_form_says(label: str) -> None:
    units, weights, length = science.STARTS[label]
    rare = units == "hardtanh" and length < 0.2  # few units leave the straight part
    few = seeds(0, 48 if rare else 12)
    network = science.chain(units, weights, length=length, width=128, depth=32, seeds=few)
    start = science.start(units, length, width=128, seeds=few)
    found = science.spread(science.along(science.layer_jacobians(network, start), [16, 32]))
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
        found = science.along(science.layer_jacobians(network, start), [100])
        spread[scale] = science.spread(found)
    claim("critical weights: spread", spread[1.0], most=0.3)  # .173 ± .005
    claim("weights times 1.1: spread", spread[1.1], least=1)  # 5.63 ± .9


def test_products_of_layer_jacobians_are_the_jacobian() -> None:
    network = science.chain("hard-tanh", "Gaussian", length=1.0, depth=6, width=12)
    x = science.start("hard-tanh", 1.0, width=12, seeds=(0, 1, 2))
    layers = science.layer_jacobians(network, x)
    found = science.along(layers, [1, 6])
    whole = torch.linalg.svdvals(measures.jacobian(network, x)[:, 0])
    np.testing.assert_allclose(10.0 ** found.log10[1], whole, rtol=1e-6, atol=1e-12)
    exact = measures.product_spectrum(layers)
    known = ~(exact.floor | found.floor[1])
    np.testing.assert_allclose(found.log10[1][known], exact.log10[known], atol=1e-6)


@pytest.mark.repeats
def test_near_isometry_trains_faster_but_the_most_isometric_is_not_the_fastest() -> None:
    """Loss after 100 steps: .15, .18, .64, 1.3, 1.9 in the order of `STARTS`."""
    digits = data.digits()
    runs = {name: list(science.learn(name, digits, seeds=FRESH)) for name in science.STARTS}
    loss = science.at_the_end(runs, "train_loss")
    margins = ((0.0, 0.3), (0.0, 0.3), (0.3, 0.9), (0.9, np.inf), (0.9, np.inf))
    for (name, values), (least, most) in zip(loss.items(), margins, strict=True):
        # .149 ± .004, .179 ± .02, .651 ± .03, 1.31 ± .1, 1.98 ± .1
        claim(f"{name}: loss", values, least=least, most=most)
    assert science.spread_per_layer("tanh", 0.25, "orthogonal") > 30 * (
        science.spread_per_layer("tanh", 1 / 64, "orthogonal")
    )
    assert science.at_the_end({"stopped": runs["ReLU, Gaussian (He)"][:3]}, "train_loss") == {}


def test_adam_narrows_the_gap_and_does_not_close_it() -> None:
    digits, adam = data.digits(), training.Adam(0.001)
    names = list(science.STARTS)[2:4]
    runs = {
        name: list(science.learn(name, digits, steps=60, optimizer=adam, seeds=FRESH))
        for name in names
    }
    small, gauss = science.at_the_end(runs, "train_loss").values()
    claim("orthogonal tanh, Adam: loss", small, most=0.4)  # .159 ± .01
    claim("Gaussian tanh, Adam: log10 of the loss", np.log10(gauss), least=-0.2)  # .08 ± .11
