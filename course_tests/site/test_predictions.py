"""Questions on a page: locked, kept, asked again, exported for the class, as in the notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page

from course.classroom import quizzes
from course.selfcheck import answers
from course.site import elsewhere, predictions
from course_tests import store
from course_tests.repository import ROOT
from course_tests.site.tabs import Tab

STATIC = ROOT / "course" / "site" / "theme" / "static"
KEY = "very-deep-networks-course/predictions.jsonl"
REFUSED = """Object.defineProperty(window, "localStorage", {
    get() { throw new DOMException("refused", "SecurityError"); } });"""
WHOLE = (
    '{"format": 1, "question": "01-size", "phase": "before", "option": 1, "text": "about 55", '
    '"answer": null}'
)


def outputs() -> list[dict[str, Any]]:
    """The questions of the first lesson, as it is stored, marked."""
    cells = nbformat.read(store.NOTEBOOKS / "01_scalar_chain.ipynb", 4).cells
    marked = [predictions.marked(o, c.source) for c in cells for o in c.get("outputs", [])]
    return [o for o in marked if "data-question" in o.get("data", {}).get("text/html", "")]


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the first lesson's questions, and the site's script and style for them."""
    file = tmp_path_factory.mktemp("lesson") / "lesson.html"
    for name in ("predictions.js", "predictions.css"):
        (file.parent / name).write_bytes((STATIC / name).read_bytes())
    questions = "<hr>".join(output["data"]["text/html"] for output in outputs())
    file.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Lesson</title>'
        '<link rel="stylesheet" href="predictions.css"><script defer src="predictions.js"></script>'
        f"<article>{questions}</article>",
        encoding="utf-8",
    )
    return file


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Tab]:
    reader = Tab(browser)
    yield reader
    reader.close()


@pytest.fixture
def page(reader: Tab, lesson: Path) -> Iterator[Page]:
    """The lesson, to a reader who has answered nothing; the console may complain of nothing."""
    reader.load(lesson.as_uri())
    yield reader.page
    reader.page.evaluate("localStorage.clear()")
    assert reader.complaints == []


def question(page: Page, title: str, nth: int = 0) -> Locator:
    return page.get_by_role("group", name=re.compile(f"^{title}")).nth(nth).locator("xpath=../..")


def answer(place: Locator, letter: str) -> str:
    """Choose an option, lock it, and what is said."""
    place.get_by_label(re.compile(rf"^{letter}\)")).check()
    place.get_by_role("button").click()
    return place.get_by_role("status").inner_text()


def kept(page: Page) -> list[dict[str, Any]]:
    text = page.evaluate(f"localStorage.getItem({KEY!r}) ?? ''")
    return [json.loads(line) for line in text.splitlines()]


