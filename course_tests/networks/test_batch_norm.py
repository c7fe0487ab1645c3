"""Batch norm's kernels against torch's own operations; where there are none, nobody notices."""

from __future__ import annotations

import os
import shutil
import subprocess
import types
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course import data, networks, training
from course.networks import BatchNorm, kernels
from course_tests.kernels import python

NONE = "no kernels: no C compiler, or a torch before its stable interface for C"
needed = pytest.mark.skipif(kernels.kernels() is None, reason=NONE)


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def layer(replicas, width, dtype=torch.float32):
    """A BatchNorm whose numbers are not those of the start; the same for each dtype."""
    norm = BatchNorm(replicas, width, dtype=dtype)
    with torch.no_grad():
        for k, tensor in enumerate([*norm.parameters(), norm.running_mean]):
            tensor.copy_(draw(replicas, 1, width, seed=k))
    return norm


def outcome(norm, x, dy):
    """y, the slopes at x, scale and shift for the slopes dy at y, and the running averages."""
    x = x.detach().requires_grad_()
    y = norm(x)
    slopes = torch.autograd.grad(y, [x, norm.scale, norm.shift], dy)
    return [y.detach(), *slopes, norm.running_mean, norm.running_variance]


def close(ours, theirs, largest=1.0):
    """Whether they differ by rounding: of `largest`, or of the largest number."""
    difference = (ours.double() - theirs.double()).abs().max()
    return difference <= 2e-5 * max(largest, theirs.abs().max())


@needed
@given(
    replicas=st.integers(1, 4),
    batch=st.integers(2, 300),
    width=st.integers(kernels.LEAST, 80),
    spread=st.sampled_from([1e-3, 1.0, 1e3]),
    mean=st.sampled_from([0.0, -3.0]),
    seed=st.integers(0, 10**6),
)
@settings(max_examples=60, deadline=None)
def test_the_numbers_of_torch_in_double_precision(replicas, batch, width, spread, mean, seed):
    x = spread * (mean + draw(replicas, batch, width, seed=seed))
    dy = draw(replicas, batch, width, seed=seed + 1)
    y, slopes, scale, *ours = outcome(layer(replicas, width), x, dy)
    exact_y, exact, exact_scale, *theirs = outcome(
        layer(replicas, width, torch.float64), x.double(), dy.double()
    )
    assert all(map(close, ours, theirs))
    # Where examples are much alike, differences of theirs are large, and slopes are what is left.
    apart = (x / x.std(1, unbiased=False, keepdim=True)).abs().max()
    steepest = dy.abs().max() / x.std(1, unbiased=False).min()
    assert close(y, exact_y, apart) and close(slopes, exact, steepest * apart)
    assert close(scale, exact_scale, dy.abs().max() * apart)


@needed
def test_sums_of_many_examples_do_not_lose_digits():
    x, dy = 10 + draw(1, 200_000, 8), 1 + draw(1, 200_000, 8, seed=1)
    ours = outcome(layer(1, 8), x, dy)
    theirs = outcome(layer(1, 8, torch.float64), x.double(), dy.double())
    terms = [10, 50, 200_000, 200_000, 1, 1]  # about as large as what is added up
    assert all(map(close, ours, theirs, terms))


@needed
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_spoils_its_own_unit_only(bad):
    x, dy = draw(2, 20, 50), draw(2, 20, 50, seed=1)
    expected = outcome(layer(2, 50), x, dy)
    x[1, 3, 45] = bad  # in the last vector, which has units 42 to 49
    y, *_ = spoilt = outcome(layer(2, 50), x, dy)
    assert torch.isnan(y[1, :, 45]).all()
    for before, after in zip(expected, spoilt, strict=True):
        after[1, :, 45] = before[1, :, 45]
        assert torch.equal(before, after)


