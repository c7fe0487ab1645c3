"""Nothing hidden reaches students: releases, their tree, wheel and source archives."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import tarfile
import zipfile
import zlib
from pathlib import Path

import nbformat
import pytest
from hatchling.builders.sdist import SdistBuilder

from course.classroom import leaks, master
from course.classroom.folder import MARKER, CourseFolder
from course.classroom.release import release, student_tree
from course_tests import once
from course_tests.classroom.cohort import load

pytestmark = pytest.mark.grading
ROOT = Path(__file__).resolve().parents[2]
MASTERS = [load(name) for name in master.names()]


def in_git() -> bool:
    done = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True)
    return done.returncode == 0 and (ROOT / ".git").exists()


def test_every_solution_test_and_written_answer_has_lines_to_look_for() -> None:
    for one in MASTERS:
        found = leaks.secrets(one)
        assert len(found) >= 30, one.name
        for cell in one.of_kind("grade", "written"):
            assert any(leaks.bare(line) in found for line in cell.source.splitlines()), cell.name
        solutions = [c for c in one.of_kind("solution") if len(c.source) > 200]
        missed = [
            c.name
            for c in solutions
            if not any(leaks.bare(line) in found for line in c.source.splitlines())
        ]
        # A solution of a few short tokens has no distinctive line; most have one.
        assert len(missed) <= 1, (one.name, missed)


def test_releases_hold_no_secret_and_nothing_but_what_a_student_needs(
    everything: CourseFolder,
) -> None:
    assert leaks.leaks(MASTERS, everything.path / "release") == []
    files = sorted(
        p.relative_to(everything.path) for p in (everything.path / "release").rglob("*.*")
    )
    assert files == [Path("release") / n / f"{n}.ipynb" for n in master.names()]
    for path in files:
        notebook = nbformat.read(everything.path / path, as_version=4)
        nbformat.validate(notebook)
        assert set(notebook.metadata) <= {"kernelspec", "course", "language_info"}
        assert "SOLUTION" not in json.dumps(notebook) and "HIDDEN TESTS" not in json.dumps(notebook)
        for cell in notebook.cells:
            assert set(cell.metadata) <= {"nbgrader", "deletable", "editable"}
            assert not cell.get("outputs") and not cell.get("attachments")
            if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
                assert cell.source == master.GRADED.strip()


@pytest.mark.parametrize("kind", ["source", "output", "metadata", "widget", "zip", "tar"])
def test_a_planted_secret_is_found(everything: CourseFolder, tmp_path: Path, kind: str) -> None:
    """The search would see a leak wherever it can hide."""
    one = MASTERS[0]
    known = leaks.secrets(one)
    lines = one.of_kind("grade")[0].source.splitlines()
    secret = next(line for line in lines if leaks.bare(line) in known)
    made = next((everything.path / "release" / one.name).glob("*.ipynb"))
    notebook = nbformat.read(made, as_version=4)
    code = next(c for c in notebook.cells if c.cell_type == "code")
    packed = base64.b64encode(zlib.compress(f"{secret}{list(range(99))}".encode())).decode()
    if kind == "source":
        code.source += f"\n#{secret}"
    elif kind == "output":
        code.outputs = [nbformat.v4.new_output("stream", text=f"{secret}\n")]
    elif kind == "metadata":
        code.metadata["nbgrader"]["was"] = secret
    elif kind == "widget":
        notebook.metadata["widgets"] = {"state": {"value": packed}}
    place = tmp_path / "leak.ipynb"
    nbformat.write(notebook, place)
    if kind == "zip":
        place.write_text(secret)
        with zipfile.ZipFile(tmp_path / "leak.whl", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(place)
        place.unlink()
    if kind == "tar":
        place.write_text(secret)
        with tarfile.open(tmp_path / "leak.tar.gz", "w:gz") as archive_:
            archive_.add(place, "leak")
        place.unlink()
    assert leaks.leaks([one], tmp_path)


def test_one_line_in_common_is_chance_two_are_a_leak(tmp_path: Path) -> None:
    """The library teaches the same mathematics; it may share a line with a solution."""
    one = MASTERS[2]
    lines = [k for k, what in leaks.secrets(one).items() if what == "solution scale"]
    words = [k for k, what in leaks.secrets(one).items() if what.startswith("written")]
    assert len(lines) >= 2
    file = tmp_path / "library.py"
    for text, found in ((lines[:1], 0), (lines[:2], 2), (words[:1], 1)):
        file.write_text("\n".join(text))
        assert len(leaks.leaks([one], tmp_path, by_chance=True)) == found
        assert len(leaks.leaks([one], tmp_path)) == len(text)


def test_a_secret_is_found_wherever_it_stands(tmp_path: Path) -> None:
    one = MASTERS[0]
    secret = min(leaks.secrets(one), key=len)
    for before in range(2 * leaks.GRAM):
        (tmp_path / "text").write_text("-" * before + secret + "-")
        assert len(leaks.leaks([one], tmp_path)) == 1, before


def test_a_release_that_would_leak_is_withdrawn(course: CourseFolder) -> None:
    """Suppose nbgrader left hidden tests in: nothing of the set stays in release/."""
    config = course.path / MARKER
    told = 'c.ClearHiddenTests.begin_test_delimeter = "never"\n'
    config.write_text(config.read_text() + told + told.replace("begin", "end"))
    with pytest.raises(ValueError, match="not released, it would show"):
        list(release(course, [MASTERS[1].name]))
    assert [path.name for path in (course.path / "release").iterdir()] == [MASTERS[0].name]


def test_wheel_and_source_archive(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    wheel = once.wheel(tmp_path_factory)
    archive = Path(next(SdistBuilder(str(ROOT)).build(directory=str(tmp_path))))
    for made in (wheel, archive):
        assert leaks.leaks(MASTERS, made, by_chance=True) == []
    names = zipfile.ZipFile(wheel).namelist()
    assert "course/classroom/commands.py" in names
    assert not [name for name in names if "masters/" in name]


@pytest.mark.skipif(not in_git(), reason="not a git checkout")
def test_the_students_tree(everything: CourseFolder, tmp_path: Path) -> None:
    assert student_tree(everything, tmp_path / "tree") == len(MASTERS)
    assert leaks.leaks(MASTERS, tmp_path / "tree", by_chance=True) == []
    assert not (tmp_path / "tree" / "course" / "classroom" / "masters").exists()
    assert (tmp_path / "tree" / "pyproject.toml").exists()
    with pytest.raises(ValueError, match="a new or empty folder"):
        student_tree(everything, tmp_path / "tree")


def test_solutions_are_not_in_the_notebooks_of_the_course() -> None:
    assert leaks.leaks(MASTERS, ROOT / "notebooks", by_chance=True) == []


def test_the_package_without_masters_says_what_to_do(tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "none", ignore_errors=True)
    with pytest.raises(ValueError, match="--masters"):
        master.names(tmp_path / "none")
