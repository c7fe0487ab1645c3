"""A verdict in words, as a dict, in a notebook, and on the command line."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from course.cli import main
from course.doctor import ILLNESSES, Finding, Verdict
from course.doctor.baselines import best_constant
from course.doctor.tracing import Tracing
from course_tests.doctor.cases.deep import DEEP
from course_tests.repository import ROOT


@pytest.fixture(scope="module")
def sick() -> Verdict:
    return DEEP["deep sigmoid"](0).examine(steps=15)


def test_the_text_leads_from_the_root_to_the_lesson(sick: Verdict) -> None:
    text = str(sick)
    parts = ["Ill: vanishing gradients, in 0", "Evidence: ", "Remedy 1: ", "To check: ",
             "sigmoid_saturation", "Measured: the loss was", "Not examined: how long"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "None" not in text
    assert "nan" not in text


def test_the_page_has_a_table_a_figure_and_its_words(sick: Verdict) -> None:
    page = sick._repr_html_()
    (words,) = re.findall(r'<img alt="([^"]+)"', page)
    assert f"{len(sick.layers)} layers" in words
    assert "gradient from" in words
    assert page.count("<tr>") == len(sick.layers) + 1
    assert "<caption>" in page


def test_a_dict_that_json_can_write(sick: Verdict) -> None:
    plain = json.loads(json.dumps(sick.to_dict(), allow_nan=False))
    assert plain["status"] == "ill"
    assert plain["root"]["remedies"][0].keys() == {"do", "check"}
    assert plain["layers"][0]["name"] == "0"


def test_what_comes_from_a_network_is_no_markup() -> None:
    verdict = Verdict("ill", Finding("does not run", ("<b>",), "<script>x</script>"))
    assert "<script>" not in verdict._repr_html_()
    assert "<b>" not in verdict._repr_html_()


def test_every_illness_has_remedies_with_a_check_and_a_lesson_that_is_there() -> None:
    slugs = {path.stem.partition("_")[2] for path in (ROOT / "notebooks").glob("*.ipynb")}
    for name, about in ILLNESSES.items():
        assert about.remedies, name
        assert about.lesson in slugs, name
        assert all(remedy.do and remedy.check for remedy in about.remedies), name


def test_an_illness_that_is_not_known_is_refused() -> None:
    with pytest.raises(ValueError, match="illness"):
        Finding("tired", (), "")
    with pytest.raises(ValueError, match="status"):
        Verdict("fine")


SCRIPT = """
import torch
from torch import nn

def factory():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    x = torch.randn(256, 4)
    y = (x[:, 0] > 0).long()
    batches = [(x[k : k + 32], y[k : k + 32]) for k in range(0, 256, 32)]
    return model, batches, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), RATE)
"""


@pytest.mark.parametrize(("rate", "code", "word"), [("1e-2", 0, "Healthy"), ("0.0", 1, "Ill")])
def test_the_command(tmp_path: Path, rate: str, code: int, word: str) -> None:
    script, page = tmp_path / "train.py", tmp_path / "page.html"
    script.write_text(SCRIPT.replace("RATE", rate))
    done = CliRunner().invoke(main, ["doctor", f"{script}:factory", "--html", str(page)])
    assert (done.exit_code, done.output[: len(word)]) == (code, word), done.output
    assert "<img alt=" in page.read_text()


@pytest.mark.parametrize("source", ["none.py:factory", "script", "train.py:other"])
def test_the_command_names_what_is_not_there(tmp_path: Path, source: str) -> None:
    (tmp_path / "train.py").write_text(SCRIPT.replace("RATE", "0.1"))
    done = CliRunner().invoke(main, ["doctor", str(tmp_path / source)])
    assert done.exit_code == 2
    assert source.split(":")[-1] in done.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    torch.manual_seed(0)", "    raise KeyError('x')", "line 6: KeyError: 'x'"),
        ("import torch", "import no_such_module; import torch", "line 2: ModuleNotFoundError"),
        (
            "model, batches, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), 0.1)",
            "dict(model=model, data=batches, loss=nn.CrossEntropyLoss(), schedule=3)",
            "schedule",
        ),
    ],
    ids=["factory", "script", "key"],
)  # fmt: skip
def test_the_command_says_where_a_script_is_wrong(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.replace("RATE", "0.1").replace(old, new, 1))
    done = CliRunner().invoke(main, ["doctor", f"{script}:factory"])
    assert done.exit_code == 2
    assert said in done.output


def test_links_lead_to_the_lesson_and_to_the_decision_card(sick: Verdict) -> None:
    page = sick._repr_html_()
    assert '<a href="03_sigmoid_saturation.ipynb"' in page
    assert '<a href="glossary.ipynb"' in page


def constant(loss: object, answer: torch.Tensor, target: torch.Tensor) -> tuple[float, float]:
    with Tracing() as tracing:
        tracing.trace.total = float(loss(answer, target))  # type: ignore[operator]
    best = best_constant([tracing.trace])
    assert best is not None
    return best


@given(st.lists(st.integers(0, 3), min_size=4, max_size=40).filter(lambda y: len(set(y)) > 1))
def test_the_best_constant_answer_has_the_entropy_of_the_labels(labels: list[int]) -> None:
    y = torch.tensor(labels)
    share = torch.bincount(y).double() / len(y)
    best, least = constant(functional.cross_entropy, torch.randn(len(y), 4), y)
    assert math.isclose(best, float(torch.special.entr(share).sum()), abs_tol=2e-3)
    assert least == 0


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=20).filter(lambda y: max(y) - min(y) > 0.1))
def test_the_best_constant_answer_has_the_variance_of_the_targets(numbers: list[float]) -> None:
    y = torch.tensor(numbers, dtype=torch.float64)[:, None]
    best, _ = constant(functional.mse_loss, torch.zeros_like(y), y)
    assert math.isclose(best, float(y.var(correction=0)), rel_tol=1e-3, abs_tol=1e-6)


def test_soft_targets_leave_their_own_entropy() -> None:
    target = torch.tensor([[0.2], [0.6]])
    best, least = constant(functional.binary_cross_entropy_with_logits, torch.zeros(2, 1), target)
    entropy = torch.special.entr(torch.cat([target, 1 - target])).sum() / 2
    assert math.isclose(least, float(entropy), rel_tol=1e-5)
    assert best > least


def test_a_loss_with_more_to_it_has_no_known_constant() -> None:
    y = torch.tensor([[0.0], [1.0]])
    with Tracing() as tracing:
        value = functional.mse_loss(torch.zeros(2, 1), y, reduction="sum") + 3
    tracing.trace.total = float(value)
    assert best_constant([tracing.trace]) is None
