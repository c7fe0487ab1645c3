"""Finding submissions: the naming of platforms, archives in archives, what belongs to whom."""

from __future__ import annotations

import io
import os
import struct
import tarfile
import time
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course.classroom import master
from course.classroom.collect import people, platforms, restore, submissions, times
from course.classroom.collect.people import Person
from course_tests.classroom import handed_in
from course_tests.classroom.handed_in import NOTEBOOK, SET, SETS, small, text, zipped


@pytest.fixture(scope="module")
def releases() -> dict[str, Any]:
    return handed_in.releases()


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


def test_times_in_names() -> None:
    """With a zone where one is written; else it is one of this machine's."""
    when = datetime(2026, 11, 3, 10, 15, 30)
    exact = platforms.recognise(f"adal+{SET}+2026-11-03 10:15:30 UTC+x1/{NOTEBOOK}", SETS)
    assert (exact.when, exact.zone) == (when.replace(tzinfo=timezone.utc), times.KNOWN)
    berlin = platforms.recognise(f"adal+{SET}+2026-11-03 11:15:30 CET+x1/{NOTEBOOK}", SETS)
    assert (berlin.when, berlin.zone) == (exact.when, times.KNOWN)
    local = platforms.recognise(f"Set 1_adal_attempt_2026-11-03-10-15-30_{NOTEBOOK}", SETS)
    assert (local.when, local.zone) == (when.astimezone(), times.ASSUMED)


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


