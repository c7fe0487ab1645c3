"""How long one waits in the notebooks: for the first picture of an explorer or run, and for cells.

    python -m course_tests.benchmarks.waiting                    first pictures, four minutes
    python -m course_tests.benchmarks.waiting --only 02 06       of some notebooks
    python -m course_tests.benchmarks.waiting --whole            every cell of each notebook

First pictures: each cell with an explorer or a live run, in a fresh kernel that has run only the
cells it needs. The time goes from the cell's request until the output with its picture is there; no
page asks for another width. The goal is one second. Whole: the cells of a notebook one after the
other, listed if they take longer than 20 seconds, with the seconds until they show something.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import os
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import KernelManager

from course_tests.lengths import alive
from course_tests.store import NOTEBOOKS, number, numbered

GOAL, PATIENCE = 1.0, 20.0
HANGS = 900.0  # seconds


@dataclass(frozen=True)
class Wait:
    """Seconds of one cell: until it shows something, until its picture (None: none), in all."""

    shows: float | None
    picture: float | None
    end: float


def needed(sources: Sequence[str], cell: int) -> list[int]:
    """The cells before number `cell` that bind the names it uses, and so on, in their order."""
    wanted, found = _names(sources[cell], ast.Load), []
    for k in reversed(range(cell)):
        if wanted & _names(sources[k], ast.Store):
            found.append(k)
            wanted |= _names(sources[k], ast.Load)
    return found[::-1]


def _names(source: str, context: type[ast.expr_context]) -> set[str]:
    """Names that a cell reads (`ast.Load`) or binds (`ast.Store`)."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)
             and isinstance(node.ctx, context)}  # fmt: skip
    if context is ast.Load:
        return names - vars(builtins).keys()
    bound = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    names |= {
        alias.asname or alias.name.partition(".")[0] for node in bound for alias in node.names
    }
    return names | {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}


@contextmanager
def kernel(folder: Path) -> Iterator[Any]:
    """A client of a new kernel, as `course lab` starts it; nothing is put on file."""
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "COURSE_RECORDS": os.devnull}
    environment.pop("COURSE_WAIT", None)
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=environment, cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=HANGS)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: Any, source: str, name: str = "cell") -> Wait:
    """Run one cell. Raises RuntimeError with its error."""
    message = client.session.msg(
        "execute_request", {"code": source, "silent": False}, metadata={"cellId": name}
    )
    began = time.perf_counter()
    client.shell_channel.send(message)
    shows = picture = None
    while True:
        answer = client.get_iopub_msg(timeout=HANGS)
        now = time.perf_counter() - began
        kind, content = answer["msg_type"], answer["content"]
        if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
            continue
        if kind == "error":
            raise RuntimeError(f"{source}\n{content['evalue']}")
        if kind in ("display_data", "execute_result", "stream"):
            shows = now if shows is None else shows
        if picture is None and "image/png" in content.get("data", {}):
            picture = now
        if kind == "status" and content["execution_state"] == "idle":
            return Wait(shows, picture, now)


def first_pictures(path: Path, times: int) -> Iterator[tuple[str, list[float]]]:
    """Each explorer or run of a notebook, by its call: seconds until its picture is there."""
    sources = _sources(path)
    for cell, source in enumerate(sources):
        if not (calls := [call for call in _calls(source) if alive(call)]):
            continue
        measured = []
        for _ in range(times):
            with kernel(path.parent) as client:
                for k in needed(sources, cell):
                    run(client, sources[k], str(k))
                wait = run(client, source)
            assert wait.picture is not None, source
            measured.append(wait.picture)
        yield f"{number(path)} {calls[-1]}", measured


def whole(path: Path) -> Iterator[tuple[str, Wait]]:
    """The cells of a notebook in their order, by the first line of code."""
    with kernel(path.parent) as client:
        for cell, source in enumerate(_sources(path)):
            yield f"{number(path)}/{cell} {source.splitlines()[0]}", run(client, source, str(cell))


def _sources(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def _calls(source: str) -> list[str]:
    return [ast.unparse(n.func) for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    paths = {number(path): path for path in numbered(NOTEBOOKS)}
    parser.add_argument("--only", nargs="+", choices=paths, default=list(paths), metavar="NN")
    parser.add_argument("--whole", action="store_true", help="run whole notebooks")
    parser.add_argument("--times", type=int, default=1, help="kernels for each explorer")
    arguments = parser.parse_args()
    slow = 0
    for path in map(paths.get, arguments.only):
        if arguments.whole:
            waits = list(whole(path))
            print(f"{path.stem}: {sum(wait.end for _, wait in waits):.0f} s", flush=True)
            for name, wait in waits:
                if wait.end > PATIENCE:
                    shown = "nothing" if wait.shows is None else f"{wait.shows:.1f} s"
                    print(f"  {name[:60]:60} {wait.end:5.0f} s, shows something after {shown}")
            continue
        for name, seconds in first_pictures(path, arguments.times):
            middle = statistics.median(seconds)
            slow += middle > GOAL
            print(f"{name:34}{1e3 * middle:7.0f} ms{'  slow' * (middle > GOAL)}", flush=True)
    if not arguments.whole:
        print(f"{slow} above {GOAL:g} s")


if __name__ == "__main__":
    main()
