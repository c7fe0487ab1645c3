"""Where a submission runs: the operating system's limits, and its namespaces where it has them.

Three levels, the strongest that the machine allows (`isolation()` tries them out):

- "namespaces" (Linux, as root or with user namespaces): the kernel of the submission sees the
  system's programs, this Python and an empty folder of its own, all but that folder read-only; no
  network at all; no other process; no capability.
- "user" (as root without namespaces): limits, under a user id of its own.
- "limits" (anything else with POSIX limits): memory, processor time, file size, processes.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from course.arguments import one_of, real

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
import json, os, resource, sys
wanted, command = json.loads(sys.argv[1]), sys.argv[2:]
os.umask(0o077)
if wanted["uid"] and os.getuid() == 0:
    os.setgroups([])
    os.setresgid(wanted["uid"], wanted["uid"], wanted["uid"])
    os.setresuid(wanted["uid"], wanted["uid"], wanted["uid"])
if wanted["own_processes"]:
    os.environ.pop("JPY_PARENT_PID", None)
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

# Builds the view of the file system, in a mount namespace of its own, and drops the old one.
_WALLS = """
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
root=$1; work=$2; uid=$3; shift 3
mount -t tmpfs -o size=256m,mode=755 tmpfs "$root"
mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root/etc" "$root/.old"
mount -t tmpfs -o size=128m,mode=1777 tmpfs "$root/tmp"
while [ "$1" != "--" ]; do
  if [ -L "$1" ]; then mkdir -p "$(dirname "$root$1")"; ln -s "$(readlink "$1")" "$root$1"
  else
    if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; : > "$root$1"; fi
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro,nosuid "$root$1"
  fi
  shift
done
shift
for d in null zero random urandom; do
  : > "$root/dev/$d"; mount --bind "/dev/$d" "$root/dev/$d"
done
ln -s /proc/self/fd "$root/dev/fd"
mkdir "$root/dev/shm"; mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/dev/shm"
echo "student:x:$uid:$uid::$work:/bin/sh" > "$root/etc/passwd"
mkdir -p "$root$work"; mount --bind "$work" "$root$work"
mount -t proc proc "$root/proc" 2>/dev/null || true
cd "$root"; pivot_root . .old; umount -l /.old; rmdir /.old
mount -i -t tmpfs -o remount,ro,nosuid,nodev tmpfs /
cd "$work"
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all $DROP -- "$@"
"""


def _readable() -> list[str]:
    """What a kernel must be able to read: system programs, this Python, its packages."""
    system = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives"]
    system += ["/etc/ld.so.cache", "/etc/localtime", "/nix/store"]
    python = {os.path.abspath(p) for p in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    python.add(str(Path(sys.executable).resolve().parent.parent))
    for package in ("ipykernel", "IPython", "zmq", "numpy", "torch"):
        spec = find_spec(package)
        if spec and spec.origin:
            python.add(str(Path(spec.origin).parent.parent))
    found = system + sorted(python)
    kept: list[str] = []
    for path in found:
        inside = any(path == k or path.startswith(k + "/") for k in kept if not os.path.islink(k))
        if os.path.lexists(path) and path != "/" and not inside:
            kept.append(path)
    return kept


def command(
    argv: list[str], work: str, *, level: str, limits: Limits, uid: int | None = None
) -> list[str]:
    """The command that runs `argv` at `level`; `work` is the one folder it may write to.

    Under root the folder is handed to `uid`, a user that should own nothing else.
    """
    root_user = os.getuid() == 0
    uid = uid or 60_000 + os.getpid() % 5_000
    own = level != "limits" and root_user
    view = Path(work, ".view")  # becomes the root of what is seen inside; stays empty outside
    view.mkdir(exist_ok=True)
    if own:
        for path in (work, *map(str, Path(work).rglob("*"))):
            os.chown(path, uid, uid, follow_symlinks=False)
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
    settings = {"uid": uid if own else 0, "limits": most, "own_processes": level == "namespaces"}
    last = [sys.executable, "-I", "-S", "-c", _LAST, json.dumps(settings), *argv]
    if level != "namespaces":
        return last
    # The user is changed before the capabilities that would allow it are gone.
    drop = f"--reuid={uid} --regid={uid} --clear-groups" if root_user else ""
    walls = ["/bin/sh", "-c", f"DROP='{drop}'\n{_WALLS}", "walls", str(view), work, str(uid)]
    spaces = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    spaces += [] if root_user else ["--map-root-user"]
    outer = ["setpriv", "--pdeathsig", "KILL", "unshare", *spaces]
    return [*outer, *walls, *_readable(), "--", *last]


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
    tools = all(shutil.which(tool) for tool in ("unshare", "setpriv", "mount", "pivot_root"))
    levels = ["namespaces"] if tools and sys.platform == "linux" else []
    levels += ["user"] if os.getuid() == 0 else []
    for level in levels:
        with tempfile.TemporaryDirectory(prefix="probe") as work:
            argv = [sys.executable, "-c", "import zlib; print(6 * 7)"]
            tried = command(argv, work, level=level, limits=Limits())
            done = subprocess.run(
                tried,
                capture_output=True,
                text=True,
                timeout=60,
                env=environment(work),
                check=False,
            )
            if done.stdout.strip() == "42":
                return level
    if os.getuid() == 0:
        raise PermissionError(
            "submissions would run as root: neither namespaces nor a change of user work here; "
            "grade as an ordinary user, or in a container that allows user namespaces"
        )
    return "limits"


def describe(level: str, limits: Limits) -> str:
    """One line for the instructor."""
    used = ", ".join(f"{k.replace('_', ' ')} {v:g}" for k, v in asdict(limits).items())
    return f"isolation: {level} ({LEVELS[level]}); {used}"
