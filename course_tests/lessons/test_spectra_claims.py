"""What notebook 07 claims: spectra of products, sheets and Jacobians, with seeds and margins."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from course import data, measures, training
from course.lessons.initialization import mean_field
from course.lessons.relu_family import science as relu_family
from course.lessons.spectra import isometry, products, shattering, sheets
from course_tests.claims import claim, seeds

pytestmark = pytest.mark.claims
DEPTHS = [0, 10, 50]
FRESH = tuple(seeds(100, 3))


# Products of random matrices.


def test_shares_of_lost_directions_follow_the_closed_form() -> None:
    """At width 100, 1e-1, 1e-3, 1e-6: .067/.001/0, .60/.28/.085, .93/.86/.75."""
    found = products.spectrum("Gaussian", 1, width=100, seeds=seeds(0, 4)).log10
    claim("1 factor: share below 0.1", (found < -1).mean(1), least=0.04, most=0.09)  # .065 ± .005
    claim("1 factor: share below 0.001", (found < -3).mean(1), most=0.01)  # 0 ± 0
    for depth in (10, 100):
        found = products.spectrum("Gaussian", depth, width=100, seeds=seeds(0, 4)).log10
        for exponent in (-1, -3, -6):
            form = products.share_below(10.0**exponent, depth)
            share, label = (found < exponent).mean(1), f"{depth} factors: share below 1e{exponent}"
            # .606 ± .007, .276 ± .005, .0887 ± .004, .935 ± .008, .86 ± .008, .754 ± .005
            claim(label, share, least=form - 0.05, most=form + 0.05)
    claim("100 factors: log10 of the smallest", found[:, -1], most=-110)  # -127 ± 3
    claim("100 factors: log10 of the largest", found[:, 0], least=0, most=2)  # .886 ± .1


def test_each_rank_grows_at_its_own_rate() -> None:
    """400 factors of 8 x 8: log10 of each singular value over the depth, against Newman's rates."""
    spectrum = products.spectrum("Gaussian", 400, width=8, seeds=seeds(0, 6))
    found, form = spectrum.log10.mean(axis=0) / 400, products.exponents(8)
    claim("largest error of the mean rates", np.abs(found - form).max(), most=0.05)  # .0137 ± .006
    assert np.ptp(form) > 0.6  # so the tolerance is small beside what it measures
    # The determinant is exact: the mean of its logarithm is the sum of all rates.
    ones = products.spectrum("Gaussian", 1, width=8, seeds=seeds(0, 3000)).log10.sum(axis=1)
    claim("log10 of determinants", ones - form.sum(), least=-0.05, most=0.05)  # -.00899 ± .7


def test_orthogonal_products_lose_nothing_and_the_law_can_be_solved_for_depth() -> None:
    found = products.spectrum("orthogonal", 100, width=30, seeds=range(2)).log10
    np.testing.assert_allclose(found, 0, atol=1e-11)
    for share, threshold in ((0.9, 1e-3), (0.5, 2.0**-24)):
        depth = products.depth_for(share, threshold)
        assert products.share_below(threshold, round(depth)) == pytest.approx(share, abs=0.003)


# The crushed sheet.


def test_the_sheet_is_halved_by_every_map_unless_the_input_stays_connected() -> None:
    """Mean of log10(s2/s1) over 20 draws: -2.0, -3.7, -6.5 at 5, 10, 20; connected .2 at 50."""
    points = sheets.square(6)
    draws = [sheets.crush(points, 20, seed=k).ratio.mean(1) for k in seeds(0, 20)]
    for depth in (5, 10, 20):
        error = np.array([draw[depth] for draw in draws]) - sheets.expected_ratio(depth)
        # -.0248 ± .4, -.154 ± .7, -.271 ± .9
        claim(f"{depth} maps: log10(s2/s1), less computed", error, least=-1.2, most=1.2)
    joined = [sheets.crush(points, 50, seed=k, connected=True).ratio for k in seeds(0, 5)]
    median = np.median(np.stack(joined)[:, 5:])
    claim("connected: median of log10(s2/s1)", median, least=-1.3, most=-0.2)  # -.722 ± .01


