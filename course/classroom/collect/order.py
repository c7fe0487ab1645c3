"""The order of a mended notebook: the student's own, so that it computes what the student's did.

What is missing is put back where it can do no harm; nothing that a student wrote is dropped.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

SETUP, SOLUTION, CHECK, GRADE, WRITTEN = "setup", "solution", "check", "grade", "written"


@dataclass
class Original:
    """A named cell of the release: its kind, its source, the cells without a name between it and
    the named one before, and the solution that it looks at.
    """

    kind: str
    source: str
    above: set[str] = field(default_factory=set)
    of: str = ""


@dataclass(eq=False)
class Piece:
    """What stands in one place: the cells of the student's that become one named cell, or a single
    cell without a name. replaces: the missing solution whose names it defines.
    """

    name: str
    cells: list[Any]
    source: str
    replaces: str = ""


@dataclass
class Arrangement:
    """Pieces in their order, and remarks on what was ambiguous."""

    pieces: list[Piece]
    originals: dict[str, Original]
    texts: set[str]  # of the cells of the release that have no name
    remarks: list[str] = field(default_factory=list)

    def arranged(self) -> list[Piece]:
        """One piece for each cell of the release; every other one is a cell of the student's.

        Copies of a solution all stay, each in its place; those of a written answer are joined.
        """
        self._gather_copies()
        self._replace_missing_solutions()
        early = self._tests_before_solutions()
        names, before = {piece.name for piece in self.pieces}, ""
        for name in self.originals:
            if name not in names:
                self._put_back(early.get(name) or Piece(name, [], ""), before)
            before = name
        self._join_words()
        return self.pieces

    def _kind(self, name: str) -> str:
        return self.originals[name].kind if name in self.originals else ""

    def _gather_copies(self) -> None:
        copies: dict[str, list[Piece]] = defaultdict(list)
        for piece in self.pieces:
            copies[piece.name].append(piece)
        unnamed = copies.pop("", [])
        for name, some in copies.items():
            original = self.originals[name]
            if original.kind in (SOLUTION, WRITTEN) and len(some) > 1:
                changed = [p for p in some if p.source != original.source] or some[:1]
                what = "run, each in its place" if original.kind == SOLUTION else "joined"
                told = f"{len(changed)} {what}" if len(changed) > 1 else "untouched ones left out"
                self.remarks.append(f"cell {name!r} was there {len(some)} times: {told}")
                some = copies[name] = changed
            if original.kind != SOLUTION:
                some[0].cells = [cell for piece in some for cell in piece.cells]
                copies[name] = some[:1]
        known = {id(piece) for some in (unnamed, *copies.values()) for piece in some}
        self.pieces = [piece for piece in self.pieces if id(piece) in known]

    def _replace_missing_solutions(self) -> None:
        """An answer typed into a new cell stands for the one that was deleted."""
        names = {piece.name for piece in self.pieces}
        for name, original in self.originals.items():
            if original.kind != SOLUTION or name in names:
                continue
            for wanted in _defined(original.source):
                pattern = re.compile(
                    rf"^[ \t]*(?:(?:def|class)\s+{wanted}\b|{wanted}\s*(?:[:,]|=(?!=)))", re.M
                )
                for piece in self.pieces:
                    code = piece.cells and piece.cells[0].get("cell_type") == "code"
                    if code and not piece.name and pattern.search(piece.source):
                        piece.replaces = name

    def _tests_before_solutions(self) -> dict[str, Piece]:
        """Taken out: a test looks at what its solution computed, wherever that was moved to."""
        last = {name: self._last(original.of) for name, original in self.originals.items()}
        early = {p.name: p for i, p in enumerate(self.pieces) if i < last.get(p.name, -1)}
        self.remarks += [f"cell {n!r} stood before its answer: moved after it" for n in early]
        self.pieces = [p for p in self.pieces if early.get(p.name) is not p]
        return early

    def _put_back(self, piece: Piece, before: str) -> None:
        original = self.originals[piece.name]
        above = (i for i, p in enumerate(self.pieces) if not p.name and p.source in original.above)
        at = max(self._last(before), *above, -1) + 1
        if original.kind in (CHECK, GRADE):
            at = self._end_of_gap(max(at, self._last(original.of) + 1))
        self.pieces.insert(at, piece)

    def _last(self, name: str) -> int:
        """Where the last piece of a named cell stands; -1 where there is none."""
        places = [i for i, p in enumerate(self.pieces) if name and name in (p.name, p.replaces)]
        return max(places, default=-1)

    def _end_of_gap(self, at: int) -> int:
        """Behind the student's own cells that begin at `at`."""
        while at < len(self.pieces) and self._own(self.pieces[at]):
            at += 1
        return at

    def _own(self, piece: Piece) -> bool:
        return not piece.name and piece.source not in self.texts

    def _join_words(self) -> None:
        """Text cells that follow an answer in words belong to it: it is marked as one."""
        pieces: list[Piece] = []
        for piece in self.pieces:
            last = pieces[-1] if pieces else None
            if (
                last is not None
                and self._kind(last.name) == WRITTEN
                and self._own(piece)
                and piece.cells[0].get("cell_type") == "markdown"
            ):
                if last.source in ("", self.originals[last.name].source):
                    last.cells = []  # nothing was answered in the cell itself
                last.source = piece.source
                last.cells += piece.cells
                self.remarks.append(f"text added after cell {last.name!r} was taken as part of it")
            else:
                pieces.append(piece)
        self.pieces = pieces


def _defined(source: str) -> list[str]:
    """The names that a cell defines at its top."""
    try:
        lines = ast.parse(source).body
    except (SyntaxError, ValueError):
        return []
    kinds = (ast.FunctionDef, ast.ClassDef)
    names = [line.name for line in lines if isinstance(line, kinds)]
    assigned = [line.targets for line in lines if isinstance(line, ast.Assign)]
    return names + [t.id for some in assigned for t in some if isinstance(t, ast.Name)]
