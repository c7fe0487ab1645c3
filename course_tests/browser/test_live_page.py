"""A live figure on pages of all kinds: narrow, dark, reopened, and with its kernel gone."""

from __future__ import annotations

import pytest

from course_tests.browser.conftest import OpenNotebook
from course_tests.browser.contrast import contrasts, unreadable, wear
from course_tests.browser.page import NotebookPage

FIGURE = """
import numpy as np
from course.live import Slider, describe, live
from course.plots import style

fig, axes = style.figure(11.0, 3.5, ncols=3)
layers = np.arange(1, 101)
lines = [ax.plot(layers, 1.0 * layers, **style.line(0))[0] for ax in axes]
for ax in axes:
    ax.set(yscale="log", ylim=(1e-12, 1e12), xlabel="layer", ylabel="size")

def draw(weight):
    sizes = weight ** layers
    for line in lines:
        line.set_ydata(sizes)
    return describe(f"weight {weight:g}" + chr(10) + "and more", signal=sizes)

live(fig, draw, weight=Slider(0.5, 2.0, 0.05, 1.0))
"""
TITLED = """
from course.live import Slider, live
from course.plots import style

fig, ax = style.figure(6.0, 2.0)
turns = {"rate": Slider(0.1, 10.0, 0.1, 1.0, "rate", log=True)}
live(fig, lambda rate: f"rate {rate:g}", title="What turns", **turns)
"""
# How often something in the panel has changed within a third of a second.
CHANGES = """async () => { let changes = 0;
    const observer = new MutationObserver((records) => { changes += records.length; });
    const everything = { subtree: true, childList: true, characterData: true, attributes: true };
    observer.observe(document.querySelector('.course-live'), everything);
    await new Promise((done) => setTimeout(done, 333));
    observer.disconnect();
    return changes; }"""
LEAVE = """async () => { const widget = jupyterapp.shell.currentWidget;
    await jupyterapp.serviceManager.sessions.shutdownAll(); widget.dispose(); }"""
RESTART = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
HEIGHT = 350  # pixels, of the figure with its panels in a row
QUESTION = """
from course.selfcheck import predict
predict("01-size", "How large?", ["little", "much"])
"""
SCROLLED = """() => document.querySelector(".course-picture-caption")
    .scrollIntoView({ block: "end" })"""
ON_TOP = """node => { const { x, y, width, height } = node.getBoundingClientRect();
    return node.contains(document.elementFromPoint(x + width / 2, y + height / 2)); }"""
# By how many pixels the figure is wider than its page.
ROOM_LEFT = """() => { const panel = document.querySelector(".course-live");
    return panel.scrollWidth - panel.closest(".jp-OutputArea").clientWidth; }"""
FORGET_THE_PAGE = "from course.live.picture import Picture; Picture._page = {}"
# Which sizes the room of the picture has in any frame from now on, once it is painted.
ROOMS = """() => { const rooms = new Set(); let running = true;
    const look = () => setTimeout(() => { if (!running) return;
        const room = document.querySelector('.course-picture-frame');
        if (room) rooms.add(`${room.clientWidth} x ${room.clientHeight}`);
        requestAnimationFrame(look); });
    requestAnimationFrame(look);
    window.rooms = () => { running = false; return [...rooms]; }; }"""
# How many outputs are seen that say only that there is no widget.
ERRORS = """() => [...document.querySelectorAll('.jp-OutputArea-child')].filter(output =>
    output.checkVisibility() && output.textContent.includes('Error displaying')).length"""


def reopened(page: NotebookPage) -> NotebookPage:
    """The same notebook, saved, closed with its kernel, and opened again."""
    path = page.page.evaluate("() => jupyterapp.shell.currentWidget.context.path")
    page.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.page.evaluate(LEAVE)
    return NotebookPage(page.page, path)


