"""Masters of the problem sets: one script each, with solutions, hidden tests and known mistakes.

A master is a percent script (jupytext). What a cell is stands on its marker line:

    # %% setup="start"                          code that the student may not change
    # %% solution="slope"                       code with a BEGIN/END SOLUTION region
    # %% check="slope-check"                    a visible check, not to be changed
    # %% grade="slope-test" points=2            hidden tests, run outside of the student's kernel
    # %% [markdown] written="why" points=4      an answer in words, marked by hand
    # %% mistake="forgot n" of="slope" fails=["slope-test"] hint="factor"   never leaves the master

A known mistake says which hidden tests it fails and, where the visible check recognises it, a word
of the hint that the student gets.

Every other cell is text or code that the student may change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from course.arguments import reject

KINDS = ("setup", "solution", "check", "grade", "written", "mistake")
BEGIN_TESTS, END_TESTS = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
GRADED = "# Hidden tests stand here when your work is graded. Leave this cell as it is.\n"


@dataclass(frozen=True)
class Cell:
    """One cell of a master. `name` is its nbgrader id, empty for text and free code."""

    kind: str
    name: str
    source: str
    code: bool
    points: float = 0.0
    of: str = ""
    fails: tuple[str, ...] = ()
    hint: str = ""

    @property
    def graded(self) -> bool:
        return self.kind in ("grade", "written")


@dataclass(frozen=True)
class Master:
    """A problem set: `name` is its file name, `notebook` the lesson that it belongs to."""

    name: str
    title: str
    part: str
    notebook: str
    minutes: int
    cells: tuple[Cell, ...] = field(repr=False)

    def of_kind(self, *kinds: str) -> list[Cell]:
        return [cell for cell in self.cells if cell.kind in kinds]

    def cell(self, name: str) -> Cell:
        """The cell with this nbgrader id, or KeyError."""
        return {c.name: c for c in self.cells if c.name and c.kind != "mistake"}[name]

    @cached_property
    def problems(self) -> dict[str, list[str]]:
        """Problem -> the graded cells that depend on it: those after it, up to the next one."""
        cells: dict[str, list[str]] = {}
        for cell in self.cells:
            if cell.kind == "solution":
                cells[cell.name] = []
            elif cell.kind == "grade":
                cells[next(reversed(cells))].append(cell.name)
        return cells

    @property
    def automatic(self) -> float:
        """Points given by hidden tests."""
        return sum(cell.points for cell in self.of_kind("grade"))

    @property
    def by_hand(self) -> float:
        """Points for answers in words."""
        return sum(cell.points for cell in self.of_kind("written"))


def folder(masters: str | Path | None = None) -> Path:
    """The folder of the masters. They are in a checkout, never in what students install.

    Raises ValueError where there are none.
    """
    path = Path(masters) if masters else Path(__file__).parent / "masters"
    if not any(path.glob("*.py")):
        raise reject(
            "masters",
            str(path),
            "a folder with masters (*.py); they are left out of the installed package: "
            "work from a checkout of the repository or name the folder with --masters",
        )
    return path


def names(masters: str | Path | None = None) -> list[str]:
    """The names of all sets, in the order of the course."""
    return sorted(path.stem for path in folder(masters).glob("*.py"))


def load(name: str, masters: str | Path | None = None) -> Master:
    """The master called `name`; ValueError where it is unknown or not well formed."""
    known = names(masters)
    if name not in known:
        raise reject("set", name, "one of " + ", ".join(known))
    return parse(name, (folder(masters) / f"{name}.py").read_text(encoding="utf-8"))


def parse(name: str, text: str) -> Master:
    """The master in `text`; ValueError names the cell where it is not well formed."""
    import jupytext

    notebook = jupytext.reads(text, fmt="py:percent")
    about: dict[str, Any] = notebook.metadata.get("course", {})
    missing = {"title", "part", "notebook", "minutes"} - set(about)
    if missing:
        raise ValueError(f"{name}: its header lacks {', '.join(sorted(missing))}")
    cells = tuple(_cell(name, cell) for cell in notebook.cells)
    ids = [cell.name for cell in cells if cell.name and cell.kind != "mistake"]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"{name}: cell id used twice: {', '.join(twice)}")
    master = Master(
        name,
        str(about["title"]),
        str(about["part"]),
        str(about["notebook"]),
        int(about["minutes"]),
        cells,
    )
    for mistake in master.of_kind("mistake"):
        if not set(mistake.fails) <= set(master.problems.get(mistake.of, ())):
            raise ValueError(f"{name}: mistake {mistake.name!r} fails tests of another problem")
    return master


def _cell(name: str, cell: Any) -> Cell:
    kinds = [kind for kind in KINDS if kind in cell.metadata]
    if len(kinds) > 1:
        raise ValueError(f"{name}: a cell is {' and '.join(kinds)} at once: {cell.source[:40]!r}")
    code = cell.cell_type == "code"
    kind = kinds[0] if kinds else ("code" if code else "text")
    if kind != "text" and code == (kind == "written"):
        raise ValueError(f"{name}: a {kind} cell of the wrong type: {cell.source[:40]!r}")
    wanted = {
        "solution": ("### BEGIN SOLUTION", "### END SOLUTION"),
        "grade": (BEGIN_TESTS, END_TESTS),
    }
    for mark in wanted.get(kind, ()):
        if mark not in cell.source:
            raise ValueError(f"{name}: {cell.metadata[kind]!r} lacks the line {mark!r}")
    points = float(cell.metadata.get("points", 0))
    if (kind in ("grade", "written")) != (points > 0):
        raise ValueError(f"{name}: {cell.metadata.get(kind)!r}: points belong to graded cells")
    return Cell(
        kind,
        str(cell.metadata.get(kind, "")),
        cell.source,
        code,
        points,
        str(cell.metadata.get("of", "")),
        tuple(cell.metadata.get("fails", ())),
        str(cell.metadata.get("hint", "")),
    )


def build(master: Master) -> Any:
    """The nbgrader source notebook: all but the mistakes, marked for nbgrader (schema 3)."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    cells = []
    for number, cell in enumerate(master.cells):
        if cell.kind == "mistake":
            continue
        source = GRADED + cell.source if cell.kind == "grade" else cell.source
        built = (new_code_cell if cell.code else new_markdown_cell)(source)
        built.id = f"{master.name.split('-')[0]}-{number:02d}"
        if cell.name:
            answer = cell.kind in ("solution", "written")
            built.metadata["nbgrader"] = {
                "schema_version": 3,
                "grade_id": cell.name,
                "grade": cell.graded,
                "solution": answer,
                "locked": not answer,
                "task": False,
                **({"points": cell.points} if cell.graded else {}),
            }
        cells.append(built)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    about = {"set": master.name, "title": master.title}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel, "course": about})


def split(source: str) -> tuple[str, str]:
    """The visible and the hidden lines of a cell."""
    parts: tuple[list[str], list[str]] = ([], [])
    hidden = False
    for line in source.splitlines():
        if BEGIN_TESTS in line:
            hidden = True
        elif END_TESTS in line:
            hidden = False
        else:
            parts[hidden].append(line)
    return "\n".join(parts[0]), "\n".join(parts[1])
