"""A file is written whole, or not at all; and where the notebooks are."""

from __future__ import annotations

import glob
import os
import tempfile
from functools import cache
from pathlib import Path


@cache
def notebooks() -> dict[str, str]:
    """{slug: file name} of the notebooks, in their order: "van" is in "10a_van.ipynb"."""
    package = Path(__file__).parent
    clone = (package.parent / "pyproject.toml").is_file()
    folder = (package.parent if clone else package) / "notebooks"
    names = sorted(path.name for path in folder.glob("[0-9][0-9]*_*.ipynb"))
    return {name.removesuffix(".ipynb").partition("_")[2]: name for name in names}


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file in one go: a reader finds the old one or the whole new one, never a part.

    It is written beside its place, forced to the disk and renamed. On an error (OSError for a full
    disk, say) the old file stays as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # Windows cannot open folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_parts(path: Path) -> None:
    """Remove what writes of this file have left that were killed; nobody may be writing it now."""
    for part in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        part.unlink(missing_ok=True)