def test_a_saved_notebook_shows_picture_and_question_and_how_they_come_back(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([FIGURE, QUESTION])
    stored = page.page.locator(".course-stored")
    figure, question = stored.nth(0), stored.nth(1)
    page.run_all()
    panel = page.panel()
    panel.settle()
    page.page.get_by_role("radio").first.wait_for()
    assert not figure.is_visible() and not question.is_visible()  # what is live is enough
    panel.press("weight", "End")
    page.page.wait_for_function(
        "() => document.querySelector('.course-stored').textContent.includes('weight 2')"
    )  # after a rest: where the slider is now
    again = reopened(page)
    figure.locator("img").wait_for(state="visible")
    question.wait_for(state="visible")
    again.page.wait_for_function(
        "() => document.body.textContent.split('Error displaying widget').length === 3"
    )  # JupyterLab has said so of both
    words = figure.inner_text()
    assert "weight 2" in words and "Run this cell to bring the sliders back" in words
    words = question.inner_text()
    assert "How large?" in words and "b) much" in words and "Run this cell to answer" in words
    assert again.page.evaluate(ERRORS) == 0
    again.screenshot("live-reopened")
    again.run_all()
    panel = again.panel()
    panel.press("weight", "ArrowRight")
    panel.look_until(lambda look: "weight 1.05" in look.text)
    again.page.get_by_role("radio").first.wait_for()
    assert not figure.is_visible() and not question.is_visible()


@pytest.mark.parametrize("width", [1400, 820])
def test_a_figure_wider_than_the_page_has_its_room_from_the_first_frame_on(
    open_notebook: OpenNotebook, width: int
) -> None:
    page = open_notebook([f"{FORGET_THE_PAGE}\n{FIGURE}"])
    before = page.page.viewport_size
    try:
        page.page.set_viewport_size({"width": width, "height": 1000})
        page.page.evaluate(ROOMS)
        page.run_all()
        look = page.panel().settle()
        rooms = page.page.evaluate("() => window.rooms()")
    finally:
        page.page.set_viewport_size(before)
    assert rooms == [f"{look.width} x {look.height}"] and look.width < 1100
    assert (look.height > HEIGHT) == (width == 820)
    assert page.complaints() == []


def test_narrow_and_dark_pages_are_drawn_for_and_without_its_kernel_a_figure_says_so(
    open_notebook: OpenNotebook,
) -> None:
    page = open_notebook([FIGURE])
    page.run_all()
    panel = page.panel()
    wide = panel.look_until(lambda look: look.height == HEIGHT)  # drawn for this page, not scaled
    gone = panel.root.locator(".course-picture-gone")
    before = page.page.viewport_size
    try:
        page.page.set_viewport_size({"width": 820, "height": 1000})
        narrow = panel.look_until(lambda look: look.height > 1.5 * look.width)
        room = panel.root.evaluate("el => el.clientWidth")
        assert narrow.width <= room and narrow.text == wide.text
        page.screenshot("live-narrow")
        wear(page.page, "Dark")
        page.page.wait_for_function(
            "() => getComputedStyle(document.querySelector('.course-dark img')).filter"
            ".includes('invert')"
        )  # asked of the page, for a picture may be replaced meanwhile
        page.screenshot("live-dark")
        page.page.set_viewport_size(before)
        panel.look_until(lambda look: look.height == HEIGHT)
        assert not gone.is_visible() and page.complaints() == []
        page.page.evaluate(RESTART)
        gone.wait_for(state="visible")
        assert "Run this cell to bring the sliders back" in gone.inner_text()
        assert panel.root.locator("img").is_visible()
        dark = contrasts(page.page, {}, ".course-picture")
        page.screenshot("live-gone")
    finally:
        page.page.set_viewport_size(before)
        wear(page.page, "Light")
    light = contrasts(page.page, {}, ".course-picture")
    assert len(light) == len(dark) == 4  # badge and caption, too
    assert unreadable([*light, *dark]) == []


def test_a_title_names_no_control_and_the_page_comes_to_rest(open_notebook: OpenNotebook) -> None:
    """It stood beside the only slider, whose track was filled in two ways, in turn for ever."""
    page = open_notebook([TITLED])
    page.run_all()
    panel = page.panel()
    assert panel.settle().text == "rate 1"
    panel.press("rate", "ArrowRight")
    panel.look_until(lambda look: look.text == "rate 1.26")
    panel.settle()
    track = panel.root.locator(".course-log .noUi-connects")
    assert track.evaluate("el => el.dataset.filled") == "0.00% 55.00%"
    assert page.page.evaluate(CHANGES) == 0 and page.complaints() == []


def test_in_a_low_window_the_sliders_stay_while_the_picture_is_scrolled(
    open_notebook: OpenNotebook,
) -> None:
    """700 x 450 is a window of 1400 x 900 at a zoom of 200 %."""
    page = open_notebook([FIGURE])
    page.run_all()
    panel = page.panel()
    panel.look_until(lambda look: look.height == HEIGHT)
    before = page.page.viewport_size
    try:
        page.page.set_viewport_size({"width": 700, "height": 450})
        panel.look_until(lambda look: look.height > 1.5 * look.width)  # below one another
        page.page.evaluate(SCROLLED)
        controls = panel.root.locator(".course-controls").bounding_box()
        frame = panel.root.locator(".course-picture-frame").bounding_box()
        assert controls and frame and frame["y"] + frame["height"] < 450  # its end is in view
        assert frame["y"] < controls["y"] and controls["height"] < 150
        handle = panel.root.get_by_role("slider").first
        assert handle.evaluate(ON_TOP) and page.page.evaluate(ROOM_LEFT) <= 0
    finally:
        page.page.set_viewport_size(before)
    panel.look_until(lambda look: look.height == HEIGHT)


def test_the_badge_the_row_and_the_track_follow_the_slider(open_notebook: OpenNotebook) -> None:
    page = open_notebook([FIGURE])
    page.run_all()
    panel = page.panel()
    panel.look_until(lambda look: look.height == HEIGHT)
    badge = panel.root.locator(".course-picture-badge")
    row = "() => document.querySelector('.course-picture-layers').toDataURL()"
    track = "() => document.querySelector('.course-live .noUi-connects').style.background"
    before, filled = page.page.evaluate(row), page.page.evaluate(track)
    assert badge.inner_text() == "healthy" and "gradient" in filled
    with panel.watch() as film:
        panel.press("weight", "End")
        panel.look_until(lambda look: "weight 2" in look.text)
        assert badge.inner_text() == "explodes" and page.page.evaluate(row) != before
        assert page.page.evaluate(track) != filled
        panel.press("weight", "Home")
        panel.look_until(lambda look: "weight 0.5" in look.text)
        assert badge.inner_text() == "vanishes"
    film.check()
    assert film.jumps == 0  # words and badge keep their height
    details = panel.root.locator(".course-picture-caption")
    assert not details.evaluate("el => el.open") and details.text_content() == panel.look().alt
    details.locator("summary").press("Enter")
    assert details.evaluate("el => el.open")
    assert page.complaints() == []
