"""Loaded by pytest before anything else (see addopts in pyproject.toml), for tests and notebooks.

One thread for each worker: pytest-xdist already uses every core, and printed numbers then do not
depend on how many there are. COURSE_WAIT makes a training run in a notebook finish in its cell.
Property tests have no deadline: a busy machine is no failure.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("COURSE_WAIT", "1")

settings.register_profile("course", settings(), deadline=None)
settings.load_profile("course")
