"""The student's own copy: nothing given away, nothing of theirs lost, whatever happens when."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.cli import working_copy
from course.cli.working_copy import cells_hash, emptied, hand_out, plan
from course.files import write_whole
from course_tests.repository import ROOT

NAMES = ["00_start.ipynb", "01_chain.ipynb"]


def cell(text: str, *printed: str) -> dict[str, Any]:
    """A code cell; with `printed`, one that was run."""
    outputs = [{"output_type": "stream", "name": "stdout", "text": [line]} for line in printed]
    number = len(printed) or None
    return {
        "cell_type": "code", "id": f"id{abs(hash(text))}", "metadata": {}, "source": [text],
        "outputs": outputs, "execution_count": number,
    }  # fmt: skip


def write(path: Path, *cells: dict[str, Any], **metadata: Any) -> None:
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")


def cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def sources(path: Path) -> list[str]:
    return ["".join(one["source"]) for one in cells(path)]


def files(folder: Path) -> dict[str, bytes]:
    """All notebooks of a folder."""
    return {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}


@pytest.fixture
def originals(tmp_path: Path) -> Path:
    """The course's notebooks, stored with outputs and the state of a widget."""
    folder = tmp_path / "course"
    folder.mkdir()
    for name in NAMES:
        write(folder / name, cell(f"predict {name}", "the answer"), widgets={"state": "answer"})
    return folder


@pytest.fixture
def copy(originals: Path, tmp_path: Path) -> Path:
    """A copy that was handed out."""
    folder = tmp_path / "mine"
    hand_out(originals, folder)
    return folder


def kinds(changes: list[working_copy.Change]) -> list[tuple[str, str]]:
    return [(change.kind, change.name) for change in changes]


def update(originals: Path, name: str = NAMES[0], text: str = "updated") -> None:
    write(originals / name, cell(text, "the answer"))


# What is handed out


def test_the_first_opening_gives_nothing_away(originals: Path, copy: Path) -> None:
    assert sorted(files(copy)) == NAMES
    for name in NAMES:
        assert b"answer" not in (copy / name).read_bytes()
        assert sources(copy / name) == sources(originals / name)
        assert cells(copy / name)[0]["execution_count"] is None


def test_every_notebook_of_the_course_keeps_its_text_and_loses_its_outputs() -> None:
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        before = json.loads(path.read_text(encoding="utf-8"))
        after = json.loads(emptied(path.read_text(encoding="utf-8")))
        for one in before["cells"]:
            if one["cell_type"] == "code":
                one.update(outputs=[], execution_count=None)
        before["metadata"].pop("widgets", None)
        assert after == before


def test_a_second_opening_changes_nothing(originals: Path, copy: Path) -> None:
    write(copy / NAMES[0], cell("mine"))
    before = files(copy)
    assert hand_out(originals, copy) == []
    assert files(copy) == before


# What counts as work


def test_saving_alone_is_no_work(originals: Path, copy: Path) -> None:
    """Kernel's name, ids, folds, line ends and the layout of the file change by themselves."""
    path = copy / NAMES[0]
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"] = {"language_info": {"name": "python", "version": "3.12.1"}}
    for one in notebook["cells"]:
        one |= {"id": "other", "source": "".join(one["source"])}
        one["metadata"] = {"jupyter": {"source_hidden": True}}
    path.write_bytes(json.dumps(notebook, indent=4).replace("\n", "\r\n").encode())
    update(originals)
    assert kinds(hand_out(originals, copy)) == [("untouched", NAMES[0])]
    assert sources(path) == ["updated"]


@pytest.mark.parametrize(
    "mine",
    [
        [cell("mine")],
        [cell(f"predict {NAMES[0]}", "what I saw")],
        [cell(f"predict {NAMES[0]}"), cell("one more")],
        [],
    ],
    ids=["changed", "run", "longer", "emptied"],
)
def test_work_stays_and_the_new_one_lies_beside_it(
    mine: list[dict[str, Any]], originals: Path, copy: Path
) -> None:
    path = copy / NAMES[0]
    write(path, *mine)
    before = path.read_bytes()
    update(originals)
    assert kinds(hand_out(originals, copy)) == [("beside", "00_start_new.ipynb")]
    assert path.read_bytes() == before
    assert sources(copy / "00_start_new.ipynb") == ["updated"]
    assert hand_out(originals, copy) == []


