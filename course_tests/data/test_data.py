"""Data: the embedded digits, files in a folder, and what is said when they are damaged."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course import data
from course.data import downloads, pickles, reading, sources, standardized
from course.data.sources import CIFAR10, CIFAR100, IDX, MNIST, RemoteFile, Source
from course_tests import make_digits

REAL = os.environ.get("COURSE_DATA")
needs_mnist = pytest.mark.skipif(
    not REAL or not (Path(REAL) / "MNIST" / "raw").is_dir(),
    reason="COURSE_DATA names no folder with MNIST",
)


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    return tmp_path / "cache"


def test_digits_equal_the_source():
    pytest.importorskip("sklearn", reason="scikit-learn is in the test extra")
    with np.load(make_digits.PATH) as stored:
        for name, values in make_digits.digits().items():
            assert stored[name].dtype == values.dtype
            np.testing.assert_array_equal(stored[name], values)


def test_digits():
    digits = data.digits()
    assert digits.x_train.shape == (1500, 64) and digits.x_test.shape == (297, 64)
    assert (digits.inputs, digits.outputs, digits.shape) == (64, 10, (1, 8, 8))
    assert digits.y_test.bincount().min() >= 29, "every digit is in the test set"
    assert make_digits.PATH.stat().st_size < 50_000


def test_digits_are_standardized_with_the_training_set():
    digits = data.digits()
    assert abs(float(digits.x_train.mean())) < 1e-5
    assert abs(float(digits.x_train.std()) - 1) < 1e-4
    assert abs(float(digits.x_test.mean())) > 1e-4, "the test set has a mean of its own"
    pixels = digits.pictures(digits.x_train)
    assert pixels.shape == (1500, 8, 8) and pixels.min() == 0 and pixels.max() == 1
    with np.load(make_digits.PATH) as stored:
        images = stored["images"][~stored["test"]].reshape(-1, 8, 8)
        np.testing.assert_allclose(pixels * 16, images, atol=1e-4)


def test_digits_need_neither_a_network_nor_scikit_learn():
    code = (
        "import sys, socket; socket.socket.connect = None; sys.modules['sklearn'] = None\n"
        "from course import data; print(len(data.digits().y_train))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "1500", done.stderr


def test_subset():
    digits = data.digits()
    part = digits.subset(200)
    assert torch.equal(part.x_train, digits.x_train[:200])
    assert torch.equal(part.x_test, digits.x_test) and part.mean == digits.mean
    assert part.y_train.bincount().min() >= 10, "a small part has every digit"
    wrong: list[Any] = [0, 1501, 2.5, True]
    for n in wrong:
        with pytest.raises(ValueError, match=r"^n = "):
            digits.subset(n)
    few = digits.subset(200, test=50)
    assert torch.equal(few.x_test, digits.x_test[:50]) and len(few.y_test) == 50
    for test in (0, 298):
        with pytest.raises(ValueError, match=r"^test = "):
            digits.subset(200, test=test)


@given(channels=st.sampled_from([1, 3]), size=st.integers(1, 40), seed=st.integers(0, 2**32 - 1))
def test_standardization_equals_the_plain_formula(channels, size, seed):
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (size, channels * 4), dtype=np.uint8)
    images[0, ::4], images[0, 1::4] = 0, 255  # so that no channel is constant
    labels = generator.integers(0, 2, size).astype(np.uint8)
    made = standardized(
        "made", (images, labels), (images, labels),
        classes=("a", "b"), shape=(channels, 2, 2), white=255,
    )  # fmt: skip
    pixels = images.reshape(size, channels, 4) / 255
    expected = pixels - pixels.mean(axis=(0, 2), keepdims=True)
    expected /= pixels.std(axis=(0, 2), keepdims=True)
    np.testing.assert_allclose(made.x_train, expected.reshape(size, -1), atol=1e-5)
    shown = made.pictures(made.x_train).reshape(size, 4, channels)
    np.testing.assert_allclose(shown, pixels.swapaxes(1, 2), atol=1e-5)


def test_unknown_names_and_folders():
    with pytest.raises(ValueError, match=r"data = 'minst': it must be one of digits, mnist,"):
        data.load("minst")
    with pytest.raises(ValueError, match=r"root = .*: it must be a folder that exists"):
        data.load("mnist", root="no such folder")


def test_a_wrong_course_data_is_named(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "/no/such/folder")
    with pytest.raises(ValueError, match=r"^COURSE_DATA = '/no/such/folder': it must be a folder"):
        data.load("mnist")
    assert len(data.load("digits").y_train) == 1500


@pytest.mark.parametrize("change, said", [
    (dict(y_train=torch.arange(1, 11)), r"y_train = 'labels from 1 to 10': .* from 0 to 9,"),
    (dict(y_test=-torch.ones(10, dtype=torch.int64)), "y_test = 'labels from -1 to -1'"),
    (dict(y_train=torch.zeros(10)), r"y_train = '\(10,\) of torch.float32'"),
    (dict(y_test=torch.zeros(0, dtype=torch.int64)), "y_test = .*N >= 1"),
    (dict(y_test=torch.zeros(10, 1, dtype=torch.int64)), r"y_test = '\(10, 1\)"),
    (dict(x_train=torch.zeros(10, 3)), r"x_train = .*it must be \(10, 4\) of torch.float32"),
    (dict(x_test=torch.zeros(9, 4)), r"x_test = .*it must be \(10, 4\)"),
    (dict(x_test=torch.zeros(10, 4).double()), "x_test = .*float64"),
])  # fmt: skip
def test_a_data_set_that_does_not_fit_names_what(change, said):
    x, y = torch.zeros(10, 4), torch.arange(10)
    fine: dict[str, Any] = dict(
        name="mine", x_train=x, y_train=y, x_test=x, y_test=y, classes=tuple("0123456789"),
        shape=(1, 2, 2), mean=(0.0,), sd=(1.0,),
    )  # fmt: skip
    assert data.Dataset(**fine).outputs == 10
    with pytest.raises(ValueError, match=said):
        data.Dataset(**{**fine, **change})


def test_home_is_expanded(small, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data.where("mnist", root="~/root") == str(tmp_path / "root" / "MNIST" / "raw")
    assert data.load("mnist", root=Path("~/root")).y_train.tolist() == [0, 1]
    monkeypatch.setenv("COURSE_DATA", "~/root")
    assert data.load("mnist").y_train.tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"root = '~/none': it must be a folder"):
        data.load("mnist", root="~/none")


@pytest.fixture
def homeless(monkeypatch):
    """No home: what platformdirs does where there is neither HOME nor an entry for the user."""

    def nowhere(*arguments, **options):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_cache_dir", nowhere)
    monkeypatch.setattr("platformdirs.user_data_dir", nowhere)


def test_without_a_home_the_data_of_a_folder_are_read(small, homeless, monkeypatch):
    _, root = small
    assert data.mnist(root).y_train.tolist() == [0, 1]
    monkeypatch.setenv("COURSE_DATA", str(root))
    assert data.mnist().y_train.tolist() == [0, 1] and data.where("fashion-mnist") is None
    with pytest.raises(data.DataError, match=r"there is no home folder.*XDG_CACHE_HOME"):
        data.fashion_mnist()


@needs_mnist
@pytest.mark.parametrize("name, mean", [("mnist", 0.1307), ("fashion-mnist", 0.2860)])
def test_real_sets_from_a_folder(name, mean, empty_cache):
    loaded = data.load(name, root=REAL)
    assert loaded.x_train.shape == (60_000, 784) and loaded.x_test.shape == (10_000, 784)
    assert loaded.mean == pytest.approx((mean,), abs=1e-4), "the mean that everybody quotes"
    assert loaded.y_test.bincount().tolist()[:3] == (
        [980, 1135, 1032] if name == "mnist" else [1000, 1000, 1000]
    )
    assert data.where(name, root=REAL) == str(
        Path(REAL or "") / sources.SOURCES[name].files[0].folder
    )
    assert not empty_cache.exists(), "nothing was written"


@pytest.fixture
def small(monkeypatch, empty_cache, tmp_path) -> tuple[Source, Path]:
    """A tiny MNIST, two pictures of each kind, in a folder; known to `load` as "mnist"."""
    root = tmp_path / "root"
    (root / "MNIST" / "raw").mkdir(parents=True)
    files = []
    for name in IDX:
        axes = (2, 28, 28) if "images" in name else (2,)
        header = bytes([0, 0, 8, len(axes)]) + b"".join(n.to_bytes(4, "big") for n in axes)
        body = header + np.arange(np.prod(axes)).astype(np.uint8).tobytes()
        (root / "MNIST" / "raw" / name).write_bytes(body)
        files.append(RemoteFile("MNIST/raw", name, md5(body).hexdigest(), len(body), ()))
    source = replace(MNIST, files=tuple(files))
    monkeypatch.setitem(sources.SOURCES, "mnist", source)
    return source, root


def test_order_of_places(small, tmp_path, monkeypatch, empty_cache):
    _, root = small
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(root, elsewhere)
    cached = shutil.copytree(root, downloads.cache())
    assert data.where("mnist") == str(cached / "MNIST" / "raw")
    monkeypatch.setenv("COURSE_DATA", str(elsewhere))
    assert data.where("mnist") == str(elsewhere / "MNIST" / "raw")
    assert data.where("mnist", root=root) == str(root / "MNIST" / "raw")
    assert data.mnist(root).y_train.tolist() == [0, 1]
    for path in (root / "MNIST" / "raw").iterdir():
        path.unlink()
    assert data.where("mnist", root=root) == str(elsewhere / "MNIST" / "raw")
    monkeypatch.delenv("COURSE_DATA")
    shutil.rmtree(cached)
    assert data.where("mnist") is None


@pytest.mark.parametrize("spoil", ["cut", "longer", "flipped", "empty", "not gzip", "cut gzip"])
@pytest.mark.parametrize("name", list(IDX))
def test_damaged_files_are_named(small, spoil, name):
    _, root = small
    path = root / "MNIST" / "raw" / name
    body = path.read_bytes()
    packed = gzip.compress(body)
    spoiled = {
        "cut": body[:-1],
        "longer": body + b"x",
        "flipped": body[:-1] + bytes([body[-1] ^ 1]),
        "empty": b"",
        "not gzip": b"\x1f\x8b" + body,
        "cut gzip": packed[:-4],
    }[spoil]
    path.write_bytes(spoiled)
    with pytest.raises(data.DataError, match=r"is damaged: .*Delete it") as caught:
        data.mnist(root)
    assert str(path) in str(caught.value)


def test_compressed_or_plain_whatever_the_name(small):
    _, root = small
    expected = data.mnist(root).x_train
    for path in list((root / "MNIST" / "raw").iterdir()):
        packed = gzip.compress(path.read_bytes())
        path.with_name(path.name + ".gz").write_bytes(packed)
        path.unlink()
    assert torch.equal(data.mnist(root).x_train, expected)
    for path in (root / "MNIST" / "raw").iterdir():
        path.write_bytes(gzip.decompress(path.read_bytes()))  # plain, though named .gz
    assert torch.equal(data.mnist(root).x_train, expected)


@given(st.binary(max_size=40))
def test_idx_reads_or_refuses(body):
    try:
        array = reading.idx(body)
    except ValueError as error:
        assert "idx" in str(error)
    else:
        assert array.size <= len(body)


def test_idx():
    header = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3])
    array = reading.idx(header + bytes(range(12)))
    assert array.tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    for wrong in (header + bytes(11), header + bytes(13), b"\0\0\x0d" + header[3:] + bytes(12)):
        with pytest.raises(ValueError):
            reading.idx(wrong)


def little_cifar(source: Source, seed: int = 0) -> tuple[Source, dict[str, bytes]]:
    """`source` with three pictures a file, and the files."""
    generator = np.random.default_rng(seed)
    bodies = {}
    for name, _ in source.unpacked:
        records = generator.integers(0, 256, (3, source.label_bytes + 3072), dtype=np.uint8)
        records[:, : source.label_bytes] = generator.integers(0, 10, (3, source.label_bytes))
        bodies[name] = records.tobytes()
    sizes = tuple((name, len(body)) for name, body in bodies.items())
    return replace(source, unpacked=sizes), bodies


@pytest.mark.parametrize("source", [CIFAR10, CIFAR100], ids=lambda s: s.name)
@pytest.mark.parametrize("packed", [True, False])
def test_cifar_archive_and_folder(source, packed, tmp_path, monkeypatch, empty_cache):
    source, bodies = little_cifar(source)
    if packed:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as archive:
            for name, body in bodies.items():
                info = tarfile.TarInfo(f"{source.unpacked_folder}/{name}")
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
        remote = replace(source.files[0], md5=md5(stream.getvalue()).hexdigest())
        source = replace(source, files=(remote,))
        (tmp_path / remote.name).write_bytes(stream.getvalue())
    else:
        (tmp_path / source.unpacked_folder).mkdir()
        for name, body in bodies.items():
            (tmp_path / source.unpacked_folder / name).write_bytes(body)
    monkeypatch.setitem(sources.SOURCES, source.name, source)
    loaded = data.load(source.name, root=tmp_path)
    *train, test = (np.frombuffer(b, np.uint8).reshape(3, -1) for b in bodies.values())
    rows, k = np.concatenate(train), source.label_bytes
    assert loaded.y_train.tolist() == rows[:, k - 1].tolist(), "CIFAR-100: the fine label"
    assert loaded.y_test.tolist() == test[:, k - 1].tolist()
    expected = rows[:, k:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) / 255
    np.testing.assert_allclose(loaded.pictures(loaded.x_train), expected, atol=1e-5)
    if packed:
        body = (tmp_path / source.files[0].name).read_bytes()
        (tmp_path / source.files[0].name).write_bytes(body[:-1])
        with pytest.raises(data.DataError, match=r"binary.tar.gz is damaged: its md5 is"):
            data.load(source.name, root=tmp_path)


def test_damaged_cifar_folder(tmp_path, monkeypatch, empty_cache):
    source, bodies = little_cifar(CIFAR10)
    monkeypatch.setitem(sources.SOURCES, "cifar10", source)
    folder = tmp_path / source.unpacked_folder
    folder.mkdir()
    for name, body in bodies.items():
        (folder / name).write_bytes(body)
    (folder / "data_batch_2.bin").write_bytes(bodies["data_batch_2.bin"][:-1])
    with pytest.raises(data.DataError, match=r"data_batch_2.bin is damaged: 9,219 bytes expected"):
        data.cifar10(tmp_path)
    (folder / "data_batch_2.bin").write_bytes(b"\x0a" + bodies["data_batch_2.bin"][1:])
    with pytest.raises(data.DataError, match=r"data_batch_2.bin is damaged: a label is 10"):
        data.cifar10(tmp_path)


class Python2(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Writes as Python 2 did: text is bytes, and numpy lives where it lived then."""

    dispatch: ClassVar = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def text(self, value):
        encoded = value if isinstance(value, bytes) else value.encode("latin1")
        self.write(b"T" + len(encoded).to_bytes(4, "little") + encoded)
        self.memoize(value)

    dispatch[bytes] = dispatch[str] = text


