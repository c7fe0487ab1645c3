"""A course folder of nbgrader's kind, in the instructor's own place."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from course.arguments import reject
from course.classroom.run import sandbox

CONFIG = """# Settings of nbgrader for this course, read by its own commands too. Times in seconds.
import pathlib

c = get_config()
here = pathlib.Path(__file__).resolve().parent
c.CourseDirectory.root = str(here)
c.CourseDirectory.course_id = "very-deep-networks"
c.CourseDirectory.db_url = f"sqlite:///{here}/gradebook.db?timeout=120"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError(\\"your code here\\")"}
c.ClearSolutions.text_stub = "*Your answer here.*"

# How a submission runs: the kernel in a sandbox, hidden tests outside of it.
c.Autograde.autograde_preprocessors = [
    "course.classroom.run.execute.Judge",
    "nbgrader.preprocessors.IgnorePattern",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "nbgrader.preprocessors.AssignLatePenalties",
]
c.Judge.timeout = 20  # one cell
c.Judge.total_seconds = 240.0  # all cells of one notebook
c.Judge.cell_output_kb = 256
c.Judge.kernel_limits = "memory_gb=2.0,cpu_seconds=120,file_mb=50,processes=128"
c.LimitOutput.max_lines = 200
c.OverwriteCells.add_missing_cells = True

# What students read: no hidden test, and nothing active that a submission may have brought.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.GenerateFeedback.exporter_class = "course.classroom.grade.feedback.SafePages"
"""

MARKER = "nbgrader_config.py"


def lay_out(folder: str | Path) -> Path:
    """Makes (or completes) a course folder; files that are there are left as they are.

    Raises ValueError for a place inside the package or its repository, or one that is taken.
    """
    path = Path(folder).resolve()
    package = Path(__file__).resolve().parents[1]
    inside = path == package or package in path.parents
    if inside or (path / "course" / "classroom").exists():
        raise reject("folder", str(path), "a folder of your own, outside of the course package")
    if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / MARKER).exists()):
        raise reject("folder", str(path), f"new, empty, or a course folder (with {MARKER})")
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("source", "release", "submitted", "autograded", "feedback", "logs"):
        (path / name).mkdir(exist_ok=True)
    if not (path / MARKER).exists():
        (path / MARKER).write_text(CONFIG, encoding="utf-8")
    return path


def course_folder(folder: str | Path) -> Path:
    """`folder` if it is a course folder, or ValueError that says how to make one."""
    path = Path(folder).resolve()
    if not (path / MARKER).exists():
        raise reject("course", str(path), f"made first, with: course assign new {path}")
    return path


def settings(course: Path) -> Any:
    """nbgrader's configuration of this course folder."""
    from traitlets.config.loader import PyFileConfigLoader

    return PyFileConfigLoader(MARKER, path=str(course)).load_config()


def gradebook(course: Path) -> Any:
    """nbgrader's gradebook of this course folder; a context manager."""
    from nbgrader.api import Gradebook

    # nbgrader calls `alembic` by name when it makes the database: help it find this Python's.
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
    warnings.filterwarnings("ignore", module="nbgrader")
    chosen = settings(course).CourseDirectory
    return Gradebook(chosen.db_url, chosen.course_id)


def limits(course: Path) -> sandbox.Limits:
    """The limits that this course folder sets for a submission."""
    return sandbox.Limits.parse(settings(course).Judge.kernel_limits)


def converter(kind: str, course: Path, name: str, student: str = "*") -> Any:
    """One of nbgrader's converters (GenerateAssignment, Autograde, GenerateFeedback), set up."""
    from nbgrader import converters
    from nbgrader.coursedir import CourseDirectory

    config = settings(course)
    directory = CourseDirectory(config=config)
    directory.assignment_id, directory.student_id = name, student
    made = getattr(converters, kind)(coursedir=directory, config=config)
    made.force = True
    return made
