"""Real data: handwritten digits in the package, four well-known sets from your disk or a mirror.

A data set other than digits is looked for in this order: the folder `root` that you name, the
folder that the environment variable COURSE_DATA names, the cache, and at last the public mirrors,
from which it is downloaded into the cache. The folders are laid out as torchvision does it
(ROOT/MNIST/raw/train-images-idx3-ubyte, plain or .gz; ROOT/cifar-10-batches-py/), CIFAR also as
its authors' binary version (ROOT/cifar-10-batches-bin/ or ROOT/cifar-10-binary.tar.gz). Those of
torchvision are pickles: `pickles` reads them without running what they say.

What is damaged is refused by name: every file is compared with its published checksum each time it
is read. Only an unpacked binary CIFAR folder has none; there lengths and labels are checked.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from course.arguments import one_of
from course.data import downloads, reading
from course.data.dataset import Dataset, standardized
from course.data.sources import SOURCES, Source

NAMES = ("digits", *SOURCES)
"""The names that `load` knows."""

Root = str | Path | None


def load(name: str, root: Root = None) -> Dataset:
    """The data set of that name, one of `NAMES`.

    root: a folder to look in first; "~" is your home. Raises ValueError for an unknown name or a
    folder that is not there, and DataError (a ValueError) when the data are damaged, or cannot be
    had.
    """
    one_of("data", name, NAMES)
    return digits() if name == "digits" else _read(SOURCES[name], root)


def digits() -> Dataset:
    """1,797 handwritten digits, 8 x 8 pixels: 1,500 to train with and 297 to test with.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository (1998), licence CC BY 4.0; the test part, as scikit-learn ships it. The
    split is fixed: it is stored with the pictures, and has every digit in proportion.
    """
    images, labels, test = _stored_digits()
    return standardized(
        "digits",
        (images[~test], labels[~test]),
        (images[test], labels[test]),
        classes=tuple("0123456789"),
        shape=(1, 8, 8),
        white=16,
    )


@cache
def _stored_digits() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels, and which are to test with: read once, for sliders ask for them again."""
    with np.load(Path(__file__).with_name("digits.npz"), allow_pickle=False) as file:
        return file["images"], file["labels"], file["test"]


def mnist(root: Root = None) -> Dataset:
    """MNIST: 70,000 handwritten digits, 28 x 28 pixels (LeCun, Cortes, Burges, 1998)."""
    return load("mnist", root)


def fashion_mnist(root: Root = None) -> Dataset:
    """Fashion-MNIST: 70,000 pieces of clothing, 28 x 28 pixels (Xiao, Rasul, Vollgraf, 2017)."""
    return load("fashion-mnist", root)


def cifar10(root: Root = None) -> Dataset:
    """CIFAR-10: 60,000 colour photographs of ten things, 32 x 32 pixels (Krizhevsky, 2009)."""
    return load("cifar10", root)


def cifar100(root: Root = None) -> Dataset:
    """CIFAR-100: 60,000 colour photographs of a hundred things, fine labels (Krizhevsky, 2009)."""
    return load("cifar100", root)


def where(name: str, root: Root = None) -> str | None:
    """Where `load` would read that data set from, or None if something has to be downloaded.

    Nothing is read: the files are only found to be there.
    """
    if one_of("data", name, NAMES) == "digits":
        return "the package"
    source, places = SOURCES[name], downloads.folders(root)
    if unpacked := downloads.find_unpacked(source, places):
        return str(unpacked)
    paths = [path for file in source.files if (path := downloads.find(file, places))]
    return str(paths[0].parent) if len(paths) == len(source.files) else None


def _read(source: Source, root: Root) -> Dataset:
    places = downloads.folders(root)
    unpacked = downloads.find_unpacked(source, places)
    if unpacked is None:
        paths = [
            downloads.find(file, places) or downloads.fetch(source, file, downloads.cache())
            for file in source.files
        ]
    if source.unpacked:
        train, test = reading.read_cifar(source, unpacked or paths[0])
    else:
        train, test = reading.read_idx(source, paths)
    return standardized(
        source.name, train, test, classes=source.classes, shape=source.shape, white=255
    )
