"""The commands `course assign`, `course grade`, `course regrade` and `course quiz`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import click

from course.arguments import reject
from course.classroom import master, quizzes
from course.classroom.folder import CourseFolder
from course.classroom.grade import report
from course.classroom.grade.results import Outcome, Result
from course.classroom.run import sandbox

FOLDER = click.Path(path_type=Path, file_okay=False)
course_option = click.option(
    "--course",
    type=FOLDER,
    default=Path(),
    show_default="the current folder",
    help="Your course folder, made by: course assign new",
)
masters_option = click.option(
    "--masters",
    type=FOLDER,
    help="A folder with masters of your own. The default are those of the repository.",
)
workers_option = click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="How many submissions at a time. The default is 1.5 x the number of processors.",
)


def _nbgrader() -> None:
    """ValueError with what to do, where the instructor's extra is not installed."""
    if sys.platform == "win32":
        raise ValueError("on Windows the instructor's commands need WSL: grading uses POSIX limits")
    missing = [name for name in ("nbgrader", "jupytext", "pebble") if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} not found: this command is for instructors; "
            "install the course with its extra, very-deep-networks-course[instructor]"
        )


@click.group()
def assign() -> None:
    """Problem sets: list them, make a course folder, release them to students."""
    _nbgrader()


@assign.command("list")
@masters_option
def list_sets(masters: Path | None) -> None:
    """The problem sets, with the notebook that each belongs to."""
    click.echo(
        f"{'set':<24} {'part':<5} {'notebook':<9} {'min':>4} {'points':>7} {'by hand':>8}  title"
    )
    for name in master.names(masters):
        one = master.load(name, masters)
        click.echo(
            f"{name:<24} {one.part:<5} {one.notebook:<9} {one.minutes:>4} "
            f"{one.automatic + one.by_hand:>7g} {one.by_hand:>8g}  {one.title}"
        )


@assign.command()
@click.argument("folder", type=FOLDER)
def new(folder: Path) -> None:
    """Make a course folder of nbgrader's kind, in a place of your own."""
    path = CourseFolder.lay_out(folder).path
    click.echo(f"course folder: {path}")
    try:
        click.echo(sandbox.describe(sandbox.isolation(), sandbox.Limits()))
    except PermissionError as problem:  # releases can be made here all the same
        click.echo(f"no grading on this machine: {problem}")
    click.echo(f"next: course assign release --course {path}")


@assign.command()
@click.argument("sets", nargs=-1)
@course_option
@masters_option
def release(sets: tuple[str, ...], course: Path, masters: Path | None) -> None:
    """Write the student version of SETS (all of them by default) to release/.

    Solutions and hidden tests are taken out; what is written is searched for them, and nothing is
    released if one is found. Safe to repeat.
    """
    from course.classroom.release import release

    folder = CourseFolder(course)
    names = list(sets) or master.names(masters)
    paths = []
    with click.progressbar(length=len(names), label="release") as bar:
        for _, path in release(folder, names, masters):
            paths.append(path)
            bar.update(1)
    for path in paths:
        click.echo(path)


