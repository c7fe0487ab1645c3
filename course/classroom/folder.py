"""A course folder of nbgrader's kind, in the instructor's own place."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from course import files
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
c.Judge.timeout = 20  # one cell; longer on a busy machine
c.Judge.total_seconds = 240.0  # all cells of one notebook; likewise
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

# Classes that settings made by an earlier version name, and what they are called now.
MOVED = {
    "course.classroom.judge.Judge": "course.classroom.run.execute.Judge",
    "course.classroom.feedback.SafePages": "course.classroom.grade.feedback.SafePages",
}


class CourseFolder:
    """A course folder: where its files lie, its settings, its gradebook, nbgrader's converters.

    Raises ValueError for a folder that is none, or whose settings an earlier version wrote; the
    message says in one line what to do.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder).resolve()
        if not (self.path / MARKER).exists():
            raise reject("course", str(self.path), f"made first, with: course assign new {folder}")
        text = (self.path / MARKER).read_text(encoding="utf-8")
        old = [name for name in MOVED if name in text]
        if old:
            change = " and ".join(f"{name} to {MOVED[name]}" for name in old)
            raise ValueError(
                f"{self.path / MARKER}: written by an earlier version; change in it {change}"
            )

    @classmethod
    def lay_out(cls, folder: str | Path) -> CourseFolder:
        """A new (or completed) course folder; files that are there are left as they are.

        Raises ValueError for a place inside the package or its repository, or one that is taken.
        """
        path = Path(folder).resolve()
        package = Path(__file__).resolve().parents[1]
        inside = path == package or package in path.parents
        if inside or (path / "course" / "classroom").exists():
            raise reject("folder", str(path), "a folder of your own, outside of the course package")
        marked = (path / MARKER).exists()
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not marked):
            raise reject("folder", str(path), f"new, empty, or a course folder (with {MARKER})")
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("source", "release", "submitted", "autograded", "feedback", "logs"):
            (path / name).mkdir(exist_ok=True)
        if not marked:
            files.write_whole(path / MARKER, CONFIG)
        return cls(path)

    def source(self, name: str) -> Path:
        """nbgrader's master of a set, with solutions and hidden tests."""
        return self.path / "source" / name / f"{name}.ipynb"

    def released(self, name: str) -> Path:
        """The student notebook of a set."""
        return self.path / "release" / name / f"{name}.ipynb"

    def submitted(self, name: str, student: str) -> Path:
        """What was handed in and is graded: the release with this student's answers."""
        return self.path / "submitted" / student / name / f"{name}.ipynb"

    def page(self, name: str, student: str) -> Path:
        """The feedback page of a student."""
        return self.path / "feedback" / student / name / f"{name}.html"

    def log(self, name: str, student: str) -> Path:
        """What nbgrader and the grader said while they graded a submission."""
        return self.path / "logs" / name / f"{student}.log"

    def releases(self, chosen: Iterable[str] = ()) -> dict[str, Any]:
        """Set -> its student notebook, for `chosen` sets or all that were released.

        Raises ValueError where nothing was released, or for a set that was not.
        """
        import nbformat

        names = sorted(path.stem for path in (self.path / "release").glob("*/*.ipynb"))
        if not names:
            raise reject(
                "course", str(self.path), "a course with a release: run course assign release"
            )
        for name in chosen:
            if name not in names:
                raise reject("set", name, "one of the released sets: " + ", ".join(names))
        return {
            name: nbformat.read(self.released(name), as_version=4) for name in list(chosen) or names
        }

    @property
    def settings(self) -> Any:
        """nbgrader's configuration, read anew each time."""
        from traitlets.config.loader import PyFileConfigLoader

        return PyFileConfigLoader(MARKER, path=str(self.path)).load_config()

    @property
    def limits(self) -> sandbox.Limits:
        """The limits for one submission."""
        return sandbox.Limits.parse(self.settings.Judge.kernel_limits)

    def gradebook(self) -> Any:
        """nbgrader's gradebook; a context manager."""
        from course.classroom.gradebook import Gradebook

        warnings.filterwarnings("ignore", module="nbgrader")
        directory = self.settings.CourseDirectory
        return Gradebook(directory.db_url, directory.course_id)

    def converter(self, kind: str, name: str, student: str = "*") -> Any:
        """One of nbgrader's converters (GenerateAssignment, Autograde, GenerateFeedback)."""
        from nbgrader import converters
        from nbgrader.coursedir import CourseDirectory

        settings = self.settings
        directory = CourseDirectory(config=settings)
        directory.assignment_id, directory.student_id = name, student
        converter = getattr(converters, kind)(coursedir=directory, config=settings)
        converter.force = True
        return converter
