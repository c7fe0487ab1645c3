"""A recorded step makes the same operations, and where it can't be trusted it is not used."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from course import networks
from course.data import LinearTeacher
from course.training import SGD, Adam, CropAndFlip, fit, recording
from course.training.operations import Operations, aten, into, schema
from course.training.workspace import Workspace
from course_tests.small import blobs, build

OPTIONS = dict(steps=12, batch=20, evaluate_every=5, optimizer=SGD(0.05, 0.9))


def numbers(network, data=None, **options):
    """The losses by step, and the state at the end."""
    records = list(fit(network, data or blobs(), **{**OPTIONS, **options}))
    return np.array([record.loss for record in records]), network.state_dict()


def unrecorded(monkeypatch):
    monkeypatch.setattr(recording, "LEARNT", 10**9)


def same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert all(torch.equal(value, other[1][name]) for name, value in one[1].items())


@pytest.fixture
def recorded(monkeypatch):
    """Functions that were made of operations, with how often each was called."""
    functions = []
    compiled = recording.compiled

    def counting(*arguments):
        functions.append(0)
        number, function = len(functions) - 1, compiled(*arguments)

        def call(*inputs):
            functions[number] += 1
            return function(*inputs)

        return call

    monkeypatch.setattr(recording, "compiled", counting)
    return functions


@pytest.mark.parametrize("norm", ["batch", "layer", None])
@pytest.mark.parametrize("name", sorted(networks.ARCHITECTURES))
def test_the_numbers_are_equal_bit_for_bit(name, norm, recorded, monkeypatch):
    optimizer = Adam(0.01) if norm == "layer" else SGD(0.05, 0.9)
    repeated = numbers(build(name, norm=norm), optimizer=optimizer)
    assert recorded == [7]  # one to try, and steps 7 to 12
    unrecorded(monkeypatch)
    same(repeated, numbers(build(name, norm=norm), optimizer=optimizer))


def test_fresh_examples_and_squared_errors(recorded, monkeypatch):
    both = []
    for _ in range(2):
        network = networks.mlp([6, 8, 6], seeds=(0, 1), activation="sigmoid")
        both.append(numbers(network, LinearTeacher(6), loss="mse", clip=0.5))
        unrecorded(monkeypatch)
    assert recorded == [7]
    same(*both)


def test_pictures_that_are_changed(recorded, monkeypatch):
    both, pictures = [], blobs(size=2 * 8 * 6)
    for _ in range(2):
        network = networks.mlp([96, 8, 3], seeds=(0, 1))
        both.append(numbers(network, pictures, augment=CropAndFlip((2, 8, 6), 1)))
        unrecorded(monkeypatch)
    assert recorded == [7]
    same(*both)


def test_hooks_and_modes_of_modules_count_at_every_step(recorded, monkeypatch):
    def run():
        network, calls = build(), []
        for record in fit(network, blobs(), **{**OPTIONS, "steps": 14}):
            if record.step == 8:
                hook = network.blocks[1].register_forward_hook(lambda *call: calls.append(1))
            if record.step == 10:
                hook.remove()
                network.blocks[2].eval()
        return (record.loss, network.state_dict()), calls

    (repeated, calls), steps = run(), list(recorded)
    unrecorded(monkeypatch)
    same(repeated, run()[0])
    assert steps == [3] and len(calls) == 4  # two steps; training and test set were evaluated


def test_where_the_operations_cannot_be_compiled_the_step_runs_as_it_is(monkeypatch):
    def failing(*arguments):
        raise TypeError("another torch")

    expected = numbers(build())
    monkeypatch.setattr(recording, "compiled", failing)
    same(numbers(build()), expected)


def test_another_shape_is_computed_as_it_is():
    module = torch.nn.Linear(3, 2)
    repeated = recording.Recorded(lambda x: (module(x).detach(),), module)
    for batch in (4, 4, 4, 4, 4, 4, 4, 5, 4):
        x = torch.randn(batch, 3)
        assert torch.equal(repeated(x)[0], module(x))
    assert repeated.repeat is not None and repeated.failure is None


def test_other_strides_are_computed_as_they_are():
    module, calls = torch.nn.Linear(3, 3), []

    def function(x):
        calls.append(x.stride())
        return (module(x).detach().T * 2,)

    repeated = recording.Recorded(function, module)
    square = [torch.randn(3, 3) for _ in range(12)]
    for x in [*square[:8], square[8].T, *square[9:]]:
        assert torch.equal(repeated(x)[0], module(x).detach().T * 2)
    assert repeated.failure is None and calls == [(3, 1)] * 6 + [(1, 3)]


@pytest.mark.parametrize(
    "function",
    [
        lambda y, w: y.T.reshape(2, -1)[1].view(2, -1).sum(0) + 0,  # views of views of a copy
        lambda y, w: y.detach().T[1:].mul_(3).sum() + y,  # a view that is changed in place
        lambda y, w: torch.stack([half * 2 for half in y.split(2)]),
        lambda y, w: torch.cat([half.max(0).values[None] for half in y.unbind(1)]),
        lambda y, w: y @ w.T.reshape(3, 2).T.contiguous().view(2, 3)[:, 1:],  # of the memory
        lambda y, w: y.mul_(2).expand(3, 4, 2).transpose(0, 2) * w[0, 0],
        lambda y, w: y.view(torch.int32) + 1,
        lambda y, w: (y[:2] * 2) + (y[:2] * 3).T,  # no result over what is read in another order
        lambda y, w: (y * 2).relu().add(y.exp()).relu() - y,  # one over another, y is needed again
        lambda y, w: (y * 2).max(0).values + (y + 1).sum(0),
        lambda y, w: (y > 0).float().clone() + y.exp().mul_(3).relu_(),
        lambda y, w: torch.cat([y * 2, y.exp() @ w], 1),
    ],
)
def test_views_show_the_same_memory(function, recorded):
    modules = [torch.nn.Linear(3, 2) for _ in range(2)]
    modules[1].load_state_dict(modules[0].state_dict())
    functions = [
        lambda x, module=module: (function(module(x).detach(), module.weight.detach()),)
        for module in modules
    ]
    repeated = recording.Recorded(functions[0], modules[0])
    for _ in range(9):
        x = torch.randn(4, 3)
        assert torch.equal(repeated(x)[0], functions[1](x)[0])
        assert torch.equal(modules[0].weight, modules[1].weight)
    assert repeated.failure is None and recorded == [4]


def test_an_output_that_is_kept_does_not_change_at_the_next_step():
    module = torch.nn.Linear(3, 2)

    def function(x):
        y = module(x).detach()
        return y, y.exp(), y.exp().sum(0)[None].expand(2, 2).T, y[1:]

    repeated = recording.Recorded(function, module)
    inputs = [torch.randn(4, 3) for _ in range(10)]
    kept = [repeated(x) for x in inputs]
    assert repeated.repeat is not None and repeated.failure is None
    for outputs, x in zip(kept, inputs, strict=True):
        assert all(torch.equal(*pair) for pair in zip(outputs, function(x), strict=True))


def test_memory_is_used_again_when_it_was_read_for_the_last_time():
    x, w = torch.randn(6, 6), torch.randn(6, 6)
    with Operations() as operations:
        y = x @ w
        for _ in range(10):
            y = (y @ w).relu().exp()
        z = y + 1
    memory = Workspace(operations.calls, [z])
    results = [call.results[0] for call in operations.calls]
    assert [each in memory for each in results] == [True] * 31 + [False]
    products, others = {memory[each].data_ptr() for each in results[:31]}, results[1:31]
    assert len(products) == 2  # a product reads one, and writes the other
    for product, relu, exp in zip(others[::3], others[1::3], others[2::3], strict=True):
        assert len({memory[each].data_ptr() for each in (product, relu, exp)}) == 1


def test_forms_that_only_copy_what_an_operation_returns_are_not_used():
    y = torch.randn(2, 3)
    with Operations() as operations:
        torch.bmm(y[None], y.T[None])
        torch.nn.functional.layer_norm(y, (3,))
        y.mul_(2)
    calls = [call for call in operations.calls if call.operation is not aten.transpose.int]
    found = {schema(call.operation).name: into(call, call.results) is not None for call in calls}
    assert found["aten::bmm"] and not found["aten::native_layer_norm"] and not found["aten::mul_"]


def test_a_recording_that_gives_other_numbers_is_not_used(monkeypatch):
    expected = numbers(build())
    compiled = recording.compiled

    def wrong(*arguments):
        repeat = compiled(*arguments)

        def function(*inputs):
            summary, gradient = repeat(*inputs)
            return summary, gradient.mul_(2)

        return function

    monkeypatch.setattr(recording, "compiled", wrong)
    same(numbers(build()), expected)


@pytest.mark.parametrize(
    ("function", "failure"),
    [
        (lambda y, other: y + other, "a tensor (2,) comes from elsewhere"),
        (lambda y, other: y * float(y.sum()), "aten._local_scalar_dense.default reads a number"),
        (
            lambda y, other: torch.layer_norm(y, (2,)).view(torch.int32) + 1,
            "memory of torch.float32 is read as torch.int32",
        ),
    ],
)
def test_what_would_be_another_number_at_another_step_is_refused(function, failure):
    module, other = torch.nn.Linear(3, 2), torch.zeros(2)
    repeated = recording.Recorded(lambda x: (function(module(x).detach(), other),), module)
    for _ in range(8):
        other.add_(1)
        x = torch.randn(4, 3)
        assert torch.equal(repeated(x)[0], function(module(x).detach(), other))
    assert repeated.failure == failure
