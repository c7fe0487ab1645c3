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
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from course.classroom.master import Master, split

LEAST = 16  # characters of a line, blanks left out, that make it worth looking for
GRAM = 8  # characters: a line of LEAST covers one such piece of the text that it stands in


def secrets(master: Master) -> dict[str, str]:
    """The distinctive hidden lines of a master, blanks removed -> kind and name of their cell.

    Distinctive: long enough, and not part of what the student is given anyway.
    """
    hidden: dict[str, str] = {}
    shown: list[str] = []
    for cell in master.cells:
        what = f"{cell.kind} {cell.name}"
        if cell.kind == "solution":
            inside = False
            for line in cell.source.splitlines():
                if "SOLUTION" in line:
                    inside = "BEGIN" in line
                elif inside:
                    hidden.setdefault(bare(line), what)
                else:
                    shown.append(line)
        elif cell.kind == "grade":
            before, tests = split(cell.source)
            hidden |= dict.fromkeys(map(bare, tests.splitlines()), what)
            shown += before.splitlines()
        elif cell.kind in ("written", "mistake"):
            hidden |= dict.fromkeys(map(bare, cell.source.splitlines()), what)
        else:
            shown += cell.source.splitlines()
    given = "\n".join(bare(line) for line in shown)
    return {k: v for k, v in hidden.items() if len(k) >= LEAST and k not in given}


def leaks(masters: Iterable[Master], place: Path, *, by_chance: bool = False) -> list[str]:
    """Where a hidden line of `masters` stands in `place` (a file, folder, wheel, zip or tarball).

    Looks into notebooks (sources, outputs, metadata), archives, base64 and zlib data. by_chance: a
    file may share a single line of code with a solution, as the library that teaches the same
    mathematics does; two lines of one cell, or any line of an answer in words, are a leak.
    """
    wanted = {k: (m.name, what) for m in masters for k, what in secrets(m).items()}
    by_gram = _by_gram(wanted)
    leaked = []
    for name, data in _files(place):
        hits: dict[tuple[str, str], set[str]] = {}
        for text in _texts(data):
            for secret in _inside(bare(text), by_gram):
                hits.setdefault(wanted[secret], set()).add(secret)
        for (set_, what), lines in hits.items():
            if not by_chance or len(lines) > 1 or what.startswith("written"):
                leaked += [f"{name}: {set_}, {what}: {line}" for line in lines]
    return sorted(leaked)


def bare(line: str) -> str:
    """`line` without blanks, as lines are compared."""
    return "".join(line.split())


def _by_gram(secrets: Iterable[str]) -> dict[str, set[str]]:
    """Each of the first GRAM pieces of a secret, of GRAM characters -> the secrets that have it."""
    found: dict[str, set[str]] = {}
    for secret in secrets:
        for start in range(GRAM):
            found.setdefault(secret[start : start + GRAM], set()).add(secret)
    return found


def _inside(text: str, by_gram: Mapping[str, set[str]]) -> set[str]:
    """The secrets that stand in `text`.

    Cut into pieces of GRAM characters, it has one of the pieces of each of them, wherever that
    stands: only secrets of which it has one are looked for.
    """
    starts = range(0, len(text), GRAM)
    near = {secret for at in starts for secret in by_gram.get(text[at : at + GRAM], ())}
    return {secret for secret in near if secret in text}


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
