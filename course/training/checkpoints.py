"""Checkpoint files: whole or not there at all, and refused by name if they are anything else.

A file is what torch.save writes (tensors, numbers, strings and dicts only; read with
weights_only=True): a zip archive, whose checksums are compared before it is read, as torch.load
does not look at them. Whenever the process is killed, the place holds the old file or the new one,
never a part of one; and while a run writes to it, another one is refused.
"""

from __future__ import annotations

import functools
import hashlib
import io
import pickle
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

import course
from course import files
from course.arguments import reject

EARLIER = b"checkpoint of the very deep networks course, format 1\n"
"""How the files of an earlier version of the course begin."""


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used. The message names it and says what to do."""


def write(path: str | Path, content: Mapping[str, Any]) -> None:
    """Put `content` into the file in one piece; the versions of torch and course are added.

    The folder must be there. CheckpointError where it cannot be written (a full disk, say): the old
    file stays as it was.
    """
    buffer = io.BytesIO()
    versions = {"course": course.__version__, "torch": str(torch.__version__)}
    torch.save({**content, "versions": versions}, buffer)
    try:
        files.write_whole(Path(path), buffer.getvalue())
    except OSError as error:
        advice = "make room, or give another place; what was written there before is still whole"
        raise CheckpointError(
            f"checkpoint {str(path)!r} cannot be written ({error.strerror}): {advice}"
        ) from error


def read(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, tensors on the CPU; CheckpointError if it is not whole."""
    data, name = Path(path).read_bytes(), f"checkpoint {str(path)!r}"
    advice = f"delete {str(path)!r} to start again, or give another file"
    if not data:
        raise CheckpointError(f"{name} is empty: {advice}")
    if data.startswith(EARLIER):
        raise CheckpointError(f"{name} is of an earlier version of the course: {advice}")
    if not data.startswith(b"PK"):
        raise CheckpointError(f"{str(path)!r} is not a checkpoint of this course: {advice}")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if archive.testzip() is not None:
                raise zipfile.BadZipFile("a checksum is wrong")
        content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{str(path)!r} holds what no checkpoint holds: {advice}") from error
    except Exception as error:  # a damaged archive can raise nearly anything
        raise CheckpointError(f"{name} is damaged or cut short: {advice}") from error
    if not isinstance(content, dict) or "versions" not in content:
        raise CheckpointError(f"{str(path)!r} is not a checkpoint of this course: {advice}")
    return content


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Inside, the file belongs to this run: CheckpointError if it belongs to another one.

    The system gives it back when the process ends, however it ends.
    """
    beside = path.with_name(path.name + ".lock")
    lock = FileLock(beside, timeout=0, thread_local=False)  # a run may end in another thread
    try:
        lock.acquire()
    except Timeout:
        advice = "wait for it, stop it, or give another file"
        error = f"checkpoint {str(path)!r} is in use by another run: {advice}"
        raise CheckpointError(error) from None
    try:
        files.remove_parts(path)
        yield
    finally:
        with suppress(OSError):  # Windows removes it itself
            beside.unlink()
        lock.release()


def prepare(path: str | Path) -> Path:
    """The path, if a checkpoint can be written there: tried now, as later a run would be lost."""
    if not isinstance(path, str | Path):
        raise CheckpointError(str(reject("checkpoint", path, "the name of a file")))
    path = Path(path)
    if not path.parent.is_dir():
        raise CheckpointError(f"checkpoint {str(path)!r}: there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise CheckpointError(f"checkpoint {str(path)!r} is a folder: give the name of a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except OSError as error:
        reason = f"nothing can be written to its folder ({error.strerror})"
        raise CheckpointError(f"checkpoint {str(path)!r}: {reason}: give another place") from None


def compare(path: str | Path, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """CheckpointError that names every setting in which a file and this call differ."""
    names = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
    if names:
        each = "; ".join(f"{name} = {found.get(name)}, not {wanted.get(name)}" for name in names)
        advice = "give the same settings, or another file, or delete it to start again"
        raise CheckpointError(f"checkpoint {str(path)!r} is of a run with {each}: {advice}")


def describe(value: Any) -> str:
    """A setting as a string which is the same in every process and wherever its module lies."""
    if isinstance(value, functools.partial):
        parts = [describe(value.func), *map(describe, value.args)]
        parts += [f"{name}={describe(item)}" for name, item in value.keywords.items()]
        return f"partial({', '.join(parts)})"
    if isinstance(value, Mapping):
        items = (f"{key}: {describe(item)}" for key, item in sorted(value.items()))
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(describe, value)) + ")"
    if callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


def fingerprint(tensors: Mapping[str, torch.Tensor]) -> str:
    """A short digest of the contents of tensors: other data give another one."""
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]
