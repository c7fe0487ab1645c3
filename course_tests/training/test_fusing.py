"""What becomes part of a kernel, and what must not: the numbers stay the same bit for bit."""

from __future__ import annotations

import pytest
import torch

from course.networks import BatchNorm, kernels
from course.training import compiling, recording
from course.training.operations import schema

pytestmark = pytest.mark.skipif(kernels.kernels() is None, reason="no kernels: no C compiler")

# A function of a batch norm and its input; how many ReLUs and their derivatives are left.
FUNCTIONS = {
    "alone": (lambda norm, x: norm(x).relu(), 0, 0),
    "twice": (lambda norm, x: norm(norm(x).relu()).relu(), 0, 0),
    "needed besides": (lambda norm, x: (y := norm(x)).relu() + y, 1, 1),
    "of a part": (lambda norm, x: norm(x)[:, :10].relu(), 1, 1),
    "two of them": (lambda norm, x: (y := norm(x)).relu() * y.relu(), 2, 2),
    "turned": (lambda norm, x: norm(x).transpose(0, 1).relu().transpose(0, 1), 1, 1),
    "before a sum": (lambda norm, x: (norm(x) + x).relu(), 1, 1),
    "of the input": (lambda norm, x: norm(x.relu()), 1, 1),
    "with a leak": (lambda norm, x: torch.nn.functional.leaky_relu(norm(x)), 0, 0),
    "cut elsewhere": (lambda norm, x: torch.nn.functional.threshold(norm(x), 0.5, 0.5), 0, 1),
    "none": (lambda norm, x: norm(x), 0, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_numbers(name, monkeypatch):
    function, relus, cuts = FUNCTIONS[name]
    made = []

    def fused(*arguments):
        made.append(before(*arguments))
        return made[-1]

    before = compiling.fused
    monkeypatch.setattr(compiling, "fused", fused)
    norm = BatchNorm(2, 16)

    def step(x):
        x = x.detach().requires_grad_()
        y = function(norm, x)
        slopes = torch.autograd.grad((y**2).sum(), [x, norm.scale, norm.shift])
        return y.detach() * 1, *(slope * 1 for slope in slopes)

    repeated = recording.Recorded(step, norm)
    for seed in range(recording.LEARNT + 4):
        x = torch.randn(2, 20, 16, generator=torch.Generator().manual_seed(seed))
        running = {name: buffer.clone() for name, buffer in norm.named_buffers()}
        ours = [each.clone() for each in repeated(x)]
        moved = [buffer.clone() for buffer in norm.buffers()]
        norm.load_state_dict(running, strict=False)
        assert all(map(torch.equal, ours, step(x)))
        assert all(map(torch.equal, moved, norm.buffers()))
    assert repeated.failure is None and len(made) == 1
    names = [schema(call.operation).name for call in made[0]]
    assert names.count("aten::relu") == relus
    assert names.count("aten::threshold_backward") == cuts
    assert "aten::empty_like" not in names and "course::normalize_backward" in names


def test_a_kernel_whose_results_are_given_away_has_them_in_memory_of_their_own():
    norm = BatchNorm(2, 16)

    def step(x):
        y = norm(x).relu()
        return y.detach(), *torch.autograd.grad(y.sum(), [norm.scale, norm.shift])

    repeated = recording.Recorded(step, norm)
    kept = []
    for seed in range(recording.LEARNT + 4):
        x = torch.randn(2, 20, 16, generator=torch.Generator().manual_seed(seed))
        kept.append((x, repeated(x)))
    assert repeated.failure is None and repeated.repeat is not None
    for x, ours in kept:
        assert all(map(torch.equal, ours, step(x)))
