"""Repeat the claims' tests with other seeds on other instruction sets; print how far margins lie.

    python -m course_tests.calibrate                      every test marked "claims"
    python -m course_tests.calibrate van blow_up          those of these lessons
    python -m course_tests.calibrate --jobs 8 --runs 8    as many at a time, so many in all
    python -m course_tests.calibrate --slow               those of the slow tests too

Every run has seeds of its own, none of them the tests', and takes the next of the vector paths
that torch can be told to take. A line of the table is one claim:

    what, in the test's file                              number of values, of how many a run
    mean ± standard deviation of a value  [least, most]   the margin
    the distance                                          of the mean from the nearer margin
    mean on each vector path

The distance is in standard errors of what a test compares: the standard deviation of the runs'
means, or that of a value over the root of the values a run, whichever is larger. A distance below
three is marked and makes the command fail; so does a test that fails. Six runs take about an hour
of one core.
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
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from course_tests.claims import LOG, SHIFT
from course_tests.repository import ROOT

PATHS = {
    "best": {},  # what this processor does best
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2",
    },
    "default": {
        "ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE",
    },
    "2 threads": {"OMP_NUM_THREADS": "2"},
}  # fmt: skip
APART = 10_000  # between the seeds of two runs
DISTANCE = 3.0  # standard errors


@dataclass(frozen=True)
class Run:
    """Each claim's records (see `claims.claim`) in one run of a file, and what failed."""

    path: str
    records: list[dict[str, Any]]
    failures: list[str]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m course_tests.calibrate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lessons", nargs="*", help="such as van (default: every claim)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="at a time (cores)")
    parser.add_argument("--runs", type=int, default=12, help="in all (12)")
    parser.add_argument("--slow", action="store_true", help="also tests behind the slow mark")
    arguments = parser.parse_args()
    files = [f"course_tests/lessons/test_{name}_claims.py" for name in arguments.lessons]
    near = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        runs: dict[str, list[Future[Run]]] = {
            file: [
                pool.submit(_run, file, list(PATHS)[k % len(PATHS)], APART * (k + 1), arguments)
                for k in range(arguments.runs)
            ]
            for file in files or _files_with_claims()
        }
        for file, futures in runs.items():
            print(f"\n{file}", flush=True)
            near += _show([future.result() for future in futures])
    print(f"\n{near} below {DISTANCE:g} standard errors, or failed")
    return 1 if near else 0


def distance(runs: Iterable[Iterable[float]], least: float, most: float) -> float:
    """Standard errors of a run's mean between the mean of all values and the nearer margin.

    NaN if a value is NaN.
    """
    values = [np.asarray(run, dtype=float) for run in runs]
    mean = np.concatenate(values).mean()
    room = min(mean - least, most - mean)
    error = _deviation(np.concatenate(values)) / math.sqrt(np.mean([len(run) for run in values]))
    error = np.fmax(error, _deviation(np.array([run.mean() for run in values])))
    return float(room / error) if error != 0 else math.copysign(math.inf, room)


def _deviation(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def _files_with_claims() -> list[str]:
    """Files with claims, in the order of the folders."""
    files = sorted((ROOT / "course_tests").rglob("test_*.py"))
    return [
        file.relative_to(ROOT).as_posix() for file in files if "mark.claims" in file.read_text()
    ]


def _run(file: str, path: str, shift: int, arguments: argparse.Namespace) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "claims.jsonl"
        environment = {**os.environ, **PATHS[path], SHIFT: str(shift), LOG: str(log)}
        marks = "claims" if arguments.slow else "claims and not slow"
        command = [sys.executable, "-m", "pytest", "-q", "-m", marks, "--tb=line", file]
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider"],
            cwd=ROOT, env={**environment, "COLUMNS": "300"}, capture_output=True, text=True,
        )  # fmt: skip
        lines = log.read_text().splitlines() if log.exists() else []
    bad = [x for x in done.stdout.splitlines() if x.startswith(("FAILED", "ERROR"))]
    if done.returncode not in (0, 1, 5):  # passed, failed, no tests
        bad.append((done.stdout + done.stderr)[-2000:])
    failures = [f"{path}, seeds + {shift}: {line}" for line in bad]
    return Run(path, [json.loads(line) for line in lines], failures)


def _show(runs: list[Run]) -> int:
    """Print the table; the number of claims that are too near to their margin, and of failures."""
    bad = sum(len(run.failures) for run in runs)
    for run in runs:
        for failure in run.failures:
            print(f"! {failure}")
    claims: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for run in runs:
        for record in run.records:
            claims[record["test"], record["what"]].append((run.path, record))
    for (_, what), records in claims.items():
        least, most = records[0][1]["least"], records[0][1]["most"]
        parts = [np.array(record["values"]) for _, record in records]
        values, far = np.concatenate(parts), distance(parts, least, most)
        bad += not far >= DISTANCE
        print(
            f"{' ' if far >= DISTANCE else '!'} {what:60} {len(values):4d} of {len(parts[0]):3d}"
            f"  {values.mean():9.4g} ± {_deviation(values):8.3g}"
            f"  [{least:.4g}, {most:.4g}]  {far:6.1f}  {_by_path(records)}",
            flush=True,
        )
    return bad


def _by_path(records: list[tuple[str, dict[str, Any]]]) -> str:
    values: dict[str, list[float]] = defaultdict(list)
    for path, record in records:
        values[path] += record["values"]
    return ", ".join(f"{path} {np.mean(some):.4g}" for path, some in values.items())


if __name__ == "__main__":
    sys.exit(main())
