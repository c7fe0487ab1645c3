"""Whose submission is it? From its path, whatever learning platform named the files.

Platforms and instructors choose the outer parts of a path, students the inner ones: the outermost
name that tells a person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from pathlib import PurePosixPath
from typing import NamedTuple

from course.classroom.collect import folders, times

# How platforms name what an instructor downloads; each is tried where a part of a path begins.
PLATFORMS = {
    "Moodle": r"(?P<name>[^/]+?)_(?P<student>\d+)_assignsubmission_\w*?(?:file|onlinetext)",
    "Blackboard": r"(?P<student>[^/]+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})",
    "Brightspace": (
        r"(?P<student>\d+)-\d+ - (?P<name>[^/]+?) - "
        r"(?P<when>(?:(?! - )[^/])*\d{4}(?:(?! - )[^/])*)(?: - |/|$)"
    ),
    "Sakai": r"(?P<name>[^/]+)\((?P<student>[^()/]+)\)/(?P<attached>Submission attachment\(s\)/)?",
    "nbgrader exchange": r"(?P<student>[^/+]+)\+[^/+]+\+(?P<when>\d{4}-[^/+]+)[^/]*/",
    "Canvas": r"(?P<name>[^/_]+?)(?:_LATE)?_(?P<student>\d+)_\d+_[^/]+(?:$|/)",
    "Teams": r"(?:Submitted|Working) files/(?P<student>[^/]+)/",
}
_PATTERNS = {platform: re.compile(pattern) for platform, pattern in PLATFORMS.items()}
# What stands in names of files and folders that is no student: "final v2", "Submission 1".
_WORDS = set(
    """
    copy of final draft old new mine my v version attempt try take solved solution solutions answer
    answers submitted submission submissions work homework hw code src notebook notebooks file files
    problem exercise set sets problemset problemsets exerciseset exercisesets problems assignment
    assignments untitled download downloads week backup zip zipped archive export moodle canvas
    blackboard brightspace sakai teams onedrive sharepoint
    """.split()  # noqa: SIM905
)
COUNT = re.compile(r"[\s\d_.()-]{0,4}")
BY_PLATFORM, BY_FOLDER, BY_FILE = range(3)  # who says so: the surest first


class Claim(NamedTuple):
    """Whose a file is, as its path says it.

    student: an id that is safe as a folder's name, "" where nothing tells; name: as a platform
    gives it; when, zone: of the hand-in (see `times.Moment`); told: the id as it stands in the
    path; source: who says so; reason: why nothing tells.
    """

    student: str
    name: str = ""
    when: datetime | None = None
    zone: str = times.NONE
    told: str = ""
    source: int = BY_FILE
    reason: str = ""


def recognise(path: str, sets: list[str], beside: Sequence[str] = ()) -> Claim:
    """The claim of one path among others (`beside`) of the same folder or archive."""
    return Naming([(one, None) for one in (path, *beside)], sets).claim(path)


class Naming:
    """How the files of one folder or archive are named: `files` are (path, set or None) pairs."""

    def __init__(self, files: Iterable[tuple[str, str | None]], sets: list[str]) -> None:
        self.sets = sets
        self.files = sorted(set(files), key=str)
        self.paths = [path for path, _ in self.files]
        self._canvas: dict[str, set[str]] = {}

    def claim(self, path: str, chosen: str | None = None) -> Claim:
        """Whose `path` is, which answers the set `chosen`: by a platform's naming of it, by the
        folder of the student, or by what the file's name says beside that of the set.

        A folder of many files with names of their own is nobody's.
        """
        claim = self._by_platform(path)
        if claim is not None:
            return claim
        own, folder = self._said(path), PurePosixPath(path).parent
        others = self._said_in[folder]
        if len(set(others) - {""}) > 1 and sum(map(bool, others)) * 2 > len(others):
            return _plain(own, BY_FILE)
        steps = self._steps(path)
        if steps:
            owner = self._owners[chosen].get(steps)
            if owner is None:
                reason = f"whose is it? {' and '.join(map(repr, steps))} may be students"
                return Claim("", reason=reason)
            return _plain(owner, BY_FOLDER)
        alone = own or without_set(stem(path), self.sets)
        return _plain(alone if is_somebody(alone) else "", BY_FILE)

    def _by_platform(self, path: str) -> Claim | None:
        matches = self._matches[path]
        if not matches:
            return None
        platform = max(
            matches,
            key=lambda p: (self._votes[p], len(self._ids[p]), -matches[p].end()),
        )
        parts = matches[platform].groupdict()
        told, moment = parts["student"], times.of_name(parts.get("when") or "")
        if platform == "Blackboard":
            told = self._after_assignment(told)
        when, zone = moment or (None, times.NONE)
        return Claim(tidy(told), parts.get("name") or "", when, zone, told, BY_PLATFORM)

    @cached_property
    def _matches(self) -> dict[str, dict[str, re.Match[str]]]:
        """Path -> the platforms that may have named its outermost part that looks like one's."""
        matches: dict[str, dict[str, re.Match[str]]] = {}
        behind = []  # a folder that may be a student's, or one of a class
        for path in self.paths:
            starts = [0, *(m.end() for m in re.finditer("/", path))]
            tried = ({p: m for p in PLATFORMS if (m := self._match(p, path, s))} for s in starts)
            matches[path] = next(filter(None, tried), {})
            if any(self._steps(path[: m.start()] + "file") for m in matches[path].values()):
                behind.append(path)
        ways = [path.split("/")[:-1] for path in self.paths]
        levels = zip(*ways, strict=False)
        depth = len(list(takewhile(lambda names: len(set(names)) == 1, levels)))
        named: dict[tuple[str, ...], bool] = defaultdict(bool)
        for path in self.paths:
            named[tuple(path.split("/")[: depth + 1])] |= bool(matches[path])
        if 2 * sum(named.values()) <= len(named):  # not what this download is like: a trick
            matches |= {path: {} for path in behind}
        return matches

    @cached_property
    def _votes(self) -> Counter[str]:
        return Counter(platform for matches in self._matches.values() for platform in matches)

    @cached_property
    def _ids(self) -> dict[str, set[str]]:
        ids: dict[str, set[str]] = defaultdict(set)
        for matches in self._matches.values():
            for platform, match in matches.items():
                ids[platform].add(match["student"])
        return ids

    def _match(self, platform: str, path: str, start: int) -> re.Match[str] | None:
        """Where the platform's naming begins at `start`, if it is not a student's own numbering."""
        match = _PATTERNS[platform].match(path, start)
        if match is None:
            return None
        if platform == "Sakai" and not match["attached"]:  # "hw (2)/" is a second download
            own = is_nobody(match["student"]) or re.fullmatch(r"\d{1,2}", match["student"])
            return None if own else match
        if platform == "Blackboard":
            return match if "_" in match["student"] else None
        if platform == "Canvas":  # not "hw_2_1_final.ipynb", not in a folder of one student
            several = (
                not self._steps(path[:start] + "file") or len(self._canvas_names(path[:start])) > 1
            )
            return match if several and not is_nobody(match["name"]) else None
        return match

    def _canvas_names(self, folder: str) -> set[str]:
        """The students in `folder` whose files seem to be named by Canvas."""
        if folder not in self._canvas:
            inside = (p for p in self.paths if p.startswith(folder))
            matches = (_PATTERNS["Canvas"].match(p, len(folder)) for p in inside)
            names = {match["name"] for match in matches if match}
            self._canvas[folder] = {name for name in names if not is_nobody(name)}
        return self._canvas[folder]

    def _after_assignment(self, text: str) -> str:
        """The user in Blackboard's ASSIGNMENT_USER, where both may hold underscores."""
        named = [n for n in self.sets if text.lower().startswith(f"{n.lower()}_")]
        words = text[len(named[0]) + 1 :].split("_") if named else text.split("_")[1:]
        while len(words) > 1 and is_nobody(f"set {words[0]}"):  # "Problem_Set_1_adal"
            words = words[1:]
        return "_".join(words) or text

    @cached_property
    def _said_in(self) -> dict[PurePosixPath, list[str]]:
        """Folder -> what the names of its files say beside that of a set."""
        said: dict[PurePosixPath, list[str]] = defaultdict(list)
        for path in self.paths:
            said[PurePosixPath(path).parent].append(self._said(path))
        return said

    def _said(self, path: str) -> str:
        """What a file's name says beside the name of a set; "" where it does not name one."""
        rest = without_set(stem(path), self.sets)
        return rest if rest != stem(path) and is_somebody(rest) else ""

    def _steps(self, path: str) -> tuple[str, ...]:
        """The folders on the way to a file that may be students, without what names a set."""
        parts = (without_set(p, self.sets, copies=False) for p in PurePosixPath(path).parent.parts)
        return tuple(part for part in parts if part and not is_nobody(part))

    @cached_property
    def _owners(self) -> dict[str | None, dict[tuple[str, ...], str]]:
        ways: dict[str | None, set[tuple[str, ...]]] = defaultdict(set)
        for path, chosen in self.files:
            if not self._matches[path] and (steps := self._steps(path)):
                ways[chosen].add(steps)
        return defaultdict(dict, {key: folders.owners(some) for key, some in ways.items()})