@assign.command()
@click.argument("target", type=FOLDER)
@course_option
def tree(target: Path, course: Path) -> None:
    """Write the students' repository to TARGET: the course and the released sets, no secrets.

    From a git checkout of the course. What is written is searched for every solution and hidden
    test, and removed if one is found. Publish this, not the repository with the masters.
    """
    from course.classroom.release import student_tree

    count = student_tree(CourseFolder(course), target)
    click.echo(f"{target}: {count} problem sets in problem-sets/")


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--set", "sets", multiple=True, help="Only this set. May be given more than once.")
@click.option("--again", is_flag=True, help="Grade also what has not changed since the last time.")
@click.option(
    "--watch", is_flag=True, help="Stay, and grade what arrives in the folder; Ctrl-C ends it."
)
@course_option
@workers_option
def grade(
    submissions: Path,
    sets: tuple[str, ...],
    again: bool,
    watch: bool,
    course: Path,
    workers: int | None,
) -> None:
    """Collect SUBMISSIONS (a folder or .zip), autograde them, write grades and feedback.

    Understands the file names of Moodle, Canvas, Blackboard, Brightspace, Sakai and nbgrader, a
    folder for each student, and files with the student's name. Each submission runs under limits,
    in a sandbox where the system has one; a broken one never stops the others.

    Writes grades.csv, grades-SET.csv, moodle-SET.csv and canvas.csv (to be imported there),
    feedback/STUDENT/SET/SET.html, and written.csv with the answers to be marked by hand (fill in
    its points, then: course regrade --marks written.csv).
    """
    _nbgrader()
    from course.classroom.grade import rounds
    from course.classroom.grade.arrivals import arrivals

    folder = CourseFolder(course)
    click.echo(sandbox.describe(sandbox.isolation(), folder.limits))

    def one_round() -> None:
        with _bar() as tick:
            outcome = rounds.hand_in(
                folder, submissions, sets, again=again, workers=workers, tick=tick
            )
        for stranger in outcome.strangers:
            click.echo(f"left out: {stranger}")
        if outcome.skipped:
            click.echo(f"unchanged, not run again: {outcome.skipped}")
        _tell(folder, outcome)

    if not watch:
        one_round()
        return
    if not submissions.is_dir():
        raise reject("submissions", str(submissions), "a folder, to be watched")
    click.echo(f"watching {submissions}: Ctrl-C ends it")
    try:
        for paths in arrivals(submissions):
            click.echo("arrived: " + ", ".join(path.name for path in paths))
            try:
                one_round()
            except ValueError as problem:  # nothing of ours among them
                click.echo(problem)
    except KeyboardInterrupt:
        click.echo("stopped: what was graded is on file")


@click.command()
@click.argument("sets", nargs=-1)
@click.option("--student", "students", multiple=True, help="Only this student.")
@click.option(
    "--marks",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take the points of a filled-in written.csv; nothing is run again.",
)
@course_option
@masters_option
@workers_option
def regrade(
    sets: tuple[str, ...],
    students: tuple[str, ...],
    marks: Path | None,
    course: Path,
    masters: Path | None,
    workers: int | None,
) -> None:
    """Grade SETS again after their masters were mended, from the work that was handed in.

    Marks given by hand stay. Says whose points changed.
    """
    _nbgrader()
    from course.classroom.grade import rounds

    folder = CourseFolder(course)
    if marks is not None:
        outcome = rounds.take_marks(folder, marks)
    else:
        with _bar() as tick:
            outcome = rounds.regrade(
                folder, sets, students, masters=masters, workers=workers, tick=tick
            )
    for name, student, before, now in outcome.changed:
        click.echo(f"{name} {student}: {before:g} -> {now:g}")
    if not outcome.changed:
        click.echo("nobody's points changed")
    _tell(folder, outcome)


@contextmanager
def _bar() -> Iterator[Callable[[Result, int], None]]:
    """A progress bar that learns its length with the first result."""
    from tqdm import tqdm

    with tqdm(desc="grade", unit="submission", leave=False, disable=None) as bar:

        def tick(result: Result, total: int) -> None:
            bar.total = total
            bar.set_postfix_str(result.student, refresh=False)
            bar.update(1)

        yield tick


def _tell(folder: CourseFolder, outcome: Outcome) -> None:
    click.echo(report.summary(outcome.results))
    for path in outcome.files:
        click.echo(path)
    click.echo(f"feedback: {folder.path / 'feedback'}")
    if outcome.ungraded:
        click.echo(f"stopped, {outcome.ungraded} left: the same command again goes on from here")
        raise click.Abort


@click.group()
def quiz() -> None:
    """Predictions of the notebooks: export your own, or sum up those of a class."""


@quiz.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def export(target: Path) -> None:
    """Write your predictions to the file TARGET (.jsonl), without name and time, to hand in."""
    click.echo(f"{quizzes.export(target)} predictions written to {target}")


@quiz.command("summary")
@click.argument("predictions", type=click.Path(path_type=Path))
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write the counts here too.")
@click.option(
    "--least",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Show only questions that so many answered: few answers are not anonymous.",
)
def sum_up(predictions: Path, table: Path | None, least: int) -> None:
    """How a class answered before and after, from the files in PREDICTIONS (a folder or .zip).

    The question with the most stubborn wrong answer comes first; * marks the right one.
    """
    questions, students = quizzes.collect(predictions)
    click.echo(quizzes.summary(questions, students, least))
    if table is not None:
        quizzes.write_csv(questions, table, least)
        click.echo(table)
