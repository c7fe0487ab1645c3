"""A course from the folder to the grades, by the commands that an instructor types."""

from __future__ import annotations

import csv
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner

from course import classroom
from course.classroom import leaks, master
from course.classroom.collect.restore import grade_id as cell_name
from course.classroom.folder import MARKER, MOVED, CourseFolder
from course.classroom.grade import arrivals, rounds
from course.classroom.grade.results import Result, load
from course.classroom.gradebook import Gradebook
from course.classroom.run.sandbox import Limits
from course.cli import main
from course_tests.classroom import cohort
from course_tests.classroom.cohort import SOLVED, UNTOUCHED

pytestmark = pytest.mark.grading
SET = "ps01-scalar-chain"


def type_in(*words: object, status: int = 0) -> str:
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == status, done.output
    return done.output


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> CourseFolder:
    """A course folder of its own, with masters that a test may mend."""
    folder = tmp_path_factory.mktemp("term") / "course"
    type_in("assign", "new", folder)
    masters = folder.parent / "masters"
    masters.mkdir()
    source = (master.folder() / f"{SET}.py").read_text(encoding="utf-8")
    (masters / f"{SET}.py").write_text(source, encoding="utf-8")
    said = type_in("assign", "release", "--course", folder, "--masters", masters)
    assert str(folder / "release" / SET / f"{SET}.ipynb") in said
    return CourseFolder(folder)


def wrong() -> tuple[str, str]:
    """A problem and a mistake that fails one of its tests but not all."""
    return "slopes", "the factor n is forgotten"


@pytest.fixture(scope="module")
def graded(course: CourseFolder, first: master.Master) -> tuple[Path, str]:
    """Three students: one has everything, one a mistake, one did nothing; and a broken file."""
    release = course.releases()[SET]
    place = course.path.parent / "download"
    everything = dict.fromkeys(first.problems, SOLVED)
    work = {
        "Ada A_1_assignsubmission_file_": (everything, "=HYPERLINK(1) depth"),
        "Ben B_2_assignsubmission_file_": ({**everything, wrong()[0]: wrong()[1]}, ""),
        "Cem C_3_assignsubmission_file_": (dict.fromkeys(first.problems, UNTOUCHED), ""),
    }
    for name, (chosen, words) in work.items():
        (place / name).mkdir(parents=True)
        made = cohort.submission(first, release, chosen, words)
        nbformat.write(made, place / name / f"{SET}.ipynb")
    (place / "Dee D_4_assignsubmission_file_").mkdir()
    (place / "Dee D_4_assignsubmission_file_" / f"{SET}.ipynb").write_text("{")
    (place / "stranger.ipynb").write_text('{"nbformat": 4, "metadata": {}, "cells": []}')
    return place, type_in("grade", place, "--course", course.path)


def test_list_shows_every_set_with_its_notebook() -> None:
    said = type_in("assign", "list")
    for name in master.names():
        one = master.load(name)
        assert re.search(rf"^{name} +{one.part} +{one.notebook} .* {one.title}$", said, re.M)


def test_grades_and_details(
    graded: tuple[Path, str], course: CourseFolder, first: master.Master
) -> None:
    found = {row["student"]: row for row in rows(course.path / "grades.csv")}
    lost = sum(first.cell(name).points for name in ("slope-w",))
    assert [float(found[s]["score"]) for s in "1234"] == [13.0, 13.0 - lost, 0.0, 0.0]
    assert [float(found[s]["to be marked"]) for s in "1234"] == [4.0, 0.0, 0.0, 0.0]
    assert [found[s]["status"] for s in "1234"] == ["graded"] * 3 + ["unreadable"]
    assert found["1"]["name"] == "Ada A" and found["1"]["out of"] == "17.0"
    detail = {row["student"]: row for row in rows(course.path / f"grades-{SET}.csv")}
    assert detail["2"]["slope-w"] == "0.0" and detail["2"]["slope-b"] == "2.0"
    assert detail["1"]["safe-depth"] == ""


