"""What students get: a version of each set without secrets, and a repository made of them."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from course import files
from course.arguments import reject
from course.classroom import master as masters
from course.classroom.folder import CourseFolder
from course.classroom.leaks import leaks
from course.classroom.run import hidden_tests


def release(
    course: CourseFolder, chosen: Iterable[str], folder: str | Path | None = None
) -> Iterator[tuple[str, Path]]:
    """Writes source and student version of each set; yields (name, student notebook).

    folder: of the masters. Raises ValueError, and leaves what was released before as it was, if
    nbgrader refuses the master or if anything hidden is found in the student version.
    """
    import nbformat
    from nbgrader.converters.base import NbGraderException

    course.gradebook().close()  # made before the first set needs it
    for name in chosen:
        master = masters.load(name, folder)
        for cell in master.of_kind("grade"):
            why = hidden_tests.broken(masters.split(cell.source)[1])
            if why:
                raise ValueError(f"{name}: not released: hidden tests of {cell.name!r}: {why}")
        source, released = course.source(name), course.released(name)
        with _as_it_was(source.parent, released.parent):
            source.parent.mkdir(parents=True, exist_ok=True)
            files.write_whole(source, nbformat.writes(masters.build(master)))
            try:
                course.converter("GenerateAssignment", name, ".").start()
            except NbGraderException:
                raise ValueError(
                    f"{name}: not released: nbgrader refused its cells. Once work was handed in, "
                    "graded cells can be changed but not added, removed or renamed"
                ) from None
            clean(released)
            hits = leaks([master], released.parent)
            if hits:
                raise ValueError(f"{name}: not released, it would show {hits[0]}")
        yield name, released


@contextmanager
def _as_it_was(*folders: Path) -> Iterator[None]:
    """Puts the folders back as they were if what is done with them fails."""
    with tempfile.TemporaryDirectory(prefix="release") as before:
        for number, folder in enumerate(folders):
            if folder.exists():
                shutil.copytree(folder, Path(before, str(number)))
        try:
            yield
        except BaseException:
            for number, folder in enumerate(folders):
                shutil.rmtree(folder, ignore_errors=True)
                if Path(before, str(number)).exists():
                    shutil.copytree(Path(before, str(number)), folder)
            raise


def clean(notebook: Path) -> None:
    """Leaves in a student notebook what it needs: no outputs, no widgets, no foreign metadata.

    Adds a version, by which work that was made from an earlier release is recognised.
    """
    import nbformat

    content = nbformat.read(notebook, as_version=4)
    allowed = ("kernelspec", "course", "language_info")
    content.metadata = {k: content.metadata[k] for k in allowed if k in content.metadata}
    for cell in content.cells:
        allowed = ("nbgrader", "deletable", "editable")
        cell.metadata = {key: cell.metadata[key] for key in allowed if key in cell.metadata}
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    text = "\n".join(cell.source for cell in content.cells)
    content.metadata["course"]["version"] = hashlib.sha256(text.encode()).hexdigest()[:12]
    files.write_whole(notebook, nbformat.writes(content))


def student_tree(course: CourseFolder, target: Path) -> int:
    """Writes the tracked files of the checkout, but masters and their tests, and released sets.

    Returns how many sets it holds. Raises ValueError where `target` is not new or empty, where the
    course does not run from a git checkout, or where a secret was found in what was written.
    """
    checkout = Path(__file__).resolve().parents[2]
    if target.exists() and any(target.iterdir()):
        raise reject("target", str(target), "a new or empty folder")
    command = ["git", "-C", str(checkout), "archive", "--worktree-attributes", "HEAD"]
    packed = subprocess.run(command, capture_output=True, check=False)
    if packed.returncode:
        raise reject("checkout", str(checkout), "a git checkout of the course")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(target, filter="data")
    sets = sorted((course.path / "release").glob("*/*.ipynb"))
    (target / "problem-sets").mkdir(exist_ok=True)
    for notebook in sets:
        shutil.copy(notebook, target / "problem-sets" / notebook.name)
    hits = leaks([masters.load(name) for name in masters.names()], target, by_chance=True)
    if hits:
        shutil.rmtree(target)
        raise ValueError(f"{target}: not written, it would show {hits[0]}")
    return len(sets)
