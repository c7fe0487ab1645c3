"""The `course` command: help, checks, notebooks, experiments, and what it says to bad input."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from packaging.requirements import Requirement

from course.cli import COMMANDS, Refusal, check, lab, main
from course.cli.check import AGAIN, GIB, Finding, line
from course.experiments import EXPERIMENTS, grid
from course_tests.repository import tool

TINY = ("--depths", "1", "--seeds", "1", "--epochs", "1", "--width", "4", "--quiet")


def course(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments)


def refused(done: Result, *words: str) -> None:
    """Assert that it ended with status 2 and one line on standard error that has the words."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("course: ") and done.stderr.count("\n") == 1
    assert [word for word in words if word not in done.stderr] == []


# Help


def test_help_reads_like_a_manual_page() -> None:
    done = course("--help")
    assert done.exit_code == 0
    parts = ("Usage:", "Options:", "Commands:", "Examples:", "Exit status:", "Environment:")
    places = [done.stdout.index(part) for part in (*parts, "COURSE_DATA")]
    assert places == sorted(places)
    for name, (_, about) in COMMANDS.items():
        assert f"  {name} " in done.stdout and about.split(".")[0][:40] in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = course(name, "--help")
    assert done.exit_code == 0
    assert f"Usage: main {name}" in done.stdout
    assert len(done.stdout.splitlines()) > 5


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_help_of_an_experiment_shows_every_setting_with_its_default(name: str) -> None:
    done = course("run", name, "--help")
    words = " ".join(done.stdout.split())
    assert done.exit_code == 0
    assert EXPERIMENTS[name].summary in words
    for setting, value in EXPERIMENTS[name].settings.as_dict().items():
        assert f"--{setting.replace('_', '-')} " in words
        if value is not None:
            text = ",".join(map(str, value)) if isinstance(value, list) else value
            assert f"[default: {text}]" in words


