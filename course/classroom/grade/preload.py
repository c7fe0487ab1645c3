"""Loaded once by the fork server of `pool`, for all workers: nbgrader, and what its pages need.

A page of nothing is made here, in a course folder that is thrown away: each worker would otherwise
compile the templates of pages for its first one.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import sqlalchemy.orm
from nbconvert.exporters import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course.classroom.folder import CourseFolder
from course.classroom.grade import feedback, worker  # noqa: F401


def make_a_page() -> None:
    """Makes a page by the steps of `feedback.SafePages`, but without a gradebook to read from."""
    notebook = new_notebook(cells=[new_markdown_cell("x"), new_code_cell("x = 1")])
    points = {"nbgrader": {"notebook": "", "score": 0, "max_score": 0, "late_penalty": 0}}
    with tempfile.TemporaryDirectory(prefix="preload") as folder:
        course = CourseFolder.lay_out(Path(folder, "course"))
        pages = feedback.SafePages(config=course.converter("GenerateFeedback", "none").config)
        HTMLExporter.from_notebook_node(pages, notebook, points)
    feedback.clean("<p>x</p>")


sqlalchemy.orm.configure_mappers()
with contextlib.suppress(Exception):  # a head start, no more: workers do without it
    make_a_page()
