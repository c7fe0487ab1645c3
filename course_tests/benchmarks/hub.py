"""A class on a local JupyterHub: memory, processor time and latency by the number of students.

    python -m course_tests.benchmarks.hub                  1, 4 and 8 students, one after another
    python -m course_tests.benchmarks.hub 16               16 students
    python -m course_tests.benchmarks.hub 4 --notebook 01_scalar_chain.ipynb

The hub is that of course/classroom/jupyterhub_config.py, but with a login that lets everybody in,
servers that all run as this user, and folders that are deleted at the end. It listens on this
machine alone. Its proxy is the program configurable-http-proxy; where that is not on the PATH, npm
installs it into a folder of its own.

Students are threads of this process, which speak to the hub as a browser does (hub_student.py).
They do each thing at the same time, which is the worst that a class can do: log in and start a
server; run a notebook cell by cell, up to its first explorer (--whole: to its end); move a slider
there, half a second after each picture. A row of the table:

    start       s from the login until the server's page is there: median, and the slowest
    notebook    s from opening it to the end of the last cell that is run, kernel's start included
    latency     ms from a slider's event until the new picture has come: median and p95
    CPU         s of a processor for a start, for the notebook; ms for a picture
    PSS, USS    MB a student, server and kernel, at the end: with its share of what processes have
                in common (libraries), and without
    most        MB of all students, hub and proxy together, at the worst moment
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from course_tests.benchmarks.hub_student import Student
from course_tests.benchmarks.live_latency import p95
from course_tests.repository import ROOT

CONFIG = ROOT / "course" / "classroom" / "jupyterhub_config.py"
PHASES = ("start", "notebook", "sliders")
PROXY = "configurable-http-proxy"

LOCAL = """
load_subconfig({config!r})
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {base!r} + "/homes/{{username}}"
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api_port}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.db_url = "sqlite:///" + {base!r} + "/hub.sqlite"
c.JupyterHub.cookie_secret_file = {base!r} + "/cookie_secret"
c.Spawner.environment.update({environment!r})
c.Spawner.args += {arguments!r}
"""


def proxy(base: Path) -> str:
    """The path of configurable-http-proxy, installed by npm below `base` if it has to be."""
    present = shutil.which(PROXY)
    if present is None:
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(f"neither {PROXY} nor npm is on the PATH")
        command = [npm, "install", "--silent", "--no-fund", "--prefix", str(base), PROXY]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        present = str(base / "node_modules" / ".bin" / PROXY)
    return present


@dataclass(frozen=True)
class Hub:
    """A running hub: its address, and its process, of which all others are children."""

    url: str
    process: psutil.Process

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Living processes by student; hub, proxy and services under ""."""
        owners: dict[str, list[psutil.Process]] = {"": [self.process]}
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                owner = process.environ().get("JUPYTERHUB_USER", "")
                owners.setdefault(owner, []).append(process)
        return owners


@contextlib.contextmanager
def running_hub(program: str) -> Iterator[Hub]:
    """Start the hub with that proxy, in a temporary folder, and end it with all its servers."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as sockets:
        base = Path(folder)
        free = [sockets.enter_context(socket.socket()) for _ in range(3)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        port, hub_port, api_port = (one.getsockname()[1] for one in free)
        sockets.close()
        (base / "homes").mkdir()
        data = os.environ.get("COURSE_DATA")
        text = LOCAL.format(
            config=str(CONFIG), base=folder, port=port, hub_port=hub_port, api_port=api_port,
            proxy=program,
            # This clone, whichever is installed.
            environment={"PYTHONPATH": str(ROOT)} | ({"COURSE_DATA": data} if data else {}),
            arguments=["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else [],
        )  # fmt: skip
        (base / "config.py").write_text(text)
        command = [sys.executable, "-m", "jupyterhub", "-f", str(base / "config.py")]
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        with (base / "hub.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=base, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        hub = Hub(f"http://127.0.0.1:{port}", psutil.Process(process.pid))
        try:
            _wait_for(f"{hub.url}/hub/health", process, base / "hub.log")
            yield hub
        except BaseException:
            print((base / "hub.log").read_text()[-5000:], file=sys.stderr)
            raise
        finally:
            _end(process, hub)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with contextlib.suppress(requests.ConnectionError):
            if requests.get(url, timeout=10).ok:
                return
        time.sleep(0.2)
    raise RuntimeError(f"the hub did not start:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[bytes], hub: Hub) -> None:
    """The hub is asked first: it then ends its servers and the proxy."""
    others = [] if process.poll() is not None else hub.process.children(recursive=True)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(30)
    for one in [*others, hub.process]:
        with contextlib.suppress(psutil.Error):
            one.kill()


@dataclass
class Use:
    """What the students' processes have used until a moment, by student."""

    cpu: dict[str, float] = field(default_factory=dict)  # s
    pss: dict[str, float] = field(default_factory=dict)  # MB
    uss: dict[str, float] = field(default_factory=dict)  # MB


