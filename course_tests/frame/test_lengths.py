"""The minutes that a notebook and the map promise are those of the formula, to within a tenth."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from course_tests import debts
from course_tests.lengths import Length, fill_the_map, length, stated, stated_by_the_map
from course_tests.store import as_text, number, numbered, slug, tidy

PATHS = numbered()
LONGEST = 60


def near(promised: int | None, minutes: float) -> bool:
    return promised is not None and abs(promised - minutes) <= 0.1 * minutes


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_states_its_minutes(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    counted, promised = length(notebook), stated(notebook)
    faults = [] if near(promised, counted.minutes) else ["stated"]
    faults += ["long"] if counted.minutes > 1.1 * LONGEST else []
    advice = f"It states {promised} minutes and takes {counted.minutes:.0f}: {counted}"
    debts.settle(slug(path), "minutes", faults, advice)


def test_the_map_states_the_minutes_of_each_and_of_all() -> None:
    notebooks = {number(path): nbformat.read(path, as_version=4) for path in PATHS}
    promised = stated_by_the_map(notebooks["00"])
    faults = [n for n, one in notebooks.items() if n != "00" and promised.get(n) != stated(one)]
    whole = sum(length(one).minutes for one in notebooks.values())
    faults += [] if near(promised.get("all"), whole) else ["all"]
    advice = f'A row ends with the notebook\'s minutes, "| 45 |"; in all {whole / 60:.1f} hours.'
    debts.settle("start_here", "map", faults, advice)


def test_what_takes_time_is_counted() -> None:
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    picture = nbformat.v4.new_output("display_data", {"image/png": "", "text/plain": "a line"})
    cells = [
        text("# 01 · Title\n\n*Reading:* 45\nminutes. " + "word " * 5),
        code('predict("01-a", "?", ["a", "b"])'),
        code("explorer.explore()", outputs=[picture]),
        code("run = watch_depths(nets)"),
        code("show(fig)", outputs=[picture]),
        code("answer = ..."),
        code("x[..., 0] = 1"),
        text("## References\n\n" + "word " * 100),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    counted = length(notebook)
    assert counted == Length(words=12, cells=6, figures=2, predictions=1, explorers=2, exercises=1)
    assert counted.minutes == pytest.approx(12 / 130 + 3.6 + 3 + 1 + 6 + 4)
    assert stated(notebook) == 45


def test_the_map_is_read() -> None:
    rows = "| 01 | [One](01_one.ipynb) | Why? | 45 |\n| 02 | Two | How? 30 |\n\nIn all 9.5 hours."
    start = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(rows)])
    assert stated_by_the_map(start) == {"01": 45, "all": 570}


def test_the_map_is_filled(tmp_path: Path) -> None:
    rows = "| 01 | One | Why? | 7 |\n| 02 | Two | How? | 30 |\n\nIn all 1 hours."
    texts = {"00_start": rows, "01_one": "# 01 · One\n\n45 minutes. " + "word " * 15_600}
    for name, words in texts.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(words)])
        (tmp_path / f"{name}.ipynb").write_text(as_text(tidy(notebook)), encoding="utf-8")
    fill_the_map(tmp_path)
    start = nbformat.read(tmp_path / "00_start.ipynb", as_version=4)
    assert stated_by_the_map(start) == {"01": 45, "02": 30, "all": 120}
    assert "| 01 | One | Why? | 45 |" in start.cells[0].source
