"""No hand-in stops a round: archives and notebooks damaged at random, each a remark on its student.

The numbers are drawn from a seed, so that a failure can be repeated; the long run is behind `slow`.
"""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import nbformat
import pytest

from course.classroom.collect import submissions, times
from course.classroom.collect.archives import HandedFile
from course.classroom.grade import filing, rounds
from course_tests.classroom.handed_in import NOTEBOOK, SET, releases, small, zipped
from course_tests.classroom.test_collect import tarred

RUNS = [pytest.param(150, id="short"), pytest.param(4000, id="long", marks=pytest.mark.slow)]
VALUES: list[Any] = [None, True, -1, 0.5, 10**400, float("nan"), "", "\ud83d", "x", [], {}, [[]]]
VALUES += [{"a": 1}, ["\ud83d", 1], {"\udc00": {}}, "### BEGIN SOLUTION", "../..", "\x00", [{}]]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """`data` with bytes flipped, cut, doubled or overwritten."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 3, 20))):
        at = chance.randrange(len(out) or 1)
        kind = chance.randrange(5)
        if kind < 3 and out:
            out[at] ^= 1 << chance.randrange(8)
        elif kind == 3:
            out[at : at + 8] = chance.choice((b"\xff" * 8, bytes(8), b"", b"\x00\x00\x21\x00" * 2))
        elif chance.random() < 0.2:
            del out[at:]
    return bytes(out)


@pytest.mark.parametrize("number", RUNS)
def test_a_damaged_archive_costs_nobody_else_anything(tmp_path: Path, number: int) -> None:
    chance = random.Random(0)
    content = {NOTEBOOK: small("a = 1"), "more/notes.pdf": b"%PDF"}
    whole = {"zip": zipped(content), "tar.gz": tarred(content), "tar": tarred(content, "w:")}
    whole["zip"] = zipped({"inner.zip": whole["zip"], "ps02.ipynb": small("b = 2")})
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / NOTEBOOK).write_bytes(small("ben = 1"))
    (tmp_path / "ada").mkdir()
    for _ in range(number):
        ending = chance.choice(("zip", "zip", "tar", "tar.gz"))
        file = tmp_path / "ada" / f"ps01.{ending}"
        file.write_bytes(damaged(whole[ending], chance))
        found, strangers = submissions.collect(tmp_path, releases())
        file.unlink()
        students = [one.student for one in found if one.file == f"ben/{NOTEBOOK}"]
        assert students == ["ben"] and "ada" in "".join([*strangers, *(s.student for s in found)])


@pytest.mark.parametrize("number", RUNS)
def test_a_damaged_download_ends_in_remarks(tmp_path: Path, number: int) -> None:
    chance = random.Random(1)
    names = [f"{i}_{n}_assignsubmission_file_/{NOTEBOOK}" for n, i in enumerate(("Ada", "Ben"))]
    whole = zipped(dict.fromkeys(names, small("a = 1")))
    for _ in range(number):
        (tmp_path / "all.zip").write_bytes(damaged(whole, chance))
        found, strangers = submissions.collect(tmp_path / "all.zip", releases())
        assert all(one.notebook is not None or one.remarks for one in found)
        "\n".join([*strangers, *(r for one in found for r in one.remarks)]).encode()


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each (holder, key) in nested lists and dictionaries."""
    keys = value if isinstance(value, dict) else range(len(value))
    inner = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], (dict, list)):
            inner += places(value[key])
    return inner


@pytest.mark.parametrize("number", RUNS)
def test_a_damaged_notebook_is_a_remark(number: int) -> None:
    chance = random.Random(2)
    known = releases()
    whole = json.loads(nbformat.writes(known[SET]))
    for cell in whole["cells"]:
        cell["attachments"] = {"image.png": {"image/png": "AAAA"}}
    mended = 0
    for _ in range(number):
        notebook = copy.deepcopy(whole)
        for _ in range(chance.choice((1, 1, 5, 40))):
            holder, key = chance.choice(places(notebook))
            holder[key] = copy.deepcopy(chance.choice(VALUES))
        file = HandedFile(
            (f"ada/{NOTEBOOK}",), (times.of_seconds(0),), json.dumps(notebook).encode()
        )
        work = submissions.read(file, known)
        mended += work.notebook is not None
        assert work.notebook is not None or work.remarks[0]
        "".join(work.remarks).encode()
    assert mended > number / 2


def test_what_nobody_foresaw_is_the_remark_of_one_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each step of collecting, for the same student: any exception."""
    for student in ("ada", "ben"):
        (tmp_path / student).mkdir()
        (tmp_path / student / NOTEBOOK).write_bytes(small(f"# by {student}"))
    for holder, name in ((submissions.restore, "read"), (submissions.restore, "mend")):
        whole = getattr(holder, name)

        def broken(work: Any, *more: Any, whole: Any = whole) -> Any:
            if "# by ada" in str(work):
                raise ZeroDivisionError("nobody thought of that")
            return whole(work, *more)

        with monkeypatch.context() as patch:
            patch.setattr(holder, name, broken)
            (ada, ben), strangers = submissions.collect(tmp_path, releases())
        assert ada.notebook is None and "ZeroDivisionError" in ada.remarks[0], name
        assert ben.notebook is not None and strangers == []


@pytest.mark.grading
def test_a_round_goes_on_where_one_cannot_be_put_on_file(
    course: Any, solved: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("ada", "ben"):
        (tmp_path / student).mkdir()
        nbformat.write(solved, tmp_path / student / NOTEBOOK)
    whole = filing.put_on_file

    def full(course: Any, one: Any) -> None:
        if one.student == "ada":
            raise OSError("no space left on device")
        whole(course, one)

    monkeypatch.setattr(filing, "put_on_file", full)
    ada, ben = rounds.hand_in(course, tmp_path).results
    assert (ada.student, ada.status, ada.score) == ("ada", "unreadable", 0.0)
    assert "could not be taken in: OSError: no space left" in ada.told
    assert ben.status == "graded" and ben.score > 0
