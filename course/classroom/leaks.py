"""Search for what students must not see: lines of solutions, of hidden tests, of known mistakes."""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from course.classroom.hidden import split
from course.classroom.master import Master

LEAST = 24  # characters of a line, blanks left out, that make it worth looking for


def secrets(master: Master) -> set[str]:
    """The distinctive hidden lines of a master, blanks removed.

    Distinctive: long enough, and not among the lines that the student is given anyway.
    """
    hidden: list[str] = []
    shown: list[str] = []
    for cell in master.cells:
        if cell.kind == "solution":
            inside = False
            for line in cell.source.splitlines():
                if "SOLUTION" in line:
                    inside = "BEGIN" in line
                else:
                    (hidden if inside else shown).append(line)
        elif cell.kind == "grade":
            before, tests = split(cell.source)
            hidden += tests.splitlines()
            shown += before.splitlines()
        elif cell.kind in ("written", "mistake"):
            hidden += cell.source.splitlines()
        else:
            shown += cell.source.splitlines()
    given = "\n".join(bare(line) for line in shown)
    lines = {bare(line) for line in hidden}
    return {line for line in lines if len(line) >= LEAST and line not in given}


def leaks(masters: Iterable[Master], place: Path) -> list[str]:
    """Where a hidden line of `masters` stands in `place` (a file, folder, wheel, zip or tarball).

    Looks into notebooks (sources, outputs, metadata), archives, base64 and zlib data.
    """
    wanted = {secret: master.name for master in masters for secret in secrets(master)}
    found = []
    for name, data in _files(place):
        for text in _texts(data):
            squeezed = bare(text)
            found += [f"{name}: {set_}: {s}" for s, set_ in wanted.items() if s in squeezed]
    return sorted(set(found))


def bare(line: str) -> str:
    """`line` without blanks, as lines are compared."""
    return re.sub(r"\s+", "", line)


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    paths = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    for path in paths:
        yield from _unpacked(str(path.name if path == place else path.relative_to(place)), path)


def _unpacked(name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield from ((f"{name}/{n}", archive.read(n)) for n in archive.namelist())
    elif tarfile.is_tarfile(path):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive.getmembers():
                content = archive.extractfile(member)
                if content is not None:
                    yield f"{name}/{member.name}", content.read()
    else:
        yield name, data


def _texts(data: bytes) -> Iterator[str]:
    """The text of a file as it stands, as JSON strings, and what is packed in it."""
    text = data.decode("utf-8", errors="replace")
    yield text
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError):
            yield "\n".join(_strings(json.loads(text)))
    for match in re.findall(r"[A-Za-z0-9+/]{80,}={0,2}", text):
        try:
            raw = base64.b64decode(match + "=" * (-len(match) % 4))
        except binascii.Error:
            continue
        yield raw.decode("utf-8", errors="replace")
        try:
            yield zlib.decompress(raw).decode("utf-8", errors="replace")
        except zlib.error:
            continue


def _strings(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(node, list):
        if node and all(isinstance(entry, str) for entry in node):
            yield "".join(node)
        for entry in node:
            yield from _strings(entry)