@pytest.mark.parametrize("connected", [False, True])
def test_jacobians_of_a_sheet_are_those_of_its_points(connected: bool) -> None:
    """By differences, and for the deep part by the determinant, which is exact."""
    x, step = sheets.square(4), 1e-6
    found = sheets.crush(x, 3, seed=2, connected=connected)
    moved = [
        sheets.crush(x + step * sign * unit, 3, seed=2, connected=connected).points[3]
        for unit in np.eye(2)
        for sign in (1, -1)
    ]
    slopes = np.stack([moved[0] - moved[1], moved[2] - moved[3]], axis=1) / (2 * step)
    singular = np.linalg.svd(slopes, compute_uv=False)
    np.testing.assert_allclose(found.ratio[3], np.log10(singular[:, 1] / singular[:, 0]), atol=1e-4)
    assert (found.ratio[0] == 0).all() and found.points.shape == (4, 16, 2)
    thinned = sheets.crush(x, 3, seed=2, connected=connected, every=5)
    np.testing.assert_allclose(thinned.ratio, found.ratio[:, ::5], atol=1e-12)


def test_only_narrow_relu_networks_crush_a_plane() -> None:
    """50 layers, thinner than 1/1000 (or dead): 18 of 20 draws at width 10, none at width 100."""
    for width, least, most in ((10, 0.6, np.inf), (100, 0.0, 0.2)):
        thin = ~(sheets.mlp_ratio(width, 50, seeds=seeds(0, 20)) > -3)
        # .875 ± .3, 0 ± 0
        claim(f"width {width}: share of crushed planes", thin, least=least, most=most)


# Representations.


def test_only_orthogonal_tanh_and_hard_tanh_keep_the_dimensions_of_their_inputs() -> None:
    """Participation ratio at width 128 with 256 inputs, depth 0/10/50: 85, and as below."""
    x = shattering.inputs(256, 128)
    for units, length in (("relu", 1.0), ("tanh", 1 / 64), ("hard-tanh", 0.1)):
        ranks = {}
        for weights in isometry.WEIGHTS:
            network = isometry.chain(units, weights, length=length, width=128, seeds=FRESH)
            ranks[weights] = shattering.by_depth(network, x, DEPTHS)
            assert ranks[weights][0].mean() == pytest.approx(85, abs=2)
        # 8.66 ± 3, 12.4 ± 1, 13 ± 1
        claim(f"{units}, Gaussian, 10: rank", ranks["Gaussian"][1], most=16)
        # 1.46 ± .2, 3.32 ± .4, 3.36 ± .5
        claim(f"{units}, Gaussian, 50: rank", ranks["Gaussian"][2], most=6)
        if units == "relu":
            claim("relu, orthogonal, 50: rank", ranks["orthogonal"][2], most=4)  # 1.85 ± .8
        else:
            # 85.6 ± .3, 85.4 ± .3
            claim(f"{units}, orthogonal, 10: rank", ranks["orthogonal"][1], least=83)
            # 85.6 ± .3, 85.4 ± .3
            claim(f"{units}, orthogonal, 50: rank", ranks["orthogonal"][2], least=83)


def test_relu_pulls_the_cosine_of_any_two_inputs_to_one() -> None:
    network = shattering.variant("bare", depth=20, width=200, seeds=FRESH)
    x = shattering.inputs(100, 200)
    found = shattering.by_depth(network, x, range(21), measures.mean_cosine)
    cosine: list[float] = [found[0].mean()]
    for _ in range(20):
        cosine.append(float(relu_family.cosine_map(cosine[-1])))
    error = np.abs(found.mean(axis=1) - cosine).max()
    claim("cosine: largest error of the mean", error, most=0.1)  # .027 ± .004
    claim("cosine in layer 20", found[20], least=0.88)  # .946 ± .02
    assert relu_family.cosine_map(1.0) == pytest.approx(1.0)


