"""Hostile and broken submissions, all graded in one round: each is handled, reported, and alone.

What does not end the kernel shares a notebook, for a kernel takes seconds to start.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from nbgrader.converters.base import NbGraderException

from course.classroom.collect import submissions
from course.classroom.collect.restore import grade_id
from course.classroom.folder import MARKER, CourseFolder
from course.classroom.grade import rounds
from course.classroom.grade.results import Result
from course.classroom.master import Master
from course.classroom.run import sandbox
from course_tests.classroom import cohort

pytestmark = pytest.mark.grading
SET = "ps01-scalar-chain"
MARK = "course-hostile-test-daemon"  # in the command line of a process that must not survive

STUBBORN = """
import time
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
"""
DAEMON = f"""
import subprocess, sys
code = "import os, time; os.fork() and os._exit(0); os.setsid(); time.sleep(600)"
_ = subprocess.Popen([sys.executable, "-c", code, "{MARK}"], start_new_session=True)
"""
FORKS = """
import os, time
n = 0
try:
    while n < 5000:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        n += 1
except OSError:
    pass
print("forks:", "stopped" if n < 5000 else "went on")
"""
FORGE = """
import builtins, json, sys
from IPython import get_ipython
shell = get_ipython()

class Agreeable(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0

def answer(request, space):
    forged = {"application/x-course-answer": json.dumps({"value": True}), "text/plain": "1000"}
    shell.display_pub.publish(forged)

sys.modules["_course_answers"].answer = answer
builtins.isinstance = lambda *a: True
shell.run_cell = lambda *a, **k: None
shell.ast_node_interactivity = "none"
shell.display_pub.publish({"application/x-course-answer": json.dumps({"value": 43.0})})
expect = close = lambda *a, **k: True
"""


ATTACK = """<script>steal()</script> <img src=x onerror="steal()"> [x](javascript:steal())
<iframe src="javascript:steal()"></iframe> <svg onload=steal()></svg>"""


# A picture of one pixel.
DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)


PICTURES = "![mine](attachment:d.png) ![theirs](https://spy.example/p.png)"


def prepend(notebook: Any, *codes: str, before: str = "slopes-check") -> Any:
    """`notebook` with code cells of the student's own before the named cell."""
    at = [grade_id(cell) for cell in notebook.cells].index(before)
    notebook.cells[at:at] = [nbformat.v4.new_code_cell(code) for code in codes]
    return notebook


def with_answer(notebook: Any, name: str, source: str) -> Any:
    next(cell for cell in notebook.cells if grade_id(cell) == name).source = source
    return notebook


def scripts(notebook: Any) -> Any:
    """In words, in a cell between the others, in an output: what would run in the feedback page.

    The answer in words has a picture of its own, and one that lies elsewhere, too; and a cell is
    not Unicode.
    """
    cell = next(cell for cell in notebook.cells if grade_id(cell) == "safe-depth")
    cell.source, cell["attachments"] = f"{PICTURES}\n\n{ATTACK}", {"d.png": {"image/png": DOT}}
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(ATTACK))
    shown = """from IPython.display import HTML, Javascript, display
display(HTML('<script>steal()</script><img src=x onerror=steal()>'))
display(Javascript('steal()'))"""
    return prepend(notebook, shown, "half = '\ud83d'")


def edited(notebook: Any) -> Any:
    """Every test replaced, worth a hundred points, or declared ungraded."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("locked"):
            cell.source = "assert True"
            cell.metadata.nbgrader.points = 100
            cell.metadata.nbgrader.grade = not cell.metadata.nbgrader.grade
            cell.metadata.nbgrader.locked = False
    return with_answer(notebook, "slopes", "dy_dw = dy_db = lambda *a: 0.0")


def duplicated(notebook: Any) -> Any:
    """Each named cell twice, the second one empty or other."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if grade_id(cell):
            twin = copy.deepcopy(cell)
            twin.source, twin.id = "1 / 0" if cell.cell_type == "code" else "No.", f"{cell.id}-twin"
            cells.append(twin)
    notebook.cells = cells
    return notebook


