"""From a folder or archive to submissions: files -> (who, which set, when, notebook or reason)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat

from course.classroom.collect import archives, restore
from course.classroom.collect.archives import HandedFile
from course.classroom.collect.owners import Owner, Owners
from course.classroom.collect.people import Person, folder_names
from course.classroom.collect.times import NONE, Moment, in_doubt

MOST_NAMED = 20  # files beside a submission that its remarks name


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


@dataclass
class Work:
    """A file that was read: the set it answers and the mended notebook, or why there is none.

    `counts`: it was meant to be a notebook, so that it is on record even where it is none.
    """

    file: HandedFile
    set: str | None
    notebook: Any
    remarks: list[str]
    counts: bool


def collect(
    place: Path, releases: dict[str, Any], recorded: Mapping[str, str] | None = None
) -> tuple[list[Submission], list[str]]:
    """All submissions in `place` for the released sets (name -> student notebook), and a line for
    each file that is left out, with the reason. Of several files of a student the newest counts.

    `recorded`: student -> name of earlier rounds, so that nobody gets the folder of another one.
    """
    works = [read(file, releases) for file in archives.files(place)]
    owners = Owners(place, [(work.file, work.set) for work in works], list(releases))
    owned = [(work, owners.of(work.file, work.set)) for work in works]
    people = [Person(owner.id, owner.name) for _, owner in owned if owner.id]
    folders = folder_names(people, recorded or {})
    rivals: dict[tuple[str, str], list[tuple[Work, Owner]]] = defaultdict(list)
    rest: list[tuple[Work, str]] = []  # work that is no submission, its student or ""
    for work, owner in owned:
        student = folders[Person(owner.id, owner.name)][0] if owner.id else ""
        if student and work.set is not None and work.counts:
            rivals[work.set, student].append((work, owner))
        else:
            if not student and work.set is not None and work.counts:
                work.remarks.insert(0, owner.reason)
            rest.append((work, student))
    submissions, strangers = {}, []
    for (chosen, student), several in sorted(rivals.items(), key=lambda item: item[0]):
        one, others = _newest(chosen, student, several)
        one.remarks += filter(None, {folders[Person(o.id, o.name)][1] for _, o in several})
        submissions[chosen, student] = one
        strangers += others
    for work, student in rest:
        if not _beside(work, [s for (_, owner), s in submissions.items() if owner == student]):
            strangers.append(f"{work.file.path}: {work.remarks[0]}")
    for one in submissions.values():
        _shorten(one)
    return list(submissions.values()), strangers


def read(file: HandedFile, releases: dict[str, Any]) -> Work:
    """What a file holds. Whatever goes wrong with it is a remark on it, and stops no other one."""
    last = file.levels[-1].lower()
    counts = ".ipynb" in last or last.endswith(archives.ZIPS + archives.TARS)
    counts = counts and file.is_file
    notebook, chosen, remarks = None, None, [file.reason]
    unloaded = file._replace(data=None)  # a class hands in more bytes than memory should hold
    try:
        if file.data is not None:
            submitted, remarks = restore.read(file.data)
            counts = True
            chosen = which_set(submitted, file.path, releases)
            if chosen is None:
                remarks.insert(0, "no set of this course")
            else:
                mended, said = restore.mend(submitted, releases[chosen])
                nbformat.writes(mended).encode()  # what cannot be written cannot be graded
                notebook = mended
                remarks += said
                if chosen not in PurePosixPath(last).stem:  # platforms put more beside it
                    name = PurePosixPath(file.levels[-1]).name
                    remarks.append(f"file was named {name!r}")
            return Work(unloaded, chosen, notebook, remarks, counts)
    except restore.Unreadable as problem:
        remarks = [str(problem)]
    except Exception as problem:
        remarks = [f"the notebook cannot be dealt with ({type(problem).__name__})"]
    if not counts and file.data is not None:
        remarks = [f"no notebook ({remarks[0]})"]
    chosen = chosen or which_set(None, file.path, releases)
    return Work(unloaded, chosen, None, remarks, counts)


def which_set(notebook: Any, path: str, releases: dict[str, Any]) -> str | None:
    """The set that a notebook answers: by its metadata, its cells, or its file name."""
    about = notebook.get("metadata") if notebook is not None else None
    about = about.get("course") if isinstance(about, dict) else None
    name = about.get("set") if isinstance(about, dict) else None
    if isinstance(name, str) and name in releases:
        return name
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


def _newest(
    chosen: str, student: str, several: list[tuple[Work, Owner]]
) -> tuple[Submission, list[str]]:
    """The submission that counts, and a line for each file of another's that names the student."""
    surest = min(owner.rank for _, owner in several)
    ours = [(work, owner) for work, owner in several if owner.rank == surest]
    lines = [
        f"{work.file.path}: names {student!r}, whose own hand-in is {ours[0][0].file.path!r}"
        for work, owner in several
        if owner.rank != surest
    ]
    work, owner = max(
        reversed(ours), key=lambda one: (one[0].notebook is not None, one[1].moment.order)
    )
    name = owner.name or (owner.id if owner.id != student else "")
    path, moment = work.file.path, owner.moment
    when = moment.when.replace(microsecond=0)
    one = Submission(student, name, chosen, path, when, work.notebook, work.remarks)
    for other, its in ours:
        if other is work:
            continue
        one.remarks.append(f"more than one file: {other.file.path!r} was left aside")
        if (other.notebook is None) == (work.notebook is None) and in_doubt(moment, its.moment):
            one.remarks.append(_assumed(work, moment, other, its.moment))
    return one, lines


def _assumed(work: Work, moment: Moment, other: Work, its: Moment) -> str:
    """What was assumed to tell the newer of two files."""
    for one, time in ((work, moment), (other, its)):
        if time.zone == NONE:
            return f"{one.file.path!r} has no time: taken as the older one"
    zone = datetime.now().astimezone().strftime("UTC%z")
    one = work if moment.zone != "known" else other
    return f"the time of {one.file.path!r} has no zone: read as {zone}, this machine's"


def _beside(work: Work, submissions: list[Submission]) -> bool:
    """Notes a file that is no submission with the student's nearest one, if there is any."""
    path = work.file.path
    nearest = max(submissions, key=lambda s: _in_common(s.file, path), default=None)
    if nearest is not None:
        nearest.remarks.append(f"handed in beside it, left aside: {path!r} ({work.remarks[0]})")
    return nearest is not None


def _in_common(one: str, other: str) -> int:
    """How many parts two paths have in common from the left."""
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))


def _shorten(one: Submission) -> None:
    """Leaves `MOST_NAMED` of the remarks on files that were left aside, and says how many more."""
    aside = [remark for remark in one.remarks if "left aside" in remark]
    if len(aside) > MOST_NAMED:
        others = [remark for remark in one.remarks if "left aside" not in remark]
        more = f"and {len(aside) - MOST_NAMED} more files were left aside"
        one.remarks = [*others, *aside[:MOST_NAMED], more]
