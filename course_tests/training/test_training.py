"""Training: replicas are single runs, steps are torch's steps, breakdowns stay where they are."""

from __future__ import annotations

import copy
import math
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from course import measures, networks, training
from course.data import LinearTeacher
from course.measures import loss
from course.training import (
    SGD,
    Adam,
    Problem,
    Schedule,
    clip_,
    constant,
    fit,
    linear_decay,
    optimizers,
    step_decay,
)
from course_tests.small import blobs, build

CPU = torch.device("cpu")


def run(network, data=None, **options):
    options = {"steps": 12, "batch": 20, "device": "cpu", **options}
    return list(fit(network, blobs() if data is None else data, **options))


def weights(network):
    return torch.cat([p.detach().flatten(1) for p in network.parameters()], dim=1)


# Replicas


@pytest.mark.parametrize("name", ["plain", "resnet", "highway", "diracnet", "van", "looks-linear"])
def test_each_replica_is_the_single_run_with_its_seed(name):
    seeds = (3, 8, 5)
    options = dict(steps=200, optimizer=SGD(0.01, 0.9), schedule=linear_decay(0.5))
    together = build(name, seeds=seeds)
    curve = np.array([record.loss for record in run(together, **options)])
    for replica, seed in enumerate(seeds):
        alone = build(name, seeds=(seed,))
        single = np.array([record.loss[0] for record in run(alone, **options)])
        np.testing.assert_allclose(curve[:, replica], single, rtol=2e-3, atol=1e-4)
        close = torch.isclose(weights(together)[replica], weights(alone)[0], rtol=1e-2, atol=1e-3)
        assert close.all()


@pytest.mark.parametrize("norm", [None, "layer"])
def test_replicas_are_single_runs_with_adam_and_clipping(norm):
    options = dict(steps=200, optimizer=Adam(0.002), clip=0.5)
    curve = np.array([r.loss for r in run(build(norm=norm, seeds=(1, 2)), **options)])
    single = np.array([r.loss[0] for r in run(build(norm=norm, seeds=(2,)), **options)])
    np.testing.assert_allclose(curve[:, 1], single, rtol=2e-3, atol=1e-4)


def test_a_run_repeats_bit_for_bit():
    first, second = build("van"), build("van")
    one, two = run(first), run(second)
    assert torch.equal(weights(first), weights(second))
    assert all(np.array_equal(a.loss, b.loss) for a, b in zip(one, two, strict=True))


def test_batches_depend_on_the_seed_and_the_step_alone():
    data = blobs(train=50)
    problems = [
        Problem(data, build(name, seeds=seeds), "cross_entropy", 10, CPU)
        for name, seeds in (("plain", (4, 9)), ("resnet", (9,)))
    ]
    epoch = [problems[0].batches.batch(step) for step in range(5)]
    for replica in range(2):  # an epoch shows each example once
        seen = torch.cat([x[replica] for x, _ in epoch])
        assert torch.equal(seen.unique(dim=0), data.x_train.unique(dim=0))
    for step in (0, 7, 3):  # in any order of asking
        x, y = problems[1].batches.batch(step)
        assert torch.equal(problems[0].batches.batch(step)[0][1], x[0])
        assert torch.equal(problems[0].batches.batch(step)[1][1], y[0])
    assert not torch.equal(epoch[0][0], problems[0].batches.batch(5)[0])
    assert not torch.equal(epoch[0][0][0], epoch[0][0][1])


