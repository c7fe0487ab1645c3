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

pytestmark = pytest.mark.claims
DEPTHS = [0, 10, 50]


# Products of random matrices.


def test_shares_of_lost_directions_follow_the_closed_form() -> None:
    """At width 100 and 4 draws, 1e-1, 1e-3, 1e-6: .067/.001/0, .60/.28/.085, .93/.86/.75."""
    found = products.spectrum("Gaussian", 1, width=100, seeds=range(4)).log10
    assert 0.04 < (found < -1).mean() < 0.09 and (found < -3).mean() < 0.01
    for depth in (10, 100):
        found = products.spectrum("Gaussian", depth, width=100, seeds=range(4)).log10
        for exponent in (-1, -3, -6):
            expected = products.share_below(10.0**exponent, depth)
            assert (found < exponent).mean() == pytest.approx(expected, abs=0.05)
    assert found[:, -1].max() < -110 and found[:, 0].min() > 0 and found[:, 0].max() < 2


def test_each_rank_grows_at_its_own_rate() -> None:
    """400 factors of 8 x 8: log10 of each singular value over the depth, against Newman's rates."""
    found = products.spectrum("Gaussian", 400, width=8, seeds=range(6)).log10.mean(axis=0) / 400
    np.testing.assert_allclose(found, products.exponents(8), atol=0.015)
    assert np.ptp(found) > 0.6  # so the tolerance is small beside what it measures
    # The determinant is exact: the mean of its logarithm is the sum of all rates.
    ones = products.spectrum("Gaussian", 1, width=8, seeds=range(3000)).log10.sum(axis=1)
    assert ones.mean() == pytest.approx(products.exponents(8).sum(), abs=0.03)


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
    found = np.mean([sheets.crush(points, 20, seed=k).ratio.mean(1) for k in range(20)], axis=0)
    for depth in (5, 10, 20):
        assert found[depth] == pytest.approx(sheets.expected_ratio(depth), abs=0.6)
    joined = [sheets.crush(points, 50, seed=k, connected=True).ratio for k in range(5)]
    assert -1.0 < np.median(np.stack(joined)[:, 5:]) < -0.4


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
    thin = [np.sum(~(sheets.mlp_ratio(n, 50, seeds=range(20)) > -3)) for n in (10, 100)]
    assert thin[0] >= 14 and thin[1] <= 1


# Representations.


def test_only_orthogonal_tanh_and_hard_tanh_keep_the_dimensions_of_their_inputs() -> None:
    """Participation ratio at width 128 with 256 inputs, depth 0/10/50: 85, and as below."""
    x = shattering.inputs(256, 128)
    for units, length in (("relu", 1.0), ("tanh", 1 / 64), ("hard-tanh", 0.1)):
        ranks = {}
        for weights in isometry.WEIGHTS:
            network = isometry.chain(units, weights, length=length, width=128)
            ranks[weights] = shattering.by_depth(network, x, DEPTHS).mean(axis=1)
            assert ranks[weights][0] == pytest.approx(85, abs=2)
        assert ranks["Gaussian"][1] < 16 and ranks["Gaussian"][2] < 6
        kept = ranks["orthogonal"]
        assert kept[2] < 4 if units == "relu" else kept[1:].min() > 83


def test_relu_pulls_the_cosine_of_any_two_inputs_to_one() -> None:
    network = shattering.variant("bare", depth=20, width=200)
    x = shattering.inputs(100, 200)
    found = shattering.by_depth(network, x, range(21), measures.mean_cosine).mean(axis=1)
    cosine: list[float] = [found[0]]
    for _ in range(20):
        cosine.append(float(relu_family.cosine_map(cosine[-1])))
    np.testing.assert_allclose(found, cosine, atol=0.05)
    assert found[20] > 0.9 and relu_family.cosine_map(1.0) == pytest.approx(1.0)


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
    network = isometry.chain("tanh", "Gaussian", length=0.3, width=400, depth=10, seeds=(0,))
    h = isometry.start("tanh", 0.3, width=400, seeds=(0,))
    for block in network.blocks:
        z = block.linear(h)
        assert z.square().mean().item() == pytest.approx(0.3, rel=0.25)
        h = block(h)


