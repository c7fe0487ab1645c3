"""Predictions that lock and are put on file, checks that hint, solutions, figures in words."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from course.lessons.scalar_chain import exercise as scalar_chain_exercise
from course.live import in_words, show
from course.plots import style
from course.selfcheck import answers, check, check_function, predict, revisit, show_source
from course.selfcheck.prediction import Prediction, Reminder, Revision
from course.selfcheck.source import Source

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


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (..., 4.0, "not yet"),
        (None, 4.0, "not yet"),
        (4, 4.0, "x: right."),
        (4.0000001, 4.0, "x: right."),
        (torch.tensor(4.0), 4.0, "x: right."),
        (-4.0, 4.0, "The sign is the wrong way round."),
        (0.25, 4.0, "upside down"),
        (5, 4, "one too high"),
        (3, 4, "one too low"),
        (16.0, 4.0, "Do not square it."),
        (7.3, 4.0, "x: 7.3 is not right yet."),
        (400.0, 4.0, "percent"),
        (4.001, 4.0, "Very near: is it rounded?"),
        (math.nan, 4.0, "not numbers"),
        ("four", 4.0, "That is a text; one number is expected. Numbers stand without quotes."),
        (True, 1.0, "That is True or False; one number is expected."),
        ([], 4.0, "That is an array of shape (0,); one number is expected."),
        ({}, 4.0, "That is of the type dict; one number is expected."),
        (4j, 4.0, "That is of the type complex; one number is expected."),
        ([4.0, None], [4.0, 1.0], "a list in which not everything is a number"),
        (4.0, [4.0, 1.0], "That is one number; an array of shape (2,) is expected."),
        (4.0, "vanish", "That is a number; a text is expected."),
        (abs, 4.0, "That is a function; one number is expected. Call it"),
        ("vanish", "vanish", "x: right."),
        (np.ones((2, 3)), np.ones((3, 2)), "Its shape is (2, 3); (3, 2) is expected."),
        (np.arange(3), np.arange(3), "x: right."),
        (0.0, math.inf, "not right yet"),
        (math.inf, math.inf, "x: right."),
    ],
)
def test_checks_of_values(
    answer: object, expected: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check("x", answer, expected, mistakes=[(16.0, "Do not square it.")])
    assert words in said(capsys)


def test_checks_of_functions(capsys: pytest.CaptureFixture[str]) -> None:
    cases = [((2, 3), 8), ((3, 2), 9), ((1, 0), 1)]
    mistakes = [
        (lambda w, n: w / n, "does not run where n is 0, and that does no harm"),
        (lambda w, n: w * n, "Multiply w by itself n times, not by n."),
    ]

    def judged(function: object) -> str:
        check_function("power", function, cases, mistakes=mistakes)
        return said(capsys)

    def unfilled(w: int, n: int) -> None: ...

    def later(w: int, n: int) -> int:
        raise NotImplementedError

    assert judged(lambda w, n: w**n) == "power: right in all 3 cases."
    assert "not yet" in judged(unfilled) and "not yet" in judged(later)
    assert "Multiply w by itself" in judged(lambda w, n: w * n)
    assert "power(2, 3) gives -8, expected 8. The sign" in judged(lambda w, n: -(w**n))
    assert "stops with ZeroDivisionError" in judged(lambda w, n: w / 0)
    assert judged(lambda w, n: w**n if n else 7).startswith("power: right in 2 of 3 cases.")


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


def test_functions_that_return_parts_or_write_into_their_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights = [np.ones((2, 3)), np.ones((3, 1))]
    cases = [((weights,), [2 * w for w in weights])] * 2

    def judged(function: object) -> str:
        check_function("double", function, cases, mistakes=[(lambda ws: ws, "Nothing is doubled.")])
        return said(capsys)

    def in_place(ws: list[np.ndarray]) -> list[np.ndarray]:
        for w in ws:
            w *= 2
        return ws

    assert judged(in_place) == "double: right in all 2 cases." and weights[0].max() == 1
    assert judged(lambda ws: [2 * torch.tensor(w) for w in ws]).endswith("right in all 2 cases.")
    assert judged(lambda ws: ws).endswith("Nothing is doubled.")
    assert "It has 1 parts; 2 are expected." in judged(lambda ws: [ws])
    assert "Part 2: Its shape is (2, 3); (3, 1) is" in judged(lambda ws: [ws[0], ws[0]])
    assert "a list of 2 parts is expected" in judged(lambda ws: 2.0)


def test_a_solution_opens_after_two_different_tries(capsys: pytest.CaptureFixture[str]) -> None:
    def double(x: float) -> float:
        return 2 * x

    def judged(function: object) -> str:
        check_function("double", function, [((3,), 6.0)], solution=double)
        return said(capsys)

    assert "solution" not in judged(lambda x: ...) and "solution" not in judged("2x").lower()
    for _ in range(3):  # the same try again is no new one
        assert "After another try" in judged(lambda x: x)
    assert "A worked solution, to compare" in judged(lambda x: x + 1)
    assert "A worked solution" in judged(lambda x: x + x)


def test_source_is_shown_folded(capsys: pytest.CaptureFixture[str]) -> None:
    show_source(style.line)
    assert "line, " in (line := said(capsys)) and "of course/plots/style.py" in line
    page = Source(style.line)._repr_markdown_()
    assert page.startswith("<details><summary>line, ") and "\n```python\ndef line(" in page
    for item in (3, math.sin):
        with pytest.raises(ValueError, match="item = "):
            show_source(item)


def test_the_exercise_of_notebook_01(capsys: pytest.CaptureFixture[str]) -> None:
    def ratio(weight: float, largest: float) -> float:
        return math.log(largest) / math.log(abs(weight))

    def judged(function: object) -> str:
        scalar_chain_exercise.check_overflow_layer(function)  # type: ignore[arg-type]
        return said(capsys)

    for right in (lambda w, m: math.ceil(ratio(w, m)), lambda w, m: math.floor(ratio(w, m)) + 1):
        assert judged(right).startswith("overflow_layer: right in all 9 cases.")
    assert "not yet" in judged(lambda w, m: ...)
    assert "it still fits: round up." in judged(lambda w, m: int(ratio(w, m)))
    assert "whole number: round up." in judged(ratio)
    assert "Divide the other way round." in judged(lambda w, m: math.ceil(1 / ratio(w, m)))
    assert "think of logarithms" in judged(lambda w, m: math.ceil(m / abs(w)))
    assert "base 10." in judged(lambda w, m: math.ceil(math.log10(m) / math.log(abs(w))))
    assert "stops with ValueError" in judged(lambda w, m: math.log(m) / math.log(w))


def test_the_faded_example_of_notebook_01(capsys: pytest.CaptureFixture[str]) -> None:
    def judged(goal: object, layer: object) -> str:
        scalar_chain_exercise.check_logarithms(goal, layer)
        return said(capsys)

    assert judged(..., ...).count("not yet") == 2
    assert judged(math.log(1e6), ...).count("right.") == 1
    solved = judged(math.log(1e6), math.log(1.1))
    assert solved.count("right.") == 2 and "145 layers, the gradient is 1,004,475" in solved
    assert "base 10" in judged(6, math.log10(1.1)) and "145 layers" not in judged(13.8, 0.0953)
    assert judged(13.8, 0.0953).count("is it rounded?") == 2
    assert "factor itself" in judged(13.8, 1.1) and "Run with" not in judged("a", 0.0)
