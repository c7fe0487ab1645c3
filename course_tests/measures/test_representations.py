"""What one matrix of activations says, against definitions written out, and at the edges."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from course import measures
from course.networks import activations

FLOATS = st.floats(-100, 100, allow_nan=False, width=32)
MATRIX_MEASURES = {
    "effective_rank": measures.effective_rank,
    "participation_ratio": measures.participation_ratio,
    "mean_cosine": measures.mean_cosine,
    "dead": measures.dead,
    "norm": measures.sample_norm,
    "saturated": lambda x: measures.saturated(x, "tanh"),
    "neighbours": lambda x: measures.nearest_neighbour_accuracy(x, range(x.shape[-2])),
}


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def slope(name, z):
    extra = {"relu6": functional.relu6, "silu": functional.silu}
    function = extra.get(name) or activations.activation(name)
    point = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(function(point).sum(), point)
    return found.numpy()


@pytest.mark.parametrize("name", measures.FLAT)
def test_flat_is_where_the_slope_is_under_five_percent_of_the_greatest_and_stays_there(name):
    z = np.linspace(-12, 12, 24_001) + 1e-6
    share = np.abs(slope(name, z)) / np.abs(slope(name, z)).max()
    least, most = measures.FLAT[name]
    outside = (z <= least) | (z >= most)
    assert (share[outside] <= 0.0502).all()
    for end in (least, most):
        if math.isfinite(end):
            inward = end + (1e-3 if end == least else -1e-3)
            assert abs(slope(name, inward)) / abs(slope(name, z)).max() > 0.0498
    if name in ("identity", "leaky-relu"):
        assert not outside.any()


@given(st.integers(1, 8), st.floats(1e-150, 1e150))
def test_equal_singular_values_count_one_each_whatever_their_scale(k, scale):
    values = torch.full((k,), scale, dtype=torch.float64)
    assert measures.entropy_rank(values).item() == pytest.approx(k)
    assert measures.participation(values).item() == pytest.approx(k)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=6).filter(any))
def test_both_ranks_lie_between_one_and_the_number_of_values_and_the_entropy_rank_is_larger(values):
    entropy, ratio = measures.entropy_rank(values).item(), measures.participation(values).item()
    p = np.array(values) / np.sum(values)
    expected = math.exp(-sum(x * math.log(x) for x in p if x > 0))
    assert entropy == pytest.approx(expected, rel=1e-9)
    assert 1 - 1e-9 <= ratio <= entropy + 1e-9 <= len(values) + 2e-9


def test_participation_is_that_of_the_covariance_matrix():
    x = noise(50, 7) @ torch.diag(torch.arange(1.0, 8.0).double()) + 3
    covariance = torch.cov(x.T)
    expected = covariance.trace() ** 2 / (covariance @ covariance).trace()
    assert measures.participation_ratio(x).item() == pytest.approx(expected.item())


def test_the_shared_mean_counts_only_without_centring():
    x = noise(40, 5) * 1e-3 + 7
    assert measures.effective_rank(x).item() > 4.5
    assert measures.effective_rank(x, centred=False).item() < 1.01


def test_rounding_alone_is_no_direction():
    """Tanh layers of PyTorch's weights make all examples alike, down to what 32 bits can hold."""
    draw = torch.Generator().manual_seed(0)
    h = torch.randn(128, 32, generator=draw, dtype=torch.float64)
    single, ranks = h.float(), []
    for _ in range(45):
        weight, bias = (
            (2 * torch.rand(rows, 32, generator=draw, dtype=torch.float64) - 1) / 32**0.5
            for rows in (32, 1)
        )
        h, single = (
            torch.tanh(h @ weight + bias),
            torch.tanh(single @ weight.float() + bias.float()),
        )
        ranks.append([measures.effective_rank(x).item() for x in (h, single)])
    double, shown = torch.tensor(ranks).T
    torch.testing.assert_close(shown[:15], double[:15], rtol=0.01, atol=0)
    assert (shown <= double + 0.01).all()
    assert (shown[-5:] == 0).all() and (double[-5:] > 1).all()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_identical_samples_have_no_dimension_even_when_their_mean_is_rounded(scale):
    for seed in range(5):
        x = (scale * noise(9, seed=seed)).float().repeat(100, 1)
        assert measures.effective_rank(x).item() == 0
        assert measures.participation_ratio(x).item() == 0
        assert measures.mean_cosine(x).item() == pytest.approx(1)


@pytest.mark.parametrize("name", MATRIX_MEASURES)
def test_a_matrix_with_nan_or_infinity_gives_nan_and_spoils_no_other(name):
    x = noise(4, 6, 3)
    alone = MATRIX_MEASURES[name](x)
    x[1, 2, 0], x[2, 0, 0] = math.nan, math.inf
    spoiled = MATRIX_MEASURES[name](x)
    assert spoiled.shape == (4,) and spoiled.dtype == torch.float64
    assert spoiled[1:3].isnan().all()
    torch.testing.assert_close(spoiled[[0, 3]], alone[[0, 3]])


@pytest.mark.parametrize("name", MATRIX_MEASURES)
def test_leading_axes_are_free(name):
    x = noise(2, 3, 5, 4)
    every = MATRIX_MEASURES[name](x)
    assert every.shape == (2, 3)
    torch.testing.assert_close(every[1, 2], MATRIX_MEASURES[name](x[1, 2]))


