"""Execute notebooks and store them with outputs, the same bytes each time.

    python -m course_tests.store                          every notebook
    python -m course_tests.store notebooks/01*.ipynb      the ones named

A notebook is executed from its first to its last cell in a fresh kernel (COURSE_WAIT=1: live runs
wait for their end and predictions are not put on file; OMP_NUM_THREADS=1). Execution counts run
from 1, cell ids come from the cells' text, no widget state is kept, and a widget's view is dropped
where a picture or text stands in. Metadata is reduced to the kernel's name and to what is folded:
the source of a cell that asks or reveals, or only checks, shows or draws (see `folds`). A notebook
that raises an error or warns is refused and its file left as it was.

Recipe for authors
------------------
Write a script in jupytext's percent format outside the repository, convert it, store it:

    ruff format --config pyproject.toml 06.py
    jupytext --to ipynb -o notebooks/06_degeneracy.ipynb 06.py
    python -m course_tests.store notebooks/06*.ipynb
    pytest --nbval --nbval-current-env notebooks/06*.ipynb
    pytest course_tests/frame/test_notebooks.py -k 06

Then open it in JupyterLab and look at it. Later changes may be made in JupyterLab; store it again.

The rules, each checked by test_notebooks.py:

- File: notebooks/NN_some_words.ipynb (07a, 07b, ... where a number has several), under 1 MB. It is
  linked from the map in notebook 00; this command puts the link and the minutes there, so commit
  00_start_here.ipynb too.
- First cell: "# NN · Title", "Prerequisites", "N minutes" of reading, "N seconds" of computing.
- Rhythm: level-2 headings that begin with these words, in this order, and no others (use level 3
  within them): "You will be able to", "People say", then once or several times "Predict",
  "Observe", "Explain", then "Worked example", "Faded example", "Exercise", "What we learned",
  "Transfer", "References". A colon and more words may follow ("## Predict: how deep?").
- Predictions: at least two predict("NN-name", question, options), each followed further down by
  revisit("NN-name", answer="b", because="..."), which asks again once the answer was seen.
- Code cells: at most 5 lines in the median, at most 15 in any; blank lines don't count. What is
  longer belongs in course/.
- Words: each picture comes with text. live.live(fig, draw, ...) and show(fig, words) see to that.
- Numbers: print rounded values which are the same on every machine. What is measured is printed by
  a call that asserts it, in marks which validation leaves out, with its spread beside theory:
      agree(growth, 1.211, 0.03, "growth per block", against="formula")
      holds("all survive", 0.3, "<", right, "<", 0.75)
      paired("batch norm learns more", with_norm, without)  # runs of the same seeds
  (no_better and equivalent need a margin). No other code writes marks. A reader is shown what does
  not hold, and goes on: so cells below a live run must work with what one that was stopped has
  (test_stopped.py), and those of a second run give its results a name of their own.
- Exercise: the cell the student fills holds `...`; a later cell calls a check, which prints "not
  yet" as long as it does, so that the stored notebook passes validation unfilled. Checks with hints
  for known mistakes live in course/lessons/: the page must not give the answer away. What the
  student builds is checked by check_function(..., solution=solve_it): the solution opens after two
  tries; show_source(...) then shows how the library does it.
- Data (notebooks 08 to 12): the first code cell begins with the line
      DATA = "digits"  # or "mnist", "fashion-mnist", "cifar10"
  and the cell after the imports reads
      examples = data.load(DATA).subset(1500, test=297)
  and shows it (ends with `examples`): as many as digits have, so that it takes about as long. All
  real data below come from `examples`, so that this one line switches the notebook, and
  test_switched.py runs it on each set. Claims must hold on every one: state them with holds or
  paired; what is true of digits alone (a number of agree) goes below `if DATA == "digits":`.
- References: at least two links to sources. Every link is complete; links between notebooks are
  file names. Pictures in text have an alternative text.
- No warnings, addresses of objects, folders of this machine, or marks that tell nbval to look away.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import os
import re
import sys
import time
from pathlib import Path
from unittest import mock

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
ENVIRONMENT = {"COURSE_WAIT": "1", "OMP_NUM_THREADS": "1"}
CELL_TIMEOUT = 600  # seconds, as in the test command: only what hangs takes as long
WIDGET = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}
MAP_ROW = re.compile(
    r"^\| (?P<number>\d\d[a-z]?) \| (?:\[(?P<linked>[^]]*)\]\([^)]*\)|(?P<title>[^|]*?)) \|", re.M
)
ASKS = ("predict", "revisit")
CHECKS = ("agree", "holds", "paired", "no_better", "equivalent", "show", "show_source")
DRAWS = ("explorer", "pictures")  # a lesson's modules of these names, or with such an ending
KEPT = ("tags", "nbgrader")  # metadata of a cell which mean something to a tool we use


class Refused(Exception):
    """The notebook cannot be stored; the text says which cell is the reason."""


def main() -> int:
    from course_tests import lengths  # which reads notebooks by the names that stand here

    parser = argparse.ArgumentParser(
        prog="python -m course_tests.store", description="Store notebooks."
    )
    parser.add_argument("paths", nargs="*", type=Path, help="notebooks (default: all)")
    failed = 0
    for path in parser.parse_args().paths or sorted(NOTEBOOKS.glob("*.ipynb")):
        start = time.perf_counter()
        try:
            store(path)
        except (Refused, OSError) as problem:
            failed += 1
            print(f"{path.name}: {problem}", file=sys.stderr)
        else:
            seconds, kb = time.perf_counter() - start, path.stat().st_size / 1000
            print(f"{path.name}: {seconds:.1f} s, {kb:.0f} kB")
    link_the_map()
    lengths.fill_the_map()
    return 1 if failed else 0


def store(path: Path) -> None:
    """Execute the notebook at `path` and replace the file in one step, or raise Refused."""
    notebook = nbformat.read(path, as_version=4)
    execute(notebook, path.parent)
    _replace(path, as_text(tidy(notebook)))


def numbered(folder: Path = NOTEBOOKS) -> list[Path]:
    """The notebooks with a number, in their order: 06_degeneracy, 07a_products, 07b_isometry."""
    return sorted(folder.glob("[0-9][0-9]*_*.ipynb"))


def number(path: Path) -> str:
    """The number of a notebook: "06", or "07a" where one lesson has several notebooks."""
    return path.stem.partition("_")[0]


def slug(path: Path) -> str:
    """The name of a notebook and of its lesson's folder: "degeneracy"."""
    return path.stem.partition("_")[2]


