"""Products of layers against arithmetic with hundreds of digits; Jacobians; shattered gradients."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from course import measures, networks

DOUBLE = torch.float64


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


def orthogonal(n, seed):
    return torch.linalg.qr(noise(n, n, seed=seed)).Q


def truth(factors):
    """log10 of the singular values, from the product of exactly these floats with 700 digits."""
    with mpmath.workdps(700):
        product, size = mpmath.matrix(factors[0].tolist()), mpmath.mpf(1)
        for factor in factors[1:]:
            product = product * mpmath.matrix(factor.tolist())
        for factor in factors:
            size *= float(factor.abs().max())
        zero = size * mpmath.mpf("1e-650")  # what 700 digits leave of an exact zero
        values = sorted(mpmath.svd_r(product, compute_uv=False), reverse=True)
        return np.array([float(mpmath.log10(v)) if v > zero else -math.inf for v in values])


def gaussian(n, length, replicas=1):
    return [noise(replicas, n, n, seed=7 * layer + n) / math.sqrt(n) for layer in range(length)]


@pytest.mark.parametrize(("n", "length"), [(1, 5), (2, 400), (5, 1), (6, 100), (9, 30)])
def test_random_products_are_accurate_to_eleven_digits_far_below_underflow(n, length):
    factors = gaussian(n, length, replicas=2)
    found = measures.product_spectrum(factors)
    assert found.log10.shape == found.floor.shape == (2, n)
    assert not found.floor.any()
    for replica in range(2):
        expected = truth([factor[replica] for factor in factors])
        np.testing.assert_allclose(found.log10[replica], expected, rtol=0, atol=2e-11)


@settings(max_examples=40, deadline=None)
@example(sizes=[1, 1, 1, 1], seed=0, scales=[-150, -250, -250, 0, 0], grading=0)  # 1e-650
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=6),
    st.integers(0, 10_000),
    st.lists(st.integers(-250, 250), min_size=5, max_size=5),
    st.sampled_from([0, 1, 3, 12]),
)
def test_any_shapes_scales_and_gradings(sizes, seed, scales, grading):
    """Bottlenecks give exact zeros. Steep gradings in any order: what isn't marked is right."""
    factors = []
    for layer, (rows, columns) in enumerate(pairwise(sizes)):
        grades = 10.0 ** (noise(rows, seed=seed + layer).clamp(-1, 1) * grading)
        matrix = grades[:, None] * noise(rows, columns, seed=seed + 100 + layer)
        factors.append(matrix * 10.0 ** scales[layer % 5])
    found = measures.product_spectrum(factors)
    most, kept = min(sizes[0], sizes[-1]), min(sizes)
    assert found.log10.shape == (most,)
    assert (found.log10[kept:] == -math.inf).all() and not found.floor[kept:].any()
    known = ~found.floor[:kept]
    assert known.all() or grading == 12
    error = np.abs(found.log10[:kept] - truth(factors)[:kept])[known].max(initial=0)
    assert error < {0: 1e-10, 1: 1e-9, 3: 1e-5, 12: 1e-3}[grading]


@pytest.mark.parametrize("length", [2, 40])
def test_a_steep_grading_in_every_factor_stays_accurate_in_every_value(length):
    """Q_0 D Q_1, then Q_1^T D Q_2 and so on: the product is Q_0 D^length Q, cond 1e4^length."""
    grades = torch.tensor([1e2, 1.0, 1e-1, 1e-2], dtype=DOUBLE)
    turns = [orthogonal(4, seed) for seed in range(length + 1)]
    pairs = pairwise(turns)
    factors = [before.mT @ torch.diag(grades) @ after for before, after in pairs]
    found = measures.product_spectrum(factors)
    np.testing.assert_allclose(found.log10, truth(factors), atol=1e-9)
    np.testing.assert_allclose(found.log10, length * np.log10(grades.numpy()), atol=1e-9)
    assert found.log10_condition == pytest.approx(4 * length)
    assert not found.floor.any()


def test_factors_that_undo_each_other_are_right_or_marked():
    steep = torch.diag(torch.tensor([1e3, 1.0, 1e-3], dtype=DOUBLE))
    back, turn = torch.linalg.inv(steep), orthogonal(3, 1)
    found = measures.product_spectrum([steep, turn, turn.mT, back])
    np.testing.assert_allclose(found.log10, 0, atol=1e-8)
    found = measures.product_spectrum([steep] * 50 + [back] * 50)
    assert (found.floor | (np.abs(found.log10) < 1e-3)).all()


def test_diagonals_in_any_order_are_right_or_marked():
    grades = torch.tensor([[-20.0, 3, 8, -1], [10, -30, 5, -2], [7, 7, -40, 0]], dtype=DOUBLE)
    found = measures.product_spectrum([torch.diag(10**row) for row in grades])
    assert (found.floor | (np.abs(found.log10 - [-3, -3, -20, -27]) < 1e-3)).all()