# Jacobians.


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
    network = isometry.chain("tanh", "Gaussian", length=0.3, width=400, depth=10, seeds=FRESH)
    h = isometry.start("tanh", 0.3, width=400, seeds=FRESH)
    for number, block in enumerate(network.blocks, start=1):
        z = block.linear(h)
        length = z.square().flatten(1).mean(1).detach()
        # .269 to .33, each ± .04 at most
        claim(f"layer {number}: length", length, least=0.18, most=0.42)
        h = block(h)


@pytest.mark.parametrize("label", isometry.STARTS)
def test_the_spread_of_the_jacobian_grows_as_the_closed_form_says(label: str) -> None:
    units, weights, length = isometry.STARTS[label]
    rare = units == "hardtanh" and length < 0.2  # few units leave the straight part
    few = seeds(0, 48 if rare else 12)
    network = isometry.chain(units, weights, length=length, width=128, depth=32, seeds=few)
    start = isometry.start(units, length, width=128, seeds=few)
    found = isometry.spread(isometry.along(isometry.layer_jacobians(network, start), [16, 32]))
    each = isometry.spread_per_layer(units, length, weights)
    for depth, values in zip((16, 32), found, strict=True):
        ratio = values / (each * depth)
        # .88 to 1.08, each ± .4 at most
        claim(f"{label}, {depth}: spread over the computed one", ratio, least=0.45, most=1.55)


def test_off_the_critical_line_isometry_is_lost() -> None:
    """Orthogonal tanh, 100 layers: .18 at critical weights, over 1 with weights 1.1 times those."""
    start = isometry.start("tanh", 1 / 64, width=64, seeds=FRESH)
    spread = {}
    for scale in (1.0, 1.1):
        network = isometry.chain("tanh", "orthogonal", scale=scale, depth=100, seeds=FRESH)
        found = isometry.along(isometry.layer_jacobians(network, start), [100])
        spread[scale] = isometry.spread(found)
    claim("critical weights: spread", spread[1.0], most=0.3)  # .173 ± .005
    claim("weights times 1.1: spread", spread[1.1], least=1)  # 5.63 ± .9


def test_products_of_layer_jacobians_are_the_jacobian() -> None:
    network = isometry.chain("hard-tanh", "Gaussian", length=1.0, depth=6, width=12)
    x = isometry.start("hard-tanh", 1.0, width=12, seeds=(0, 1, 2))
    layers = isometry.layer_jacobians(network, x)
    found = isometry.along(layers, [1, 6])
    whole = torch.linalg.svdvals(measures.jacobian(network, x)[:, 0])
    np.testing.assert_allclose(10.0 ** found.log10[1], whole, rtol=1e-6, atol=1e-12)
    exact = measures.product_spectrum(layers)
    known = ~(exact.floor | found.floor[1])
    np.testing.assert_allclose(found.log10[1][known], exact.log10[known], atol=1e-6)


# Norms, skips, and shattered gradients.


def test_batch_norm_keeps_the_rank_and_only_skips_keep_the_jacobian() -> None:
    """Effective rank at depth 50, n = 128 (input 118): 9.4, 26, 87, 105. Spread 47, 60, 42, 2.7."""
    x = shattering.inputs(256, 128)
    ranks = {
        name: shattering.by_depth(
            shattering.variant(name, width=128, seeds=FRESH), x, [50], measures.effective_rank
        )[0]
        for name in shattering.VARIANTS
    }
    claim("rank: layer norm over bare", ranks["layer norm"] - ranks["bare"], least=0)  # 11.8 ± 3
    claim("rank: layer norm", ranks["layer norm"], most=45)  # 27.6 ± 6
    for name in ("batch norm", "skips"):
        claim(f"rank: {name}", ranks[name], least=70)  # 89.2 ± 4, 105 ± .7
    for name in shattering.VARIANTS:
        network = shattering.frozen(shattering.variant(name, seeds=FRESH), x[:128, :64])
        layers = measures.layer_jacobians(list(network.blocks), x[:1, :64])
        spread = isometry.spread(isometry.along([j[:, 0] for j in layers], [50]))
        margin = {"most": 6.0} if name == "skips" else {"least": 20.0}
        # 50.6 ± 1e+01, 49.4 ± 1e+01, 49.6 ± 7, 2.39 ± .2
        claim(f"spread: {name}", spread, **margin)


