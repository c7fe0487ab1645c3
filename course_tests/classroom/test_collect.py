"""Finding submissions: the naming of platforms, archives in archives, what belongs to whom."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.classroom import master
from course.classroom.collect import platforms, restore, submissions

SET = "ps01-scalar-chain"
SETS = [SET, "ps02-blow-up"]


@pytest.fixture(scope="module")
def releases() -> dict[str, Any]:
    """Student notebooks as a release would have them; no nbgrader is needed to collect."""
    made = {}
    for name in SETS:
        notebook = master.build(master.load(name))
        for cell in notebook.cells:
            marks = cell.metadata.get("nbgrader", {})
            if marks.get("solution"):
                cell.source = "raise NotImplementedError"
            elif marks.get("grade"):
                cell.source = master.GRADED.strip()
        notebook.metadata["course"]["version"] = "1"
        made[name] = nbformat.from_dict(notebook)
    return made


NOTEBOOK = f"{SET}.ipynb"


@pytest.mark.parametrize(
    ("path", "student", "name"),
    [
        (f"Ada Lovelace_4711_assignsubmission_file_/{NOTEBOOK}", "4711", "Ada Lovelace"),
        (f"Ada Lovelace_4711_assignsubmission_file_{NOTEBOOK}", "4711", "Ada Lovelace"),
        (f"Set 1-4711/Ada Lovelace_4711_assignsubmission_file/{NOTEBOOK}", "4711", "Ada Lovelace"),
        (f"lovelaceada_4711_98765_{SET}-2.ipynb", "4711", "lovelaceada"),
        (f"lovelaceada_LATE_4711_98765_{SET}.ipynb", "4711", "lovelaceada"),
        (f"Set 1_adal_attempt_2026-11-03-10-15-30_{NOTEBOOK}", "adal", ""),
        (f"4711-1234 - Ada Lovelace - Nov 3, 2026 1015 AM/{NOTEBOOK}", "4711", "Ada Lovelace"),
        (f"4711-1234 - Ada Lovelace - Nov 3, 2026 1015 AM - {NOTEBOOK}", "4711", "Ada Lovelace"),
        (
            f"Set 1/Lovelace, Ada(adal)/Submission attachment(s)/{NOTEBOOK}",
            "adal",
            "Lovelace, Ada",
        ),
        (f"adal+{SET}+2026-11-03 10:15:30 UTC+x1/{NOTEBOOK}", "adal", ""),
        (f"submitted/adal/{SET}/{NOTEBOOK}", "adal", ""),
        (f"adal/{NOTEBOOK}", "adal", ""),
        (f"{SET}-adal/notebook.ipynb", "adal", ""),
        (f"adal_{NOTEBOOK}", "adal", ""),
        (f"{SET} - Ada Lovelace.ipynb", "Ada-Lovelace", ""),
        ("ps01_student-007 (2).ipynb", "student-007", ""),
        ("student-007.ipynb", "student-007", ""),
        (f"Zoë Müller/{NOTEBOOK}", "Zoë-Müller", ""),
        (f"lovelaceada_4711_98765_work/{NOTEBOOK}", "4711", "lovelaceada"),  # handed in as a zip
        (f"Submitted files/Ada Lovelace/Week 1/Version 2/{NOTEBOOK}", "Ada-Lovelace", ""),
        (f"Working files/Ada Lovelace/Week 1/{NOTEBOOK}", "Ada-Lovelace", ""),
        (f"Ada Lovelace - Copy of {NOTEBOOK}", "Ada-Lovelace", ""),
        (f"adal/ps01/{SET}/{NOTEBOOK}", "adal", ""),
        (f"adal/my code/{NOTEBOOK}", "adal", ""),
        (f"4711/{NOTEBOOK}", "4711", ""),
        (f"{SET}-submissions/{SET}-adal/{NOTEBOOK}", "adal", ""),
        (NOTEBOOK, "", ""),
        (f"{SET} (3).ipynb", "", ""),
        ("ps01 final v2.ipynb", "", ""),
    ],
)
def test_names_of_platforms(path: str, student: str, name: str) -> None:
    assert platforms.recognise(path, SETS)[:2] == (student, name)


@pytest.mark.parametrize(
    "path",
    [
        f"Set 1_adal_attempt_2026-11-03-10-15-30_{NOTEBOOK}",
        f"adal+{SET}+2026-11-03 10:15:30 UTC+x1/{NOTEBOOK}",
    ],
)
def test_times_in_names(path: str) -> None:
    when = datetime(2026, 11, 3, 10, 15, 30, tzinfo=timezone.utc)
    assert platforms.recognise(path, SETS)[2] == when


def test_a_folder_of_files_with_the_students_names_is_nobody_s() -> None:
    """One folder for a class, names in the files; one file without a name is nobody's."""
    folder = [f"week 1/{SET} - {n}.ipynb" for n in ("ada", "ben", "cem")] + [f"week 1/{NOTEBOOK}"]
    found = [platforms.recognise(path, SETS, folder)[0] for path in folder]
    assert found == ["ada", "ben", "cem", ""]
    own = [f"adal/{SET} draft.ipynb", f"adal/{NOTEBOOK}", f"adal/{SET} (2).ipynb"]
    assert {platforms.recognise(path, SETS, own)[0] for path in own} == {"adal"}


