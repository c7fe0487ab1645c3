"""Notebook 12b: what first weights can do, and what blocks are good for.

Fresh seeds: none of those that the notebook uses.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import data, experiments, measures, networks, seeding
from course.lessons.degradation import science as degradation
from course.lessons.norms import science as norms
from course.lessons.starts import exercise, explorer, record, remedies, science, sums
from course.networks import initializers
from course_tests.claims import claim, seeds
from course_tests.corners import corners, visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(10, 10))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def fitted(name: str, depth: int, examples: data.Dataset, count: int = 3) -> np.ndarray:
    net = remedies.network(name, examples, depth, seeds(SEEDS[0], count))
    *_, last = remedies.train(name, net, examples)
    assert last.train_accuracy is not None
    return last.train_accuracy


@pytest.mark.claims
@pytest.mark.repeats
def test_looks_linear_trains_fifty_plain_blocks_as_well_as_a_resnet(digits: data.Dataset) -> None:
    mirrored, skips = (fitted(name, 50, digits) for name in ("looks-linear", "ResNet, batch norm"))
    claim("looks-linear, 50 blocks", mirrored, least=0.96)  # .987 ± .002
    claim("looks-linear over ResNet, 50 blocks", mirrored - skips, least=-0.03)  # -.013 ± .006
    for name in ("no norm", "batch norm", "layer norm"):
        # .252 ± .05, .193 ± .04, .213 ± .04
        claim(f"{name}, 50 blocks", fitted(name, 50, digits), most=0.5)


@pytest.mark.claims
@pytest.mark.repeats
def test_the_controls_fit_digits_as_well(digits: data.Dataset) -> None:
    """No hidden layer, one, and fifty layers without a curve: what a remedy has to beat."""
    claim("no hidden layer", fitted(remedies.NOTHING, 0, digits), least=0.96)  # .985 ± .001
    claim("one hidden layer", fitted("looks-linear", 0, digits), least=0.97)  # .997 ± .001
    claim("fifty layers, no curve", fitted("no curve", 50, digits), least=0.95)  # .983 ± .002


@pytest.mark.claims
@pytest.mark.repeats
def test_other_starts_train_too_and_selu_loses_with_depth(digits: data.Dataset) -> None:
    for name in ("zero branches", "ReZero", "branches / √L"):
        claim(f"{name}, 50 blocks", fitted(name, 50, digits), least=0.9)  # each about .985 ± .005
    ten, fifty = (fitted("SELU", depth, digits, count=8) for depth in (10, 50))
    claim("SELU, 10 blocks", ten, least=0.95)  # .985 ± .004
    claim("SELU, 50 blocks less than 10", ten - fifty, least=0.1)  # .32 ± .05
    trained, rank = {}, {}
    for law in ("lecun_normal", "orthogonal"):
        options = {**remedies.SELU, "init": law}
        net = degradation.network("plain", digits, depth=50, seeds=MANY, **options)
        profile = degradation.profile(net, digits, places=2)
        rank[law] = profile.rank[-1]
        claim(f"SELU, {law}: growth per block", profile.growth, least=1.02, most=1.06)
        *_, last = degradation.train(net, digits, epochs=5, rate=0.001)
        trained[law] = np.asarray(last.train_accuracy)
    claim("SELU: rank, orthogonal over LeCun", rank["orthogonal"] - rank["lecun_normal"], least=10)
    more = trained["orthogonal"] - trained["lecun_normal"]
    claim("SELU, 50 blocks: orthogonal over LeCun", more, least=0.1)


@pytest.mark.claims
def test_divided_branches_keep_the_stream_at_any_depth(digits: data.Dataset) -> None:
    for depth in (10, 50):
        grown = science.growth_of_stream(digits, depth=depth, branch=depth**-0.5, seeds=MANY)
        claim(f"{depth} blocks, divided", grown, least=1.8, most=4.0)  # 2.54 ± .2, 3 ± .6
    doubled = science.growth_of_stream(digits, depth=10, branch=1.0, seeds=MANY) ** 0.1
    claim("as they are: factor per block", doubled, least=1.8, most=2.2)  # 1.97 ± .07


@pytest.mark.claims
@pytest.mark.repeats
def test_one_rate_serves_all_depths_where_branches_are_divided(digits: data.Dataset) -> None:
    rates = (0.001, 0.01, 0.1)
    for depth in (4, 16):
        losses = science.losses_by_rate(digits, rates, depth=depth, branch=depth**-0.5, seeds=SEEDS)
        claim(f"{depth} blocks, 0.1 better than 0.01", losses[1] - losses[2], least=0.05)  # .2
    undivided = science.losses_by_rate(digits, rates, depth=16, branch=1.0, seeds=SEEDS)
    assert not (undivided.mean(1) < 1.5).any()


def test_one_summand_tells_nothing_about_the_sum(digits: data.Dataset) -> None:
    pairs = sums.sums(digits, count=4000, test=50)
    assert pairs.shape == (1, 8, 16) and pairs.x_train.shape == (4000, 128)
    left = pairs.x_train.unflatten(1, (8, 16))[:, :, :8].flatten(1)
    nearest = torch.cdist(left, digits.x_train).argmin(1)
    first = digits.y_train[nearest]
    counts = torch.zeros(10, 10).index_put((first, pairs.y_train), torch.ones(()), accumulate=True)
    assert (counts / counts.sum(1, keepdim=True) - 0.1).abs().max() < 0.06


@pytest.mark.parametrize("name", record.DATA)
def test_the_record_is_what_the_command_writes(name: str) -> None:
    chosen = record.best(experiments.recorded("starts", name))
    assert list(chosen) == [(net, L) for net, depths in record.RATES.items() for L in depths]
    for (net, depth), runs in chosen.items():
        assert runs["rate"] in record.RATES[net][depth]
        assert runs["train"].shape == runs["test"].shape == (len(record.SEEDS),)


def test_the_checks_of_the_exercises_hint(
    capsys: pytest.CaptureFixture[str], digits: data.Dataset
) -> None:
    exercise.check_mirrored(lambda V: np.block([[V, -V], [-V, V]]))
    assert "right in all" in capsys.readouterr().out
    exercise.check_mirrored(lambda V: np.block([[V, V], [V, V]]))
    assert "minus" in capsys.readouterr().out
    assert not exercise.check_branch(lambda depth, most: most ** (1 / depth) - 1)
    assert "root" in capsys.readouterr().out
    assert exercise.check_branch(exercise.solve_branch)
    assert "right in all" in capsys.readouterr().out


def test_looks_linear_is_linear_and_orthogonal(digits: data.Dataset) -> None:
    net = networks.build(
        "looks-linear", inputs=64, width=50, outputs=10, depth=50, seeds=SEEDS, norm=None,
        dtype=torch.float64,
    )  # fmt: skip
    x = digits.x_train[:3].double()
    slopes = measures.jacobian(net, x)
    assert (torch.linalg.svdvals(slopes) - 1).abs().max() < 1e-12
    assert (slopes - slopes[:, :1]).abs().max() < 1e-12  # the same at every picture
    with torch.no_grad():
        assert (net(x[:1] + x[1:2]) - net(x[:1]) - net(x[1:2])).abs().max() < 1e-12
    found = norms.signals(net, digits)
    assert np.abs(found.growth - 1).max() < 1e-12
    assert np.all(degradation.profile(net.float(), digits).neighbours[-1] > 0.95)


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 1.5), st.integers(2, 60))
def test_the_whole_map_is_a_power(weight: float, layers: int) -> None:
    found = science.whole_map("looks-linear", weight, layers, units=6, seeds=(3,))
    assert np.allclose(found.singular, weight**layers, rtol=1e-9)
    assert np.allclose(found.sizes[:, 0], weight ** np.arange(layers + 1.0), rtol=1e-9)


@pytest.mark.parametrize("kind", science.MAPS)
def test_the_whole_map_is_that_of_the_network(kind: str) -> None:
    found = science.whole_map(kind, 1.0, 4, units=6, seeds=(3, 4))
    law = {"Gaussian": science.gaussian, "orthogonal": initializers.orthogonal}.get(kind)
    init = {} if law is None else {"init": partial(law, gain=2**0.5)}
    net = networks.build(
        "plain" if init else kind, inputs=6, width=12, outputs=6, depth=2, seeds=(3, 4), norm=None,
        bias=0.0, dtype=torch.float64, **init,
    )  # fmt: skip
    stream = seeding.generator(3, "inputs")
    x = torch.randn(1, 6, generator=stream, dtype=torch.float64)
    slopes = measures.jacobian(net, x)[:, 0]
    assert np.allclose(found.singular, torch.linalg.svdvals(slopes).T, rtol=1e-9)
    with torch.no_grad():
        assert np.allclose(found.sizes[-1], net(x).norm(dim=(1, 2)) / x.norm(), rtol=1e-9)


@pytest.mark.claims
def test_relu_keeps_the_size_and_spreads_the_spectrum() -> None:
    for kind in ("orthogonal", "Gaussian"):
        found = science.whole_map(kind, 1.0, 50, seeds=MANY)
        size, kept = np.median(found.sizes[-1]), found.singular[-1] / found.singular[0]
        # -.312 ± .2, -.516 ± .2
        claim(f"{kind}: log10 of the median size", np.log10(size), least=-1.2, most=0.7)
        # 1.3e-18 ± 1e-18, 1.3e-18 ± 1e-18
        claim(f"{kind}: smallest over largest singular value", kept, most=1e-12)
    law = partial(science.gaussian, gain=2.0)
    drawn = law(300, 600, torch.Generator().manual_seed(0))
    q = initializers.orthogonal(300, 600, torch.Generator().manual_seed(0), gain=2.0)
    assert math.isclose(drawn.std(), q.std(), rel_tol=0.02)


def test_selu_comes_back_to_mean_0_and_variance_1() -> None:
    for mean, deviation in ((0.0, 1.0), (2.0, 0.5), (-3.0, 5.0)):
        form = science.expected_moments("selu", 60, mean=mean, deviation=deviation)
        assert abs(form.mean[-1]) < 2e-3 and abs(form.variance[-1] - 1) < 2e-3
        found = science.measured_moments("selu", 60, mean=mean, deviation=deviation, seeds=SEEDS)
        assert np.abs(found.mean[-1]).max() < 0.15
        assert np.abs(found.variance[-1] - 1).max() < 0.2
    assert science.expected_moments("relu", 60).variance[-1] < 1e-15
    assert science.expected_moments("selu", 60, gain=1.5).variance[-1] > 100


def test_the_extremes_of_the_explorers_neither_fail_nor_warn() -> None:
    places = corners(activation=("selu", "tanh"), gain=(0.0, 2.0), depth=(1, 100))
    texts, _ = visit(explorer.explore_moments(), places)
    form = "{activation}, weights LeCun times {gain:g}, {depth} layer"
    assert all(form.format(**at) in t for at, t in zip(places, texts, strict=True))
    assert {text.count("Layer 1:") for text in texts} == {1}  # also where it is the last
    places = corners(kind=tuple(science.MAPS), weight=(0.0, 1.5), layers=(2, 100))
    texts, _ = visit(explorer.explore_map(), places)
    form = "{kind}, w = {weight:g}, {layers} layers"
    assert all(form.format(**at) in t for at, t in zip(places, texts, strict=True))
    with pytest.raises(ValueError, match="kind = 'zero'"):
        explorer.explore_map(kind="zero")
