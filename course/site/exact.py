"""Explorers that the page computes and draws itself, as the notebook does: see `live.in_browser`.

A stored output says which explorer it is. On its page the still picture comes first, for readers
without scripts, and behind it a place where the explorer comes to life.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from course.live import EXPLORER, STYLE, bundle, explorer_name

LESSONS = Path(__file__).resolve().parents[1] / "lessons"
HOST = Path(__file__).with_name("theme") / "exact.js"
FOLDER = "_static/exact"

Output = dict[str, Any]


def is_exact(output: Output) -> bool:
    """Whether a stored output is an explorer that the page computes itself."""
    return EXPLORER in output.get("data", {})


def outputs(output: Output) -> list[Output]:
    """The outputs for the page: the still picture, and the place of the explorer."""
    data = dict(output["data"])
    explorer = data.pop(EXPLORER)
    name = explorer["lesson"]
    described = html.escape(json.dumps(explorer))
    place = (
        f'<link rel="stylesheet" href="{FOLDER}/style.css">'
        f'<div class="course-exact-place" data-explorer="{described}"></div>'
        f'<script defer src="{FOLDER}/host.js"></script>'
        f'<script defer src="{FOLDER}/{name}.js"></script>'
    )
    live = {"output_type": "display_data", "metadata": {}, "data": {"text/html": place}}
    return [{**output, "data": data}, live]


def write(site: Path) -> None:
    """Write the scripts of all explorers into a site that is built."""
    folder = site / FOLDER
    folder.mkdir(parents=True)
    (folder / "style.css").write_text(STYLE, encoding="utf-8")
    (folder / "host.js").write_text(HOST.read_text(encoding="utf-8"), encoding="utf-8")
    for module in sorted(LESSONS.glob("*/explorer*.js")):
        lesson = explorer_name(module)
        define = f"courseExact.define({json.dumps(lesson)}, {json.dumps(bundle(module))});\n"
        (folder / f"{lesson}.js").write_text(define, encoding="utf-8")