def deleted(notebook: Any) -> Any:
    keep = ("slopes", "overflow", "room", "safe-depth", "")
    notebook.cells = [cell for cell in notebook.cells if grade_id(cell) in keep]
    return notebook


def older(notebook: Any) -> Any:
    """As an old front end would save it: format 4.0 without cell ids, nbgrader's first schema."""
    notebook.nbformat_minor = 0
    notebook.metadata.course.version = "an earlier one"
    for cell in notebook.cells:
        del cell["id"]
        if grade_id(cell):
            cell.metadata.nbgrader.schema_version = 1
    return notebook


def format_3(notebook: Any) -> str:
    return str(nbformat.writes(nbformat.convert(notebook, 3), version=3))


def split(notebook: Any) -> Any:
    """A solution in two cells, as JupyterLab splits them: both with the name of the one."""
    at = [grade_id(cell) for cell in notebook.cells].index("slopes")
    twin = copy.deepcopy(notebook.cells[at])
    first, second = notebook.cells[at].source.split("\n\n\ndef ")
    notebook.cells[at].source, twin.source, twin.id = first, f"def {second}", "twin"
    notebook.cells.insert(at + 1, twin)
    return notebook


def retyped(notebook: Any) -> Any:
    """The original cell deleted, the answer in a new one."""
    at = [grade_id(cell) for cell in notebook.cells].index("overflow")
    notebook.cells[at] = nbformat.v4.new_code_cell(notebook.cells[at].source)
    return notebook


def set_list(notebook: Any) -> Any:
    notebook.metadata.course.set = []
    return notebook


def kernel(notebook: Any) -> Any:
    notebook.metadata.kernelspec = {"name": "my-conda-env", "display_name": "R", "language": "R"}
    return notebook


def spy(port: int, secret: Path) -> str:
    return f"""
import os, socket
for place in ("127.0.0.1", "localhost"):
    try:
        socket.create_connection((place, {port}), 2).sendall(b"hello")
        print("network: open")
    except OSError:
        print("network: closed")
for path in ({str(secret)!r}, "/etc/shadow", os.path.expanduser("~root/.bashrc")):
    try:
        print("read:", open(path).read()[:200])
    except OSError:
        print("no such file")
print("others:", [p for p in os.listdir("/proc") if p.isdigit() and int(p) > 500][:3])
"""


def vandal(course: CourseFolder) -> str:
    """Destroys what it can reach; decoys, since with limits alone it can."""
    return f"""
import os, pathlib, shutil
for path in ({str(course.path / "decoy")!r}, {str(course.path / "decoy.db")!r}):
    try:
        if os.path.isdir(path):
            shutil.rmtree(path)
        else:
            pathlib.Path(path).write_text("all points to me")
        print("written")
    except OSError as problem:
        print(type(problem).__name__)
"""


