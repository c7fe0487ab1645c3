"""Predictions that lock and are put on file, and are asked again; figures in words."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from course.live import in_words, show
from course.plots import style
from course.selfcheck import answers, predict, prediction, revisit
from course.selfcheck.prediction import Prediction, Reminder, Revision

OPTIONS = ["about 1", "about 100", "about 1 % & <more>"]


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "new" / "predictions.jsonl"))
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    return tmp_path / "new" / "predictions.jsonl"


def is_locked(panel: Prediction) -> bool:
    return panel.locked  # through a function: a type checker takes a property for a constant


def answered(index: int, id: str = "01-size") -> None:
    panel = predict(id, "How large?", OPTIONS)
    panel.choice.index = index
    panel.lock()


def test_an_answer_locks_and_goes_on_file(file: Path) -> None:
    panel = predict("01-size", "How large?", OPTIONS)
    assert panel.button.disabled and not is_locked(panel)
    panel.lock()  # nothing chosen: nothing happens
    assert not is_locked(panel) and not file.exists()
    panel.choice.index = 1
    assert not panel.button.disabled
    panel.button.click()
    assert is_locked(panel) and panel.choice.disabled and panel.button.disabled
    line = json.loads(file.read_text())
    assert line.pop("time").endswith("Z")
    assert line == {
        "format": 1, "notebook": "01", "question": "01-size", "phase": "before", "option": 1,
        "text": "about 100", "answer": None,
    }  # fmt: skip
    panel.choice.index = 0
    panel.lock()
    assert len(file.read_text().splitlines()) == 1


def test_a_locked_answer_stays_when_the_cell_runs_again() -> None:
    answered(1)
    again = predict("01-size", "How large?", OPTIONS)
    assert again.locked and again.choice.index == 1 and "before" in again.verdict.value
    reworded = predict("01-size", "How large?", ["about 2", "about 3"])
    assert not reworded.locked  # that option is not on offer any more


def test_the_question_asked_again_shows_both_answers(file: Path) -> None:
    answered(0)
    panel = revisit("01-size", answer="b", because="it was <measured>")
    panel.choice.index = 1
    panel.lock()
    assert "Before: about 1." in panel.verdict.value and "Now: about 100" in panel.verdict.value
    assert "it was &lt;measured&gt;" in panel.verdict.value
    last = answers.read()[-1]
    assert (last.phase, last.option, last.answer) == ("after", 1, 1)
    assert not revisit("01-size", answer="b").locked  # one may answer again, the last one counts


def revision(answer: str) -> Revision:
    panel = revisit("01-size", answer, because="it was measured")
    assert isinstance(panel, Revision)
    return panel


def test_without_a_prediction_the_question_says_so_and_asks() -> None:
    predict("01-size", "How large?", OPTIONS)  # and no answer
    panel = revision("b")
    assert "not locked a prediction" in panel.verdict.value and not is_locked(panel)
    answered(0)
    assert revision("b").verdict.value == ""


def test_a_wrong_answer_invites_another_look_before_the_solution(file: Path) -> None:
    answered(0)
    panel = revision("b")
    panel.choice.index = 2
    panel.lock()
    assert "Look once more" in panel.verdict.value and not is_locked(panel)
    assert "about 100" not in panel.verdict.value and panel.button.disabled
    panel.choice.index = 0
    assert not panel.button.disabled
    panel.lock()
    assert is_locked(panel) and "b) about 100" in panel.verdict.value
    assert [r.option for r in answers.read() if r.phase == "after"] == [2, 0]


def test_an_answer_after_a_stopped_training_says_of_what_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered(0)
    monkeypatch.setattr(prediction, "cut_short", lambda: True)
    panel = revision("b")
    assert "stopped" not in panel._static()
    panel.choice.index = 1
    panel.lock()
    assert panel.verdict.value.endswith("stopped; this is what all of it gives.)</div>")


def test_validation_neither_writes_nor_reads(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answered(1)
    before = file.read_bytes()
    monkeypatch.setenv("COURSE_WAIT", "1")
    panel = predict("01-size", "How large?", OPTIONS)
    assert not is_locked(panel) and answers.read() == [] and len(answers.read(file)) == 1
    panel.choice.index = 0
    panel.lock()
    assert is_locked(panel) and file.read_bytes() == before


def test_what_is_stored_does_not_depend_on_what_was_answered() -> None:
    panel = predict("01-size", "How large?", OPTIONS)
    before = {k: v for k, v in panel._repr_mimebundle_().items() if "widget" not in k}
    panel.choice.index = 2
    panel.lock()
    assert {k: v for k, v in panel._repr_mimebundle_().items() if "widget" not in k} == before
    assert repr(panel).splitlines()[1] == "  a) about 1"
    assert "about 1 % &amp; &lt;more&gt;" in before["text/html"]


def test_damaged_lines_are_skipped_and_never_joined(file: Path) -> None:
    answered(0)
    with file.open("a") as stream:
        stream.write('{"format": 99}\n[]\nnonsense\n{"notebook": "01", "quest')
    answered(1, "01-other")
    found = answers.read()
    assert [(r.question, r.option) for r in found] == [("01-size", 0), ("01-other", 1)]


def test_two_kernels_at_once_never_mix_their_lines(file: Path) -> None:
    code = (
        "from course.selfcheck import answers\n"
        "for k in range(100): answers.append('01-size', 'before', k, 'x' * 200)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [run.wait() for run in runs] == [0, 0]
    assert len(answers.read()) == 200


def test_an_unwritable_file_is_said_and_no_error(file: Path) -> None:
    file.parent.parent.joinpath("new").write_text("a file where a folder should be")
    panel = predict("01-size", "How large?", OPTIONS)
    panel.choice.index = 0
    panel.lock()
    assert is_locked(panel) and "could not be put on file" in panel.verdict.value


def test_without_a_home_a_question_is_asked_and_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*arguments: object, **options: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("COURSE_RECORDS")
    monkeypatch.setattr("platformdirs.user_data_dir", nowhere)
    panel = predict("01-size", "How large?", OPTIONS)
    panel.choice.index = 0
    panel.lock()
    assert is_locked(panel) and "there is no home folder" in panel.verdict.value
    assert not revisit("01-size", answer="b").locked


@pytest.mark.parametrize("id", ["size", "1-size", "01_size", "01-", 1, None])
def test_bad_ids_are_named(id: object) -> None:
    with pytest.raises(ValueError, match="id = "):
        predict(id, "How large?", OPTIONS)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [[], ["one"], ["same", "same"], "abc", list("abcdefghi")])
def test_bad_options_are_named(options: list[str]) -> None:
    with pytest.raises(ValueError, match="options = "):
        predict("01-size", "How large?", options)


def test_a_question_that_was_not_asked_is_said() -> None:
    reminder = revisit("07-never", answer="a")
    assert isinstance(reminder, Reminder) and "07-never was not asked" in repr(reminder)
    assert repr(reminder) in reminder._repr_html_()
    predict("01-size", "How large?", OPTIONS)
    with pytest.raises(ValueError, match="answer = 'd'"):
        revisit("01-size", answer="d")


def test_a_figure_in_words() -> None:
    fig, (left, right) = style.figure(ncols=2)
    left.plot([0, 1, 2, 3], [1.0, 10.0, math.inf, 0.5], label="activation", **style.line(0))
    left.axhline(1.0)
    left.set(title="Signals", xlabel="layer", ylabel="size", yscale="log")
    right.imshow([[0.0, 1.0], [2.0, 3.0]])
    right.scatter([0, 1], [0, 1], label="samples")
    assert in_words(fig).splitlines() == [
        "Signals: size against layer (y axis log).",
        "- activation: 4 values from 1 to 0.5, least 0.5, largest 10, 1 not finite",
        "Picture: y against x.",
        "- samples: 2 points",
        "- image of 2 x 2: 4 values from 0 to 3, least 0, largest 3",
    ]
    assert in_words(left).startswith("Signals")
    panel = show(fig)
    assert repr(panel) == in_words(fig) and panel.png.startswith(b"\x89PNG")
    assert repr(show(fig, "Two pictures.")) == "Two pictures."
    fig, (first, second) = style.figure(ncols=2, sharey=True)
    first.set(title="Here", ylabel="loss")
    second.set(title="There", xlabel="step")
    assert in_words(second) == "There: loss against step.", "a shared axis is labelled once"