def python2(value: object) -> bytes:
    stream = io.BytesIO()
    Python2(stream, 2).dump(value)
    return stream.getvalue().replace(b"numpy._core.", b"numpy.core.")


def pickled_cifar(source: Source, root: Path, write=python2) -> tuple[Source, list[np.ndarray]]:
    """`source` with three pictures a file, its files in torchvision's folder, and the pictures."""
    folder, files, images = root / source.pickled_folder, [], []
    folder.mkdir(exist_ok=True)
    for number, file in enumerate(source.pickled):
        pixels = np.random.default_rng(number).integers(0, 256, (3, 3072), dtype=np.uint8)
        labels = [number, 1, 2]
        content = write({"data": pixels, source.pickled_labels: labels, "batch_label": "one"})
        (folder / file.name).write_bytes(content)
        files.append(replace(file, md5=md5(content).hexdigest(), pictures=3))
        images.append(pixels)
    return replace(source, pickled=tuple(files)), images


@pytest.mark.parametrize("source", [CIFAR10, CIFAR100], ids=lambda s: s.name)
@pytest.mark.parametrize("write", [python2, partial(pickle.dumps, protocol=2), pickle.dumps])
def test_cifar_in_torchvisions_layout(source, write, tmp_path, monkeypatch, empty_cache):
    source, images = pickled_cifar(source, tmp_path, write)
    monkeypatch.setitem(sources.SOURCES, source.name, source)
    assert data.where(source.name, tmp_path) == str(tmp_path / source.pickled_folder)
    loaded = data.load(source.name, root=tmp_path)
    last = len(source.pickled) - 1
    assert loaded.y_train.tolist() == [k for n in range(last) for k in (n, 1, 2)]
    assert loaded.y_test.tolist() == [last, 1, 2]
    expected = np.concatenate(images[:-1]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1) / 255
    np.testing.assert_allclose(loaded.pictures(loaded.x_train), expected, atol=1e-5)
    path = tmp_path / source.pickled_folder / source.pickled[0].name
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(data.DataError, match=f"{path.name} is damaged: its md5 is"):
        data.load(source.name, root=tmp_path)


