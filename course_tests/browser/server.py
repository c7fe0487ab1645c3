"""Chromium, and a JupyterLab of its own for the tests: temporary folders, any free port."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/docmanager-extension/plugin.jupyterlab-settings": {"autosave": False},
}
START = "import course.cli; from jupyterlab.labapp import main; main()"  # course.cli: it is quicker


def find_chromium() -> str | None:
    """The path of Chromium or Chrome, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Server:
    """A running JupyterLab. folder: where notebooks are put; records: the file of predictions."""

    url: str
    token: str
    folder: Path
    records: Path


@contextlib.contextmanager
def lab(base: Path) -> Iterator[Server]:
    """Start JupyterLab with all that it writes below `base`, and end it with its kernels.

    Raises RuntimeError with its log if it ends, or isn't ready after ten minutes.
    """
    folder, settings = base / "notebooks", base / "settings"
    folder.mkdir(parents=True)
    for name, content in SETTINGS.items():
        file = settings / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(base / "config"),
        "JUPYTER_DATA_DIR": str(base / "data"),
        "JUPYTER_RUNTIME_DIR": str(base / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(base / "workspaces"),
        "IPYTHONDIR": str(base / "ipython"),
        "COURSE_RECORDS": str(base / "predictions.jsonl"),
    }
    environment.pop("COURSE_WAIT", None)  # a student's kernel trains in the background
    log = base / "server.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [
                sys.executable, "-c", START, "--no-browser", "--allow-root",
                "--expose-app-in-browser", "--ServerApp.port=0", "--ServerApp.open_browser=False",
                f"--ServerApp.root_dir={folder}", "--LabApp.extension_manager=readonly",
                "--KernelSpecManager.ensure_native_kernel=True",
            ],
            env=environment, stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        info = ready(process, base / "runtime", log)
        yield Server(info["url"], info["token"], folder, base / "predictions.jsonl")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def ready(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, str]:
    """What its file in `runtime` says of the server, once it answers: that file is there before."""
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline and process.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError, urllib.error.URLError):  # half written
                info = json.loads(file.read_text())
                urllib.request.urlopen(f"{info['url']}api").close()
                return info
        time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
