"""A round of grading: collect, run what has changed, keep the results, write grades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from course.arguments import reject
from course.classroom.collect import submissions
from course.classroom.grade import pool, report
from course.classroom.grade.results import (
    Result,
    digest,
    file_in,
    load,
    read_scores,
    releases,
    rewritten,
    save,
    unreadable,
)
from course.classroom.release import release

Tick = Callable[[Result, int], None]  # a result, and how many there will be


@dataclass
class Round:
    """What a round brought: results by set and student, files left out, how many stayed as before,
    and whose points changed (set, student, before, now)."""

    results: list[Result] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    skipped: int = 0
    changed: list[tuple[str, str, float, float]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    left: int = 0  # submissions that Ctrl-C kept from being graded


def hand_in(
    course: Path,
    place: Path,
    sets: Iterable[str] = (),
    *,
    again: bool = False,
    workers: int | None = None,
    wall: float = pool.WALL,
    tick: Tick = lambda result, total: None,
) -> Round:
    """Collects the submissions in `place` and grades those that are new or have changed.

    Raises ValueError where nothing in `place` belongs to a released set.
    """
    found, strangers = submissions.collect(place, releases(course, sets))
    if not found:
        example = f": {strangers[0]}" if strangers else ""
        raise ValueError(f"submissions = {place}: no notebook of these sets in it{example}")
    before = {(r.set, r.student): r for r in load(course)}
    made = Round(strangers=strangers)
    jobs = []
    changed: dict[tuple[str, str], list[str]] = {}
    for one in found:
        key = (one.set, one.student)
        done = before.get(key)
        if one.notebook is None and done is not None and done.status != "unreadable":
            remark = f"a later file was left aside: {one.remarks[0]}"
            one.remarks = [*(r for r in done.remarks if r != remark), remark]
            made.results.append(done)
            continue
        changed[key] = rewritten(course, one)
        digest = file_in(course, one)
        unchanged = done is not None and done.status == "graded" and done.digest == digest
        if one.notebook is None:
            made.results.append(unreadable(course, one))
        elif done is not None and unchanged and not again:
            made.results.append(done)
            made.skipped += 1
        else:
            jobs.append(key)
    _run(made, course, jobs, workers, wall, tick)
    submitted = {(one.set, one.student): one for one in found}
    for result in made.results:
        one = submitted[result.set, result.student]
        result.name, result.remarks = one.name, one.remarks
        key, old = (one.set, one.student), before.get((one.set, one.student))
        other = {*changed.get(key, []), *(old.outdated if old else [])}
        result.outdated = sorted(name for name in other if result.cells.get(name) is not None)
    return _close(course, made, before)


def again(
    course: Path,
    sets: Iterable[str] = (),
    students: Iterable[str] = (),
    *,
    masters: Path | None = None,
    workers: int | None = None,
    tick: Tick = lambda result, total: None,
) -> Round:
    """Releases `sets` again from their masters and grades again what was handed in.

    Marks given by hand and remarks on what was handed in stay.
    """
    chosen, some = list(releases(course, sets)), set(students)
    before = {(r.set, r.student): r for r in load(course)}
    jobs = [
        (name, student)
        for (name, student), result in before.items()
        if name in chosen and (not some or student in some) and result.status != "unreadable"
    ]
    unknown = some - {student for _, student in jobs}
    if unknown:
        raise reject("student", ", ".join(sorted(unknown)), "one whose work can be graded again")
    for _ in release(course, chosen, masters):
        pass
    made = Round()
    _run(made, course, jobs, workers, pool.WALL, tick)
    for result in made.results:
        old = before[result.set, result.student]
        result.name, result.remarks, result.outdated = old.name, old.remarks, old.outdated
    return _close(course, made, before)


def marks(course: Path, file: Path) -> Round:
    """Takes the points of a filled-in written.csv and writes the feedback again."""
    from course.classroom.grade import worker

    before = {(r.set, r.student): r for r in load(course)}
    made = Round()
    for name, student in report.read_marks(course, file):
        worker.feedback(course, name, student)
        result = Result(**{**vars(before[name, student]), "outdated": []})
        read_scores(course, result)
        made.results.append(result)
    return _close(course, made, before)


def _run(
    made: Round,
    course: Path,
    jobs: list[tuple[str, str]],
    workers: int | None,
    wall: float,
    tick: Tick,
) -> None:
    """Grades `jobs`; what is done when Ctrl-C comes is kept."""
    before = len(made.results)
    try:
        for result in pool.grade(course, jobs, workers=workers, wall=wall):
            result.digest = digest(course, result.set, result.student)
            made.results.append(result)
            tick(result, len(jobs))
    except KeyboardInterrupt:
        made.left = len(jobs) - (len(made.results) - before)


def _close(course: Path, made: Round, before: dict[tuple[str, str], Result]) -> Round:
    made.results.sort(key=lambda r: (r.set, r.student))
    for r in made.results:
        old = before.get((r.set, r.student))
        if old is not None and old.score != r.score:
            made.changed.append((r.set, r.student, old.score, r.score))
    save(course, made.results)
    everything = load(course)
    written = report.write_written(course, everything)
    made.files = report.write_grades(course, everything) + ([written] if written else [])
    return made