@needed
def test_other_strides_give_the_same_numbers():
    dy = draw(3, 16, 20, seed=1).transpose(1, 2)
    for x in (draw(20, 3, 16).transpose(0, 1), draw(3, 16, 20).transpose(1, 2)):
        turned = outcome(layer(3, 16), x, dy)
        straight = outcome(
            layer(3, 16), x.clone(memory_format=torch.contiguous_format), dy.contiguous()
        )
        assert all(map(torch.equal, turned, straight))


@needed
def test_a_relu_in_the_kernel_is_torch_s_relu():
    x, rows = draw(2, 20, 16), [draw(2, 1, 16, seed=k) for k in range(2)]
    x[0, 0, 0], x[1, 1, 1] = float("nan"), 0
    rows[1][1, 0, 2:4], rows[0][1, 0, 2:4] = torch.tensor([0.0, -0.0]), 0  # y is 0 there
    ours = kernels.kernels()

    def forward(relu):
        running = torch.zeros(2, 1, 16), torch.ones(2, 1, 16)
        memory = [torch.empty_like(x), *(torch.empty(2, 1, 16) for _ in range(2))]
        return ours.normalize(x, *rows, *running, 0.1, 1e-5, relu, *memory)

    def backward(dy, y, relu):
        memory = [torch.empty_like(x), *(torch.empty(2, 1, 16) for _ in range(2))]
        return ours.normalize_backward(dy, y, x, rows[0], *statistics, relu, *memory)

    (plain, *statistics), (cut, *_) = forward(False), forward(True)
    torch.testing.assert_close(cut, plain.relu(), rtol=0, atol=0, equal_nan=True)
    dy = draw(2, 20, 16, seed=5)
    before = torch.ops.aten.threshold_backward(dy, plain.relu(), 0)
    for one, other in zip(backward(dy, cut, True), backward(before, x, False), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)


@needed
def test_slopes_of_slopes():
    def second(dtype):
        norm, x = layer(2, 8, dtype), draw(2, 9, 8).to(dtype).requires_grad_()
        y = norm(x)
        wanted = [x, norm.scale, norm.shift]
        first = torch.autograd.grad((y**3).sum(), wanted, create_graph=True)
        return torch.autograd.grad(sum((slope**2).sum() for slope in first), wanted)

    for ours, theirs in zip(second(torch.float32), second(torch.float64), strict=True):
        assert close(ours, theirs, 10 * theirs.abs().max())


@pytest.mark.parametrize("how", ["double", "narrow", "switched off"])
def test_where_there_is_no_kernel_torch_is_asked(how, monkeypatch):
    if how == "switched off":
        monkeypatch.setenv("COURSE_KERNELS", "0")
        kernels.kernels.cache_clear()
    dtype, width = (
        (torch.float64 if how == "double" else torch.float32),
        7 if how == "narrow" else 8,
    )
    try:
        norm = BatchNorm(2, width, dtype=dtype)
        assert kernels.batch_norm(
            draw(2, 5, width).to(dtype), norm.scale, norm.shift, norm.running_mean,
            norm.running_variance, 0.1, 1e-5,
        ) is None  # fmt: skip
        assert "BatchNorm" not in norm(draw(2, 5, width).to(dtype)).grad_fn.name()
    finally:
        monkeypatch.undo()
        kernels.kernels.cache_clear()


def test_under_vmap_torch_is_asked():
    """A kernel knows nothing of torch.func; each point of a landscape is computed so."""
    norm, x = layer(2, 8), draw(3, 2, 20, 8)
    state = {name: torch.stack([each.detach()] * 3) for name, each in norm.state_dict().items()}
    each = torch.func.vmap(lambda state, x: torch.func.functional_call(norm, state, (x,)))(state, x)
    for one, expected in zip(each, map(norm, x), strict=True):
        assert close(one, expected)


# --- the compiler ----------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A copy of the source, beside which nothing was compiled yet."""
    folder = tmp_path / "networks"
    folder.mkdir()
    shutil.copy(Path(kernels.__file__).with_name("kernels.c"), folder)
    monkeypatch.setattr(kernels, "__file__", str(folder / "kernels.py"))
    kernels.kernels.cache_clear()
    yield folder
    monkeypatch.undo()
    kernels.kernels.cache_clear()


