"""What the course shows in JupyterLab can be read in light and dark, and breaks no rule of WCAG."""

from __future__ import annotations

from collections import Counter

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from course_tests.browser.conftest import OpenNotebook
from course_tests.browser.contrast import (
    OUTPUTS,
    SEEN,
    Word,
    contrast,
    contrasts,
    luminance,
    styled,
    unreadable,
    wear,
)
from course_tests.browser.page import POLL
from course_tests.site.accessibility import RULES, said

LIVE = """
from IPython.display import display
from course.live import Caption, Choice, Slider, Switch, live, live_run, verdict
from course.live.caption import BADGES
from course.plots import style

for badge in BADGES:
    words = Caption(f"The row {badge}." + chr(10) + "More words.", badge, {"signal": [1.0, 10.0]})
    display(live(style.figure(2.0, 1.0)[0], lambda words=words: words, reset=False))

def draw(depth, **others):
    assert depth < 9, "This is too deep."
    return "Words."

panel = live(
    style.figure(2.0, 1.0)[0], draw, title="What turns", seed=0,
    depth=Slider(1, 9, 1, 3), rate=Slider(0.1, 10.0, 0.1, 1.0, log=True),
    kind=Choice(["plain", "resnet"]), on=Switch(True),
)
display(panel)
panel.controls["depth"].value = 9
"""
RUN = """
from types import SimpleNamespace
from course.live import Knob

def record(history):
    return "All records are there."

records = lambda: iter([SimpleNamespace(step=1, steps=1, loss=[1.0])])
knob = Knob("rate", Slider(0.1, 10.0, log=True))
fig, ax = style.figure(2.0, 1.0)
live_run(records, title="A run", fig=fig, draw=record, wait=True, knobs=[knob])
"""
EXPLORERS = """
from course.lessons.initialization.explorer import explore_phases
from course.lessons.products.explorer import product
from course.lessons.scalar_chain import explorer
display(explorer.explore(), explore_phases(depth=5))
product(scale=0.0)
"""
QUESTIONS = """
from course.selfcheck import predict, revisit
question = predict("01-size", "How large?", ["little", "much"])
question.choice.index = 1
display(question, revisit("01-size", "b", "so it is"))
revisit("01-other", "b")
"""
CHECKS = """
import numpy as np
from course.selfcheck import agree, holds
runs = np.array([0.9, 1.1, 1.0])
agree(np.stack([runs, 2 * runs]), [1.0, 2.0], 0.2, "two depths")
holds("two layers", 3, "<", runs)
"""
TABLES = """
from IPython.display import HTML, display
from course import handbook
from course.doctor.verdict import Finding, LayerRecord, Verdict
from course.live import stored
display(handbook.decision_card("scalar_chain"), handbook.glossary("effective rank"))
layers = (LayerRecord("0", "Linear", 1.0, 1.0, 1.0, 0.0, 0.0, 1.0),)
display(Verdict("ill", Finding("vanishing gradients", ("0",), "much"), layers=layers))
HTML(stored.stored('<img alt=""><p>The picture in words.</p>'))
"""
# Where words stand, from inner to outer, and how many of them are judged at least.
KINDS = {
    "badge": (".course-picture-badge", 6),
    "caption": (".course-picture-caption", 16),
    "failure": (".course-picture-failure", 1),
    "title": (".course-title", 2),
    "buttons": (":is(.course-buttons, .course-transport, .course-exact-buttons)", 7),
    "controls": (".course-controls", 9),
    "controls in the page": (".course-exact-controls", 18),
    "coloured words in an SVG": ("svg text.blue", 1),
    "words in an SVG": ("svg", 110),
    "legend": (".course-exact-legend", 8),
    "stored": (".course-stored", 2),
    "question": (".course-question", 10),
    "table of layers": (".course-doctor table", 14),
    "doctor": (".course-doctor", 10),
    "table": ("table", 18),
    "check": (":is(details, [style*=border-left])", 4),
    "reminder": ("p", 1),
}
WHERE = {name: selector for name, (selector, _) in KINDS.items()}
# What is in the page once all outputs are, and how often.
COMPLETE = {
    ".course-picture-frame[aria-busy=false] img": 7,
    ".course-exact-frame[aria-busy=false] svg": 6,
    ".course-picture-failure:not(:empty)": 1,
    ".widget-radio-box input": 4,
    ".course-doctor img": 1,
    ".course-stored em": 1,
}
ALL_THERE = """counts => Object.entries(counts).every(([selector, least]) =>
    document.querySelectorAll(selector).length >= least)"""
