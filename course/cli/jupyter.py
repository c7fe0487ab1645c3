"""For `course check`: the notebooks' kernel, and the widgets in JupyterLab."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course.cli import machine
from course.cli.finding import AGAIN, Finding, unwritable


def kernel() -> Iterator[Finding]:
    """Whether a notebook would run in this Python, the one that has the course."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    advice = f"{sys.executable} -m ipykernel install --sys-prefix"
    try:
        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("kernel", "no kernel named python3", advice)
        return
    # A bare "python" means: the one that runs JupyterLab.
    same = not os.path.isabs(command) or os.path.samefile(_bin(command), _bin(sys.executable))
    yield Finding("kernel", f"python3 ({command})", None if same else advice)


def _bin(program: str) -> str:
    """The folder of a program, or the root folder if there is none: equal to nobody's."""
    folder = os.path.dirname(program)
    return folder if os.path.isdir(folder) else os.path.abspath(os.sep)


def runtime() -> Iterator[Finding]:
    """Whether JupyterLab can write down how its kernels are reached."""
    from jupyter_core.paths import jupyter_runtime_dir

    advice = "set JUPYTER_RUNTIME_DIR to a folder of yours"
    try:
        folder = Path(jupyter_runtime_dir())
    except (OSError, RuntimeError) as error:
        yield Finding("jupyter", str(error), advice)
        return
    if reason := unwritable(folder):
        yield Finding("jupyter", f"{folder}: {reason}", advice)


def widgets() -> Iterator[Finding]:
    """Whether sliders will show: the Python half and the half in the browser must fit."""
    for owner in ("ipywidgets", "anywidget"):
        for text in metadata.requires(owner) or []:
            if canonicalize_name(Requirement(text).name) in ("jupyterlab-widgets", "ipywidgets"):
                finding = machine.package(Requirement(text))
                if finding.advice or owner == "ipywidgets":
                    yield finding
    disabled = disabled_extensions()
    for extension in ("@jupyter-widgets/jupyterlab-manager", "anywidget"):
        version = extension_version(extension)
        if version is None:
            yield Finding("widgets", f"JupyterLab does not find {extension}", AGAIN)
        elif any(name.split(":")[0] == extension for name in disabled):
            advice = f"{sys.executable} -m jupyter labextension enable {extension}"
            yield Finding("widgets", f"{extension} is disabled", advice)
        else:
            yield Finding("widgets", f"{extension} {version}, enabled")


def extension_version(name: str) -> str | None:
    """The version of a JupyterLab extension, the half that runs in the browser, or None."""
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        file = Path(folder, name, "package.json")
        if file.is_file():
            return str(json.loads(file.read_text(encoding="utf-8"))["version"])
    return None


def disabled_extensions() -> list[str]:
    """Names of JupyterLab extensions (or plug-ins in them) that are switched off."""
    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    return list(get_page_config(jupyter_path("labextensions")).get("disabledExtensions", []))