def place_of(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize(
    "paths",
    [
        [f"Set 1_{i}_attempt_2026-11-03-10-15-30_{NOTEBOOK}" for i in ("a_smith", "b_smith")],
        [f"Set_1_2_{i}_attempt_2026-11-03-10-15-30_{NOTEBOOK}" for i in ("adal", "benb")],
        [f"{i}/{NOTEBOOK}" for i in ("मीना", "मोना")],
        [f"{i}/{NOTEBOOK}" for i in ("a b", "a-b", "a+b")],
        [f"{i}/{NOTEBOOK}" for i in ("O'Neil", "O Neil", "o neil")],
        [f"{i}/{NOTEBOOK}" for i in ("!!!", "???", "🦊", "🐻")],
        [f"{i}/{NOTEBOOK}" for i in ("x" * 90 + "1", "x" * 90 + "2")],
        [f"{i}/{NOTEBOOK}" for i in ("Kim (1)", "Kim (2)", "Kim")],
        [f"{i}_7_assignsubmission_file_/{NOTEBOOK}" for i in ("Ada", "Ben")],
        [f"{i}_L_7_assignsubmission_file_/{NOTEBOOK}" for i in ("Ada", "Ben")],
        [f"{i}/hw_2_1_final.ipynb" for i in ("ada", "ben")],
        [f"{i}/homework (20)/{NOTEBOOK}" for i in ("ada", "ben")],
        [f"{i}/Exercise A/{NOTEBOOK}" for i in ("ada", "ben")],
        [f"{i}/Exercise A/Version 2/{NOTEBOOK}" for i in ("ada", "ben")],
        [f"class/{i}/Version 2/{NOTEBOOK}" for i in ("ada", "ben")],
        [f"group A/{i}/{NOTEBOOK}" for i in ("ada", "ben")] + [f"group B/cem/{NOTEBOOK}"],
        [f"Ada, A(b{i})/Submission attachment(s)/{NOTEBOOK}" for i in ("1", "2")],
    ],
    ids=str,
)
def test_no_two_people_become_one(
    tmp_path: Path, releases: dict[str, Any], paths: list[str]
) -> None:
    found, strangers = submissions.collect(
        place_of(tmp_path / "all", dict.fromkeys(paths, small("a = 1"))), releases
    )
    assert sorted(one.file for one in found) == sorted(paths) and strangers == []
    folders = {one.student.casefold() for one in found}
    assert len(folders) == len(paths) == len({platforms.tidy(f) for f in folders})


@pytest.mark.parametrize("paths", [[f"{g}/{i}/{NOTEBOOK}" for g in "GH" for i in ("ada", "ben")]])
def test_who_cannot_be_told_apart_is_left_out(
    tmp_path: Path, releases: dict[str, Any], paths: list[str]
) -> None:
    found, strangers = submissions.collect(
        place_of(tmp_path / "all", dict.fromkeys(paths, small("a = 1"))), releases
    )
    assert found == [] and all(any(path in line for line in strangers) for path in paths)


def test_nobody_gets_the_folder_of_an_earlier_one() -> None:
    ada, other = Person("Ada L"), Person("Ada-L")
    ((first, _),) = people.folder_names([ada], {}).values()
    record = {first: "Ada L"}
    ((second, remark),) = people.folder_names([other], record).values()
    assert second != first and "kept apart from 'Ada L'" in remark
    record[second] = "Ada-L"
    again = people.folder_names([ada, other], record)
    assert again[other][0] == second and again[ada][0] != second
    assert people.folder_names([Person("7", "Ada")], {"7": "Ada"})[Person("7", "Ada")][0] == "7"
    assert people.folder_names([Person("7", "Ben")], {"7": "Ada"})[Person("7", "Ben")][0] != "7"


def tarred(content: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link.ipynb")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


def test_every_file_is_graded_or_named(tmp_path: Path, releases: dict[str, Any]) -> None:
    """Whatever it is called: a notebook counts, the rest is named with the reason."""
    answer = small("a = 1")
    notebooks = ["ps01.ipynb.txt", "ps01.ipynb.json", "ps01.json", "ps01", "PS01.IPYNB"]
    packed = {"w.zip": zipped({NOTEBOOK: answer}), "w.tar": tarred({NOTEBOOK: answer}, "w:")}
    packed |= {f"w{end}": tarred({NOTEBOOK: answer}) for end in (".tar.gz", ".tgz")}
    others = ["a.pdf", "a.py", "a.rar", "a.7z", "a.docx", "a.txt", "torn.tar.gz", "torn.zip"]
    files = {f"n{i}/{name}": answer for i, name in enumerate(notebooks)}
    files |= {f"p{i}/{name}": data for i, (name, data) in enumerate(packed.items())}
    files |= {f"o{i}/{name}": b"\x1f\x8b no" for i, name in enumerate(others)}
    files |= {f"both/{name}": b"no" for name in others} | {f"both/{NOTEBOOK}": answer}
    place = place_of(tmp_path / "all", files)
    (place / "o0" / "link.ipynb").symlink_to("/etc/passwd")
    found, strangers = submissions.collect(place, releases)
    graded = {one.student for one in found if one.notebook is not None}
    assert graded == {"both", *(f"n{i}" for i in range(5)), *(f"p{i}" for i in range(4))}
    said = "\n".join([*strangers, *(r for one in found for r in one.remarks)])
    for name in files:
        assert name.split("/")[0] in graded - {"both"} or name in said or NOTEBOOK in name, name
    assert "o0/a.pdf: no notebook (.pdf)" in said and "o0/link.ipynb: a link" in said
    assert said.count("link.ipynb") == 4  # one on its own, three in archives


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "UTC"])
@pytest.mark.parametrize("own", [True, False], ids=["own zip", "download"])
def test_the_newer_file_counts_in_every_zone(
    tmp_path: Path, releases: dict[str, Any], monkeypatch: pytest.MonkeyPatch, zone: str, own: bool
) -> None:
    """A zip keeps local times, a file system UTC. The zip was packed an hour before."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        packed = 1_790_000_000
        entry = zipfile.ZipInfo(
            "work.ipynb" if own else f"adal/{NOTEBOOK}", time.localtime(packed)[:6]
        )
        place = place_of(tmp_path / "all", {f"adal/{NOTEBOOK}": small("newer")})
        path = place / ("adal/work.zip" if own else "download.zip")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(entry, small("older"))
        for file, when in ((path, packed), (place / f"adal/{NOTEBOOK}", packed + 3600)):
            os.utime(file, (when, when))
        (one,), rest = submissions.collect(place, releases)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert one.file == f"adal/{NOTEBOOK}" and one.when.timestamp() == packed + 3600
    assert any("work.zip" in remark for remark in one.remarks) or "download.zip" in rest[0]


def test_a_zip_s_own_time_in_utc_is_taken() -> None:
    entry = zipfile.ZipInfo("a", (2026, 11, 3, 23, 0, 0))
    entry.extra = struct.pack("<HHBi", times.UNIX, 5, 1, 1_790_000_000)
    holder = times.of_seconds(0)
    assert times.of_entry(entry, holder) == times.of_seconds(1_790_000_000)
    entry.extra = struct.pack("<HHIHHQ", times.NTFS, 32, 0, 1, 24, 134_344_736_000_000_000)
    assert times.of_entry(entry, holder) == times.of_seconds(1_790_000_000)
    entry.extra = b"\x55\x54\xff\xff"
    assert times.of_entry(entry, holder).zone == times.ASSUMED


def test_times_without_zones_are_compared_aloud() -> None:
    known, assumed = times.of_seconds(1e9), times.of_local(datetime(2001, 9, 9, 1, 46, 41))
    later = times.of_local(datetime(2001, 9, 12))
    assert times.in_doubt(known, assumed) and not times.in_doubt(known, later)
    assert not times.in_doubt(assumed, later)


def test_a_date_that_is_none_takes_nobody_with_it(tmp_path: Path, releases: dict[str, Any]) -> None:
    """An entry of the day 1980-00-00, as some tools write where they know no time."""
    data = bytearray(zipped({f"{i}/{NOTEBOOK}": small("a = 1") for i in ("ada", "ben", "cem")}))
    for mark, at in ((b"PK\x03\x04", 10), (b"PK\x01\x02", 12)):
        start = data.index(mark)
        data[start + at : start + at + 4] = bytes(4)
    (tmp_path / "all.zip").write_bytes(data)
    found, strangers = submissions.collect(tmp_path / "all.zip", releases)
    assert [one.student for one in found] == ["ada", "ben", "cem"] and strangers == []
    assert all(one.notebook is not None for one in found)
    (tmp_path / "newer.zip").write_bytes(bytes(data).replace(b"ben/", b"ada/"))
    found, _ = submissions.collect(tmp_path / "newer.zip", releases)
    assert any("has no time: taken as the older one" in r for one in found for r in one.remarks)


@pytest.mark.parametrize("text", ["v--" * 22 + "!", "v" * 5000, "-" * 250, "a_1_" * 60, "(" * 250])
def test_no_name_takes_long(text: str) -> None:
    """Each of them takes milliseconds; a pattern that tries all ways would take years."""
    for path in (f"{text}/{NOTEBOOK}", f"{text}.ipynb", f"a/{text}_{NOTEBOOK}"):
        platforms.recognise(path, SETS, [f"b/{NOTEBOOK}"])