def test_help_and_version_answer_without_the_heavy_packages() -> None:
    code = (
        "import sys; from course.cli import main; main(['--help'], standalone_mode=False); "
        "from course.cli import run; "
        "print([m for m in ('torch', 'matplotlib', 'jupyterlab', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_installed_command_says_its_version() -> None:
    done = tool("course", "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("course, version ")


# Errors


def test_a_command_that_is_not_there_is_a_usage_error() -> None:
    done = course("nope")
    assert done.exit_code == 2 and "No such command 'nope'" in done.stderr


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("width = -1: it must be\n  a whole number"), "width = -1: it must be a whole"),
        (PermissionError(13, "Permission denied", "/a/b"), "/a/b: Permission denied"),
        (MemoryError(), "not enough memory"),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory"), "CUDA out of memory"),
    ],
)
def test_what_a_user_can_mend_is_one_line(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(lab, "lab", click.Command("lab", callback=broken))
    refused(course("lab"), said)
    monkeypatch.setenv("COURSE_TRACEBACK", "1")
    assert course("lab").exception is error


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    bug = RuntimeError("the sizes of tensors must match")

    def broken() -> None:
        raise bug

    monkeypatch.setattr(lab, "lab", click.Command("lab", callback=broken))
    assert course("lab").exception is bug


def test_a_refusal_without_words_names_its_kind() -> None:
    assert Refusal(OSError()).message


# course run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nope",), ("experiment = 'nope'", "degradation, figure1")),
        (("degradation", "--data", "nope"), ("data = 'nope'", "digits, mnist")),
        (("degradation", "--networks", "plain,nope"), ("networks = 'nope'", "resnet")),
        (("degradation", "--depths", "0"), ("depths = 0", ">= 1")),
        (("degradation", "--depths", "-3"), ("depths = -3", ">= 1")),
        (("degradation", "--depths", "two"), ("depths = 'two'", "whole numbers")),
        (("degradation", "--depths", ""), ("depths = ()", "one or more")),
        (("degradation", "--seeds", "1,1"), ("seeds = (1, 1)", "different")),
        (("degradation", "--rate", "nan"), ("rate = nan", "finite")),
        (("degradation", "--rate", "fast"), ("rate = 'fast'", "a number")),
        (("degradation", "--device", "tpu"), ("device = 'tpu'", "cuda")),
        (("degradation", "--jobs", "0"), ("jobs = 0", ">= 1")),
        (("degradation", "--part", "3"), ("part = '3'", "2/4")),
        (("degradation", "--part", "3/2"), ("part = (3, 2)", "k <= n")),
        (("degradation", "--root", "/not/there", "--data", "mnist"), ("root", "/not/there")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_run_refuses_what_it_cannot_do(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    out = tmp_path / "results"
    place = ("--out", str(out)) if arguments != ("nope",) else ()
    refused(course("run", *arguments, *place), *words)
    assert not list(tmp_path.rglob("*.csv")) and not list(tmp_path.rglob("*.png"))


def test_run_refuses_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "results"
    refused(course("run", "degradation", *TINY, "--out", str(out)), "out = ", str(out))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_run_writes_a_table_and_a_picture_and_nothing_else(tmp_path: Path) -> None:
    done = course("run", "degradation", *TINY, "--out", str(tmp_path / "new" / "folder"))
    assert (done.exit_code, done.stderr) == (0, "")
    table, picture = (Path(text.split()[-1]) for text in done.stdout.splitlines())
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [table, picture]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table.read_text().startswith('# experiment: "degradation"')


def test_settings_arrive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = {}

    def run(name: str, settings: object, **options: object) -> None:
        given.update(options, name=name, settings=settings)

    monkeypatch.setattr(grid, "run", run)
    options = ["--depths", "3, 7", "--seeds", "4", "--networks", "plain", "--rate", "1e-3"]
    options += ["--decay-from", ".5", "--subset", "200", "--part", "2/3", "--jobs", "2"]
    done = course("run", "degradation", *options, "--device", "cpu", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    change = EXPERIMENTS["degradation"].settings.change
    assert given == {
        "name": "degradation",
        "settings": change(
            depths=(3, 7), seeds=4, networks=("plain",), rate=1e-3, decay_from=0.5, subset=200
        ),
        "out": tmp_path,
        "root": None,
        "device": "cpu",
        "jobs": 2,
        "part": (2, 3),
        "progress": True,
    }
    done = course("run", "degradation", "--seeds", "7,", "--out", str(tmp_path))
    assert given["settings"] == change(seeds=(7,)) and "This part is done" in done.stdout


def heed_interrupts() -> None:
    """A shell starts what runs in its background with interrupts ignored, and children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_a_run_in_one_line(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("course"))
    command = [program, "run", "degradation", "--epochs", "1000", "--out", str(tmp_path)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, preexec_fn=heed_interrupts
    )
    while not list(tmp_path.glob("*.cells")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        # Python drops an interrupt that comes in a callback, as within an import: again.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
    said, errors = process.communicate()
    assert process.returncode == 1
    assert said.startswith("Stopped.") and "Traceback" not in errors
    assert not list(tmp_path.glob("*.csv"))


# course check


def test_check_says_what_is_here_and_what_to_do() -> None:
    assert line(Finding("torch", "2.13.0")) == "ok      torch          2.13.0"
    assert line(Finding("x", "old", "do this")).splitlines()[1] == "     -> do this"


@pytest.mark.parametrize("problems", [0, 2])
def test_the_status_of_check_tells(problems: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("torch", "2.13.0"), *[Finding("x", "old", "do this")] * problems]
    monkeypatch.setattr("course.cli.check.findings", lambda: iter(found))
    done = course("check")
    assert done.exit_code == (1 if problems else 0)
    last = done.stdout.splitlines()[-1]
    assert last == ("Problems: 2." if problems else "Everything is ready.")


def test_check_is_content_here() -> None:
    """This environment was made by the README's line, so nothing but memory may be short."""
    found = list(check.findings())
    assert [f for f in found if f.advice and f.name not in ("memory", "disk", "notebooks")] == []
    names = [f.name for f in found]
    for name in ("Python", "torch", "device", "memory", "disk", "kernel", "notebooks", "digits"):
        assert name in names
    assert sum("enabled" in f.value for f in found) == 2


def test_check_compares_versions_with_ranges() -> None:
    assert check.package(Requirement("torch>=2")).advice is None
    assert check.package(Requirement("torch>=99")).advice == AGAIN
    assert check.package(Requirement("not-a-package-of-ours")).value == "not installed"


def test_check_goes_on_after_something_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def device() -> None:
        raise ImportError("libtorch.so:\n cannot open")

    monkeypatch.setattr(check, "device", device)
    found = {f.name: f for f in check.findings()}
    assert found["device"].value == "ImportError: libtorch.so: cannot open"
    assert found["device"].advice and found["digits"].advice is None


def test_check_knows_the_limits_of_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_LIMIT", str(GIB // 2))
    limit = check.memory_limit()
    assert limit is not None and limit <= GIB // 2
    (found,) = check.memory()
    assert found.advice and "close other notebooks" in found.advice


def test_check_sees_a_disabled_extension(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "labconfig"
    folder.mkdir()
    disabled = {"disabledExtensions": {"anywidget": True}}
    (folder / "page_config.json").write_text(json.dumps(disabled))
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    (found,) = [f for f in check.widgets() if f.advice]
    assert found.value == "anywidget is disabled"
    assert "labextension enable anywidget" in str(found.advice)


def test_check_sees_a_kernel_of_another_python(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    spec = {"argv": ["/somewhere/else/python", "-m", "ipykernel"], "display_name": "Python 3"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    (found,) = check.kernel()
    assert "/somewhere/else" in found.value and "ipykernel install" in str(found.advice)


def test_check_says_where_data_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = {f.name: f for f in check.data()}
    assert found["digits"].value == "the package"
    assert found["mnist"].value.startswith("not here") and found["mnist"].advice is None
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "not there"))
    found = {f.name: f for f in check.data()}
    assert "COURSE_DATA" in str(found["mnist"].advice)


def test_check_says_what_will_fail_without_a_place_to_write(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "data" / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))
    for variable in ("XDG_CACHE_HOME", "COURSE_RECORDS", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "file" / "inside"))
    advised = {f.name: f for f in check.findings() if f.advice}
    assert "XDG_CACHE_HOME" in str(advised["mnist"].advice)
    assert "cannot be downloaded" in advised["mnist"].value and "digits" not in advised
    assert "COURSE_RECORDS" in str(advised["predictions"].advice)
    assert "JUPYTER_RUNTIME_DIR" in str(advised["jupyter"].advice)
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path))  # a folder
    assert next(check.predictions()).advice
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "new" / "file"))
    assert next(check.predictions()).advice is None and not (tmp_path / "new").exists()