def link_the_map(folder: Path = NOTEBOOKS) -> None:
    """In the map of notebook 00, make each "| NN | Title |" a link to the notebook that is there.

    Only text changes; nothing is executed.
    """
    there = {number(path): path for path in numbered(folder)}

    def row(match: re.Match[str]) -> str:
        title, path = match["linked"] or match["title"], there.get(match["number"])
        return f"| {match['number']} | [{title}]({path.name}) |" if path else match[0]

    if "00" in there:
        notebook = nbformat.read(there["00"], as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = MAP_ROW.sub(row, cell.source)
        text = as_text(tidy(notebook))
        if text != there["00"].read_text(encoding="utf-8"):
            _replace(there["00"], text)
            print(f"{there['00'].name}: linked the notebooks in the map")


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in `folder`, in place. Raises Refused at the first error, and for warnings."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    with mock.patch.dict(os.environ, ENVIRONMENT):
        try:
            client.execute()
        except CellExecutionError as error:
            raise Refused(str(error)) from None
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                raise Refused(f"a cell writes to stderr: {output.text}\n{cell.source}")


def tidy(notebook: NotebookNode) -> NotebookNode:
    """An executed notebook without what differs from run to run. Tidying twice changes nothing."""
    tidied = nbformat.v4.new_notebook(metadata=copy.deepcopy(METADATA))
    seen: set[str] = set()
    for cell in notebook.cells:
        cell = copy.deepcopy(cell)
        cell.id = _cell_id(cell, seen)
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k in KEPT})
        if cell.cell_type == "code":
            if folds(cell.source):
                cell.metadata["jupyter"] = {"source_hidden": True}
            cell.outputs = _joined([_tidy_output(output) for output in cell.outputs])
        tidied.cells.append(cell)
    codes = [cell for cell in tidied.cells if cell.cell_type == "code"]
    for count, cell in enumerate(codes, start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    return tidied


def folds(source: str) -> bool:
    """Whether a code cell is stored with its source folded.

    It is if it asks or reveals (calls predict or revisit anywhere); if it draws (begins with
    style.figure and ends with show); or if each of its statements is a call of agree, holds and
    their kin, show, or a function of the lesson's explorer or pictures. All else stays open.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:  # a magic command
        return False
    if not tree.body:
        return False
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    draws = _called(tree.body[0]) == "style.figure" and _called(tree.body[-1]) == "show"
    return bool(calls & set(ASKS)) or draws or all(map(_only_shows, tree.body))


def _called(statement: ast.stmt) -> str:
    """What a statement calls, alone or for the value it assigns; "" where it is no call."""
    value = getattr(statement, "value", None)
    return ast.unparse(value.func) if isinstance(value, ast.Call) else ""


def _only_shows(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.For | ast.If):
        return all(map(_only_shows, [*statement.body, *statement.orelse]))
    module, _, name = _called(statement).rpartition(".")
    shows = module.endswith(DRAWS) if module else name in CHECKS
    return isinstance(statement, ast.Expr) and shows


def as_text(notebook: NotebookNode) -> str:
    """The file's content: as nbformat writes it, with a newline at its end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _cell_id(cell: NotebookNode, seen: set[str]) -> str:
    """From the cell's text, so that a changed cell doesn't rename its neighbours."""
    digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    repeat = sum(known.startswith(digest) for known in seen)
    name = f"{digest}-{repeat}" if repeat else digest
    seen.add(name)
    return name


def _tidy_output(output: NotebookNode) -> NotebookNode:
    if "data" in output:
        output.metadata = NotebookNode()
        if len(output.data) > 1:
            output.data.pop(WIDGET, None)
    return output


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Pieces of one stream become one: where a stream is cut depends on timing."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if (
            last is not None
            and output.output_type == last.output_type == "stream"
            and output.name == last.name
        ):
            last.text += output.text
        else:
            joined.append(output)
    return joined


if __name__ == "__main__":
    sys.exit(main())
