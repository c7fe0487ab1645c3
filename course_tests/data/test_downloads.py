"""Downloads from a local server that misbehaves in every way we know."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from course import data
from course.data import downloads, sources
from course.data.sources import IDX, MNIST, RemoteFile, Source

pytestmark = pytest.mark.download

HANGING = 600.0
"""Seconds after which something hangs; no test waits for them."""

BODIES: dict[str, bytes] = {}
"""Plain content of a tiny MNIST by file name."""

for _name in IDX:
    _axes = (40, 28, 28) if "images" in _name else (40,)
    _header = bytes([0, 0, 8, len(_axes)]) + b"".join(n.to_bytes(4, "big") for n in _axes)
    _values = np.random.default_rng(len(BODIES)).integers(0, 10, _axes, dtype=np.uint8)
    BODIES[_name] = _header + _values.tobytes()


class Handler(BaseHTTPRequestHandler):
    """Answers /MANNER/FILE in the given manner."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, manner, name = self.path.split("/")
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = gzip.compress(BODIES[name.removesuffix(".gz")])
        getattr(self, manner)(name, body)

    def answer(self, body: bytes, *, length: int | None = None, code: int = 200, **headers) -> None:
        self.send_response(code)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def good(self, name: str, body: bytes) -> None:
        self.answer(body)

    def repacked(self, name: str, body: bytes) -> None:
        self.answer(gzip.compress(gzip.decompress(body), compresslevel=1))

    def decoded(self, name: str, body: bytes) -> None:
        self.answer(body, Content_Encoding="gzip")  # the client unpacks it on the way

    def chunked(self, name: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")

    def redirects(self, name: str, body: bytes) -> None:
        self.answer(b"", code=302, Location=f"/good/{name}")

    def truncates(self, name: str, body: bytes) -> None:
        self.answer(body[: len(body) // 2])  # and says that this was all

    def drops(self, name: str, body: bytes) -> None:
        self.answer(body[: len(body) // 2], length=len(body))
        self.close_connection = True

    def resets(self, name: str, body: bytes) -> None:
        self.answer(body[: len(body) // 2], length=len(body))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.connection.close()
        self.close_connection = True

    def drops_chunked(self, name: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(f"{len(body):x}\r\n".encode() + body[:20])
        self.close_connection = True

    def stalls(self, name: str, body: bytes) -> None:
        self.answer(body[: len(body) // 2], length=len(body))
        self.server.over.wait(HANGING)  # type: ignore[attr-defined]
        self.close_connection = True

    def silent(self, name: str, body: bytes) -> None:
        self.server.over.wait(HANGING)  # type: ignore[attr-defined]
        self.close_connection = True

    def fails(self, name: str, body: bytes) -> None:
        self.answer(b"<h1>Internal Server Error</h1>", code=500)

    def missing(self, name: str, body: bytes) -> None:
        self.answer(b"<h1>Not Found</h1>", code=404)

    def portal(self, name: str, body: bytes) -> None:
        self.answer(b"<html>Please log in to the campus network</html>")

    def circles(self, name: str, body: bytes) -> None:
        self.answer(b"", code=302, Location=f"/circles/{name}")

    def other(self, name: str, body: bytes) -> None:
        other = next(n for n in BODIES if n != name.removesuffix(".gz"))
        self.answer(gzip.compress(BODIES[other]))

    def flipped(self, name: str, body: bytes) -> None:
        plain = gzip.decompress(body)
        self.answer(gzip.compress(plain[:-1] + bytes([plain[-1] ^ 1])))

    def longer(self, name: str, body: bytes) -> None:
        self.answer(gzip.compress(gzip.decompress(body) + b"more"))

    def bomb(self, name: str, body: bytes) -> None:
        self.answer(gzip.compress(bytes(50_000_000)))

    def endless(self, name: str, body: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:  # the client has seen enough
            self.close_connection = True

    def nonsense(self, name: str, body: bytes) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        self.close_connection = True

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


GOOD = ["good", "repacked", "decoded", "chunked", "redirects"]
BAD = [
    "truncates", "drops", "resets", "drops_chunked", "stalls", "silent", "fails", "missing",
    "portal", "circles", "other", "flipped", "longer", "bomb", "endless", "nonsense", "nobody",
]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.over = threading.Event()  # type: ignore[attr-defined]
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.over.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


get = requests.get


def impatient(url: str, **options: Any) -> requests.Response:
    """Waits briefly where nothing will come, and long where something will, if not at once."""
    if "/stalls/" in url or "/silent/" in url:
        options["timeout"] = (HANGING, 0.5)
    return get(url, **options)


@pytest.fixture
def serve(server, monkeypatch, tmp_path) -> Callable[..., Source]:
    """serve("drops", "good"): "mnist" now comes from two mirrors with these manners."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(requests, "get", impatient)
    monkeypatch.setattr(downloads, "TIMEOUT", (HANGING, HANGING))
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    monkeypatch.setattr(downloads, "LARGEST", 1 << 20)
    server.asked.clear()
    address = f"http://127.0.0.1:{server.server_address[1]}"

    def serve(*manners: str) -> Source:
        mirrors = tuple(
            f"{address}/{manner}/" if manner != "nobody" else f"http://127.0.0.1:{_free_port()}/"
            for manner in manners
        )
        files = tuple(
            RemoteFile("MNIST/raw", name, md5(body).hexdigest(), len(body), mirrors)
            for name, body in BODIES.items()
        )
        source = replace(MNIST, files=files)
        monkeypatch.setitem(sources.SOURCES, "mnist", source)
        return source

    return serve


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _files() -> list[str]:
    return sorted(p.name for p in downloads.cache().rglob("*") if p.is_file())


@pytest.mark.parametrize("manner", GOOD)
def test_downloads(serve, server, manner, capsys):
    serve(manner)
    loaded = data.mnist()
    said = capsys.readouterr()
    assert "train-images-idx3-ubyte.gz" in said.err, "a progress bar"
    assert "SHA256" not in said.err and "Downloading" not in said.err and not said.out
    assert all(path.stat().st_mode & 0o044 for path in downloads.cache().rglob("*.gz"))
    images = np.frombuffer(BODIES["train-images-idx3-ubyte"], np.uint8, offset=16)
    np.testing.assert_allclose(loaded.pictures(loaded.x_train).ravel(), images / 255, atol=1e-6)
    assert _files() == sorted(f"{name}.gz" for name in IDX)
    asked = len(server.asked)
    assert data.mnist().y_test.tolist() == loaded.y_test.tolist()
    assert len(server.asked) == asked, "the second time it comes from the cache"


@pytest.mark.parametrize("manner", BAD)
def test_the_next_mirror_helps(serve, manner):
    source = serve(manner, "good")
    path = downloads.fetch(source, source.files[1], downloads.cache())
    assert gzip.decompress(path.read_bytes()) == BODIES["train-labels-idx1-ubyte"]
    assert _files() == ["train-labels-idx1-ubyte.gz"], "nothing else is left"


def test_nothing_but_bad_mirrors(serve, server):
    serve(*BAD)
    with pytest.raises(data.DataError) as caught:
        data.mnist()
    message = str(caught.value)
    assert message.startswith("mnist is neither in COURSE_DATA (not set) nor in ")
    assert "Two ways out: " in message and '"digits"' in message
    assert "FOLDER/MNIST/raw/train-images-idx3-ubyte.gz" in message and "COURSE_DATA" in message
    lines = {line.split("/")[3]: line for line in message.splitlines() if line.startswith("  http")}
    assert len(lines) == len(BAD)
    for manner, reason in {
        "truncates": "wrong content: it cannot be uncompressed",
        "fails": "500",
        "missing": "404",
        "portal": "wrong content: 31,376 bytes expected, 48 found",
        "flipped": "wrong content: the md5",
        "bomb": "wrong content: 31,376 bytes expected, more found",
        "endless": "it sends more than 1 MB",
        "stalls": "timed out",
        "silent": "timed out",
        "circles": "redirects",
    }.items():
        assert reason in lines[manner], lines[manner]
    assert "refused" in message, "the mirror where nobody listens"
    assert all(len(line) < 300 for line in message.splitlines()[:-1])
    assert not _files(), "nothing half-written"
    for manner in set(BAD) - {"nobody", "circles"}:
        asked = [path for path in server.asked if path.startswith(f"/{manner}/")]
        assert len(asked) == downloads.ROUNDS, "each mirror gets a second chance"


def test_offline(serve, monkeypatch):
    serve("nobody", "nobody")
    with pytest.raises(data.DataError, match=r"Two ways out"):
        data.mnist()
    assert not _files()
    assert len(data.load("digits").y_train) == 1500


def test_only_what_is_missing_is_fetched(serve, server, tmp_path):
    source = serve("good")
    data.mnist()
    (downloads.cache() / "MNIST/raw/t10k-labels-idx1-ubyte.gz").unlink()
    server.asked.clear()
    assert data.where("mnist") is None
    data.mnist()
    assert server.asked == ["/good/t10k-labels-idx1-ubyte.gz"]
    assert data.where("mnist") == str(downloads.cache() / "MNIST" / "raw")
    assert source.files[0].download_name in _files()


def test_a_damaged_cache_is_named(serve):
    serve("good")
    data.mnist()
    path = downloads.cache() / "MNIST/raw/train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(data.DataError, match=r"train-images-idx3-ubyte.gz is damaged.*Delete it"):
        data.mnist()
    path.unlink()
    assert len(data.mnist().y_train) == 40


def test_cifar_archive_by_its_checksum(serve, monkeypatch):
    source = serve("truncates", "good")
    name = "train-labels-idx1-ubyte.gz"
    body = gzip.compress(BODIES[name.removesuffix(".gz")])
    remote = replace(source.files[1], name=name, gzipped=False, size=None, folder="")
    monkeypatch.setattr(gzip, "compress", lambda content: body)  # so that the bytes are the same
    remote = replace(remote, md5=md5(body).hexdigest())
    path = downloads.fetch(source, remote, downloads.cache())
    assert path.read_bytes() == body and _files() == [name]


def test_unwritable_cache(serve, monkeypatch, tmp_path):
    serve("good")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(data.DataError, match=r"nothing can be written to .*XDG_CACHE_HOME"):
        data.mnist()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("large", [True, False], ids=["while writing", "on closing"])
def test_full_disk(serve, monkeypatch, server, large):
    source = serve("good", "good")

    part = tempfile.NamedTemporaryFile

    def full(**options: Any) -> Any:
        file = part(**options)
        os.unlink(file.name)
        os.symlink("/dev/full", file.name)
        return file

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.raises(data.DataError, match=r"nothing can be written to .*No space left"):
        downloads.fetch(source, source.files[0 if large else 1], downloads.cache())
    assert len(server.asked) == 1, "another mirror would not help"
    assert not _files() and Path("/dev/full").exists(), "only the link to it is removed"


def test_leftovers_of_killed_downloads(serve):
    serve("good")
    folder = downloads.cache() / "MNIST" / "raw"
    folder.mkdir(parents=True)
    old, new = (folder / name for name in ("tmpsome_old", "tmpsome_new"))
    for path in (old, new):
        path.write_bytes(b"half")
    long_ago = time.time() - 2 * downloads.STALE
    os.utime(old, (long_ago, long_ago))
    data.mnist()
    assert not old.exists() and new.exists(), "another process may be writing the new one"


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
def test_stopped_in_the_middle(serve, server, stop):
    """A download is stopped half-way: nothing under a good name, and the next call succeeds."""
    source = serve("stalls")
    code = (
        "import sys; from course.data import downloads, sources\n"
        "downloads.TIMEOUT = (600, 600)\n"
        "f = sources.RemoteFile(*sys.argv[1:4], int(sys.argv[4]), (sys.argv[5],))\n"
        "downloads.fetch(sources.MNIST, f, downloads.cache())"
    )
    f = source.files[0]
    arguments = [f.folder, f.name, f.md5, str(f.size), f.mirrors[0]]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stderr=subprocess.DEVNULL,
        # A shell's background jobs ignore interrupts, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.time() + HANGING
        while not (server.asked and _files()) and time.time() < deadline:
            assert process.poll() is None, "it ended by itself"
            time.sleep(0.1)
        assert process.poll() is None, "still under way"
        while process.poll() is None:
            process.send_signal(stop)
            # Python drops an interrupt that comes in a callback, as within an import: again.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
    finally:
        process.kill()
        process.wait()
    left = _files()
    assert f.download_name not in left
    assert not left if stop == signal.SIGINT else len(left) == 1
    serve("good")
    assert len(data.mnist().y_train) == 40


def test_many_at_once(serve):
    """Several processes of a class fetch into one cache at the same time."""
    source = serve("good")
    results: list[Path] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(
                downloads.fetch(source, source.files[0], downloads.cache())
            )
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANGING)
    assert len(results) == 8 and _files() == ["train-images-idx3-ubyte.gz"]
    assert gzip.decompress(results[0].read_bytes()) == BODIES["train-images-idx3-ubyte"]


@pytest.mark.skipif(
    not (Path(os.environ.get("COURSE_DATA", "/nowhere")) / "MNIST" / "raw").is_dir(),
    reason="COURSE_DATA names no folder with MNIST",
)
def test_the_real_mnist(monkeypatch, tmp_path):
    """The published checksums, through the whole path of a download."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    folder = Path(os.environ["COURSE_DATA"]) / "MNIST" / "raw"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mirror = f"http://127.0.0.1:{server.server_address[1]}/"
    files = tuple(replace(file, mirrors=(mirror,)) for file in MNIST.files)
    monkeypatch.setitem(sources.SOURCES, "mnist", replace(MNIST, files=files))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA")
    try:
        assert len(data.mnist().y_train) == 60_000
    finally:
        server.shutdown()
        server.server_close()
        shutil.rmtree(tmp_path / "very-deep-networks-course")
