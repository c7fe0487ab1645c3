"""Notebook 08: plain networks get worse with depth, and which measures tell. Fresh seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course import data, training
from course.lessons.degradation import explorer, science
from course.lessons.degradation.exercise import (
    check_diagnose,
    check_identity_block,
    solve_identity_block,
)
from course_tests.claims import claim, seeds
from course_tests.corners import corners, visit

SEEDS = tuple(seeds(10, 3))
MANY = tuple(seeds(20, 10))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def fit(name: str, depth: int, examples: data.Dataset, **options: object) -> training.Record:
    net = science.network(name, examples, depth=depth, seeds=SEEDS)
    *_, last = science.train(net, examples, **options)  # type: ignore[arg-type]
    return last


@pytest.mark.claims
@pytest.mark.repeats
def test_plain_networks_fall_in_training_accuracy_and_residual_ones_do_not(
    digits: data.Dataset,
) -> None:
    shallow, deep = fit("plain", 2, digits), fit("plain", 30, digits)
    skipped = fit("resnet", 30, digits)
    claim("plain, 2 blocks", shallow.train_accuracy, least=0.99)  # 1 ± 0
    claim("plain, 30 blocks", deep.train_accuracy, least=0.3, most=0.9)  # .673 ± .05
    claim("plain, 30 blocks: test", deep.test_accuracy, most=0.9)  # .638 ± .06
    claim("resnet, 30 blocks", skipped.train_accuracy, least=0.99)  # 1 ± 0


@pytest.mark.claims
def test_with_batch_norm_gradients_explode_at_the_computed_rate(digits: data.Dataset) -> None:
    for init in ("torch_default", "he_normal", "orthogonal"):
        net = science.network("plain", digits, depth=30, seeds=tuple(seeds(40, 20)), init=init)
        growth, form = science.profile(net, digits).growth, science.GROWTH
        # off by .005 ± .007, .002 ± .007, -.006 ± .005 (n = 40)
        claim(f"{init}: growth", growth, least=form - 0.012, most=form + 0.012)
    vanishing = science.network("plain", digits, depth=30, seeds=MANY, norm=None)
    # .4 ± .007
    claim("no norm: growth", science.profile(vanishing, digits).growth, least=0.38, most=0.44)
    residual = science.network("resnet", digits, depth=30, seeds=MANY)
    claim("resnet: growth", science.profile(residual, digits).growth, most=1.1)  # 1.07 ± .003


@pytest.mark.claims
def test_neighbours_tell_what_the_effective_rank_does_not(digits: data.Dataset) -> None:
    plain, resnet = (
        science.profile(science.network(name, digits, depth=30, seeds=MANY), digits)
        for name in ("plain", "resnet")
    )
    higher = plain.rank[-1] - resnet.rank[-1]
    # 2.65 ± 2
    claim("rank: plain over resnet", higher, least=0)  # the wrong way round, if anything
    claim("plain: neighbours of the input", plain.neighbours[0], least=0.93)  # .974 ± .01
    claim("plain: neighbours left", plain.neighbours[-1], most=0.15)  # .0943 ± .02
    claim("resnet: neighbours left", resnet.neighbours[-1], least=0.6)  # .804 ± .04
    # without norm, and with He's weights, the rank does collapse
    bare = science.network("plain", digits, depth=100, seeds=MANY, norm=None, init="he_normal")
    claim("no norm, 100 blocks: rank", science.profile(bare, digits).rank[-1], most=6)  # 1.94 ± 1


@pytest.mark.claims
@pytest.mark.repeats
def test_twenty_blocks_recover_from_lost_neighbours_and_thirty_less(digits: data.Dataset) -> None:
    accuracy = {}
    for depth in (20, 30):
        net = science.network("plain", digits, depth=depth, seeds=MANY)
        *_, last = science.train(net, digits, epochs=20)
        accuracy[depth] = last.train_accuracy
    claim("20 blocks, 20 epochs", accuracy[20], least=0.97)  # .987 ± .005
    claim("20 blocks over 30", accuracy[20] - accuracy[30], least=0.1)  # .318 ± .09


@pytest.mark.claims
def test_near_pictures_part_at_the_rate_at_which_gradients_explode(digits: data.Dataset) -> None:
    apart = {}
    for name in ("plain", "resnet"):
        distances = science.parting(science.network(name, digits, depth=30, seeds=MANY), digits)
        apart[name] = (distances[30] / distances[1]) ** (1 / 29)
    form = science.GROWTH
    claim("plain", apart["plain"], least=form - 0.01, most=form + 0.025)  # 1.22 ± .008
    claim("resnet", apart["resnet"], most=1.1)  # 1.07 ± .003


def test_blocks_that_hand_on_their_input_change_no_answer(digits: data.Dataset) -> None:
    net = science.network("plain", digits, depth=2, seeds=SEEDS)
    list(science.train(net, digits, epochs=2))
    extended = science.extend_with_identity(net, digits, 28)
    with torch.no_grad():
        for x in (digits.x_train, digits.x_test):
            short, long = net.eval()(x), extended(x)
            assert torch.allclose(short, long, atol=1e-4 * float(short.abs().max()))
    assert extended.depth == 30


@pytest.mark.claims
@pytest.mark.repeats
def test_a_plain_stack_does_not_learn_to_do_nothing() -> None:
    def error(kind: str, depth: int) -> np.ndarray:
        *_, last = science.learn_identity(kind, depth, seeds=SEEDS)
        assert last.test_loss is not None
        return last.test_loss

    claim("plain, 20: error", error("plain", 20), least=0.9)  # .966 ± .009
    claim("plain, 1: error", error("plain", 1), most=0.6)  # .508 ± .02
    one_cut = 1 - np.pi / (2 * (np.pi - 1))
    claim("plain, W = 1, 20: error", error("plain, W = 1", 20), least=one_cut - 0.06, most=0.36)
    claim("resnet, 20: error", error("resnet", 20), most=0.3)  # .118 ± .02
    claim("resnet, 1: error", error("resnet", 1), most=1e-3)  # 4.1e-05 ± 3e-05
    assert np.all(error("resnet, zero", 20) == 0.0)


def test_looking_changes_nothing(digits: data.Dataset) -> None:
    net = science.network("plain", digits, depth=3, seeds=SEEDS)
    net.eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, again = science.profile(net, digits), science.profile(net, digits)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not net.training and all(p.grad is None for p in net.parameters())
    assert np.array_equal(first.gradients, again.gradients)
    assert first.gradients.shape == (4, 3) and list(first.places) == [0, 1, 2, 3]
    assert first.rank.shape == first.neighbours.shape == (4, 3)


def test_the_extremes_of_the_explorer_neither_fail_nor_warn(digits: data.Dataset) -> None:
    panel = explorer.explore(digits)
    assert "a factor of 1.2" in panel.text
    places = corners(depth=(1, 100), network=tuple(explorer.NETWORKS), norm=tuple(explorer.NORMS))
    texts, _ = visit(panel, places)
    assert len(set(texts)) == 12 and {len(text.splitlines()) for text in texts} == {4}
    with pytest.raises(ValueError, match="norm = 'group'"):
        explorer.explore(digits, norm="group")


def test_training_a_family_shows_accuracies_by_depth(digits: data.Dataset) -> None:
    nets = science.family(("plain", "resnet"), digits, (1, 2), seeds=SEEDS)
    history = explorer.watch(nets, digits, epochs=2).result()
    there, accuracy = science.by_depth(history, "plain", "train_accuracy")
    assert list(there) == [1, 2] and accuracy.shape == (2, 3) and np.all(accuracy > 0.5)
    assert [len(records) for records in history.values()] == [2] * 4


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_identity_block(solve_identity_block)
    assert "right in all" in capsys.readouterr().out
    check_identity_block(lambda h: (np.eye(h.shape[1]), h.var(axis=0), h.mean(axis=0)))
    assert "root of the variance" in capsys.readouterr().out

    def right(a: float, b: float, c: float, d: float) -> str:
        if c < a - 0.01:
            return "degradation"
        return "overfitting" if d < b - 0.01 else "fine"

    check_diagnose(right)
    assert "right in all" in capsys.readouterr().out
    check_diagnose(lambda a, b, c, d: "degradation" if d < b - 0.01 else "fine")
    assert "test accuracy alone" in capsys.readouterr().out
    check_diagnose(lambda a, b, c, d: "overfitting" if d < b - 0.01 else "fine")
    assert "training accuracy" in capsys.readouterr().out
