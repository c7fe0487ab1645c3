"""A round of grading in three acts: collect what was handed in, run what is new, write grades."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from course.arguments import reject
from course.classroom.collect import submissions
from course.classroom.collect.submissions import Submission
from course.classroom.folder import CourseFolder
from course.classroom.grade import filing, pool, tables
from course.classroom.grade.results import Outcome, Result, load, read_points, save, without_points
from course.classroom.release import release

Key = tuple[str, str]  # set, student
Tick = Callable[[Result, int], None]  # a result, and how many there will be


def hand_in(
    course: CourseFolder,
    place: Path,
    sets: Iterable[str] = (),
    *,
    again: bool = False,
    workers: int | None = None,
    wall: float = pool.WALL,
    tick: Tick = lambda result, total: None,
) -> Outcome:
    """The outcome of collecting `place` and grading what is new or has changed.

    Raises ValueError where nothing in `place` belongs to a released set.
    """
    before = load(course)
    names = {student: result.name for (_, student), result in before.items()}
    handed_in, strangers = submissions.collect(place, course.releases(sets), names)
    if not handed_in:
        example = f": {strangers[0]}" if strangers else ""
        raise ValueError(f"submissions = {place}: no notebook of these sets in it{example}")
    outcome = Outcome(strangers=strangers)
    jobs: dict[Key, Submission] = {}
    rewritten: dict[Key, list[str]] = {}
    for one in handed_in:
        key = (one.set, one.student)
        old = before.get(key)
        try:
            if old is not None and filing.same(course, one):
                one.when = min(one.when, _time(old) or one.when)  # the same work, seen again
            elif old is not None and _counts_before(old, one):
                outcome.results.append(_left_aside(one, old))
                continue
            rewritten[key] = [*filing.rewritten(course, one), *(old.outdated if old else [])]
            filing.put_on_file(course, one)
            if one.notebook is None:
                empty = Result(one.student, "", one.set, "unreadable")
                outcome.results.append(_about(without_points(course, empty), one))
            elif old is not None and not again and _unchanged(course, old):
                outcome.skipped += 1
                outcome.results.append(_about(replace(old), one))
            else:
                jobs[key] = one
        except Exception as problem:  # of whatever kind: the others are graded
            outcome.results.append(_not_taken_in(one, old, problem))
    for result in _run(outcome, course, jobs, workers, wall, tick):
        _about(result, jobs[result.key])
        marked = {name for name, points in result.cells.items() if points is not None}
        result.outdated = sorted(marked & set(rewritten[result.key]))
    return _finish(course, outcome, before)


def regrade(
    course: CourseFolder,
    sets: Iterable[str] = (),
    students: Iterable[str] = (),
    *,
    masters: Path | None = None,
    workers: int | None = None,
    tick: Tick = lambda result, total: None,
) -> Outcome:
    """The outcome of releasing `sets` anew from their masters and grading again what was handed in.

    Marks given by hand and remarks on what was handed in stay.
    """
    names, some = list(course.releases(sets)), set(students)
    before = load(course)
    jobs = [
        (name, student)
        for (name, student), result in before.items()
        if name in names and (not some or student in some) and result.status != "unreadable"
    ]
    unknown = some - {student for _, student in jobs}
    if unknown:
        raise reject("student", ", ".join(sorted(unknown)), "one whose work can be graded again")
    for _ in release(course, names, masters):
        pass
    outcome = Outcome()
    for result in _run(outcome, course, jobs, workers, pool.WALL, tick):
        old = before[result.key]
        result.name, result.when = old.name, old.when
        result.remarks, result.outdated = old.remarks, old.outdated
    return _finish(course, outcome, before)


def take_marks(course: CourseFolder, file: Path) -> Outcome:
    """The outcome of a filled-in written.csv: its points, and feedback written again."""
    before = load(course)
    outcome = Outcome()
    for name, student in tables.read_marks(course, file):
        course.converter("GenerateFeedback", name, student).start()
        result = replace(before[name, student], outdated=[])
        read_points(course, result)
        outcome.results.append(result)
    return _finish(course, outcome, before)


def _time(result: Result) -> datetime | None:
    """When the work of `result` was handed in, None where an earlier version did not keep it."""
    return datetime.fromisoformat(result.when) if result.when else None


def _counts_before(old: Result, one: Submission) -> bool:
    """Whether what is on file counts and not `one`: that one is older, or cannot be read."""
    if old.status == "unreadable":
        return False
    time = _time(old)
    return one.notebook is None or (time is not None and one.when < time)


def _left_aside(one: Submission, old: Result) -> Result:
    """`old` with a remark that `one` came in and does not count."""
    if one.notebook is None:
        why = f"a later file was left aside: {one.remarks[0]}"
    else:
        why = f"an older one was left aside: {one.file!r} of {one.when:%Y-%m-%d %H:%M}"
    return replace(old, name=one.name, remarks=[*(r for r in old.remarks if r != why), why])


def _not_taken_in(one: Submission, old: Result | None, problem: Exception) -> Result:
    """What came before, or nothing, with a remark that `one` could not be dealt with."""
    why = f"could not be taken in: {type(problem).__name__}: {problem}"
    if old is None:
        return _about(Result(one.student, "", one.set, "unreadable", incidents=[why]), one)
    return replace(old, remarks=[*(r for r in old.remarks if r != why), why])


def _unchanged(course: CourseFolder, old: Result) -> bool:
    return old.status == "graded" and old.digest == filing.digest(course, old.set, old.student)


def _about(result: Result, one: Submission) -> Result:
    """`result` with what was said of the hand-in: whose, when, what had to be mended."""
    result.name, result.remarks, result.when = one.name, one.remarks, one.when.isoformat()
    return result


def _run(
    outcome: Outcome,
    course: CourseFolder,
    jobs: Collection[Key],
    workers: int | None,
    wall: float,
    tick: Tick,
) -> list[Result]:
    """The results of `jobs`, added to the outcome; what is done when Ctrl-C comes is kept."""
    results: list[Result] = []
    with closing(pool.grade(course, jobs, workers=workers, wall=wall)) as graded:
        try:
            for result in graded:
                result.digest = filing.digest(course, result.set, result.student)
                results.append(result)
                tick(result, len(jobs))
        except KeyboardInterrupt:
            outcome.ungraded = len(jobs) - len(results)
    outcome.results += results
    return results


def _finish(course: CourseFolder, outcome: Outcome, before: Mapping[Key, Result]) -> Outcome:
    """`outcome` on file and in tables, with whose points it changed."""
    outcome.results.sort(key=lambda result: result.key)
    for result in outcome.results:
        old = before.get(result.key)
        if old is not None and old.score != result.score:
            outcome.changed.append((*result.key, old.score, result.score))
    save(course, outcome.results)
    everything = list(load(course).values())
    outcome.files = tables.write_grades(course, everything)
    outcome.files += tables.write_imports(course, everything)
    written = tables.write_written(course, everything)
    outcome.files += [written] if written else []
    return outcome
