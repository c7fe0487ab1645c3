"""Notebook 10c: networks of convolutions. Fresh seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from course import data, networks
from course.lessons.convolutions import science
from course.lessons.convolutions.exercise import check_convolve, check_weights, solve_convolve
from course.lessons.degradation import science as degradation
from course_tests.claims import claim, seeds

SEEDS = tuple(seeds(30, 5))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1000, 297)


def test_without_a_border_growth_is_that_of_a_dense_layer() -> None:
    assert science.growth(1) == pytest.approx(degradation.GROWTH)
    sizes = [science.growth(side) for side in (2, 4, 8, 16, 32, 64)]
    assert sizes == sorted(sizes)
    # The border's share, and with it what is lacking, falls as 1 over the side: carried on to none.
    assert 2 * sizes[-1] - sizes[-2] == pytest.approx(degradation.GROWTH, abs=0.001)


def test_the_border_by_hand() -> None:
    """Maps of 2 x 2: each place sees four of the nine weights, the middle one always."""
    draws = np.random.default_rng(0).normal(size=(20_000, 3, 3))
    corners = [draws[:, i : i + 2, j : j + 2].sum((1, 2)) for i in (0, 1) for j in (0, 1)]
    vary = np.var(corners, axis=0)
    passed = 2 / (4 * (math.pi - 1) / (2 * math.pi) + vary / (2 * math.pi))
    assert science.growth(2) == pytest.approx(math.sqrt(passed.mean()), rel=1e-6)


@pytest.mark.claims
def test_gradients_grow_and_neighbours_are_lost(digits: data.Dataset) -> None:
    plain, resnet = (
        science.network(name, digits, depth=34, width=16, seeds=SEEDS)
        for name in ("plain", "resnet")
    )
    measured = science.gradients(plain, digits)
    for side in (1, 2, 4, 8):
        off = measured.per_layer(side) - science.growth(side)
        claim(f"growth per layer, side {side}, less formula", off, least=-0.05, most=0.06)
    claim("plain, first over last", measured.sizes[0] / measured.sizes[-1], least=20)  # 52 ± 9
    other = science.gradients(resnet, digits)
    claim("resnet, first over last", other.sizes[0] / other.sizes[-1], most=10)  # 5.3 ± .5
    claim("plain, neighbours", science.neighbours(plain, digits), most=0.2)  # .09 ± .02
    claim("resnet, neighbours", science.neighbours(resnet, digits), least=0.7)  # .87 ± .04


@pytest.mark.claims
@pytest.mark.repeats
def test_deep_plain_convolutions_degrade(digits: data.Dataset) -> None:
    fitted: dict[str, np.ndarray] = {}
    for name, net in science.family(("plain", "resnet"), digits, (10, 26), SEEDS).items():
        accuracy = list(science.train(net, digits))[-1].train_accuracy
        assert accuracy is not None
        fitted[name] = accuracy
    claim("plain: 10 over 26 layers", fitted["plain 10"] - fitted["plain 26"], least=0.1)
    claim("26 layers: resnet over plain", fitted["resnet 26"] - fitted["plain 26"], least=0.1)
    claim("resnet: 10 over 26 layers", fitted["resnet 10"] - fitted["resnet 26"], most=0.1)


def test_the_exercise_knows_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert check_convolve(solve_convolve)
    turned = check_convolve(lambda picture, kernel: solve_convolve(picture, kernel[::-1, ::-1]))
    assert not turned and "Do not turn" in capsys.readouterr().out
    assert not check_convolve(lambda picture, kernel: ...)


def test_the_faded_example_counts_what_a_unit_has(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = dict(shape=(3, 32, 32), outputs=10, width=32, depth=10, seeds=(0,))
    unit = networks.convolutional("resnet", **sizes).blocks[1]  # 32 channels in, 64 out
    projection, first, second = sorted(p[0].numel() for p in unit.parameters() if p.dim() == 5)
    check_weights(first, second, projection)
    assert capsys.readouterr().out.count("right.") == 3
    check_weights(9 * 32, 9 * 64**2 + 64, first)
    words = capsys.readouterr().out
    assert all(part in words for part in ("each channel", "has the biases", "1 x 1"))
