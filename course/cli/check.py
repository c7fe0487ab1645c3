"""`course check`: is this machine ready?"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import click
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course import data as sets
from course.cli import lab
from course.selfcheck import answers

WIDTH = 14


@click.command(
    epilog="""
\b
Exit status:
  0  no problems
  1  problems; the line after each arrow says what to do
"""
)
def check() -> None:
    """Say what is here, what is missing, and what to do about it.

    Looked at: Python and each package against the range the course needs, the processor or GPU,
    memory, free disk space, the notebooks and their kernel, the widgets in JupyterLab, and where
    each data set would be read from, and whether what you do can be kept. Nothing is changed and
    nothing is downloaded.
    """
    problems = 0
    for finding in findings():
        problems += finding.advice is not None
        click.echo(line(finding))
    click.echo("Everything is ready." if not problems else f"Problems: {problems}.")
    sys.exit(1 if problems else 0)


def line(finding: Finding) -> str:
    """A finding as text: one line, and a second one with the advice if it is a problem."""
    state = "ok     " if finding.advice is None else "PROBLEM"
    text = f"{state} {finding.name:<{WIDTH}} {finding.value}"
    return text if finding.advice is None else f"{text}\n     -> {finding.advice}"


PROJECT = "very-deep-networks-course"
GIB = 1 << 30
MEMORY_NEEDED = 1.0
"""GiB that one notebook may use."""
DISK_NEEDED = 1.0
"""GiB for all data sets, unpacked."""
AGAIN = "install again with the line in README.md"
GPU = "an NVIDIA GPU is here, but this torch has no CUDA: see 'With a GPU' in README.md"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `advice` is None if it is fine."""

    name: str
    value: str
    advice: str | None = None


def findings() -> Iterator[Finding]:
    """Everything, in the order in which a reader would ask."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        python, packages, device, memory, disk, kernel, jupyter, notebooks, widgets, predictions,
        data,
    )  # fmt: skip
    for check in checks:
        try:
            yield from check()
        except Exception as error:  # a broken package can raise anything; say so and go on
            said = " ".join(str(error).split())
            yield Finding(check.__name__, f"{type(error).__name__}: {said}", AGAIN)


def python() -> Iterator[Finding]:
    """The interpreter against requires-python."""
    version = ".".join(map(str, sys.version_info[:3]))
    needed = metadata.metadata(PROJECT)["Requires-Python"]
    fine = Requirement(f"python{needed}").specifier.contains(version)
    yield Finding("Python", version, None if fine else f"use Python {needed}")


def packages() -> Iterator[Finding]:
    """Each package that the course needs against its range."""
    for text in metadata.requires(PROJECT) or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            yield package(needed)


def package(needed: Requirement) -> Finding:
    """One installed package against one requirement."""
    try:
        version = metadata.version(needed.name)
    except metadata.PackageNotFoundError:
        return Finding(needed.name, "not installed", AGAIN)
    if needed.specifier.contains(version, prereleases=True):
        return Finding(needed.name, version)
    return Finding(needed.name, f"{version}, needed: {needed.specifier}", AGAIN)


def device() -> Iterator[Finding]:
    """Where networks are trained, and with how many threads."""
    import torch

    threads = f"{torch.get_num_threads()} threads"
    if torch.cuda.is_available():
        yield Finding("device", f"cuda ({torch.cuda.get_device_name(0)}) and cpu, {threads}")
    elif torch.backends.mps.is_available():
        yield Finding("device", f"mps (Apple GPU) and cpu, {threads}")
    elif torch.version.cuda is None and shutil.which("nvidia-smi"):
        yield Finding("device", f"cpu, {threads}", GPU)
    else:
        yield Finding("device", f"cpu, {threads}")


def memory() -> Iterator[Finding]:
    """Memory that is free: the machine's, or less where a container limits it."""
    import psutil

    free = float(psutil.virtual_memory().available)
    if (limit := memory_limit()) is not None:
        free = min(free, limit - psutil.Process().memory_info().rss)
    fine = free >= MEMORY_NEEDED * GIB
    advice = f"close other notebooks and programs: one notebook may use {MEMORY_NEEDED:g} GiB"
    yield Finding("memory", f"{free / GIB:.1f} GiB free", None if fine else advice)


def memory_limit() -> int | None:
    """Bytes that this container or hub allows, or None where nothing is limited."""
    texts = [os.environ.get("MEM_LIMIT", "")]  # set by JupyterHub and Binder
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        if os.path.isfile(path):
            texts.append(Path(path).read_text(encoding="ascii").strip())
    limits = [int(text) for text in texts if text.isdecimal()]
    return min(limits, default=None)


def disk() -> Iterator[Finding]:
    """Room here, for results and copies."""
    free = shutil.disk_usage(".").free
    fine = free >= DISK_NEEDED * GIB
    advice = f"make room: the data sets take up to {DISK_NEEDED:g} GiB"
    yield Finding("disk", f"{free / GIB:.1f} GiB free here", None if fine else advice)
    try:
        with tempfile.NamedTemporaryFile(dir="."):
            pass
    except OSError as error:
        yield Finding("this folder", f"{os.getcwd()}: {error.strerror}", "change to one of yours")


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


def jupyter() -> Iterator[Finding]:
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


def notebooks() -> Iterator[Finding]:
    """The notebooks that `course lab` would open."""

    folder = lab.notebooks()
    count = len(list(folder.glob("*.ipynb")))
    yield Finding("notebooks", f"{count} in {folder}", None if count else AGAIN)


def widgets() -> Iterator[Finding]:
    """Whether sliders will show: the Python half and the half in the browser must fit."""
    for owner in ("ipywidgets", "anywidget"):
        for text in metadata.requires(owner) or []:
            if canonicalize_name(Requirement(text).name) in ("jupyterlab-widgets", "ipywidgets"):
                finding = package(Requirement(text))
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


def predictions() -> Iterator[Finding]:
    """Whether the answers that are locked can be put on file."""
    advice = "set COURSE_RECORDS to a file in a folder of yours; else predictions are not kept"
    try:
        file = answers.path()
    except OSError as error:
        yield Finding("predictions", str(error.strerror), advice)
        return
    reason = unwritable(file.parent)
    try:
        if not reason and file.exists():
            file.open("ab").close()
    except OSError as error:
        reason = str(error.strerror)
    text = f"{file}: {reason}" if reason else f"kept in {file}"
    yield Finding("predictions", text, advice if reason else None)


def unwritable(path: Path) -> str:
    """Why nothing can be written to a folder (to be made, if it isn't there), or ""."""
    try:
        while not path.exists():
            path = path.parent
        with tempfile.NamedTemporaryFile(dir=path):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def data() -> Iterator[Finding]:
    """Where each data set would be read from. One that would be downloaded is no problem."""
    advice = "set XDG_CACHE_HOME to a folder of yours, or COURSE_DATA to one with the data"
    try:
        reason = unwritable(sets.cache())
        reason = reason and f"{sets.cache()}: {reason}"
    except sets.DataError as error:
        reason = str(error).partition(".")[0]
    for name in sets.NAMES:
        try:
            place = sets.where(name)
        except ValueError as error:
            yield Finding(name, str(error), "mend or unset COURSE_DATA")
            continue
        if place is None and reason:
            yield Finding(name, f"not here, and cannot be downloaded: {reason}", advice)
        else:
            yield Finding(name, place or "not here; downloaded when first used")
