"""The `course` command: help, experiments, and what it says to bad input."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from course.cli import COMMANDS, Refusal, lab
from course.experiments import EXPERIMENTS, grid
from course_tests.cli.commands import course, refused
from course_tests.repository import readme, tool

TINY = ("--depths", "1", "--seeds", "1", "--epochs", "1", "--width", "4", "--quiet")


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
        (("degradation", "--scheduler", "tcp://a:1", "--jobs", "2"), ("jobs, part = (2, (1, 1))",)),
        (("degradation", "--scheduler", "tcp://a:1", "--dry-run"), ("scheduler = ", "--dry-run")),
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
    said = done.stdout.splitlines()
    assert said[0].startswith("Accuracy on the training set") and said[1].startswith("- plain: ")
    table, picture = (Path(text.split()[-1]) for text in said[-2:])
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [table, picture]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert table.read_text().startswith('# experiment: "degradation"')


def test_a_dry_run_says_what_it_will_cost_and_writes_nothing(tmp_path: Path) -> None:
    done = course("run", "degradation", *TINY, "--dry-run", "--out", str(tmp_path / "new"))
    assert done.exit_code == 0, done.output
    words = [line.split()[0] for line in done.stdout.splitlines()]
    assert words[:3] == ["time", "longest", "memory"] and not list(tmp_path.iterdir())


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
        "scheduler": None,
        "part": (2, 3),
        "progress": True,
    }
    done = course("run", "degradation", "--seeds", "7,", "--out", str(tmp_path))
    assert given["settings"] == change(seeds=(7,)) and "This part is done" in done.stdout


def test_the_slurm_array_has_a_task_for_each_cell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The README's script, with a stand-in for the command that prints how it was called."""
    script = readme().partition("<!-- command: slurm -->\n```sh\n")[2].partition("```")[0]
    program = tmp_path / ".venv" / "bin" / "course"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    last = re.search(r"^#SBATCH --array=1-(\d+)$", script, re.MULTILINE)
    assert last is not None
    task = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": last[1]}
    done = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=os.environ | task, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    given: dict[str, Any] = {}
    monkeypatch.setattr(grid, "run", lambda name, settings, **rest: given.update(rest, of=settings))
    monkeypatch.chdir(tmp_path)
    assert course(*done.stdout.split()).exit_code == 0
    cells = len(given["of"].networks) * len(given["of"].depths)
    assert given["part"] == (3, cells) and not given["progress"]


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
