"""What the cells after a run that has not reached its end say: words, and no traceback.

A run that was stopped hands out what it has (`LiveRun.result`), and says so. Where it has nothing
of a network, or the waiting cell was interrupted, that cell ends with one sentence, `BrokenOff`;
where the training ended with an error, with that error `in_words`. What it would have made is then
missing below: a cell that asks for it says that, too.
"""

from __future__ import annotations

import contextlib
import symtable
from collections.abc import Mapping, Sequence
from typing import Any

from course.live.cells import source

_absent: set[str] = set()  # names that cells would have made, had they not been broken off
_stopped: set[tuple[str, ...]] = set()  # runs, by the names of their networks


class BrokenOff(Exception):
    """Ends a cell that needs more of a run than there is. Jupyter shows its words alone."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback; it asks where a cell ends by this error."""
        return _last_words(str(self))


class Interrupted(KeyboardInterrupt):
    """Ends a cell that was interrupted while it waited for a run; shown as `BrokenOff` is."""

    _render_traceback_ = BrokenOff._render_traceback_


def in_words(problem: BaseException, words: str) -> BaseException:
    """`problem`, of which Jupyter shows these words in place of its traceback."""
    words = f"{words}\nThe records so far stay in the run's `history`, and its picture stays."
    problem._render_traceback_ = lambda: _last_words(words)  # type: ignore[attr-defined]
    return problem


def _last_words(words: str) -> list[str]:
    """The words by line; what the cell would have made is missing from now on."""
    from IPython.core.getipython import get_ipython

    _absent.update(_made(source()))
    if (shell := get_ipython()) is not None:
        shell.set_custom_exc((NameError,), _explain)
    return words.splitlines()


def cut_short() -> bool:
    """Whether a live run of this notebook was stopped, and not run again since."""
    return bool(_stopped)


def note(history: Mapping[str, Any], stopped: bool) -> None:
    """Note that the run of these networks was stopped, or that it wasn't, or begins again."""
    (_stopped.add if stopped else _stopped.discard)(tuple(history))


def what_is_missing(history: Mapping[str, Sequence[Any]]) -> str:
    """Whose records are missing: "There is nothing of plain 26 yet", "" where each has some."""
    names = [name for name, records in history.items() if not records]
    if not names:
        return ""
    if len(names) == len(history):
        return "There is nothing to compare yet"
    some = ", ".join(names) if len(names) <= 4 else f"{len(names)} of {len(history)} networks"
    return f"There is nothing of {some} yet"


def _made(code: str) -> list[str]:
    """The names that a cell makes: by an assignment, a loop, an import or a definition."""
    with contextlib.suppress(SyntaxError):  # IPython's own: a magic
        table = symtable.symtable(code, "cell", "exec")
        return [symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()]
    return []


def _explain(shell: Any, kind: Any, problem: Any, trace: Any, tb_offset: int | None = None) -> None:
    """Show a NameError: in words where the name is one of `_absent`, else as ever."""
    if problem.name in _absent:
        problem = BrokenOff(
            f"`{problem.name}` is not there yet: a training ended too early for the cell that "
            "makes it.\nLet the training run, then run the cells from there on again."
        )
    shell.showtraceback((type(problem), problem, trace), tb_offset=tb_offset)
