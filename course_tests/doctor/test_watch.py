"""A watch sees a run fall ill at that moment, is silent on a healthy one, and leaves no trace."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course import doctor, training
from course.doctor import Finding
from course_tests import small
from course_tests.doctor.cases import modules, tasks

Step = Callable[[nn.Module, torch.optim.Optimizer, Tensor, Tensor, int], None]


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, k: int) -> None:
    optimizer.zero_grad()
    functional.cross_entropy(model(x), y).backward()
    optimizer.step()


def run(
    model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 200, each: Step = step
) -> tuple[doctor.Watch, list[tuple[int, Finding]]]:
    """A watched run on digits, and the alarms with their steps."""
    alarms: list[tuple[int, Finding]] = []
    batches = itertools.cycle(tasks.digits(torch.Generator().manual_seed(0)))
    with doctor.watch(model, optimizer, every=20, alarm=lambda f: alarms.append((w.step, f))) as w:
        for k, (x, y) in zip(range(steps), batches, strict=False):
            each(model, optimizer, x, y, k)
    return w, alarms


def mlp(*sizes: int, act: Any = nn.ReLU, norm: bool = False) -> nn.Sequential:
    torch.manual_seed(1)
    return modules.mlp([64, *sizes, 10], act, norm)


def test_a_healthy_run_is_left_in_peace() -> None:
    for norm in (False, True):
        model = mlp(64, 64, norm=norm)
        w, alarms = run(model, torch.optim.Adam(model.parameters(), 2e-3))
        assert alarms == []
        assert w.verdict().status == "healthy"
        assert len(w.losses) == w.step == 200


def test_gradients_that_pile_up() -> None:
    def forgets(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, k: int) -> None:
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    model = mlp(64)
    w, alarms = run(model, torch.optim.SGD(model.parameters(), 0.01), each=forgets)
    assert w.verdict().illness == "gradients pile up"
    assert alarms[0][0] < 20


def test_gradients_that_are_gathered_on_purpose() -> None:
    def gathers(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, k: int) -> None:
        for part, labels in zip(x.chunk(4), y.chunk(4), strict=True):
            (functional.cross_entropy(model(part), labels) / 4).backward()
        optimizer.step()
        optimizer.zero_grad()

    model = mlp(64)
    w, alarms = run(model, torch.optim.Adam(model.parameters(), 2e-3), each=gathers)
    assert alarms == []
    assert w.verdict().status == "healthy"


def test_a_clip_that_lets_nothing_through() -> None:
    def clips(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, k: int) -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1e-6)
        optimizer.step()

    model = mlp(64)
    w, _ = run(model, torch.optim.SGD(model.parameters(), 0.1), each=clips)
    assert w.verdict().illness == "clipped to a standstill"


def test_the_alarm_comes_when_the_run_breaks() -> None:
    def breaks(model: nn.Module, optimizer: Any, x: Tensor, y: Tensor, k: int) -> None:
        step(model, optimizer, x / (k != 57), y, k)

    model = mlp(64)
    w, alarms = run(model, torch.optim.Adam(model.parameters(), 2e-3), 70, breaks)
    assert alarms[0][0] == 57
    assert alarms[0][1].illness == "not finite"
    assert w.verdict().status == "ill"


@pytest.mark.parametrize(
    ("illness", "model", "rate"),
    [
        ("vanishing gradients", lambda: mlp(*[64] * 12, act=nn.Sigmoid), 0.1),
        ("rate too small", lambda: mlp(64), 1e-7),
        ("rate too large", lambda: mlp(64, 64, act=nn.Tanh), 30.0),
    ],
)
def test_a_run_that_does_not_learn(illness: str, model: Any, rate: float) -> None:
    network = model()
    w, _ = run(network, torch.optim.SGD(network.parameters(), rate))
    assert w.verdict().illness == illness


def test_batch_norm_in_evaluation_mode() -> None:
    model = mlp(64, norm=True).eval()
    w, alarms = run(model, torch.optim.SGD(model.parameters(), 0.1), 10)
    assert (alarms[0][0], w.verdict().illness) == (0, "evaluation mode")
    assert w.verdict().place == ("1",)


def test_no_trace_is_left_also_after_an_error() -> None:
    backward = torch.Tensor.backward
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with pytest.raises(KeyError), doctor.watch(model, optimizer):
        raise KeyError
    assert torch.Tensor.backward is backward
    assert not optimizer._optimizer_step_pre_hooks
    assert not optimizer._optimizer_step_post_hooks
    assert not any(module._forward_hooks for module in model.modules())


def test_a_watched_run_is_the_same_run() -> None:
    losses = []
    for watched in (False, True):
        model = mlp(32)
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        if watched:
            run(model, optimizer, 20)
        else:
            for x, y in tasks.digits(torch.Generator().manual_seed(0))[:20]:
                step(model, optimizer, x, y, 0)
        losses.append([p.detach().clone() for p in model.parameters()])
    assert all(map(torch.equal, *losses))


def test_a_warning_is_the_alarm_where_none_is_given() -> None:
    model = mlp(64, norm=True).eval()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    x, y = tasks.digits(torch.Generator().manual_seed(0))[0]
    with pytest.warns(UserWarning, match="evaluation mode"), doctor.watch(model, optimizer):
        step(model, optimizer, x, y, 0)


def test_wrong_arguments_are_named() -> None:
    model = mlp(4)
    with pytest.raises(ValueError, match="optimizer"):
        doctor.watch(model, 3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="every"):
        doctor.watch(model, torch.optim.SGD(model.parameters(), 0.1), every=0)


def alarms_of(run: Any) -> list[tuple[int, str]]:
    """(replica, illness) of a run of the course's own trainer."""
    alarms: list[tuple[int, str]] = []
    for _ in doctor.watch_records(run, lambda replica, f: alarms.append((replica, f.illness))):
        pass
    return alarms


def fit(rate: float, **watch: Any) -> Any:
    return training.fit(small.build(), small.blobs(), steps=60, batch=20,
                        optimizer=training.SGD(rate), **watch)  # fmt: skip


def test_the_courses_trainer_is_watched() -> None:
    assert alarms_of(fit(0.05, watch=("gradients",))) == []
    illnesses = alarms_of(fit(1e6))
    assert {replica for replica, _ in illnesses} == {0, 1}
    assert {illness for _, illness in illnesses} <= {"rate too large", "not finite"}


def test_records_pass_through_and_warn() -> None:
    with pytest.warns(UserWarning, match="replica 0"):
        steps = [record.step for record in doctor.watch_records(fit(1e6))]
    assert steps == list(range(1, 61))
