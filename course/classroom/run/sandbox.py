"""Where a submission runs: the operating system's limits, and its namespaces where it has them.

Three levels, the strongest that the machine allows (`isolation()` tries them out):

- "namespaces" (Linux, as root or with user namespaces): the kernel of the submission sees the
  system's programs, this Python and an empty folder of its own, all but that folder read-only; no
  network at all; no other process; no capability, no namespaces of its own (see `walls`).
- "user" (as root without namespaces): limits, under a user id of its own.
- "limits" (anything else with POSIX limits): memory, processor time, file size, processes.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from course.arguments import one_of, real
from course.classroom.run import walls

LEVELS = {
    "namespaces": "no network, no files but its own, no other process, limits",
    "user": "limits and a user of its own; network and readable files are open to it",
    "limits": "limits only: it can read and write what you can, and use the network",
}


@dataclass(frozen=True)
class Limits:
    """What one kernel may use: address space (GB), processor seconds, file size (MB), processes."""

    memory_gb: float = 2.0
    cpu_seconds: int = 120
    file_mb: int = 50
    processes: int = 128

    @classmethod
    def parse(cls, text: str) -> Limits:
        """From "memory_gb=2.0,cpu_seconds=120"; ValueError for a name or a number it can't be."""
        known = {f.name: f.default for f in fields(cls)}
        given: dict[str, Any] = {}
        for pair in text.split(",") if text else []:
            name, _, value = pair.partition("=")
            kind = float if one_of("limit", name.strip(), known) == "memory_gb" else int
            given[name.strip()] = kind(real(name.strip(), value, above=0, text=True))
        return cls(**given)


# The last step before the kernel, inside all walls: gives up privileges, sets limits, becomes it.
_LAST = """
import ctypes, json, os, resource, signal, sys
wanted, command = json.loads(sys.argv[1]), sys.argv[2:]
os.umask(0o077)
if wanted["uid"] and os.getuid() == 0:
    os.setgroups([])
    os.setresgid(wanted["uid"], wanted["uid"], wanted["uid"])
    os.setresuid(wanted["uid"], wanted["uid"], wanted["uid"])
if wanted["alone"]:
    os.environ.pop("JPY_PARENT_PID", None)
elif sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # it ends with the grader's process
os.chdir(wanted["work"])
signal.signal(signal.SIGINT, signal.SIG_DFL)
for name, most in wanted["limits"].items():
    kind = getattr(resource, name, None)
    if kind is not None:
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            pass  # macOS refuses RLIMIT_AS
os.execv(command[0], command)
"""


def command(
    argv: list[str],
    work: str,
    *,
    level: str,
    limits: Limits,
    uid: int | None = None,
    builder: str | None = None,
) -> list[str]:
    """The command that runs `argv` at `level`; `work` is the one folder it may write to.

    Under root the folder is handed to `uid`, a user that should own nothing else. builder: what
    builds the walls of level "namespaces" (see `walls.BUILDERS`), by default one that works here.
    """
    own = level != "limits" and os.getuid() == 0
    uid = uid or 60_000 + os.getpid() % 5_000
    most = {
        "RLIMIT_AS": int(limits.memory_gb * 2**30),
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.file_mb * 2**20,
        "RLIMIT_NOFILE": 512,
        "RLIMIT_CORE": 0,
    }
    # Counted by user: without a user or namespace of its own, what the instructor runs counts too.
    shared = 0 if level == "namespaces" or own else _tasks()
    most["RLIMIT_NPROC"] = limits.processes + shared
    alone = level == "namespaces"
    settings = {"uid": uid if own else 0, "limits": most, "work": work, "alone": alone}
    inner = [sys.executable, "-I", "-S", "-c", _LAST, json.dumps(settings), *argv]
    if alone:
        build = walls.BUILDERS[builder or builder_here()]
        inner = build(inner, work, uid if own else os.getuid())
    if own:
        for path in (work, *map(str, Path(work).rglob("*"))):
            os.chown(path, uid, uid, follow_symlinks=False)
    return inner


def _tasks() -> int:
    """Threads of the present user."""
    import psutil

    count = 0
    for process in psutil.process_iter(["uids", "num_threads"]):
        uids = process.info["uids"]
        count += (process.info["num_threads"] or 1) if uids and uids.real == os.getuid() else 0
    return count


def environment(work: str) -> dict[str, str]:
    """The environment of a submission: nothing of the instructor's but the way to programs."""
    single = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": work,
        "LANG": "C.UTF-8",
        "IPYTHONDIR": work,
        "JUPYTER_RUNTIME_DIR": work,
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(single, "1"),
    }


@functools.cache
def isolation() -> str:
    """The strongest level that works here: "namespaces", "user" or "limits" (see LEVELS)."""
    if builder_here():
        return "namespaces"
    if os.getuid() != 0:
        return "limits"
    if works("user"):
        return "user"
    raise PermissionError(
        "submissions would run as root: neither namespaces nor a change of user work here; "
        "grade as an ordinary user, or in a container that allows user namespaces"
    )


@functools.cache
def builder_here() -> str:
    """The preferred builder of walls that works here, "" where there is none."""
    return next((name for name in walls.installed() if works("namespaces", name)), "")


def works(level: str, builder: str | None = None) -> bool:
    """Whether a small program runs at this level."""
    with tempfile.TemporaryDirectory(prefix="probe") as work:
        argv = [sys.executable, "-c", "import zlib; print(6 * 7)"]
        done = subprocess.run(
            command(argv, work, level=level, limits=Limits(), builder=builder),
            capture_output=True,
            text=True,
            timeout=60,
            env=environment(work),
            check=False,
        )
    return done.stdout.strip() == "42"


def describe(level: str, limits: Limits) -> str:
    """One line for the instructor."""
    used = ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in asdict(limits).items())
    return f"isolation: {level} ({LEVELS[level]}); {used}"