@pytest.mark.parametrize(
    ("data", "loss", "augment"),
    [
        (blobs(train=50), "cross_entropy", None),
        (blobs(train=50), "cross_entropy", training.CropAndFlip((1, 2, 3), padding=1)),
        (LinearTeacher(6), "mse", None),
    ],
)
def test_some_replicas_see_the_same_batches_as_among_all(data, loss, augment):
    network = build(seeds=(4, 9, 2, 7), outputs=6 if loss == "mse" else 3)
    whole = Problem(data, network, loss, 10, CPU, augment)
    rows = slice(1, 3)
    part = whole.part(rows)
    for step in (0, 7, 3, 60):
        x, y = part.batches.batch(step)
        both = whole.batches.batch(step)
        assert torch.equal(x, both[0][rows]) and torch.equal(y, both[1][rows])
    (x, y), (all_x, all_y) = part.evaluation["test"], whole.evaluation["test"]
    shared = x.dim() == 2
    assert torch.equal(x, all_x if shared else all_x[rows])
    assert torch.equal(y, all_y if shared else all_y[rows])


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(sorted(networks.ARCHITECTURES)),
    seeds=st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    width=st.integers(1, 6),
    depth=st.integers(0, 4),
    batch=st.integers(8, 20),
)
@example(name="van", seeds=[0], width=1, depth=0, batch=8)
def test_replicas_are_single_runs_whatever_their_number_and_shape(name, seeds, width, depth, batch):
    shape = dict(width=2 * width, depth=depth)  # looks-linear takes even widths only
    options = dict(steps=4, batch=batch, optimizer=SGD(1e-3, 0.9))
    curve = np.array([r.loss for r in run(build(name, seeds=seeds, **shape), **options)])
    last = len(seeds) - 1
    single = np.array([r.loss[0] for r in run(build(name, seeds=seeds[last:], **shape), **options)])
    np.testing.assert_allclose(curve[:, last], single, rtol=1e-3, atol=1e-5)


# Steps


@pytest.mark.parametrize("one_pass", [True, False])
@pytest.mark.parametrize("clip", [None, 0.3])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SGD(0.05, 0.9), lambda p: torch.optim.SGD(p, 0.05, momentum=0.9)),
        (SGD(0.05, 0.0), lambda p: torch.optim.SGD(p, 0.05)),
        (
            SGD(0.05, 0.9, weight_decay=0.01),
            lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, weight_decay=0.01),
        ),
        (Adam(0.01), lambda p: torch.optim.Adam(p, 0.01)),
    ],
)
def test_steps_are_those_of_torch(ours, theirs, clip, one_pass, monkeypatch):
    assert optimizers.in_one_pass(torch.zeros(1)), (
        "this torch has other operations: see _sgd, _adam"
    )
    monkeypatch.setattr(optimizers, "in_one_pass", lambda weights: one_pass)
    data = blobs()
    mine, reference = (build(seeds=(6,), dtype=torch.float64) for _ in range(2))
    optimizer = theirs(reference.parameters())
    problem = Problem(data, reference, "cross_entropy", 20, CPU)
    records = run(mine, data, optimizer=ours, clip=clip, schedule=linear_decay(0.5))
    reference.train()
    for step, record in enumerate(records):
        x, y = problem.batches.batch(step)
        optimizer.param_groups[0]["lr"] = ours.rate * linear_decay(0.5)(step, 12)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(reference(x)[0], y[0])
        loss.backward()
        if clip:
            torch.nn.utils.clip_grad_norm_(reference.parameters(), clip)
        optimizer.step()
        assert record.loss[0] == pytest.approx(loss.item(), rel=1e-9)
    torch.testing.assert_close(weights(mine), weights(reference), rtol=1e-7, atol=1e-9)


@given(
    st.lists(st.floats(width=32), min_size=12, max_size=12),
    st.sampled_from([SGD(0.1, 0.9), SGD(0.1, 0.0, 0.01), Adam(0.01), Adam(0.1, 0.0, 0.5, 1e-3)]),
    st.integers(0, 3),
)
@example([math.nan, math.inf, -math.inf, 1e-45, 1e30, 0.0] * 2, Adam(0.01), 0)
def test_an_update_in_one_pass_is_that_of_the_formula(numbers, optimizer, step):
    """Entry by entry, whatever they are; sums of huge numbers may overflow a step apart."""
    weights, gradient = torch.tensor(numbers).view(2, 2, 3)
    changing = torch.tensor(optimizer.numbers(step, 0.1))
    found = []
    for one_pass in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(optimizers, "in_one_pass", lambda weights, now=one_pass: now)
            values, state = weights.clone(), optimizer.state(weights)
            for _ in range(2):
                optimizer.update(values, gradient, state, changing)
            found.append([values, *state.values()])
    for one, other in zip(*found, strict=True):
        huge = (one.abs() > 1e37) | (other.abs() > 1e37)
        torch.testing.assert_close(
            one.where(~huge, 0), other.where(~huge, 0), rtol=1e-5, atol=1e-30, equal_nan=True
        )


