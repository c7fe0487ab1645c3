"""What cannot be examined is named: never a crash of the doctor, and never a guess."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from course import doctor

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def examine(model: nn.Module, data: Any = (X, Y), **settings: Any) -> doctor.Verdict:
    settings = {"loss": functional.cross_entropy, "steps": 10} | settings
    return doctor.examine(model, data, **settings)


def test_a_model_without_parameters() -> None:
    verdict = examine(nn.Flatten())
    assert verdict.status == "not sure"
    assert "no parameters" in str(verdict)


class Raises(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        raise KeyError("no such thing")


def test_a_forward_pass_that_raises_is_named_with_its_error() -> None:
    verdict = examine(Raises())
    assert (verdict.illness, verdict.place) == ("does not run", ("the forward pass",))
    assert "no such thing" in str(verdict)
    assert "could not be run" in str(verdict)


def test_shapes_that_do_not_fit() -> None:
    verdict = examine(nn.Linear(5, 2))
    assert verdict.illness == "does not run"
    assert "6" in str(verdict.root)


def test_a_lazy_model_is_built_on_the_copy() -> None:
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    verdict = examine(model, optimizer=optimizer, steps=40)
    assert verdict.status == "healthy"
    assert isinstance(model[0].weight, nn.parameter.UninitializedParameter)


def test_shared_layers() -> None:
    layer = nn.Linear(6, 6)
    model = nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(6, 2))
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    assert examine(model, optimizer=optimizer, steps=40).status == "healthy"


def test_the_meta_device() -> None:
    verdict = examine(nn.Linear(6, 2, device="meta"))
    assert verdict.status == "not sure"
    assert "meta" in str(verdict)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64], ids=str)
def test_other_precisions(kind: torch.dtype) -> None:
    model = nn.Linear(6, 2).to(kind)
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    assert examine(model, optimizer=optimizer, steps=40).status == "healthy"


def test_a_loss_that_is_not_a_scalar_is_averaged_and_said() -> None:
    verdict = examine(nn.Linear(6, 2), loss=nn.CrossEntropyLoss(reduction="none"), steps=60)
    assert any("more than one entry" in note for note in verdict.notes)


def test_a_loss_that_is_no_tensor() -> None:
    verdict = examine(nn.Linear(6, 2), loss=lambda outputs, y: 0.3)
    assert (verdict.illness, verdict.place) == ("does not run", ("the loss",))


def test_a_loss_without_history() -> None:
    verdict = examine(
        nn.Linear(6, 2), loss=lambda out, y: functional.cross_entropy(out.detach(), y)
    )
    assert verdict.illness == "detached"


@pytest.mark.parametrize("data", [[], iter([])], ids=["list", "iterator"])
def test_an_empty_loader(data: Any) -> None:
    verdict = examine(nn.Linear(6, 2), data)
    assert verdict.status == "not sure"
    assert "no batch" in str(verdict)


def test_a_batch_without_examples() -> None:
    verdict = examine(nn.Linear(6, 2), (X[:0], Y[:0]))
    assert verdict.status == "not sure"
    assert "no example" in str(verdict)


def test_a_model_that_is_frozen_as_a_whole() -> None:
    verdict = examine(nn.Linear(6, 2).requires_grad_(False))
    assert verdict.illness == "frozen by mistake"
    assert "nothing can be trained" in str(verdict)


def test_a_scripted_model_is_not_blamed() -> None:
    verdict = examine(torch.jit.script(nn.Linear(6, 2)))
    assert verdict.status == "not sure"
    assert "scripted" in str(verdict)


def test_a_loader_that_raises() -> None:
    def batches() -> Any:
        yield X, Y
        raise OSError("disk gone")

    verdict = examine(nn.Linear(6, 2), batches())
    assert (verdict.illness, verdict.place) == ("does not run", ("the loader",))


def test_a_batch_of_one() -> None:
    verdict = examine(nn.Linear(6, 2), (X[:1], Y[:1]))
    assert verdict.status in ("healthy", "not sure")
    assert not any("held out" in note for note in verdict.notes)
    assert any("fewer than three batches" in line for line in verdict.not_examined)


def test_a_dict_needs_a_forward() -> None:
    batch = {"x": X, "y": Y}
    assert examine(nn.Linear(6, 2), batch).illness == "does not run"
    model = nn.Linear(6, 2)
    verdict = examine(
        model, batch, forward=lambda model, batch: (model(batch["x"]), batch["y"]),
        optimizer=torch.optim.SGD(model.parameters(), 0.5), steps=60,
    )  # fmt: skip
    assert verdict.status == "healthy"


@pytest.mark.parametrize(
    "wrong",
    [{"data": 3}, {"loss": "mse"}, {"optimizer": "adam"}, {"steps": 0}, {"clip": -1.0}],
    ids=str,
)
def test_arguments_of_a_wrong_kind_are_named(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        examine(nn.Linear(6, 2), wrong.pop("data", (X, Y)), **wrong)


def test_no_model() -> None:
    with pytest.raises(ValueError, match="model"):
        doctor.examine(3, (X, Y), loss=functional.cross_entropy)  # type: ignore[arg-type]