@needed
def test_compiled_once(elsewhere, monkeypatch):
    path = kernels._library()
    assert path.parent == elsewhere / "__pycache__" and [*path.parent.iterdir()] == [path]
    monkeypatch.setattr(subprocess, "run", None)
    assert kernels._library() == path


@needed
def test_compiled_anew_from_another_source_or_with_another_compiler(elsewhere, monkeypatch):
    first = kernels._library()
    source = elsewhere / "kernels.c"
    source.write_text(source.read_text() + "\n")
    second = kernels._library()
    monkeypatch.setattr(torch, "__version__", "2.99")
    assert len({first, second, kernels._library()}) == 3


@pytest.mark.parametrize("fault", ["missing", "failing", "lying", "silent", "another source"])
def test_a_compiler_that_fails_is_not_heard(fault, elsewhere, monkeypatch, capfd):
    compiler = elsewhere / "compiler"
    if fault != "missing":
        said = {
            "failing": "echo no >&2; exit 1",
            "lying": 'echo rubbish > "$6"',
            "silent": "exit 0",
        }
        compiler.write_text(f"#!/bin/sh\n{said.get(fault, 'exit 1')}\n")
        compiler.chmod(0o755)
    monkeypatch.setenv("CC", "cc" if fault == "another source" else str(compiler))
    if fault == "another source":
        (elsewhere / "kernels.c").write_text("int main(void) { return undefined(); }")
    assert kernels.kernels() is None
    network = networks.build("plain", inputs=6, outputs=3, width=8, depth=2, seeds=(0, 1))
    x = draw(2, 20, 6)
    assert torch.isfinite(network(x)).all() and capfd.readouterr() == ("", "")


def test_an_old_torch_is_not_asked_for_its_interface(monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    kernels.kernels.cache_clear()
    try:
        assert kernels.kernels() is None
    finally:
        kernels.kernels.cache_clear()


@needed
def test_a_kernel_with_other_numbers_is_not_used():
    def wrong(*arguments):
        y, *statistics = right(*arguments)
        return y * 1.001, *statistics

    right = kernels.kernels().normalize
    assert kernels._right(types.SimpleNamespace(normalize=right))
    assert not kernels._right(types.SimpleNamespace(normalize=wrong))


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_nothing_is_compiled_where_nothing_may_be_written(elsewhere):
    elsewhere.chmod(0o555)
    try:
        assert kernels.kernels() is None
    finally:
        elsewhere.chmod(0o755)


@needed
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the script forks")
def test_two_processes_at_once(elsewhere):
    code = """
import multiprocessing, sys
from course.networks import kernels
def compiled(folder):
    kernels.__file__ = folder + "/kernels.py"
    return kernels._library().name
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(*pool.map(compiled, [sys.argv[1]] * 2, chunksize=1))
"""
    done = python(code, elsewhere)
    first, second = done.stdout.split()
    assert first == second
    assert [path.name for path in (elsewhere / "__pycache__").iterdir()] == [first]


def test_training_needs_none(tmp_path):
    """Another process, in which they are switched off, learns the same to rounding."""
    script = (
        "from course import data, networks, training\n"
        "network = networks.build('resnet', like=data.digits(), width=16, depth=2, seeds=(0, 1))\n"
        "records = list(training.fit(network, data.digits(), steps=12, batch=20))\n"
        "print(*records[-1].loss)\n"
    )
    said = python(script, COURSE_KERNELS="0")
    network = networks.build("resnet", like=data.digits(), width=16, depth=2, seeds=(0, 1))
    *_, last = training.fit(network, data.digits(), steps=12, batch=20)
    assert [float(word) for word in said.stdout.split()] == pytest.approx(last.loss, rel=1e-3)
