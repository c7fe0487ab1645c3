"""All that a student wrote is there, in its order, and computes what it did for the student."""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.classroom.collect import restore
from course.classroom.collect.outputs import DROPPED, without_outputs
from course_tests.classroom.handed_in import SET, releases, small, text

CODE, TEXT = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell


def a_notebook() -> Any:
    """As the student got it; the stub of `slopes` as a release has it."""
    return copy.deepcopy(release())


def release() -> Any:
    notebook = copy.deepcopy(releases()[SET])
    stub = "def dy_dw(w, b, x, n):\n    raise NotImplementedError"
    named(notebook, "slopes").source = stub
    return notebook


def named(notebook: Any, name: str) -> Any:
    return next(cell for cell in notebook.cells if restore.grade_id(cell) == name)


def place(notebook: Any, name: str) -> int:
    return [restore.grade_id(cell) for cell in notebook.cells].index(name)


def mended(notebook: Any) -> tuple[list[str], list[str], str]:
    """Sources, ids and remarks of what would be graded; every named cell is there once."""
    made, remarks = restore.mend(notebook, release())
    nbformat.validate(made)
    ids = [restore.grade_id(cell) for cell in made.cells]
    assert sorted(filter(None, ids)) == sorted(filter(None, map(restore.grade_id, release().cells)))
    return [cell.source for cell in made.cells], ids, "; ".join(remarks)


def value(sources: list[str], at: int) -> Any:
    """What `dy_dw` gives before the cell at `at`: each cell is run, one that fails alone."""
    space: dict[str, Any] = {}
    for source in sources[:at]:
        if "dy_dw" in source and "assert" not in source:
            try:
                exec(source, space)
            except Exception as problem:
                space["failed"] = problem
    try:
        return space["dy_dw"](0, 0, 0, 0)
    except Exception as problem:
        return type(problem).__name__


DEF = "def dy_dw(w, b, x, n):\n    return "


def split_with_metadata(notebook: Any) -> None:
    twin = copy.deepcopy(named(notebook, "slopes"))
    named(notebook, "slopes").source, twin.source = DEF + "1", "first = dy_dw\n" + DEF + "2"
    twin.id = "twin"
    notebook.cells.insert(place(notebook, "slopes") + 1, twin)


def split_without(notebook: Any) -> None:
    named(notebook, "slopes").source = DEF + "1"
    notebook.cells.insert(place(notebook, "slopes") + 1, CODE("first = dy_dw\n" + DEF + "2"))


def stub_and_answer(notebook: Any) -> None:
    twin = copy.deepcopy(named(notebook, "slopes"))
    twin.source, twin.id = DEF + "2", "twin"
    notebook.cells.insert(place(notebook, "slopes"), twin)


def deleted_and_typed_anew(notebook: Any) -> None:
    notebook.cells[place(notebook, "slopes")] = CODE(DEF + "2")


def typed_before(notebook: Any) -> None:
    del notebook.cells[place(notebook, "slopes")]
    notebook.cells.insert(0, CODE(DEF + "2"))


def typed_at_the_end(notebook: Any) -> None:
    del notebook.cells[place(notebook, "slopes")]
    notebook.cells.append(CODE(DEF + "2"))


def moved_to_the_end(notebook: Any) -> None:
    cell = notebook.cells.pop(place(notebook, "slopes"))
    cell.source = "helper = 2"
    notebook.cells += [CODE("two = 2"), cell]
    cell.source = DEF + "2"


def emptied_and_typed_below(notebook: Any) -> None:
    named(notebook, "slopes").source = ""
    notebook.cells.insert(place(notebook, "slopes") + 1, CODE(DEF + "2"))


def without_marks(notebook: Any) -> None:
    """As an editor saves it that keeps neither metadata nor ids."""
    named(notebook, "slopes").source = DEF + "2"
    for number, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = nbformat.NotebookNode(), f"new-{number}"


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (split_with_metadata, "cell 'slopes' was there 2 times: 2 run, each in its place"),
        (split_without, ""),
        (stub_and_answer, "cell 'slopes' was there 2 times: untouched ones left out"),
        (deleted_and_typed_anew, "'slopes' was missing: the added cell that defines the same"),
        (typed_before, "'slopes' was missing: the added cell that defines the same"),
        (typed_at_the_end, "'slopes' was missing: the added cell that defines the same"),
        (moved_to_the_end, "cell 'slope-w' stood before its answer: moved after it"),
        (emptied_and_typed_below, ""),
        (without_marks, "'slopes' was missing: the added cell that defines the same"),
    ],
)
def test_all_code_counts_in_its_order(change: Callable[[Any], None], remark: str) -> None:
    notebook = a_notebook()
    change(notebook)
    written = [cell.source for cell in notebook.cells if "dy_dw" in cell.source]
    sources, ids, remarks = mended(notebook)
    assert value(sources, ids.index("slope-w")) == 2
    assert remark in remarks and (remark or not remarks)
    kept = [source for source in sources if source in written and "assert" not in source]
    own = [s for s in written if "NotImplemented" not in s and "assert" not in s]
    assert kept == own  # all of it, in its order


