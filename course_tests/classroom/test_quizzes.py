"""Predictions: exported without a trace of who, summed up for a class."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from course.classroom import quizzes
from course.cli import main

OPTIONS = ["about 1", "about 100", "larger than any number"]


def line(question: str, phase: str, option: int, answer: int | None = None) -> str:
    record = {
        "format": 1,
        "notebook": question[:2],
        "question": question,
        "phase": phase,
        "option": option,
        "text": OPTIONS[option],
        "answer": answer,
        "time": "2026-11-22T12:34:56Z",
    }
    return json.dumps(record)


@pytest.fixture
def class_of_ten(tmp_path: Path) -> Path:
    """Before: 2 right, 6 option b, 2 option c. After: 7 right, 3 still b. One question rare."""
    place = tmp_path / "class"
    place.mkdir()
    before = [0] * 2 + [1] * 6 + [2] * 2
    after = [0] * 7 + [1] * 3
    for k in range(10):
        lines = [line("01-size", "before", before[k]), line("01-size", "after", after[k], 0)]
        lines += ["", "torn {", '{"question": "../x"}', line("01-size", "before", 2)]
        if k == 0:
            lines.append(line("02-rare", "before", 1))
        (place / f"student-{k}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (place / "readme.txt").write_text("not a record")
    return place


def test_a_class_before_and_after(class_of_ten: Path) -> None:
    questions, students = quizzes.collect(class_of_ten)
    assert students == 10 and [q.id for q in questions] == ["01-size", "02-rare"]
    size = questions[0]
    assert dict(size.before) == {0: 2, 1: 6, 2: 2}  # the first "before" counts
    assert dict(size.after) == {0: 7, 1: 3}
    assert (size.right("before"), size.right("after")) == (0.2, 0.7)
    assert size.alive == (0.3, 1)
    text = quizzes.summary(questions, students)
    assert "01-size: right 20 % -> 70 %  (10 before, 10 after)" in text
    assert "still alive: b) with 30 %" in text
    assert "* a)" in text and "  b)" in text
    assert "02-rare" not in text and "not shown, fewer than 3 answers: 1" in text


def test_export_has_no_name_and_no_time_and_can_be_summed_up(
    class_of_ten: Path, tmp_path: Path
) -> None:
    made = tmp_path / "mine.jsonl"
    assert quizzes.export(made, class_of_ten / "student-0.jsonl") == 3
    data = [json.loads(entry) for entry in made.read_text().splitlines()]
    assert all(set(entry) == set(quizzes.FIELDS) for entry in data)
    assert "2026" not in made.read_text() and str(Path.home()) not in made.read_text()
    again, students = quizzes.collect(made)
    assert students == 1 and len(again) == 2


def test_commands(class_of_ten: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for path in class_of_ten.iterdir():
            archive.write(path, f"from-platform/{path.name}")
    table = tmp_path / "table.csv"
    words = ["quiz", "summary", str(tmp_path / "class.zip"), "--csv", str(table)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and "10 students" in done.output
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(r["option"], r["right"], r["before"], r["after"]) for r in rows] == [
        ("a", "1", "2", "7"),
        ("b", "0", "6", "3"),
        ("c", "0", "2", "0"),
    ]
    monkeypatch.setenv("COURSE_WAIT", "0")
    monkeypatch.setenv("COURSE_RECORDS", str(class_of_ten / "student-1.jsonl"))
    done = CliRunner().invoke(main, ["quiz", "export", str(tmp_path / "out.jsonl")])
    assert done.exit_code == 0 and "2 predictions" in done.output
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "none.jsonl"))
    done = CliRunner().invoke(main, ["quiz", "export", str(tmp_path / "out2.jsonl")])
    assert done.exit_code == 2 and "none yet" in done.stderr
    assert not (tmp_path / "out2.jsonl").exists()
    done = CliRunner().invoke(main, ["quiz", "summary", str(tmp_path / "nothing")])
    assert done.exit_code == 2 and len(done.stderr.strip().splitlines()) == 1
