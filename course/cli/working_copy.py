"""The student's own copy of the notebooks: handed out once, refreshed only where they did nothing.

A notebook counts as untouched as long as its cells are those that the course handed out: neither
their text was changed, nor were they run. What an editor writes by itself on saving (the kernel's
name, ids, folds, the file's layout) is nobody's work. At an update

- untouched notebooks are replaced by the new ones,
- others stay, and the new one is laid beside them: 01_scalar_chain_new.ipynb,
- one that was deleted or renamed is handed out anew.

The folder `.course` in the copy holds the hashes of what was handed out. Every file is written
whole; after a kill at any moment the next start goes on where this one ended.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from filelock import FileLock

from course.arguments import reject
from course.files import remove_parts, write_whole

STATE = ".course"
"""The folder of the manifest and the locks, hidden in JupyterLab's list of files."""


@dataclass(frozen=True)
class Change:
    """One file to write. kind: "missing", "untouched" or "beside" (the student's own one stays)."""

    kind: str
    original: str
    name: str
    text: str


@dataclass(frozen=True)
class History:
    """What was handed out of one notebook, as hashes.

    cells: of all texts, also of those that a killed start may not have written any more. offered
    and text: the cells and the whole text of the last one that was written.
    """

    cells: tuple[str, ...] = ()
    offered: str = ""
    text: str = ""


def emptied(text: str) -> str:
    """A notebook's text without what running it left: outputs, counts, the state of widgets."""
    notebook = json.loads(text)
    notebook.get("metadata", {}).pop("widgets", None)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def cells_hash(text: str) -> str:
    """A hash of the cells' kinds, texts, outputs and attachments; "" if it is no notebook."""
    try:
        content = [
            [
                cell["cell_type"],
                "".join(cell["source"]),
                [{**output, "execution_count": None} for output in cell.get("outputs", [])],
                cell.get("attachments", {}),
            ]
            for cell in json.loads(text)["cells"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return _sha256(json.dumps(content, sort_keys=True))


def hand_out(originals: Path, copy: Path, *, outputs: bool = False) -> list[Change]:
    """Bring `copy` up to date with the notebooks in `originals`; returns what was written.

    outputs: hand out the stored outputs too, in files that are read-only. The folder is made if
    need be. Raises ValueError if it cannot be written: what was written until then stays, whole.
    """
    try:
        (copy / STATE).mkdir(parents=True, exist_ok=True)
        with FileLock(copy / STATE / "lock", timeout=60):
            return _write(originals, copy, outputs)
    except OSError as error:
        reason = error.strerror or str(error)
        allowed = f"a folder that can be written ({reason}); choose another with --copy DIR"
        raise reject("copy", str(copy), allowed) from error


def plan(originals: Path, copy: Path, *, outputs: bool = False) -> list[Change]:
    """What `hand_out` would write now."""
    manifest = _read_manifest(copy)
    return [
        change
        for name, text in _texts(originals, outputs)
        for change in _changes(copy, name, text, manifest.get(name, History()))
    ]


def _write(originals: Path, copy: Path, outputs: bool) -> list[Change]:
    changes = plan(originals, copy, outputs=outputs)
    before = _read_manifest(copy)
    begun, done = dict(before), dict(before)
    for name, text in _texts(originals, outputs):
        history, new = before.get(name, History()), cells_hash(text)
        cells = history.cells if new in history.cells else (*history.cells, new)
        begun[name] = replace(history, cells=cells)
        done[name] = History(cells, offered=new, text=_sha256(text))
    # First what may be written, so that it is known again; at last what was written. After a kill
    # in between the same is planned once more.
    if begun != before:
        _write_manifest(copy, begun)
    for change in changes:
        path = copy / change.name
        remove_parts(path)
        if path.exists():
            path.chmod(0o644)  # Windows does not replace a read-only file
        write_whole(path, change.text)
        if outputs:
            path.chmod(0o444)
    if done != begun:
        _write_manifest(copy, done)
    return changes


def _changes(copy: Path, name: str, text: str, history: History) -> Iterator[Change]:
    """What to write of one notebook, whose course's own text is `text`."""
    new, version = cells_hash(text), _sha256(text)
    own = copy / name
    candidates = [own, *own.parent.glob(f"{own.stem}_new*{own.suffix}")]
    editions = {path: _hash_of(path) for path in candidates if path.exists()}
    untouched = [path for path, cells in editions.items() if cells in {new, *history.cells}]
    for path in untouched:
        if editions[path] != new or history.text not in ("", version):
            yield Change("untouched", name, path.name, text)
    if own not in editions:
        yield Change("missing", name, name, text)
    elif not untouched and history.offered != new:
        free = next(path for path in _editions(own) if path not in editions)
        yield Change("beside", name, free.name, text)


def _editions(path: Path) -> Iterator[Path]:
    """The names under which a notebook may lie: its own, then _new, _new2, _new3, without end."""
    yield path
    for ending in chain(("",), map(str, count(2))):
        yield path.with_name(f"{path.stem}_new{ending}{path.suffix}")


def _texts(originals: Path, outputs: bool) -> Iterator[tuple[str, str]]:
    """Name and text of each of the course's notebooks, as they are handed out."""
    for path in sorted(originals.glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        if not cells_hash(text):
            raise reject("notebook", str(path), "a notebook, and this is none; install again")
        yield path.name, text if outputs else emptied(text)


def _hash_of(path: Path) -> str:
    """`cells_hash` of a file; "" if it is no notebook."""
    try:
        return cells_hash(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, IsADirectoryError):
        return ""


def _read_manifest(copy: Path) -> dict[str, History]:
    """The histories by the notebooks' names. A manifest that is missing or damaged knows none."""
    try:
        content: Any = json.loads((copy / STATE / "manifest.json").read_text(encoding="utf-8"))
        return {
            name: History(tuple(entry["cells"]), entry["offered"], entry["text"])
            for name, entry in content.items()
        }
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_manifest(copy: Path, manifest: dict[str, History]) -> None:
    content = {name: asdict(history) for name, history in manifest.items()}
    path = copy / STATE / "manifest.json"
    remove_parts(path)
    write_whole(path, json.dumps(content, indent=1))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
