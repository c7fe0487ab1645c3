"""From what was handed in to a notebook that can be graded: the release, with the answers in it.

Graded and locked cells come back as they were released, whatever happened to them; from the
submission come the answers and the cells that the student added, all of them in the student's
order (see `order`).
"""

from __future__ import annotations

import copy
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, Any

from course.classroom.collect import order
from course.classroom.collect.order import Arrangement, Original, Piece
from course.classroom.collect.outputs import without_outputs

MOST_BYTES = 20 * 2**20  # of a notebook without its outputs
MOST_RAW = 256 * 2**20  # with them
PIECE = 2**16
MOST_SOURCE = 100_000  # characters of one cell
MOST_CELLS = 400  # that a student may add
MOST_IMAGE = 4 * 2**20  # characters of one image in an answer (base64)
IMAGES = ("image/png", "image/jpeg", "image/gif")


EARLIER = "made from an earlier release of this set"
CHANGED = "had been changed: restored"
MISSING = "# This cell was missing in what was handed in."


class Unreadable(Exception):
    """A file that is no notebook; its text says why."""


def content(stream: IO[bytes]) -> bytes:
    """What is in a file, without outputs where it is large: at most `MOST_BYTES` of up to
    `MOST_RAW`; Unreadable where there is more. No more than that is held in memory.
    """
    pieces, size = [], 0
    while size <= MOST_BYTES and (piece := stream.read(PIECE)):
        pieces.append(piece)
        size += len(piece)
    if size <= MOST_BYTES:
        return b"".join(pieces)
    rest = iter(lambda: stream.read(PIECE), b"")
    slim = bytearray()
    for piece in without_outputs(_bounded(chain(pieces, rest))):
        slim += piece
        if len(slim) > MOST_BYTES:
            least = f"more than {MOST_BYTES >> 20} MB without outputs"
            raise Unreadable(f"the file is too large: {least}")
    return bytes(slim)


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_RAW:
            raise Unreadable(f"the file is too large: more than {MOST_RAW >> 20} MB")
        yield piece


def read(data: bytes) -> tuple[Any, list[str]]:
    """The notebook in `data` in today's format, and remarks; Unreadable where there is none."""
    import nbformat

    data = content(io.BytesIO(data)) if len(data) > MOST_BYTES else data
    if not data.strip():
        raise Unreadable("the file is empty")
    try:
        raw = json.loads(data.decode("utf-8-sig"))
        if not isinstance(raw, dict) or "nbformat" not in raw:
            raise Unreadable("the file is no notebook")
        saved = (int(raw["nbformat"]), int(raw.get("nbformat_minor", 0)))
        notebook = nbformat.from_dict(raw) if saved[0] == 4 else None
        notebook = notebook or nbformat.convert(nbformat.reads(json.dumps(raw), saved[0]), 4)
        if not isinstance(notebook.get("cells"), list):
            raise Unreadable("the notebook has no cells")
    except Unreadable:
        raise
    except UnicodeDecodeError:
        raise Unreadable("the file is not text in UTF-8") from None
    except json.JSONDecodeError as problem:
        raise Unreadable(f"the file is damaged: no valid JSON at line {problem.lineno}") from None
    except RecursionError:
        raise Unreadable("the file is nested too deep") from None
    except Exception as problem:
        raise Unreadable(f"the file is no notebook ({type(problem).__name__})") from None
    older = [f"saved in notebook format {saved[0]}, converted"] if saved[0] != 4 else []
    return notebook, older


def grade_id(cell: Any) -> str:
    """The cell's nbgrader id, or "" (also where its metadata is not what it should be)."""
    marks = cell.get("metadata")
    marks = marks.get("nbgrader") if isinstance(marks, dict) else None
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else ""


MARKS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")


def source_of(cell: Any) -> str:
    """The text of a student's cell, without the marks by which nbgrader cuts cells apart, and
    without half characters, which no file can hold.
    """
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    text = text if isinstance(text, str) else ""
    text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(rf"\b(BEGIN|END) (?={'|'.join(MARKS)})", r"\1-", text)


def mend(submitted: Any, release: Any) -> tuple[Any, list[str]]:
    """The release with the work of `submitted`, and what had to be mended or was ambiguous."""
    named = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    remarks = _about(submitted, release)
    # A cell that the release has changed since is no doing of the student.
    other = "is another one in this release: replaced" if EARLIER in remarks else CHANGED
    texts = {cell.source.strip() for cell in release.cells if not grade_id(cell)}
    arrangement = Arrangement(_pieces(submitted, named, remarks), _originals(release), texts)
    pieces = arrangement.arranged()
    remarks += arrangement.remarks
    notebook = copy.deepcopy(type(release)({**release, "cells": []}))
    added, replaced = 0, {piece.replaces for piece in pieces}
    for piece in pieces:
        original = named.pop(piece.name, None)
        if original is not None:
            notebook.cells.append(_restored(original, piece, replaced, remarks, other))
            continue
        added += 1
        notebook.cells.append(_plain(piece, added, remarks))
    return notebook, remarks


