"""How long a notebook takes, by a formula, beside what it says of itself.

    python -m course_tests.lengths

minutes = words of text / 130 + 0.6 a code cell + 1.5 a figure + 1 a prediction
          + 3 an explorer or live run + 4 an exercise

It fitted the times of a reader within a quarter. Words are those of the text cells until the
references, folded ones too. Figures are all pictures, those of explorers and runs too. An exercise
is a cell in which `...` stands for something. A notebook gives its minutes in its first cell; the
map in 00 gives them for each notebook in its last column ("| 45 |"), and in all ("In all 9 hours");
storing a notebook writes them there.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import astuple, dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_tests.store import NOTEBOOKS, as_text, number, numbered, tidy

PER_WORD = 1 / 130
PER_CELL, PER_FIGURE, PER_PREDICTION, PER_EXPLORER, PER_EXERCISE = 0.6, 1.5, 1.0, 3.0, 4.0
ALIVE = re.compile(r"(?:live|live_run|explore\w*|watch\w*)$")
"""Functions that give an explorer or a live run; any function of an explorer module does, too."""

ROW = re.compile(r"^\| (\d\d[a-z]?) \|.*\| *(\d+)(?: minutes)? *\|$", re.M)
HOURS = re.compile(r"In all\s+\d+(?:\.\d+)?\s+hours")


@dataclass(frozen=True)
class Length:
    """What is in a notebook that takes time."""

    words: int
    cells: int
    figures: int
    predictions: int
    explorers: int
    exercises: int

    @property
    def minutes(self) -> float:
        """By the formula above."""
        per = (PER_WORD, PER_CELL, PER_FIGURE, PER_PREDICTION, PER_EXPLORER, PER_EXERCISE)
        return sum(number * time for number, time in zip(astuple(self), per, strict=True))


def length(notebook: NotebookNode) -> Length:
    """What takes time in a stored notebook."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    calls = [_calls(cell.source) for cell in codes]
    return Length(
        words=len(text(notebook).split()),
        cells=len(codes),
        figures=sum("image/png" in out.get("data", {}) for cell in codes for out in cell.outputs),
        predictions=sum("predict" in names for names in calls),
        explorers=sum(any(map(alive, names)) for names in calls),
        exercises=sum(_has_gap(cell.source) for cell in codes),
    )


def text(notebook: NotebookNode) -> str:
    """The text cells until the references, which nobody reads from end to end."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return re.split(r"^## References", "\n\n".join(cells), maxsplit=1, flags=re.M)[0]


def _calls(source: str) -> list[str]:
    """The names of all functions that the cell calls, as written: "explorer.explore"."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [ast.unparse(call.func) for call in calls]


def alive(name: str) -> bool:
    """Whether a call of this name gives an explorer or a live run."""
    module, _, function = name.rpartition(".")
    return bool(re.search(r"explorer$", module) or ALIVE.match(function))


def _has_gap(source: str) -> bool:
    """Whether something is left open: `...` anywhere but between the brackets of an index."""
    nodes = list(ast.walk(ast.parse(source)))
    indices = [node.slice for node in nodes if isinstance(node, ast.Subscript)]
    inside = {id(part) for index in indices for part in ast.walk(index)}
    dots = [node for node in nodes if isinstance(node, ast.Constant) and node.value is ...]
    return any(id(node) not in inside for node in dots)


def stated(notebook: NotebookNode) -> int | None:
    """The minutes in the first cell, or None."""
    numbers = re.search(r"(\d+)\s+minutes", notebook.cells[0].source)
    return int(numbers[1]) if numbers else None


def stated_by_the_map(start: NotebookNode) -> dict[str, int]:
    """{"01": minutes}, as the map's rows in notebook 00 give them; its lines with none are missing.

    The key "all" has the hours of the whole course, in minutes.
    """
    whole = text(start)
    minutes = {number: int(time) for number, time in ROW.findall(whole)}
    hours = re.search(r"(\d+(?:\.\d+)?)\s+hours", whole)
    return minutes | ({"all": round(60 * float(hours[1]))} if hours else {})


def fill_the_map(folder: Path = NOTEBOOKS) -> None:
    """In the map of notebook 00, write the minutes that each notebook states, and hours in all."""
    paths = numbered(folder)
    notebooks = {number(path): nbformat.read(path, as_version=4) for path in paths}
    hours = sum(length(one).minutes for one in notebooks.values()) / 60

    def row(match: re.Match[str]) -> str:
        minutes = stated(notebooks[match[1]]) if match[1] in notebooks else None
        return f"{match[0].rstrip('| ').rpartition('|')[0]}| {minutes or match[2]} |"

    for cell in notebooks["00"].cells:
        if cell.cell_type == "markdown" and ROW.search(cell.source):
            cell.source = HOURS.sub(f"In all {hours:.0f} hours", ROW.sub(row, cell.source))
    text = as_text(tidy(notebooks["00"]))
    if text != paths[0].read_text(encoding="utf-8"):
        paths[0].write_text(text, encoding="utf-8")


def main() -> int:
    total = 0.0
    print(f"{'notebook':40} minutes stated   words cells figures predictions explorers exercises")
    for path in numbered():
        notebook = nbformat.read(Path(path), as_version=4)
        one = length(notebook)
        total += one.minutes
        counts = "{:7} {:5} {:7} {:11} {:9} {:9}".format(*astuple(one))
        print(f"{path.stem:40} {one.minutes:7.0f} {stated(notebook) or '-':6} {counts}")
    print(f"{'in all':40} {total:7.0f}, {total / 60:.1f} hours")
    return 0


if __name__ == "__main__":
    sys.exit(main())