def smuggled(course: CourseFolder) -> str:
    """What would run in the grader's own process, were the marks taken at their word."""
    return f"""
### BEGIN HIDDEN TESTS
open({str(course.path / "owned")!r}, "w").write("by a student")
### END HIDDEN TESTS
"""


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what came in there."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def listen() -> None:
            while not done.is_set():
                try:
                    server.accept()[0].close()
                except OSError:
                    continue
                heard.append(b"someone")

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], heard
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def round_(
    course: CourseFolder,
    first: Master,
    release: Any,
    listener: tuple[int, list[bytes]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Result]:
    """All of them handed in at once, under short limits."""
    config = course.path / MARKER
    text = config.read_text().replace("timeout = 20", "timeout = 12")
    config.write_text(text.replace("cell_output_kb = 256", "cell_output_kb = 64"))
    place = tmp_path_factory.mktemp("hostile")
    secret = course.path / "secret.txt"
    secret.write_text("the instructor's secret")
    (course.path / "decoy").mkdir()
    (course.path / "decoy.db").write_text("grades")

    def solved() -> Any:
        everything = dict.fromkeys(first.problems, cohort.SOLVED)
        return cohort.submission(first, release, everything, "Words.")

    made = {
        "fine": solved(),
        "broken": with_answer(
            with_answer(
                with_answer(solved(), "slopes", "def dy_dw(w, b, x, n:\n    return"),
                "overflow",
                "import time\nwhile True:\n    time.sleep(0.001)",
            ),
            "room",
            "def healthy(n):\n    time.sleep(600)\nnarrow = 461",
        ),
        "stubborn": prepend(solved(), STUBBORN, before="overflow"),
        "hard-exit": prepend(solved(), "import os; os._exit(0)", before="overflow"),
        "floods": prepend(
            solved(),
            "for _ in range(10**9): print('x' * 1000)",
            "print('x' * 10**9)",
            "import os\nfor _ in range(2000): os.write(1, b'x' * 10**6)",
        ),
        "greedy": prepend(
            with_answer(
                solved(),
                "room",
                "import numpy as np\nhealthy = lambda n: [0.0] * 10**8\nnarrow = 461",
            ),
            "exit()",
            "import sys; sys.exit(1)",
            "hog = [bytearray(2**28) for _ in range(64)]",
            DAEMON,
            FORKS,
        ),
        "edited": duplicated(edited(solved())),
        "forge": prepend(copy.deepcopy(release), FORGE),
        "thief": prepend(
            with_answer(solved(), "room", smuggled(course)),
            smuggled(course) + "### BEGIN HIDDEN TESTS",
            spy(listener[0], secret),
            vandal(course),
        ),
    }
    texts = {student: nbformat.writes(notebook) for student, notebook in made.items()}
    texts |= {
        "scripts": json.dumps(scripts(solved())),
        "v--" * 22 + "!": "",
        "torn": texts["fine"][: len(texts["fine"]) // 2],
        "empty": "",
        "list": "[1, 2]",
        "deep": "[" * 100_000,
        "no-cells": '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": null}',
        "odd": json.dumps(
            {
                "nbformat": 4,
                "nbformat_minor": 5,
                "metadata": {"kernelspec": 3, "course": []},
                "cells": [7, {"cell_type": "code", "metadata": {"nbgrader": 1}, "source": [1]}],
            }
        ),
    }
    for student, text in texts.items():
        (place / student).mkdir()
        (place / student / f"{SET}.ipynb").write_text(text, encoding="utf-8")
    (place / "binary").mkdir()
    (place / "binary" / f"{SET}.ipynb").write_bytes(os.urandom(500))
    (place / "link").mkdir()
    (place / "link" / f"{SET}.ipynb").symlink_to("/etc/passwd")
    (place / "flipped").mkdir()
    with zipfile.ZipFile(place / "flipped" / "work.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{SET}.ipynb", texts["fine"])
    data = bytearray((place / "flipped" / "work.zip").read_bytes())
    data[200] ^= 255  # in the compressed part
    (place / "flipped" / "work.zip").write_bytes(data)
    with zipfile.ZipFile(place / "zipped.zip", "w") as archive:
        archive.writestr(f"../../../../tmp/{SET}.ipynb", nbformat.writes(retyped(split(solved()))))
        archive.writestr(f"in-zip/{SET}.ipynb", "")
    done = rounds.hand_in(course, place)
    return {result.student: result for result in done.results}


def outputs(course: CourseFolder, student: str) -> str:
    """What the graded notebook of a student shows."""
    path = course.path / "autograded" / student / SET / f"{SET}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    return json.dumps([cell.outputs for cell in cells if cell.cell_type == "code"])


SLOPES = {"slope-w", "slope-b"}
OVERFLOW = {"overflow-function", "overflow-numbers"}
ROOM = {"room-function", "room-number"}


@pytest.mark.parametrize(
    ("student", "lost"),
    [
        ("fine", set()),
        (
            "broken",
            SLOPES | OVERFLOW | {"room-function"},
        ),  # each in its own way; the number is right
        ("stubborn", OVERFLOW | ROOM),  # the kernel had to be killed: what came before counts
        ("hard-exit", OVERFLOW | ROOM),
        ("floods", set()),
        ("greedy", {"room-function"}),
        ("edited", SLOPES),
        ("tmp", set()),  # split into two cells, and typed into a new one
        ("scripts", set()),
        ("thief", ROOM),
        ("forge", SLOPES | OVERFLOW | ROOM),
        ("odd", SLOPES | OVERFLOW | ROOM),
    ],
)
def test_points(round_: dict[str, Result], first: Master, student: str, lost: set[str]) -> None:
    result = round_[student]
    assert result.status == "graded"
    got = {name: points for name, points in result.cells.items() if name != "safe-depth"}
    assert got == {
        cell.name: 0.0 if cell.name in lost else cell.points for cell in first.of_kind("grade")
    }
    assert result.most == first.automatic + first.by_hand


@pytest.mark.parametrize(
    "student",
    ["torn", "empty", "list", "deep", "no-cells", "binary", "flipped", "in-zip", "v--" * 21 + "v"],
)
def test_unreadable_files_are_on_record_with_no_points(
    round_: dict[str, Result], student: str
) -> None:
    assert round_[student].status == "unreadable"
    assert (round_[student].score, round_[student].waiting) == (0.0, 0.0)
    assert "file" in round_[student].remarks[0] or "cells" in round_[student].remarks[0]


def test_what_was_mended_is_said(round_: dict[str, Result]) -> None:
    for what in ("was there 2 times: one kept", "had been changed: restored"):
        assert f"cell 'slope-w' {what}" in round_["edited"].remarks


@pytest.mark.parametrize(
    ("damage", "file", "remark"),
    [
        (deleted, f"{SET}.ipynb", "cell 'slope-w' was missing: put back"),
        (kernel, f"{SET}.ipynb", "kernel 'my-conda-env' replaced by 'python3'"),
        (older, f"{SET}.ipynb", "made from an earlier release of this set"),
        (format_3, f"{SET}.ipynb", "saved in notebook format 3, converted"),
        (set_list, f"{SET}.ipynb", ""),
        (copy.deepcopy, "Final version (2).ipynb", "file was named 'Final version (2).ipynb'"),
    ],
    ids=["deleted", "kernel", "older", "format-3", "set-list", "renamed"],
)
def test_what_is_mended_is_graded_as_if_nothing_had_happened(
    course: CourseFolder, solved: Any, tmp_path: Path, damage: Any, file: str, remark: str
) -> None:
    """What nbgrader gets is, to the byte, what "fine" hands in, whose points are asked above."""
    damaged = damage(copy.deepcopy(solved))
    text = damaged if isinstance(damaged, str) else nbformat.writes(damaged)
    fine_file = ("fine", f"{SET}.ipynb", nbformat.writes(solved))
    for student, name, content in (fine_file, ("other", file, text)):
        (tmp_path / student).mkdir()
        (tmp_path / student / name).write_text(content, encoding="utf-8")
    (fine, other), strangers = submissions.collect(tmp_path, course.releases())
    assert strangers == [] and fine.remarks == []
    assert nbformat.writes(other.notebook) == nbformat.writes(fine.notebook)
    assert remark in other.remarks if remark else other.remarks == []


@pytest.mark.parametrize(
    ("student", "incident"),
    [
        ("broken", "cell 'slopes' is not valid Python"),
        ("broken", "cell 'overflow' ran too long and was interrupted"),
        ("broken", "cell 'room-function' ran too long and was interrupted"),
        ("stubborn", "an added cell ended the kernel"),
        ("hard-exit", "an added cell ended the kernel (exit, memory or processor limit)"),
        ("greedy", "an added cell called exit"),
        ("greedy", "an added cell wanted more memory than it may have"),
        ("floods", "an added cell printed more than 64 kB"),
        ("floods", "an added cell wanted more memory than it may have"),
    ],
)
def test_how_it_ran_is_said(round_: dict[str, Result], student: str, incident: str) -> None:
    assert incident in round_[student].told
    assert not round_["fine"].told


def test_a_drawing_is_shown_and_pictures_from_elsewhere_are_not(
    round_: dict[str, Result], course: CourseFolder
) -> None:
    """Feedback shows what the student put into the notebook, and calls nobody when it is opened."""
    html = (course.path / "feedback" / "scripts" / SET / f"{SET}.html").read_text(encoding="utf-8")
    assert f'src="data:image/png;base64,{DOT}"' in html
    assert "spy.example" not in html


def test_links_are_not_followed_and_zip_paths_stay_inside(
    round_: dict[str, Result], course: CourseFolder
) -> None:
    assert "link" not in round_
    outside = Path(f"/tmp/{SET}.ipynb")
    assert not outside.exists()
    assert all(
        (course.path / "submitted" / student).parent.name == "submitted" for student in round_
    )


def test_output_is_cut(round_: dict[str, Result], course: CourseFolder) -> None:
    shown = outputs(course, "floods")
    assert len(shown) < 3 * 200_000 and "cut: a cell may print" in shown


def test_no_process_survives(round_: dict[str, Result]) -> None:
    left = [p for p in psutil.process_iter(["cmdline"]) if MARK in (p.info["cmdline"] or [])]
    assert not left
    assert "forks: went on" not in json.dumps([r.remarks for r in round_.values()])


def test_number_of_processes_is_bounded(round_: dict[str, Result], course: CourseFolder) -> None:
    assert "forks: stopped" in outputs(course, "greedy")


def test_nothing_to_read_and_nobody_to_call(
    round_: dict[str, Result], course: CourseFolder, listener: tuple[int, list[bytes]]
) -> None:
    if sandbox.isolation() != "namespaces":
        pytest.skip(f"isolation here is {sandbox.isolation()!r}: files and network stay open")
    assert listener[1] == []
    shown = outputs(course, "thief")
    assert "network: open" not in shown and "network: closed" in shown
    assert "read:" not in shown and "no such file" in shown
    assert "others: []" in shown


def test_the_grader_cannot_be_written_over(round_: dict[str, Result], course: CourseFolder) -> None:
    if sandbox.isolation() == "limits":
        pytest.skip("without namespaces or another user a submission can write what you can")
    assert "written" not in outputs(course, "thief")
    assert (course.path / "decoy.db").read_text() == "grades" and (course.path / "decoy").exists()


class Running(HTMLParser):
    """What could run in a page: the texts of scripts, attributes with code, frames."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script"
        self.found += [f"{tag} {k}={v}" for k, v in attrs if k.startswith("on")]
        self.found += [f"{tag} {k}={v}" for k, v in attrs if "javascript:" in (v or "")]
        if tag in ("iframe", "object", "embed"):
            self.found.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.found.append(data)


def test_marks_in_a_student_s_cell_are_text(
    round_: dict[str, Result], course: CourseFolder, first: Master, release: Any
) -> None:
    """Also where nbgrader gets a submission that was not mended before."""
    notebook = copy.deepcopy(release)
    cell = nbformat.v4.new_code_cell(smuggled(course))
    marks = {"schema_version": 3, "grade": True, "solution": False, "locked": True, "task": False}
    cell.metadata["nbgrader"] = {**marks, "grade_id": "slope-x", "points": 100}
    notebook.cells.append(cell)
    notebook.cells.append(nbformat.v4.new_code_cell(smuggled(course)))
    place = course.path / "submitted" / "raw" / SET
    place.mkdir(parents=True)
    nbformat.write(notebook, place / f"{SET}.ipynb")
    with contextlib.suppress(NbGraderException):
        course.converter("Autograde", SET, "raw").start()
    assert not (course.path / "owned").exists()


def test_feedback_runs_no_script_of_a_student(
    round_: dict[str, Result], course: CourseFolder
) -> None:
    def page(student: str) -> list[str]:
        running = Running()
        html = course.path / "feedback" / student / SET / f"{SET}.html"
        running.feed(html.read_text(encoding="utf-8"))
        return running.found

    assert page("scripts") == page("fine")


def test_one_broken_submission_never_stops_the_others(round_: dict[str, Result]) -> None:
    assert {r.status for r in round_.values()} == {"graded", "unreadable"}
    assert len(round_) == 21