def test_the_name_of_the_download_is_no_student(tmp_path: Path, releases: dict[str, Any]) -> None:
    """All files side by side in a zip: a student for each; who can't be named is told."""
    data = text(releases[SET])
    names = [f"ada_{NOTEBOOK}", f"ben_{NOTEBOOK}", f"{SET} - Cem.ipynb", f"{SET} (1).ipynb"]
    (tmp_path / "set1.zip").write_bytes(zipped(dict.fromkeys(names, data)))
    found, strangers = submissions.collect(tmp_path / "set1.zip", releases)
    assert [s.student for s in found] == ["Cem", "ada", "ben"]
    assert not any(s.remarks for s in found)  # a name beside that of the set is no renaming
    assert len(strangers) == 1 and "whose is it?" in strangers[0]


@pytest.mark.parametrize("packed", [True, False])
def test_one_student_s_folder_or_zip_alone(
    tmp_path: Path, releases: dict[str, Any], packed: bool
) -> None:
    place = tmp_path / ("adal.zip" if packed else "adal")
    content = {f"{name}.ipynb": text(releases[name]) for name in SETS}
    if packed:
        place.write_bytes(zipped(content))
    else:
        place.mkdir()
        for name, data in content.items():
            (place / name).write_bytes(data)
    found, strangers = submissions.collect(place, releases)
    assert [(s.student, s.set) for s in found] == [("adal", name) for name in SETS]
    assert strangers == []


@given(st.text(max_size=200))
def test_a_student_s_name_is_always_a_safe_folder(text: str) -> None:
    made = platforms.tidy(text)
    assert made and "/" not in made and "\\" not in made and "\0" not in made
    assert not made.startswith(".") and len(made) <= 80
    assert made == platforms.tidy(made)


def zipped(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def text(notebook: Any) -> bytes:
    return str(nbformat.writes(notebook)).encode()


def test_zips_in_zips_by_set_and_student(tmp_path: Path, releases: dict[str, Any]) -> None:
    first, second = text(releases[SET]), text(releases["ps02-blow-up"])
    inner = zipped({"work/anything.ipynb": first, "work/notes.txt": b"hello"})
    everything = {
        "Ada_1_assignsubmission_file_/all.zip": inner,
        "Ben_2_assignsubmission_file_/b.ipynb": second,
        "__MACOSX/Ben_2_assignsubmission_file_/._b.ipynb": b"junk",
        "Cem_3_assignsubmission_file_/broken.zip": b"PK no zip at all ps01",
        "Cem_3_assignsubmission_file_/recipes.ipynb": b'{"nbformat": 4, "cells": []}',
    }
    (tmp_path / "download.zip").write_bytes(zipped(everything))
    found, strangers = submissions.collect(tmp_path / "download.zip", releases)
    assert [(s.student, s.set) for s in found] == [("1", SET), ("2", "ps02-blow-up")]
    assert len(strangers) == 2 and any("recipes" in line for line in strangers)


def test_the_newest_of_two_files_counts_and_the_other_is_named(
    tmp_path: Path, releases: dict[str, Any]
) -> None:
    for number, name in enumerate(("first", "second")):
        notebook = nbformat.from_dict(releases[SET])
        notebook.metadata["course"] = {"set": SET, "version": name}
        path = tmp_path / "adal" / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text(notebook))
        os.utime(path, (1_800_000_000 + number,) * 2)
    (tmp_path / "adal" / "third ps01.ipynb").write_text("{ torn")
    (found,), _ = submissions.collect(tmp_path, releases)
    assert found.file == "adal/second.ipynb"
    assert "more than one file: 'adal/first.ipynb' was left aside" in found.remarks
    assert "more than one file: 'adal/third ps01.ipynb' was left aside" in found.remarks


