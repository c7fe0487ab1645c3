"""Whose submission is it? From its path, whatever learning platform named the files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import PurePosixPath

# How platforms name what an instructor downloads; tried in this order against the path.
PLATFORMS = {
    "nbgrader exchange": r"(?:^|/)(?P<student>[^/+]+)\+[^/+]+\+(?P<when>\d{4}-[^/+]+)[^/]*/",
    "Moodle": r"(?:^|/)(?P<name>[^/_]+)_(?P<student>\d+)_assignsubmission_\w*?(?:file|onlinetext)",
    "Canvas": r"(?:^|/)(?P<name>[^/_]+?)(?:_LATE)?_(?P<student>\d+)_\d+_[^/]+(?:$|/)",
    "Blackboard": r"(?:^|/)[^/]*_(?P<student>[^/_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})_?",
    "Brightspace": r"(?:^|/)(?P<student>\d+)-\d+ - (?P<name>[^/]+?) - (?P<when>[^/]+?)(?: - |/)",
    "Sakai": r"(?:^|/)(?P<name>[^/()]+)\((?P<student>[^()/]+)\)/",
    "Teams": r"(?:^|/)(?P<student>[^/]+)/[^/]+/Version \d+/",
    "Teams, without versions": r"(?:^|/)(?:Submitted|Working) files/(?P<student>[^/]+)/",
}
WHEN = (
    "%Y-%m-%d-%H-%M-%S",
    "%Y-%m-%d %H:%M:%S %Z",
    "%Y-%m-%d %H:%M:%S.%f %Z",
    "%b %d, %Y %I%M %p",
    "%d %B, %Y %I%M %p",
)
# What stands in names of files and folders that is no student: "final v2", "Submission 1".
_WORDS = (
    "copy|copy of|final|draft|old|new|mine|my|v|version|attempt|try|take|solved|solutions?|answers?"
    "|submitted|submissions?|work|homework|code|src|notebooks?|files?"
    "|(?:problem|exercise)?[ _-]?sets?|problems|assignments?|untitled|downloads?"
)
NOBODY = re.compile(rf"(?:(?:{_WORDS})[\s_.()-]*\d{{0,2}}[\s_.()-]*)+", re.IGNORECASE)
COUNT = re.compile(r"[\s\d_.()-]{0,4}")


def recognise(
    path: str, sets: list[str], beside: Sequence[str] = ()
) -> tuple[str, str, datetime | None]:
    """(student, name, time) from the path of a submission, by the naming of the platforms.

    Without one of these: the folder of the student, or what the file's name says beside that of the
    set. A folder of many files with names of their own (`beside`: all paths) is nobody's. The
    student is "" where nothing tells.
    """
    for pattern in PLATFORMS.values():
        found = re.search(pattern, path)
        if found:
            parts = found.groupdict()
            return tidy(parts["student"]), parts.get("name") or "", _when(parts.get("when"))
    own = _said(path, sets)
    folder = PurePosixPath(path).parent
    others = [_said(p, sets) for p in beside if PurePosixPath(p).parent == folder]
    if len(set(others) - {""}) > 1 and sum(map(bool, others)) * 2 > len(others):
        return tidy(own) if own else "", "", None
    for part in reversed(folder.parts):
        name = _without_set(part, sets)
        if name and not NOBODY.fullmatch(name):
            return tidy(name), "", None
    alone = own or _without_set(PurePosixPath(path).stem, sets)
    return tidy(alone) if _somebody(alone) else "", "", None


def _said(path: str, sets: list[str]) -> str:
    """What a file's name says beside the name of a set; "" where it does not name one."""
    stem = PurePosixPath(path).stem
    rest = _without_set(stem, sets)
    return rest if rest != stem and _somebody(rest) else ""


def _somebody(text: str) -> bool:
    """Whether what is left of a file's name may be a student's."""
    return not COUNT.fullmatch(text) and not NOBODY.fullmatch(text)


def _without_set(text: str, sets: list[str]) -> str:
    short = [name.split("-")[0] for name in sets]
    for name in sorted([*sets, *short], key=len, reverse=True):
        text = re.sub(rf"[\s_+-]*{re.escape(name)}[\s_+-]*", " ", text, flags=re.IGNORECASE)
    text = re.sub(r"\s*\(\d+\)$", "", text.strip())  # (2): a second download
    return re.sub(r"(?i)[\s_-]*\bcopy(?: of)?\s*$", "", text).strip(" -_")


def _when(text: str | None) -> datetime | None:
    for form in WHEN if text else ():
        try:
            return datetime.strptime(str(text), form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    return None


def tidy(student: str) -> str:
    """A student's id that is safe as a folder name: letters, digits, - _ . @, no leading dot."""
    plain = unicodedata.normalize("NFC", student).strip()
    plain = re.sub(r"[^\w.@-]+", "-", plain).strip(".-")[:80]
    return plain or "unknown"