def test_grades_as_platforms_import_them(graded: tuple[Path, str], course: CourseFolder) -> None:
    """Moodle's worksheet by participant, with the time of hand-in; Canvas' gradebook by its ids."""
    moodle = {row["Identifier"]: row for row in rows(course.path / f"moodle-{SET}.csv")}
    assert list(moodle) == [f"Participant {number}" for number in "1234"]
    ada = moodle["Participant 1"]
    assert (ada["Full name"], ada["Grade"], ada["Maximum Grade"]) == ("Ada A", "13.0", "17.0")
    when = datetime.fromisoformat(ada["Last modified (submission)"])
    file = graded[0] / "Ada A_1_assignsubmission_file_" / f"{SET}.ipynb"
    assert when == datetime.fromtimestamp(int(file.stat().st_mtime), tz=timezone.utc)
    most, *canvas = rows(course.path / "canvas.csv")
    assert most["Student"].strip() == "Points Possible" and most[SET] == "17.0"
    assert (canvas[0]["ID"], canvas[0][SET]) == ("1", "13.0")


def test_watching_grades_what_is_there_and_ends_by_ctrl_c(
    graded: tuple[Path, str], course: CourseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(arrivals, "time", SimpleNamespace(sleep=pause))
    said = type_in("grade", "--watch", graded[0], "--course", course.path)
    assert said.count("arrived: ") == 1 and said.count("unchanged, not run again: 3") == 1
    assert said.endswith("stopped: what was graded is on file\n")
    file = graded[0] / "stranger.ipynb"
    said = type_in("grade", "--watch", file, "--course", course.path, status=2)
    assert "a folder, to be watched" in said


def test_what_the_instructor_reads(graded: tuple[Path, str]) -> None:
    said = graded[1]
    assert "isolation: " in said and "memory gb 2" in said
    assert "left out: stranger.ipynb: no set of this course" in said
    assert "4 submissions: 3 graded, 1 unreadable" in said
    assert f"{SET} 4: unreadable. the file is damaged: no valid JSON at line 1" in said
    assert not re.search(rf"{SET} [123]:", said)  # nothing to be said of who was graded
    assert re.search(r"slope-w +25 % got points", said)


def page(course: CourseFolder, student: str) -> str:
    return (course.path / "feedback" / student / SET / f"{SET}.html").read_text(encoding="utf-8")


def test_feedback_says_what_is_wrong_and_shows_no_test(
    graded: tuple[Path, str], course: CourseFolder, first: master.Master
) -> None:
    assert "Passed." in page(course, "1") and "Passed." in page(course, "2")
    assert '<a href="#slope-w">slope-w</a> (Score: 0.0 / 3.0)' in page(course, "2")
    assert "dy_dw is off for w = 1.0, b = 0.5, n = 9." in page(course, "2")
    assert (
        leaks.leaks([first], course.path / "feedback" / "3") == []
    )  # who did nothing learns nothing
    tests = [line for c in first.of_kind("grade") for line in c.source.splitlines()]
    for student in "123":
        squeezed = leaks.bare(page(course, student))
        assert "HIDDENTESTS" not in squeezed and "expect(" not in squeezed
        assert not [t for t in tests if len(leaks.bare(t)) > 25 and leaks.bare(t) in squeezed]


def test_again_is_safe_and_runs_only_what_changed(
    graded: tuple[Path, str], course: CourseFolder
) -> None:
    before = (course.path / "grades.csv").read_bytes()
    said = type_in("grade", graded[0], "--course", course.path)
    assert "unchanged, not run again: 3" in said
    assert (course.path / "grades.csv").read_bytes() == before


def test_ctrl_c_keeps_what_is_done(graded: tuple[Path, str], course: CourseFolder) -> None:
    def stop(result: Result, total: int) -> None:
        raise KeyboardInterrupt

    done = rounds.hand_in(course, graded[0], again=True, workers=1, tick=stop)
    assert done.ungraded == 2 and len(done.results) == 2  # one graded, one that needs no kernel
    assert "unchanged, not run again: 3" in type_in("grade", graded[0], "--course", course.path)


def test_marks_by_hand(graded: tuple[Path, str], course: CourseFolder) -> None:
    """written.csv out, points in; bad rows change nothing."""
    (row,) = rows(course.path / "written.csv")
    assert (row["student"], row["question"], row["most"]) == ("1", "safe-depth", "4.0")
    assert row["answer"] == "'=HYPERLINK(1) depth"  # no formula for a spreadsheet
    filled = course.path.parent / "filled.csv"

    def fill(points: str, student: str = "1") -> None:
        # As Excel writes it where numbers have commas: semicolons, and the encoding of old.
        with filled.open("w", newline="", encoding="cp1252") as file:
            out = csv.DictWriter(file, list(row), delimiter=";")
            out.writeheader()
            out.writerow({**row, "points": points, "comment": "Wéll said.", "student": student})

    for points, student, why in (("5", "1", "row 2: points"), ("2", "9", "no such answer")):
        fill(points, student)
        assert why in type_in("regrade", "--marks", filled, "--course", course.path, status=2)
    assert "Not the final score:** 4 points" not in page(course, "1")  # Markdown was rendered
    assert "4 points are for answers in words, not marked yet" in page(course, "1")
    fill("3,5")
    said = type_in("regrade", "--marks", filled, "--course", course.path)
    assert f"{SET} 1: 13 -> 16.5" in said
    assert {r["student"]: r["score"] for r in rows(course.path / "grades.csv")}["1"] == "16.5"
    assert "Wéll said." in page(course, "1") and "3.5 / 4.0" in page(course, "1")
    assert "not marked yet" not in page(course, "1")


def test_a_new_answer_in_words_is_marked_again(
    graded: tuple[Path, str], course: CourseFolder, tmp_path: Path
) -> None:
    """It keeps its points, and is put before the instructor; a damaged file later takes nothing."""
    made = nbformat.read(course.path / "submitted" / "1" / SET / f"{SET}.ipynb", as_version=4)
    next(c for c in made.cells if cell_name(c) == "safe-depth").source = "A better one."
    place = tmp_path / "Ada A_1_assignsubmission_file_" / f"{SET}.ipynb"
    place.parent.mkdir()
    nbformat.write(made, place)
    said = type_in("grade", tmp_path, "--course", course.path)
    assert "answer 'safe-depth' is a new one: mark it again" in said
    assert {r["student"]: r["score"] for r in rows(course.path / "grades.csv")}["1"] == "16.5"
    (row,) = rows(course.path / "written.csv")
    assert row["answer"] == "[new; the earlier one got 3.5] A better one."
    place.write_text("{")
    said = type_in("grade", tmp_path, "--course", course.path)
    assert "a later file was left aside: the file is damaged" in said
    filled = tmp_path / "filled.csv"
    filled.write_text(f"student,set,question,most,points\n1,{SET},safe-depth,4,4\n")
    said = type_in("regrade", "--marks", filled, "--course", course.path)
    assert f"{SET} 1: 16.5 -> 17" in said and "mark it again" not in said
    filled.write_text(f"student,set,question,most,points\n1,{SET},safe-depth,4,3.5\n")
    type_in("regrade", "--marks", filled, "--course", course.path)


def test_regrade_after_a_fix(graded: tuple[Path, str], course: CourseFolder) -> None:
    """A test that was too strict is mended; the points change for whom it should, marks stay."""
    file = course.path.parent / "masters" / f"{SET}.py"
    source = file.read_text(encoding="utf-8")
    test = source[source.index('grade="slope-w"') : source.index('grade="slope-b"')]
    body = test[test.index("### BEGIN HIDDEN") : test.index("### END HIDDEN")]
    kind = '### BEGIN HIDDEN TESTS\nexpect(close(ask("dy_dw(0.5, 0, 1, 1)"), 1.0), "Off.")\n'
    file.write_text(source.replace(body, kind), encoding="utf-8")
    said = type_in("regrade", "--course", course.path, "--masters", file.parent)
    assert f"{SET} 2: 10 -> 13" in said
    assert not re.search(rf"{SET} [13]: [\d.]+ ->", said)
    scores = {r["student"]: float(r["score"]) for r in rows(course.path / "grades.csv")}
    marked = "Wéll said." in page(course, "1")  # a mark given before stays
    assert scores == {"1": 16.5 if marked else 13.0, "2": 13.0, "3": 0.0, "4": 0.0}


def test_cells_cannot_be_renamed_once_work_is_in(
    graded: tuple[Path, str], course: CourseFolder
) -> None:
    masters = course.path.parent / "renamed"
    masters.mkdir()
    source = (master.folder() / f"{SET}.py").read_text(encoding="utf-8")
    (masters / f"{SET}.py").write_text(source.replace("slope-b", "slope-c"), encoding="utf-8")
    words = ["assign", "release", SET, "--course", course.path, "--masters", masters]
    assert "graded cells can be changed but not added" in type_in(*words, status=2)


@pytest.mark.parametrize(
    ("typed", "why"),
    [("expekt(", "nobody defines expekt"), ("expect((", "is not valid Python")],
)
def test_a_fix_with_a_slip_is_refused_before_anything_is_run(
    graded: tuple[Path, str], course: CourseFolder, tmp_path: Path, typed: str, why: str
) -> None:
    """No class loses its points to a typing error of its instructor."""
    source = (master.folder() / f"{SET}.py").read_text(encoding="utf-8")
    at = source.index('grade="slope-b"')
    slip = source[:at] + source[at:].replace("expect(", typed, 1)
    (tmp_path / f"{SET}.py").write_text(slip, encoding="utf-8")
    before = (course.path / "grades.csv").read_bytes()
    said = type_in("regrade", "--course", course.path, "--masters", tmp_path, status=2)
    assert "hidden tests of 'slope-b': " in said and why in said
    assert (course.path / "grades.csv").read_bytes() == before


def test_a_set_with_torch_for_real(everything: CourseFolder, tmp_path: Path) -> None:
    """The kernel, the sandbox and nbgrader agree with the quick check of the masters, with torch.

    `test_class` does the same for every choice of every set.
    """
    place = tmp_path / "download" / "ada"
    place.mkdir(parents=True)
    releases = everything.releases(["ps10-van"])
    for name, released in releases.items():
        one = master.load(name)
        made = cohort.submission(one, released, dict.fromkeys(one.problems, SOLVED), "Words.")
        nbformat.write(made, place / f"{name}.ipynb")
    type_in("grade", place.parent, "--course", everything.path)
    results = load(everything)
    assert {name for name, _ in results} == set(releases)
    for result in results.values():
        assert result.status == "graded", result
        assert result.score == master.load(result.set).automatic, result
        assert result.waiting == master.load(result.set).by_hand


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["assign", "release"], "made first, with: course assign new"),
        (["assign", "release", "ps99", "--course", "COURSE"], "it must be one of ps01-scalar"),
        (["assign", "list", "--masters", "EMPTY"], "a folder with masters"),
        (["assign", "new", "PACKAGE"], "outside of the course package"),
        (["assign", "new", "FULL"], "new, empty, or a course folder"),
        (["grade", "EMPTY", "--course", "COURSE"], "no notebook of these sets in it"),
        (["grade", "NOWHERE", "--course", "COURSE"], "a folder or an archive"),
        (["grade", "EMPTY", "--course", "EMPTY"], "made first"),
        (["grade", "EMPTY", "--set", "ps02", "--course", "COURSE"], "one of the released sets"),
        (["regrade", "ps02", "--course", "COURSE"], "one of the released sets"),
        (["regrade", "--student", "nobody", "--course", "COURSE"], "whose work can be graded"),
    ],
)
def test_bad_input(
    graded: tuple[Path, str], course: CourseFolder, tmp_path: Path, words: list[str], why: str
) -> None:
    """One line, status 2, nothing written."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "empty").mkdir()
    places: dict[str, Any] = {
        "COURSE": course.path,
        "EMPTY": tmp_path / "empty",
        "FULL": tmp_path / "full",
        "NOWHERE": tmp_path / "nowhere",
        "PACKAGE": Path(classroom.__file__).parent / "term",
    }
    done = CliRunner().invoke(main, [str(places.get(word, word)) for word in words])
    assert done.exit_code == 2
    assert why in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert len(list(tmp_path.rglob("*"))) == 3 and not places["PACKAGE"].exists()


def test_every_choice_gets_what_it_should(course: CourseFolder, tmp_path: Path) -> None:
    """What a student can do with a problem: with those of `graded` these four do all of it.

    Each graded cell of each gets the points that are known by construction.
    """
    release = course.releases()[SET]
    fixed = master.load(SET, course.path.parent / "masters")
    expected = {}
    for number in range(4):
        chosen = {}
        for place, problem in enumerate(fixed.problems):
            left = [c for c in cohort.choices(fixed, problem) if c != wrong()[1]][-4:]
            chosen[problem] = left[(number + place) % 4]
        folder = tmp_path / f"student-{number}"
        folder.mkdir()
        nbformat.write(cohort.submission(fixed, release, chosen), folder / f"{SET}.ipynb")
        expected[folder.name] = cohort.points(fixed, chosen)
    type_in("grade", tmp_path, "--course", course.path)
    results = {r.student: r for r in load(course).values()}
    for student, cells in expected.items():
        got = {k: v for k, v in results[student].cells.items() if k in cells}
        assert got == cells, student


def test_the_newest_hand_in_counts_whatever_is_graded_last(
    course: CourseFolder, first: master.Master, tmp_path: Path
) -> None:
    """An older download takes nothing back, and says so; the same work seen again says nothing."""
    release = course.releases()[SET]
    fixed = master.load(SET, course.path.parent / "masters")

    def download(name: str, day: int, choice: str) -> Path:
        notebook = cohort.submission(fixed, release, dict.fromkeys(first.problems, choice), "Why.")
        path = tmp_path / name / "eve" / f"{SET}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
        os.utime(path, (1_800_000_000 + 86_400 * day,) * 2)
        return tmp_path / name

    def grade(place: Path) -> tuple[Result, str]:
        said = type_in("grade", place, "--course", course.path)
        return load(course)[SET, "eve"], said

    newer, older = download("newer", 2, SOLVED), download("older", 1, UNTOUCHED)
    best, _ = grade(newer)
    assert best.score > 0 and best.remarks == []
    on_file = course.submitted(SET, "eve").read_bytes()
    for _ in range(2):
        after, said = grade(older)
        assert after.score == best.score and course.submitted(SET, "eve").read_bytes() == on_file
        remark = f"an older one was left aside: 'eve/{SET}.ipynb' of 2027-01-16 08:00"
        assert after.remarks == [remark] and remark in said
    early = download("early", 0, SOLVED)  # the same work, from a download that kept its time
    after, said = grade(early)
    assert "unchanged, not run again: 1" in said and after.remarks == []
    assert after.when == "2027-01-15T08:00:00+00:00"
    after, _ = grade(older)  # now this is what was handed in last
    assert after.score == 0


@pytest.mark.parametrize("line", ["judge.Judge", "feedback.SafePages"])
def test_a_folder_of_an_earlier_version_is_refused_by_name(tmp_path: Path, line: str) -> None:
    """One line that says what to change; once changed, it is a course folder again."""
    config = CourseFolder.lay_out(tmp_path / "old").path / MARKER
    text = config.read_text(encoding="utf-8")
    old = f"course.classroom.{line}"
    config.write_text(text.replace(MOVED[old], old), encoding="utf-8")
    said = type_in("assign", "release", "--course", tmp_path / "old", status=2)
    assert f"change in it {old} to {MOVED[old]}" in said and len(said.strip().splitlines()) == 1
    config.write_text(config.read_text().replace(old, MOVED[old]), encoding="utf-8")
    assert CourseFolder(tmp_path / "old").limits == Limits()


def test_gradebooks_in_two_files_know_nothing_of_each_other(tmp_path: Path) -> None:
    one, other = (f"sqlite:///{tmp_path / name}.db" for name in ("one", "other"))
    for _ in range(2):  # the second time an engine is there already
        with Gradebook(one) as gradebook:
            gradebook.update_or_create_student("ada")
        with Gradebook(other) as gradebook:
            assert [student.id for student in gradebook.students] == []
        with Gradebook(one) as gradebook:
            assert [student.id for student in gradebook.students] == ["ada"]
