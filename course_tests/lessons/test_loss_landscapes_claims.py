"""Notebook 11: what slices of the loss show, and what they do not. Fresh seeds."""

from __future__ import annotations

import itertools
import math
import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from course import data, measures
from course.lessons.loss_landscapes import (
    curvature,
    explorer,
    paths,
    pictures,
    roughness,
    science,
)
from course.lessons.loss_landscapes.exercise import (
    check_filter_direction,
    check_own_units,
    solve_filter_direction,
    solve_own_units,
)
from course.live import Canvas
from course.networks import Network
from course.plots import style
from course_tests.claims import claim, seeds
from course_tests.corners import corners, visit

SEEDS = tuple(seeds(10, 3))


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").subset(1500)


def trained(kind: str, depth: int, examples: data.Dataset, **options: Any) -> Network:
    net = science.network(kind, examples, depth=depth, seeds=SEEDS, **options)
    for _ in science.train(net, examples):
        pass
    return net


@pytest.fixture(scope="module")
def nets(digits: data.Dataset) -> dict[str, Network]:
    """What several claims share."""
    return {
        "plain 5": trained("plain", 5, digits),
        "plain 40": trained("plain", 40, digits),
        "resnet 20": trained("resnet", 20, digits),
    }


def count(net: Network, examples: data.Dataset) -> science.Roughness:
    return science.roughness(science.slices({0: net}, examples)[0], net, examples)


@pytest.mark.claims
def test_the_scale_of_weights_changes_raw_slices_and_not_filter_normalized_ones(
    digits: data.Dataset,
) -> None:
    for norm in (None, "batch"):
        net = trained("plain", 2, digits, norm=norm)
        seen: dict[tuple[str, float], measures.Surface] = {}
        for kind, factor in itertools.product(science.DIRECTIONS, (1 / 16, 1.0, 16.0)):
            other = science.rescaled(net, factor)
            x = digits.x_train[: science.SAMPLES]
            with torch.no_grad():
                torch.testing.assert_close(other(x), net(x), rtol=0.01, atol=0.02)
            seen[kind, factor] = science.slice_through(
                other, digits, science.directions(other, kind)
            )
        for factor in (1 / 16, 16.0):
            same, before = (seen["filter-normalized", c].loss for c in (factor, 1.0))
            assert np.abs(np.log(same / before)).max() < (0.02 if norm else 1e-6)
        small, one, large = (np.log(seen["raw", c].loss.max((1, 2))) for c in (1 / 16, 1.0, 16.0))
        label = f"{norm or 'no'} norm"
        # 2.45 ± .3, 1.24 ± .2
        claim(f"{label}: log of highest loss, weights / 16", small - one, least=math.log(2.5))
        if norm:
            # 2.59 ± .3, -2.17 ± .2
            claim(f"{label}: log of highest loss, weights * 16", large - one, most=-math.log(3))
            bent = seen["raw", 1 / 16].nonconvex_share(), seen["raw", 16.0].nonconvex_share()
            claim(f"{label}: nonconvex share, weights / 16", bent[0], least=0.5)  # .801 ± .04
            claim(f"{label}: nonconvex share, weights * 16", bent[1], most=0.02)  # 0 ± 0
        else:
            claim(f"{label}: log of highest loss, weights * 16", large - one, least=math.log(5))


@pytest.mark.claims
def test_filters_do_not_undo_a_factor_for_each_unit_without_a_norm(digits: data.Dataset) -> None:
    net = trained("plain", 2, digits)
    other = science.rescaled_units(net, 16)
    x = digits.x_train[: science.SAMPLES]
    with torch.no_grad():
        torch.testing.assert_close(other(x), net(x), rtol=1e-4, atol=1e-4)
    before, after = (
        science.slice_through(some, digits, science.directions(some)) for some in (net, other)
    )
    higher = np.log(after.loss.max((1, 2)) / before.loss.max((1, 2)))
    claim("own units: log of highest loss over that before", higher, least=math.log(10))
    bent = after.nonconvex_share() - before.nonconvex_share()
    claim("own units: share that bends downward, more", bent, least=0.05)
    with pytest.raises(ValueError, match="norm = 'batch'"):
        science.rescaled_units(science.network("plain", digits, depth=1, norm="batch"), 2)