def test_a_lost_direction_is_marked_and_the_others_stay_accurate():
    """A dead unit makes a factor singular: what is left of its direction is rounding."""
    factors = [factor[0] for factor in gaussian(6, 30)]
    factors[4][:, 2] = 0
    factors[4][:, 5] = 0
    factors[20][1] = factors[20][0]  # two units that have become the same
    found = measures.product_spectrum(factors)
    assert found.floor.tolist() == [False] * 4 + [True] * 2
    np.testing.assert_allclose(found.log10[:4], truth(factors)[:4], atol=1e-11)


@pytest.mark.parametrize("alive", [0.5, 0.7, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_with_random_dead_units_what_is_not_marked_is_right_and_every_zero_is_marked(seed, alive):
    generator = torch.Generator().manual_seed(seed)
    factors = []
    for layer in range(5 + 8 * seed):
        mask = torch.rand(8, generator=generator) < alive
        factors.append(noise(8, 8, seed=100 * seed + layer) / 2 * mask)
    found, expected = measures.product_spectrum(factors), truth(factors)
    assert ((expected == -math.inf) == found.floor).all()
    np.testing.assert_allclose(found.log10[~found.floor], expected[~found.floor], atol=1e-11)


def test_a_direction_that_only_the_product_loses_is_marked_too():
    first, turn = torch.diag(torch.tensor([1.0, 1.0, 0.0, 0.0]).double()), orthogonal(4, 0)
    second = torch.diag(torch.tensor([0.0, 1.0, 1.0, 0.0]).double())
    found = measures.product_spectrum([turn @ first, second @ turn])
    assert found.floor.tolist() == [False, True, True, True]
    assert found.log10[0] == pytest.approx(0, abs=1e-12)
    assert (found.log10[1:] < -15).all()


def test_zero_and_nonfinite_products():
    factors = [factor.clone() for factor in gaussian(4, 5, replicas=4)]
    alone = measures.product_spectrum([factor[3] for factor in factors])
    factors[1][0] = 0
    factors[2][1, 0, 0] = math.nan
    factors[2][2, 1, 1] = -math.inf
    found = measures.product_spectrum(factors)
    assert (found.log10[0] == -math.inf).all() and np.isnan(found.log10[1:3]).all()
    assert not found.floor.any()
    np.testing.assert_allclose(found.log10[3], alone.log10, atol=1e-12)
    assert found.effective_rank[0] == found.participation_ratio[0] == 0
    assert np.isnan(found.effective_rank[1]) and np.isnan(found.log10_condition[1])
    assert found.log10_condition[0] == math.inf
    assert (found.relative[0] == 0).all() and found.relative[3, 0] == 1


def test_summaries_of_a_spectrum():
    found = measures.product_spectrum(
        [torch.diag(torch.tensor([2e-200, 1e-200], dtype=DOUBLE))] * 3
    )
    np.testing.assert_allclose(found.relative, [1, 1 / 8])
    assert found.participation_ratio == pytest.approx((1 + 1 / 64) ** 2 / (1 + 1 / 64**2))
    assert found.effective_rank == pytest.approx((9 / 8) * 8 ** (1 / 9))
    np.testing.assert_allclose(found.log10_condition, math.log10(8))


def test_condition_numbers():
    x = torch.stack([torch.diag(torch.tensor(d)) for d in ([8.0, 2.0], [1.0, 0.0], [0.0, 0.0])])
    assert measures.condition_number(x).tolist() == [4, math.inf, math.inf]
    assert math.isnan(measures.condition_number(torch.tensor([[1.0, math.nan]])))


def test_squared_spread():
    values = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 0.0]])
    np.testing.assert_allclose(measures.squared_spread(values), [0, 2])
    np.testing.assert_allclose(measures.squared_spread(values * 1e-300), [0, 2])


def plain(**changes):
    sizes: dict[str, Any] = dict(
        inputs=4, width=6, depth=3, outputs=5, seeds=range(3), dtype=DOUBLE
    )
    return networks.build("plain", **{**sizes, "activation": "tanh", **changes})


def one_by_one(function, x):
    """d y_bj / d x_bi from torch's Jacobian of everything by everything; x: (R, B, n)."""
    full = torch.autograd.functional.jacobian(function, x)
    replicas, batch = x.shape[:2]
    rows = [[full[r, b, :, r, b].T for b in range(batch)] for r in range(replicas)]
    return torch.stack([torch.stack(row) for row in rows])


