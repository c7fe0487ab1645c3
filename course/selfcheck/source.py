"""Python source on a page: folded, highlighted by the front end, with the file it comes from."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any

from IPython.display import display

from course.arguments import reject

ROOT = Path(__file__).resolve().parent.parent.parent


def show_source(item: Any, summary: str = "") -> None:
    """Show the source of a function, class or module of the library, folded under one line.

    summary: that line; if empty the name, the file in which it stands, and its length. Raises
    ValueError where there is no Python source (a builtin, a value).
    """
    Source(item, summary).show()


class Source:
    """The source of `item` as a cell's output: Markdown in a notebook, one line in plain text."""

    def __init__(self, item: Any, summary: str = "") -> None:
        try:
            code = inspect.getsource(item)
            file = Path(inspect.getsourcefile(item) or "").resolve()
        except (TypeError, OSError):
            raise reject("item", item, "a function, class or module written in Python") from None
        self.code = textwrap.dedent(code).strip("\n")
        place = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name
        name = getattr(item, "__qualname__", getattr(item, "__name__", ""))
        self.summary = summary or f"{name}, {len(self.code.splitlines())} lines of {place}"

    def __repr__(self) -> str:
        return f"{self.summary} (its source opens in a notebook)"

    def _repr_markdown_(self) -> str:
        fence = "```" if "```" not in self.code else "~~~~"
        head = f"<details><summary>{self.summary}</summary>"
        return f"{head}\n\n{fence}python\n{self.code}\n{fence}\n\n</details>"

    def show(self) -> None:
        """Display it as the cell's output; where there is no notebook, print its one line."""
        display(self)
