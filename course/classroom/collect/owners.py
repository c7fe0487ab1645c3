"""Whose is each file of a download? The outermost name that tells a person decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from course.classroom.collect.archives import HandedFile
from course.classroom.collect.platforms import BY_FOLDER, BY_PLATFORM, Claim, Naming, recognise
from course.classroom.collect.times import Moment

WHOSE = "whose is it? Put it in a folder with the student's name"


class Owner(NamedTuple):
    """id, name: see `people.Person`; "" for nobody, with the reason. moment: of the hand-in.

    rank: how deep in archives, and how sure: the owner with the lowest one keeps a name.
    """

    id: str
    name: str
    moment: Moment
    rank: tuple[int, int]
    reason: str = ""


class Owners:
    """The owners of all `files` (file, set) in `place`. What is in an archive that a student handed
    in is the student's: names and times in it count for nothing.
    """

    def __init__(
        self, place: Path, files: Iterable[tuple[HandedFile, str | None]], sets: list[str]
    ) -> None:
        self.place, self.sets = place, sets
        inside: dict[tuple[str, ...], list[tuple[str, str | None]]] = defaultdict(list)
        self.alone: dict[str | None, int] = defaultdict(int)
        for file, chosen in files:
            self.alone[chosen] += 1
            for depth, level in enumerate(file.levels):
                inside[file.levels[:depth]].append((level, chosen))
        self.namings = {archive: Naming(some, sets) for archive, some in inside.items()}
        self.claims_in = cache(self._claims_in)

    def of(self, file: HandedFile, chosen: str | None) -> Owner:
        """The owner of a file that answers the set `chosen`, or nobody and why."""
        moment, reason = file.times[0], WHOSE
        for depth, level in enumerate(file.levels):
            claim = self.namings[file.levels[:depth]].claim(level, chosen)
            moment = file.times[depth]
            if claim.reason:
                return Owner("", "", moment, (depth, claim.source), claim.reason)
            if claim.student:
                archive = file.levels[: depth + 1]
                if self._has(archive) and claim.source != BY_PLATFORM:
                    if self._is_download(archive):
                        continue
                    reason = self._doubt(archive, claim)
                    if reason:
                        return Owner("", "", moment, (depth, claim.source), reason)
                return self._owner(claim, moment, depth)
        if self.alone[chosen] == 1:  # a folder or an archive of one student?
            path = f"{self.place.resolve().stem}/{file.levels[-1]}"
            claim = recognise(path, self.sets)
            if claim.student:
                return self._owner(claim, moment, len(file.levels))
        return Owner("", "", moment, (0, 0), reason)

    def _owner(self, claim: Claim, moment: Moment, depth: int) -> Owner:
        if claim.when is not None:
            moment = Moment(claim.when, claim.zone)
        return Owner(claim.told, claim.name, moment, (depth, claim.source))

    def _claims_in(self, archive: tuple[str, ...]) -> list[tuple[str | None, Claim]]:
        naming = self.namings[archive]
        return [(chosen, naming.claim(level, chosen)) for level, chosen in naming.files]

    def _is_download(self, archive: tuple[str, ...]) -> bool:
        """Whether a platform named most of what lies in this archive and in all those beside it.

        One student alone cannot make it look so, but where nobody else handed in.
        """
        for level in self.namings[archive[:-1]].paths:
            one = (*archive[:-1], level)
            sources = [claim.source for _, claim in self.claims_in(one)] if self._has(one) else []
            if 2 * sources.count(BY_PLATFORM) <= len(sources):
                return False
        return True

    def _doubt(self, archive: tuple[str, ...], claim: Claim) -> str:
        """Why an archive may be a download of many rather than that of one student."""
        beside = {one.student for _, one in self.claims_in(archive[:-1]) if one.source == BY_FOLDER}
        sure = claim.source == BY_FOLDER and len(beside) > 1
        names: dict[str | None, set[str]] = defaultdict(set)
        for chosen, one in self.claims_in(archive):
            if one.student and (one.source == BY_PLATFORM or not sure):
                names[chosen].add(one.student)
        if max(map(len, names.values()), default=0) < 2:
            return ""
        return f"whose is it? {archive[-1]!r} may be of one student or of many: grade it by itself"

    def _has(self, archive: tuple[str, ...]) -> bool:
        return archive in self.namings
