"""The walls around a submission, tried from inside: each level keeps what it says."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from course.classroom.run import sandbox, walls
from course.classroom.run.sandbox import Limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="grading needs POSIX limits")
ROOT = Path(__file__).resolve().parents[2]


def attempt(
    code: str, limits: Limits | None = None, builder: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `code` in the sandbox of this machine, within walls of one builder."""
    with tempfile.TemporaryDirectory(prefix="try") as work:
        command = sandbox.command(
            [sys.executable, "-c", code],
            work,
            level=sandbox.isolation(),
            limits=limits or Limits(),
            builder=builder,
        )
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=600,
            env=sandbox.environment(work),
            check=False,
        )


def test_the_level_is_one_that_was_tried() -> None:
    assert sandbox.isolation() in sandbox.LEVELS
    assert attempt("print(6 * 7)").stdout == "42\n"


@pytest.fixture(params=walls.BUILDERS)
def builder(request: pytest.FixtureRequest) -> str:
    """Each of the tools that build walls, where it is there and works."""
    if request.param not in walls.installed():
        pytest.skip(f"{request.param} is not installed")
    if not sandbox.works("namespaces", request.param):
        pytest.skip(f"{request.param} builds no walls on this machine")
    return str(request.param)


def test_memory_is_bounded() -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS refuses RLIMIT_AS")
    code = "try:\n    x = bytearray(10**9)\nexcept MemoryError:\n    print('no')"
    assert attempt(code, Limits(memory_gb=0.5)).stdout == "no\n"
    assert attempt(code, Limits(memory_gb=4)).stdout == ""


def test_processor_time_is_bounded() -> None:
    done = attempt("while True: pass", Limits(cpu_seconds=1))
    assert done.returncode != 0


def test_file_size_is_bounded() -> None:
    code = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with open("big", "wb") as file:
        for _ in range(5):
            file.write(b"x" * 2**20)
            file.flush()
    print("written")
except OSError as problem:
    print("stopped")
"""
    assert attempt(code, Limits(file_mb=2)).stdout == "stopped\n"
    assert attempt(code, Limits(file_mb=9)).stdout == "written\n"


def test_the_environment_is_a_clean_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSE_TEST_TOKEN", "secret")
    said = attempt("import os; print(*os.environ)").stdout.split()
    assert "COURSE_TEST_TOKEN" not in said and "HOME" in said
    assert set(said) <= set(sandbox.environment("x")) | {"PWD", "OLDPWD", "_", "SHLVL", "LC_CTYPE"}


LOOK = f"""
import os, socket
print("uid", os.getuid() == {os.getuid()})
print("checkout", os.path.exists({str(ROOT / "course")!r}))
print("writable", [p for p in ("/", "/usr", "/etc") if os.access(p, os.W_OK)])
try:
    socket.create_connection(("192.0.2.1", 9), 1)
except OSError as problem:
    print("network", problem.errno)
caps = [line for line in open("/proc/self/status") if line.startswith("Cap")]
print("capabilities", {{line.split()[1] for line in caps}})
print("gains", os.system("mount -t tmpfs none /usr 2>/dev/null; umount /usr 2>/dev/null") == 0)
open("mine", "w").write("fine")
"""
WALLED = [
    "checkout False",
    "writable []",
    "network 101",  # unreachable: there is no network at all
    "capabilities {'0000000000000000'}",
    "gains False",
]


def test_walls_by_namespaces(builder: str) -> None:
    done = attempt(LOOK, builder=builder)
    assert done.stdout.splitlines()[1:] == WALLED, done
    if os.getuid() == 0:
        assert done.stdout.startswith("uid False")  # not root in there


NEST = """
import ctypes, os
def enter(kind):
    if ctypes.CDLL(None, use_errno=True).unshare(kind):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
USER, MOUNT = 0x10000000, 0x00020000
for kind in (USER, USER | MOUNT):
    try:
        enter(kind)
        print("a namespace of its own")
    except OSError as problem:
        print("refused")
try:
    open("/proc/sys/user/max_user_namespaces", "w").write("9")
    print("allowed itself")
except OSError:
    print("refused")
try:
    os.chroot("/tmp")
    print("another root")
except OSError:
    print("refused")