class Evil:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def evil(kind: str, mark: Path) -> bytes:
    """A pickle that makes a file when it is unpickled plainly."""
    if kind == "text":
        return f"cos\nmkdir\n(V{mark}\ntR.".encode()
    if kind == "in the data":
        return pickle.dumps({"data": Evil(os.mkdir, str(mark)), "labels": [0, 1, 2]}, 2)
    if kind == "in an object array":
        array = np.array([Evil(os.mkdir, str(mark))] * 3, dtype=object)
        return pickle.dumps({"data": array, "labels": [0, 1, 2]}, 2)
    by_eval = Evil(eval, f"__import__('os').mkdir({str(mark)!r})")
    return pickle.dumps(by_eval, 4 if kind == "eval, new" else 2)


@pytest.mark.parametrize(
    "kind", ["text", "in the data", "in an object array", "eval, old", "eval, new"]
)
def test_a_malicious_pickle_runs_nothing(kind, tmp_path, monkeypatch, empty_cache):
    mark = tmp_path / "mark"
    content = evil(kind, mark)
    pickle.loads(content)
    assert mark.is_dir(), "unpickled plainly it would"
    mark.rmdir()
    source, _ = pickled_cifar(CIFAR10, tmp_path)
    path = tmp_path / source.pickled_folder / "data_batch_3"
    path.write_bytes(content)
    monkeypatch.setitem(sources.SOURCES, "cifar10", source)
    with pytest.raises(data.DataError, match="data_batch_3 is damaged: its md5 is"):
        data.cifar10(tmp_path)
    files = [replace(f, md5=md5(content).hexdigest()) if f.name == path.name else f
             for f in source.pickled]  # fmt: skip
    monkeypatch.setitem(sources.SOURCES, "cifar10", replace(source, pickled=tuple(files)))
    with pytest.raises(data.DataError, match=r"data_batch_3 is damaged: .*it asks for \w+\.\w+"):
        data.cifar10(tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize("value", [
    [1, 2], {}, {"data": 3, "labels": [0, 1, 2]},
    {"data": np.zeros((3, 3072)), "labels": [0, 1, 2]},
    {"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1]},
    {"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1, 10]},
    {"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1, -1]},
    {"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1, 1.5]},
    {"data": np.zeros((3, 3072), np.uint8), "labels": "abc"},
    {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]},
    {"data": np.zeros((3, 3072), object), "labels": [0, 1, 2]},
])  # fmt: skip
def test_a_pickle_of_something_else_is_damaged(value, tmp_path):
    path = tmp_path / "data_batch_1"
    path.write_bytes(content := pickle.dumps(value, 2))
    file = sources.PickledFile(path.name, md5(content).hexdigest(), 3)
    with pytest.raises(data.DataError, match="data_batch_1 is damaged"):
        pickles.pictures(CIFAR10, file, path)


@given(st.binary(max_size=60))
def test_what_is_no_pickle_is_damaged_or_harmless(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "data_batch_1")
        path.write_bytes(content)
        file = sources.PickledFile(path.name, md5(content).hexdigest(), 3)
        with pytest.raises(data.DataError, match="data_batch_1 is damaged"):
            pickles.pictures(CIFAR10, file, path)


def test_names_of_the_classes():
    assert len(set(CIFAR100.classes)) == 100 and list(CIFAR100.classes) == sorted(CIFAR100.classes)
    assert "aquarium fish" in CIFAR100.classes
    assert [len(s.classes) for s in sources.SOURCES.values()] == [10, 10, 10, 100]