def test_a_later_stub_of_the_student_s_own_overrides_as_it_did_there() -> None:
    """The original was left as it was below the new cell: so it was for the student, too."""
    notebook = a_notebook()
    notebook.cells.insert(place(notebook, "slopes"), CODE(DEF + "2"))
    sources, ids, _ = mended(notebook)
    assert value(sources, ids.index("slope-w")) == "NotImplementedError"


def test_nothing_stands_in_for_an_answer_that_nobody_gave() -> None:
    notebook = a_notebook()
    del notebook.cells[place(notebook, "slopes")]
    sources, ids, remarks = mended(notebook)
    assert value(sources, ids.index("slope-w")) == "KeyError"
    assert "cell 'slopes' was missing: counts as not answered" in remarks


def test_untouched_work_comes_back_as_it_was() -> None:
    made, remarks = restore.mend(a_notebook(), release())
    assert [c.source for c in made.cells] == [c.source for c in release().cells] and not remarks


@pytest.mark.parametrize("original", ["kept", "answered", "deleted", "twice"])
def test_words_in_cells_of_their_own_belong_to_the_answer(original: str) -> None:
    notebook = a_notebook()
    at = place(notebook, "safe-depth")
    notebook.cells[at + 1 : at + 1] = [TEXT("One."), TEXT("Two.")]
    expected = ["One.", "Two."]
    if original == "deleted":
        del notebook.cells[at]
    elif original != "kept":
        notebook.cells[at].source = "Zero."
        expected = ["Zero.", *expected]
    if original == "twice":
        twin = copy.deepcopy(notebook.cells[at])
        twin.id, twin.source = "twin", "Half."
        notebook.cells.insert(at + 1, twin)
        expected.insert(1, "Half.")
    sources, ids, remarks = mended(notebook)
    assert sources[ids.index("safe-depth")] == "\n\n".join(expected)
    assert "text added after cell 'safe-depth' was taken as part of it" in remarks


def test_pictures_of_one_name_in_two_parts_of_an_answer() -> None:
    notebook = a_notebook()
    at = place(notebook, "safe-depth")
    notebook.cells.insert(at + 1, TEXT("![](attachment:image.png)"))
    notebook.cells[at].source = "![](attachment:image.png)"
    for number in range(2):
        notebook.cells[at + number]["attachments"] = {"image.png": {"image/png": "AB"[number]}}
    made, _ = restore.mend(notebook, release())
    cell = named(made, "safe-depth")
    shown = re.findall(r"attachment:([^)]+)", cell.source)
    assert [cell.attachments[name]["image/png"] for name in shown] == ["A", "B"]


def test_what_is_cut_is_said() -> None:
    notebook = a_notebook()
    for number in range(restore.MOST_CELLS + 1):
        notebook.cells.insert(3, CODE(f"x = {number}"))
    named(notebook, "slopes").source = "#" * (restore.MOST_SOURCE + 1)
    remarks = mended(notebook)[2]
    assert f"only the first {restore.MOST_CELLS} added cells were kept" in remarks
    assert f"cell 'slopes' was cut after {restore.MOST_SOURCE} characters" in remarks


def test_half_a_character_is_replaced_and_can_be_written() -> None:
    notebook, _ = restore.read(small("x = '\ud83d'"))
    made, _ = restore.mend(notebook, release())
    assert named(made, "slopes").source == "x = '\ufffd'" and text(made)


@pytest.mark.parametrize("megabytes", [21, 60])
def test_what_was_printed_counts_for_no_limit(megabytes: int) -> None:
    printed = [{"output_type": "stream", "name": "stdout", "text": "x" * (megabytes << 20)}]
    notebook, remarks = restore.read(small("a = 1", outputs=printed))
    assert notebook.cells[0].source == "a = 1" and not remarks


def test_what_is_large_without_outputs_is_refused() -> None:
    for data in (small("x" * restore.MOST_BYTES), b" " * (restore.MOST_BYTES + 1)):
        with pytest.raises(restore.Unreadable, match="too large"):
            restore.content(io.BytesIO(data))


def test_a_stream_without_end_is_refused_before_it_fills_the_memory() -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            start = b'{"outputs": ["' if not self.read_so_far else b"x" * size
            self.read_so_far += len(start)
            return start

    stream: Any = Endless()
    with pytest.raises(restore.Unreadable, match="too large"):
        restore.content(stream)
    assert stream.read_so_far < restore.MOST_RAW + 2 * restore.PIECE


def stripped(value: Any) -> Any:
    """The plain definition of `without_outputs`, on what JSON says."""
    keys = {key.decode() for key in DROPPED}
    if isinstance(value, dict):
        return {
            k: type(v)() if k in keys and isinstance(v, (list, dict)) else stripped(v)
            for k, v in value.items()
        }
    return [stripped(v) for v in value] if isinstance(value, list) else value


STRINGS = st.sampled_from(["outputs", "widgets", '"outputs": [', "\\", '\\"', "]}", "é", ""])
VALUES = st.recursive(
    STRINGS | st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=15,
)


@given(VALUES, st.integers(1, 7), st.booleans())
def test_dropping_outputs_piece_by_piece(value: Any, size: int, pretty: bool) -> None:
    data = json.dumps(value, indent=1 if pretty else None, ensure_ascii=pretty).encode()
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    assert json.loads(b"".join(without_outputs(pieces))) == stripped(value)
