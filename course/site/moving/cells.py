"""The cells of a stored notebook that open an explorer, and what they need."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import io
import json
import re
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[2]
ENGINE = ("networks", "data", "measures", "training", "plots", "live")
RECORDING = ("cells", "stops", "recorder")
TOOLS = ("numpy", "torch", "matplotlib", "pillow")
LESSON = re.compile(r"course\.lessons(?:\.| import )(\w+)")


@dataclass(frozen=True)
class Explorer:
    """An explorer of a notebook: the notebook's name, the cell's id, and all code up to the cell.

    code: only the cells whose names are needed, in their order, then the cell itself.
    """

    notebook: str
    cell: str
    code: str

    @property
    def name(self) -> str:
        """The explorer's name, fit for an address: "09_skip_connections-b93c69bf8b16"."""
        return f"{self.notebook}-{self.cell}"

    def open(self) -> Any:
        """What the cell shows when it runs; what it prints is dropped."""
        *before, last = ast.parse(self.code).body
        assert isinstance(last, ast.Expr)
        names: dict[str, Any] = {"__name__": self.name}
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(ast.Module(before, []), self.name, "exec"), names)
            return eval(compile(ast.Expression(last.value), self.name, "eval"), names)

    def digest(self) -> str:
        """A hash of all code that draws the explorer, and of the tools below it."""
        digest = hashlib.sha256(self.code.encode())
        for tool in TOOLS:
            digest.update(f"{tool} {version(tool)}".encode())
        for path in sorted(_files(self.code)):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:16]


def explorers(path: Path) -> list[Explorer]:
    """The explorers of the notebook at `path`, in their order.

    An explorer is opened by a cell that ends with a call of ``live.live`` or of a function of the
    lesson's `explorer`; what trains in the background is called for a name and shown by that.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    return [
        Explorer(path.stem, code[k]["id"], "\n".join(_needed(sources, k)))
        for k, source in enumerate(sources)
        if _opens(source)
    ]


def _opens(source: str) -> bool:
    body = _parsed(source).body
    call = body[-1].value if body and isinstance(body[-1], ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    name = ast.unparse(call.func)
    return name == "live.live" or name.startswith("explorer.")


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:  # a magic command
        return ast.Module([], [])


def _needed(sources: list[str], last: int) -> list[str]:
    """The cells that bind a name which the cell `last`, or another of them, reads; then `last`."""
    needed, wanted = [sources[last]], _names(sources[last], ast.Load)
    for source in reversed(sources[:last]):
        if _names(source, ast.Store) & wanted:
            needed.insert(0, source)
            wanted |= _names(source, ast.Load)
    return needed


def _names(source: str, use: type[ast.expr_context]) -> set[str]:
    """The names that a cell reads (ast.Load) or binds (ast.Store)."""
    names = set()
    for node in ast.walk(_parsed(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, use):
            names.add(node.id)
        elif use is ast.Store and isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif use is ast.Store and isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
    return names


def _files(code: str) -> set[Path]:
    """Files of the engine, of the recording, and of the lessons that the code imports, or they."""
    files = {path for folder in ENGINE for path in (HOUSE / folder).rglob("*.py")}
    files |= {*HOUSE.glob("*.py"), *(HOUSE / "data").glob("*.npz")}
    files |= {HOUSE / "site" / "moving" / f"{name}.py" for name in RECORDING}
    files.add(HOUSE / "site" / "colours.py")
    lessons: set[str] = set()
    more = set(LESSON.findall(code))
    while more:
        lessons |= more
        paths = {path for lesson in more for path in (HOUSE / "lessons" / lesson).glob("*.py")}
        files |= paths
        more = {name for path in paths for name in LESSON.findall(path.read_text("utf-8"))}
        more -= lessons
    return files
