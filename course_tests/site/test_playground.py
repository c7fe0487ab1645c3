"""The playground as readers meet it: presets, controls, links, keyboard, themes, screens."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from course.site import playground_page
from course_tests import store
from course_tests.cli.commands import course, refused
from course_tests.repository import ROOT
from course_tests.site.accessibility import RULES, violations
from course_tests.site.conftest import PAGES
from course_tests.site.tabs import Tab

PICTURES = ("network", "loss", "sizes", "ranks", "last")
PARTS = ROOT / "course" / "site" / "playground"
NAMES = re.findall(r'^    name: "(.+)",$', (PARTS / "presets.js").read_text(), re.MULTILINE)
KEYS = re.findall(r'^    key: "(\w+)"', (PARTS / "state.js").read_text(), re.MULTILINE)
SEEN = """() => Object.fromEntries(["network", "loss", "sizes", "ranks", "last"].map((id) => {
    const canvas = document.getElementById(id);
    return [id, [canvas.toDataURL(), canvas.getAttribute("aria-label")]]; }))"""
SMALL = "#depth=3&width=8&init=glorot_normal&seeds=1"
SCREENS = {
    "phone": {"width": 360, "height": 800},
    "zoomed": {"width": 640, "height": 400},  # a laptop's at 200 %
    "laptop": {"width": 1280, "height": 800},
}
"""A page for each stays open: a new one costs more than most tests."""

FOLLOW = """(link) => new Promise((done) => {
    addEventListener("hashchange", done, { once: true });
    if (location.hash === link) dispatchEvent(new Event("hashchange"));
    else location.hash = link; })"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def tabs(browser: Browser) -> Iterator[dict[str, Tab]]:
    """Pages by how they were opened."""
    tabs: dict[str, Tab] = {}
    yield tabs
    for tab in tabs.values():
        tab.close()


@pytest.fixture
def visit(browser: Browser, served: tuple[str, Path], tabs: dict[str, Tab]) -> Iterator[Open]:
    """visit("#depth=3", over="http", viewport=...): the page, which may complain of nothing.

    anew=False: by a link to the page that is open, if one is, which begins with its state.
    """
    address, folder = served
    visited: list[Tab] = []

    def go(
        link: str = "",
        *,
        over: str = "file",
        motion: str = "no-preference",
        anew: bool = True,
        **context: Any,
    ) -> Page:
        opened = f"{over} {context}"
        if opened not in tabs:
            tabs[opened] = Tab(browser, offline=over == "file", **context)
            anew = True
        tab = tabs[opened]
        visited.append(tab)
        start = (folder / "page.html").as_uri() if over == "file" else f"{address}/page.html"
        if anew:
            tab.load(start + link, motion=motion)
        else:
            tab.page.evaluate(FOLLOW, link)
        assert [url for url in tab.asked if not url.startswith((start, "data:"))] == []
        return tab.page

    yield go
    assert [tab.complaints for tab in visited if tab.complaints] == []


def word(page: Page) -> str:
    return page.inner_text("#badge")


@pytest.mark.parametrize("over", ["file", "http"])
def test_the_page_opens_and_its_pictures_move_with_their_words(visit: Open, over: str) -> None:
    page = visit(SMALL, over=over)
    before = page.evaluate(SEEN)
    page.evaluate("playground.advance(30)")
    after = page.evaluate(SEEN)
    for name in PICTURES:
        assert before[name][0] != after[name][0], name
    assert [name for name in PICTURES if before[name][1] == after[name][1]] == []
    assert page.inner_text("#steps") == "30"


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_shows_what_it_promises_and_leads_to_its_lesson(visit: Open, name: str) -> None:
    preset = re.search(
        rf'name: "{name}".*?lesson: "(\w+)".*?after: \[(\d+), "(\w+)"\]',
        (PARTS / "presets.js").read_text(),
        re.DOTALL,
    )
    assert preset
    lesson, steps, promised = preset.groups()
    assert lesson in {store.slug(path) for path in store.numbered()}
    page = visit(SMALL, motion="reduce")  # nothing plays: the number of steps is exact
    page.get_by_role("button", name=name, exact=True).click()
    links = page.eval_on_selector_all("#about a", "all => all.map(a => a.getAttribute('href'))")
    assert links == [address for slug, address in PAGES.items() if slug == lesson]
    if name != "Healthy gradients, no learning":  # of one seed the word comes and goes
        page.locator("#control-seeds").press("Home")  # one seed: a third of the time
    page.evaluate(f"playground.advance({steps})")
    assert word(page) == promised, page.inner_text("#sentence")
    if promised == "healthy":
        assert "The network learns." in page.inner_text("#sentence")


