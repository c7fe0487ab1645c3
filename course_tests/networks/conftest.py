"""Small pictures for tests of convolutions."""

from __future__ import annotations

import pytest

from course import data


@pytest.fixture(scope="session")
def pictures() -> data.Dataset:
    """A hundred handwritten digits, 1 x 8 x 8."""
    return data.digits().subset(100, 40)