def test_what_lies_beside_is_refreshed_until_it_is_worked_on(originals: Path, copy: Path) -> None:
    write(copy / NAMES[0], cell("mine"))
    update(originals, text="second")
    hand_out(originals, copy)
    update(originals, text="third")
    assert kinds(hand_out(originals, copy)) == [("untouched", "00_start_new.ipynb")]
    write(copy / "00_start_new.ipynb", cell("mine, too"))
    update(originals, text="fourth")
    assert kinds(hand_out(originals, copy)) == [("beside", "00_start_new2.ipynb")]
    (copy / "00_start_new.ipynb").unlink()
    assert hand_out(originals, copy) == []
    assert sources(copy / NAMES[0]) == ["mine"]


def test_what_was_deleted_or_renamed_is_handed_out_anew(originals: Path, copy: Path) -> None:
    write(copy / NAMES[0], cell("mine"))
    (copy / NAMES[0]).rename(copy / "my own.ipynb")
    assert kinds(hand_out(originals, copy)) == [("missing", NAMES[0])]
    assert sources(copy / "my own.ipynb") == ["mine"]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b'{"cells": [', b"[1]", b"my text"])
def test_what_is_no_notebook_is_theirs_too(content: bytes, originals: Path, copy: Path) -> None:
    (copy / NAMES[0]).write_bytes(content)
    update(originals)
    hand_out(originals, copy)
    assert (copy / NAMES[0]).read_bytes() == content


def test_a_notebook_whose_folds_alone_are_new_is_refreshed(originals: Path, copy: Path) -> None:
    write(copy / NAMES[1], cell("mine"))
    for name in NAMES:
        folded = cell(f"predict {name}", "the answer")
        write(originals / name, folded | {"metadata": {"jupyter": {"source_hidden": True}}})
    assert kinds(hand_out(originals, copy)) == [("untouched", NAMES[0])]
    assert cells(copy / NAMES[0])[0]["metadata"] == {"jupyter": {"source_hidden": True}}
    assert hand_out(originals, copy) == []