def test_clipping_is_torchs_per_replica_and_bears_any_finite_gradient():
    gradient = torch.tensor([[3.0, 4.0], [0.03, 0.04], [3e30, -4e30], [0.0, 0.0], [2e38, 2e38]])
    clipped = gradient.clone()
    clip_(clipped, 1.0)
    for row, result in zip(gradient[:2], clipped[:2], strict=True):
        parameter = torch.nn.Parameter(torch.zeros(2))
        parameter.grad = row.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 1.0)
        torch.testing.assert_close(result, parameter.grad)
    torch.testing.assert_close(clipped[2], torch.tensor([0.6, -0.8]))
    assert torch.equal(clipped[3], torch.zeros(2))
    torch.testing.assert_close(clipped[4], torch.full((2,), 0.5**0.5))


def test_what_a_gradient_is_clipped_at_may_change_from_step_to_step():
    def ends(clip):
        run = fit(build(seeds=(6,)), blobs(), steps=4, batch=20, optimizer=SGD(0.5, 0.0), clip=clip)
        return [record.loss[0] for record in run]

    late = Schedule("late", lambda done: 0.01 if done >= 0.5 else math.inf)
    free, always, turned = ends(None), ends(0.01), ends(late)
    assert turned[:3] == free[:3] and turned[3] != free[3]  # the third update is the first clipped
    assert ends(Schedule("always", lambda done: 0.01)) == always


def test_schedules():
    assert [constant(step, 4) for step in range(4)] == [1, 1, 1, 1]
    assert [linear_decay(0.6)(step, 10) for step in range(10)] == pytest.approx(
        [1, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25]
    )
    assert [linear_decay(0)(step, 4) for step in range(4)] == [1, 0.75, 0.5, 0.25]
    assert [linear_decay(1)(step, 4) for step in range(4)] == [1, 1, 1, 1]
    assert [step_decay((0.5, 0.75), 0.1)(step, 4) for step in range(4)] == pytest.approx(
        [1, 1, 0.1, 0.01]
    )
    rates = [record.rate for record in run(build(), schedule=step_decay((0.5,), 0.5))]
    assert rates == [0.03] * 6 + [0.015] * 6


# Records


def test_records_say_what_was_asked_for():
    data = blobs()
    network = build("resnet")
    records = run(network, data, epochs=3, steps=None, evaluate_every=5, record_every=3)
    assert [r.step for r in records] == [3, 5, 6, 9, 10, 12, 15, 18]
    assert [r.step for r in records if r.evaluated] == [5, 10, 15, 18]
    last = records[-1]
    assert (last.steps, last.epoch, last.rate, last.alpha) == (18, 3.0, 0.03, None)
    assert last.loss.shape == last.accuracy.shape == (2,) and last.loss.dtype == np.float64
    assert last.norms is None and last.batch_statistics is None
    assert last.first_nonfinite == (None, None)
    network.eval()
    outputs = network(data.x_test)
    for replica in range(2):
        loss = torch.nn.functional.cross_entropy(outputs[replica], data.y_test)
        right = (outputs[replica].argmax(1) == data.y_test).double().mean()
        assert last.test_loss[replica] == pytest.approx(loss.item(), rel=1e-5)
        assert last.test_accuracy[replica] == pytest.approx(right.item())
    assert records[0].train_loss is None and records[0].test_accuracy is None


def test_evaluation_by_batches_uses_their_statistics_and_leaves_the_running_ones():
    data = blobs()
    network = build()
    (last,) = run(network, data, record_every=12, batch_statistics=True)
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    network.train()
    with torch.no_grad():
        parts = [network(x) for x in data.x_train.split(20)]
    for name, buffer in network.named_buffers():
        buffer.copy_(before[name])
    right = (torch.cat(parts, 1).argmax(2) == data.y_train).double().mean(1)
    np.testing.assert_allclose(last.batch_statistics.train_accuracy, right)
    assert not np.array_equal(last.batch_statistics.train_loss, last.train_loss)