@pytest.mark.claims
@pytest.mark.repeats
def test_the_famous_picture_with_batch_norm_and_undivided_branches(digits: data.Dataset) -> None:
    plain, resnet = (
        count(trained(f"{kind}, batch norm", 10, digits), digits) for kind in ("plain", "resnet")
    )
    claim("plain, batch norm: nonconvex share", plain.nonconvex, least=0.3)  # .506 ± .04
    claim("plain, batch norm: accuracy", plain.accuracy, least=0.95)  # .968 ± .008
    claim("resnet, batch norm: nonconvex share", resnet.nonconvex, most=0.15)  # .024 ± .03
    claim("resnet, batch norm: accuracy", resnet.accuracy, least=0.98)  # .999 ± .001
    deep = trained("plain, batch norm", 40, digits)
    loss = science.slices({40: deep}, digits)[40].loss
    claim("40 blocks, plain: highest over lowest", loss.max((1, 2)) / loss.min((1, 2)), most=2)
    claim("40 blocks, plain: accuracy", count(deep, digits).accuracy, most=0.3)  # .118 ± .01


@pytest.mark.claims
@pytest.mark.repeats
def test_plain_slices_get_rougher_with_depth_and_residual_ones_do_not(
    nets: dict[str, Network], digits: data.Dataset
) -> None:
    shallow, deep, skipped = (count(net, digits) for net in nets.values())
    claim("plain 5: nonconvex share", shallow.nonconvex, least=0.01)  # .164 ± .07
    claim("plain 5: accuracy", shallow.accuracy, least=0.98)  # .996 ± .004
    # .358 ± .09
    claim("plain 40 over 5: nonconvex share", deep.nonconvex - shallow.nonconvex, least=0.15)
    claim("plain 40: nonconvex share", deep.nonconvex, least=0.3)  # .522 ± .04
    claim("plain 40: share with several minima", deep.minima > 1, least=0.1)  # .9 ± .3
    claim("resnet 20: nonconvex share", skipped.nonconvex, most=0.05)  # 0 ± 0
    claim("resnet 20: minima", skipped.minima, most=1.1)  # 1 ± 0
    claim("resnet 20: accuracy", skipped.accuracy, least=0.97)  # .985 ± .003


@pytest.mark.claims
@pytest.mark.repeats
def test_rough_networks_may_train_and_the_smoothest_does_not(
    nets: dict[str, Network], digits: data.Dataset
) -> None:
    deep = count(nets["plain 40"], digits)
    linear = count(trained("looks-linear", 40, digits), digits)
    claim("looks-linear 40: nonconvex share", linear.nonconvex, least=0.1)  # .26 ± .02
    claim("looks-linear 40: accuracy", linear.accuracy, least=0.95)
    claim("plain 40: accuracy", deep.accuracy, most=0.95)
    loud = count(trained("resnet", 20, digits, branch=1.0), digits)  # a skip alone is not enough
    claim("resnet 20, branch 1: nonconvex share", loud.nonconvex, least=0.15)  # .312 ± .05
    claim("resnet 20, branch 1: accuracy", loud.accuracy, most=0.8)  # .375 ± .07
    tiny = trained("small weights", 40, digits)
    loss = science.slices({40: tiny}, digits)[40].loss
    # 1 ± 6e-04
    claim("small weights: highest over lowest", loss.max((1, 2)) / loss.min((1, 2)), most=1.1)
    claim("small weights: accuracy", count(tiny, digits).accuracy, most=0.3)  # .102 ± 4e-04


@pytest.mark.claims
@pytest.mark.repeats
def test_a_minimum_of_a_slice_is_none_of_the_loss(
    nets: dict[str, Network], digits: data.Dataset
) -> None:
    net = nets["plain 40"]
    found = science.slice_through(net, digits, science.directions(net), points=33)
    places = [science.lowest_places(found, number) for number in range(3)]
    counts = np.array([len(some) for some in places])
    claim("share of slices with minima beside the centre", counts > 0, least=0.3)  # .93 ± .25
    number = int(np.argmax(counts))
    one = science.replica(net, number)
    before = {name: p.clone() for name, p in one.named_parameters()}
    losses = science.descend(one, digits, science.directions(one), places[number])
    assert losses.shape == (61, len(places[number]))
    claim("loss left after descent", (losses[-1] / losses[0]).mean(), most=0.75)  # .233 ± .05
    axis = [np.searchsorted(found.alphas, p) for p in places[number].T]
    np.testing.assert_allclose(losses[0], found.loss[number][axis[0], axis[1]], rtol=1e-3)
    assert all(torch.equal(p, before[name]) for name, p in one.named_parameters())


