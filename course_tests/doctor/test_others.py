"""Uncommon networks, and odd but healthy ways to train: left in peace; faults are named."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course import doctor
from course.doctor.evidence import Evidence
from course.doctor.patient import Patient
from course.doctor.trials import PASSES
from course_tests.doctor.cases import rare_modules
from course_tests.doctor.cases.families import FAMILIES
from course_tests.doctor.cases.others import OTHERS
from course_tests.doctor.cases.rare import RARE

QUICK = ("bags with offsets", "skip gram", "distillation", "all in bfloat16")
UNSURE = ("connectionist sequence",)
"""Healthy, but for over 240 steps on a plateau on which it ignores its input."""

MISSED = ("normalizing flow",)
"""Faults that are not seen: its inputs are huge, and a loss of its own falls all the same."""


def kinds(*without: str) -> list[Any]:
    """All kinds; those that take over half a second are slow."""
    return [
        pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow)
        for name in OTHERS
        if name not in without
    ]


SLOW_TO_LEARN = ("nearest codes", "policy")
"""Healthy, but not seen to learn in 250 steps: a plateau, and a loss that says nothing of that."""


@pytest.mark.slow
@pytest.mark.parametrize("name", RARE)
def test_a_healthy_network_of_a_rarer_kind_is_left_in_peace(name: str) -> None:
    verdict = RARE[name](0, False).examine()
    assert verdict.root is None, str(verdict)
    assert verdict.status == "healthy" or name in SLOW_TO_LEARN, str(verdict)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in RARE if name != "policy"])
def test_the_fault_of_a_rarer_kind_is_named_and_located(name: str) -> None:
    case = RARE[name](0, True)
    verdict = case.examine()
    assert verdict.illness == case.truth, str(verdict)
    assert case.has_place_right(verdict.place), verdict.place


@pytest.mark.parametrize("name", kinds())
def test_a_healthy_network_of_another_kind_is_left_in_peace(name: str) -> None:
    verdict = OTHERS[name](0, False).examine()
    assert verdict.root is None, str(verdict)
    assert verdict.status == "healthy" or name in UNSURE, str(verdict)


@pytest.mark.parametrize("name", kinds(*MISSED))
def test_its_fault_is_named_and_located(name: str) -> None:
    case = OTHERS[name](0, True)
    verdict = case.examine()
    assert verdict.illness == case.truth, str(verdict)
    assert case.has_place_right(verdict.place), verdict.place


X = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
Y = X[:, :1] + X[:, 1:2]


def examine(model: nn.Module, data: Any = None, trained: Any = None, **settings: Any) -> Any:
    torch.manual_seed(0)
    parts = [p for p in (trained or model).parameters() if p.requires_grad]
    settings = {"loss": functional.mse_loss, "optimizer": torch.optim.Adam(parts, 1e-2)} | settings
    batches = data or [(X[k : k + 32], Y[k : k + 32]) for k in range(0, 256, 32)]
    return doctor.examine(model, batches, **settings)


class Two(nn.Module):
    """Sum of its inputs, or with a mask, through two layers; a hidden teacher, if there is one."""

    def __init__(self, body: nn.Module, teacher: nn.Module | None = None):
        super().__init__()
        self.body = body
        self.teacher = [teacher] if teacher else []

    def forward(self, one: Tensor, other: Tensor | None = None) -> Tensor:
        x = one if other is None else torch.nan_to_num(one + other, neginf=0)
        for teacher in self.teacher:
            with torch.no_grad():
                x = x + 0 * teacher(x)
        answer: Tensor = self.body(x)
        return answer


def body() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))


def test_a_constant_first_input_beside_another_that_varies() -> None:
    batches = [(torch.zeros(32, 6), X[k : k + 32], Y[k : k + 32]) for k in range(0, 256, 32)]
    assert examine(Two(body()), batches).status == "healthy"


def test_infinity_in_a_mask_that_the_network_takes_care_of() -> None:
    mask = torch.zeros(32, 6)
    mask[:, 5] = -torch.inf
    batches = [(X[k : k + 32], mask, Y[k : k + 32]) for k in range(0, 256, 32)]
    verdict = examine(Two(body()), batches)
    assert verdict.status == "healthy", str(verdict)
    assert any("NaN or infinite" in note for note in verdict.notes)


def test_missing_targets_that_the_loss_leaves_out() -> None:
    y = Y.clone()
    y[::5] = torch.nan
    batches = [(X[k : k + 32], y[k : k + 32]) for k in range(0, 256, 32)]

    def loss(answer: Tensor, y: Tensor) -> Tensor:
        known = ~y.isnan()
        return functional.mse_loss(answer[known], y[known])

    assert examine(body(), batches, loss=loss).status == "healthy"


def test_a_teacher_in_a_list_that_is_not_to_be_trained() -> None:
    assert examine(Two(body(), nn.Linear(6, 6))).status == "healthy"


def test_a_discriminator_step_leaves_the_generator_alone() -> None:
    class Step(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator, self.discriminator = nn.Linear(6, 6), body()

        def forward(self, z: Tensor, real: Tensor) -> Tensor:
            fake = self.generator(z).detach()
            answer: Tensor = self.discriminator(torch.cat([fake, real]))
            return answer

    model = Step()
    batches = [
        (X[k : k + 32], X[k : k + 32].abs() + 1, torch.cat([torch.zeros(32, 1), torch.ones(32, 1)]))
        for k in range(0, 256, 32)
    ]
    loss = functional.binary_cross_entropy_with_logits
    assert examine(model, batches, model.discriminator, loss=loss).status == "healthy"
    assert examine(model, batches, loss=loss).illness == "detached"


def test_an_optimizer_that_asks_again_gets_fewer_steps() -> None:
    model = body()
    search = torch.optim.LBFGS(model.parameters(), 1e-9, tolerance_change=0)
    evidence = Evidence(Patient(model, [(X, Y)], functional.mse_loss, None, search), 10)
    trial = evidence.what_if(rate=0.1)
    assert len(trial.losses) < 10
    assert trial.passes <= 10 * PASSES + 25


def test_blocks_that_are_computed_again_on_the_way_back() -> None:
    model = rare_modules.Checkpointed(6, 16, 1)
    assert examine(model, steps=20).status == "healthy"
    assert all(p.grad is None for p in model.parameters())


def pictures(count: int, most: int) -> list[tuple[Tensor, Tensor]]:
    """Batches of one picture (1, 2, 8, 8) and another one as its target; so many are different."""
    source = torch.Generator().manual_seed(1)
    x = torch.rand(most, 1, 2, 8, 8, generator=source)
    return [(x[k % most], (x[k % most, :, :1] > 0.5).float()) for k in range(count)]


@pytest.mark.parametrize(("most", "note"), [(1, "by heart"), (12, "over its places")])
def test_one_picture_at_a_time_is_a_task(most: int, note: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 1, 1)
    )
    verdict = examine(model, pictures(12, most), steps=20)
    assert verdict.status == "healthy", str(verdict)
    assert any(note in says for says in verdict.notes), verdict.notes


def test_one_example_with_a_plain_label_is_no_task() -> None:
    batches = [(X[:1].expand(32, -1), Y[:1].expand(32, -1))] * 8
    assert examine(body(), batches, steps=10).illness == "constant input"


def test_where_nothing_is_found_one_batch_and_a_rate_of_0_are_tried() -> None:
    class Counts(nn.Linear):
        """Adds what only the number of its calls decides; nothing can be learned."""

        def forward(self, x: Tensor) -> Tensor:
            return super().forward(0 * x) + torch.randn(len(x), 1)

    said = " ".join(examine(Counts(6, 1), steps=10).evidence)
    assert "one batch alone" in said
    assert "rate of 0" in said


class Followed(nn.Module):
    """An encoder, and a copy of its layers that shall follow it."""

    def __init__(self, online: nn.Module) -> None:
        super().__init__()
        self.online, self.target = online, copy.deepcopy(online.body)

    def forward(self, x: Tensor) -> Tensor:
        return self.online(x) + 0 * self.target(self.online.embedding(x)).mean()


@pytest.mark.parametrize("mistake", [True, False])
def test_a_copy_is_a_target_network_only_if_all_of_it_is_left_alone(mistake: bool) -> None:
    """torch's encoder starts with layers that are copies: one that the optimizer has not follows
    none. The copy of all layers does."""
    case = FAMILIES["pre-norm transformer"](3)
    forgotten = case.model.body.layers[1].linear1
    if not mistake:
        case.model = Followed(case.model)
        forgotten = case.model.target
    out = {id(p) for p in forgotten.parameters()}
    case.optimizer = torch.optim.Adam(
        [p for p in case.model.parameters() if id(p) not in out], 3e-3
    )
    verdict = case.examine(steps=10)
    assert verdict.illness == ("not in the optimizer" if mistake else None), str(verdict)
    assert not mistake or verdict.place[0] == "body.layers.1.linear1.weight"
