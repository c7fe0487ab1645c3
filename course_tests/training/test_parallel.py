"""Replicas divided among threads make the same steps."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest
import torch

from course import networks
from course.data import LinearTeacher, draw
from course.lessons.isometry.science import RateForEach
from course.training import SGD, Adam, batches, checkpoints, fit, parallel
from course_tests.small import blobs, build

SEEDS = (3, 1, 4, 5, 9, 2, 6)


def run(threads, name="plain", norm="batch", data=None, optimizer=None, **options):
    """All that a run yields in numbers."""
    network = build(name, norm=norm, seeds=SEEDS)
    options = dict(steps=12, batch=20, evaluate_every=5, batch_statistics=True) | options
    optimizer = optimizer or SGD(0.05, 0.9)
    records = list(fit(network, data or blobs(), optimizer=optimizer, threads=threads, **options))
    return records, network.state_dict()


def arrays(record):
    """The arrays of a record by name."""
    parts = vars(record) | {f"norms {kind}": norm for kind, norm in (record.norms or {}).items()}
    if record.batch_statistics is not None:
        by_batch = vars(record.batch_statistics)
        parts |= {f"{name} by batch": value for name, value in by_batch.items()}
    return {name: value for name, value in parts.items() if isinstance(value, np.ndarray)}


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize(
    "name, options",
    [
        ("plain", dict(clip=0.5, watch=("activations", "gradients", "weights"))),
        ("resnet", dict(optimizer=Adam(0.01), norm="layer")),
        ("highway", {}),
        ("diracnet", {}),
        ("van", dict(watch=("weight_gradients",))),
        ("van0", {}),
        ("looks-linear", {}),
    ],
)
def test_the_same_numbers_on_any_number_of_threads(name, options, threads):
    expected, state = run(1, name, **options)
    records, parallel_state = run(threads, name, **options)
    for record, other in zip(records, expected, strict=True):
        assert record.step == other.step and record.layers == other.layers
        assert arrays(record).keys() == arrays(other).keys() >= {"loss", "accuracy"}
        for key, value in arrays(record).items():
            np.testing.assert_allclose(value, arrays(other)[key], rtol=1e-5, atol=1e-6)
    for key, value in parallel_state.items():
        torch.testing.assert_close(value, state[key], rtol=1e-4, atol=1e-5)


def test_each_thread_takes_whole_replicas():
    calls = set()

    class Steps(SGD):
        """SGD that notes who makes its steps, and on how many replicas."""

        def update(self, weights, *others):
            calls.add((threading.current_thread().name, len(weights)))
            super().update(weights, *others)

    run(2, optimizer=Steps(0.05))
    names, sizes = zip(*sorted(calls), strict=True)
    assert len(set(names)) == 2 and sum(sizes) == len(SEEDS)


@pytest.mark.parametrize("data", [None, LinearTeacher(6)], ids=["data set", "task"])
def test_threads_that_are_behind_reach_the_same_numbers(data):
    """Where nothing is told of a step, nobody waits for it."""
    found = []
    for threads, every in ((1, 1), (3, 1), (3, 35)):
        network = networks.mlp([6, 8, 6], seeds=SEEDS)
        options = dict(steps=120, batch=20, record_every=every, threads=threads)
        options |= dict(loss="mse", evaluate_every=70) if data else dict(evaluate_every=70)
        records = {r.step: r for r in fit(network, data or blobs(), **options)}
        state = torch.cat([p.detach().flatten(1) for p in network.parameters()], 1)
        found.append([state, *(torch.tensor(records[n].loss) for n in (35, 70, 105, 120))])
    assert list(records) == [35, 70, 105, 120]
    for one, other in zip(found[1], found[2], strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    for one, other in zip(found[0], found[2], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_threads_that_are_behind_want_the_examples_of_the_same_steps(monkeypatch):
    drawn = []
    monkeypatch.setattr(batches, "draw", lambda *given: drawn.append(given[2]) or draw(*given))
    network = networks.mlp([6, 8, 6], seeds=SEEDS)
    options = dict(steps=4 * batches.BLOCK, batch=20, loss="mse", record_every=1000, threads=3)
    list(fit(network, LinearTeacher(6), **options))
    blocks = [purpose for purpose in drawn if purpose.startswith("fresh examples")]
    assert blocks == [f"fresh examples {block}" for block in range(4)]


def test_a_run_that_is_stopped_leaves_no_thread_behind():
    """Whenever it is stopped, all replicas have made the same number of steps."""
    for number in (1, 4, 11, 30):
        states = []
        for every in (1, 1000):
            network, asked = build(seeds=SEEDS), iter(range(number))
            options = dict(steps=40, batch=20, record_every=every, threads=3)
            stop = partial(next, asked, True)
            list(fit(network, blobs(), stop=lambda stop=stop: stop() is True, **options))
            states.append(network.state_dict())
        assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())


def test_a_checkpoint_between_records_has_all_replicas_at_one_step(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(checkpoints, "write", lambda path, content: written.append(content))
    for every in (1, 1000):
        options = dict(steps=12, batch=20, record_every=every, threads=3)
        options |= dict(checkpoint=tmp_path / f"every {every}", checkpoint_every=0)
        list(fit(build(seeds=SEEDS), blobs(), **options))
    assert len(written) == 24
    for one, other in zip(written[:12], written[12:], strict=True):
        assert one["step"] == other["step"]
        for kind in ("network", "optimizer"):
            for name, value in one[kind].items():
                torch.testing.assert_close(value, other[kind][name], rtol=0, atol=0)


def test_an_error_in_another_thread_ends_the_run():
    """It comes up where that thread is waited for, and then nobody computes any more."""
    seen = []

    class Failing(SGD):
        def update(self, weights, *others):
            seen.append(len(weights))
            if threading.current_thread() is not threading.main_thread() and len(seen) > 20:
                raise ArithmeticError("as it happens")
            super().update(weights, *others)

    network = build(seeds=SEEDS).eval()
    options = dict(steps=1000, batch=20, record_every=1000, threads=2)
    with pytest.raises(ArithmeticError, match="as it happens"):
        list(fit(network, blobs(), optimizer=Failing(0.05), **options))
    count, state = len(seen), [p.clone() for p in network.parameters()]
    assert count < 20 + 4 * parallel.BEHIND and not network.training
    assert all(map(torch.equal, state, network.parameters())) and len(seen) == count


@pytest.mark.parametrize(
    ("replicas", "width", "steps", "threads", "parts"),
    [
        (10, 50, 100, None, 2),
        (10, 50, 99, None, 1),
        (10, 5, 100, None, 1),
        (10, 5, 1, 2, 2),
        (3, 50, 1, 2, 1),
        (5, 50, 1, 8, 2),
        (1, 50, 1, 2, 1),
    ],
)
def test_how_many_threads_replicas_keep_busy(replicas, width, steps, threads, parts, monkeypatch):
    monkeypatch.delenv("COURSE_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    network = build(width=width, depth=10, seeds=range(replicas))
    assert parallel.divided(network, replicas, 100, steps, threads) == parts


@pytest.mark.parametrize(("told", "count"), [("", 1), ("1", 1), ("3", 3)])
def test_the_environment_says_among_how_many_threads(told, count, monkeypatch):
    monkeypatch.setenv("COURSE_THREADS", told)
    with networks.one_thread():
        assert networks.for_replicas() == count


@pytest.mark.parametrize("told", ["0", "-2", "two", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused(told, monkeypatch):
    monkeypatch.setenv("COURSE_THREADS", told)
    with pytest.raises(ValueError, match=r"COURSE_THREADS.*whole number"):
        networks.for_replicas()


def test_by_default_replicas_are_divided_where_there_is_enough_to_do(monkeypatch):
    monkeypatch.setenv("COURSE_THREADS", "2")
    names, sizes = set(), []

    class Steps(SGD):
        """SGD that notes who makes its steps."""

        def update(self, weights, *others):
            names.add(threading.current_thread().name)
            sizes.append(len(weights))
            super().update(weights, *others)

    for width, count in ((8, 1), (80, 2)):
        names.clear()
        network = build(width=width, depth=12, seeds=SEEDS)
        records = fit(network, blobs(), steps=100, batch=30, optimizer=Steps(0.01))
        for _, record in zip(range(parallel.ALONE + 2), records, strict=False):
            assert record.loss.shape == (len(SEEDS),)
        assert len(names) == count
    alone, divided = sizes[-parallel.ALONE - 4 : -4], sizes[-4:]
    assert set(alone) == {7} and sorted(divided) == [3, 3, 4, 4]


def test_an_interrupted_run_is_divided_at_the_same_step(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_THREADS", "2")
    options = dict(steps=100, batch=30, optimizer=SGD(0.01))

    def network():
        return build(width=80, depth=12, seeds=SEEDS)

    def some(network, count, **checkpoint):
        records = fit(network, blobs(), **options, **checkpoint)
        losses = [next(records).loss for _ in range(count)]
        records.close()
        return losses

    expected = some(network(), parallel.ALONE + 6)
    path = tmp_path / "run"
    first = some(network(), parallel.ALONE + 2, checkpoint=path)
    np.testing.assert_array_equal(first + some(network(), 4, checkpoint=path), expected)


@pytest.mark.parametrize("name", sorted(networks.CONVOLUTIONAL))
def test_convolutions_are_divided_too(name):
    examples, losses = blobs(size=2 * 8 * 6), []
    for threads in (1, 2):
        sizes = dict(shape=(2, 8, 6), width=2, depth=10, outputs=3, seeds=range(4))
        network = networks.convolutional(name, **sizes)
        records = list(fit(network, examples, steps=8, batch=20, threads=threads))
        losses.append([record.loss for record in records])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_replicas_take_their_own_rates_along():
    rates = tuple(0.01 * (r + 1) for r in range(len(SEEDS)))
    (_, one), (_, two) = (run(n, optimizer=RateForEach(rates=rates)) for n in (1, 2))
    for key, value in two.items():
        torch.testing.assert_close(value, one[key], rtol=1e-4, atol=1e-5)


def test_a_task_gives_each_replica_its_own_examples():
    losses = []
    for threads in (1, 2):
        network = networks.mlp([6, 8, 6], seeds=SEEDS)
        options = dict(steps=8, batch=20, loss="mse", evaluate_every=4, threads=threads)
        records = list(fit(network, LinearTeacher(6), **options))
        assert records[0].accuracy is None
        losses.append([[record.loss, record.test_loss] for record in records[3::4]])
    np.testing.assert_allclose(*losses, rtol=1e-5)


def test_a_breakdown_is_told_with_the_number_of_its_replica():
    network = build(seeds=SEEDS)
    with torch.no_grad():
        network.blocks[1].linear.weight[3, 0, 0] = torch.nan
    *_, last = fit(network, blobs(), steps=3, batch=20, threads=3)
    (broken,) = filter(None, last.first_nonfinite)
    assert last.first_nonfinite[3] is broken
    assert (broken.replica, broken.layer, broken.step) == (3, "block 2", 1)


def test_a_run_goes_on_from_its_checkpoint_on_another_number_of_threads(tmp_path):
    expected, state = run(1, "van")
    options = dict(steps=12, batch=20, evaluate_every=5, batch_statistics=True)
    options |= dict(checkpoint=tmp_path / "run", checkpoint_every=0, optimizer=SGD(0.05, 0.9))
    first = fit(build("van", seeds=SEEDS), blobs(), threads=2, **options)
    for _ in range(7):
        next(first)
    first.close()
    network = build("van", seeds=SEEDS)
    *_, last = fit(network, blobs(), threads=3, **options)
    np.testing.assert_allclose(last.loss, expected[-1].loss, rtol=1e-5)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, state[key], rtol=1e-4, atol=1e-5)


def test_hooks_see_all_replicas():
    network, shapes = build(seeds=SEEDS), set()
    network.blocks[0].register_forward_hook(lambda module, x, y: shapes.add(y.shape))
    options = dict(steps=2, batch=20, evaluate_every=10**9, threads=2)
    next(fit(network, blobs(), **options))
    assert (7, 20, 8) in shapes and {shape[0] for shape in shapes} == {7}


def test_an_error_in_a_thread_is_raised():
    class Failing(SGD):
        """SGD that fails in the last replicas."""

        def update(self, weights, *others):
            if len(weights) == 4:
                raise OverflowError("too much")

    with pytest.raises(OverflowError, match="too much"):
        run(2, optimizer=Failing())