@pytest.mark.claims
@pytest.mark.repeats
def test_a_convex_slice_hides_directions_that_bend_downward(
    nets: dict[str, Network], digits: data.Dataset
) -> None:
    values, (lowest, highest) = curvature.extremes(nets["resnet 20"], digits)
    assert np.all(values[:, 0] < 0)
    lowest_curvature, highest_curvature = np.log10(np.abs(values)).T
    claim("log10 of the lowest curvature, downward", lowest_curvature, least=-1.7)  # -.629 ± .1
    # 1.57 ± .1
    claim("log10 of highest over lowest", highest_curvature - lowest_curvature, least=0.7)
    small = [{name: 0.02 * d for name, d in way.items()} for way in (lowest, highest)]
    along = science.slice_through(nets["resnet 20"], digits, small, span=1.0, points=5)
    middle = along.loss[:, 2, 2]
    second = (along.loss[:, 2, 4] - 2 * middle + along.loss[:, 2, 0]) / 0.02**2
    claim("the slice bends as computed", second / values[:, 1], least=0.8, most=1.2)  # 1.01 ± .01


@pytest.mark.claims
def test_two_directions_hold_most_of_a_path_and_of_a_random_walk(digits: data.Dataset) -> None:
    net = science.network("plain", digits, depth=10, seeds=SEEDS)
    points = list(paths.follow(net, digits))
    assert [point.step for point in points] == list(range(10, 301, 10))
    path = paths.plane([point.weights for point in points], 3)
    claim("two directions' share of a path", path.explained.sum(1), least=0.8)  # .922 ± .007
    assert np.all(path.coordinates[:, 0] < 0)
    walk = paths.plane(paths.random_walk(30, 10_000, seeds=SEEDS), 3)
    for number, form in enumerate(paths.WALK):
        found = walk.explained[:, number]
        # .609 ± .002, .153 ± .002
        claim(f"direction {number + 1} of a walk", found, least=form - 0.03, most=form + 0.03)
    true = paths.losses_at(net, digits, [point.weights for point in points])
    shown = paths.on_plane(path)
    flat = paths.losses_at(net, digits, shown)
    first = [
        torch.cat([weights[name][0].flatten() for name in path.start])
        for weights in (points[0].weights, shown[0], path.start)
    ]
    beside, along = (first[0] - first[1]).norm(), np.linalg.norm(path.coordinates[0, 0])
    np.testing.assert_allclose((first[0] - first[2]).norm(), math.hypot(beside, along), rtol=1e-4)
    np.testing.assert_allclose((first[1] - first[2]).norm(), along, rtol=1e-4)
    np.testing.assert_allclose(flat[-1], true[-1], rtol=1e-3)  # the plane goes through the end
    # 1.62 ± .5
    claim("the plane's loss is another: log", np.abs(np.log(flat / true)).max(0), least=0.15)
    around = paths.around(net, digits, path, points=9)
    assert around.loss.shape == (1, 9, 9) and np.isfinite(around.loss).all()


def test_the_extremes_of_the_hessian_of_a_quadratic_like_loss(digits: data.Dataset) -> None:
    net = science.network("plain", digits, depth=1, width=2, seeds=(0, 1), dtype=torch.float64)
    few = data.load("digits").subset(science.SAMPLES, test=1)
    object.__setattr__(few, "x_train", few.x_train.double())
    values, directions = curvature.extremes(net, few, iterations=160)
    for r in range(2):
        one = science.replica(net, r)
        flat = torch.cat([p.detach().flatten() for p in one.parameters()])

        def loss(w: torch.Tensor, one: Network = one) -> torch.Tensor:
            parts, start = {}, 0
            for name, p in one.named_parameters():
                parts[name] = w[start : start + p.numel()].view(p.shape)
                start += p.numel()
            outputs = torch.func.functional_call(one, parts, (few.x_train,))[0]
            return torch.nn.functional.cross_entropy(outputs, few.y_train)

        exact = torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, flat))
        np.testing.assert_allclose(values[r], exact[[0, -1]], rtol=1e-4, atol=1e-6)
    for direction in directions:
        length = sum(d.square().flatten(1).sum(1) for d in direction.values())
        torch.testing.assert_close(length, torch.ones(2, dtype=torch.float64))


