"""The table of public cases is well formed; what was learned from them; two healthy odd kinds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course import doctor
from course_tests.doctor.cases.public import cases

BY_NAME = {one.name: one for one in cases()}


def test_each_line_has_a_link_and_a_truth_that_the_doctor_has_a_name_for() -> None:
    assert len(BY_NAME) == len(cases())
    for one in BY_NAME.values():
        assert one.link.startswith("https://"), one.name
        assert set(one.truths) <= set(doctor.ILLNESSES), one.name
        assert all(one.facts.values()), one.name


@pytest.mark.parametrize("name", [
    "SO 38648195", "SO 59325381", "R7 no last softmax", "SO 45337371",
])  # fmt: skip
def test_a_public_case_is_named(name: str) -> None:
    verdict = BY_NAME[name].draw(0).examine(steps=5)
    assert verdict.illness == BY_NAME[name].truths[0]


def test_a_forward_pass_that_differentiates_and_a_loss_without_targets() -> None:
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))

    def residual(model: nn.Module, t: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        t = t.clone().requires_grad_()
        u = model(t)
        slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
        return (slope + u, model(torch.zeros(1, 1)) - 1), t

    def loss(parts: tuple[Tensor, Tensor], t: Tensor) -> Tensor:
        return parts[0].square().mean() + parts[1].square().mean()

    verdict = doctor.examine(
        model, [3 * torch.rand(64, 1) for _ in range(8)], loss=loss, forward=residual,
        optimizer=torch.optim.Adam(model.parameters(), 1e-2),
    )  # fmt: skip
    assert verdict.status == "healthy", str(verdict)


def test_a_branch_that_starts_at_0_is_not_dead() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(8, 8)
            nn.init.zeros_(self.body.weight)
            nn.init.zeros_(self.body.bias)
            self.head = nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            answer: Tensor = self.head(x + torch.tanh(self.body(x)))
            return answer

    model = Branch()
    x = torch.randn(64, 8)
    sgd = torch.optim.SGD(model.parameters(), 1e-5)  # so small that it does not learn
    verdict = doctor.examine(
        model, (x, x.sum(1, keepdim=True)), loss=functional.mse_loss, optimizer=sgd, steps=20
    )
    assert verdict.illness == "rate too small"