@pytest.mark.parametrize("key", KEYS)
def test_a_control_goes_to_both_ends(visit: Open, key: str) -> None:
    page = visit(SMALL, anew=False)
    control = page.locator(f"#control-{key}")
    assert page.locator(f"label[for=control-{key}]").inner_text()
    slider = control.get_attribute("type") == "range"
    states = []
    for end in ("Home", "End"):
        if slider:
            control.press(end)
            states.append(control.get_attribute("aria-valuetext"))
        else:
            values = control.locator("option").evaluate_all("all => all.map(o => o.value)")
            control.select_option(values[0 if end == "Home" else -1])
            states.append(control.input_value())
        page.evaluate("playground.advance(2)")
        assert word(page) and page.inner_text("#sentence")
    assert states[0] != states[1]


def test_a_rate_acts_on_the_training_that_runs_and_a_depth_begins_anew(visit: Open) -> None:
    page = visit(SMALL)
    page.evaluate("playground.advance(25)")
    page.locator("#control-rate").press("ArrowRight")
    assert page.inner_text("#steps") == "25"
    page.locator("#control-depth").press("ArrowRight")
    assert page.inner_text("#steps") == "0"
    assert "#depth=4" in page.url and "rate=0.05" in page.url
    page.evaluate("playground.advance(1)")
    assert "1 earlier run" in page.inner_text("#loss-words")


def test_a_link_is_a_state(visit: Open) -> None:
    page = visit("#depth=7&gain=1.1&skip=scaled&data=spiral&rate=0.1")
    assert page.inner_text("label[for=control-depth] + output") == "7"
    assert page.input_value("#control-skip") == "scaled"
    assert page.evaluate("playground.run.settings.gain") == 1.1
    assert page.inner_text("#complaints") == ""
    assert page.evaluate("location.hash") == "#data=spiral&depth=7&skip=scaled&gain=1.1&rate=0.1"
    page.evaluate("location.hash = '#depth=9'")
    page.wait_for_function("playground.run.settings.depth === 9")
    assert page.evaluate("playground.run.settings.skip") == "none"


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("#depth=51", "depth = “51”"), ("#depth=", "depth = “”"), ("#gain=nan", "gain = “nan”"),
        ("#gain=1.11", "the nearest that there is, 1.1"), ("#skip=maybe", "none, residual, scaled"),
        ("#colour=red", "“colour”"), ("#%E0%A4%A", "“%E0%A4%A”"), ("#data=<img src=x>", "digits"),
        ("#constructor=1", "“constructor”"),
    ],
)  # fmt: skip
def test_what_a_link_says_wrongly_is_named(visit: Open, link: str, said: str) -> None:
    page = visit(link + "&seeds=1&width=8", anew="%" in link)
    assert said in page.inner_text("#complaints")
    assert word(page) and page.evaluate("playground.run.steps") == 0


@pytest.mark.parametrize("link", ["#gain=0", "#gain=3&depth=50&activation=identity"])
def test_zero_and_not_finite_are_said(visit: Open, link: str) -> None:
    page = visit(link + "&seeds=1")
    page.evaluate("playground.advance(5)")
    said = page.inner_text("#sizes-words") + page.inner_text("#sentence")
    assert ("exactly 0" if "gain=0" in link else "past what a computer holds") in said
    assert word(page) == ("vanishes" if "gain=0" in link else "explodes")