# The page, a slider's track, what of it is filled, and the arrow of a list: each as RGB.
COLOURS = """async () => {
    const find = (name) => getComputedStyle(document.querySelector(`.course-live ${name}`));
    const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const filled = find('.noUi-connects').backgroundImage.match(/rgb\\([^)]*\\)/g).at(-1);
    const arrow = new Image();
    arrow.src = find('select').backgroundImage.slice(5, -2);
    await arrow.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: 60, height: 60 });
    const context = canvas.getContext('2d');
    context.drawImage(arrow, 0, 0, 60, 60);
    const { data } = context.getImageData(0, 0, 60, 60);
    const inked = data.findIndex((value, k) => k % 4 === 3 && value === 255) - 3;
    return [rgb(getComputedStyle(document.querySelector('.jp-Notebook')).backgroundColor),
            rgb(find('.noUi-target').backgroundColor), rgb(filled), [...data.slice(inked, inked + 3)]];
}"""  # noqa: E501
UNFOLD = "() => { for (const all of document.querySelectorAll('details')) all.open = true; }"
PALE, DIM = "#bbb", "#444"  # nobody can read them on a light page, or on a dark one
# Contrast is asked by ours, which sees more.
BROKEN = """async ([roots, rules]) => {
    const options = { runOnly: rules, resultTypes: ["violations", "passes"] };
    options.rules = { "color-contrast": { enabled: false } };
    const { violations, passes } = await axe.run({ include: roots }, options);
    return [violations, passes.map((rule) => rule.id)]; }"""
NAMED = {"aria-input-field-name", "button-name", "image-alt", "label", "link-name", "role-img-alt"}
ASKED = NAMED | {"aria-progressbar-name", "select-name", "summary-name", "target-size"}


def judged(page: Page, unreadable_colour: str) -> list[Word]:
    """The words of all kinds, of which none is passed over whatever its colour."""
    found = contrasts(page, WHERE)
    counts = Counter(word.kind for word in found)
    assert counts == {name: max(least, counts[name]) for name, (_, least) in KINDS.items()}
    colour = f"color: {unreadable_colour} !important; fill: {unreadable_colour} !important;"
    with styled(page, f"{OUTPUTS} * {{ {colour} }}"):
        spoilt = contrasts(page, WHERE)
    assert len(unreadable(spoilt)) == len(spoilt) == len(found)
    return found


def test_what_the_course_shows_can_be_read_and_breaks_no_rule(open_notebook: OpenNotebook) -> None:
    """JupyterLab's own elements are asked by nobody here: only our outputs are.

    Rules without colours are asked once, for they do not depend on the theme.
    """
    notebook = open_notebook([LIVE, RUN, EXPLORERS, QUESTIONS, CHECKS, TABLES])
    page = notebook.page
    before = page.viewport_size
    try:
        page.set_viewport_size({"width": 1400, "height": 6000})  # no cell is out of view
        notebook.run_all()
        page.wait_for_function(ALL_THERE, arg=COMPLETE, polling=POLL)
        page.evaluate(UNFOLD)
        light, seen = judged(page, PALE), {"Light": page.evaluate(COLOURS)}
        page.evaluate(AXE_SCRIPT)
        with styled(page, SEEN):
            broken, asked = page.evaluate(BROKEN, [OUTPUTS, RULES])
        wear(page, "Dark")
        dark, seen["Dark"] = judged(page, DIM), page.evaluate(COLOURS)
    finally:
        wear(page, "Light")
        page.set_viewport_size(before)
    assert unreadable(light) == [] == unreadable(dark)
    for paper, track, filled, arrow in (map(luminance, each) for each in seen.values()):
        assert 1.5 < contrast(track, paper) < contrast(filled, paper)  # what is filled stands out
        assert contrast(arrow, paper) > 4.5
    assert [said(rule) for rule in broken] == [] and set(asked) >= ASKED
    assert notebook.complaints() == []
