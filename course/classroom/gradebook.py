"""nbgrader's gradebook, without what it does again each time it is opened.

nbgrader opens it some ten times for one submission. Each time it made a new engine of SQLAlchemy,
which turned every query into SQL anew; and for a new gradebook it started a process, which imported
nbgrader once more, only to ask for the version of its tables.
"""

from __future__ import annotations

import functools

from alembic.script import ScriptDirectory
from nbgrader import api
from nbgrader.dbutil import ALEMBIC_DIR

Gradebook = api.Gradebook


def _version() -> str:
    """The version of the tables that this nbgrader makes."""
    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())


# A gradebook that is closed closes its connections; the engine of that file can open others.
api.create_engine = functools.lru_cache(maxsize=8)(api.create_engine)
api.get_alembic_version = _version
