"""From what was handed in to a notebook that can be graded: the release, with the answers in it.

The release is the skeleton. Its graded and locked cells come back as they were, whatever happened
to them; from the submission come the answers, and the cells that the student added, in their place.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

MOST_BYTES = 20 * 2**20
MOST_SOURCE = 100_000  # characters of one cell
MOST_CELLS = 400  # that a student may add
MOST_IMAGE = 4 * 2**20  # characters of one image in an answer (base64)
IMAGES = ("image/png", "image/jpeg", "image/gif")


EARLIER = "made from an earlier release of this set"
CHANGED = "had been changed: restored"


class Unreadable(Exception):
    """A file that is no notebook; its text says why."""


def read(data: bytes) -> tuple[Any, list[str]]:
    """The notebook in `data` in today's format, and remarks; Unreadable where there is none."""
    import nbformat

    if len(data) > MOST_BYTES:
        raise Unreadable(
            f"the file has {len(data) / 2**20:.0f} MB; a notebook without outputs is small"
        )
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
    found = marks.get("grade_id") if isinstance(marks, dict) else None
    return found if isinstance(found, str) else ""


MARKS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")


def _source(cell: Any) -> str:
    """The text of a student's cell, without the marks by which nbgrader cuts cells apart."""
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    text = text if isinstance(text, str) else ""
    return re.sub(rf"\b(BEGIN|END) (?={'|'.join(MARKS)})", r"\1-", text)


def mend(submitted: Any, release: Any) -> tuple[Any, list[str]]:
    """The release with the answers of `submitted`, and what had to be mended."""
    remarks: list[str] = []
    named = {grade_id(cell): cell for cell in release.cells if grade_id(cell)}
    by_cell_id = {cell.id: name for name, cell in named.items()}
    found: dict[str, list[Any]] = {name: [] for name in named}
    added: dict[str, list[Any]] = {}  # the named cell that it follows -> added cells
    last, number = "", 0
    for cell in submitted.cells:
        if not isinstance(cell, dict):
            continue
        name = grade_id(cell)
        if name not in named and not name:
            name = by_cell_id.get(str(cell.get("id")), "")
        if name in named:
            found[name].append(cell)
            last = name
        elif number < MOST_CELLS and _source(cell).strip():
            number += 1
            added.setdefault(last, []).append(_plain(cell, f"added-{number}"))
    remarks += _about(submitted, release, number)
    made = copy.deepcopy(release)
    made.cells = list(added.get("", []))
    # A cell that the release has changed since is no doing of the student.
    other = "is another one in this release: replaced" if EARLIER in remarks else CHANGED
    for name, original in named.items():
        made.cells.append(_restored(original, found[name], remarks, other))
        made.cells += added.get(name, [])
    return made, remarks


def _about(submitted: Any, release: Any, number: int) -> list[str]:
    remarks = [f"only the first {MOST_CELLS} added cells were kept"] if number >= MOST_CELLS else []
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


def _restored(original: Any, found: list[Any], remarks: list[str], other: str) -> Any:
    name, cell = grade_id(original), copy.deepcopy(original)
    answer = cell.metadata.nbgrader.solution
    if not found:
        what = "counts as not answered" if answer else "put back"
        remarks.append(f"cell {name!r} was missing: {what}")
        return cell
    if not answer:
        if any(_source(one).strip() != original.source.strip() for one in found):
            remarks.append(f"cell {name!r} {other}")
        if len(found) > 1:
            remarks.append(f"cell {name!r} was there {len(found)} times: one kept")
        return cell
    if len(found) > 1:
        remarks.append(f"cell {name!r} was there {len(found)} times: the first answer counts")
    chosen = next(
        (one for one in found if _source(one).strip() != original.source.strip()), found[0]
    )
    cell.source = _source(chosen)[:MOST_SOURCE]
    if len(_source(chosen)) > MOST_SOURCE:
        remarks.append(f"cell {name!r} was cut after {MOST_SOURCE} characters")
    images = _images(chosen) if cell.cell_type == "markdown" else {}
    if images:
        cell["attachments"] = images
    return cell


def _images(cell: Any) -> dict[str, dict[str, str]]:
    attached = cell.get("attachments")
    kept: dict[str, dict[str, str]] = {}
    for name, forms in attached.items() if isinstance(attached, dict) else ():
        for kind, data in forms.items() if isinstance(forms, dict) else ():
            if kind in IMAGES and isinstance(data, str) and len(data) <= MOST_IMAGE:
                kept.setdefault(str(name), {})[kind] = data
    return kept


def _plain(cell: Any, name: str) -> Any:
    from nbformat.v4 import new_code_cell, new_markdown_cell

    make = new_code_cell if cell.get("cell_type") == "code" else new_markdown_cell
    return make(_source(cell)[:MOST_SOURCE], id=name)
