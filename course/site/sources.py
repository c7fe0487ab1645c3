"""The pages of the site before they are built: notebooks as stored, handbook, guide, front page.

A notebook becomes a page without being run. Its pictures take the words below them as alternative
text; cells that the notebook folds stay folded; links lead to pages.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from course import handbook
from course.site import colours, exact, moving, predictions

Notebook = dict[str, Any]
HOUSE = Path(__file__).resolve().parents[1]
GUIDES = ("GUIDE.md", "TEACHING.md")
NUMBERED = "[0-9][0-9]*_*.ipynb"
LINK = re.compile(r'(href="[\w.-]+)\.ipynb\b')
STORED = """\
```{note}
You read this lesson as it was run and stored: PICTURES. Your predictions lock here, too.
To write code, open it on your machine: [how to start](index.md).
```
"""
MOVING, STILL = "its sliders move", "its pictures stand still"
RECORDED = "over recorded pictures"
HEAVY = 40_000
"""Bytes from which a picture gets a palette."""
TRAINED = "Training finished"
"""How the words of a picture begin that a run in the background has left."""


def write(folder: Path, source: Path, recordings: Mapping[str, Path]) -> None:
    """Write the sources of all pages into `folder`, from the notebooks in `source`.

    recordings: folders of recorded explorers by their names, see `moving`.
    """
    lessons = sorted(path.stem for path in source.glob(NUMBERED))
    for path in sorted(source.glob("*.ipynb")):
        names = {e.name: e.cell for e in moving.explorers(path) if e.name in recordings}
        figures = {cell: moving.figure(name, recordings[name]) for name, cell in names.items()}
        notebook = json.loads(path.read_text(encoding="utf-8"))
        page = as_page(notebook, path.stem, lesson=path.stem in lessons, figures=figures)
        (folder / path.name).write_text(json.dumps(page), encoding="utf-8")
    for name in GUIDES:
        text = (HOUSE / "classroom" / name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "decisions.md").write_text(decisions(), encoding="utf-8")
    (folder / "sources.md").write_text(references(source), encoding="utf-8")
    (folder / "index.md").write_text(front(lessons), encoding="utf-8")


def as_page(
    notebook: Notebook,
    name: str,
    *,
    lesson: bool,
    figures: Mapping[str, str] = MappingProxyType({}),
) -> Notebook:
    """The stored notebook `name` as the site shows it.

    lesson: a note says how it is read. figures: HTML of what moves, by the id of its cell.
    """
    cells = [_cell(cell, name, figures.get(cell["id"], "")) for cell in notebook["cells"]]
    if lesson:
        text = STORED.replace("PICTURES", _how_pictures_move(notebook, figures))
        note = {"cell_type": "markdown", "id": "stored", "metadata": {}, "source": text}
        cells.insert(1, note)
    return {**notebook, "cells": cells}


def _how_pictures_move(notebook: Notebook, figures: Mapping[str, str]) -> str:
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    if any(map(exact.is_exact, outputs)):
        return MOVING if not any(figures.values()) else f"{MOVING}, some {RECORDED}"
    return f"{MOVING} {RECORDED}" if any(figures.values()) else STILL


def _cell(cell: dict[str, Any], name: str, figure: str) -> dict[str, Any]:
    text = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return {**cell, "source": LINK.sub(r"\1.html", text)}
    folded = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
    metadata: dict[str, Any] = {"tags": ["hide-input"] if folded else []}
    parts = [part for output in cell["outputs"] for part in _parts(output)]
    outputs = [predictions.marked(part, text) for part in parts]
    if predictions.is_exercise(outputs):
        outputs.append(predictions.where_to_run(name))
    words = [_words(output) for output in outputs if "image/png" in output.get("data", {})]
    if words:
        metadata["mystnb"] = {"image": {"alt": " ".join(words)}}
        if not figure and words[-1].startswith(TRAINED):
            figure = moving.RUN
    if figure:
        data = {"text/html": figure, "text/plain": ""}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    return {**cell, "source": text, "outputs": outputs, "metadata": metadata}


def _parts(output: dict[str, Any]) -> list[dict[str, Any]]:
    parts = exact.outputs(output) if exact.is_exact(output) else [output]
    return [_output(part) for part in parts]


def _output(output: dict[str, Any]) -> dict[str, Any]:
    data = dict(output.get("data", {}))
    if "text/html" in data:
        data["text/html"] = LINK.sub(r"\1.html", "".join(data["text/html"]))
    if "image/png" in data:
        data["image/png"] = _light("".join(data["image/png"]))
    return {**output, "data": data} if data else output


def _light(picture: str) -> str:
    """A picture in base64; a heavy one with few colours, for a page has several."""
    png = base64.b64decode(picture)
    return picture if len(png) < HEAVY else base64.b64encode(colours.smaller(png)).decode()


def _words(output: dict[str, Any]) -> str:
    """What a picture shows, in one line."""
    return " ".join("".join(output["data"].get("text/plain", "")).split())


def decisions() -> str:
    """The decision card whole."""
    card = LINK.sub(r"\1.html", handbook.decision_card()._repr_html_())
    return (
        "# The decision card\n\nWhat you see, what to measure, what it would mean, and what to try "
        f"first. Each lesson adds a line.\n\n```{{raw}} html\n{card}\n```\n"
    )


def references(source: Path) -> str:
    """All sources that the notebooks name, by notebook."""
    parts = ["# Sources\n\nWhat the lessons cite, lesson by lesson.\n"]
    for path in sorted(source.glob(NUMBERED)):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        title = texts[0].splitlines()[0].removeprefix("# ")
        cited = [text.partition("## References")[2] for text in texts if "## References" in text]
        parts += [f"## [{title}]({path.name})\n{text}\n" for text in cited]
    return "\n".join(parts)


def front(lessons: Sequence[str]) -> str:
    """The front page: what this is, how to start, and the contents."""
    text = (HOUSE / "site" / "front.md").read_text(encoding="utf-8")
    return "\n".join(
        [
            text,
            _contents("Lessons", lessons),
            _contents("To look up", ["glossary", "decisions", "sources"]),
            _contents("To teach", [name.removesuffix(".md") for name in GUIDES]),
        ]
    )


def _contents(caption: str, pages: Sequence[str]) -> str:
    lines = "\n".join(pages)
    return f"```{{toctree}}\n:caption: {caption}\n:maxdepth: 1\n\n{lines}\n```\n"
