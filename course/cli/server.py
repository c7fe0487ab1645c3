"""JupyterLab for a folder: one server, started or found again."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import click
from filelock import FileLock, Timeout

PATIENCE = 60.0
"""Seconds in which a server that another start began must answer."""


@contextmanager
def alone(lock: Path) -> Iterator[bool]:
    """Whether no other `course lab` serves the folder of this lock file; held until the end.

    The system lets go of the lock when its process ends, however it ends.
    """
    file = FileLock(lock)
    try:
        file.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        file.release()


def address(root: Path, start: Path) -> str:
    """Where the server that runs for `root` shows the file `start`, its token included.

    Raises ValueError if none answers within `PATIENCE`: one that has just been started needs some
    seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (server := running(root)) is not None:
            url, token = server
            page = f"{url}lab/tree/{quote(start.relative_to(root).as_posix())}"
            return f"{page}?token={token}" if token else page
        time.sleep(0.2)
    raise ValueError(
        f"another `course lab` has {root} open, but its JupyterLab does not answer: end it with "
        "Ctrl-C in its window, and start again"
    )


def running(root: Path) -> tuple[str, str] | None:
    """Address and token of a Jupyter server that runs for exactly this folder, or None."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if Path(server["root_dir"]).resolve() == root and _answers(server["url"]):
            return server["url"], server["token"]
    return None


def _answers(url: str) -> bool:
    """Whether a Jupyter server is there: a file about one may have outlived it."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    try:
        with direct.open(f"{url}api", timeout=10) as answer:
            return "version" in json.load(answer)
    except urllib.error.HTTPError:
        return True  # it wants a password first
    except (OSError, ValueError):
        return False


def serve(root: Path, start: Path, options: tuple[str, ...]) -> int:
    """Run JupyterLab in this process, so that it gets Ctrl-C itself; returns its exit status."""
    from jupyterlab.labapp import LabApp

    page = f"/lab/tree/{start.relative_to(root).as_posix()}"
    # The user's options come last: the last one counts.
    arguments = [f"--ServerApp.root_dir={root}", f"--LabApp.default_url={page}"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        # JupyterLab would refuse; but in a container one often is root, and has no choice.
        click.echo("You are root, and so is every notebook.", err=True)
        arguments.append("--ServerApp.allow_root=True")
    arguments += options
    return LabApp.launch_instance(arguments) or 0