@given(
    st.sampled_from(["plain", "van", "diracnet", "convolutional"]),
    st.integers(2, 120),
    st.integers(2, 130),
    st.sampled_from([1, 10, 50, 1000]),
)
@settings(deadline=None, max_examples=40)
def test_batches_evaluated_together_are_batches_one_after_another(kind, count, batch, chunk):
    network, data = build(kind if kind != "convolutional" else "plain"), blobs()
    if kind == "convolutional":
        shape = (1, 2, 3)
        network = networks.convolutional(
            "plain", shape=shape, outputs=3, width=2, depth=10, seeds=(0, 1)
        )
    x, y = data.x_train[:count], data.y_train[:count]
    parts = np.array_split(np.arange(count), min(-(-count // batch), count // 2))
    network.train()
    with torch.no_grad():
        outputs = torch.cat([copy.deepcopy(network)(x[part]) for part in parts], 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loss, "CHUNK", chunk)
        found = measures.evaluate(network, x, y, batch=batch)
    expected = measures.losses(outputs, y.expand(2, -1), "cross_entropy")
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    np.testing.assert_allclose(found[1], (outputs.argmax(2) == y).double().mean(1))


def test_evaluation_in_chunks_is_evaluation_at_once(monkeypatch):
    data, network = blobs(), build()
    whole = measures.evaluate(network, data.x_train, data.y_train)
    monkeypatch.setattr(loss, "CHUNK", 37)
    for whole_one, chunked in zip(
        whole, measures.evaluate(network, data.x_train, data.y_train), strict=True
    ):
        np.testing.assert_allclose(whole_one, chunked, rtol=1e-6)


def test_watched_norms_are_those_of_the_layers():
    network = build(norm=None, dtype=torch.float64)
    before = [p.detach().clone() for p in network.parameters()]
    data = blobs()
    watch = ("activations", "gradients", "weights", "weight_gradients")
    first = run(network, data, watch=watch, optimizer=SGD(0.1, 0))[0]
    assert first.layers == ("stem", "block 1", "block 2", "block 3", "head")
    assert all(first.norms[kind].shape == (2, 5) for kind in watch)
    same = build(norm=None, dtype=torch.float64)
    x, y = Problem(data, same, "cross_entropy", 20, CPU).batches.batch(0)
    outputs = same(x)
    outputs.retain_grad()
    each = torch.nn.functional.cross_entropy(outputs.flatten(0, 1), y.flatten(), reduction="none")
    each.sum().backward()  # every example's own loss
    norm = outputs.norm(dim=2).square().mean(1).sqrt()
    slope = outputs.grad.norm(dim=2).square().mean(1).sqrt()
    np.testing.assert_allclose(first.norms["activations"][:, -1], norm.detach())
    np.testing.assert_allclose(first.norms["gradients"][:, -1], slope)
    head = torch.cat([p.flatten(1) for p in before[-2:]], 1).norm(dim=1)
    moved = torch.cat([p.grad.flatten(1) for p in same.head.parameters()], 1).norm(dim=1) / 20
    np.testing.assert_allclose(first.norms["weights"][:, -1], head)
    np.testing.assert_allclose(first.norms["weight_gradients"][:, -1], moved)


def test_watching_does_not_change_the_run():
    plain, watched = build("van"), build("van")
    run(plain)
    run(watched, watch=("gradients",), evaluate_every=3, batch_statistics=True)
    assert torch.equal(weights(plain), weights(watched))


# Fresh examples


def test_a_deep_linear_network_learns_a_linear_teacher():
    network = networks.mlp([8, 8, 8, 8], seeds=(0, 1), activation="identity", init="orthogonal")
    teacher = LinearTeacher(8)
    records = run(
        network, teacher, steps=300, batch=16, loss="mse", optimizer=Adam(0.01), evaluate_every=100
    )
    assert records[-1].test_loss.max() < 0.05 < records[0].loss.min()
    assert records[-1].accuracy is None and records[-1].train_loss is None
    assert records[-1].epoch is None
    with torch.no_grad():
        maps = network(torch.eye(8)) - network(torch.zeros(1, 8))
    for replica, seed in enumerate(network.seeds):
        target = teacher.matrix(seed)
        torch.testing.assert_close(target @ target.T, torch.eye(8), atol=1e-5, rtol=0)
        gap = ((maps[replica] - target).square().sum() / target.square().sum()).item()
        assert gap == pytest.approx(records[-1].test_loss[replica], rel=0.3, abs=2e-3)


def test_a_task_is_the_same_in_both_precisions():
    curves = []
    for dtype in (torch.float32, torch.float64):
        network = networks.mlp([8, 8, 8], seeds=(0, 1), activation="tanh", dtype=dtype)
        curves.append([r.loss for r in run(network, LinearTeacher(8), loss="mse")])
    np.testing.assert_allclose(*curves, rtol=1e-5)


def test_answering_zero_costs_one():
    network = networks.mlp([8, 8], seeds=(0, 1), init="zero", bias=False)
    records = run(network, LinearTeacher(8), loss="mse", batch=1000, optimizer=SGD(0.0), steps=1)
    np.testing.assert_allclose(records[0].loss, 1, rtol=0.05)
    y = torch.tensor([[3.0], [-3.0]]).repeat(10, 1)
    data = SimpleNamespace(name="pair", x_train=torch.ones(20, 8), y_train=y)
    network = networks.mlp([8, 1], seeds=(0,), init="zero", bias=False)
    (record,) = run(network, data, loss="mse", batch=20, steps=1, optimizer=SGD(0.0))
    assert record.train_loss[0] == pytest.approx(1)
    assert record.test_loss is None and record.train_accuracy is None


def test_fresh_examples_are_fresh_and_found_again():
    network = networks.mlp([4, 4], seeds=(0, 1))
    batches = [Problem(LinearTeacher(4), network, "mse", 5, CPU).batches for _ in range(2)]
    seen = [batches[0].batch(step)[0].clone() for step in range(120)]
    assert len(torch.cat(seen, 1)[0].unique(dim=0)) == 600
    for step in (119, 3, 50):
        assert torch.equal(batches[1].batch(step)[0], seen[step])


# Stopping


def test_stop_by_an_event_a_function_or_closing():
    event = threading.Event()
    seen = []
    for record in fit(build(), blobs(), steps=50, batch=20, stop=event, device="cpu"):
        seen.append(record.step)
        if record.step == 4:
            event.set()
    assert seen == [1, 2, 3, 4]
    assert run(build(), stop=lambda: True) == []
    network = build().eval()
    iterator = fit(network, blobs(), steps=50, batch=20, device="cpu")
    assert next(iterator).step == 1 and network.training
    iterator.close()
    assert not network.training


# Breakdowns


def broken(name="plain", **options):
    """A run of three replicas, and what it says of where they broke down."""
    spoil, network = options.pop("spoil"), build(name, seeds=(0, 1, 2), **options.pop("net", {}))
    with torch.no_grad():
        spoil(network)
    records = run(network, **options)
    return network, records[-1]


@pytest.mark.parametrize("optimizer", [SGD(0.03, 0.9), Adam(0.01)])
def test_a_broken_replica_leaves_the_others_untouched(optimizer):
    def spoil(network):
        network.blocks[1].linear.weight[1, 0, 0] = torch.inf

    options = dict(optimizer=optimizer, clip=1.0, evaluate_every=4)
    network, last = broken(spoil=spoil, **options)
    sound, sound_last = broken(spoil=lambda network: None, **options)
    assert sound_last.first_nonfinite == (None, None, None)
    found = last.first_nonfinite[1]
    assert (found.replica, found.step, found.layer, found.what) == (1, 1, "block 2", "activation")
    assert last.first_nonfinite[0] is None and last.first_nonfinite[2] is None
    for replica in (0, 2):
        assert torch.equal(weights(network)[replica], weights(sound)[replica])
        assert last.test_loss[replica] == sound_last.test_loss[replica]
    assert np.isnan(last.loss[1]) and np.isnan(last.train_loss[1])
    assert weights(network)[1].isnan().any()


def test_an_overflow_in_the_backward_pass_is_a_gradient():
    def spoil(network):  # a signal of 1e-30 and weights of 1e30: the product is fine
        network.blocks[0].linear.weight[2] *= 1e-30
        network.blocks[0].linear.bias[2] *= 1e-30
        network.blocks[1].linear.weight[2] *= 1e30
        network.stem.linear.weight[2] *= 1e-20
        network.head.weight[2] *= 1e20

    _, last = broken(spoil=spoil, net={"norm": None}, steps=1)
    found = last.first_nonfinite[2]
    assert (found.layer, found.what, found.step) == ("block 1", "gradient", 1)
    assert np.isfinite(last.loss).all()


def test_an_overflow_in_the_update_is_a_weight():
    _, last = broken(spoil=lambda network: None, optimizer=SGD(1e41, 0.0), steps=1)
    assert {found.what for found in last.first_nonfinite} == {"weight"}


def test_an_overflow_of_the_loss_alone_is_told_apart():
    network = networks.mlp([4, 4], seeds=(0,), init="identity")
    with torch.no_grad():
        network.head.weight.mul_(1e30)
    (record,) = run(network, LinearTeacher(4), loss="mse", steps=1)
    assert (record.first_nonfinite[0].layer, record.first_nonfinite[0].what) == ("loss", "loss")


def test_training_that_explodes_is_told_and_goes_on():
    network = build(norm=None, init="he_normal", depth=10)
    records = run(network, optimizer=SGD(50.0, 0.9), steps=30)
    assert len(records) == 30
    assert all(found is not None for found in records[-1].first_nonfinite)
    first = [found.step for found in records[-1].first_nonfinite]
    for replica, step in enumerate(first):
        assert np.isfinite([r.loss[replica] for r in records[: step - 1]]).all()


# Bad input


def spoiled(**parts):
    data = blobs()
    vars(data).update(parts)
    return data


NAN = blobs().x_train.clone()
NAN[5, 2] = torch.nan


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(steps=0), "steps = 0"),
        (dict(steps=None), "steps, epochs = (None, None)"),
        (dict(epochs=1), "steps, epochs = (12, 1)"),
        (dict(steps=None, epochs=1.5), "epochs = 1.5"),
        (dict(batch=121), "batch = 121: it must be at most 120"),
        (dict(batch=0), "batch = 0"),
        (dict(batch=1), "batch = 1: it must be at least 2: batch norm needs a variance"),
        (dict(loss="l1"), "loss = 'l1'"),
        (dict(clip=0), "clip = 0"),
        (dict(clip=float("nan")), "clip = nan"),
        (dict(watch=("loss",)), "watch = 'loss'"),
        (dict(watch="gradients"), "watch = 'gradients'"),
        (dict(watch=3), "watch = 3"),
        (dict(optimizer="sgd"), "optimizer = 'sgd'"),
        (dict(schedule=0.5), "schedule = 0.5"),
        (dict(stop=3), "stop = 3"),
        (dict(evaluate_every=0), "evaluate_every = 0"),
        (dict(record_every=-1), "record_every = -1"),
        (dict(device="tpu"), "device = 'tpu'"),
        (dict(skips="slow"), "None for plain"),
        (dict(data=[1, 2]), "data = 'list'"),
        (dict(data=spoiled(x_train=NAN)), "x_train[5] = nan"),
        (dict(data=spoiled(x_test=blobs().x_test / 0)), "x_test[0] ="),
        (dict(data=spoiled(y_train=blobs().y_train + 1)), "largest label in y_train = 3"),
        (dict(data=spoiled(y_test=blobs().y_test - 1)), "smallest label in y_test = -1"),
        (dict(data=spoiled(y_train=blobs().y_train[:-1])), "a tensor with 120 rows"),
        (dict(data=spoiled(y_train=blobs().y_train.float())), "type int64"),
        (dict(data=spoiled(x_train=blobs().x_train[:, :4])), "shape of x_train = (120, 4)"),
        (dict(data=spoiled(x_train=blobs().x_train.long())), "a floating-point tensor"),
        (dict(data=spoiled(x_train=blobs().x_train[:, None])), "float32 tensor (120, 1, 6)"),
        (dict(data=spoiled(x_train=blobs().x_train.numpy())), "x_train = 'ndarray'"),
        (dict(loss="mse"), "finite numbers (120, outputs) for loss mse"),
        (dict(threads=0), "threads = 0: it must be a whole number >= 1"),
        (dict(data=LinearTeacher(6)), "loss = 'cross_entropy'"),
        (dict(data=LinearTeacher(6), loss="mse"), "a task with 3 outputs"),
        (dict(data=LinearTeacher(5), loss="mse"), "LinearTeacher(size=5"),
    ],
)
def test_bad_arguments_are_named_before_training(options, words):
    network = build()
    before = weights(network).clone()
    data = options.pop("data", blobs())
    options = {"steps": 12, "batch": 20, "device": "cpu", **options}
    with pytest.raises(ValueError) as error:
        fit(network, data, **options)
    assert words in str(error.value)
    assert torch.equal(weights(network), before)


