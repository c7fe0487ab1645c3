"""For `course check`: Python, its packages, and the machine."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from course.cli.finding import AGAIN, Finding

PROJECT = "very-deep-networks-course"
GIB = 1 << 30
MEMORY_NEEDED = 1.0
"""GiB that one notebook may use."""
DISK_NEEDED = 1.0
"""GiB for all data sets, unpacked."""
GPU = "an NVIDIA GPU is here, but this torch has no CUDA: see 'With a GPU' in README.md"


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