def test_the_keyboard_alone(visit: Open) -> None:
    page = visit(SMALL)
    page.focus("#step")
    page.keyboard.press("Enter")
    assert page.inner_text("#steps") == "1"
    assert word(page) in page.inner_text("#aloud")
    page.focus("#play")
    page.keyboard.press("Space")
    page.wait_for_function("playground.run.steps > 5")
    page.keyboard.press("Space")
    assert page.inner_text("#play") == "Play"
    reached = set()
    page.focus("#presets button")
    for _ in range(40):
        reached.add(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert {f"control-{key}" for key in KEYS} | {"play", "step", "restart", "link"} <= reached


@pytest.mark.parametrize("screen", SCREENS.values(), ids=SCREENS)
def test_nothing_lies_beside_the_page(visit: Open, screen: dict[str, int]) -> None:
    page = visit(SMALL, viewport=screen)
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


@pytest.mark.parametrize("name", ["phone", "laptop"])
def test_axe_finds_no_violation(visit: Open, name: str) -> None:
    page = visit("#depth=2&nothing=1", viewport=SCREENS[name])
    page.evaluate("playground.advance(3)")
    assert violations(page, rules=[*RULES, "best-practice"]) == []


def test_controls_network_and_curves_share_a_screen(visit: Open) -> None:
    page = visit(SMALL, viewport=SCREENS["laptop"])
    page.evaluate("playground.advance(1)")
    longest = max(re.findall(r'say: "(.+)",', (PARTS / "presets.js").read_text()), key=len)
    page.evaluate("text => { document.getElementById('about').textContent = text; }", longest)
    for part in ["#play", "#controls", "#link", *(f"#{name}" for name in PICTURES)]:
        box = page.locator(part).bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 800, (part, box)


def test_at_a_zoom_of_200_percent_controls_are_not_covered(visit: Open) -> None:
    page = visit(SMALL, viewport=SCREENS["zoomed"])
    for key in KEYS:
        control = page.locator(f"#control-{key}")
        control.focus()
        box = control.bounding_box()
        assert box
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        on_top = page.evaluate("([x, y]) => document.elementFromPoint(x, y)?.id", middle)
        assert on_top == f"control-{key}", key


def test_nothing_starts_or_moves_where_motion_is_unwanted(visit: Open) -> None:
    page = visit(SMALL, motion="reduce")
    page.get_by_role("button", name="Sigmoid fades", exact=True).click()
    before = page.evaluate(SEEN)
    page.evaluate("new Promise((done) => setTimeout(done, 100))")  # six pictures of a loop
    assert page.evaluate(SEEN) == before and page.inner_text("#play") == "Play"
    assert page.inner_text("#steps") == "0"
    moving = """[...document.querySelectorAll("*")].filter((one) =>
        [getComputedStyle(one).transitionDuration, getComputedStyle(one).animationDuration]
            .some((time) => parseFloat(time) > 0)).length"""
    assert page.evaluate(moving) == 0
    page.evaluate("location.hash = '#depth=3&width=8&seeds=1'")
    page.wait_for_function("playground.run.settings.depth === 3")
    page.click("#play")
    page.wait_for_function("playground.run.steps > 2")
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) > 0  # buttons fade


def test_a_preset_plays(visit: Open) -> None:
    page = visit(SMALL)
    page.get_by_role("button", name="One word mends it", exact=True).click()
    page.wait_for_function("playground.run.steps > 2")
    assert page.inner_text("#play") == "Pause"
    page.click("#play")


def test_a_link_can_speak_of_several_sets_of_controls(visit: Open) -> None:
    """The module by which pages with explorers read and write their links."""
    page = visit(SMALL, over="http")
    code = """async (hash) => {
        const { joined, parts, stateOf, strangers } = await import("./links.js");
        const chain = [
            { key: "depth", start: 50, values: [10, 50, 100] },
            { key: "exact", start: false, choices: [[false, "no"], [true, "yes"]] },
        ];
        const gates = [{ key: "law", start: "a b", choices: [["a b", "A"], ["c&=d", "C"]] }];
        const all = { chain, "07.gates": gates };
        const states = Object.entries(all).map(([name, controls]) => stateOf(hash, controls, name));
        const link = joined(Object.entries(all).flatMap(([name, controls], k) =>
            parts(states[k].state, controls, name)));
        return { states, link, strangers: strangers(hash, Object.keys(all)) };
    }"""
    link = "#chain.depth=100&chain.exact=true&07.gates.law=c%26%3Dd"
    result = page.evaluate(code, link)
    assert [state["complaints"] for state in result["states"]] == [[], []]
    assert result["states"][0]["state"] == {"depth": 100, "exact": True}
    assert result["states"][1]["state"] == {"law": "c&=d"}
    assert result["link"] == link and result["strangers"] == []
    assert page.evaluate(code, "#observe")["strangers"] == []  # a heading
    wrong = page.evaluate(
        code, "#chain.depth=60&chain.exact=1&chain.colour=2&depth=3&07.gates.law="
    )
    assert wrong["states"][0]["state"] == {"depth": 50, "exact": False}
    (near, no, unknown), (empty,) = (state["complaints"] for state in wrong["states"])
    assert "nearest that there is, 50" in near and "can be false, true" in no
    assert "“chain.colour”, which is none of chain.depth, chain.exact" in unknown
    assert "07.gates.law = “”" in empty and len(wrong["strangers"]) == 1


def test_the_command_writes_one_file(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = course(
        "playground", "--no-open", "--out", str(out), "--lessons", "https://example.org/{name}.html"
    )
    assert done.exit_code == 0 and done.stdout.strip() == str(out)
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    names = {store.slug(path): path.stem for path in store.numbered()}
    addresses = {slug: f"https://example.org/{name}.html" for slug, name in names.items()}
    assert f'"isometry": "{addresses["isometry"]}"' in out.read_text()
    refused(course("playground", "--no-open", "--lessons", "here"), "lessons = 'here'", "{name}")
    refused(course("playground", "--no-open", "--out", str(tmp_path / "no" / "a.html")), "out = ")


def test_the_page_asks_for_nothing() -> None:
    page = playground_page()
    code = re.sub(r"<script type=\"application/json\".*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]+\"|\bimport\b[^;\n]*from|fetch\(", code) == []
    assert len(page) < 200_000
