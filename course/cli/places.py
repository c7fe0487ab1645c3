"""For `course check`: where notebooks, predictions and data are, and whether they can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from course import data as sets
from course.cli import lab
from course.cli.finding import AGAIN, Finding, unwritable
from course.selfcheck import answers


def notebooks() -> Iterator[Finding]:
    """The course's notebooks, and the working copy that `course lab` opens."""
    folder = lab.notebooks()
    count = len(list(folder.glob("*.ipynb")))
    yield Finding("notebooks", f"{count} in {folder}", None if count else AGAIN)
    advice = "say where with: course lab --copy DIR"
    try:
        copy = lab.home_copy()
    except ValueError as error:
        yield Finding("your copy", str(error).partition(":")[0], advice)
        return
    if reason := unwritable(copy):
        yield Finding("your copy", f"{copy}: {reason}", advice)
    else:
        state = "in" if copy.exists() else "made by `course lab` in"
        yield Finding("your copy", f"{state} {copy}")


def predictions() -> Iterator[Finding]:
    """Whether the answers that are locked can be put on file."""
    advice = "set COURSE_RECORDS to a file in a folder of yours; else predictions are not kept"
    try:
        file = answers.path()
    except OSError as error:
        yield Finding("predictions", str(error.strerror), advice)
        return
    reason = unwritable(file.parent)
    try:
        if not reason and file.exists():
            file.open("ab").close()
    except OSError as error:
        reason = str(error.strerror)
    text = f"{file}: {reason}" if reason else f"kept in {file}"
    yield Finding("predictions", text, advice if reason else None)


def data() -> Iterator[Finding]:
    """Where each data set would be read from. One that would be downloaded is no problem."""
    advice = "set XDG_CACHE_HOME to a folder of yours, or COURSE_DATA to one with the data"
    try:
        reason = unwritable(sets.cache())
        reason = reason and f"{sets.cache()}: {reason}"
    except sets.DataError as error:
        reason = str(error).partition(".")[0]
    for name in sets.NAMES:
        try:
            place = sets.where(name)
        except ValueError as error:
            yield Finding(name, str(error), "mend or unset COURSE_DATA")
            continue
        if place is None and reason:
            yield Finding(name, f"not here, and cannot be downloaded: {reason}", advice)
        else:
            yield Finding(name, place or "not here; downloaded when first used")
