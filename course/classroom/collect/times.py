"""When was it handed in? A time in UTC, and whether its zone was known or had to be assumed."""

from __future__ import annotations

import re
import struct
import zipfile
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

FORMS = (
    "%Y-%m-%d-%H-%M-%S",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%b %d, %Y %I%M %p",
    "%d %B, %Y %I%M %p",
)
"""How platforms write times into names, without the zone that may follow."""
UNIX, NTFS = 0x5455, 0x000A  # extra fields of a zip's entry that hold times in UTC
KNOWN, ASSUMED, NONE = "known", "assumed", "none"
MOST_APART = timedelta(hours=26)  # two readings of one local time: zones go from -12 to +14


class Moment(NamedTuple):
    """A time in UTC. zone: known, assumed (a local time, read as this machine's) or none.

    With `none` there was no time at all, and `when` is that of what holds the file.
    """

    when: datetime
    zone: str = KNOWN

    @property
    def order(self) -> tuple[bool, datetime]:
        """What is newer sorts higher; a file without a time is the oldest."""
        return self.zone != NONE, self.when


def in_doubt(one: Moment, other: Moment) -> bool:
    """Whether another zone than the assumed one could have made the other one the newer."""
    apart = abs(one.when - other.when)
    return one.zone != other.zone and (NONE in (one.zone, other.zone) or apart < MOST_APART)


def of_seconds(seconds: float) -> Moment:
    """From seconds since 1970, as file systems and tar archives keep them."""
    return Moment(datetime.fromtimestamp(seconds, tz=timezone.utc))


def of_local(written: datetime) -> Moment:
    """From a time without a zone, read as one of this machine's."""
    return Moment(written.replace(tzinfo=None).astimezone(timezone.utc), ASSUMED)


def of_entry(entry: zipfile.ZipInfo, holder: Moment) -> Moment:
    """Of an entry of a zip: an extra field in UTC, else its local time, else none.

    Format: APPNOTE.TXT 4.4.6 and 4.5.5, and Info-ZIP's extended timestamp.
    """
    for kind, data in _extra_fields(entry.extra):
        try:
            if kind == UNIX and data[0] & 1:
                return _plausible(of_seconds(struct.unpack_from("<i", data, 1)[0]))
            if kind == NTFS:  # tenths of microseconds since 1601
                ticks = struct.unpack_from("<Q", data, 8)[0]
                return _plausible(of_seconds(ticks / 1e7 - 11_644_473_600))
        except (struct.error, IndexError, ValueError, OverflowError, OSError):
            continue
    try:
        return of_local(datetime(*entry.date_time))
    except (ValueError, OverflowError, OSError):  # 1980-00-00, for one
        return Moment(holder.when, NONE)


def _plausible(moment: Moment) -> Moment:
    if not 1980 <= moment.when.year <= 2107:
        raise ValueError(moment)
    return moment


def _extra_fields(extra: bytes) -> list[tuple[int, bytes]]:
    fields, at = [], 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        fields.append((kind, extra[at + 4 : at + 4 + size]))
        at += 4 + size
    return fields


def of_name(text: str) -> Moment | None:
    """From what a platform wrote into a name; the zone is known where it stands there."""
    text, _, word = text.strip().rpartition(" ")
    zone = _zone(word)
    if zone is None:
        text = f"{text} {word}".strip()
    for form in FORMS:
        try:
            written = datetime.strptime(text, form)
        except ValueError:
            continue
        if zone is None:
            return of_local(written)
        return Moment(written.replace(tzinfo=zone).astimezone(timezone.utc))
    return None


def _zone(word: str) -> timezone | ZoneInfo | None:
    if word in ("UTC", "GMT", "Z"):
        return timezone.utc
    if re.fullmatch(r"[A-Z][A-Za-z_]+(?:/[A-Za-z_+-]+)*", word) and word not in ("AM", "PM"):
        try:
            return ZoneInfo(word)
        except (KeyError, ValueError, OSError):
            return None
    return None
