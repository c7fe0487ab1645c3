"""The property tests of the whole library again and again, with other examples each time."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from course_tests.repository import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(20))
def test_properties_hold_for_other_examples_too(turn: int) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "hypothesis and not slow",
        "course_tests",
    ]
    environment = {**os.environ, "COURSE_EXAMPLES": "random"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-10_000:]
