"""How long a class takes to grade: wall time against the time that its kernels need anyway.

    python -m course_tests.benchmarks.grading [--students 100] [--workers 1 4 6] [--set NAME]

For each number of workers the same submissions (mixed quality, points known by construction) are
graded in a course folder of their own. Kernel time is what the kernels of the submissions take from
start to end, summed; the goal is wall time <= 1.3 x kernel time / cores. Processor time of the
kernels is given too: it does not grow when they wait for one another.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from course.classroom import master
from course.classroom.folder import CourseFolder
from course.classroom.grade import rounds
from course.classroom.release import release
from course.classroom.run import sandbox
from course_tests.classroom import cohort


def run(name: str, students: int, workers: int, folder: Path) -> dict[str, float]:
    """Grades a class with `workers`; seconds, and how many cells got other points than designed."""
    one = master.load(name)
    course = CourseFolder.lay_out(folder / "course")
    for _ in release(course, [name]):
        pass
    released = course.releases()[name]
    expected = cohort.cohort(one, released, folder / "download", size=students)
    start = time.perf_counter()
    done = rounds.hand_in(course, folder / "download", workers=workers)
    wall = time.perf_counter() - start
    wrong = sum(
        result.cells.get(cell) != points
        for result in done.results
        for cell, points in expected[result.student].items()
    )
    kernel = sum(result.kernel_seconds for result in done.results)
    used = sum(result.kernel_cpu for result in done.results)
    return {"wall": wall, "kernel": kernel, "cpu": used, "wrong": wrong}


def main() -> None:
    """Prints one line for each number of workers."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, cores])
    parser.add_argument("--set", default="ps01-scalar-chain", choices=master.names())
    asked = parser.parse_args()
    print(sandbox.describe(sandbox.isolation(), sandbox.Limits()))
    print(
        f"{asked.set}, {asked.students} submissions, {cores} cores, load {os.getloadavg()[0]:.1f}"
    )
    print("workers   wall s   s each   kernel s   kernel cpu s   wall / (kernel / cores)   wrong")
    for workers in asked.workers:
        with tempfile.TemporaryDirectory(prefix="class") as folder:
            took = run(asked.set, asked.students, workers, Path(folder))
        ratio = took["wall"] / (took["kernel"] / min(cores, workers))
        print(
            f"{workers:7d} {took['wall']:8.1f} {took['wall'] / asked.students:8.2f} "
            f"{took['kernel']:10.1f} {took['cpu']:14.1f} {ratio:25.2f} {took['wrong']:7.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