def _plain(told: str, source: int) -> Claim:
    return Claim(tidy(told) if told else "", told=told, source=source)


def is_nobody(text: str) -> bool:
    """Whether a name of a file or folder is made of words and counts that name no person."""
    words = re.findall(r"[^\W\d_]+|\d+", text.lower())
    rest = [word for word in words if not (word.isdigit() and len(word) <= 2)]
    plain = re.fullmatch(r"[\w\s.()-]*", text) is not None
    return plain and bool(rest) and _WORDS.issuperset(rest)


def is_somebody(text: str) -> bool:
    """Whether what is left of a file's name may be a student's."""
    return not COUNT.fullmatch(text) and not is_nobody(text)


def stem(path: str) -> str:
    """The name of a file without its ending, also one of two parts (.tar.gz, .ipynb.txt)."""
    name = re.sub(r"\.[A-Za-z0-9]{1,8}$", "", path.rpartition("/")[2])
    return re.sub(r"\.(?:ipynb|tar)$", "", name, flags=re.IGNORECASE)


def without_set(text: str, sets: list[str], copies: bool = True) -> str:
    """A name without those of sets, and of `copies`: "(2)" is a second download of one file."""
    short = [name.split("-")[0] for name in sets]
    for name in sorted([*sets, *short], key=len, reverse=True):
        parts = re.split(re.escape(name), text, flags=re.IGNORECASE)
        if len(parts) > 1:
            text = " ".join(part.strip(" \t_+-") for part in parts)
    text = text.strip()
    if copies:
        text = re.sub(r"\(\d+\)$", "", text).rstrip()
        text = re.sub(r"(?i)\bcopy(?: of)?$", "", text)
    return text.strip(" -_")


def tidy(student: str) -> str:
    """A student's id that is safe as a folder name: letters, their marks, digits, - _ . @, no dot
    at its ends. Two ids may become one: `people.folder_names` keeps them apart.
    """
    plain = unicodedata.normalize("NFC", student).strip()
    safe = "".join(c if c in "-_.@" or unicodedata.category(c)[0] in "LMN" else " " for c in plain)
    return "-".join(safe.split()).strip(".-")[:80].strip(".-") or "unknown"
