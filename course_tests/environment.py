"""Loaded by pytest before anything else (see addopts in pyproject.toml), for tests and notebooks.

One thread for each worker: pytest-xdist already uses every core, and printed numbers then do not
depend on how many there are. COURSE_WAIT makes a training run in a notebook finish in its cell.

Property tests try the same examples each time, and have no deadline: a busy machine is no failure.
COURSE_EXAMPLES=random tries others each time and keeps those that failed.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("COURSE_WAIT", "1")

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("COURSE_EXAMPLES", "same"))