def _pieces(submitted: Any, named: dict[str, Any], remarks: list[str]) -> list[Piece]:
    """The student's cells with their names: by nbgrader's id, the cell's own, or the same text."""
    cells = [cell for cell in submitted.cells if isinstance(cell, dict)]
    by_cell_id = {cell.id: name for name, cell in named.items()}
    names = [grade_id(cell) for cell in cells]
    names = [
        n if n in named else by_cell_id.get(str(cell.get("id")), "") if not n else ""
        for n, cell in zip(names, cells, strict=True)
    ]
    by_source = {cell.source.strip(): n for n, cell in named.items() if n not in names}
    pieces: list[Piece] = []
    unnamed, met = 0, set[str]()
    for name, cell in zip(names, cells, strict=True):
        if not name and unnamed > MOST_CELLS:
            continue
        source = source_of(cell).strip()
        name = name or by_source.pop(source, "")
        first = bool(name) and name not in met
        met.add(name)
        unnamed += bool(source) and not first
        if first or (source and unnamed <= MOST_CELLS):
            pieces.append(Piece(name, [cell], source))
    if unnamed > MOST_CELLS:
        remarks.append(f"only the first {MOST_CELLS} added cells were kept")
    return pieces


def _originals(release: Any) -> dict[str, Original]:
    originals: dict[str, Original] = {}
    kind, solution, above = order.SETUP, "", set[str]()
    for cell in release.cells:
        name, source = grade_id(cell), cell.source.strip()
        if not name:
            above.add(source)
            continue
        marks = cell.metadata.nbgrader
        if marks.solution:
            kind = order.WRITTEN if marks.grade else order.SOLUTION
            solution = name if kind == order.SOLUTION else ""
        elif marks.grade:
            kind = order.GRADE
        else:  # locked code after a solution or its checks is a check of it
            kind = order.CHECK if kind in (order.SOLUTION, order.CHECK) else order.SETUP
        of = solution if kind in (order.CHECK, order.GRADE) else ""
        originals[name] = Original(kind, source, above, of)
        above = set()
    return originals


def _about(submitted: Any, release: Any) -> list[str]:
    remarks = []
    about = submitted.get("metadata")
    about = about if isinstance(about, dict) else {}
    kernel = about.get("kernelspec")
    kernel = kernel.get("name") if isinstance(kernel, dict) else None
    wanted = release.metadata.kernelspec.name
    if kernel and kernel != wanted:
        remarks.append(f"kernel {str(kernel)[:40]!r} replaced by {wanted!r}")
    made_from = about.get("course")
    made_from = made_from.get("version") if isinstance(made_from, dict) else None
    if made_from and made_from != release.metadata.course.get("version"):
        remarks.append(EARLIER)
    return remarks


def _restored(
    original: Any, piece: Piece, replaced: set[str], remarks: list[str], other: str
) -> Any:
    name, cell = grade_id(original), copy.deepcopy(original)
    answer, code = cell.metadata.nbgrader.solution, cell.cell_type == "code"
    if not piece.cells:
        what = "counts as not answered" if answer else "put back"
        if name in replaced:
            what = "the added cell that defines the same counts"
        remarks.append(f"cell {name!r} was missing: {what}")
        if answer and code:  # the stub would override what the student wrote elsewhere
            cell.source = MISSING
        return cell
    if not answer:
        if any(source_of(one).strip() != original.source.strip() for one in piece.cells):
            remarks.append(f"cell {name!r} {other}")
        if len(piece.cells) > 1:
            remarks.append(f"cell {name!r} was there {len(piece.cells)} times: one kept")
        return cell
    if code and piece.cells[0].get("cell_type") not in ("code", None):
        remarks.append(f"cell {name!r} had become a cell of text: taken as code")
    parts, images = _parts(piece.cells)
    cell.source = _cut(repr(name), "\n\n".join(parts), remarks)
    if images and not code:
        cell["attachments"] = images
    return cell


def _parts(cells: list[Any]) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The sources of cells and their images; two images of one name get two."""
    parts: list[str] = []
    images: dict[str, dict[str, str]] = {}
    for number, cell in enumerate(cells):
        source = source_of(cell)
        for name, forms in _images(cell).items():
            free = name if images.get(name, forms) == forms else f"{number}-{name}"
            source = source.replace(f"attachment:{name}", f"attachment:{free}")
            images[free] = forms
        parts.append(source)
    return parts, images


def _images(cell: Any) -> dict[str, dict[str, str]]:
    attached = cell.get("attachments")
    attachments: dict[str, dict[str, str]] = {}
    for name, forms in attached.items() if isinstance(attached, dict) else ():
        for kind, data in forms.items() if isinstance(forms, dict) else ():
            fits = isinstance(data, str) and len(data) <= MOST_IMAGE and data.isascii()
            if kind in IMAGES and fits:
                attachments.setdefault(source_of({"source": str(name)}), {})[kind] = data
    return attachments


def _cut(which: str, source: str, remarks: list[str]) -> str:
    if len(source) > MOST_SOURCE:
        remarks.append(f"cell {which} was cut after {MOST_SOURCE} characters")
    return source[:MOST_SOURCE]


def _plain(piece: Piece, number: int, remarks: list[str]) -> Any:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    name, cell = f"added-{number}", piece.cells[0]
    make = new_code_cell if cell.get("cell_type") == "code" or piece.name else new_markdown_cell
    return make(_cut(repr(name), source_of(cell), remarks), id=name)
