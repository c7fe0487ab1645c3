"""Nobody writes over another's work: tricks with names, for every way in which files are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from course.classroom.collect import submissions
from course_tests.classroom.handed_in import NOTEBOOK, SET, releases, small, zipped

NAMES = {"4711": "Ada Lovelace", "4712": "Mallory Malone", "4713": "Cem Can"}
Layout = Callable[[str, str, int], str]  # id, file, year -> path

LAYOUTS: dict[str, Layout] = {
    "Moodle": lambda i, f, y: f"{NAMES[i]}_{i}_assignsubmission_file_/{f}",
    "Moodle, flat": lambda i, f, y: f"{NAMES[i]}_{i}_assignsubmission_file_{f}",
    "Canvas": lambda i, f, y: f"{NAMES[i].lower().replace(' ', '')}_{i}_98765_{f}",
    "Blackboard": lambda i, f, y: f"Set 1_{i}_attempt_{y}-11-03-10-15-30_{f}",
    "Brightspace": lambda i, f, y: f"{i}-12 - {NAMES[i]} - Nov 3, {y} 1015 AM/{f}",
    "Sakai": lambda i, f, y: f"Set 1/{NAMES[i]}({i})/Submission attachment(s)/{f}",
    "nbgrader": lambda i, f, y: f"{i}+{SET}+{y}-11-03 10:15:30 UTC+x1/{f}",
    "Teams": lambda i, f, y: f"Submitted files/{NAMES[i]}/Set 1/Version {y}/{f}",
    "Teams, no versions": lambda i, f, y: f"Working files/{NAMES[i]}/Set 1/{f}",
    "folders": lambda i, f, y: f"{i}/{f}",
}
VICTIM, TRICKSTER, OTHER = NAMES
TRICKS: dict[str, Callable[[Layout, Layout], dict[str, bytes]]] = {
    "another's file in an archive": lambda own, its: {
        own(TRICKSTER, "work.zip", 2026): zipped({its(VICTIM, NOTEBOOK, 2099): small("trick")})
    },
    "two others' files in an archive": lambda own, its: {
        own(TRICKSTER, "work.zip", 2026): zipped(
            {its(i, NOTEBOOK, 2099): small("trick") for i in (VICTIM, OTHER)}
        )
    },
    "an archive of another in an archive": lambda own, its: {
        own(TRICKSTER, "work.zip", 2026): zipped(
            {its(VICTIM, "work.zip", 2099): zipped({NOTEBOOK: small("trick")})}
        )
    },
    "an archive with another's name": lambda own, its: {
        own(TRICKSTER, its(VICTIM, "work.zip", 2099).replace("/", "_"), 2026): zipped(
            {NOTEBOOK: small("trick")}
        )
    },
    "a file with another's name": lambda own, its: {
        own(TRICKSTER, its(VICTIM, NOTEBOOK, 2099).replace("/", "_"), 2026): small("trick")
    },
    "a folder with another's name": lambda own, its: {
        own(TRICKSTER, its(VICTIM, NOTEBOOK, 2099), 2026): small("trick")
    },
}


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("platform", LAYOUTS)
def test_a_trick_changes_nobody_else_s_work(tmp_path: Path, platform: str, trick: str) -> None:
    own = LAYOUTS[platform]
    for number, (named_as, its) in enumerate(LAYOUTS.items()):
        files = {own(VICTIM, NOTEBOOK, 2026): small("honest")}
        files |= {own(OTHER, NOTEBOOK, 2026): small("honest")} | TRICKS[trick](own, its)
        place = tmp_path / str(number)
        if (number + len(trick)) % 2:
            place = place.with_suffix(".zip")
            place.write_bytes(zipped(files))
        else:
            for name, data in files.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_bytes(data)
        handed_in, strangers = submissions.collect(place, releases())
        answers: dict[str, str] = {}
        for one in handed_in:
            sources = [cell.source for cell in one.notebook.cells]
            (answers[one.student],) = {"trick", "honest"}.intersection(sources)
        tricked = {student for student, answer in answers.items() if answer == "trick"}
        honest = {student for student, answer in answers.items() if answer == "honest"}
        assert len(honest) == 2, (named_as, answers)
        assert tricked or any("work.zip" in s or NOTEBOOK in s for s in strangers), named_as
        assert not tricked & {VICTIM, OTHER, "Ada-Lovelace", "Cem-Can"}, (named_as, answers)