def test_parameters_without_replicas_are_named():
    network = build()
    network.extra = torch.nn.Parameter(torch.zeros(3))
    with pytest.raises(ValueError, match=r"shape of parameter extra = \(3,\)"):
        run(network)


@pytest.mark.parametrize("network", [None, torch.nn.Linear(6, 3)])
def test_only_networks_of_the_course_are_trained(network):
    with pytest.raises(ValueError, match=f"network = '{type(network).__name__}': it must be a net"):
        fit(network, blobs(), steps=1, device="cpu")


def test_evaluating_the_network_between_steps_does_not_change_the_run():
    undisturbed, curve, network = [r.loss for r in run(build())], [], build()
    network.blocks[1].eval()
    for record in fit(network, blobs(), steps=12, batch=20, device="cpu"):
        curve.append(record.loss)
        network.eval()(blobs().x_test)
    np.testing.assert_array_equal(curve, undisturbed)


def test_a_network_without_weights_is_refused():
    network = build(width=6, outputs=6, depth=0, ends=False)
    with pytest.raises(ValueError, match="it must be one that has weights"):
        fit(network, blobs(), steps=1, device="cpu")


@pytest.mark.parametrize(
    "meanwhile",
    [lambda net: next(fit(net, blobs(), steps=1, device="cpu")), lambda net: net.double()],
)
def test_a_run_whose_network_was_taken_away_says_so(meanwhile):
    network = build()
    records = fit(network, blobs(), steps=3, batch=20, device="cpu")
    next(records)
    meanwhile(network)
    with pytest.raises(RuntimeError, match="moved, or given to another fit"):
        next(records)


