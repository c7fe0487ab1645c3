"""Notebook 07a as a student meets it: its explorers to their extremes."""

from __future__ import annotations

from course_tests.browser.conftest import OpenNotebook


def test_the_explorers_to_their_extremes(open_notebook: OpenNotebook) -> None:
    page = open_notebook("07a_products.ipynb", only=("import", "explorer."))
    page.run_all()
    assert page.complaints() == [] and page.panels() == 2
    panel = page.panel(0)
    before = panel.settle()
    assert before.alt == before.text and "100 Gaussian matrices" in before.text
    page.screenshot("07a-product")

    with panel.watch() as film:
        panel.press("factors", "Home")
        one = panel.look_until(lambda look: "1 Gaussian" in look.text)
        panel.press("factors", "End")
        deep = panel.look_until(lambda look: "100 Gaussian" in look.text)
        assert deep.picture != one.picture and deep.alt == deep.text
        assert "smallest 10⁻¹" in deep.text
        panel.control("kind").select_option("orthogonal")
        even = panel.look_until(lambda look: "100 orthogonal" in look.text)
        assert "smallest 1." in even.text and "0% are below 0.1" in even.text
        panel.press("scale", "Home")
        panel.look_until(lambda look: "nothing gets through" in look.text)
        panel.press("factors", "Home")
        panel.press("scale", "End")
        panel.look_until(lambda look: "1 orthogonal" in look.text and "scale 2.00" in look.text)
    film.check()
    assert film.pictures >= 5
    panel.click("Reset")
    again = panel.look_until(lambda look: look.text == before.text)
    assert again.picture == before.picture

    panel = page.panel(1)
    panel.settle()
    with panel.watch() as film:
        panel.press("maps", "Home")
        flat = panel.look_until(lambda look: "as it goes in" in look.text)
        panel.press("maps", "End")
        thin = panel.look_until(lambda look: "50 maps" in look.text)
        assert "filaments" in thin.text and thin.picture != flat.picture
        panel.control("input to every map").check()
        whole = panel.look_until(lambda look: "also sees the input" in look.text)
        assert "still a sheet" in whole.text and whole.alt == whole.text
        panel.click("New draw")
        panel.look_until(lambda look: look.picture != whole.picture)
    film.check()
    page.screenshot("07a-sheet")
    assert page.complaints() == []
