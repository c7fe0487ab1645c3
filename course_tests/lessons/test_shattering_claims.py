"""What notebook 07c claims: rank, norms, skips and shattering, with seeds and margins."""

from __future__ import annotations

import numpy as np
import pytest

from course import data, measures
from course.lessons.isometry import science as isometry
from course.lessons.relu_family import science as relu_family
from course.lessons.shattering import science
from course_tests.claims import claim, seeds

pytestmark = pytest.mark.claims
DEPTHS = [0, 10, 50]
FRESH = tuple(seeds(100, 3))


# Representations.


def test_only_orthogonal_tanh_and_hard_tanh_keep_the_dimensions_of_their_inputs() -> None:
    """Participation ratio at width 128 with 256 inputs, depth 0/10/50: 85, and as below."""
    x = science.inputs(256, 128)
    for units, length in (("relu", 1.0), ("tanh", 1 / 64), ("hard-tanh", 0.1)):
        ranks = {}
        for weights in isometry.WEIGHTS:
            network = isometry.chain(units, weights, length=length, width=128, seeds=FRESH)
            ranks[weights] = science.by_depth(network, x, DEPTHS)
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
    network = science.variant("bare", depth=20, width=200, seeds=FRESH)
    x = science.inputs(100, 200)
    found = science.by_depth(network, x, range(21), measures.mean_cosine)
    cosine: list[float] = [found[0].mean()]
    for _ in range(20):
        cosine.append(float(relu_family.cosine_map(cosine[-1])))
    error = np.abs(found.mean(axis=1) - cosine).max()
    claim("cosine: largest error of the mean", error, most=0.1)  # .027 ± .004
    claim("cosine in layer 20", found[20], least=0.88)  # .946 ± .02
    assert relu_family.cosine_map(1.0) == pytest.approx(1.0)


# Norms, skips, and shattered gradients.


def test_batch_norm_keeps_the_rank_and_only_skips_keep_the_jacobian() -> None:
    """Effective rank at depth 50, n = 128 (input 118): 9.4, 26, 87, 105. Spread 47, 60, 42, 2.7."""
    x = science.inputs(256, 128)
    ranks = {
        name: science.by_depth(
            science.variant(name, width=128, seeds=FRESH), x, [50], measures.effective_rank
        )[0]
        for name in science.VARIANTS
    }
    claim("rank: layer norm over bare", ranks["layer norm"] - ranks["bare"], least=0)  # 11.8 ± 3
    claim("rank: layer norm", ranks["layer norm"], most=45)  # 27.6 ± 6
    for name in ("batch norm", "skips"):
        claim(f"rank: {name}", ranks[name], least=70)  # 89.2 ± 4, 105 ± .7
    for name in science.VARIANTS:
        network = science.frozen(science.variant(name, seeds=FRESH), x[:128, :64])
        layers = measures.layer_jacobians(list(network.blocks), x[:1, :64])
        spread = isometry.spread(isometry.along([j[:, 0] for j in layers], [50]))
        margin = {"most": 6.0} if name == "skips" else {"least": 20.0}
        # 50.6 ± 1e+01, 49.4 ± 1e+01, 49.6 ± 7, 2.39 ± .2
        claim(f"spread: {name}", spread, **margin)


def test_gradients_shatter_with_batch_norm_and_less_with_small_branches() -> None:
    found = {
        name: science.correlation(name, [0, 1, 5], seeds=seeds(0, 6)) for name in science.PATHS
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
def test_the_highest_rank_trains_worst_and_skips_train_best() -> None:
    """Training error after 100 steps of Adam: bare 21 %, layer norm 34, batch norm 88, skips 2."""
    digits = data.digits()
    runs = {name: list(science.learn(name, digits, seeds=FRESH)) for name in science.VARIANTS}
    error = {n: 1 - v for n, v in isometry.at_the_end(runs, "train_accuracy").items()}
    claim("skips: error", error["skips"], most=0.05)  # .0247 ± .005
    for name in ("bare", "layer norm"):
        claim(f"{name}: error", error[name], least=0.05, most=0.75)  # .32 ± .08, .41 ± .13
    claim("batch norm: error", error["batch norm"], least=0.7)  # .882 ± .01