def test_gradients_shatter_with_batch_norm_and_less_with_small_branches() -> None:
    found = {
        name: shattering.correlation(name, [0, 1, 5], seeds=seeds(0, 6))
        for name in shattering.PATHS
    }
    one, bare, norm, skips, full, gentle = found.values()
    assert all(values[0].mean() == 1 for values in (one, bare, norm))
    claim("one layer, lag 1", one[1], least=0.93)  # .975 ± .02
    claim("bare, lag 1", bare[1], least=0.9)  # .959 ± .02
    claim("skips, lag 1", skips[1], least=0.85)  # .931 ± .05
    claim("batch norm, lag 1", norm[1], least=-0.2, most=0.2)  # -.0471 ± .06
    claim("batch norm, lag 5", norm[2], least=-0.2, most=0.2)  # -.035 ± .07
    claim("batch norm and skips, lag 1", full[1], least=0.1, most=0.75)  # .46 ± .12
    claim("batch norm and skips, lag 5", full[2], least=-0.15, most=0.15)  # -.0387 ± .08
    claim("small branches, lag 1", gentle[1], least=0.78)  # .88 ± .06
    claim("small branches, lag 5", gentle[2], least=0.25)  # .57 ± .17


# Training.


@pytest.mark.repeats
def test_near_isometry_trains_faster_but_the_most_isometric_is_not_the_fastest() -> None:
    """Loss after 100 steps: .15, .18, .64, 1.3, 1.9 in the order of `STARTS`."""
    digits = data.digits()
    runs = {name: list(isometry.learn(name, digits, seeds=FRESH)) for name in isometry.STARTS}
    loss = isometry.at_the_end(runs, "train_loss")
    margins = ((0.0, 0.3), (0.0, 0.3), (0.3, 0.9), (0.9, np.inf), (0.9, np.inf))
    for (name, values), (least, most) in zip(loss.items(), margins, strict=True):
        # .149 ± .004, .179 ± .02, .651 ± .03, 1.31 ± .1, 1.98 ± .1
        claim(f"{name}: loss", values, least=least, most=most)
    assert isometry.spread_per_layer("tanh", 0.25, "orthogonal") > 30 * (
        isometry.spread_per_layer("tanh", 1 / 64, "orthogonal")
    )
    assert isometry.at_the_end({"stopped": runs["ReLU, Gaussian (He)"][:3]}, "train_loss") == {}


def test_adam_narrows_the_gap_and_does_not_close_it() -> None:
    digits, adam = data.digits(), training.Adam(0.001)
    names = list(isometry.STARTS)[2:4]
    runs = {
        name: list(isometry.learn(name, digits, steps=60, optimizer=adam, seeds=FRESH))
        for name in names
    }
    small, gauss = isometry.at_the_end(runs, "train_loss").values()
    claim("orthogonal tanh, Adam: loss", small, most=0.4)  # .159 ± .01
    claim("Gaussian tanh, Adam: log10 of the loss", np.log10(gauss), least=-0.2)  # .08 ± .11


@pytest.mark.repeats
def test_the_highest_rank_trains_worst_and_skips_train_best() -> None:
    """Training error after 100 steps of Adam: bare 21 %, layer norm 34, batch norm 88, skips 2."""
    digits = data.digits()
    runs = {name: list(shattering.learn(name, digits, seeds=FRESH)) for name in shattering.VARIANTS}
    error = {n: 1 - v for n, v in isometry.at_the_end(runs, "train_accuracy").items()}
    claim("skips: error", error["skips"], most=0.05)  # .0247 ± .005
    for name in ("bare", "layer norm"):
        claim(f"{name}: error", error[name], least=0.05, most=0.75)  # .32 ± .08, .41 ± .13
    claim("batch norm: error", error["batch norm"], least=0.7)  # .882 ± .01
