"""A folder into which work is put: when something has arrived there, and is there as a whole."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

PAUSE = 5.0  # seconds between two looks
PATIENCE = 24  # looks at an archive that has no end and does not grow, until it is taken as it is

State = dict[Path, tuple[int, int]]


def arrivals(
    place: Path, wait: Callable[[], None] = lambda: time.sleep(PAUSE)
) -> Iterator[list[Path]]:
    """The files that are new or other ones, whenever all in `place` have stopped to change.

    An archive that is still being copied has no end yet, and is waited for. `wait` passes the time
    between two looks; never ends by itself.
    """
    known: State = {}
    previous: State = {}
    looks = 0
    while True:
        state = _state(place)
        looks = looks + 1 if state == previous else 0
        if looks and state != known and (looks >= PATIENCE or all(map(_whole, state))):
            yield [path for path in state if state[path] != known.get(path)]
            known = state
        previous = state
        wait()


def _state(place: Path) -> State:
    """Size and time of each file in `place`."""
    state: State = {}
    for path in sorted(place.rglob("*")):
        try:
            about = path.lstat()
        except FileNotFoundError:  # taken away while we looked
            continue
        if path.is_file():
            state[path] = (about.st_size, about.st_mtime_ns)
    return state


def _whole(path: Path) -> bool:
    """Whether an archive has its end: a zip's table of contents is written last."""
    return path.suffix.lower() != ".zip" or zipfile.is_zipfile(path)