def test_epochs_of_a_task_are_refused():
    network = networks.mlp([4, 4], seeds=(0,))
    with pytest.raises(ValueError, match="give steps"):
        fit(network, LinearTeacher(4), epochs=2, loss="mse", device="cpu")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SGD(-1), "rate = -1"),
        (lambda: SGD(0.1, 1.5), "momentum = 1.5"),
        (lambda: SGD("0.1"), "rate = '0.1'"),
        (lambda: Adam(0.1, beta2=1), "beta2 = 1"),
        (lambda: Adam(0.1, beta1="0.9"), "beta1 = '0.9'"),
        (lambda: step_decay(0.5), "at = 0.5: it must be a sequence"),
        (lambda: linear_decay(1.2), "start = 1.2"),
        (lambda: step_decay((0.7, 0.5)), "at = (0.7, 0.5)"),
        (lambda: LinearTeacher(0), "size = 0"),
        (lambda: LinearTeacher(3, "random"), "target = 'random'"),
    ],
)
def test_bad_settings_are_named(make, words):
    with pytest.raises(ValueError) as error:
        make()
    assert words in str(error.value)


def test_everything_is_offered_in_one_place():
    assert training.linear_decay is linear_decay and training.Adam is Adam


def test_it_trains_on_one_thread_and_gives_the_others_back_at_each_record():
    before, during = torch.get_num_threads(), []

    class Steps(training.SGD):
        """SGD that notes on how many threads it computes."""

        def update(self, *arguments):
            during.append(torch.get_num_threads())
            super().update(*arguments)

    torch.set_num_threads(3)
    try:
        for threads, expected in ((1, 1), (2, 2), (None, 1)):
            options = dict(steps=4, batch=20, optimizer=Steps(), threads=threads)
            records = fit(build(), blobs(), **options)
            for _ in range(2):
                next(records)
                assert torch.get_num_threads() == 3
            records.close()
            assert torch.get_num_threads() == 3 and set(during) == {expected}
            during.clear()
        for _ in fit(build(), blobs(), steps=2, batch=20, optimizer=Steps()):
            pass
        assert torch.get_num_threads() == 3 and during == [1, 1]
    finally:
        torch.set_num_threads(before)
