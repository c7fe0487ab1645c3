"""What files a data set is made of: names, lengths, checksums, and mirrors known to carry them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class DataError(ValueError):
    """Data that are missing or damaged. The message says what to do."""


def damaged(path: Path, what: str) -> DataError:
    """The error for a file that is not what it should be."""
    return DataError(
        f"{path} is damaged: {what}. Delete it, or put a good copy there; then try again"
    )


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    folder, name: where it belongs below a root folder; `name` is that of the plain file.
    md5: of the plain content if `gzipped`, since mirrors compress it differently; else of the file.
    size: length in bytes of the same; None where only the checksum is published.
    """

    folder: str
    name: str
    md5: str
    size: int | None
    mirrors: tuple[str, ...]
    gzipped: bool = True

    @property
    def download_name(self) -> str:
        return f"{self.name}.gz" if self.gzipped else self.name


@dataclass(frozen=True)
class PickledFile:
    """One of the pickles of CIFAR's Python version: name, md5 and number of pictures."""

    name: str
    md5: str
    pictures: int


@dataclass(frozen=True)
class Source:
    """A data set to be read from files.

    files: what to look for and, if need be, to download.
    unpacked: for CIFAR, the names and lengths of the binary files in the archive, training first.
    label_bytes: bytes before each picture in them; the last one is the label.
    pickled: the files of CIFAR's Python version, which torchvision unpacks, training first.
    pickled_labels: the name of the labels in them.
    """

    name: str
    files: tuple[RemoteFile, ...]
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    unpacked_folder: str = ""
    unpacked: tuple[tuple[str, int], ...] = ()
    label_bytes: int = 0
    pickled_folder: str = ""
    pickled: tuple[PickledFile, ...] = ()
    pickled_labels: str = ""


IDX = {
    "train-images-idx3-ubyte": 16 + 60_000 * 784,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 784,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}
"""The four files of MNIST and Fashion-MNIST, with the lengths of their plain content."""


def _idx(folder: str, md5s: tuple[str, ...], mirrors: tuple[str, ...]) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(folder, name, md5, size, mirrors)
        for (name, size), md5 in zip(IDX.items(), md5s, strict=True)
    )


MNIST = Source(
    "mnist",
    _idx(
        "MNIST/raw",
        (
            "6bbc9ace898e44ae57da46a324031adb",
            "a25bea736e30d166cdddb491f175f624",
            "2646ac647ad5339dbf082846283269ea",
            "27ae3e4e09519cfbb04c329615203637",
        ),
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
    ),
    classes=tuple("0123456789"),
    shape=(1, 28, 28),
)

FASHION_MNIST = Source(
    "fashion-mnist",
    _idx(
        "FashionMNIST/raw",
        (
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "9018921c3c673c538a1fc5bad174d6f9",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "15d484375f8d13e6eb1aabb0c3f46965",
        ),
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
    ),
    classes=(
        "T-shirt", "trousers", "pullover", "dress", "coat",
        "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    shape=(1, 28, 28),
)  # fmt: skip

TORONTO = ("https://www.cs.toronto.edu/~kriz/",)

CIFAR10 = Source(
    "cifar10",
    (
        RemoteFile(
            "", "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530", None,
            (*TORONTO, "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/"),
            gzipped=False,
        ),
    ),
    classes=(
        "airplane", "automobile", "bird", "cat", "deer",
        "dog", "frog", "horse", "ship", "truck",
    ),
    shape=(3, 32, 32),
    unpacked_folder="cifar-10-batches-bin",
    unpacked=(
        *((f"data_batch_{k}.bin", 10_000 * 3073) for k in range(1, 6)),
        ("test_batch.bin", 10_000 * 3073),
    ),
    label_bytes=1,
    pickled_folder="cifar-10-batches-py",
    pickled=(
        PickledFile("data_batch_1", "c99cafc152244af753f735de768cd75f", 10_000),
        PickledFile("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec", 10_000),
        PickledFile("data_batch_3", "54ebc095f3ab1f0389bbae665268c751", 10_000),
        PickledFile("data_batch_4", "634d18415352ddfa80567beed471001a", 10_000),
        PickledFile("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb", 10_000),
        PickledFile("test_batch", "40351d587109b95175f43aff81a1287e", 10_000),
    ),
    pickled_labels="labels",
)  # fmt: skip

FINE = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""

CIFAR100 = Source(
    "cifar100",
    (
        RemoteFile(
            "", "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8", None,
            TORONTO,
            gzipped=False,
        ),
    ),
    classes=tuple(word.replace("_", " ") for word in FINE.split()),
    shape=(3, 32, 32),
    unpacked_folder="cifar-100-binary",
    unpacked=(("train.bin", 50_000 * 3074), ("test.bin", 10_000 * 3074)),
    label_bytes=2,
    pickled_folder="cifar-100-python",
    pickled=(
        PickledFile("train", "16019d7e3df5f24257cddd939b257f8d", 50_000),
        PickledFile("test", "f0ef6b0ae62326f3e7ffdfab6717acfc", 10_000),
    ),
    pickled_labels="fine_labels",
)  # fmt: skip

SOURCES = {s.name: s for s in (MNIST, FASHION_MNIST, CIFAR10, CIFAR100)}
