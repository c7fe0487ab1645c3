"""Loaded by pytest before anything else (see addopts in pyproject.toml), for tests and notebooks.

One thread for each worker: pytest-xdist already uses every core, and printed numbers then do not
depend on how many there are. COURSE_WAIT makes a training run in a notebook finish in its cell.

Numbers that were measured stand in marks, ⟨1.207 ± 0.004⟩, which nbval leaves out when it compares
(sanitize.cfg): the call that prints them asserts them.

Property tests try the same examples each time, and have no deadline: a busy machine is no failure.
COURSE_EXAMPLES=random tries others each time and keeps those that failed.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("COURSE_WAIT", "1")

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("COURSE_EXAMPLES", "same"))


def pytest_configure(config: pytest.Config) -> None:
    """Let nbval read sanitize.cfg, unless the command line names another file."""
    if getattr(config.option, "nbval_sanitize_with", "absent") is None:
        config.option.nbval_sanitize_with = str(Path(__file__).with_name("sanitize.cfg"))
