"""Notebooks 08 to 12 on other data than digits: one line at their top switches them.

The claims in the notebooks are assertions, so a run without an error says that they hold there.
Each run is as long as on digits, and a set that is not in COURSE_DATA or the cache is skipped:

    COURSE_DATA=... pytest -m slow course_tests/frame/test_switched.py
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from course import data
from course_tests import store

PATHS = [path for path in store.numbered() if 8 <= int(path.name[:2]) <= 12]
LINE = re.compile(r'\ADATA = "digits"  # or "mnist", "fashion-mnist", "cifar10"$', re.M)
OTHERS = ("mnist", "fashion-mnist", "cifar10")

each = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def said(notebook: nbformat.NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "\n".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in outputs
    )


def switched(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    """The notebook with the name of another data set in its first line of code."""
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source, count = LINE.subn(f'DATA = "{name}"', first.source)
    assert count == 1, "the first code cell begins with the line that store.py's recipe gives"
    return notebook


@each
def test_the_first_line_of_code_names_the_data(path: Path) -> None:
    notebook = switched(nbformat.read(path, as_version=4), "mnist")
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert "data.load(DATA)" in code and "data.digits" not in code
    assert "Dataset('digits'" in said(notebook), "the notebook shows which data it uses"


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
@each
def test_it_runs_on_other_data(path: Path, name: str) -> None:
    if data.where(name) is None:
        pytest.skip(f"{name} is neither in COURSE_DATA nor in the cache")
    notebook = switched(nbformat.read(path, as_version=4), name)
    store.execute(notebook, path.parent)
    assert f"Dataset('{name}'" in said(notebook)
