"""Notebook 03 as a student meets it: the run stopped half-way, the explorer to its extremes."""

from __future__ import annotations

from course_tests.browser.conftest import OpenNotebook

EXPLORER, RUN = 0, 2  # the picture of depths stands between them


def test_the_explorer_of_saturation_and_the_run(open_notebook: OpenNotebook) -> None:
    page = open_notebook("03_sigmoid_saturation.ipynb")
    page.start()
    page.page.locator(".course-live").nth(RUN).wait_for(state="attached", timeout=120_000)
    page.panel(RUN).stop_half_way("12 layers: loss")
    page.screenshot("03-run")
    page.wait_for_end()
    assert page.complaints() == [], "stopping must not break the cells below"
    assert "'12 layers': 'stopped'" in str(page.outputs())

    panel = page.panel(EXPLORER)
    before = panel.settle()
    assert before.alt == before.text and "A factor of 0.236 per layer." in before.text
    page.screenshot("03-explorer")
    with panel.watch() as film:
        panel.press("weight scale", "End")
        flat = panel.look_until(lambda look: "weight scale 20," in look.text)
        assert flat.picture != before.picture and flat.alt == flat.text
        panel.press("depth L", "End")
        panel.look_until(lambda look: "100 hidden layers, weight scale 20" in look.text)
        panel.press("input scale", "End")
        panel.look_until(lambda look: "input scale 100." in look.text)
        panel.press("depth L", "Home")
        panel.press("weight scale", "Home")
        nothing = panel.look_until(lambda look: "1 hidden layer, weight scale 0" in look.text)
        assert "exactly 0 at layer 1" in nothing.text
        panel.press("input scale", "Home")
        panel.look_until(lambda look: "input scale 0.01." in look.text)
    film.check()
    assert film.pictures >= 5
    panel.control("activation").select_option("hard-tanh")
    panel.look_until(lambda look: look.text.startswith("hard-tanh"))
    panel.click("Reset")
    panel.look_until(lambda look: look.text == before.text)
    panel.click("New draw")
    panel.look_until(lambda look: look.text != before.text and look.picture != before.picture)
    assert page.complaints() == []