@pytest.mark.parametrize("norm", [None, "layer", "batch"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_jacobians_of_replicas_equal_torch_s_for_each_input_alone(norm, training, chunk):
    network = plain(norm=norm).train(training)
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    x = noise(3, 4, 4)
    found = measures.jacobian(network, x, chunk=chunk)
    for name, buffer in network.named_buffers():
        assert torch.equal(buffer, before[name])
    assert found.shape == (3, 4, 4, 5)
    torch.testing.assert_close(found, one_by_one(network, x))
    shared = measures.jacobian(network, x[0])
    torch.testing.assert_close(shared[0], found[0])
    torch.testing.assert_close(shared[2], one_by_one(network, x[0].expand(3, 4, 4))[2])


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_jacobians_of_every_architecture(name):
    network = networks.build(
        name, inputs=4, width=6, depth=2, outputs=2, seeds=(0, 1), dtype=DOUBLE
    )
    x = noise(2, 3, 4)
    torch.testing.assert_close(measures.jacobian(network, x), one_by_one(network, x))


def test_jacobians_of_a_plain_module_and_of_a_constant():
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    x = noise(5, 3)
    torch.testing.assert_close(
        measures.jacobian(module, x), one_by_one(module, x[None].requires_grad_())[0]
    )
    assert (measures.jacobian(lambda x: torch.ones(5, 2, dtype=DOUBLE), x) == 0).all()


def test_the_jacobian_of_a_linear_layer_is_its_weight_and_that_of_a_chain_their_product():
    network = networks.mlp([4, 6, 6, 3], seeds=(0, 1), activation="identity", dtype=DOUBLE)
    weights = [p for n, p in network.named_parameters() if n.endswith("weight")]
    x = noise(2, 5, 4)
    each = measures.layer_jacobians([*network.blocks, network.head], x)
    for jacobian, weight in zip(each, weights, strict=True):
        torch.testing.assert_close(jacobian, weight.detach()[:, None].expand_as(jacobian))
    product = weights[0] @ weights[1] @ weights[2]
    torch.testing.assert_close(measures.jacobian(network, x)[:, 0], product.detach())
    found = measures.product_spectrum(each)
    np.testing.assert_allclose(
        10.0**found.log10, torch.linalg.svdvals(measures.jacobian(network, x)), rtol=1e-9
    )


def test_layer_jacobians_need_layers_that_treat_inputs_one_by_one():
    network = plain(norm="batch")
    layers = [network.stem, *network.blocks, network.head]
    x = noise(3, 4, 4)
    with pytest.raises(ValueError, match=r"layers\[0\]"):
        measures.layer_jacobians(layers, x)
    network.eval()
    product = torch.linalg.multi_dot([j[1, 2] for j in measures.layer_jacobians(layers, x)])
    torch.testing.assert_close(product, measures.jacobian(network, x)[1, 2])


def test_the_jacobian_of_a_network_with_nan_is_nan_in_that_replica_alone():
    network = plain(norm=None)
    with torch.no_grad():
        network.head.weight[1, 0, 0] = math.nan
    found = measures.jacobian(network, noise(2, 4))
    assert found[1].isnan().any() and found[[0, 2]].isfinite().all()


def test_path_gradients_are_those_of_the_sum_of_the_outputs():
    network = plain(norm="batch")
    path = torch.linspace(-1, 1, 7, dtype=DOUBLE)[:, None] * noise(4)
    found = measures.path_gradients(network, path)
    full = torch.autograd.functional.jacobian(network, path)  # (R, T, m, T, n)
    torch.testing.assert_close(found, full.sum((1, 2)))


def test_gradient_correlation_is_the_mean_centred_autocorrelation():
    g = noise(2, 30, 3)
    found = measures.gradient_correlation(g * 1e-200, range(4))
    assert found.shape == (2, 4)
    centred = (g - g.mean(1, keepdim=True)).numpy()
    for lag in range(4):
        expected = (centred[:, : 30 - lag] * centred[:, lag:]).sum((1, 2)) / (centred**2).sum(
            (1, 2)
        )
        np.testing.assert_allclose(found[:, lag], expected, rtol=1e-10)


def test_correlation_of_a_constant_or_broken_gradient_is_not_a_number():
    g = noise(3, 9, 1)
    g[0] = 0.1
    g[1, 4] = math.inf
    found = measures.gradient_correlation(g, [0, 1])
    assert found[:2].isnan().all() and found[2, 0] == 1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: measures.product_spectrum([]), "factors"),
        (lambda: measures.product_spectrum([torch.ones(3)]), r"shape of factors\[0\]"),
        (lambda: measures.product_spectrum([torch.ones(2, 3), torch.ones(2, 3)]), r"factors\[1\]"),
        (lambda: measures.product_spectrum([torch.ones(2, 3, 3), torch.ones(3, 3)]), r"\[1\]"),
        (lambda: measures.jacobian(nn.Linear(2, 2), torch.ones(2)), "x = "),
        (lambda: measures.jacobian(nn.Linear(2, 2), np.ones((3, 2))), "x = 'ndarray'"),
        (lambda: measures.jacobian(nn.Linear(2, 2), torch.ones(0, 2)), "x = "),
        (lambda: measures.jacobian(nn.Linear(2, 2), torch.ones(1, 2).long()), "x = "),
        (lambda: measures.jacobian(nn.Linear(2, 2), torch.ones(1, 2), chunk=0), "chunk = 0"),
        (
            lambda: measures.jacobian(lambda x: x.sum(0), torch.ones(3, 2)),
            r"shape of function\(x\)",
        ),
        (lambda: measures.gradient_correlation(torch.ones(4, 1), [4]), "lags = 4"),
        (lambda: measures.gradient_correlation(torch.ones(4, 1), [-1]), "lags = -1"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
