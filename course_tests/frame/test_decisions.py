"""The decision card: each lesson has a line, and each line measures what one can measure."""

from __future__ import annotations

import pytest

from course import doctor, handbook, measures
from course_tests import wording


def test_each_lesson_has_a_line_and_the_order_is_that_of_the_course() -> None:
    lessons = wording.order()[1:]
    slugs = [line.notebook for line in handbook.DECISIONS]
    assert set(slugs) == set(lessons)
    assert slugs == sorted(slugs, key=lessons.index)


@pytest.mark.parametrize("line", handbook.DECISIONS, ids=lambda line: line.symptom[:30])
def test_a_line_measures_what_the_library_offers(line: handbook.Decision) -> None:
    assert line.measures
    assert set(line.measures) <= {*measures.__all__, *doctor.__all__}
    for sentence in (line.meaning, line.remedy):
        assert sentence.endswith(".") and len(sentence.split()) <= 60, sentence
    assert line.symptom and not line.symptom.endswith(".")


def test_the_card_grows_through_the_course() -> None:
    lessons = wording.order()[1:]
    sizes = [len(handbook.decision_card(slug).rows) for slug in lessons]
    assert sizes == sorted(set(sizes)) and sizes[-1] == len(handbook.DECISIONS)
    assert handbook.decision_card().rows == handbook.decision_card(lessons[-1]).rows
    assert sum((handbook.decision(slug).rows for slug in lessons), ()) == (
        handbook.decision_card().rows
    )
    with pytest.raises(ValueError, match="one of"):
        handbook.decision("start_here")
    with pytest.raises(ValueError, match="one of"):
        handbook.decision_card("nowhere")


def test_the_card_in_text_and_on_the_page() -> None:
    (row,) = handbook.decision("van").rows
    text, page = repr(handbook.decision("van")), handbook.decision("van")._repr_html_()
    assert text.startswith(row[0]) and "try first: " in text
    assert page.count("<tr>") == 2 and 'href="10a_van.ipynb"' in page
