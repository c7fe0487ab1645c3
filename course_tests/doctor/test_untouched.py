"""An examination changes nothing: model, optimizer, random numbers, loader; errors included."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from course import doctor


def network() -> nn.Sequential:
    """With batch norm, dropout, a frozen layer and spectral norm: much that could be disturbed."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3),
        nn.utils.parametrizations.spectral_norm(nn.Linear(16, 16)), nn.Tanh(), nn.Linear(16, 3),
    )  # fmt: skip
    model[1].weight.requires_grad_(False)
    model[3].eval()
    return model


def loader() -> DataLoader[Any]:
    source = torch.Generator().manual_seed(1)
    x = torch.randn(128, 6, generator=source)
    y = (x[:, 0] > 0).long() + (x[:, 1] > 0).long()
    return DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, generator=source)


def snapshot(model: nn.Module, optimizer: torch.optim.Optimizer, data: Any) -> dict[str, Any]:
    """All that must stay as it is."""
    return {
        "state": {k: v.clone() for k, v in model.state_dict().items()},
        "identity": [id(p) for p in model.parameters()],
        "gradients": [None if p.grad is None else p.grad.clone() for p in model.parameters()],
        "trainable": [p.requires_grad for p in model.parameters()],
        "modes": [m.training for m in model.modules()],
        "hooks": [
            (list(m._forward_hooks), list(m._forward_pre_hooks), list(m._backward_hooks))
            for m in model.modules()
        ],
        "optimizer": repr(optimizer.state_dict()),
        "random": (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()),
        "loader": data.generator.get_state(),
        "enabled": torch.is_grad_enabled(),
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def failing_after(calls: int) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss that raises at its n-th call."""
    count = iter(range(calls))

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        next(count)
        return functional.cross_entropy(outputs, y)

    return loss


@pytest.mark.parametrize("grad", [True, False], ids=["grad", "no_grad"])
@pytest.mark.parametrize("calls", [None, 0, 3, 20], ids=str)
def test_nothing_is_changed(calls: int | None, grad: bool) -> None:
    model, data, seen = network(), loader(), []
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for x, y in data:
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    model[0].register_forward_hook(lambda *call: seen.append(1))
    before = snapshot(model, optimizer, data)
    loss = functional.cross_entropy if calls is None else failing_after(calls)
    with torch.set_grad_enabled(grad):
        verdict = doctor.examine(model, data, loss=loss, optimizer=optimizer, steps=20)
        assert same(before, snapshot(model, optimizer, data) | {"enabled": True})
    assert not seen, "the examination called a hook of the model's owner"
    assert (verdict.illness == "does not run") == (calls is not None), str(verdict)


def test_two_examinations_agree() -> None:
    model, data = network(), loader()
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    one, other = (
        doctor.examine(model, data, loss=functional.cross_entropy, optimizer=optimizer, steps=10)
        for _ in range(2)
    )
    assert one.losses == other.losses


class Remembers(nn.Module):
    """Keeps its last activation, which torch refuses to copy."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.last: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.last = self.layer(x)
        return self.last


def test_a_model_that_keeps_its_activations_is_examined() -> None:
    model, data = Remembers(), loader()
    for x, _ in data:
        last = model(x)
    optimizer = torch.optim.SGD(model.parameters(), 0.3)
    verdict = doctor.examine(model, data, loss=functional.cross_entropy, optimizer=optimizer)
    assert verdict.status == "healthy"
    assert model.last is last


def test_a_loss_that_uses_the_model_itself_leaves_no_gradient_there() -> None:
    model, data = nn.Linear(6, 3), loader()

    def loss(outputs: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(outputs, y) + 1e-3 * model.weight.square().sum()

    doctor.examine(model, data, loss=loss, optimizer=torch.optim.SGD(model.parameters(), 0.1))
    assert model.weight.grad is None
    assert model.bias.grad is None
