"""What students hand in, made for tests of collecting: notebooks, zips, and releases for them."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import Any

import nbformat

from course.classroom import master

SET = "ps01-scalar-chain"
SETS = [SET, "ps02-blow-up"]
NOTEBOOK = f"{SET}.ipynb"


@cache
def releases() -> dict[str, Any]:
    """Student notebooks as a release would have them; no nbgrader is needed to collect."""
    made = {}
    for name in SETS:
        notebook = master.build(master.load(name))
        for cell in notebook.cells:
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("solution"):
                cell.source = "raise NotImplementedError"
            elif marks.get("grade"):
                cell.source = master.GRADED.strip()
        notebook.metadata["course"]["version"] = "1"
        made[name] = nbformat.from_dict(notebook)
    return made


def zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def text(notebook: Any) -> bytes:
    return str(nbformat.writes(notebook)).encode()


def small(answer: str, **more: Any) -> bytes:
    """A notebook with one answer, that to `slopes`."""
    marks = {"nbgrader": {"grade_id": "slopes", "solution": True}}
    cell = {"cell_type": "code", "source": answer, "metadata": marks, "outputs": [], **more}
    about = {"course": {"set": SET, "version": "1"}}
    return json.dumps({"nbformat": 4, "metadata": about, "cells": [cell]}).encode()
