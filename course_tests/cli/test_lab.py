"""`course lab`: a real JupyterLab on a real clone; only the browser is made up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from course.cli import lab, server
from course_tests.browser.server import ready
from course_tests.cli.commands import course, refused
from course_tests.repository import ROOT, tracked

START = "00_start_here.ipynb"


# In this process


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty home folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What JupyterLab would be started with."""
    called: list[Any] = []
    monkeypatch.setattr(server, "serve", lambda *given: called.append(given) or 0)
    return called


def test_lab_needs_notebooks(
    home: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(lab, "notebooks", lambda: tmp_path / "none")
    refused(course("lab"), "notebooks = ", str(tmp_path / "none"))


@pytest.mark.parametrize("given", [(), ("--copy", "~/there"), ("--copy", "here")])
def test_lab_opens_the_copy_at_its_first_notebook(
    given: tuple[str, ...], home: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    done = course("lab", *given, "--no-browser", "--port", "8890")
    copy = home / {"": lab.COPY, "~/there": "there"}.get("".join(given[1:]), "here")
    assert done.exit_code == 0, done.output
    assert served == [(copy, copy / START, ("--no-browser", "--port", "8890"))]
    assert f"Your own copy of the notebooks: {copy}\nHanded out" in done.stdout
    assert "Handed out" not in course("lab", *given).stdout


def test_lab_to_read_opens_the_stored_outputs(home: Path, served: list[Any]) -> None:
    assert course("lab", "--read").exit_code == 0
    copy = home / lab.COPY
    assert served[0][1] == copy / lab.READ_ONLY / START
    stored = (ROOT / "notebooks" / START).read_bytes()
    assert served[0][1].read_bytes() == stored != (copy / START).read_bytes()


def test_lab_says_what_an_update_did(
    home: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clone = tmp_path / "notebooks"
    shutil.copytree(ROOT / "notebooks", clone)
    monkeypatch.setattr(lab, "notebooks", lambda: clone)
    course("lab", "--prepare")
    mine = home / lab.COPY / START
    change(mine, "my answer")
    for path in (clone / START, clone / "01_scalar_chain.ipynb"):
        change(path, "a better sentence")
    done = course("lab", "--prepare")
    assert "Updated, as you had not touched them: 01_scalar_chain.ipynb." in done.stdout
    assert f"{START} is updated. Yours stays; the new one is 00_start_here_new.ipynb." in (
        done.stdout
    )
    assert "my answer" in mine.read_text() and served == []


def change(path: Path, text: str) -> None:
    """Write a text into a notebook's first cell."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = [text]
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.mark.parametrize("folder", ["", "notebooks"])
def test_lab_does_not_take_the_courses_own_folders(folder: str, home: Path) -> None:
    refused(course("lab", "--prepare", "--copy", str(ROOT / folder)), "copy = ", "of your own")


def test_lab_refuses_a_folder_that_cannot_be_made(home: Path) -> None:
    (home / "file").touch()
    refused(course("lab", "--copy", str(home / "file")), str(home / "file"), "--copy DIR")
    refused(course("lab", "--copy", str(home / "file" / "in")), "--copy DIR")


def test_lab_without_a_home_asks_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("could not determine home directory")

    monkeypatch.setattr(Path, "home", nowhere)
    refused(course("lab"), "no home folder", "--copy DIR")


def test_lab_on_a_hub_says_where_and_starts_no_server_that_none_can_reach(
    home: Path, served: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    done = course("lab")
    assert str(home / lab.COPY / START) in done.stdout.splitlines()[-1]
    assert done.exit_code == 0 and served == []


# With JupyterLab


@dataclass(frozen=True)
class Student:
    """A home folder, a clone of the course, and a browser that writes down what it is shown."""

    home: Path
    clone: Path
    browser: Path

    @property
    def copy(self) -> Path:
        return self.home / lab.COPY

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The clone's own `course lab`, as its user starts it."""
        code = "from course.cli import main; main(prog_name='course')"
        environment = {
            **os.environ, "HOME": str(self.home), "PYTHONPATH": str(self.clone),
            "BROWSER": f"{self.browser} %s", "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
        }  # fmt: skip
        environment.pop("JUPYTERHUB_SERVICE_PREFIX", None)
        return subprocess.Popen(
            [sys.executable, "-c", code, "lab", *arguments],
            cwd=self.clone, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=(self.home / "log").open("a"), text=True,
        )  # fmt: skip

    def git(self, *arguments: str) -> str:
        """What git says in the clone."""
        command = ["git", "-C", str(self.clone), "-c", "user.name=A", "-c", "user.email=a@b.c"]
        return subprocess.run(
            [*command, *arguments], check=True, capture_output=True, text=True
        ).stdout


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its process, address, token and folder."""

    process: subprocess.Popen[str]
    url: str
    token: str
    root: Path

    def ask(self, path: str, content: object = None) -> Any:
        """GET from the contents API, or PUT `content` as JSON."""
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            f"{self.url}api/contents/{path}",
            data=data,
            method="GET" if data is None else "PUT",
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Student:
    base = tmp_path_factory.mktemp("student")
    clone, browser = base / "clone", base / "browser"
    for path in tracked():
        name = path.relative_to(ROOT)
        if name.parts[0] in ("course", "notebooks", "pyproject.toml", ".gitignore"):
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, clone / name)
    (base / "home").mkdir()
    browser.write_text(f'#!/bin/sh\necho "$1" >> {base}/shown\n')
    browser.chmod(0o755)
    newcomer = Student(base / "home", clone, browser)
    newcomer.git("init", "-q")
    newcomer.git("add", "-A")
    newcomer.git("commit", "-qm", "the course")
    return newcomer


@pytest.fixture(scope="module")
def running(student: Student) -> Iterator[Server]:
    process = student.start("--no-browser", "--ServerApp.port=0")
    try:
        info = ready(process, student.home / "runtime", student.home / "log")
        yield Server(process, info["url"], info["token"], Path(info["root_dir"]))
    finally:
        process.kill()
        process.wait()


def test_jupyterlab_opens_the_copy_at_the_first_notebook(running: Server, student: Student) -> None:
    assert running.root == student.copy
    with urllib.request.urlopen(f"{running.url}?token={running.token}") as answer:
        assert f"/lab/tree/{START}" in answer.url
    names = {entry["name"] for entry in running.ask("")["content"]}
    assert names == {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    code = [c for c in running.ask(START)["content"]["cells"] if c["cell_type"] == "code"]
    assert code and not [cell for cell in code if cell["outputs"] or cell["execution_count"]]


def test_opening_and_saving_leaves_the_clone_clean(running: Server, student: Student) -> None:
    """As JupyterLab does it: read, with the kernel's own words added, written back."""
    for name in (START, "01_scalar_chain.ipynb"):
        notebook = running.ask(name)["content"]
        notebook["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
        if name == START:
            notebook["cells"][0]["source"] = "my own words"
        running.ask(name, {"type": "notebook", "format": "json", "content": notebook})
    assert "my own words" in (student.copy / START).read_text(encoding="utf-8")
    assert student.git("status", "--porcelain") == ""


def test_a_second_start_shows_the_first_server(running: Server, student: Student) -> None:
    second = student.start()
    said, _ = second.communicate()
    page = f"{running.url}lab/tree/{START}?token={running.token}"
    assert second.returncode == 0
    assert said.splitlines() == ["JupyterLab already runs for this folder; here it is:",
                                 f"    {page}"]  # fmt: skip
    shown = student.browser.parent / "shown"
    while not shown.exists() or not shown.read_text():  # the browser is another process
        time.sleep(0.05)
    assert shown.read_text() == f"{page}\n"


def test_to_read_beside_it_leaves_the_clone_clean(running: Server, student: Student) -> None:
    said, _ = student.start("--read", "--no-browser").communicate()
    assert f"{running.url}lab/tree/{lab.READ_ONLY}/{START}?token=" in said
    name = f"{lab.READ_ONLY}/01_scalar_chain.ipynb"
    model = running.ask(name)
    assert [cell for cell in model["content"]["cells"] if cell.get("outputs")]
    assert not model["writable"] or os.geteuid() == 0  # modes bind no administrator
    assert student.git("status", "--porcelain") == ""


def test_an_update_waits_until_the_server_ends_even_by_a_kill(
    running: Server, student: Student
) -> None:
    notebook = student.clone / "notebooks" / "02_blow_up.ipynb"
    mine, copied = student.copy / "03_sigmoid_saturation.ipynb", student.copy / notebook.name
    before = copied.read_bytes()
    change(mine, "my answer")
    change(notebook, "a better title")
    said, _ = student.start("--no-browser").communicate()
    assert said.startswith("The course was updated: end JupyterLab")
    assert copied.read_bytes() == before
    running.process.kill()
    running.process.wait()
    said, _ = student.start("--prepare").communicate()
    assert "Updated, as you had not touched them: 02_blow_up.ipynb." in said
    assert "a better title" in copied.read_text(encoding="utf-8")
    assert "my answer" in mine.read_text(encoding="utf-8")


def test_a_copy_inside_the_clone_is_ignored_by_git(student: Student) -> None:
    student.git("checkout", "-q", ".")
    student.start("--prepare", "--copy", "my-course").communicate()
    assert len(list((student.clone / "my-course").glob("*.ipynb"))) > 10
    assert student.git("status", "--porcelain") == ""


def test_a_file_about_a_server_that_is_gone_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may belong to another process by now; nothing answers at its address."""
    stale = {
        "root_dir": str(tmp_path),
        "url": "http://127.0.0.1:9/",
        "token": "",
        "pid": os.getpid(),
    }
    (tmp_path / "jpserver-1.json").write_text(json.dumps(stale))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    assert server.running(tmp_path) is None
    monkeypatch.setattr(server, "PATIENCE", 0.0)
    with pytest.raises(ValueError, match="does not answer: end it"):
        server.address(tmp_path, tmp_path / START)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, ("1", "3")),
        ({"COURSE_THREADS": "2"}, ("1", "2")),
        ({"OMP_NUM_THREADS": "4"}, ("4", None)),
        ({"OMP_NUM_THREADS": "1", "COURSE_THREADS": "2"}, ("1", "2")),
    ],
)
def test_kernels_train_on_all_cores_unless_they_are_told_otherwise(before, after, monkeypatch):
    monkeypatch.setattr(lab, "os", SimpleNamespace(environ=before, cpu_count=lambda: 3))
    lab.limit_threads()
    assert (before["OMP_NUM_THREADS"], before.get("COURSE_THREADS")) == after
