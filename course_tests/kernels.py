"""Kernels for nbval, forked from a process that has imported torch and matplotlib already.

A kernel takes four seconds of computing before its notebook's first line: Python, IPython, torch
and matplotlib are the same each time. Here one process of each worker imports them (`serve`), and
is copied for every notebook. It imports nothing of the course, nor widgets, which ask for their
kernel when they are imported: so a notebook that forgets an import fails as it does elsewhere.
Tests that need another process with torch get a copy, too (`python`).

nbval asks jupyter_client for a kernel, and that its provisioner of kernels: `install` names the one
below. Only on Linux: elsewhere forks after such imports are not safe, and kernels start afresh.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from course_tests.repository import ROOT

PRELOAD = ("torch", "matplotlib.figure", "matplotlib.backends.backend_agg", "ipykernel.kernelapp")


def install() -> None:
    """Lets nbval's kernels be forked. Does nothing without fork."""
    if not hasattr(os, "pidfd_open"):
        return
    from nbval.kernel import NbvalKernelspecManager

    entry = EntryPoint("forked", f"{__name__}:Forked", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.instance().provisioners["forked"] = entry
    usual = NbvalKernelspecManager.get_kernel_spec

    def forked(manager: Any, name: str) -> Any:
        spec = usual(manager, name)
        spec.metadata = {**spec.metadata, "kernel_provisioner": {"provisioner_name": "forked"}}
        return spec

    NbvalKernelspecManager.get_kernel_spec = forked


class Kernel:
    """A forked kernel, with what a provisioner uses of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it lives, else 0: only its parent knows how it ended."""
        return 0 if select.select([self._ended], [], [], 0)[0] else None

    def wait(self) -> int:
        select.select([self._ended], [], [])
        return 0

    def send_signal(self, number: int) -> None:
        signal.pidfd_send_signal(self._ended, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class Forked(LocalProvisioner):
    """Starts a kernel by a fork, and is a local one otherwise."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        asked = {"arguments": cmd[cmd.index("-f") :], "env": kwargs["env"], "cwd": kwargs["cwd"]}
        self.process: Any = forked("be_a_kernel", asked)
        self.pid = self.pgid = self.process.pid  # it leads a session of its own
        return self.connection_info


def forked(what: str, asked: dict[str, Any]) -> Kernel:
    """A copy of the server that does `what`, a function of this module, as it is asked."""
    connection = server()
    connection.write(json.dumps([what, asked]) + "\n")
    connection.flush()
    return Kernel(int(connection.readline()))


def python(code: str, *arguments: object, **env: str) -> subprocess.CompletedProcess[str]:
    """What `python -c CODE ARGUMENTS` does and says, with `env` added to the environment.

    It starts with torch, which takes three seconds to import, but with nothing of the course.
    """
    argv = ["-c", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    if not hasattr(os, "pidfd_open"):
        command = [sys.executable, "-c", code, *argv[1:]]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    with tempfile.TemporaryDirectory() as folder:
        asked = {"code": code, "argv": argv, "env": environment, "folder": folder}
        forked("be_python", asked).wait()
        status, out, err = (Path(folder, name).read_text() for name in ("status", "1", "2"))
    return subprocess.CompletedProcess(argv, int(status), out, err)


@functools.cache
def server() -> Any:
    """The connection to this process's server of kernels: it ends when this one is closed."""
    ours, its = socket.socketpair()
    command = [sys.executable, "-c", f"from {__name__} import serve; serve({its.fileno()})"]
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # as in a kernel
    process = subprocess.Popen(
        command, env={**os.environ, **inline}, stdin=subprocess.DEVNULL, pass_fds=[its.fileno()]
    )
    its.close()
    connection = ours.makefile("rw")

    def close() -> None:
        connection.close()
        ours.close()
        process.wait()

    atexit.register(close)
    return connection


def serve(descriptor: int) -> None:
    """Forks a process for each line that comes, and answers with its id."""
    for name in PRELOAD:
        importlib.import_module(name)
    gc.freeze()  # what is there is not looked at again, so it stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them here
    connection = socket.socket(fileno=descriptor).makefile("rw")
    for line in connection:
        ready, told = os.pipe()
        if (pid := os.fork()) == 0:
            connection.close()
            os.close(ready)
            os.setsid()
            os.close(told)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            what, asked = json.loads(line)
            globals()[what](**asked)
        os.close(told)
        os.read(ready, 1)  # ends as soon as the copy leads its session
        os.close(ready)
        connection.write(f"{pid}\n")
        connection.flush()


def be_a_kernel(arguments: list[str], env: dict[str, str], cwd: str | None) -> None:
    """What `python -m ipykernel_launcher ARGUMENTS` does."""
    os.environ.clear()
    os.environ.update(env)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # a kernel ends with its parent
    if cwd:
        os.chdir(cwd)
    sys.argv = ["ipykernel_launcher.py", *arguments]
    del sys.path[0]  # the folder of `python -c`; IPython puts its own there
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # as nbval has it
    from ipykernel import kernelapp

    with contextlib.suppress(SystemExit):
        kernelapp.launch_new_instance()
    os._exit(0)


def be_python(code: str, argv: list[str], env: dict[str, str], folder: str) -> None:
    """What `python -c CODE` does; `folder` gets its streams as "1", "2", and then its status."""
    if (child := os.fork()) == 0:
        for stream in (1, 2):
            with open(f"{folder}/{stream}", "wb") as file:
                os.dup2(file.fileno(), stream)
        os.environ.clear()
        os.environ.update(env)
        sys.argv[:], sys.path[0] = argv, str(ROOT)
        status = 1
        try:
            exec(compile(code, "<string>", "exec"), vars(sys.modules["__main__"]))
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else bool(end.code)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    Path(folder, "status").write_text(str(status))
    os._exit(0)
