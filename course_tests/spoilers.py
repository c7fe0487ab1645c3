"""All that stands above each prediction, so that a person can judge what gives its answer away.

    python -m course_tests.spoilers          every notebook
    python -m course_tests.spoilers 04       notebook 04
    python -m course_tests.spoilers 04-dead  one prediction

Printed are text, headings and captions, sources that are not folded, imports, and stored outputs,
each with its kind in front; the answer and its reason, as `revisit` has them, stand last. Earlier
notebooks are not printed: what they teach may be known.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import indent

import nbformat
from nbformat import NotebookNode

from course_tests.store import numbered


@dataclass(frozen=True)
class Prediction:
    """A question and what a reader has met before it.

    above: pairs (kind, text). source: the cell that asks. answer: of `revisit`, further below.
    """

    id: str
    above: tuple[tuple[str, str], ...]
    source: str
    answer: str


def predictions(notebook: NotebookNode) -> Iterator[Prediction]:
    """The predictions of a stored notebook, in order. A question stands above the next one."""
    answers = dict(_calls(notebook, "revisit"))
    above: list[tuple[str, str]] = []
    for cell in notebook.cells:
        for id, _ in _calls_in(cell, "predict"):
            yield Prediction(id, tuple(above), cell.source, answers.get(id, "not asked again"))
        above += _visible(cell)


def _visible(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """What a reader sees of a cell, in pairs (kind, text)."""
    if cell.cell_type == "markdown":
        yield "text", cell.source
        return
    folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
    yield ("imports", _imports(cell.source)) if folded else ("source", cell.source)
    for output in cell.outputs:
        if output.output_type == "stream":
            yield "printed", output.text
        elif "text/plain" in output.get("data", {}):
            caption = "image/png" in output.data
            yield ("caption" if caption else "printed"), output.data["text/plain"]


def _imports(source: str) -> str:
    """The import lines, which tell by their names even where a cell is folded."""
    nodes = ast.parse(source).body
    return "\n".join(ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom))


def _calls(notebook: NotebookNode, name: str) -> Iterator[tuple[str, str]]:
    for cell in notebook.cells:
        yield from _calls_in(cell, name)


def _calls_in(cell: NotebookNode, name: str) -> Iterator[tuple[str, str]]:
    """(id, the call as written) for each call of `name` in a code cell whose id is a text."""
    if cell.cell_type != "code":
        return
    for node in ast.walk(ast.parse(cell.source)):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if named and node.func.id == name and node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value), ast.unparse(node)


def main() -> int:
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    for path in [path for path in numbered() if path.name.startswith(chosen[:2])]:
        for one in predictions(nbformat.read(path, as_version=4)):
            if not one.id.startswith(chosen):
                continue
            print(f"\n{'=' * 100}\n{one.id}, in {path.name}: all that stands above it\n{'=' * 100}")
            for kind, text in one.above:
                if text.strip():
                    print(f"[{kind}]\n{indent(text.rstrip(), '    ')}")
            print(f"{'-' * 100}\n{one.source}\n{'-' * 100}\n{one.answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
