"""What notebook 06 claims: degeneracy stops training where the size of gradients does not."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from course import measures, training
from course.lessons.degeneracy import explorer, matrices, remedies, repair, science
from course.lessons.degeneracy.exercise import (
    check_mended,
    check_starts,
    solve_fold,
    solve_mended,
    solve_orthogonal,
)
from course.networks.initializers import folded, orthogonal
from course.plots import decades, style
from course_tests.claims import claim, seeds
from course_tests.corners import visit

FRESH = seeds(100, 5)


def final(init: object, **settings: object) -> np.ndarray:
    return science.curve(science.learn(init, every=300, **{"seeds": FRESH, **settings})).final  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def curves() -> dict[str, science.Curve]:
    """The four starts of the notebook at 30 layers, on fresh seeds."""
    return {
        name: science.curve(science.learn(law, seeds=FRESH)) for name, law in science.STARTS.items()
    }


@pytest.mark.claims
@pytest.mark.repeats
def test_losses_are_in_the_order_of_degeneracy_in_every_run(
    curves: dict[str, science.Curve],
) -> None:
    losses = {name: curve.final for name, curve in curves.items()}
    claim("orthogonal: loss", losses["orthogonal"], most=0.15)  # .0542 ± .02
    claim("0.9 orthogonal: loss", losses["0.9 orthogonal"], most=0.22)  # .144 ± .04
    claim("Fold 0: loss", losses["Fold 0"], least=0.6, most=0.8)  # .728 ± .02
    claim("Fold 1 over Fold 0: loss", losses["Fold 1"] - losses["Fold 0"], least=0.05)  # .12 ± .03


@pytest.mark.claims
@pytest.mark.repeats
def test_the_order_of_gradients_is_another_one(curves: dict[str, science.Curve]) -> None:
    first = {name: np.log10(curve.gradients[0, 0]) for name, curve in curves.items()}
    smaller = first["0.9 orthogonal"] - first["orthogonal"]
    # -1.48 ± .006
    claim("log10 of first gradients: 0.9 orthogonal over orthogonal", smaller, most=-1)
    many = seeds(0, 40)  # healthy: more than the start that learns
    healthy, least = (
        np.log10(science.linear_map(science.deep_linear(law, seeds=many)).gradients[0])
        for law in ("lecun_normal", science.STARTS["orthogonal"])
    )
    # .3 ± .4
    claim("log10 of first gradients: Fold 0 over orthogonal", healthy - least, least=0)
    nearest, *_, last = curves["0.9 orthogonal"].gradients[0]
    assert np.allclose(nearest / last, 0.9**29, rtol=0.15)


@pytest.mark.claims
def test_what_is_learned_are_the_directions_that_got_through() -> None:
    network = science.deep_linear("lecun_normal", seeds=FRESH)
    before = science.linear_map(network)
    # 1.65 ± .3
    claim("participation at the start", measures.participation(before.singular), most=3)
    for _ in science.train(network, every=300):
        pass
    after = science.linear_map(network)
    learned = (after.singular > 0.5).mean(axis=1)
    # .0047 ± .005
    claim("loss, less share not learned", np.abs(after.loss - (1 - learned)), most=0.07)
    claim("share learned", learned, most=0.45)  # .279 ± .02
    claim("log10 of singular value 21", np.log10(after.singular[:, 20]), most=-3)  # -7.17 ± .3


@pytest.mark.claims
@pytest.mark.repeats
def test_no_rate_of_adam_rescues_fold_0() -> None:
    for rate in (0.0003, 0.003):
        losses = final("lecun_normal", optimizer=training.Adam(rate))
        claim(f"Fold 0, Adam {rate}: loss", losses, least=0.62)  # .759 ± .02, .711 ± .01
    losses = final("orthogonal", optimizer=training.Adam(0.0003))
    claim("orthogonal, Adam 0.0003: loss", losses, most=0.15)  # .0971 ± .02


@pytest.mark.claims
@pytest.mark.repeats
def test_a_rate_or_adam_makes_up_for_a_common_factor_near_1_and_for_no_other() -> None:
    first = seeds(100, 1)[0]
    small, fast, bold, adam = (
        remedies.side_by_side(remedies.SICK, one, first=first) for one in remedies.REMEDIES.values()
    )
    claim("0.9 orthogonal, SGD 0.01: loss", small["0.9 orthogonal"], least=0.9)  # .98 ± .01
    claim("0.9 orthogonal, SGD 0.3: loss", fast["0.9 orthogonal"], most=0.25)  # .14 ± .02
    claim("0.9 orthogonal, Adam: loss", adam["0.9 orthogonal"], most=0.22)  # .13 ± .03
    claim("0.8 orthogonal, SGD 1: loss", bold["0.8 orthogonal"], least=0.75)  # .90 ± .04
    claim("0.5 orthogonal, SGD 1: loss", bold["0.5 orthogonal"], least=0.9)  # 1 ± .01
    claim("1.1 orthogonal, SGD 0.01: loss", small["1.1 orthogonal"], least=0.5, most=0.85)
    for name in ("1.1 orthogonal", "Fold 0"):
        claim(f"{name}, SGD 0.3: share of NaN", np.isnan(fast[name]), least=0.7)  # 1 ± 0


@pytest.mark.claims
@pytest.mark.repeats
def test_adam_makes_up_for_scale_and_leaves_the_product_degenerate() -> None:
    counts = {0.9: (24, 31), 0.8: (12, 20), 0.7: (1, 8)}
    for gain, (least, most) in counts.items():
        network = science.deep_linear(partial(orthogonal, gain=gain), seeds=FRESH)
        for _ in science.train(network, every=300):
            pass
        singular = science.linear_map(network).singular
        learned = (singular > 0.5).sum(axis=1)
        claim(f"{gain} orthogonal: directions learned", learned, least=least, most=most)
        claim(f"{gain} orthogonal: log10 of the last", np.log10(singular[:, -1]), most=-2)
    none = final(partial(orthogonal, gain=0.5), optimizer=training.Adam(0.001, epsilon=1e-30))
    claim("0.5 orthogonal, epsilon 1e-30: loss", none, least=0.9)  # .97 ± .01


@pytest.mark.claims
def test_a_folded_product_has_the_rank_of_one_factor_and_the_spread_of_half_the_width() -> None:
    many = seeds(0, 20)
    one, half = (
        science.spectrum(law, width=width, seeds=many)
        for law, width in ((folded, 32), ("lecun_normal", 16))
    )
    assert ((~one.floor).sum(axis=1) == 16).all() and not half.floor.any()
    assert (one.log10[:, 16:] < -100).all()
    above = (one.log10 > -3).sum(axis=1)
    claim("Fold 1: singular values above 0.001", above, least=5, most=7.5)  # 6.1 ± .6
    claim("Fold 0 of 16 units: the same", (half.log10 > -3).sum(axis=1), least=4, most=6.5)
    wide = (science.spectrum("lecun_normal", seeds=many).log10 > -3).sum(axis=1)
    claim("Fold 0 of 32 units: the same", wide, least=11, most=13)  # 11.9 ± .3


@pytest.mark.claims
def test_fold_1_has_larger_gradients_and_trains_worse_at_10_layers_of_width_64() -> None:
    zero, one = (
        science.curve(science.learn(law, depth=10, width=64, seeds=FRESH, steps=200))
        for law in ("lecun_normal", science.STARTS["Fold 1"])
    )
    late = np.log(one.gradients[-50:].mean((0, 1)) / zero.gradients[-50:].mean((0, 1)))
    claim("log of gradients, Fold 1 over 0: late", late, least=0)  # .116 ± .06
    claim("loss, Fold 1 over 0", one.final - zero.final, least=0.1)  # .203 ± .02


@pytest.mark.claims
def test_fold_1_has_smaller_gradients_in_a_typical_thin_deep_network() -> None:
    """The mean over draws is larger, but a few rare draws carry it: no sample of 150 settles it."""
    many = seeds(0, 150)
    zero, one = (
        science.linear_map(science.deep_linear(partial(folded, fold=fold), seeds=many)).gradients[0]
        for fold in (0, 1)
    )
    claim("median, Fold 1 over 0", np.median(one) / np.median(zero), most=0.85)  # .575 ± .02


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_the_closed_form_of_the_gradients(fold: int) -> None:
    law = partial(folded, fold=fold)
    drawn = science.linear_map(
        science.deep_linear(law, depth=4, width=64, seeds=range(300))
    ).gradients
    size = np.sqrt(np.mean(drawn**2, axis=1))
    assert np.allclose(size, science.expected_gradients(4, 64, fold=fold), rtol=0.04)


def test_the_closed_form_for_two_matrices_by_hand() -> None:
    # One Gaussian factor after layer 1: E tr((W W^T)^2) / n = 2 + 1/n.
    assert np.allclose(science.expected_gradients(2, 8) ** 2, [4 / 8 * (3 + 1 / 8), 4 / 8 * 2])
    assert np.allclose(science.orthogonal_gradients(1, 16, gain=1.0), [np.sqrt(8 / 16)])


def test_orthogonal_gradients_are_known_in_every_draw() -> None:
    law = partial(orthogonal, gain=0.9)
    seen = science.linear_map(science.deep_linear(law, depth=6, width=32, seeds=range(20)))
    expected = science.orthogonal_gradients(6, 32, gain=0.9)
    assert np.allclose(np.sqrt((seen.gradients**2).mean(axis=1)), expected, rtol=0.03)
    assert np.allclose(seen.singular, 0.9**6, rtol=1e-5)


def test_gradients_of_weights_are_equal_in_every_layer_of_scaled_orthogonal_matrices() -> None:
    law = partial(orthogonal, gain=0.9)
    seen = science.linear_map(science.deep_linear(law, depth=6, width=32, seeds=range(20)))
    expected = science.orthogonal_gradients(6, 32, gain=0.9)[0]
    assert np.allclose(seen.weight_gradients / seen.weight_gradients[:1], 1, rtol=1e-4)
    assert np.isclose(np.sqrt((seen.weight_gradients[0] ** 2).mean()), expected, rtol=0.03)


@pytest.mark.claims
def test_gradients_of_weights_do_not_vanish_from_layer_to_layer_of_a_linear_network() -> None:
    many = seeds(0, 40)
    seen = science.linear_map(science.deep_linear("lecun_normal", seeds=many)).weight_gradients
    ends = np.log10(seen[0] / seen[-1])
    claim("Fold 0, weights: log10 of layer 1 over 30", ends, least=-0.3, most=0.3)  # 0 ± .2
    span = np.log10(seen.max(axis=0) / seen.min(axis=0))
    claim("Fold 0, weights: decades from least to largest", span, most=0.8)  # .55 ± .1


@pytest.mark.claims
def test_units_of_a_degenerate_network_answer_alike() -> None:
    x = torch.randn(200, 32, generator=torch.Generator().manual_seed(7))
    last = {
        name: measures.one_pass(
            science.deep_linear(science.STARTS[name], seeds=seeds(0, 20)), x
        ).outputs[-1]
        for name in ("Fold 0", "orthogonal")
    }
    pairs = {name: science.mean_correlation(h) for name, h in last.items()}
    claim("Fold 0: correlation of two units", pairs["Fold 0"], least=0.4)  # .6 ± .09
    claim("orthogonal", pairs["orthogonal"], most=0.1)  # .057 ± .001
    share = {name: science.strongest(h) for name, h in last.items()}
    claim("Fold 0: share of the strongest quarter", share["Fold 0"], least=0.5)  # .63 ± .05
    claim("orthogonal: the same", share["orthogonal"], most=0.35)  # .3 ± .01


@pytest.mark.claims
def test_four_folded_layers_of_thirty_stall_and_are_mended() -> None:
    matrices = repair.patient()
    stalled = repair.loss_after_training(matrices, seeds=FRESH)
    for layer in repair.SICK:
        matrices[layer - 1] = solve_mended(matrices[layer - 1])
    claim("four folded layers: loss", stalled, least=0.35)  # .46 ± .01
    mended = repair.loss_after_training(matrices, seeds=FRESH)
    claim("mended: loss", mended, most=0.15)  # .03 ± .02


def test_the_check_of_the_starts_knows_right_and_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    check_starts(lambda W: ..., lambda G: ...)
    assert capsys.readouterr().out.count("not yet") == 2
    check_starts(solve_fold, solve_orthogonal)
    assert capsys.readouterr().out.count("right in all 3 cases") == 2
    check_starts(lambda W: W[::2].repeat_interleave(2, 0), lambda G: torch.linalg.qr(G).Q)
    assert "Now the signs" in capsys.readouterr().out


@pytest.mark.claims
def test_the_check_of_the_repair_trains_what_was_mended(capsys: pytest.CaptureFixture[str]) -> None:
    check_mended([3, 12, 20, 25], lambda W: W)
    said = capsys.readouterr().out
    assert "Where does the counting start?" in said and "expected 32 numbers from 1 to 1" in said
    check_mended(list(repair.SICK), lambda W: orthogonal(32, 32, torch.Generator()))
    assert "After 300 steps: loss 0.0" in capsys.readouterr().out


def test_no_norm_gives_the_sick_layers_away() -> None:
    for matrix in repair.patient():
        assert np.isclose(torch.linalg.matrix_norm(matrix), 32**0.5, rtol=1e-3)


def test_a_linear_map_is_the_mean_over_many_inputs() -> None:
    network = science.deep_linear("lecun_normal", depth=3, width=8, seeds=(3,))
    seen = science.linear_map(network)
    many = science.curve(science.train(network, steps=1, batch=20_000))
    assert np.allclose(many.loss[0], seen.loss, rtol=0.05)
    assert np.allclose(many.gradients[0], seen.gradients, rtol=0.05)


def test_the_map_of_a_network_that_broke_down() -> None:
    network = science.deep_linear("identity", depth=2, width=4, seeds=(0, 1))
    with torch.no_grad():
        next(iter(network.parameters()))[0, 0, 0] = np.nan
    seen = science.linear_map(network)
    assert np.isnan(seen.singular[0]).all() and np.isfinite(seen.singular[1]).all()


def test_starts_change_one_thing() -> None:
    def singular(**settings: float) -> np.ndarray:
        return science.linear_map(
            science.deep_linear(science.start(**settings), depth=1, seeds=(0,))  # type: ignore[arg-type]
        ).singular[0]

    gaussian, folded_, even = singular(), singular(fold=2), singular(orthogonality=1.0)
    assert (folded_[:8] > 1e-3).all() and (folded_[8:] < 1e-6).all()
    assert np.allclose(even, 1, rtol=1e-5) and np.isclose((gaussian**2).mean(), 1, rtol=1e-5)
    assert np.allclose(singular(scale=0.5), 0.5 * gaussian, rtol=1e-5)


@pytest.mark.parametrize("fold", [0, 1, 5])
@pytest.mark.parametrize("orthogonality", [0.0, 0.35, 1.0])
def test_matrices_drawn_at_once_are_those_of_the_network(fold: int, orthogonality: float) -> None:
    for scale, depth, runs in ((1.0, 1, (0,)), (0.95, 4, (7, 3)), (0.0, 2, (1, 2))):
        properties = {"fold": fold, "orthogonality": orthogonality, "scale": scale}
        drawn = matrices.first(**properties, depth=depth, width=32, seeds=runs)
        start = science.start(**properties)  # type: ignore[arg-type]
        network = science.deep_linear(start, depth=depth, seeds=runs)
        made = matrices.network_of(drawn, runs)
        assert made.seeds == network.seeds and len(drawn) == depth
        for one, other, weight in zip(drawn, made.parameters(), network.parameters(), strict=True):
            assert torch.equal(one, other) and torch.allclose(one, weight, rtol=1e-5, atol=1e-8)


def test_the_extremes_of_all_controls_neither_fail_nor_warn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(explorer, "STEPS", 3)
    panel = explorer.explore()
    first = panel.text
    rules = ("Adam, rate 0.01", "SGD, rate 0.3")
    ends = itertools.product((0, 5), ((0.0, rules[0]), (1.0, rules[1])), (0.0, 2.0), (1, 100))
    rows = [(fold, even, scale, depth, rule) for fold, (even, rule), scale, depth in ends]
    texts, _ = visit(panel, [dict(zip(panel.controls, row, strict=True)) for row in rows])
    assert len(set(texts)) == 16
    panel.new_draw()
    assert panel.text != first


def test_the_words_tell_what_becomes_of_it() -> None:
    def text(**first: object) -> str:
        return explorer.explore(depth=10, **first).text  # type: ignore[arg-type]

    even = text(orthogonality=1.0)
    assert "It learns." in even and "32 of 32" in even
    assert "It has learned less than half." in text()
    assert "No better than answering 0" in text(scale=0.0)
    assert "It broke down." in text(scale=2.0, optimizer="SGD, rate 0.3")


def test_bad_first_values_are_named() -> None:
    with pytest.raises(ValueError, match="optimizer = 'Lion'"):
        explorer.explore(optimizer="Lion")
    with pytest.raises(ValueError, match="fold"):
        explorer.explore(fold=6)


def test_what_has_no_place_on_a_log_axis_lies_on_its_edge() -> None:
    fig, ax = style.figure()
    levels = decades.Levels(decades.Decades(ax), "some", 0)
    before = ax.get_ylim()
    levels.show([1e-3, 0.0, np.inf, np.nan, 1e20])
    assert np.array_equal(levels.low.get_xdata(), [2])
    assert np.array_equal(levels.high.get_xdata(), [3, 4])
    low, high = ax.get_ylim()
    assert low <= 1e-3 and high >= 1e20
    levels.show([1.0, 2.0])
    assert ax.get_ylim() == before  # the axis comes back
    fig.canvas.draw()


def test_an_axis_holds_its_scale_but_for_what_only_made_room() -> None:
    fig, ax = style.figure()
    levels = decades.Levels(decades.Decades(ax), "some", 0)
    style.hold(fig, lambda: levels.show([1e-9, 1e3]))
    levels.show([1e-3, 10.0])
    first = ax.get_ylim()
    assert np.allclose(np.log10(first), [-3, 1])
    levels.show([1e-20, 10.0])
    wide = ax.get_ylim()
    levels.show([1e-8, 10.0])
    assert ax.get_ylim() == wide != first  # a third of it would do
    levels.show([1e-2, 10.0])
    assert ax.get_ylim() == first


@pytest.mark.filterwarnings("error", "ignore::ResourceWarning")  # others may have left files
def test_ticks_of_a_wide_axis_are_round_and_few() -> None:
    fig, ax = style.figure()
    axis = decades.Decades(ax)
    for low in decades.LADDER:
        for high in decades.LADDER:
            axis.fit("some", [10.0**-low, 10.0**high], [1])
            bottom, top = np.log10(ax.get_ylim())
            powers = np.log10(ax.get_yticks())
            assert 3 <= len(powers) <= 6 and bottom <= powers[0] and powers[-1] <= top
            assert np.allclose(np.diff(powers), powers[1] - powers[0])
            assert 0.0 in powers  # the size 1
    fig.draw_without_rendering()  # from 1e-300 to 1e300


def test_a_stopped_run_says_so() -> None:
    records = science.learn("orthogonal", depth=2, width=4, seeds=(0, 1), steps=5)
    some = [next(records), next(records)]
    found = science.curve(some)
    assert found.stopped and np.isnan(found.final).all() and found.gradients.shape == (2, 2, 2)
    run = explorer.watch({"some": some, "more": records})
    assert run.done and [len(part) for part in run.history.values()] == [2, 3]
