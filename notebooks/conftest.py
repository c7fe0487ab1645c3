"""How pytest (nbval) runs the notebooks: live runs wait, nothing is put on file, one thread.

The settings hold while a notebook's cells run, and are gone for the tests that follow.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from unittest import mock

import pytest

SETTINGS = {"COURSE_WAIT": "1", "OMP_NUM_THREADS": "1"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Kernels are started inside this call, and inherit the environment."""
    with mock.patch.dict(os.environ, SETTINGS):
        return (yield)
