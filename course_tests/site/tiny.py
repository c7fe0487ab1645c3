"""A small explorer with every kind of control, and what the tests read of a recording."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from course.site.moving.cells import Explorer
from course.site.moving.recorder import STATES

CODE = """\
from course.live import Caption, live
from course.plots import style
fig, ax = style.figure(4.0, 2.4)
(line,) = ax.plot([0, 1], [0, 0])
ax.set_ylim(-1, 5)
def draw(size, law, bold, seed):
    line.set_ydata([seed, size])
    line.set_linewidth(3 if bold else 1)
    text = f"size {size}, {law}, {bold}, draw {seed}\\nThe rest."
    return Caption(text, "healthy", {"signal": [1.0, size]}, seen=1)
live(fig, draw, seed=0, size=(0, 4), law=["even", "odd"], bold=False)
"""
TINY = Explorer("tiny", "1", CODE)


def with_cells(path: Path, sources: Sequence[str]) -> Path:
    """A notebook at `path` with these cells of code."""
    new = nbformat.v4
    nbformat.write(new.new_notebook(cells=[new.new_code_cell(text) for text in sources]), path)
    return path


def states(folder: Path) -> dict[str, Any]:
    """The states of a recording, as its script hands them over."""
    script = (folder / STATES).read_text(encoding="utf-8")
    return dict(json.loads(script.partition(", ")[2].removesuffix(");\n")))
