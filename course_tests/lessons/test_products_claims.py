"""What notebook 07a claims: products of matrices and sheets, with seeds and margins."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from course.lessons.products import science, sheets
from course_tests.claims import claim, seeds

pytestmark = pytest.mark.claims


# Products of random matrices.


def test_shares_of_lost_directions_follow_the_closed_form() -> None:
    """At width 100, 1e-1, 1e-3, 1e-6: .067/.001/0, .60/.28/.085, .93/.86/.75."""
    found = science.spectrum("Gaussian", 1, width=100, seeds=seeds(0, 4)).log10
    claim("1 factor: share below 0.1", (found < -1).mean(1), least=0.04, most=0.09)  # .065 ± .005
    claim("1 factor: share below 0.001", (found < -3).mean(1), most=0.01)  # 0 ± 0
    for depth in (10, 100):
        found = science.spectrum("Gaussian", depth, width=100, seeds=seeds(0, 4)).log10
        for exponent in (-1, -3, -6):
            form = science.share_below(10.0**exponent, depth)
            share, label = (found < exponent).mean(1), f"{depth} factors: share below 1e{exponent}"
            # .606 ± .007, .276 ± .005, .0887 ± .004, .935 ± .008, .86 ± .008, .754 ± .005
            claim(label, share, least=form - 0.05, most=form + 0.05)
    claim("100 factors: log10 of the smallest", found[:, -1], most=-110)  # -127 ± 3
    claim("100 factors: log10 of the largest", found[:, 0], least=0, most=2)  # .886 ± .1


def test_each_rank_grows_at_its_own_rate() -> None:
    """400 factors of 8 x 8: log10 of each singular value over the depth, against Newman's rates."""
    spectrum = science.spectrum("Gaussian", 400, width=8, seeds=seeds(0, 6))
    found, form = spectrum.log10.mean(axis=0) / 400, science.exponents(8)
    claim("largest error of the mean rates", np.abs(found - form).max(), most=0.05)  # .0137 ± .006
    assert np.ptp(form) > 0.6  # so the tolerance is small beside what it measures
    # The determinant is exact: the mean of its logarithm is the sum of all rates.
    ones = science.spectrum("Gaussian", 1, width=8, seeds=seeds(0, 3000)).log10.sum(axis=1)
    claim("log10 of determinants", ones - form.sum(), least=-0.05, most=0.05)  # -.00899 ± .7


def test_orthogonal_products_lose_nothing_and_the_law_can_be_solved_for_depth() -> None:
    found = science.spectrum("orthogonal", 100, width=30, seeds=range(2)).log10
    np.testing.assert_allclose(found, 0, atol=1e-11)
    for share, threshold in ((0.9, 1e-3), (0.5, 2.0**-24)):
        depth = science.depth_for(share, threshold)
        assert science.share_below(threshold, round(depth)) == pytest.approx(share, abs=0.003)


def test_wide_products_fill_n_over_l_plus_1_directions_and_stretch_as_computed() -> None:
    for depth in (1, 3, 5):
        found = science.spectrum("Gaussian", depth, width=100, seeds=seeds(0, 10))
        form = float(science.directions(depth, 100))
        # 1 ± .008, .99 ± .05, .97 ± .05
        claim(f"{depth} factors: participation over n/(L+1)", found.participation_ratio / form,
              least=0.8, most=1.25)  # fmt: skip
        longest = 10 ** found.log10[:, 0] / float(science.largest(depth))
        # .98 ± .02, .96 ± .05, .94 ± .05
        claim(f"{depth} factors: s_1 over formula", longest, least=0.85, most=1.1)


def test_multiplying_stops_at_the_rounding_and_qr_does_not() -> None:
    for k in seeds(0, 3):
        factors = [factor[0] for factor in science.factors("Gaussian", 100, width=32, seeds=[k])]
        exact = science.spectrum("Gaussian", 100, width=32, seeds=[k]).log10[0]
        for double, least, most in ((False, 6, 12), (True, 13, 20)):
            values = science.by_hand([f if double else f.float() for f in factors])
            right = (np.abs(values - exact) < 0.5).sum()
            # 9 ± 0, 16.8 ± .5
            claim(f"float64 {double}: right values of 32", right, least=least, most=most)
        error = np.abs(science.by_qr(factors) - exact).max()
        claim("by QR: largest error, powers of ten", error, most=3.5)  # 1.4 ± .4


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


def test_along_the_filament_the_sheet_is_stretched() -> None:
    points = sheets.square(6)
    draws = [sheets.crush(points, 50, seed=k).largest.mean(1) for k in seeds(0, 30)]
    error = np.array([draw[50] for draw in draws]) - float(sheets.expected_largest(50))
    claim("50 maps: log10 of s_1, less computed", error, least=-1, most=1)  # 0 ± 1.3
    grown = np.array([draw[50] - draw[10] for draw in draws])
    claim("from 10 to 50 maps: log10 of s_1", grown, least=0.1)  # 1 ± 1.2


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
    np.testing.assert_allclose(found.largest[3], np.log10(singular[:, 0]), atol=1e-4)
    assert (found.ratio[0] == 0).all() and found.points.shape == (4, 16, 2)
    thinned = sheets.crush(x[::5], 3, seed=2, connected=connected)
    np.testing.assert_allclose(thinned.ratio, found.ratio[:, ::5], atol=1e-12)
    points = itertools.islice(sheets.moved(x, seed=2, connected=connected), 4)
    np.testing.assert_array_equal(np.stack(list(points)), found.points)


def test_only_narrow_relu_networks_crush_a_plane() -> None:
    """50 layers, thinner than 1/1000 (or dead): 18 of 20 draws at width 10, none at width 100."""
    for width, least, most in ((10, 0.6, np.inf), (100, 0.0, 0.2)):
        thin = ~(sheets.mlp_ratio(width, 50, seeds=seeds(0, 20)) > -3)
        # .875 ± .3, 0 ± 0
        claim(f"width {width}: share of crushed planes", thin, least=least, most=most)