def test_a_folder_with_work_of_before_keeps_it(originals: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    write(mine / NAMES[0], cell("mine"))
    assert kinds(hand_out(originals, mine)) == [
        ("beside", "00_start_new.ipynb"), ("missing", NAMES[1])
    ]  # fmt: skip
    assert sources(mine / NAMES[0]) == ["mine"]


@contextlib.contextmanager
def killed_after(writes: int) -> Iterator[None]:
    """Within, the process is killed when it begins to write one file more than that."""
    left = iter(range(writes))

    def until_killed(path: Path, content: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_whole(path, content)

    with mock.patch.object(working_copy, "write_whole", until_killed):
        yield


STEPS = st.sampled_from(["work", "run", "delete", "update", "open", "forget", 0, 1, 2])
"""What may happen to a copy; a number: it is opened, and killed after that many files."""


@given(st.lists(STEPS, max_size=12))
def test_no_history_loses_work_or_piles_up_copies(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str | int]
) -> None:
    """Whatever happens in whatever order: all that was ever written by hand is still there."""
    base = tmp_path_factory.mktemp("history")
    originals, copy, name = base / "course", base / "mine", NAMES[0]
    originals.mkdir()
    update(originals, name, "edition 0")
    works: list[str] = []
    hand_out(originals, copy)
    for number, step in enumerate(steps, start=1):
        names = sorted(files(copy))
        if step == "work" and names:
            write(copy / names[-1], cell(f"work {number}"))
            works = [work for work in works if work in _all(copy)] + [f"work {number}"]
        elif step == "run" and names:
            write(copy / names[-1], cell(sources(copy / names[-1])[0], f"seen {number}"))
        elif step == "delete" and names:
            (copy / names[0]).unlink()
            works = [work for work in works if work in _all(copy)]
        elif step == "update":
            update(originals, name, f"edition {number}")
        elif step == "forget":
            (copy / working_copy.STATE / "manifest.json").unlink(missing_ok=True)
        elif isinstance(step, int):
            with contextlib.suppress(KeyboardInterrupt), killed_after(step):
                hand_out(originals, copy)
        else:
            hand_out(originals, copy)
        assert [work for work in works if work not in _all(copy)] == []
    hand_out(originals, copy)
    assert hand_out(originals, copy) == plan(originals, copy) == []
    assert (copy / name).exists()
    if "forget" not in steps:  # a copy without a memory keeps all that it finds
        still = [path for path in copy.glob("*.ipynb") if not cells(path)[0]["outputs"]]
        editions = {text for path in still for text in sources(path) if "edition" in text}
        assert editions <= set(sources(originals / name))


def _all(copy: Path) -> list[str]:
    return [text for path in copy.glob("*.ipynb") for text in sources(path)]


# Kills, full disks, two at once


@pytest.mark.parametrize("writes", range(4))
@pytest.mark.parametrize("folder", ["mine", "new"])
def test_a_start_that_was_killed_goes_on(
    writes: int, folder: str, originals: Path, copy: Path
) -> None:
    """Killed after any number of files, in an update or in the first opening."""
    target = copy.parent / folder
    for name in NAMES:
        update(originals, name, f"update of {name}")
    with pytest.raises(KeyboardInterrupt), killed_after(writes):
        hand_out(originals, target)
    for name in NAMES:
        update(originals, name, f"one more update of {name}")
    hand_out(originals, target)
    assert {name: sources(target / name) for name in NAMES} == {
        name: sources(originals / name) for name in NAMES
    }
    assert sorted(files(target)) == NAMES


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_takes_no_more_is_named_and_keeps_what_it_has(
    reason: int, originals: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(copy)
    update(originals)

    def full(source: object, target: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr("course.files.os.replace", full)
    with pytest.raises(ValueError, match=rf"copy = .*{os.strerror(reason)}.*--copy DIR"):
        hand_out(originals, copy)
    assert files(copy) == before and not list(copy.rglob("*.part"))


def test_a_damaged_original_is_named(originals: Path, copy: Path) -> None:
    before = files(copy)
    (originals / NAMES[1]).write_text("<<<<<<< HEAD")
    with pytest.raises(ValueError, match=r"01_chain\.ipynb.*this is none"):
        hand_out(originals, copy)
    assert files(copy) == before


def test_two_at_once_write_each_notebook_once(originals: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from course.cli.working_copy import hand_out; "
        "input(); print(len(hand_out(Path(sys.argv[1]), Path(sys.argv[2]))))"
    )
    command = [sys.executable, "-c", code, str(originals), str(tmp_path / "mine")]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    said: list[str] = ["", ""]

    def go(number: int) -> None:
        said[number] = both[number].communicate("\n")[0]

    threads = [threading.Thread(target=go, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, said)) == [0, len(NAMES)]
    assert sorted(files(tmp_path / "mine")) == NAMES


# To read


def test_the_stored_notebooks_are_read_only_copies(originals: Path, tmp_path: Path) -> None:
    folder = tmp_path / "read"
    before = files(originals)
    hand_out(originals, folder, outputs=True)
    update(originals)
    assert kinds(hand_out(originals, folder, outputs=True)) == [("untouched", NAMES[0])]
    assert b"the answer" in (folder / NAMES[0]).read_bytes()
    assert {path.stat().st_mode & 0o222 for path in folder.glob("*.ipynb")} == {0}
    assert files(originals)[NAMES[1]] == before[NAMES[1]]


def test_the_hash_tells_cells_apart_and_nothing_else() -> None:
    text = emptied((ROOT / "notebooks" / "00_start_here.ipynb").read_text(encoding="utf-8"))
    assert cells_hash(text) == cells_hash(emptied(text)) != ""
    assert cells_hash(text.replace("layer", "layers", 1)) != cells_hash(text)
    strange = ('[{"cell_type": "code"}]', "[1]", '"text"', "3")
    damaged = ["[]", "{}", "x", *(f'{{"cells": {cells}}}' for cells in strange)]
    damaged += ['{"cells": [{"cell_type": "code", "source": [], "outputs": 3}]}']
    assert {cells_hash(text) for text in damaged} == {""}
