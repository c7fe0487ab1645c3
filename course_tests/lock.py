"""Write binder/constraints.txt anew: exact versions of everything, for each Python we support.

    python -m course_tests.lock python3.10 python3.11 python3.12 python3.13

Each interpreter's pip says what it would install for the course with its tests (nothing is
installed); where the Pythons disagree, a version gets an environment marker. torch keeps the
version in `TORCH`, because all the stored numbers were made with it. Packages that only a GPU
build of torch asks for are left out, so the file serves CPU and GPU alike.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

TORCH = "torch==2.13.0"
GPU_ONLY = ("nvidia-", "cuda-", "triton")
OURSELVES = "very-deep-networks-course"
FILE = Path(__file__).parents[1] / "binder" / "constraints.txt"
HEAD = """\
# Exact versions with which this course was tested, for Python 3.10 to 3.13.
# Made by `python -m course_tests.lock`; pyproject.toml holds the ranges.
"""


def resolve(python: str) -> tuple[str, dict[str, str]]:
    """What pip of `python` would install: ("3.11", {package: version})."""
    command = [python, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet"]
    command += ["--report", "-", "-e", f"{FILE.parents[1]}[test]", TORCH]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = {
        canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"].split("+")[0]
        for item in report["install"]
    }
    kept = {k: v for k, v in found.items() if not k.startswith(GPU_ONLY) and k != OURSELVES}
    return ".".join(report["environment"]["python_full_version"].split(".")[:2]), kept


def merge(resolved: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Constraint lines from {python: {package: version}}, Pythons in rising order.

    The oldest Python's line reaches down, the newest's up; a package that only some Pythons need
    is pinned for those.
    """
    pythons = list(resolved)
    lines = []
    for package in sorted(set().union(*resolved.values())):
        versions = [resolved[python].get(package) for python in pythons]
        start = 0
        for stop in range(1, len(pythons) + 1):
            if stop < len(pythons) and versions[stop] == versions[start]:
                continue
            if versions[start] is not None:
                marker = _marker(pythons, start, stop)
                lines.append(f"{package}=={versions[start]}{marker}")
            start = stop
    return lines


def _marker(pythons: Sequence[str], start: int, stop: int) -> str:
    """The environment marker for pythons[start:stop]."""
    bounds = []
    if start > 0:
        bounds.append(f'python_version >= "{pythons[start]}"')
    if stop < len(pythons):
        bounds.append(f'python_version < "{pythons[stop]}"')
    return " ; " + " and ".join(bounds) if bounds else ""


def main(pythons: Sequence[str]) -> None:
    """Resolve for each interpreter and write the file."""
    if not pythons:
        raise SystemExit(str(__doc__))
    resolved = dict(sorted((resolve(p) for p in pythons), key=lambda r: int(r[0].split(".")[1])))
    FILE.write_text(HEAD + "\n".join(merge(resolved)) + "\n", encoding="utf-8")
    print(f"{FILE}: for Python {', '.join(resolved)}")


if __name__ == "__main__":
    main(sys.argv[1:])
