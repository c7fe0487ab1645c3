"""Every file of a download, archives in archives included, one after the other."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from course.arguments import reject
from course.classroom.collect import restore, times
from course.classroom.collect.times import Moment

MOST_FILES, MOST_DEPTH = 20_000, 3
MOST_PACKED = 200 * 2**20  # bytes of an archive within an archive
MOST_UNPACKED = 8 * 2**30  # bytes in all that one archive may unpack to, and one within it:
MOST_UNPACKED_INSIDE = 2**29
MOST_NAME, MOST_PARTS = 1000, 50  # characters of a path, and folders on it
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
OPENERS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}
JUNK = set("__MACOSX .ipynb_checkpoints __pycache__ .git .DS_Store Thumbs.db desktop.ini".split())  # noqa: SIM905
"""What systems put beside files by themselves: no student hands it in."""


class HandedFile(NamedTuple):
    """A file: its path in the download, and then within each archive that it was packed into.

    times: of each of these. data: its content, without outputs; None where it was not read, for
    the reason given.
    """

    levels: tuple[str, ...]
    times: tuple[Moment, ...]
    data: bytes | None
    reason: str = ""
    is_file: bool = True  # and no link or device

    @property
    def path(self) -> str:
        return "/".join(self.levels)


class _Allowance:
    """How many bytes an archive may still unpack to, and all those around it."""

    def __init__(self, left: int, around: _Allowance | None = None) -> None:
        self.left, self.around = left, around

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise restore.Unreadable("its archive is too large when unpacked")
        if self.around is not None:
            self.around.spend(size)


class _Counted(io.RawIOBase):
    """A stream whose bytes are taken from an allowance."""

    def __init__(self, stream: Any, allowance: _Allowance) -> None:
        self.stream, self.allowance = stream, allowance

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.stream.read(size)
        self.allowance.spend(len(data))
        return data


def files(place: Path) -> Iterator[HandedFile]:
    """Each file in a folder or an archive, and in archives within it, also where it is unreadable.

    Links are not followed; nothing is unpacked to disk. The name of the whole download is in no
    path. Raises ValueError where there is nothing at `place`, or too much.
    """
    if place.is_file():
        moment = times.of_seconds(place.stat().st_mtime)
        if _is_archive(place.name):
            with place.open("rb") as stream:
                yield from _unpack((), (), place.name, moment, stream, _Allowance(MOST_UNPACKED))
        else:
            yield from _loose(place.name, place)
        return
    if not place.is_dir():
        raise reject("submissions", str(place), "a folder or an archive (.zip) with submissions")
    number = 0
    for folder, inner, names in os.walk(place):
        inner.sort()
        links = [name for name in inner if Path(folder, name).is_symlink()]
        for name in sorted([*names, *links]):
            number += 1
            if number > MOST_FILES:
                raise reject("submissions", str(place), f"a folder of at most {MOST_FILES} files")
            path = Path(folder, name)
            yield from _loose(path.relative_to(place).as_posix(), path)


def _loose(name: str, path: Path) -> Iterator[HandedFile]:
    moment = times.of_seconds(path.lstat().st_mtime)
    if path.is_symlink() or not path.is_file():
        if not _is_junk(name):
            reason = "a link, which is not followed" if path.is_symlink() else "no ordinary file"
            yield HandedFile((readable(name),), (moment,), None, reason, False)
        return
    yield from _content((), (), name, moment, lambda: path.open("rb"), _Allowance(MOST_UNPACKED))


def _content(
    levels: tuple[str, ...],
    moments: tuple[Moment, ...],
    name: str,
    moment: Moment,
    opened: Callable[[], IO[bytes]],
    allowance: _Allowance,
) -> Iterator[HandedFile]:
    """The file `name` within `levels`, or what is in it; what is wrong with it is its reason."""
    if _is_junk(name):
        return
    outer, levels, moments = levels, (*levels, readable(name)), (*moments, moment)
    try:
        if len(name) > MOST_NAME or name.count("/") > MOST_PARTS:
            levels = (*outer, f"{levels[-1][:60]}...")
            raise restore.Unreadable("its name is too long")
        if _is_archive(name):
            if len(outer) >= MOST_DEPTH:
                raise restore.Unreadable("archives within archives, too deep")
            with opened() as stream:
                packed: Any = stream
                if not stream.seekable():  # the reader of a zip has to jump
                    data = stream.read(MOST_PACKED + 1)
                    if len(data) > MOST_PACKED:
                        raise restore.Unreadable("the archive is too large")
                    packed = io.BytesIO(data)
                    allowance = _Allowance(MOST_UNPACKED_INSIDE, allowance)
                yield from _unpack(levels, moments, name, moment, packed, allowance)
        elif may_be_notebook(name):
            with opened() as stream:
                yield HandedFile(levels, moments, restore.content(stream))
        else:
            ending = re.search(r"(\.tar)?\.\w{1,9}$", name.lower())
            kind = f" ({ending[0]})" if ending else ""
            raise restore.Unreadable(f"no notebook{kind}")
    except restore.Unreadable as problem:
        yield HandedFile(levels, moments, None, str(problem))
    except Exception as problem:
        kind = "is encrypted" if "encrypted" in str(problem) else "is damaged"
        reason = f"the file {kind} or cannot be read ({type(problem).__name__})"
        yield HandedFile(levels, moments, None, reason)


def _unpack(
    levels: tuple[str, ...],
    moments: tuple[Moment, ...],
    name: str,
    moment: Moment,
    stream: Any,
    allowance: _Allowance,
) -> Iterator[HandedFile]:
    """What is in an archive; one entry that cannot be read takes no other with it."""
    entries = _of_zip if name.lower().endswith(ZIPS) else _of_tar
    whole = levels or (readable(name),), moments or (moment,)
    number = -1
    try:
        for number, (inner, time, opened) in enumerate(entries(stream, moment, allowance)):
            if number >= MOST_FILES or allowance.left <= 0:
                yield HandedFile(*whole, None, f"only the first {number} files in it were read")
                return
            parts = [p for p in inner.replace("\\", "/").split("/") if p not in ("", ".", "..")]
            yield from _content(levels, moments, "/".join(parts), time, opened, allowance)
        if number < 0:
            yield HandedFile(*whole, None, "the archive is empty or damaged")
    except Exception as problem:
        why = str(problem) if isinstance(problem, restore.Unreadable) else type(problem).__name__
        yield HandedFile(*whole, None, f"the archive is damaged or cannot be opened ({why})")


Entries = Iterator[tuple[str, Moment, Callable[[], Any]]]


def _of_zip(stream: Any, holder: Moment, allowance: _Allowance) -> Entries:
    with zipfile.ZipFile(stream) as archive:
        for entry in archive.infolist():

            def opened(entry: zipfile.ZipInfo = entry) -> Any:
                return _Counted(archive.open(entry), allowance)

            if not entry.is_dir():
                yield entry.filename, times.of_entry(entry, holder), opened


def _of_tar(stream: Any, holder: Moment, allowance: _Allowance) -> Entries:
    start = stream.read(6)
    stream.seek(0)
    plain = next((o(stream) for magic, o in OPENERS.items() if start.startswith(magic)), stream)
    with tarfile.open(fileobj=_Counted(plain, allowance), mode="r|") as archive:  # type: ignore[call-overload]
        for entry in archive:

            def opened(entry: tarfile.TarInfo = entry) -> Any:
                if not entry.isfile():
                    raise restore.Unreadable("a link or a device, which is not followed")
                return archive.extractfile(entry)

            try:
                time = times.of_seconds(entry.mtime)
            except (ValueError, OverflowError, OSError):
                time = Moment(holder.when, times.NONE)
            if not entry.isdir():
                yield entry.name, time, opened
        rest: Any = archive.fileobj
        while piece := rest.read(restore.PIECE):
            if piece.strip(b"\0"):  # what follows the end was no end
                raise restore.Unreadable("not all that is in it can be read")


def may_be_notebook(name: str) -> bool:
    """Whether it is worth looking into: .ipynb, .ipynb.txt, .json, or no ending at all."""
    last = name.rpartition("/")[2].lower()
    return ".ipynb" in last or last.endswith((".json", ".txt")) or "." not in last


def readable(name: str) -> str:
    """A file's name that can be printed and written, still another one for each name."""
    plain = name.encode("utf-8", "backslashreplace").decode()
    return re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\x{ord(m[0]):02x}", plain)


def _is_archive(name: str) -> bool:
    return name.lower().endswith(ZIPS + TARS)


def _is_junk(name: str) -> bool:
    parts = name.split("/")
    return parts[-1].startswith("._") or any(part in JUNK for part in parts)
