"""Repeat the claims' tests with other seeds on other instruction sets; print how far margins lie.

    python -m course_tests.calibrate                      every test marked "claims"
    python -m course_tests.calibrate van blow_up          those of these lessons

Each run of `RUNS` moves all seeds and takes one of the vector paths that torch can be told to take.
A line of the table is one claim: how many values there were, their mean and standard deviation, the
margin, and the distance of the mean from the nearer margin in standard errors of the statistic that
the test compares (the mean of as many values as the test has), over all runs and path by path.
A distance below three is marked and makes the command fail. It takes an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from course_tests.claims import LOG, SHIFT
from course_tests.repository import ROOT

PATHS = {
    "avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
    "default": {
        "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE",
    },
    "2 threads": {"OMP_NUM_THREADS": "2"},
}  # fmt: skip
RUNS = (("avx2", 0), ("default", 1000), ("avx2", 2000), ("2 threads", 3000))
"""The vector path of a run, and what is added to its seeds."""

DISTANCE = 3.0  # standard errors


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m course_tests.calibrate", description=__doc__)
    parser.add_argument("lessons", nargs="*", help="such as van (default: every claim)")
    names = parser.parse_args().lessons
    files = [f"course_tests/lessons/test_{name}_claims.py" for name in names]
    near = 0
    for file in files or _files_with_claims():
        print(f"\n{file}", flush=True)
        near += _show(_collect(file))
    print(f"\n{near} below {DISTANCE:g} standard errors, or failed")
    return 1 if near else 0


def distance(values: np.ndarray, compared: int, least: float, most: float) -> float:
    """Standard errors from the mean of `values` to the nearer margin, for a mean of `compared`."""
    room = min(values.mean() - least, most - values.mean())
    error = values.std(ddof=1) / math.sqrt(compared)
    return room / error if error > 0 else math.copysign(math.inf, room)


def _files_with_claims() -> list[str]:
    files = sorted((ROOT / "course_tests").rglob("test_*.py"))
    return [
        file.relative_to(ROOT).as_posix() for file in files if "mark.claims" in file.read_text()
    ]


def _collect(file: str) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What `claim` was given, by test and claim: one record a run. Failed tests are printed."""
    claims: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for path, shift in RUNS:
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "claims.jsonl"
            environment = {
                **os.environ,
                **PATHS[path],
                SHIFT: str(shift),
                LOG: str(log),
                "COLUMNS": "300",
            }
            test = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-m",
                "claims and not slow",
                "--tb=line",
                file,
            ]
            run = subprocess.run(test, cwd=ROOT, env=environment, capture_output=True, text=True)
            for line in run.stdout.splitlines():
                if line.startswith(("FAILED", "ERROR")):
                    print(f"  {path}, seeds + {shift}: {line}", flush=True)
                    claims[line.split(" ")[1], "failed"] = []
            for line in log.read_text().splitlines() if log.exists() else ():
                record = json.loads(line)
                claims[record["test"], record["what"]].append({**record, "path": path})
    return claims


def _show(claims: dict[tuple[str, str], list[dict[str, Any]]]) -> int:
    """Print the table; the number of claims that are too near to their margin, or failed."""
    near = 0
    for (_, what), records in claims.items():
        if not records:
            near += 1
            continue
        least, most, compared = records[0]["least"], records[0]["most"], len(records[0]["values"])
        values = np.concatenate([record["values"] for record in records])
        far = distance(values, compared, least, most)
        near += not far >= DISTANCE
        print(
            f"{'!' if not far >= DISTANCE else ' '} {what:60} {len(values):4d} of {compared:3d}"
            f"  {values.mean():9.4g} ± {values.std(ddof=1):8.3g}"
            f"  in [{least:.4g}, {most:.4g}]  {far:6.1f}  {_by_path(records)}"
        )
    return near


def _by_path(records: list[dict[str, Any]]) -> str:
    texts = []
    for path in PATHS:
        values = np.concatenate([r["values"] for r in records if r["path"] == path] or [[]])
        if len(values):
            texts.append(f"{path} {values.mean():.4g}")
    return ", ".join(texts)


if __name__ == "__main__":
    sys.exit(main())