def test_check_says_what_will_fail_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*arguments: object, **options: object) -> str:
        raise RuntimeError("could not determine the home directory")

    for variable in ("COURSE_DATA", "COURSE_RECORDS"):
        monkeypatch.delenv(variable, raising=False)
    for function in ("user_cache_dir", "user_data_dir"):
        monkeypatch.setattr(f"platformdirs.{function}", nowhere)
    monkeypatch.setattr("jupyter_core.paths.jupyter_runtime_dir", nowhere)
    advised = {f.name: f for f in check.findings() if f.advice}
    for name in ("mnist", "predictions"):
        assert "there is no home folder" in advised[name].value
    assert "jupyter" in advised


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="modes bind no administrator")
def test_check_tries_to_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert check.unwritable(tmp_path / "inside") == "Permission denied"
    finally:
        tmp_path.chmod(0o700)
    assert not check.unwritable(tmp_path / "inside")


# course lab


def test_lab_needs_notebooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lab, "notebooks", lambda: tmp_path)
    refused(course("lab"), "notebooks = ", str(tmp_path))


@pytest.fixture
def notebooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with two empty notebooks, as those of the package."""
    folder = tmp_path / "package"
    folder.mkdir()
    empty = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for name in ("00_start.ipynb", "01_next.ipynb"):
        (folder / name).write_text(json.dumps(empty))
    monkeypatch.setattr(lab, "notebooks", lambda: folder)
    monkeypatch.chdir(tmp_path)
    return folder


def test_lab_copies_but_never_replaces(notebooks: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert [path.name for path in lab.copy(mine)] == ["00_start.ipynb", "01_next.ipynb"]
    (mine / "00_start.ipynb").write_text("my work")
    (mine / "01_next.ipynb").unlink()
    assert [path.name for path in lab.copy(mine)] == ["01_next.ipynb"]
    assert (mine / "00_start.ipynb").read_text() == "my work"
    assert {path.name for path in mine.iterdir()} == {"00_start.ipynb", "01_next.ipynb"}


def test_lab_refuses_a_folder_that_cannot_be_made(notebooks: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(course("lab", "--copy", str(tmp_path / "file")), str(tmp_path / "file"))


@pytest.mark.parametrize("clone", [True, False])
def test_lab_opens_the_first_notebook(
    clone: bool, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = []
    monkeypatch.setattr(lab, "in_clone", lambda: clone)
    monkeypatch.setattr(lab, "_jupyter", lambda *given: called.append(given) or 0)
    done = course("lab", "--no-browser", "--port", "8890")
    root = tmp_path if clone else tmp_path / lab.COPY
    start = notebooks / "00_start.ipynb" if clone else root / "00_start.ipynb"
    assert done.exit_code == 0, done.output
    assert called == [(root, start, ("--no-browser", "--port", "8890"))]


def test_jupyterlab_starts_at_the_first_notebook(tmp_path: Path) -> None:
    """For real: the server comes up, and its start page is the notebook."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "00_mine.ipynb").touch()
    code = (
        "import sys; from pathlib import Path; from course.cli import lab; "
        "here = Path.cwd(); sys.exit(lab._jupyter(here, here / '00_mine.ipynb', sys.argv[1:]))"
    )
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token="]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *options],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
            env={**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)},
        )
    try:
        page = _fetch(f"http://127.0.0.1:{port}/", process, tmp_path / "log")
        assert page.endswith("/lab/tree/00_mine.ipynb")
    finally:
        process.terminate()
        process.wait()


def _fetch(address: str, process: subprocess.Popen[bytes], log: Path) -> str:
    """Where `address` leads to, once the server answers."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(address) as answer:
                return answer.url
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())
