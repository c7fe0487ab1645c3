"""What notebook 05 claims: scale and depth, order and chaos, depth over width; on fresh seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from course import data, measures, seeding
from course.lessons.initialization import (
    angles,
    depth_width,
    explorer,
    gaussian_means,
    mean_field,
    pictures,
    tents,
)
from course.lessons.initialization.exercise import check_he
from course.plots import style
from course_tests.claims import claim, seeds
from course_tests.corners import ends, visit

FRESH = seeds(100, 3)


def test_sizes_against_autograd() -> None:
    # The recursion of `measured` once more, for autograd to differentiate.
    width, depth, scale = 7, 4, 1.7
    found = mean_field.measured("tanh", [0.3, scale], depth, width=width, seed=5, inputs=3)
    stream = seeding.generator(5, "inputs and gradients")
    x, last = (torch.randn(3, width, generator=stream, dtype=torch.float64) for _ in range(2))
    x, last = (part / part.square().mean().sqrt() for part in (x, last))
    h = [x.requires_grad_()]
    for matrix in mean_field._weights(width, depth, 5):
        h.append(torch.tanh(scale * (h[-1] @ matrix)))
    gradients = torch.autograd.grad((h[-1] * last).sum(), h)
    for ours, parts in ((found.forward, h), (found.backward, gradients)):
        theirs = [part.detach().square().mean().sqrt().item() for part in parts]
        assert ours[1] == pytest.approx(theirs, rel=1e-10)


def test_theory_is_a_power_of_the_scale_without_a_bend() -> None:
    scales = np.array([0.0, 0.5, 1.0, 2.0])
    for activation, critical in (("identity", 1.0), ("relu", math.sqrt(2))):
        sizes = mean_field.expected(activation, scales, depth=20)
        powers = (scales[:, None] / critical) ** np.arange(21)
        assert np.allclose(sizes.forward, powers) and np.allclose(sizes.backward, powers[:, ::-1])


@pytest.mark.claims
@pytest.mark.parametrize("activation", ["identity", "relu", "tanh"])
def test_wide_networks_follow_theory(activation: str) -> None:
    scales = (0.7, 1.0, 2**0.5, 2.5)
    theory = mean_field.expected(activation, scales, depth=30)
    runs = [
        mean_field.measured(activation, scales, depth=30, width=200, seed=seed, inputs=16)
        for seed in seeds(200, 6)
    ]
    for part in ("forward", "backward"):
        found = np.mean([np.log(getattr(run, part)) for run in runs], axis=0)
        # In the mean of logarithms less arrives: about 5/4 L/n with ReLU.
        error = np.abs(found - np.log(getattr(theory, part))).max()
        # .0506 ± .02, .0494 ± .04, .323 ± .1, .151 ± .09, .061 ± .01, .0708 ± .03
        claim(f"{activation}, {part}: largest error of the mean logarithm", error, most=0.8)
    assert theory.forward[1, -1] < 1e-4 if activation == "relu" else theory.forward[1, -1] > 0.1


@pytest.mark.claims
@pytest.mark.parametrize("law", ["lecun_normal", "lecun_uniform", "glorot_normal", "he_normal"])
def test_what_each_law_keeps(law: str) -> None:
    variance = {"lecun": 1 / 80, "glorot": 2 / 400, "he": 2 / 80}[law.split("_")[0]]
    for activation, kept, room in (("identity", 1.0, 0.04), ("relu", 0.5, 0.08)):
        sizes = [
            mean_field.through_one_layer(law, 80, 320, activation=activation, seed=seed)
            for seed in seeds(9, 12)
        ]
        forms = kept * 80 * variance, kept * 320 * variance
        for number, what in enumerate(("signal", "gradient")):
            ratio = np.array(sizes)[:, number] / forms[number]
            label = f"{law}, {activation}: {what} over the computed one"
            claim(label, ratio, least=1 - room, most=1 + room)  # .996 to 1.02, each ± .02 at most


def test_the_fixed_point_and_the_line() -> None:
    assert mean_field.fixed_point(0.9, 0.0) == mean_field.fixed_point(1.0, 0.0) == 0.0
    assert mean_field.fixed_point(0.0, 0.5) == pytest.approx(0.25)
    for sigma_w, sigma_b in ((1.01, 0.0), (0.3, 0.2), (2.5, 0.05), (3.0, 1.0)):
        q = mean_field.fixed_point(sigma_w, sigma_b)
        again = sigma_w**2 * float(gaussian_means.mean_square("tanh", q)) + sigma_b**2
        assert q > 0 and again == pytest.approx(q, rel=1e-11)
        lengths, _ = angles.expected(sigma_w, sigma_b, 0.5, 600)
        assert lengths[-1] == pytest.approx(q, rel=5e-3)
    sigma_w, sigma_b = mean_field.critical_line([0.0, 0.4, 3.0])
    assert (sigma_w[0], sigma_b[0]) == (1.0, 0.0)
    for pair in zip(sigma_w, sigma_b, strict=True):
        assert mean_field.chi(*pair) == pytest.approx(1.0, abs=1e-9)
        assert mean_field.chi(pair[0] - 0.05, pair[1]) < 1 < mean_field.chi(pair[0] + 0.05, pair[1])


@pytest.mark.claims
def test_cosines_follow_theory_in_order_and_in_chaos() -> None:
    for sigma_w, sigma_b in ((0.7, 0.2), (1.5, 0.5), (2.5, 0.05), (3.0, 1.0)):
        _, theory = angles.expected(sigma_w, sigma_b, 0.6, 30)
        runs = [
            angles.measured(sigma_w, sigma_b, 0.6, 30, width=300, seed=seed, deepest=30)
            for seed in FRESH
        ]
        error = np.abs(np.mean(runs, axis=(0, 1)) - theory).max()
        # .0116 ± .007, .0164 ± .003, .0421 ± .006, .0555 ± .007
        claim(f"sigma {sigma_w}, {sigma_b}: largest error of the mean cosine", error, most=0.12)
    assert angles.expected(0.7, 0.05, 0.6, 50)[1][-1] > 0.999
    assert angles.expected(2.5, 0.05, 0.6, 50)[1][-1] < 0.02


@pytest.mark.claims
def test_chi_is_the_factor_of_gradients_and_of_small_distances() -> None:
    root = math.sqrt(mean_field.chi(2.0, 0.0))
    back = [
        mean_field.measured("tanh", [2.0], 50, width=200, seed=seed).backward[0] for seed in FRESH
    ]
    factors = np.array([(b[10] / b[40]) ** (1 / 30) for b in back]) / root
    claim("gradients: factor over root chi", factors, least=0.96, most=1.04)  # .997 ± .004
    apart = [
        1 - angles.measured(2.0, 0.0, 1 - 1e-12, 30, seed=seed, deepest=30).mean(axis=0)
        for seed in FRESH
    ]
    factors = np.array([(a[25] / a[5]) ** (1 / 40) for a in apart]) / root
    claim("distances: factor over root chi", factors, least=0.95, most=1.05)  # 1.01 ± .01


@pytest.mark.claims
@pytest.mark.repeats
def test_near_the_line_a_deep_tanh_network_trains_and_on_both_sides_it_fails() -> None:
    for sigma, least, most in ((0.7, 0.0, 0.35), (1.0, 0.8, 1.0), (2.5, 0.0, 0.35)):
        accuracy = angles.accuracy(sigma, 0.05, depth=30, rate=0.001, seeds=seeds(100, 9))
        # .18 ± .03, .927 ± .04, .115 ± .01
        claim(f"sigma_w {sigma}: accuracy", accuracy, least=least, most=most)


@pytest.mark.claims
def test_depth_over_width_is_the_spread_of_the_signal() -> None:
    spreads = []
    for depth in depth_width.SHAPES:
        signal, gradient = depth_width.starts(depth, seeds=seeds(500, 200))
        ratio = depth_width.spread(signal) / depth_width.expected_spread(depth)
        # 1.02 ± .09, 1.01 ± .03, 1.05 ± .03, 1.08 ± .009, 1.08 ± .04
        claim(f"depth {depth}: spread over the computed one", ratio, least=0.7, most=1.3)
        spreads.append(depth_width.spread(gradient))
    claim("gradients: least growth of the spread", np.diff(spreads).min(), least=0.03)  # .153 ± .03
    claim("gradients: spread of the deepest", spreads[-1], least=1.1)  # 1.53 ± .05
    claim("gradients: spread of the shallowest", spreads[0], most=0.35)  # .185 ± .01


def test_the_variance_of_one_layer_is_5_over_n() -> None:
    draws = np.random.default_rng(0).standard_normal((100_000, 20))
    factors = 2 / 20 * (np.maximum(draws, 0) ** 2).sum(axis=1)
    assert factors.mean() == pytest.approx(1, rel=0.01)
    assert factors.var() == pytest.approx(5 / 20, rel=0.03)


def test_starts_are_the_lengths_of_signal_and_gradient() -> None:
    signal, gradient = depth_width.starts(4, seeds=[3])
    network, digits = depth_width.network(4, seeds=[3], dtype=torch.float64), data.digits()
    outputs = network(digits.x_train[:1].double())
    measures.losses(outputs, digits.y_train[None, :1], "cross_entropy").sum().backward()
    first = next(network.parameters()).grad
    assert first is not None and gradient[0] == pytest.approx(first.norm().item(), rel=1e-10)
    with torch.no_grad():
        network.head.weight.copy_(torch.eye(70, 10))  # type: ignore[union-attr]
        part = network(digits.x_train[:1].double()).norm() / digits.x_train[0].double().norm()
    assert 0 < part.item() <= signal[0]


def test_shapes_have_equal_numbers_of_parameters() -> None:
    counts = [depth_width.parameters(depth) for depth in depth_width.SHAPES]
    assert max(counts) / min(counts) < 1.02 and min(counts) > 20_000


@pytest.mark.claims
@pytest.mark.repeats
def test_digits_do_not_need_depth_and_the_deepest_is_far_behind() -> None:
    test = {}
    for depth in (1, 8, 32):
        start = depth_width.network(depth, seeds=seeds(100, 6))
        *_, last = depth_width.train(start, every=depth_width.STEPS)
        test[depth] = last.test_accuracy
    claim("1 layer: test accuracy", test[1], least=0.95)  # .966 ± .005
    claim("8 layers: test accuracy", test[8], least=0.93)  # .951 ± .01
    claim("8 layers over 1", test[8] - test[1], most=0.01)  # -.0145 ± .01
    claim("8 layers over 32", test[8] - test[32], least=0.05)  # .31 ± .09


def test_the_extremes_of_all_controls_neither_fail_nor_warn() -> None:
    sizes = explorer.explore(depth=10)
    rows: list[tuple[Any, ...]] = [("relu", 0.0, 1, 10), ("relu", 3.0, 1, 100)]
    rows += [(kind, *end) for kind in explorer.KINDS for end in ((3.0, 100, 10), (0.0, 100, 30))]
    texts, _ = visit(sizes, [dict(zip(sizes.controls, row, strict=True)) for row in rows])
    assert len(set(texts)) == len(rows)
    first = sizes.text
    sizes.new_draw()
    assert sizes.text != first


def test_the_extremes_of_order_and_chaos_neither_fail_nor_warn() -> None:
    panel = explorer.explore_phases()
    first = panel.text
    assert "Chaos: chi = 1.606" in first
    places = ends(panel, sigma_w=(0.0, 3.0), sigma_b=(0.0, 1.0), cosine=(0.0, 0.99), depth=(1, 100))
    texts, _ = visit(panel, places)
    said = [at for at, text in zip(places, texts, strict=True) if "no cosine left" in text]
    assert said == [at for at in places if at["sigma_w"] == at["sigma_b"] == 0] and said
    panel.new_draw()
    assert panel.text != first


def test_the_words_tell_what_the_picture_shows() -> None:
    assert "It vanishes." in explorer.explore(scale=0.5).text
    assert "It explodes." in explorer.explore(scale=3.0).text
    tanh = explorer.explore(activation="tanh", scale=3.0).text.splitlines()
    assert "stays within" in tanh[1] and "It explodes." in tanh[2]
    assert "On the line" in explorer.explore_phases(sigma_w=1.0, sigma_b=0.0).text
    order = explorer.explore_phases(sigma_w=0.7).text
    assert "Order" in order and "1.00 to 1.00" in order


def test_bad_arguments_are_named() -> None:
    for wrong in ({"activation": "sine"}, {"width": 11}, {"depth": 0}, {"scale": -1.0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            explorer.explore(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="depth = 2"):
        depth_width.network(2)
    with pytest.raises(ValueError, match="sigma_w"):
        mean_field.fixed_point(-1.0, 0.0)
    with pytest.raises(ValueError, match="depth"):
        angles.measured(1.0, 0.0, 0.5, 101)


def test_lines_of_theory_lie_where_a_size_crosses_the_edge() -> None:
    scales = np.linspace(0, 3, 31)
    fig, axes = style.figure(11.0, 4.6, ncols=3)
    panels = pictures.Sizes(fig, axes, scales)
    theory = mean_field.expected("identity", scales, depth=10)
    parts = theory.forward[:, 1:], theory.backward[:, 1:]
    panels.show_maps(parts, parts)
    ten = panels.maps[0].lines[list(pictures.EDGES[1:-1]).index(1)]
    assert ten.get_xdata()[9] == pytest.approx(10 ** (1 / 10), abs=0.01)
    assert np.isnan(ten.get_xdata()[0])  # 3 is less than 10


def test_tents_are_tents_and_have_the_pieces_that_are_said() -> None:
    x = torch.linspace(0, 1, 1025, dtype=torch.float64)
    expected = x
    for times in range(1, 11):
        network = tents.network(times)
        y = network(x[:, None])[:, 0].detach()
        expected = torch.where(expected <= 0.5, 2 * expected, 2 - 2 * expected)
        torch.testing.assert_close(y, expected, rtol=0, atol=1e-9)
        assert tents.pieces(x, y) == 2**times
        units = [one.out_features for one in network if isinstance(one, torch.nn.Linear)]
        assert units == [2] * times + [1]


def test_the_depth_scale_is_how_cosines_come_closer_to_their_end() -> None:
    assert angles.depth_scale(0.7, 0.05) == pytest.approx(
        -1 / math.log(mean_field.chi(0.7, 0.05)), rel=1e-2
    )
    for sigma_w, sigma_b in ((1.5, 0.5), (2.5, 0.3)):
        _, cosines = angles.expected(sigma_w, sigma_b, 0.9, 400)
        gaps = np.abs(cosines - cosines[-1])
        k = int(np.argmax(gaps < 1e-5))
        factor = gaps[k] / gaps[k - 1]
        assert angles.depth_scale(sigma_w, sigma_b) == pytest.approx(
            -1 / math.log(factor), rel=0.02
        )


def test_rescaling_gives_every_draw_the_size_of_the_mean() -> None:
    network = depth_width.network(8, seeds=[1, 2])
    before = depth_width.lengths(network)
    assert np.abs(before).min() > 1e-3
    depth_width.rescale_(network)
    np.testing.assert_allclose(depth_width.lengths(network), 0.0, atol=1e-4)
    other = depth_width.network(8, seeds=[1, 2])
    for block, old in zip(network.blocks, other.blocks, strict=True):
        ratio = block.linear.weight / old.linear.weight  # type: ignore[union-attr]
        assert (ratio.flatten(1).std(dim=1) < 1e-3).all(), "one number a layer"


@pytest.mark.claims
def test_the_default_of_torch_divides_differences() -> None:
    default = depth_width.network(
        20, width=64, default=True, seeds=seeds(300, 10), dtype=torch.float64
    )
    apart = depth_width.apart(default)
    factor = (apart[-1] / apart[0]) ** (1 / 19)
    claim("default: factor a layer on differences", factor, least=0.37, most=0.45)
    he = depth_width.network(20, width=64, seeds=seeds(300, 10), dtype=torch.float64)
    apart = depth_width.apart(he)
    claim("He: factor a layer on differences", (apart[-1] / apart[0]) ** (1 / 19), least=0.85)
    layer = torch.nn.Linear(3000, 300)
    assert 3000 * layer.weight.var().item() == pytest.approx(1 / 3, rel=0.02)


def test_the_exercises_of_torch_layers(capsys: pytest.CaptureFixture[str]) -> None:
    def said(law: object) -> str:
        def start(layer: torch.nn.Linear) -> None:
            with torch.no_grad():
                law(layer.weight, layer.weight.shape[1])  # type: ignore[operator]
                layer.bias.zero_()

        check_he(start)
        return capsys.readouterr().out

    assert "After 20 ReLU layers" in said(lambda w, n: w.normal_(0, math.sqrt(2 / n)))
    assert "take the root" in said(lambda w, n: w.normal_(0, 2 / n))
    assert "LeCun" in said(lambda w, n: w.normal_(0, math.sqrt(1 / n)))
    assert "Which axis" in said(lambda w, n: w.normal_(0, math.sqrt(2 / len(w))))
    assert "a^2 / 3" in said(lambda w, n: w.uniform_(-math.sqrt(2 / n), math.sqrt(2 / n)))
    assert "torch's own" in said(lambda w, n: None)
    check_he(lambda layer: ...)
    check_he(lambda layer: torch.nn.init.kaiming_normal_(layer.weight))
    out = capsys.readouterr().out
    assert "not yet" in out and "The biases are still" in out


@pytest.mark.claims
@pytest.mark.repeats
def test_thin_deep_networks_lack_directions_and_not_the_right_size() -> None:
    draws, many = seeds(600, 10), seeds(600, 30)
    drawn = depth_width.network(32, seeds=many)
    rescaled = depth_width.rescale_(depth_width.network(32, seeds=many))
    before, after = (depth_width.test_accuracy(net, rate=0.001) for net in (drawn, rescaled))
    claim("rescaled over as drawn", after - before, most=0.02)  # -.089 ± .10
    gaussian, turned = (
        depth_width.thin_tanh(law, seeds=draws) for law in ("lecun_normal", "orthogonal")
    )
    claim("Gaussian: directions", depth_width.directions(gaussian), most=6)  # 3.4 ± .6
    claim("orthogonal: directions", depth_width.directions(turned), least=15)  # 20 ± .2
    gain = depth_width.test_accuracy(turned, rate=0.001) - depth_width.test_accuracy(
        gaussian, rate=0.001
    )
    claim("orthogonal over Gaussian", gain, least=0)


@pytest.mark.claims
@pytest.mark.repeats
def test_twenty_layers_learn_from_hes_start_and_not_from_torchs() -> None:
    he, default = (
        depth_width.test_accuracy(
            depth_width.network(20, width=64, default=default, seeds=FRESH), rate=0.001, steps=100
        )
        for default in (False, True)
    )
    claim("He: accuracy", he, least=0.8)  # .873 ± .03
    claim("torch: accuracy", default, most=0.45)  # .109 ± .02