@pytest.mark.parametrize("name", MATRIX_MEASURES)
@pytest.mark.parametrize("scale", [1e-300, 1e-20, 1e20, 1e300])
def test_scale_neither_overflows_nor_counts(name, scale):
    x = noise(6, 4).clamp(-1, 1)
    if name == "norm":
        expected = scale * MATRIX_MEASURES[name](x)
        torch.testing.assert_close(MATRIX_MEASURES[name](x * scale), expected, rtol=1e-12, atol=0)
    elif name != "saturated":
        torch.testing.assert_close(MATRIX_MEASURES[name](x * scale), MATRIX_MEASURES[name](x))


def test_zero_one_sample_and_one_unit_are_defined():
    zero, one, thin = torch.zeros(5, 3), torch.ones(1, 3), torch.arange(1.0, 6.0)[:, None]
    assert [measures.effective_rank(x).item() for x in (zero, one, thin)] == [0, 0, 1]
    assert [measures.participation_ratio(x).item() for x in (zero, one, thin)] == [0, 0, 1]
    assert math.isnan(measures.mean_cosine(zero)) and math.isnan(measures.mean_cosine(one))
    assert measures.mean_cosine(thin).item() == pytest.approx(1)
    assert measures.dead(zero).item() == 1 and measures.dead(one).item() == 0
    assert math.isnan(measures.nearest_neighbour_accuracy(one, [0]))
    assert measures.sample_norm(zero).item() == 0


@given(st.lists(st.lists(FLOATS, min_size=3, max_size=3), min_size=2, max_size=6))
@settings(max_examples=60)
def test_mean_cosine_is_the_mean_over_all_pairs_that_have_a_direction(rows):
    x = np.array(rows)
    x = x[np.abs(x).max(1) > 1e-6]
    pairs = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for i, a in enumerate(x)
        for j, b in enumerate(x)
        if i != j
    ]
    found = measures.mean_cosine(np.vstack([x, np.zeros((2, 3))])).item()
    assert found == pytest.approx(np.mean(pairs), abs=1e-9) if pairs else math.isnan(found)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=2, max_size=9))
def test_neighbours_agree_as_counted_one_by_one_with_ties_shared(points):
    x, y = np.array([[p, 0.0] for p, _ in points]), np.array([label for _, label in points])
    shares = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        least = min(abs(x[i, 0] - x[j, 0]) for j in others)
        nearest = [y[j] for j in others if abs(x[i, 0] - x[j, 0]) == least]
        shares.append(Counter(nearest)[y[i]] / len(nearest))
    found = measures.nearest_neighbour_accuracy(x, y).item()
    assert found == pytest.approx(np.mean(shares))


def test_neighbours_are_told_apart_beside_a_huge_common_mean():
    x = torch.tensor([[0.0], [1.0], [4.0], [5.0]]).double() * 1e-3 + 1e9
    assert measures.nearest_neighbour_accuracy(x, [0, 0, 1, 1]).item() == 1


def test_labels_per_replica():
    x = torch.tensor([[0.0], [1.0], [4.0], [5.0]]).expand(2, 4, 1)
    y = torch.tensor([[0, 0, 1, 1], [0, 1, 0, 1]])
    assert measures.nearest_neighbour_accuracy(x, y).tolist() == [1, 0]


def test_dead_units_and_saturated_shares():
    x = torch.tensor([[0.0, 1.0, 0.0, -0.0], [0.0, 0.0, 2.0, 0.0]])
    assert measures.dead(x).item() == 0.5
    z = torch.tensor([[-3.0, -1.0], [0.0, 3.0]])
    shares = {"tanh": 0.5, "hard-tanh": 0.75, "relu": 0.75, "sigmoid": 0, "leaky-relu": 0}
    assert {name: measures.saturated(z, name).item() for name in shares} == shares


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: measures.effective_rank(torch.ones(3)), "shape of x"),
        (lambda: measures.effective_rank(torch.ones(0, 3)), "shape of x"),
        (lambda: measures.nearest_neighbour_accuracy(torch.ones(3, 2), [0, 1]), "shape of y"),
        (lambda: measures.nearest_neighbour_accuracy(torch.ones(3, 2), 1), "shape of y"),
        (
            lambda: measures.nearest_neighbour_accuracy(torch.ones(2, 3, 2), torch.ones(3, 3)),
            "of y",
        ),
        (lambda: measures.saturated(torch.ones(3, 2), "softmax"), "activation = 'softmax'"),
    ],
)
def test_bad_arguments_are_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_the_nearest_neighbours_of_one_sample() -> None:
    line = torch.tensor([0.0, 5.0, 1.0, -1.5, 9.0])[:, None]
    assert measures.nearest_neighbours(line, 0, 3).tolist() == [2, 3, 1]
    both = torch.stack([line, -2 * line.flip(0)])
    assert measures.nearest_neighbours(both, 4, 2).tolist() == [[1, 2], [2, 1]]
    alike = torch.zeros(4, 3)
    assert measures.nearest_neighbours(alike, 1, 3).tolist() == [0, 2, 3]
    far = 1e15 + line.double()
    assert measures.nearest_neighbours(far, 0, 3).tolist() == [2, 3, 1]
    for bad in ({"example": 5}, {"example": -1}, {"example": 0, "count": 5}):
        with pytest.raises(ValueError):
            measures.nearest_neighbours(line, **bad)
    with pytest.raises(ValueError, match="finite"):
        measures.nearest_neighbours(line * math.nan, 0)


def test_the_share_of_neighbours_of_a_class_is_the_accuracy_of_the_nearest() -> None:
    x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    y = torch.arange(40) % 3
    first = [int(measures.nearest_neighbours(x, k, 1)[0]) for k in range(40)]
    share = (y[first] == y).double().mean()
    assert share == measures.nearest_neighbour_accuracy(x, y)
