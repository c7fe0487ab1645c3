"""Finds submissions in a folder or archive, whatever learning platform named the files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import Any

from course.arguments import reject
from course.classroom.collect import restore
from course.classroom.collect.platforms import recognise

MOST_FILES, MOST_DEPTH = 20_000, 3


@dataclass
class Submission:
    """One student's file for one set. `notebook` is None where it could not be read."""

    student: str
    name: str
    set: str
    file: str
    when: datetime
    notebook: Any = None
    remarks: list[str] = field(default_factory=list)


def files(place: Path) -> Iterator[tuple[str, bytes | None, datetime]]:
    """(path, content, time) of each notebook in a folder or zip, and in zips within it.

    Links are not followed; nothing is unpacked to disk. Content is None where a file is too large
    or cannot be read.
    """
    if place.is_file():
        archive = place.name.lower().endswith(".zip")
        when = _time(place.stat().st_mtime)
        for name, data, stamp in _content(place.name, place.read_bytes(), when, 0):
            # The name of the whole download is nobody's; that of an archive within it may be.
            yield (name.partition("/")[2] or name) if archive else name, data, stamp
        return
    if not place.is_dir():
        raise reject("submissions", str(place), "a folder or an archive (.zip) with submissions")
    for number, path in enumerate(sorted(place.rglob("*"))):
        if number > MOST_FILES:
            raise reject("submissions", str(place), f"a folder of at most {MOST_FILES} files")
        wanted = (
            path.suffix.lower() in (".ipynb", ".zip") and ".ipynb_checkpoints" not in path.parts
        )
        if not wanted or path.is_symlink() or not path.is_file():
            continue
        if any(parent.is_symlink() for parent in path.relative_to(place).parents if parent.name):
            continue
        when, name = _time(path.stat().st_mtime), path.relative_to(place).as_posix()
        too_large = path.suffix == ".ipynb" and path.stat().st_size > restore.MOST_BYTES
        if too_large:
            yield name, None, when
        else:
            yield from _content(name, path.read_bytes(), when, 0)


def _content(
    name: str, data: bytes, when: datetime, depth: int
) -> Iterator[tuple[str, bytes | None, datetime]]:
    if not name.lower().endswith(".zip"):
        if name.lower().endswith(".ipynb"):
            yield name, data, when
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist()[:MOST_FILES]:
                inner = f"{name[:-4]}/{member.filename}"
                hidden = "__MACOSX" in inner or ".ipynb_checkpoints" in inner
                if hidden or not inner.lower().endswith((".ipynb", ".zip")) or depth >= MOST_DEPTH:
                    continue
                large = member.file_size > restore.MOST_BYTES * (
                    10 if inner.endswith(".zip") else 1
                )
                try:
                    content = None if large else archive.read(member)
                except (RuntimeError, zipfile.BadZipFile, NotImplementedError, OSError):
                    content = None  # encrypted, torn, or packed in an unknown way
                stamp = datetime(*member.date_time, tzinfo=timezone.utc)
                if content is None:
                    yield inner, None, stamp
                else:
                    yield from _content(inner, content, stamp, depth + 1)
    except (zipfile.BadZipFile, ValueError, OSError):
        yield name[:-4] + ".ipynb", None, when


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).replace(microsecond=0)


def which_set(notebook: Any, path: str, releases: dict[str, Any]) -> str | None:
    """The set that a notebook answers: by its metadata, its cells, or its file name."""
    about = notebook.get("metadata") if notebook is not None else None
    about = about.get("course") if isinstance(about, dict) else None
    name = about.get("set") if isinstance(about, dict) else None
    if name in releases:
        return str(name)
    if notebook is not None:
        cells = [cell for cell in notebook.cells if isinstance(cell, dict)]
        ids = {restore.grade_id(cell) for cell in cells} - {""}
        common = {n: len(ids & {restore.grade_id(c) for c in r.cells}) for n, r in releases.items()}
        best = max(common, key=lambda n: common[n], default=None)
        if best and common[best]:
            return best
    lower = path.lower()
    named = [n for n in releases if n.lower() in lower or n.split("-")[0].lower() in lower]
    return named[0] if len(named) == 1 else None


def collect(place: Path, releases: dict[str, Any]) -> tuple[list[Submission], list[str]]:
    """All submissions in `place` for the released sets (name -> student notebook), and a list of
    files left out: of no known set, or of nobody. Of several files of a student the newest counts.
    """
    read = [(path, *_read(data), when) for path, data, when in files(place)]
    paths, known = [path for path, *_ in read], list(releases)
    wanted = [which_set(notebook, path, releases) for path, notebook, *_ in read]
    newest: dict[tuple[str, str], Submission] = {}
    strangers = []
    for (path, notebook, remarks, when), chosen in zip(read, wanted, strict=True):
        if chosen is None:
            strangers.append(f"{path}: {'no set of this course' if notebook else remarks[0]}")
            continue
        student, name, stamp = recognise(path, known, paths)
        if not student and wanted.count(chosen) == 1:  # a folder or an archive of one student?
            student, name, stamp = recognise(f"{place.resolve().stem}/{path}", known)
        if not student:
            strangers.append(f"{path}: whose is it? Put it in a folder with the student's name")
            continue
        one = Submission(student, name, chosen, path, stamp or when, None, remarks)
        if notebook is not None:
            one.notebook, mended = restore.mend(notebook, releases[chosen])
            one.remarks += mended
            if chosen not in PurePosixPath(path).stem:  # platforms put more beside it
                one.remarks.append(f"file was named {PurePosixPath(path).name!r}")
        other = newest.get((student, chosen))
        if other is not None:
            order = (one.notebook is not None, one.when), (other.notebook is not None, other.when)
            kept, dropped = (one, other) if order[0] >= order[1] else (other, one)
            kept.remarks.append(f"more than one file: {dropped.file!r} was left aside")
            one = kept
        newest[student, chosen] = one
    return sorted(newest.values(), key=lambda s: (s.set, s.student)), strangers


def _read(data: bytes | None) -> tuple[Any, list[str]]:
    """The notebook in `data`, or None, with remarks: the first says why there is none."""
    if data is None:
        return None, ["the file is too large or cannot be read"]
    try:
        return restore.read(data)
    except restore.Unreadable as problem:
        return None, [str(problem)]
