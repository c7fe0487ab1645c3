"""What `course run --dry-run` predicts, and what the run then takes: time and memory.

    python -m course_tests.benchmarks.predictions [--root FOLDER]

Three small runs, each in processes of its own. A ratio is taken over predicted; the goal is that
each is between 1 / 1.5 and 1.5. Time is what the processes compute, so a busy machine will do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile

RUNS = {
    "degradation": ["--depths", "2,10,20", "--seeds", "3", "--epochs", "5"],
    "figure1": [
        "--depths", "1,5,10", "--seeds", "2", "--epochs", "1", "--subset", "5000",
        "--networks", "plain,van",
    ],
    "cifar": [
        "--data", "digits", "--depths", "10,18", "--seeds", "2", "--epochs", "4", "--width", "4",
        "--evaluate-every", "2", "--networks", "plain,van",
    ],
}  # fmt: skip
"""Options by experiment."""

CODE = """
import json, sys, time
from course.cli.run import settings_options
from course.experiments import experiment, grid, prediction
import click
page = experiment(sys.argv[1])
dry, out, root = json.loads(sys.argv[2])
given = click.Command("x", params=settings_options(page)).make_context("x", sys.argv[3:]).params
settings = page.settings.change(**given)
start = time.process_time()
if dry:
    found = prediction.predict(settings, device="cpu", root=root)
    print(json.dumps([found.seconds, found.memory]))
else:
    grid.run(page.name, settings, out=out, device="cpu", root=root, progress=False)
    print(json.dumps([time.process_time() - start, prediction.peak_memory()]))
"""


def measure(name: str, dry: bool, out: str, root: str | None) -> tuple[float, float]:
    """Seconds and bytes, predicted or taken."""
    command = [sys.executable, "-c", CODE, name, json.dumps([dry, out, root]), *RUNS[name]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--root", help="a folder with data sets")
    parser.add_argument("names", nargs="*", default=list(RUNS))
    options = parser.parse_args()
    for name in options.names:
        with tempfile.TemporaryDirectory() as out:
            (said, room), (took, used) = (
                measure(name, dry, out, options.root) for dry in (True, False)
            )
        print(
            f"{name:12} {said:6.1f} s predicted, {took:6.1f} s taken, ratio {took / said:.2f};  "
            f"{room / 2**20:5.0f} MiB predicted, {used / 2**20:5.0f} MiB held, "
            f"ratio {used / room:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
