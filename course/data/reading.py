"""From files to arrays, with every byte checked: idx files (MNIST), and CIFAR."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from course.data import pickles
from course.data.dataset import Labelled
from course.data.sources import RemoteFile, Source, damaged


def verify(file: RemoteFile, path: Path) -> None:
    """Raise DataError unless `path` holds the published content of `file`."""
    if file.gzipped:
        plain(file, path)
        return
    with path.open("rb") as stream:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != file.md5:
        raise damaged(path, f"its md5 is {digest.hexdigest()}, not {file.md5}")


def plain(file: RemoteFile, path: Path) -> bytes:
    """The verified content of `path`, uncompressed if it is compressed (whatever its name says)."""
    assert file.size is not None
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            # One byte more than expected is enough to see that there is too much.
            content = (gzip.GzipFile(fileobj=raw) if compressed else raw).read(file.size + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(path, f"it cannot be uncompressed ({error})") from None
    if len(content) != file.size:
        size = f"{len(content):,}" if len(content) < file.size else "more"
        raise damaged(path, f"{file.size:,} bytes expected, {size} found")
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != file.md5:
        raise damaged(path, f"the md5 of its content is {md5}, not {file.md5}")
    return content


def idx(content: bytes) -> np.ndarray:
    """An idx file as an array of uint8, one row per example. ValueError if it is not one.

    Layout: two zero bytes, 8 for unsigned bytes, the number of axes, the length of each axis as
    four bytes (most significant first), then the bytes of the array.
    """
    axes = content[3] if len(content) > 3 and content[:3] == b"\0\0\x08" else 0
    shape = np.frombuffer(content[4 : 4 + 4 * axes], ">u4").astype(int)
    if not axes or len(shape) != axes or len(content) != 4 + 4 * axes + shape.prod():
        raise ValueError("not an idx file of unsigned bytes")
    array = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    return array.reshape(shape[0], -1) if axes > 1 else array


def read_idx(source: Source, paths: list[Path]) -> tuple[Labelled, Labelled]:
    """Training and test set of MNIST or Fashion-MNIST from its four files, in that order."""
    arrays = [idx(plain(file, path)) for file, path in zip(source.files, paths, strict=True)]
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def read_cifar(source: Source, place: Path) -> tuple[Labelled, Labelled]:
    """Training and test set of CIFAR from its binary archive or one of its unpacked folders."""
    if place.name == source.pickled_folder:
        parts = [pickles.pictures(source, file, place / file.name) for file in source.pickled]
        images, labels = (np.concatenate(half) for half in zip(*parts[:-1], strict=True))
        return (images, labels), parts[-1]
    records = [
        _records(source, place, name, content)
        for (name, _), content in zip(source.unpacked, _members(source, place), strict=True)
    ]
    train, test = np.concatenate(records[:-1]), records[-1]
    k = source.label_bytes
    return (train[:, k:], train[:, k - 1]), (test[:, k:], test[:, k - 1])


def _members(source: Source, place: Path) -> Iterator[bytes]:
    """The binary files one after another; an archive is read in place, nothing is unpacked."""
    if place.is_dir():
        yield from ((place / name).read_bytes() for name, _ in source.unpacked)
        return
    verify(source.files[0], place)
    with tarfile.open(place, "r:gz") as archive:
        for name, size in source.unpacked:
            member = archive.extractfile(f"{source.unpacked_folder}/{name}")
            assert member is not None
            yield member.read(size + 1)


def _records(source: Source, place: Path, name: str, content: bytes) -> np.ndarray:
    """A binary file as (N, label bytes + d) uint8: before each picture its label or labels."""
    path = place / name
    size = dict(source.unpacked)[name]
    if len(content) != size:
        raise damaged(path, f"{size:,} bytes expected, {len(content):,} found")
    d = int(np.prod(source.shape))
    records = np.frombuffer(content, np.uint8).reshape(-1, source.label_bytes + d)
    largest = int(records[:, source.label_bytes - 1].max())
    if largest >= len(source.classes):
        raise damaged(path, f"a label is {largest}, beyond {len(source.classes) - 1}")
    return records