def test_the_explorers_at_their_extremes_neither_fail_nor_warn(digits: data.Dataset) -> None:
    untrained = {
        kind: {n: science.network(kind, digits, depth=n, seeds=SEEDS) for n in (1, 12)}
        for kind in ("plain", "resnet")
    }
    panel = explorer.explore(untrained, digits, depth=12)
    first, picture = panel.text, panel.png
    assert "bends downward" in first and len(first.splitlines()) == 3
    places = [
        {**place, **(dict(turn=0, tilt=90) if place["span"] > 1 else dict(turn=360, tilt=0))}
        for place in corners(depth=(12, 1), along=tuple(science.DIRECTIONS), span=(0.05, 1.5))
    ]
    (*texts, skipped), pictures = visit(panel, [*places, dict(network="resnet")])
    assert len(set(pictures)) == 9 and skipped.startswith("resnet, 1 block, ")
    for place, text in zip(places, texts, strict=True):
        assert f"{place['depth']} block{'s' * (place['depth'] > 1)}, {place['along']}" in text
    assert panel.png == picture
    panel.new_draw()
    assert panel.text != first

    both = {"ReLU": untrained["plain"][1]}
    both["batch norm"] = science.network("plain", digits, depth=1, norm="batch", seeds=SEEDS)
    named = {1 / 32: "1/32", 1: "1", 32: "32"}
    places = corners(network=tuple(both), factor=tuple(named))
    texts, _ = visit(explorer.rescale(both, digits), places)
    for place, text in zip(places, texts, strict=True):
        assert text.startswith(f"{place['network']}, factor c = {named[place['factor']]}.")
        assert "0.0% of the largest" in text or place["network"] == "batch norm"
    with pytest.raises(ValueError, match="depth = 7"):
        explorer.explore(untrained, digits, depth=7)
    with pytest.raises(ValueError, match="factor = 0"):
        explorer.rescale(both, digits, factor=0)


def test_live_runs_show_what_they_train(digits: data.Dataset) -> None:
    nets = {"plain": {1: science.network("plain", digits, depth=1, seeds=SEEDS)}}
    history = explorer.watch(nets, digits, steps=20, every=10).result()
    assert [record.step for record in history["plain 1"]] == [10, 20]
    run = explorer.watch_path(nets["plain"][1], digits, steps=50)
    assert len(run.result()) == 5


def test_losses_that_are_not_finite_leave_holes_and_no_warning() -> None:
    axis = np.linspace(-1, 1, 5)
    loss = np.full((5, 5), 2.0)
    loss[0, 0], loss[1, 1], loss[4] = np.nan, np.inf, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for holes in (loss, np.full((5, 5), np.inf)):
            fig, axes = style.figure(6.0, 3.0, ncols=2)
            colours = pictures.Colours(fig, list(axes))
            flat, relief = pictures.LossMap(axes[0], colours), pictures.Relief(axes[1], colours)
            colours.fit(holes)
            flat.show(axis, axis, holes)
            relief.show(holes, 30.0, 40.0)
            fig.draw_without_rendering()
    assert len(relief.faces.get_paths()) == 0


def test_labels_of_roughness_are_no_longer_than_their_panels_in_a_column() -> None:
    fig, axes = style.figure(10.0, 3.4, ncols=3)
    measured = SimpleNamespace(nonconvex=[0.2], minima=[3.0], accuracy=[0.9])
    roughness.roughness(fig, axes, {"plain": {2: measured, 40: measured}})
    canvas = Canvas(fig)
    canvas.fit(700, 1.0)
    canvas.render()
    for ax in axes:
        assert ax.yaxis.label.get_window_extent().height < ax.get_window_extent().height


def test_the_checks_of_the_exercises_hint(capsys: pytest.CaptureFixture[str]) -> None:
    check_filter_direction(solve_filter_direction)
    check_own_units(solve_own_units)
    assert capsys.readouterr().out.count("right in all 2") == 2
    check_filter_direction(lambda d, W: d * (np.linalg.norm(W) / np.linalg.norm(d)))
    assert "Each column needs its own" in capsys.readouterr().out
    check_own_units(lambda W, b, following, c: (W * c, b, following / c[:, None]))
    assert "The bias feeds the unit, too" in capsys.readouterr().out
