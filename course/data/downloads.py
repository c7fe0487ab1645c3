"""Finding the files of a data set, and fetching from public mirrors what is not there.

A download counts only when its content is the published one. Until then it has a temporary name,
so that a folder never holds half a file under a good name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

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
    """The folder into which data are downloaded (below XDG_CACHE_HOME where that is set).

    It may not be there yet. Raises DataError where there is no home folder to put it in.
    """
    try:
        folder = Path(pooch.os_cache("very-deep-networks-course"))
    except RuntimeError:
        folder = Path()
    if not folder.is_absolute():
        raise DataError(
            "there is no home folder to download into. Set the environment variable "
            "XDG_CACHE_HOME to a folder of yours, or COURSE_DATA to one with the data"
        )
    return folder


def folders(root: str | Path | None = None) -> list[Path]:
    """Where to look, in this order: `root`, COURSE_DATA, the cache.

    Raises ValueError if one of the first two is named and is not a folder. "~" is your home.
    """
    places = []
    for name, folder in {"root": root, "COURSE_DATA": os.environ.get("COURSE_DATA")}.items():
        if folder is None or (name == "COURSE_DATA" and not folder):
            continue
        place = os.path.expanduser(folder)
        if not os.path.isdir(place):
            raise reject(name, str(folder), "a folder that exists")
        places.append(Path(place))
    with suppress(DataError):
        places.append(cache())
    return places


def find(file: RemoteFile, places: Sequence[Path]) -> Path | None:
    """The first place's copy of `file`, plain or .gz, or None."""
    for place in places:
        for name in (file.name, file.download_name):
            if os.path.isfile(path := place / file.folder / name):
                return path
    return None


def find_unpacked(source: Source, places: Sequence[Path]) -> Path | None:
    """The first folder which holds all of CIFAR's unpacked files, binary or pickled, or None."""
    versions = {
        source.unpacked_folder: [name for name, _ in source.unpacked],
        source.pickled_folder: [file.name for file in source.pickled],
    }
    for place in places:
        for folder, names in versions.items():
            if names and all(os.path.isfile(place / folder / name) for name in names):
                return place / folder
    return None


def fetch(source: Source, file: RemoteFile, folder: Path) -> Path:
    """Download `file` to its place below `folder`, from the first mirror that has it unharmed.

    Shows a progress bar. Raises DataError, which names what each mirror did and the two ways out.
    """
    from requests import RequestException

    target = folder / file.folder / file.download_name
    failures: dict[str, str] = {}
    pooch.get_logger().setLevel("WARNING")  # what it says of checksums is not for our readers
    for turn in range(ROUNDS):
        if turn:
            time.sleep(PAUSE)
        for mirror in file.mirrors:
            url = mirror + file.download_name
            try:
                _sweep(target.parent)
                path = pooch.retrieve(
                    url, None, target.name, target.parent, downloader=_Downloader(file)
                )
            except (RequestException, ValueError) as error:
                failures[url] = _short(error)
            except OSError as error:
                raise DataError(
                    f"nothing can be written to {target.parent} ({error.strerror}). Make room, or "
                    "set the environment variable XDG_CACHE_HOME to another folder"
                ) from None
            else:
                return Path(path)
    raise DataError(
        f"{source.name} is neither in {_places()} nor could it be downloaded:\n"
        + "\n".join(f"  {url}: {failure}" for url, failure in failures.items())
        + f"\nTwo ways out: (1) bring the files from a computer with a network, lay them out as "
        f"FOLDER/{file.folder + '/' if file.folder else ''}{file.download_name}, and set the "
        f"environment variable COURSE_DATA to FOLDER (or say root=FOLDER); "
        f'(2) go on with data that need no network: "digits"'
    )


class _Downloader:
    """What pooch calls to fill its temporary file, which it moves to its place if this succeeds.

    Mirrors compress a file differently: only its content has a checksum, so it is compared here.
    """

    def __init__(self, file: RemoteFile) -> None:
        self.file = file

    def __call__(self, url: str, path: str, manager: Any) -> None:
        with _Bar(desc=self.file.download_name, unit="B", unit_scale=True, leave=False) as bar:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=1 << 15, timeout=TIMEOUT)(
                url, path, manager
            )
        try:
            verify(self.file, Path(path))
        except DataError as error:
            raise ValueError(f"wrong content{str(error).partition('is damaged')[2]}") from None
        os.chmod(path, 0o644)


class _Bar(tqdm):
    """A progress bar that ends a download without an end."""

    def __bool__(self) -> bool:
        return True  # there is a bar, whether or not the server said how much will come

    def update(self, n: float | None = 1) -> bool | None:
        moved = super().update(n)
        if self.n > LARGEST:
            raise ValueError(f"it sends more than {LARGEST >> 20} MB")
        return moved


def _sweep(folder: Path) -> None:
    """Remove what pooch's downloads left behind in `folder` when they were killed long ago."""
    for part in folder.glob("tmp????????"):
        with suppress(FileNotFoundError):  # another process was quicker
            if time.time() - part.stat().st_mtime > STALE:
                part.unlink()


def _short(error: Exception) -> str:
    """The heart of a network error: its innermost reason, in one line."""
    text = " ".join(str(error).partition(" for url")[0].split())
    heart = text.rpartition("): ")[2].rstrip("()'\"")
    return heart[:160] or type(error).__name__


def _places() -> str:
    data = os.environ.get("COURSE_DATA")
    return (f"COURSE_DATA ({data})" if data else "COURSE_DATA (not set)") + f" nor in {cache()}"
