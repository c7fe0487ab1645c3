"""Checkpoint files: whole or not there at all, and refused by name if they are anything else.

A file is one line that says what it is, one line with the SHA-256 of the rest, and the rest, as
torch.save writes it (tensors, numbers, strings and dicts only; read with weights_only=True). It is
written beside its place, forced to the disk and renamed: whenever the process is killed, the place
holds the old file or the new one, never a part of one.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import course
from course.arguments import reject
from course.files import _sync_folder

MAGIC = b"checkpoint of the very deep networks course, format 1\n"


class CheckpointError(ValueError):
    """A checkpoint file that cannot be used. The message names it and says what to do."""


def write(path: str | Path, content: Mapping[str, Any]) -> None:
    """Put `content` into the file in one piece; the versions of torch and course are added.

    The folder must be there. On an error (a full disk, say) the old file stays as it was.
    """
    path = Path(path)
    buffer = io.BytesIO()
    versions = {"course": course.__version__, "torch": str(torch.__version__)}
    torch.save({**content, "versions": versions}, buffer)
    payload = buffer.getvalue()
    digest = hashlib.sha256(payload).hexdigest().encode()
    partial = _partial(path)
    try:
        with open(partial, "wb") as file:
            file.write(MAGIC + digest + b"\n" + payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def read(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint file, tensors on the CPU; CheckpointError if it is not whole."""
    path = Path(path)
    advice = f"delete {str(path)!r} to start again, or give another file"
    with open(path, "rb") as file:
        head, digest, payload = file.read(len(MAGIC)), file.read(65), file.read()
    if not head:
        raise CheckpointError(f"checkpoint {str(path)!r} is empty: {advice}")
    if head != MAGIC[: len(head)]:
        raise CheckpointError(f"{str(path)!r} is not a checkpoint of this course: {advice}")
    if hashlib.sha256(payload).hexdigest().encode() + b"\n" != digest:
        raise CheckpointError(f"checkpoint {str(path)!r} is damaged or cut short: {advice}")
    try:
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:  # whole, but not what `write` writes
        raise CheckpointError(f"{str(path)!r} holds what no checkpoint holds: {advice}") from error
    return dict(content)


def prepare(path: str | Path) -> Path:
    """The path, if a checkpoint can be written there: tried now, as later a run would be lost.

    What an interrupted write has left is removed.
    """
    if not isinstance(path, str | Path):
        raise CheckpointError(str(reject("checkpoint", path, "the name of a file")))
    path = Path(path)
    if not path.parent.is_dir():
        raise CheckpointError(f"checkpoint {str(path)!r}: there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise CheckpointError(f"checkpoint {str(path)!r} is a folder: give the name of a file")
    try:
        with open(_partial(path), "wb"):
            pass
        _partial(path).unlink()
    except OSError as error:
        reason = f"nothing can be written to its folder ({error.strerror})"
        raise CheckpointError(f"checkpoint {str(path)!r}: {reason}: give another place") from None
    return path


def compare(path: str | Path, found: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    """CheckpointError that names every setting in which a file and this call differ."""
    names = [name for name in {**wanted, **found} if found.get(name) != wanted.get(name)]
    if names:
        each = "; ".join(f"{name} = {found.get(name)}, not {wanted.get(name)}" for name in names)
        advice = "give the same settings, or another file, or delete it to start again"
        raise CheckpointError(f"checkpoint {str(path)!r} is of a run with {each}: {advice}")


def describe(value: Any) -> str:
    """A setting as a string which is the same in every process (functions by their names)."""
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
        return f"{value.__module__}.{value.__qualname__}"
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


def fingerprint(tensors: Mapping[str, torch.Tensor]) -> str:
    """A short digest of the contents of tensors: other data give another one."""
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().data)
    return digest.hexdigest()[:16]


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")
