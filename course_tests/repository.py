"""What tests of the frame share: the repository's root, its metadata, its commands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")


def pyproject() -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def readme() -> str:
    """The text of README.md."""
    return (ROOT / "README.md").read_text(encoding="utf-8")


def command(name: str) -> str:
    """The line to paste that README marks with `<!-- command: NAME -->`."""
    opening, line, closing = readme().partition(f"<!-- command: {name} -->\n")[2].splitlines()[:3]
    assert (opening, closing) == ("```sh", "```"), f"README: command {name} is not one line"
    return line


def tracked() -> list[Path]:
    """Every file that git tracks, or, in a copy without git, every file of the six places."""
    if (ROOT / ".git").exists():
        run = ["git", "-C", str(ROOT), "ls-files", "-z"]
        names = subprocess.run(run, check=True, capture_output=True, text=True).stdout
        return [p for name in names.split("\0") if name and (p := ROOT / name).is_file()]
    return [p for p in ROOT.rglob("*") if p.is_file() and ".venv" not in p.parts]


def tool(
    *arguments: str, cwd: Path = ROOT, check: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program of the interpreter's own bin folder (ruff, course, ...), without input."""
    program = str(Path(sys.executable).parent / arguments[0])
    return subprocess.run(
        [program, *arguments[1:]],
        cwd=cwd,
        check=check,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
