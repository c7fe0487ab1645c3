"""Directions, surfaces and paths, against loops over single points and functions known by heart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional

from course import measures, networks, training
from course.measures import Surface
from course.measures.points import outputs_at
from course_tests import small


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def surface_of(function, span=1.0, points=21, **options):
    """The surface of function(a, b), written down rather than measured, as one replica."""
    axis = np.linspace(-span, span, points)
    loss = function(*np.meshgrid(axis, axis, indexing="ij"))[None]
    return Surface(axis, axis, np.broadcast_to(loss, (1, points, points)).copy(), **options)


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
def test_each_filter_of_a_direction_has_the_length_of_the_weights_of_that_unit(name):
    network = small.build(name)
    for direction in measures.filter_directions(network):
        for key, weight in network.named_parameters():
            assert direction[key].shape == weight.shape
            if key.endswith(".weight"):  # (R, fan_in, fan_out): a unit is a column
                torch.testing.assert_close(direction[key].norm(dim=1), weight.norm(dim=1))
            else:
                assert (direction[key] == 0).all()


def test_directions_of_torch_modules_are_scaled_by_unit_and_by_filter():
    module: Any = nn.Sequential(
        nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(8, 5)
    )
    with torch.no_grad():
        module[3].weight[2] = 0
    one, two = measures.filter_directions(module)
    torch.testing.assert_close(
        one["0.weight"].flatten(1).norm(dim=1), module[0].weight.flatten(1).norm(dim=1)
    )
    torch.testing.assert_close(two["3.weight"].norm(dim=1), module[3].weight.norm(dim=1))
    assert (one["3.weight"][2] == 0).all()
    assert all((one[name] == 0).all() for name in ("0.bias", "1.weight", "1.bias", "3.bias"))


def test_filters_only_change_the_lengths_of_random_directions():
    network = small.build(norm="batch")
    raw, normalized = (
        make(network, seed=3) for make in (measures.random_directions, measures.filter_directions)
    )
    for name, weight in network.named_parameters():
        if not name.endswith(".weight"):
            assert (raw[0][name] == 0).all()
            continue
        cosine = functional.cosine_similarity(raw[0][name], normalized[0][name], 1)
        torch.testing.assert_close(cosine, torch.ones_like(cosine))
        assert abs(raw[1][name].std() - 1) < 0.3 and weight.std() < 0.6


def test_directions_are_paired_by_seed_and_new_with_another():
    three, one = small.build(seeds=(3, 4, 5)), small.build(seeds=(4,))
    for both in zip(
        measures.filter_directions(three), measures.filter_directions(one), strict=True
    ):
        for name in both[0]:
            torch.testing.assert_close(both[0][name][1], both[1][name][0])
    first, second = measures.filter_directions(one)
    other, _ = measures.filter_directions(one, seed=1)
    name = "stem.linear.weight"
    for different in (second, other):
        cosine = functional.cosine_similarity(first[name].flatten(), different[name].flatten(), 0)
        assert abs(cosine) < 0.5


def by_hand(network, x, y, directions, alphas, betas):
    """One grid point after the other, as one would write it."""
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    result = []
    for a in alphas:
        for b in betas:
            point = {
                name: weight.detach() + a * directions[0][name] + b * directions[1][name]
                for name, weight in network.named_parameters()
            }
            state = {name: buffer.clone() for name, buffer in buffers.items()}
            outputs = functional_call(network, (point, state), (x,))
            outputs = outputs if outputs.dim() == 3 else outputs[None]
            result.append([functional.cross_entropy(replica, y).item() for replica in outputs])
    return np.array(result).T.reshape(-1, len(alphas), len(betas))


@pytest.mark.parametrize("name", networks.ARCHITECTURES)
@pytest.mark.parametrize("train", [True, False])
def test_a_surface_is_the_loss_at_each_point_of_each_replica(name, train):
    network = small.build(name, dtype=torch.float64).train(train)
    x, y = noise(15, 6), torch.arange(15) % 3
    directions = measures.filter_directions(network)
    alphas, betas = np.linspace(-1, 1, 3), np.linspace(-0.5, 1, 4)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    found = measures.surface(network, x, y, directions, alphas=alphas, betas=betas)
    assert found.loss.shape == (2, 3, 4)
    np.testing.assert_allclose(
        found.loss, by_hand(network, x, y, directions, alphas, betas), rtol=1e-9
    )
    small_pieces = measures.surface(network, x, y, directions, alphas=alphas, betas=betas, chunk=5)
    np.testing.assert_allclose(small_pieces.loss, found.loss, rtol=1e-12)
    assert network.training == train
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize("shared", [True, False], ids=["one batch", "a batch for each replica"])
@pytest.mark.parametrize("convolutional", [False, True], ids=["", "convolutional"])
@pytest.mark.parametrize("name", networks.CONVOLUTIONAL)
def test_outputs_at_many_points_are_those_at_each(name, convolutional, shared):
    if convolutional:
        sizes: Any = dict(shape=(1, 4, 4), width=4, depth=10, outputs=3, seeds=(0, 1))
        network = networks.convolutional(name, **sizes)
    else:
        network = small.build(name, norm="batch")
    x = noise(*([] if shared else [2]), 5, 16 if convolutional else 6).float()
    parameters = dict(network.named_parameters())
    points = {n: w.detach() + 0.1 * noise(3, *w.shape).float() for n, w in parameters.items()}
    for k, outputs in enumerate(outputs_at(network, points, x)):
        buffers = {n: b.detach().clone() for n, b in network.named_buffers()}
        point = {n: each[k] for n, each in points.items()}
        own = functional_call(network, (point, buffers), (x,))
        torch.testing.assert_close(outputs, own, rtol=1e-3, atol=1e-4)


def test_a_surface_of_a_convolutional_network_of_torch_s():
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3)
    )
    x, y = noise(9, 1, 4, 4).float(), torch.arange(9) % 3
    directions = measures.filter_directions(module)
    axis = np.linspace(-1, 1, 3)
    found = measures.surface(module, x, y, directions, alphas=axis)
    np.testing.assert_allclose(found.loss, by_hand(module, x, y, directions, axis, axis), rtol=1e-5)


def test_mse_and_losses_of_one_s_own():
    network = small.build(dtype=torch.float64)
    x, targets = noise(8, 6), noise(8, 3)
    directions = measures.filter_directions(network)
    named = measures.surface(network, x, targets, directions, loss="mse", alphas=[-1, 0, 1])
    own = measures.surface(
        network, x, targets, directions, alphas=[-1, 0, 1],
        loss=lambda outputs, y: (outputs - y).square().mean((1, 2)),
    )  # fmt: skip
    np.testing.assert_allclose(named.loss, own.loss)


def test_the_loss_of_a_linear_network_of_one_layer_is_convex():
    network = networks.mlp([6, 3], seeds=range(3), init="lecun_normal")
    x, y = noise(40, 6).float(), torch.arange(40) % 3
    found = measures.surface(network, x, y, measures.filter_directions(network))
    assert (found.nonconvex_share() == 0).all()
    assert (found.local_minima() <= 1).all()


def test_curvatures_of_a_quadratic_are_its_own():
    found = surface_of(lambda a, b: 3 * a**2 - 2 * a * b + b**2 + a - 5)
    exact = np.linalg.eigvalsh([[6, -2], [-2, 2]])
    np.testing.assert_allclose(
        found.curvatures(), np.broadcast_to(exact, (1, 19, 19, 2)), atol=1e-9
    )


@pytest.mark.parametrize(
    ("function", "share", "minima"),
    [
        (lambda a, b: a**2 + b**2, 0, 1),
        (lambda a, b: (a - 0.05) ** 2 + b**2, 0, 1),  # two grid points share the bottom
        (lambda a, b: a**2 - b**2, 1, 0),
        (lambda a, b: np.exp(8 * a) + np.exp(-8 * b), 0, 0),
        (lambda a, b: np.cos(2 * np.pi * a) + np.cos(2 * np.pi * b), 0.75, 4),
        (lambda a, b: 0 * a + 7, 0, 0),
        (lambda a, b: a + 2 * b, 0, 0),
        (lambda a, b: -1e-9 * (a**2 + b**2) + 3, 0, 0),  # as far as a loss in float32 can tell
    ],
)
def test_roughness_of_functions_known_by_heart(function, share, minima):
    found = surface_of(function)
    assert found.nonconvex_share() == pytest.approx(share, abs=0.08)
    assert found.local_minima() == minima


def test_where_it_bends_and_where_it_is_lowest():
    found = surface_of(lambda a, b: np.cos(2 * np.pi * a) + 3 * b**2)
    inner = found.alphas[1:-1]
    at = np.argwhere(found.lowest()[0])
    np.testing.assert_allclose(np.abs(inner[at[:, 0]]), 0.5)
    np.testing.assert_allclose(inner[at[:, 1]], 0, atol=1e-12)
    expected = np.cos(2 * np.pi * inner) > 1e-6
    assert (found.bends_down()[0] == expected[:, None]).all()
    found.loss[0, 5, 5] = math.nan
    assert not found.bends_down()[0, 3:6, 3:6].any()


def test_infinite_and_nan_losses_stay_and_are_left_out():
    found = surface_of(lambda a, b: a**2 - b**2)
    found.loss[0, 5, 5], found.loss[0, 12, 12] = math.inf, math.nan
    assert np.isnan(found.curvatures()[0, :, :, 0]).sum() == 18
    assert found.nonconvex_share() == 1
    walled = surface_of(lambda a, b: np.where(np.maximum(np.abs(a), np.abs(b)) > 0.05, np.nan, 1.0))
    assert walled.local_minima() == 1
    assert np.isnan(walled.nonconvex_share())
    nothing = surface_of(lambda a, b: a * np.nan)
    assert np.isnan(nothing.nonconvex_share()) and nothing.local_minima() == 0


def test_a_network_that_overflows_gives_a_surface_with_infinities():
    network: Any = small.build(norm=None)
    with torch.no_grad():
        network.stem.linear.weight[0] *= 1e38
    x, y = noise(9, 6).float(), torch.arange(9) % 3
    found = measures.surface(
        network, x, y, measures.filter_directions(network), alphas=[-1.0, 0.0, 1.0]
    )
    assert not np.isfinite(found.loss[0]).any() and np.isfinite(found.loss[1]).all()


def snapshots(steps=12, replicas=2):
    """A path which bends in a plane of its own in each replica, and its coordinates there."""
    t = torch.linspace(0, 3, steps, dtype=torch.float64)
    plane = torch.stack([torch.cos(t) * t, torch.sin(t)], 1)
    basis = torch.linalg.qr(noise(replicas, 5 * 4 + 4, 2)).Q
    rows = plane @ basis.mT + noise(replicas, 1, 24, seed=1)  # (R, T, 24)
    return [
        {"w": rows[:, s, :20].reshape(replicas, 5, 4), "b": rows[:, s, 20:].reshape(replicas, 1, 4)}
        for s in range(steps)
    ]


def test_a_path_in_a_plane_is_found_in_each_replica():
    path = snapshots()
    found = measures.path_plane(path, replicas=2)
    assert found.coordinates.shape == (2, 12, 2) and found.explained.shape == (2, 2)
    np.testing.assert_allclose(found.explained.sum(1), 1)
    assert (found.explained[:, 0] > found.explained[:, 1]).all()
    np.testing.assert_allclose(found.coordinates[:, -1], 0, atol=1e-12)
    for step, weights in enumerate(path):
        for name in weights:
            coordinates = torch.from_numpy(found.coordinates[:, step])[:, :, None, None]
            first, second = (direction[name] for direction in found.directions)
            point = found.start[name] + coordinates[:, 0] * first + coordinates[:, 1] * second
            torch.testing.assert_close(point, weights[name])
    alone = measures.path_plane([{n: w[1:] for n, w in step.items()} for step in path], replicas=1)
    np.testing.assert_allclose(
        np.abs(alone.coordinates[0]), np.abs(found.coordinates[1]), atol=1e-9
    )


def test_paths_that_stand_still_or_break_are_defined():
    path = snapshots()
    still = measures.path_plane([path[0]] * 4, replicas=2)
    assert (still.explained == 0).all() and (still.coordinates == 0).all()
    path[3]["w"][1, 0, 0] = math.nan
    broken = measures.path_plane(path, replicas=2)
    assert np.isnan(broken.coordinates[1]).all() and np.isnan(broken.explained[1]).all()
    assert np.isfinite(broken.coordinates[0]).all()
    module = [{"w": noise(5, 4, seed=s)} for s in range(4)]
    assert measures.path_plane(module).coordinates.shape == (1, 4, 2)


def test_the_surface_along_a_path_has_the_losses_of_the_path():
    network, task = small.build(), small.blobs()
    path = [{name: p.detach().clone() for name, p in network.named_parameters()}]
    for _ in training.fit(network, task, steps=6, device="cpu"):
        path.append({name: p.detach().clone() for name, p in network.named_parameters()})
    found = measures.path_plane(path, network.replicas)
    x, y = task.x_train, task.y_train
    end = measures.surface(
        network, x, y, found.directions, start=found.start, alphas=[-1.0, 0.0, 1.0]
    )
    outputs = network(x)
    expected = [functional.cross_entropy(replica, y).item() for replica in outputs]
    np.testing.assert_allclose(end.loss[:, 1, 1], expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (dict(alphas=[0.0, 1.0]), "alphas"),
        (dict(alphas=[0.0, 1.0, 3.0]), "alphas"),
        (dict(betas=[1.0, 0.0, -1.0]), "betas"),
        (dict(betas=[[0.0, 1.0, 2.0]]), "betas"),
        (dict(chunk=0), "chunk = 0"),
        (dict(loss="hinge"), "loss = 'hinge'"),
        (dict(start={"other": torch.ones(1)}), "directions or start"),
    ],
)
def test_bad_arguments_are_named(options, named):
    network = small.build()
    directions = measures.filter_directions(network)
    with pytest.raises(ValueError, match=named):
        measures.surface(network, noise(3, 6).float(), torch.arange(3), directions, **options)


def test_too_few_directions_or_snapshots_are_refused():
    network = small.build()
    directions = measures.filter_directions(network, count=1)
    with pytest.raises(ValueError, match="directions = '1 of them'"):
        measures.surface(network, noise(3, 6).float(), torch.arange(3), directions)
    with pytest.raises(ValueError, match="snapshots"):
        measures.path_plane([{}, {}])
    with pytest.raises(ValueError, match="seed = -1"):
        measures.filter_directions(network, seed=-1)
