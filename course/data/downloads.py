"""Finding the files of a data set, and fetching from public mirrors what is not there.

A download counts only when its content is the published one. Until then it has a temporary name,
so that a folder never holds half a file under a good name.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

import pooch
from tqdm.auto import tqdm

from course.arguments import reject
from course.data.reading import verify
from course.data.sources import DataError, RemoteFile, Source

TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes."""

ROUNDS = 2
"""How often the list of mirrors is gone through."""

PAUSE = 2.0
"""Seconds between two rounds."""

LARGEST = 256 << 20
"""No file of ours is larger, in bytes: a server that sends more is sending something else."""

STALE = 24 * 3600.0
"""Age in seconds at which what a killed download left behind is removed."""


def cache() -> Path:
    """The folder into which data are downloaded (below XDG_CACHE_HOME where that is set)."""
    return Path(pooch.os_cache("very-deep-networks-course"))


def folders(root: str | Path | None = None) -> list[Path]:
    """Where to look, in this order: `root`, COURSE_DATA, the cache.

    Raises ValueError if one of the first two is named and is not a folder.
    """
    named = {"root": root, "COURSE_DATA": os.environ.get("COURSE_DATA") or None}
    for name, folder in named.items():
        if folder is not None and not Path(folder).is_dir():
            raise reject(name, str(folder), "a folder that exists")
    return [*(Path(folder) for folder in named.values() if folder is not None), cache()]


def find(file: RemoteFile, places: list[Path]) -> Path | None:
    """The first place's copy of `file`, plain or .gz, or None."""
    for place in places:
        for name in (file.name, file.download_name):
            if (path := place / file.folder / name).is_file():
                return path
    return None


def find_unpacked(source: Source, places: list[Path]) -> Path | None:
    """The first folder which holds all of CIFAR's unpacked files, or None."""
    for place in places:
        folder = place / source.unpacked_folder
        if source.unpacked and all((folder / name).is_file() for name, _ in source.unpacked):
            return folder
    return None


def fetch(source: Source, file: RemoteFile, folder: Path) -> Path:
    """Download `file` to its place below `folder`, from the first mirror that has it unharmed.

    Shows a progress bar. Raises DataError, which names what each mirror did and the two ways out.
    """
    target = folder / file.folder / file.download_name
    failures: dict[str, str] = {}
    for turn in range(ROUNDS):
        if turn:
            time.sleep(PAUSE)
        for mirror in file.mirrors:
            url = mirror + file.download_name
            try:
                _fetch_from(url, file, target)
            except _Unusable as error:
                failures[url] = str(error)
            else:
                return target
    raise DataError(
        f"{source.name} is neither in {_places()} nor could it be downloaded:\n"
        + "\n".join(f"  {url}: {failure}" for url, failure in failures.items())
        + f"\nTwo ways out: (1) bring the files from a computer with a network, lay them out as "
        f"FOLDER/{file.folder + '/' if file.folder else ''}{file.download_name}, and set the "
        f"environment variable COURSE_DATA to FOLDER (or say root=FOLDER); "
        f'(2) go on with data that need no network: "digits"'
    )


class _Unusable(Exception):
    """What a mirror did wrong; the next one is tried."""


def _fetch_from(url: str, file: RemoteFile, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=".part"
        )
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                _stream(url, target.name, stream)
            try:
                verify(file, part)
            except DataError as error:
                raise _Unusable(f"wrong content{str(error).partition('is damaged')[2]}") from None
            os.chmod(part, 0o644)
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:  # what the network does wrong is an _Unusable
        raise DataError(
            f"nothing can be written to {target.parent} ({error.strerror}). Make room, or set the "
            "environment variable XDG_CACHE_HOME to another folder"
        ) from None


def _stream(url: str, name: str, stream: BinaryIO) -> None:
    with tqdm(desc=name, unit="B", unit_scale=True, leave=False) as bar:
        sink = _Sink(stream, bar)
        download = pooch.HTTPDownloader(progressbar=sink, chunk_size=1 << 15, timeout=TIMEOUT)
        try:
            download(url, sink, None)
        except (OSError, ValueError) as error:
            if sink.error is not None:
                raise sink.error from None
            raise _Unusable(_short(error)) from None


class _Sink:
    """Where pooch puts what arrives: a file and a bar. It tells a full disk from a bad network."""

    def __init__(self, stream: BinaryIO, bar: tqdm) -> None:
        self.stream, self.bar, self.received = stream, bar, 0
        self.total = 0
        self.error: OSError | None = None

    def write(self, chunk: bytes) -> None:
        self.received += len(chunk)
        if self.received > LARGEST:
            raise ValueError(f"it sends more than {LARGEST >> 20} MB")
        try:
            self.stream.write(chunk)
        except OSError as error:
            self.error = error
            raise
        self.bar.total = self.total or None
        self.bar.update(len(chunk))

    def flush(self) -> None:
        """The file is flushed when it is closed."""

    def update(self, size: int) -> None:
        """The bar moves with what is written."""

    def reset(self) -> None:
        """The bar needs no mending at the end."""

    close = reset


def _sweep(target: Path) -> None:
    """Remove what downloads of this file left behind when they were killed long ago."""
    for part in target.parent.glob(f".{target.name}.*.part"):
        try:
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()
        except FileNotFoundError:  # another process was quicker
            pass


def _short(error: Exception) -> str:
    """The heart of a network error: its innermost reason, in one line."""
    text = " ".join(str(error).partition(" for url")[0].split())
    heart = text.rpartition("): ")[2].rstrip("()'\"")
    return heart[:160] or type(error).__name__


def _places() -> str:
    data = os.environ.get("COURSE_DATA")
    return (f"COURSE_DATA ({data})" if data else "COURSE_DATA (not set)") + f" nor in {cache()}"
