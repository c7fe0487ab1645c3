"""Kernels for nbval, forked from a process that has imported torch and matplotlib already.

A kernel takes four seconds of computing before its notebook's first line: Python, IPython, torch
and matplotlib are the same each time. Here one process of each worker imports them (`serve`), and
is copied for every notebook. It imports nothing of the course, nor widgets, which ask for their
kernel when they are imported: so a notebook that forgets an import fails as it does elsewhere.

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
from importlib.metadata import EntryPoint
from typing import Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

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
        connection = server()
        connection.write(json.dumps(asked) + "\n")
        connection.flush()
        self.process: Any = Kernel(int(connection.readline()))
        self.pid = self.pgid = self.process.pid  # it leads a session of its own
        return self.connection_info


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
    """Forks a kernel for each line that comes, and answers with its process id."""
    for name in PRELOAD:
        importlib.import_module(name)
    gc.freeze()  # what is there is not looked at again, so it stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for kernels here
    connection = socket.socket(fileno=descriptor).makefile("rw")
    for line in connection:
        ready, told = os.pipe()
        if (pid := os.fork()) == 0:
            connection.close()
            os.close(ready)
            os.setsid()
            os.close(told)
            be_a_kernel(**json.loads(line))
        os.close(told)
        os.read(ready, 1)  # ends as soon as the kernel leads its session
        os.close(ready)
        connection.write(f"{pid}\n")
        connection.flush()


def be_a_kernel(arguments: list[str], env: dict[str, str], cwd: str | None) -> None:
    """What `python -m ipykernel_launcher ARGUMENTS` does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
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
