"""What notebook 07c claims: rank, norms, skips and shattering, with seeds and margins."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course import data, measures, seeding
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


def test_batch_norm_keeps_the_rank_and_only_small_branches_keep_the_jacobian() -> None:
    """Effective rank, 50 deep, n = 64 (input 59): 4, 12, 46, 52, 45; spread 49, 54, 45, 2.4, 10."""
    x = science.inputs(128, 64)
    ten = tuple(seeds(100, 10))
    networks = {name: science.variant(name, seeds=ten) for name in science.VARIANTS}
    rank = {
        name: science.by_depth(network, x, [50], measures.effective_rank)[0]
        for name, network in networks.items()
    }
    claim("rank: bare", rank["bare"], most=12)  # 4.26 ± 2.3
    claim("rank: layer norm less bare", rank["layer norm"] - rank["bare"], least=2)  # 8.1 ± 2
    claim("rank: layer norm", rank["layer norm"], most=22)  # 12.4 ± 2.5
    claim("rank: batch norm", rank["batch norm"], least=38)  # 45.8 ± 2.2
    claim("rank: small branches", rank["skips, small branches"], least=49)  # 52 ± .5
    claim("rank: skips, batch norm", rank["skips, batch norm"], least=41)  # 44.6 ± .5
    divided = science.by_depth(
        networks["bare"], x, [50], lambda h: measures.effective_rank(science.divided(h))
    )[0]
    claim("bare at unit length less layer norm", divided - rank["layer norm"], least=-6, most=6)
    spread = {name: science.jacobian_spread(network, x) for name, network in networks.items()}
    for name in ("bare", "layer norm", "batch norm"):
        claim(f"spread: {name}", spread[name], least=25)  # 49 ± 12, 54 ± 8, 45 ± 10
    claim("spread: small branches", spread["skips, small branches"], most=4)  # 2.42 ± .3
    claim("spread: skips, batch norm", spread["skips, batch norm"], least=6, most=18)  # 11.5 ± 2.6


def test_dividing_decorrelates_units_where_contrasts_vary() -> None:
    pictures = data.digits().x_train[:300]
    contrast = torch.exp(0.7 * torch.randn(300, 1, generator=seeding.generator(0, "contrast")))
    for name, examples in (("as they are", pictures), ("vary", pictures * contrast)):
        h = science.one_layer(examples, seeds=tuple(seeds(100, 10)))
        together, divided = (science.unit_correlation(part) for part in (h, science.divided(h)))
        margin = {"least": 0.02} if name == "vary" else {"least": -0.015, "most": 0.02}
        claim(f"{name}: correlation, less after dividing", (together - divided).numpy(), **margin)


def test_the_correlation_of_units_counts_those_that_change() -> None:
    h = torch.tensor([[1.0, 2.0, 0.0, 3.0], [2.0, 4.0, 0.0, 3.0], [3.0, 6.0, 0.0, 3.0]])
    assert science.unit_correlation(h).item() == pytest.approx(1.0)
    assert torch.isnan(science.unit_correlation(h[:, 2:]))
    h = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert science.unit_correlation(h).item() == pytest.approx(0.0)


def test_gradients_shatter_with_batch_norm_and_less_with_small_branches() -> None:
    found = {
        name: science.correlation(name, [0, 1, 5], seeds=seeds(100, 20)) for name in science.PATHS
    }
    one, bare, layer, norm, full, gentle = found.values()
    assert all(values[0].mean() == 1 for values in found.values())
    claim("one layer, lag 1", one[1], least=0.92)  # .98 ± .02
    claim("bare, lag 1", bare[1], least=0.72)  # .87 ± .07
    claim("batch norm, lag 1", norm[1], least=-0.2, most=0.2)  # -.04 ± .07
    claim("batch norm, lag 5", norm[2], least=-0.2, most=0.2)  # -.02 ± .07
    claim("batch norm and skips, lag 1", full[1], least=0.25, most=0.8)  # .52 ± .12
    claim("batch norm and skips, lag 5", full[2], least=-0.2, most=0.3)  # .03 ± .20
    claim("layer norm, lag 1", layer[1], least=0.25, most=0.7)  # .47 ± .1
    claim("layer norm, lag 5", layer[2], least=-0.2, most=0.35)  # .08 ± .15
    claim("small branches, lag 1", gentle[1], least=0.85)  # .95 ± .05
    claim("small branches, lag 5", gentle[2], least=0.6)  # .83 ± .12


def test_it_is_the_size_of_the_branches_that_counts_and_not_their_norm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = {"name": "resnet", "norm": "batch", "small": True}
    monkeypatch.setitem(science.VARIANTS, "small", small)
    network, x = science.variant("small", seeds=tuple(seeds(100, 5))), science.inputs(128, 64)
    rank = science.by_depth(network, x, [50], measures.effective_rank)[0]
    claim("small branches with batch norm: rank", rank, least=50)  # 54.4 ± .5
    claim("spread", science.jacobian_spread(network, x), most=3)  # 1.86 ± .16
    for norm, least in (("batch", 0.6), ("layer", 0.7)):
        path = {"name": "resnet", "depth": 49, "norm": norm, "branch": 1 / 7}
        monkeypatch.setitem(science.PATHS, "small", path)
        together = science.correlation("small", [1], seeds=seeds(100, 10))[0]
        claim(f"{norm} norm: neighbours", together, least=least)  # .77 ± .12, .84 ± .04


def test_layer_norm_shatters_near_0_only() -> None:
    """Away from 0 the signals of a line hardly turn, and their length is taken off."""
    near, together = [], []
    for seed in seeds(100, 12):
        gradients, x = science.gradients("ReLU, 24, layer norm", seed=seed), science.PATH[:, 0]
        near.append(float(gradients[x.abs() < 0.25].square().sum() / gradients.square().sum()))
        far = gradients[x > 1]
        together.append(float((far[1:] * far[:-1]).mean() / far.square().mean()))
    claim("share of the squares within 1/4 of 0", near, least=0.6)  # .83 ± .14
    claim("correlation of neighbours beyond 1", together, least=0.7)  # .90 ± .17


def test_large_weights_shatter_gradients_without_any_norm() -> None:
    """Fifty tanh layers, lags 1 and 5: sigma_w = 1 .99 and .81, 2.5 .18 and -.05."""
    fresh = seeds(100, 6)
    critical, chaos = (
        science.tanh_correlation(sigma_w, [1, 5], depth=50, seeds=fresh) for sigma_w in (1.0, 2.5)
    )
    claim("sigma_w = 1, lag 5", critical[1], least=0.55)  # .81 ± .12
    claim("sigma_w = 2.5, lag 1", chaos[0], most=0.7)  # .18 ± .27
    claim("sigma_w = 2.5, lag 5", chaos[1], least=-0.35, most=0.35)  # -.05 ± .17
    shallow = science.tanh_correlation(1.5, [1], depth=6, seeds=fresh)[0]
    claim("sigma_w = 1.5, 6 layers, lag 1", shallow, least=0.75)  # .9 ± .1


def test_singular_layers_lose_a_direction_and_a_skip_restores_it() -> None:
    for name, weights in science.SINGULAR.items():
        assert science.directions(weights) == (4 if name == "ordinary" else 3)
        assert science.directions(weights, skip=True) == 4


def test_small_branches_repair_a_resnet_at_two_depths_and_one_factor_does_not() -> None:
    for depth in (12, 48):
        together, share = science.repaired(depth**-0.5, depth)
        assert together > 0.7 and share > 0.1
    assert science.repaired(1.0, 48)[0] < 0.7
    assert science.repaired(1 / 48, 48)[1] < 0.1


# Training.


@pytest.mark.repeats
def test_only_networks_with_skips_learn_at_any_of_five_rates() -> None:
    """Lowest mean training loss: 1.9, 2.1, 1.9, .15, .1 (guessing is 2.3)."""
    digits, rates = data.digits().subset(1500, test=297), (0.001, 0.003, 0.01, 0.03, 0.1)
    for name in science.VARIANTS:
        network = science.variant(name, depth=30, width=24, seeds=seeds(100, 25), like=digits)
        loss, _ = isometry.sweep(network, digits, rates=rates)
        margin = {"most": 0.4} if "skips" in name else {"least": 1.2}
        claim(f"{name}: loss", loss[isometry.best(loss)], **margin)