@pytest.mark.parametrize("label", isometry.STARTS)
def test_the_spread_of_the_jacobian_grows_as_the_closed_form_says(label: str) -> None:
    units, weights, length = isometry.STARTS[label]
    network = isometry.chain(units, weights, length=length, width=128, depth=32, seeds=range(6))
    start = isometry.start(units, length, width=128, seeds=range(6))
    found = isometry.spread(isometry.along(isometry.layer_jacobians(network, start), [16, 32]))
    each = isometry.spread_per_layer(units, length, weights)
    np.testing.assert_allclose(found.mean(axis=1) / (each * np.array([16, 32])), 1, atol=0.35)


def test_off_the_critical_line_isometry_is_lost() -> None:
    """Orthogonal tanh, 100 layers: .18 at critical weights, over 1 with weights 1.1 times those."""
    start = isometry.start("tanh", 1 / 64, width=64, seeds=(0, 1, 2))
    spread = {}
    for scale in (1.0, 1.1):
        network = isometry.chain("tanh", "orthogonal", scale=scale, depth=100)
        found = isometry.along(isometry.layer_jacobians(network, start), [100])
        spread[scale] = isometry.spread(found).mean()
    assert spread[1.0] < 0.3 and spread[1.1] > 1


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
            shattering.variant(name, width=128), x, [50], measures.effective_rank
        ).mean()
        for name in shattering.VARIANTS
    }
    assert (
        ranks["bare"] < ranks["layer norm"] < 45 and min(ranks["batch norm"], ranks["skips"]) > 70
    )
    spread = {}
    for name in shattering.VARIANTS:
        network = shattering.frozen(shattering.variant(name), x[:128, :64])
        layers = measures.layer_jacobians(list(network.blocks), x[:1, :64])
        spread[name] = isometry.spread(isometry.along([j[:, 0] for j in layers], [50])).mean()
    assert spread.pop("skips") < 6 and min(spread.values()) > 20


def test_gradients_shatter_with_batch_norm_and_less_with_small_branches() -> None:
    found = {
        name: shattering.correlation(name, [0, 1, 5], seeds=range(6)) for name in shattering.PATHS
    }
    one, bare, norm, skips, full, gentle = (values.mean(axis=1) for values in found.values())
    assert one[0] == bare[0] == norm[0] == 1
    assert one[1] > 0.95 and bare[1] > 0.9 and skips[1] > 0.88
    assert abs(norm[1:]).max() < 0.12
    assert 0.25 < full[1] < 0.55 and abs(full[2]) < 0.15
    assert gentle[1] > 0.8 and gentle[2] > 0.3


# Training.


def test_near_isometry_trains_faster_but_the_most_isometric_is_not_the_fastest() -> None:
    """Loss after 100 steps: .15, .18, .64, 1.3, 1.9 in the order of `STARTS`."""
    digits = data.digits()
    runs = {name: list(isometry.learn(name, digits)) for name in isometry.STARTS}
    loss = isometry.at_the_end(runs, "train_loss")
    hard, quarter, small, gauss, relu = loss.values()
    assert max(hard.max(), quarter.max()) < 0.3 < small.min() < small.max() < 0.9
    assert min(gauss.min(), relu.min()) > 0.9
    assert isometry.spread_per_layer("tanh", 0.25, "orthogonal") > 30 * (
        isometry.spread_per_layer("tanh", 1 / 64, "orthogonal")
    )
    assert isometry.at_the_end({"stopped": runs["ReLU, Gaussian (He)"][:3]}, "train_loss") == {}


def test_adam_narrows_the_gap_and_does_not_close_it() -> None:
    digits, adam = data.digits(), training.Adam(0.001)
    names = list(isometry.STARTS)[2:4]
    runs = {n: list(isometry.learn(n, digits, steps=60, optimizer=adam)) for n in names}
    small, gauss = isometry.at_the_end(runs, "train_loss").values()
    assert small.max() < 0.4 and gauss.min() > 0.8


def test_the_highest_rank_trains_worst_and_skips_train_best() -> None:
    """Training error after 100 steps of Adam: bare 21 %, layer norm 34, batch norm 88, skips 2."""
    digits = data.digits()
    runs = {name: list(shattering.learn(name, digits)) for name in shattering.VARIANTS}
    error = {n: 1 - v.mean() for n, v in isometry.at_the_end(runs, "train_accuracy").items()}
    assert error["skips"] < 0.05 < min(error["bare"], error["layer norm"])
    assert max(error["bare"], error["layer norm"]) < 0.5 and error["batch norm"] > 0.7