def use(hub: Hub) -> Use:
    """What each student's processes use now, and those of the hub under ""."""
    result = Use()
    for owner, processes in hub.processes().items():
        for process in processes:
            with contextlib.suppress(psutil.Error):
                times, memory = process.cpu_times(), process.memory_full_info()
                seconds = times.user + times.system + times.children_user + times.children_system
                for table, amount in (
                    (result.cpu, seconds), (result.pss, memory.pss / 1e6),
                    (result.uss, memory.uss / 1e6),
                ):  # fmt: skip
                    table[owner] = table.get(owner, 0.0) + amount
    return result


def lesson(hub: Hub, count: int, notebook: str, changes: int, whole: bool = False) -> str:
    """A row of the table, for so many students."""
    names = [f"student{count}x{k}" for k in range(count)]
    students = [Student(hub.url, name, notebook, changes, whole) for name in names]
    moments, most = [Use()], [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(2.0):
            most[0] = max(most[0], sum(use(hub).pss.values()))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for phase in PHASES:
            together([getattr(student, phase) for student in students])
            moments.append(use(hub))
    finally:
        done.set()
        watcher.join()
        for student in students:
            student.leave()
    return row(students, moments, most[0])


def together(tasks: list[Callable[[], None]]) -> None:
    """Do them at the same time; the first failure is raised."""
    failures: list[BaseException] = []

    def attempt(task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=attempt, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def row(students: list[Student], moments: list[Use], most: float) -> str:
    """The table's row: see the head of this module."""
    names = [student.name for student in students]
    starts = [student.seconds["start"] for student in students]
    waits = [1000 * wait for student in students for wait in student.waits]
    start, notebook, sliders = (
        statistics.fmean(after.cpu[name] - before.cpu.get(name, 0.0) for name in names)
        for before, after in itertools.pairwise(moments)
    )
    pss, uss = (
        statistics.fmean(table[name] for name in names)
        for table in (moments[-1].pss, moments[-1].uss)
    )
    picture = 1000 * sliders * len(students) / len(waits)
    return (
        f"{len(students):8} {statistics.median(starts):6.1f} {max(starts):6.1f} "
        f"{statistics.median(s.seconds['notebook'] for s in students):9.1f} "
        f"{statistics.median(waits):7.0f} {p95(waits):6.0f} "
        f"{start:7.1f} {notebook:9.1f} {picture:8.0f} {pss:6.0f} {uss:6.0f} {most:7.0f}"
    )


HEAD = """\
         start (s)      notebook latency (ms)  CPU: start  notebook  picture  MB a student   most
students median    max     (s)  median    p95     (s)       (s)     (ms)     PSS    USS    (MB)"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("students", nargs="*", type=int, default=[1, 4, 8])
    parser.add_argument("--notebook", default="12a_norms.ipynb", help="a notebook's file name")
    parser.add_argument("--changes", type=int, default=30, help="of the slider, by each student")
    parser.add_argument("--whole", action="store_true", help="run all cells of the notebook")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        program = proxy(Path(folder))
        print(HEAD)
        for count in arguments.students:
            with running_hub(program) as hub:
                what = arguments.notebook, arguments.changes, arguments.whole
                print(lesson(hub, count, *what), flush=True)


if __name__ == "__main__":
    main()