def test_a_bomb_is_not_unpacked(tmp_path: Path, releases: dict[str, Any]) -> None:
    bomb = zipped({f"ada/{NOTEBOOK}": b" " * (restore.MOST_BYTES + 1)})
    (tmp_path / "bomb.zip").write_bytes(bomb)
    assert len(bomb) < 100_000
    (found,), _ = submissions.collect(tmp_path / "bomb.zip", releases)
    assert found.notebook is None and "too large" in found.remarks[0]


def test_no_folder_is_refused(tmp_path: Path, releases: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a folder or an archive"):
        submissions.collect(tmp_path / "nowhere", releases)


@pytest.mark.parametrize("kept", [True, False])
def test_images_stay_in_written_answers_only(releases: dict[str, Any], kept: bool) -> None:
    made = nbformat.from_dict(releases[SET])
    cell = next(c for c in made.cells if restore.grade_id(c) == "safe-depth")
    data = "aGVsbG8=" if kept else "x" * (restore.MOST_IMAGE + 1)
    cell.source = "see ![drawing](attachment:d.png)"
    cell["attachments"] = {"d.png": {"image/png": data, "text/html": "<script>"}}
    mended, _ = restore.mend(made, releases[SET])
    answer = next(c for c in mended.cells if restore.grade_id(c) == "safe-depth")
    assert answer.get("attachments", {}) == ({"d.png": {"image/png": data}} if kept else {})


def test_a_student_s_own_cells_stay_where_they_were(releases: dict[str, Any]) -> None:
    made = nbformat.from_dict(releases[SET])
    at = next(i for i, c in enumerate(made.cells) if restore.grade_id(c) == "overflow")
    made.cells.insert(at + 1, nbformat.v4.new_code_cell("mine = 1"))
    made.cells.insert(0, nbformat.v4.new_markdown_cell("My notes"))
    mended, remarks = restore.mend(made, releases[SET])
    sources = [c.source for c in mended.cells]
    ids = [restore.grade_id(c) for c in mended.cells]
    assert sources[0] == "My notes"
    assert sources.index("mine = 1") == ids.index("overflow") + 1
    assert remarks == []
    nbformat.validate(mended)


@pytest.mark.parametrize("version", ["1", "0"])
def test_what_a_new_release_changed_is_not_laid_to_the_student(
    releases: dict[str, Any], version: str
) -> None:
    made = nbformat.from_dict(releases[SET])
    made.metadata["course"] = {"set": SET, "version": version}
    next(c for c in made.cells if restore.grade_id(c) == "slopes-check").source = "assert True"
    mended, remarks = restore.mend(made, releases[SET])
    assert ("cell 'slopes-check' had been changed: restored" in remarks) == (version == "1")
    assert ("made from an earlier release of this set" in remarks) == (version == "0")
    check = next(c for c in mended.cells if restore.grade_id(c) == "slopes-check")
    assert check.source != "assert True"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["cells", "metadata", "source", "nbformat", "cell_type", "nbgrader"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_notebook_or_unreadable(value: Any) -> None:
    """Whatever the file holds, the grader goes on."""
    import json

    release = master.build(master.load(SET))
    data = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [value]}
    for candidate in (value, data, {**data, "metadata": value}, {**data, "cells": value}):
        try:
            notebook, _ = restore.read(json.dumps(candidate).encode())
        except restore.Unreadable:
            continue
        mended, _ = restore.mend(notebook, release)
        nbformat.validate(mended)