"""


def test_no_namespaces_within_the_walls(builder: str) -> None:
    """In one of its own a submission could mount memory that no limit counts."""
    assert attempt(NEST, builder=builder).stdout.splitlines() == ["refused"] * 4
    done = attempt(
        "import os; os.system('unshare --user --map-root-user echo in')", builder=builder
    )
    assert done.stdout == "" and "unshare" in done.stderr


FILL = """
import os
written = {}
for folder in ("/tmp", "/dev/shm", "/dev", "/"):
    written[folder] = 0
    try:
        for number in range(20):
            with open(f"{folder}/{number}", "wb") as file:
                for _ in range(20):
                    written[folder] += file.write(bytes(2**20)) / 2**20
    except OSError:
        pass
print(*written.values())
"""


def test_memory_behind_files_is_bounded(builder: str) -> None:
    """What lies in /tmp and /dev/shm is memory; the rest cannot be written."""
    temporary, shared, *rest = map(float, attempt(FILL, builder=builder).stdout.split())
    assert temporary <= walls.TEMPORARY / 2**20 and shared <= walls.SHARED / 2**20
    assert rest == [0.0, 0.0]


def test_an_interrupt_reaches_the_kernel_alone(builder: str) -> None:
    """Sent to the whole group, as Jupyter does: the program goes on, and so do its walls."""
    code = """
import signal, time
try:
    print("ready", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print("goes on", flush=True)
"""
    with tempfile.TemporaryDirectory(prefix="try") as work:
        command = sandbox.command(
            [sys.executable, "-c", code],
            work,
            level="namespaces",
            limits=Limits(),
            builder=builder,
        )
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=sandbox.environment(work),
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            os.killpg(process.pid, signal.SIGINT)
            assert process.stdout.read() == "interrupted\ngoes on\n"


@pytest.fixture
def readable_copy() -> Iterator[Path]:
    """The sandbox where an ordinary user can read it."""
    with tempfile.TemporaryDirectory(prefix="readable") as folder:
        os.chmod(folder, 0o755)
        run = "course/classroom/run"
        for name in ("course/arguments.py", f"{run}/sandbox.py", f"{run}/walls.py"):
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (target.parent / "__init__.py").touch()
            shutil.copy(ROOT / name, target)
        for path in Path(folder).rglob("*"):
            path.chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("builder", walls.BUILDERS)
def test_walls_for_an_ordinary_user(readable_copy: Path, builder: str) -> None:
    """Namespaces of an unprivileged user, where the system has them: as on a teacher's laptop."""
    python = "/usr/bin/python3"
    if os.getuid() != 0 or not Path(python).exists() or not shutil.which("setpriv"):
        pytest.skip("needs root, to become somebody else, and a Python that all may read")
    code = f"""
import subprocess, sys, tempfile
from course.classroom.run import sandbox, walls
if {builder!r} not in walls.installed() or not sandbox.works("namespaces", {builder!r}):
    sys.exit("none")
with tempfile.TemporaryDirectory(prefix="try") as work:
    command = sandbox.command([sys.executable, "-c", {LOOK!r}], work, level="namespaces",
                              limits=sandbox.Limits(), builder={builder!r})
    subprocess.run(command, env=sandbox.environment(work), timeout=600, check=False)
"""
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python, "-c", code]
    done = subprocess.run(
        become,
        env={"PYTHONPATH": str(readable_copy), "PATH": os.environ["PATH"]},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.stderr.strip() == "none":
        pytest.skip(f"{builder} is missing, or this system gives ordinary users no namespaces")
    assert done.stdout.splitlines()[1:] == WALLED, done


def test_nobody_s_code_runs_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """As root, with neither namespaces nor another user, there is no grading."""

    def fails(*args: Any, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(args, 1, "", "not permitted")

    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda *args, **kwargs: None)
    monkeypatch.setattr(subprocess, "run", fails)
    sandbox.isolation.cache_clear()
    sandbox.builder_here.cache_clear()
    try:
        with pytest.raises(PermissionError, match="would run as root"):
            sandbox.isolation()
    finally:
        sandbox.isolation.cache_clear()
        sandbox.builder_here.cache_clear()


def test_limits_are_read_from_text() -> None:
    assert Limits.parse("") == Limits()
    assert Limits.parse("memory_gb=0.5, processes=7") == Limits(memory_gb=0.5, processes=7)
    for text, why in (
        ("speed=3", "limit = 'speed'"),
        ("memory_gb=-1", "memory_gb"),
        ("x", "limit"),
    ):
        with pytest.raises(ValueError, match=why):
            Limits.parse(text)
