"""Who presses Stop in a live run, whenever it is, gets words from each later cell: no traceback.

Of each notebook with such a run the cells are executed that it needs, and those that need it, in an
IPython of their own. On few examples what they claim does not hold: so this is also what a reader
sees who has other data, or changed a setting. Those that take longest are slow tests:

    pytest -m slow course_tests/frame/test_stopped.py
"""

from __future__ import annotations

import re
import symtable
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course.live import BrokenOff, LiveRun, stopping
from course.selfcheck import marks
from course_tests import store

STARTS = re.compile(r"\b(explorer\.watch\w*|live_run)\(")
PATHS = [path for path in store.numbered() if ".result()" in path.read_text(encoding="utf-8")]
QUICK = ("12b",)  # it stands for all in every push
SMALLER = (
    (r"\.subset\(\d+, (test=)?\d+\)", ".subset(150, 40)"),
    (r"seeds=range\([58]\)", "seeds=range(2)"),
    (r'"seeds": range\(5\)', '"seeds": range(2)'),
    (r"\bfive = range\(5\)", "five = range(2)"),
    (r"epochs=\d+\b", "epochs=3"),
)

When = Callable[[int, list[int]], bool]
"""Whether to stop the live run with this number, from 0, whose networks have so many records."""

STOPS: dict[str, When] = {
    "before any record": lambda _, records: True,
    "before each has a record": lambda _, records: max(records) > 0,
    "in the middle": lambda _, records: min(records) > 0,
    "the last run at once": lambda run, records: run > 0,
    "not at all": lambda _, records: False,
}


class Shell(InteractiveShell):
    """An IPython at which somebody reads, `get_parent` says so; it notes how its cells end."""

    code, error, short = "", "", True

    def get_parent(self) -> dict[str, Any]:
        header = {"msg_id": str(self.execution_count)}
        return {"content": {"code": self.code}, "metadata": {"cellId": self.code}, "header": header}

    def _showtraceback(self, kind: Any, problem: Any, lines: Any) -> None:
        self.error = "\n".join(lines)
        self.short = isinstance(problem, BrokenOff) and len(lines) == 2

    def cell(self, code: str) -> str:
        """What the cell prints and displays, as text."""
        self.code, self.error, self.short = code, "", True
        with capture_output() as said:
            self.run_cell(code)
        return said.stdout + "\n".join(output.data["text/plain"] for output in said.outputs)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    monkeypatch.setenv("COURSE_WAIT", "0")
    monkeypatch.setattr(stopping, "_stopped", set())
    monkeypatch.setattr(stopping, "_absent", set())
    yield Shell.instance()
    Shell.clear_instance()


def names(code: str) -> tuple[set[str], set[str]]:
    """What a cell makes, and what else it uses."""
    cell = symtable.symtable(code, "cell", "exec")
    made = {each.get_name() for each in cell.get_symbols() if each.is_assigned()}
    made |= {each.get_name() for each in cell.get_symbols() if each.is_imported()}
    used, tables = set[str](), [cell]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for each in table.get_symbols():
            if each.is_referenced() and (table is cell or each.is_global()):
                used.add(each.get_name())
    return made, used - made


def about_runs(path: Path) -> tuple[list[str], list[str]]:
    """The cells before the first live run that it needs, and it with those that need it."""
    cells = nbformat.read(path, as_version=4).cells
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    for pattern, smaller in SMALLER:
        codes = [re.sub(pattern, smaller, code) for code in codes]
    known, of_run, kept = [names(code) for code in codes], set[str](), set[int]()
    for k, (made, used) in enumerate(known):
        if STARTS.search(codes[k]) or used & of_run:
            of_run |= made
            kept.add(k)
    first, needed = min(kept), set[str]()
    for k in reversed(range(len(codes))):
        if k in kept or known[k][0] & needed:
            needed |= known[k][1]
            kept.add(k)
    before, after = range(first), range(first, len(codes))
    return [codes[k] for k in before if k in kept], [codes[k] for k in after if k in kept]


def stop(when: When, monkeypatch: pytest.MonkeyPatch) -> None:
    """Live runs train in their cell, and are stopped, as by the button, when `when` says so."""
    runs: list[LiveRun] = []

    def start(run: LiveRun, *, wait: bool) -> None:
        records = dict.fromkeys(run.history, 0)
        number = len(runs)
        runs.append(run)

        def counted(name: str) -> Iterator[Any]:
            maker = makers[name]
            for record in maker() if callable(maker) else maker:
                records[name] += 1
                if when(number, list(records.values())):
                    run.stop()
                yield record

        makers, run._makers = run._makers, {name: partial(counted, name) for name in records}
        if when(number, list(records.values())):
            run.stop()
        START(run, wait=True)

    monkeypatch.setattr(LiveRun, "start", start)


START = LiveRun.start


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[] if store.number(path) in QUICK else pytest.mark.slow)
        for path in PATHS
    ],
    ids=lambda path: path.stem,
)
def test_no_cell_ends_with_a_traceback(
    path: Path, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = about_runs(path)
    for code in before:
        shell.cell(code)
        assert not shell.error, shell.error
    several = sum(bool(STARTS.search(code)) for code in after) > 1
    for name, when in STOPS.items():
        if name == "the last run at once" and not several:
            continue
        stopping._stopped.clear()
        stop(when, monkeypatch)
        for code in after:
            said = shell.cell(code)
            where = f"stopped {name}:\n{code}\n{said}\n{shell.error}"
            assert shell.short, where
            if ".result()" in code and name.startswith("before"):
                assert shell.error.startswith("Training stopped: ") and "nothing" in shell.error
            elif name in ("in the middle", "not at all"):
                assert not shell.error, where
                told = ".result()" in code and "What follows works with what there is" in said
                assert told == (".result()" in code and name == "in the middle"), where
                hint = marks.STOPPED if name == "in the middle" else marks.ELSEWHERE
                assert said.count("✗") == said.count(hint), where


def test_the_cells_are_those_around_a_run() -> None:
    (path,) = (path for path in PATHS if store.number(path) == "08")
    before, after = about_runs(path)
    assert [code.startswith("DATA = ") for code in before] == [True]
    assert len(after) > 5 and ["explorer.watch(" in code for code in after].index(True) == 0
    others = {"06", "08", "09", "10a", "10b", "10c", "12a"}
    assert {store.number(path) for path in PATHS} >= {*QUICK, *others}


def test_an_error_in_training_ends_its_cell_in_the_readers_own_lines(shell: Shell) -> None:
    shell.cell("from course.live import live_run")
    shell.cell("def mine():\n    raise ValueError('no such number')\n    yield")
    shell.cell("run = live_run(mine)")
    shell.cell("records = run.result()")
    head, what, error, place, kept = shell.error.splitlines()
    assert (head, what) == ("Training failed: no steps.", "The training ended with an error.")
    assert error == "ValueError: no such number" and kept.startswith("The records so far stay")
    assert re.fullmatch(r"\(in mine, Cell In\[\d+\], line 2: raise ValueError\(.*\)\)", place)
    shell.cell("len(records)")
    assert shell.error.startswith("`records` is not there yet: a training ended too early")
    assert shell.cell("print(run.history)") == "{'run': []}\n"
