"""Problem sets on nbgrader: release, collect, grade in a sandbox, give feedback, sum up quizzes."""

import sys

# Two seconds less for each process that reads notebooks: see course/cli/__init__.py.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