def export(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("button", name="Export my predictions").click()
    assert download.value.suggested_filename == "predictions.jsonl"
    download.value.save_as(folder / "predictions.jsonl")
    return folder / "predictions.jsonl"


def test_the_keyboard_locks_an_answer_which_stays(page: Page) -> None:
    place = question(page, "Predict")
    assert place.get_by_role("button").is_disabled()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert place.get_by_role("status").inner_text() == "Locked: b) about 55. Now go on and see."
    assert page.evaluate("document.activeElement.getAttribute('role')") == "status"
    page.reload()
    assert place.get_by_label("b) about 55").is_checked()
    assert all(radio.is_disabled() for radio in place.get_by_role("radio").all())
    assert place.get_by_role("button").count() == 0
    assert re.search(r"before \(\d{4}-\d\d-\d\d\)\.$", place.get_by_role("status").inner_text())
    assert [record["text"] for record in kept(page)] == ["about 55"]
    assert not question(page, "Predict", 1).get_by_role("radio").first.is_disabled()


def test_it_is_asked_again_with_the_own_answer_beside_the_measured_one(page: Page) -> None:
    again = question(page, "Now that you have seen it")
    assert "not locked a prediction above" in again.get_by_role("status").inner_text()
    answer(question(page, "Predict"), "b")
    assert again.get_by_role("status").inner_text() == ""
    assert "117" not in again.inner_text()  # why stands folded
    first = answer(again, "d")
    assert first.startswith("more than a million: that is not what was measured.")
    assert again.get_by_role("button").is_disabled() and again.locator("summary").is_visible()
    last = answer(again, "c").splitlines()
    assert last[:2] == ["Before: about 55.", "Now: about 120, which is what was measured."]
    assert last[2].startswith("c) about 120: 1.1 to the power 50 is 117.")
    assert again.get_by_role("button").count() == 0
    assert [(r["phase"], r["option"], r["answer"]) for r in kept(page)] == [
        ("before", 1, None), ("after", 3, 2), ("after", 2, 2),
    ]  # fmt: skip


def test_a_second_wrong_answer_shows_the_measured_one(page: Page) -> None:
    again = question(page, "Now that you have seen it")
    answer(again, "a")
    last = answer(again, "b").splitlines()
    assert last[0] == "Now: about 55, which is not so." and last[1].startswith("c) about 120: ")


def test_an_export_is_what_the_class_and_the_notebook_read(page: Page, tmp_path: Path) -> None:
    answer(question(page, "Predict"), "b")
    again = question(page, "Now that you have seen it")
    answer(again, "d")
    answer(again, "c")
    exported = export(page, tmp_path)
    (asked,), students = quizzes.collect(tmp_path)
    assert students == 1 and asked.id == "01-size" and asked.answer == 2
    assert asked.before == {1: 1} and asked.after == {2: 1}
    # What the browser keeps is a notebook's file of predictions; its export is the same.
    file = tmp_path / "kept.txt"
    file.write_text(page.evaluate(f"localStorage.getItem({KEY!r})"), encoding="utf-8")
    assert len(answers.read(file)) == 3
    quizzes.export(tmp_path / "notebook.jsonl", file)
    here, there = (
        sorted(path.read_text(encoding="utf-8").splitlines())
        for path in (exported, tmp_path / "notebook.jsonl")
    )
    assert [json.loads(line) for line in here] == [json.loads(line) for line in there]


def test_the_notebooks_file_is_imported_and_forgotten(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSE_RECORDS", str(tmp_path / "mine.jsonl"))
    monkeypatch.delenv("COURSE_WAIT", raising=False)
    answers.append("01-size", "before", 0, "about 5")
    answers.append("12a-nets", "before", 0, "none, of 60 √")
    with open(tmp_path / "mine.jsonl", "a") as file:
        file.write('{"format": 1, "question": "<b>"}\n')
    page.locator("input[type=file]").set_input_files(tmp_path / "mine.jsonl")
    section = page.get_by_role("region", name="Your predictions")
    section.get_by_text("mine.jsonl: 2 answers read. 1 of its lines").wait_for()
    place = question(page, "Predict")
    assert place.get_by_label("a) about 5", exact=True).is_checked()
    assert "Your answers to 2 questions are kept in this browser" in section.inner_text()
    page.once("dialog", lambda dialog: dialog.accept())
    section.get_by_role("button", name="Forget them").click()
    assert not place.get_by_role("radio").first.is_disabled() and kept(page) == []
    assert place.get_by_role("button").is_disabled()
    section.get_by_role("button", name="Export").click()
    assert "There are none yet" in section.inner_text()


@pytest.mark.parametrize(
    "line",
    [
        "{", "null", "[1]", '{"format": 1}',
        WHOLE.replace(": 1,", ": 2,", 1), WHOLE.replace('"option": 1', '"option": 99'),
    ],
)  # fmt: skip
def test_what_is_damaged_is_said_and_left_out(page: Page, line: str) -> None:
    page.evaluate("([key, line]) => localStorage.setItem(key, line + '\\n')", [KEY, line])
    page.reload()
    section = page.get_by_role("region", name="Your predictions")
    assert "damaged in 1 place" in section.inner_text()
    assert "Locked" in answer(question(page, "Predict"), "b")
    assert "answer to 1 question" in section.inner_text()
    page.evaluate("([key, line]) => localStorage.setItem(key, line)", [KEY, WHOLE])
    page.reload()  # this one is read
    assert question(page, "Predict").get_by_label("b) about 55").is_checked()


def test_a_browser_that_keeps_nothing_says_so(
    browser: Browser, lesson: Path, tmp_path: Path
) -> None:
    reader = Tab(browser)
    page = reader.page
    page.add_init_script(REFUSED)
    reader.load(lesson.as_uri())
    section = page.get_by_role("region", name="Your predictions")
    assert "keeps nothing" in section.inner_text()
    assert "Locked" in answer(question(page, "Predict"), "b")
    assert "answer to 1 question" in section.inner_text()
    export(page, tmp_path)
    assert quizzes.collect(tmp_path)[1] == 1
    reader.close()
    assert reader.complaints == []


def test_without_javascript_the_question_is_read(browser: Browser, lesson: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(lesson.as_uri())
    assert "How large is the output?\na) about 5\nb) about 55" in page.inner_text("article")
    assert page.get_by_text("What was measured").first.is_visible()
    page.close()


def test_a_question_that_cannot_be_read_is_an_error() -> None:
    html = "<p><b>Predict.</b> How many?<br>a) 1<br>b) 2</p>"
    output = {"data": {"text/html": html, "text/plain": "Predict. How many?\n  a) 1\n  b) 2"}}
    marked = predictions.marked(output, 'predict("01-many", "How many?", ["1", "2"])')
    assert "&quot;01-many&quot;" in marked["data"]["text/html"]
    with pytest.raises(ValueError, match="cannot ask"):
        predictions.marked(output, "predict(name, question, options)")


def test_an_exercise_says_where_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"({elsewhere.BINDER})" in readme and f"`{elsewhere.COPY}/" in readme
    assert predictions.binder("01_a") == elsewhere.BINDER
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/deep-course")
    there = elsewhere.on_binder("someone/deep-course", "01_a.ipynb")
    assert predictions.binder("01_a") == there
