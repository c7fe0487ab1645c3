"""A folder for each person: two people never get the same one."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from course.classroom.collect.platforms import tidy


class Person(NamedTuple):
    """id: as it stands in names of files; name: as a platform gives it, or ""."""

    id: str
    name: str = ""


def folder_names(
    people: Iterable[Person], recorded: Mapping[str, str]
) -> dict[Person, tuple[str, str]]:
    """Person -> (folder, remark). `recorded`: folder -> the name on record from earlier rounds.

    The folder is the tidied id. Where two people would share it, in this round or with an earlier
    one, a few letters that depend on both id and name are added, and the remark says so. People
    with one id are the same person unless a platform gives them different names.
    """
    by_folder: dict[str, list[Person]] = defaultdict(list)
    for person in people:  # file systems may take capitals for small letters
        by_folder[tidy(person.id).casefold()].append(person)
    folders = {}
    for rivals in by_folder.values():
        for person in rivals:
            plain, own = tidy(person.id), f"{tidy(person.id)[:70]}-{_letters(person)}"
            others = [rival for rival in rivals if _differ(person, rival)]
            others += [
                rival
                for folder, name in recorded.items()
                if folder.casefold() == plain.casefold()
                and _differ(person, rival := _on_record(folder, name))
            ]
            if not others and own not in recorded:
                folders[person] = plain, ""
                continue
            told = ", ".join(sorted({repr(" ".join(filter(None, other))) for other in others}))
            remark = f"kept apart from {told}, whose name is too alike" if others else ""
            folders[person] = own, remark
    return folders


def _differ(one: Person, other: Person) -> bool:
    """Whether they may be two people."""
    if _canonical(one.id) != _canonical(other.id):
        return True
    return bool(one.name and other.name) and _canonical(one.name) != _canonical(other.name)


def _on_record(folder: str, name: str) -> Person:
    """The person of an earlier round: without a platform, the name on record is the id itself."""
    return Person(name) if tidy(name) == folder else Person(folder, name)


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _letters(person: Person) -> str:
    parts = (_canonical(person.id), _canonical(person.name))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:6]
