"""Pictures out of CIFAR's Python version, its pickles, by a reader that can run nothing.

A pickle is a program; plain unpickling runs whatever its author put there. Here a file must have
its published checksum, and the reader knows arrays, dictionaries, lists, text and numbers alone.
"""

from __future__ import annotations

import io
import pickle
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np

from course.data.sources import PickledFile, Source, damaged


def _latin1(text: str, encoding: str) -> bytes:
    """Bytes as Python 3 writes them into old pickles."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"text in {encoding!r}")
    return text.encode("latin1")


_RECONSTRUCT = np.empty(0).__reduce__()[0]
KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("_codecs", "encode"): _latin1,
}
"""All that a pickle may ask for by name."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """What goes by that name in `KNOWN`; anything else is refused, and never imported."""
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no array")
        return KNOWN[module, name]


def restricted(content: bytes) -> Any:
    """The value in a pickle of arrays, dicts, lists, bytes, text and numbers.

    Text from Python 2 comes back as bytes. Raises pickle.UnpicklingError, and what else a broken
    pickle can raise.
    """
    return _Reader(io.BytesIO(content), encoding="bytes").load()


def pictures(source: Source, file: PickledFile, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N, d) and labels (N,), both uint8, of one of CIFAR's pickles. Raises DataError."""
    content = path.read_bytes()
    digest = md5(content, usedforsecurity=False).hexdigest()
    if digest != file.md5:
        raise damaged(path, f"its md5 is {digest}, not {file.md5}")
    try:
        value = restricted(content)
        named = {key.decode() if isinstance(key, bytes) else key: value[key] for key in value}
        images, labels = named["data"], named[source.pickled_labels]
        shape, kind, number = images.shape, images.dtype, len(labels)
        whole = all(type(label) is int for label in labels)
    except Exception as error:  # a broken pickle can raise anything
        raise damaged(path, f"it cannot be read ({type(error).__name__}: {error})") from None
    expected = (file.pictures, int(np.prod(source.shape)))
    if shape != expected or kind != np.uint8 or number != file.pictures or not whole:
        raise damaged(path, f"{expected} bytes and as many labels expected, {shape} found")
    for label in (min(labels), max(labels)):
        if not 0 <= label < len(source.classes):
            raise damaged(path, f"a label is {label}, beyond 0 to {len(source.classes) - 1}")
    return images, np.array(labels, np.uint8)
