"""Questions of a stored notebook, marked so that the page can ask them; and where exercises run.

What is stored stays as it is, to be read without JavaScript; `theme/static/predictions.js` finds
the mark and puts a form in its place.
"""

from __future__ import annotations

import json
import os
import re
from html import escape
from typing import Any

from course.site import elsewhere

PHASES = {"Predict": ("before", "predict"), "Now that you have seen it": ("after", "revisit")}
ASKED = re.compile(r"<p><b>(" + "|".join(PHASES) + r")\.</b> ")
MEASURED = re.compile(r"</summary><b>([a-h])\) ")
NOT_YET = ": not yet. Write "


def marked(output: dict[str, Any], source: str) -> dict[str, Any]:
    """`output`, with a question in it marked as such; source: of the cell, which has its id.

    The mark is the attribute ``data-question``, JSON: id, phase ("before", "after"), title, text,
    options and, after the reveal, answer, the index of the right one. Raises ValueError for a
    question that cannot be read.
    """
    html = "".join(output.get("data", {}).get("text/html", ""))
    title = ASKED.match(html)
    if title is None:
        return output
    phase, function = PHASES[title[1]]
    call = re.search(rf'\b{function}\(\s*"([\w-]+)"', source)
    first, *options = "".join(output["data"]["text/plain"]).split("\n  ")
    answer = MEASURED.search(html)
    if call is None or len(options) < 2 or (answer is None) != (phase == "before"):
        raise ValueError(f"a question that the site cannot ask: {first!r} in {source!r}")
    question = {
        "id": call[1],
        "phase": phase,
        "title": f"{title[1]}.",
        "text": first.removeprefix(f"{title[1]}. "),
        "options": [option.partition(") ")[2] for option in options],
        "answer": None if answer is None else "abcdefgh".index(answer[1]),
    }
    mark = escape(json.dumps(question, ensure_ascii=False))
    asked = f'<div class="prediction" data-question="{mark}">{html}</div>'
    return {**output, "data": {**output["data"], "text/html": asked}}


def is_exercise(outputs: list[dict[str, Any]]) -> bool:
    """Whether a cell with these stored outputs checks what a student writes."""
    return any(NOT_YET in "".join(output.get("text", "")) for output in outputs)


def where_to_run(name: str) -> dict[str, Any]:
    """An output that says where an exercise of the notebook `name` is done."""
    html = (
        '<p class="where">To write yours and have it checked, open this notebook '
        '<a href="index.html">on your machine</a> or '
        f'<a href="{escape(binder(name))}">on Binder</a>.</p>'
    )
    return {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}}


def binder(name: str) -> str:
    """The address of the notebook `name` on Binder.

    Where the site is built by GitHub Actions, which name their repository in the environment
    (GITHUB_REPOSITORY, "owner/name"), it opens there; else the address is that of Binder, which
    asks for a repository.
    """
    try:
        return elsewhere.on_binder(os.environ.get("GITHUB_REPOSITORY", ""), f"{name}.ipynb")
    except ValueError:
        return elsewhere.BINDER
