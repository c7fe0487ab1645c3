"""Explorers that the page computes: what they say and show is what Python says and shows.

They stand in a page as `site.exact` writes it, opened from the disk, with no server.
"""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page

from course.lessons.initialization import angles, mean_field
from course.lessons.initialization import explorer as initialization
from course.lessons.products import explorer as products
from course.lessons.products import science as products_science
from course.lessons.scalar_chain import explorer as scalar_chain
from course.lessons.scalar_chain import science
from course.lessons.sigmoid_saturation import explorer as saturation
from course.lessons.sigmoid_saturation import pictures
from course.live import BrowserPanel, Caption, describe
from course.live.caption import cells
from course.site import exact
from course_tests.browser.contrast import contrasts, unreadable

Values = Mapping[str, Any]
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Explorers</title>
<style>body {{ margin: 8px; background: {paper}; color: {ink} }}</style>
<body><main><h1>Explorers</h1>{body}</main>"""
EXACT = ".course-exact"
STATE = """([number, places]) => {
    const plain = (value) => (typeof value === "number" && !Number.isFinite(value)
        ? String(value) : value);
    const { state } = courseExact.places[number];
    return JSON.stringify(places.map(state), (_, v) => plain(v)); }"""


def written(folder: Path, panels: list[BrowserPanel]) -> tuple[str, str]:
    """The addresses of a light and a dark page in `folder` with the explorers, as in a lesson."""
    parts = []
    for panel in panels:
        output = {"output_type": "execute_result", "data": panel._repr_mimebundle_()}
        still, live = exact.outputs(output)
        png = base64.b64encode(still["data"]["image/png"]).decode()
        picture = f'<img alt="still" src="data:image/png;base64,{png}">'
        both = picture, live["data"]["text/html"]
        parts += [f'<div class="output">{part}</div>' for part in both]
    for name, paper, ink in (("light", "white", "black"), ("dark", "#14181e", "#ced6dd")):
        text = PAGE.format(paper=paper, ink=ink, body="".join(parts))
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return (folder / "light.html").as_uri(), (folder / "dark.html").as_uri()


@pytest.fixture(scope="module")
def panels() -> list[BrowserPanel]:
    return [
        scalar_chain.explore(),
        products.product(),
        saturation.explore(),
        initialization.explore(),
        initialization.explore_phases(),
    ]


@pytest.fixture(scope="module")
def addresses(
    tmp_path_factory: pytest.TempPathFactory, panels: list[BrowserPanel]
) -> tuple[str, str]:
    """Of a light and a dark page with all explorers."""
    folder = tmp_path_factory.mktemp("exact")
    exact.write(folder)
    return written(folder, panels)


@pytest.fixture(scope="module")
def page(
    browser: Browser, addresses: tuple[str, str], panels: list[BrowserPanel]
) -> Iterator[Page]:
    """All explorers in one page; it ends with no complaint of the console."""
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
    page.goto(addresses[0])
    for number in range(len(panels)):
        place(page, number)
    yield page
    page.close()
    assert complaints == []


def place(page: Page, number: int) -> Locator:
    """The explorer that is the `number`-th of the page, alive."""
    root = page.locator(".course-exact-place").nth(number)
    root.scroll_into_view_if_needed()
    root.locator("svg.course-plot").first.wait_for()
    return root


def numbers(values: list[Any]) -> np.ndarray:
    return np.array([float(str(value).replace("Infinity", "inf")) for value in values])


def states(page: Page, number: int, places: list[Values]) -> list[Any]:
    """What the explorer works out at each place, as one text: playwright is slow with lists."""
    found: list[Any] = json.loads(page.evaluate(STATE, [number, places]))
    return found


def same(shown: Any, caption: Caption, values: Values) -> None:
    """Assert that the page shows the words, the badge and the rows of Python."""
    assert shown["text"] == caption.text, values
    assert shown["badge"] == caption.badge, values
    assert shown["rows"] == cells(caption.rows), values
    assert shown.get("seen", 0) == caption.seen, values


def chains() -> list[Values]:
    """Both ends and the middle of each slider, what is special, and some places in between."""
    weights = (-2.0, -1.0, 0.0, 0.5, 0.99, 1.0, 1.01, 1.1, 2.0)
    kinds = ("float16", "float32", "float64")
    names = ("depth", "weight", "bias", "x", "precision")
    others = itertools.cycle([(0.0, 1.0), (-10.0, 0.0), (1.0, -10.0), (0.0, 0.0), (10.0, 10.0)])
    grid: list[Values] = [
        dict(zip(names, (depth, weight, *next(others), kind), strict=True))
        for depth, weight, kind in itertools.product((1, 2, 50, 100), weights, kinds)
    ]
    draw = random.Random(1)
    for _ in range(80):
        steps = (draw.randint(-200, 200) / 100, *(draw.randint(-100, 100) / 10 for _ in range(2)))
        row = (draw.randint(1, 100), *steps, draw.choice(kinds))
        grid.append(dict(zip(names, row, strict=True)))
    return grid


def test_the_scalar_chain_in_the_page_is_that_of_python(page: Page) -> None:
    places = chains()
    for values, shown in zip(places, states(page, 0, places), strict=True):
        arguments = [values[name] for name in ("weight", "bias", "x", "depth", "precision")]
        formula, run = science.closed_form(*arguments), science.measure(*arguments)
        text = scalar_chain.words(formula, run)
        caption = describe(text, signal=run.activations, gradient=run.gradients)
        same(shown, caption, values)
        for name in ("activations", "gradients"):
            run_there, formula_there = (numbers(shown[part][name]) for part in ("run", "formula"))
            ours = np.asarray(getattr(run, name), dtype=float)
            np.testing.assert_array_equal(run_there, ours, str(values))  # bit for bit
            ours = np.asarray(getattr(formula, name), dtype=float)
            np.testing.assert_allclose(formula_there, ours, rtol=1e-3, atol=1e-300)


@pytest.mark.parametrize("kind", products_science.KINDS)
def test_products_in_the_page_are_those_of_python(page: Page, kind: str) -> None:
    """The same matrices, drawn by a generator of its own; values to ten digits over 100 decades."""
    depths = (1, 2, 10, 100) if kind == "Gaussian" else (1, 30)
    scales = [(1.0, 0), (0.0, 1), (1.65, 2), (1.0, 0)][: len(depths)]
    places: list[Values] = [
        {"depth": depth, "kind": kind, "scale": scale, "seed": seed}
        for depth, (scale, seed) in zip(depths, scales, strict=True)
    ]
    for values, shown in zip(places, states(page, 1, places), strict=True):
        _, caption = products.still(**values)
        same(shown, caption, values)
        seed, scale = values["seed"], values["scale"]
        logs = products_science.spectrum(
            kind, values["depth"], width=32, seeds=range(3 * seed, 3 * seed + 3)
        ).log10
        middle = np.sort(np.median(logs, axis=0))[::-1]
        if scale:
            shift = values["depth"] * np.log10(scale)
            np.testing.assert_allclose(numbers(shown["logs"]), middle + shift, atol=1e-9)
        else:
            assert (numbers(shown["logs"]) == -np.inf).all()


NEAR = 1e-9  # relative: what a network does to the last digit of its numbers
TWIN = 1 + 1e-13


def close(shown: list[Any], ours: np.ndarray, twin: np.ndarray) -> bool:
    """Assert that numbers by layer, on their way, are Python's; whether rounding decides nothing.

    Chaos multiplies the last digit of a number by as much as it does anything else. So the page may
    be as far from Python as a twin of Python's network is whose weights differ in digit 13.
    """
    theirs = numbers(shown)
    np.testing.assert_array_equal(np.isfinite(theirs), np.isfinite(ours))
    with np.errstate(all="ignore"):
        apart, allowed = (
            np.nan_to_num(np.abs(other - ours) / np.abs(ours)) for other in (theirs, twin)
        )
    allowed = np.maximum.accumulate(allowed)
    assert (apart <= NEAR + 100 * allowed).all(), (apart.max(), allowed.max())
    return bool(allowed.max() < NEAR / 100)


def saturations() -> list[Values]:
    names = ("activation", "depth", "scale", "input_scale", "seed")
    rows = [
        (20, 1.0, 1.0, 0), (1, 1.0, 1.0, 1), (2, 0.0, 1.0, 0), (40, 3.0, 0.01, 2),
        (10, 20.0, 100.0, 0), (100, 0.5, 10.0, 0),
    ]  # fmt: skip
    places = [
        dict(zip(names, (kind, *row), strict=True)) for kind in saturation.KINDS for row in rows
    ]
    return [*places, dict(zip(names, ("hard-tanh", 60, 8.0, 1.0, 0), strict=True))]


def test_saturation_in_the_page_is_that_of_python(page: Page) -> None:
    """The same weights and digits, by generators of their own; all of Python's numbers."""
    places, settled = saturations(), 0
    for values, shown in zip(places, states(page, 2, places), strict=True):
        ours = saturation.measured(**values)
        twin = saturation.measured(**{**values, "scale": values["scale"] * TWIN})
        back = [np.flip(layers.gradient[:, 0]) for layers in (ours, twin)]
        layers = shown["layers"]
        stays = close(layers["gradient"][::-1], *back)
        slopes = [np.sqrt(np.mean(one.slope**2, axis=(1, 2, 3))) for one in (ours, twin)]
        if not (close(layers["slopes"], *slopes) and stays):
            continue
        settled += 1
        names = ("activation", "depth", "scale", "input_scale")
        text = saturation.words(*(values[name] for name in names), ours)
        same(shown, describe(text, gradient=ours.gradient[:, 0], seen=2), values)
        np.testing.assert_allclose(numbers(layers["expected"]), ours.expected[:, 0], rtol=NEAR)
        np.testing.assert_allclose(layers["saturated"], ours.saturated[:, 0], atol=2e-4)
        z = np.clip(ours.z[-1].ravel(), -pictures.EDGE + 1e-9, pictures.EDGE - 1e-9)
        shares = np.histogram(z, pictures.BINS)[0] / z.size
        last = [layers["shares"][-1][str(k)] for k in range(len(shares))]
        np.testing.assert_allclose(last, shares, atol=2e-4)
    assert 14 <= settled < len(places)


def test_sizes_by_weight_scale_in_the_page_are_those_of_python(page: Page) -> None:
    names = ("activation", "scale", "depth", "width", "seed")
    rows = [
        (1.0, 50, 100, 0), (0.0, 10, 10, 0), (0.01, 100, 30, 1), (1.41, 40, 10, 2),
        (2.0, 1, 30, 0), (3.0, 60, 30, 0),
    ]  # fmt: skip
    places: list[Values] = [
        dict(zip(names, (kind, *row), strict=True)) for kind in initialization.KINDS for row in rows
    ]
    settled = 0
    for values, shown in zip(places, states(page, 3, places), strict=True):
        kind, scale, depth, width, seed = (values[name] for name in names)
        ours, twin = (
            mean_field.measured(kind, [factor * scale], depth, width=width, seed=seed)
            for factor in (1, TWIN)
        )
        theory = mean_field.expected(kind, [scale], depth)
        for way in ("forward", "backward"):
            expected = getattr(theory, way)[0]
            np.testing.assert_allclose(numbers(shown["expected"][way]), expected, rtol=NEAR)
        stays = close(shown["measured"]["forward"], ours.forward[0], twin.forward[0])
        back = [np.flip(one.backward[0]) for one in (ours, twin)]
        if close(shown["measured"]["backward"][::-1], *back) and stays:
            settled += 1
            text = initialization.size_words(kind, scale, depth, width, ours, theory)
            sizes = {"signal": ours.forward[0, 1:], "gradient": ours.backward[0, 1:]}
            same(shown, describe(text, **sizes, seen=1), values)
    assert settled >= 16


def test_the_maps_of_sizes_are_those_of_python(page: Page) -> None:
    """Each map of the page draws a column of Python's grid at each weight scale."""
    for kind in ("relu", "tanh"):
        values = {"activation": kind, "scale": 1.0, "depth": 12, "width": 10, "seed": 1}
        shown = page.evaluate("values => courseExact.places[3].state(values).maps", values)
        depth, settings = 12, {"width": 10, "seed": 1}
        ours = mean_field.measured(kind, initialization.SCALES, depth, **settings)
        theory = mean_field.expected(kind, initialization.SCALES, depth)
        for way in ("forward", "backward"):
            for name, grid in (("measured", ours), ("expected", theory)):
                columns = [profile[way] for profile in shown[name]]
                np.testing.assert_allclose(columns, getattr(grid, way), rtol=1e-6)


def test_order_and_chaos_in_the_page_are_those_of_python(page: Page) -> None:
    names = ("sigma_w", "sigma_b", "cosine", "depth", "seed")
    rows = [
        (2.5, 0.05, 0.6, 30, 0), (0.0, 0.0, 0.6, 10, 0), (0.0, 1.0, 0.0, 10, 0),
        (1.0, 0.0, 0.99, 60, 1), (3.0, 1.0, 0.5, 80, 0), (0.5, 0.0, 0.3, 80, 1),
        (1.3, 0.2, 0.0, 30, 1), (0.01, 0.0, 0.3, 100, 1),  # 1e-200, whose square is 0
    ]  # fmt: skip
    places: list[Values] = [dict(zip(names, row, strict=True)) for row in rows]
    settled = 0
    for values, shown in zip(places, states(page, 4, places), strict=True):
        *point, seed = (values[name] for name in names)
        lengths, theory = angles.expected(*point)
        there = shown["theory"]
        np.testing.assert_allclose(numbers(there["deviations"]) ** 2, lengths, rtol=NEAR)
        np.testing.assert_allclose(finite(there["cosines"]), theory, atol=NEAR)
        ours = angles.measured(*point, seed=seed)
        twin = angles.measured(point[0] * TWIN, *point[1:], seed=seed)
        allowed = np.maximum.accumulate(np.nan_to_num(np.abs(twin - ours)), axis=1)
        measured = np.array([finite(row) for row in shown["measured"]])
        np.testing.assert_array_equal(np.isfinite(measured), np.isfinite(ours))
        assert (np.nan_to_num(np.abs(measured - ours)) <= NEAR + 100 * allowed).all(), values
        if allowed.max() < 1e-6:
            settled += 1
            last = ours[:, -1], theory[-1], lengths[-1]
            same(shown, initialization.phase_caption(*point[:2], *last), values)
    assert settled >= 6


def finite(values: list[Any]) -> np.ndarray:
    """Numbers of the page; NaN where they are not."""
    return np.array([float(value) for value in values])


def said(root: Locator) -> str:
    """The words below the picture, after a check that they are its alternative text too."""
    text = root.locator(".course-picture-caption").text_content() or ""
    assert root.locator(".course-exact-frame").get_attribute("aria-label") == text
    return text


def picture(root: Locator) -> str:
    """The SVG of the explorer, once nothing of it is still to come."""
    frame = root.locator(".course-exact-frame")
    frame.and_(root.locator("[aria-busy=false]")).wait_for()
    return frame.inner_html()


def test_every_control_goes_to_both_ends_by_keys(page: Page, panels: list[BrowserPanel]) -> None:
    for number, panel in enumerate(panels):
        root = place(page, number)
        first = picture(root)
        get = f"courseExact.places[{number}].get()"
        for control in panel._page.controls:
            name, ends, shown = control["name"], [], []
            node = root.get_by_label(control["description"], exact=True)
            node.focus()
            for key in ("Home", "End"):
                node.press(key)
                ends.append(page.evaluate(get)[name])
                shown.append(picture(root))
                assert said(root)
            options = [value for _, value in control.get("options", [])] or [
                10 ** control[end] if control["log"] else control[end] for end in ("least", "most")
            ]
            assert ends == [options[0], options[-1]] and shown[0] != shown[1]
            node.press("ArrowUp" if control["kind"] == "choice" else "ArrowLeft")
            assert page.evaluate(get)[name] not in (ends[1], None)
        root.get_by_role("button", name="Reset").click()
        assert page.evaluate(get) == panel.values and picture(root) == first


def test_a_state_is_set_from_outside_and_read(page: Page) -> None:
    root = place(page, 0)
    page.evaluate("courseExact.places[0].set({ depth: 7, precision: 'float16' })")
    assert "L = 7, float16" in said(root)
    assert root.get_by_label("depth L").get_attribute("aria-valuetext") == "7"
    root.get_by_role("button", name="Reset").click()
    assert page.evaluate("courseExact.places[0].get().depth") == 50


def test_words_come_first_and_what_is_no_longer_asked_for_does_not_come(page: Page) -> None:
    """Maps of tanh are measured piece by piece after the words; those of ReLU are there at once."""
    root = place(page, 3)
    asked = """(values) => {
        const { element, set } = courseExact.places[3];
        const frame = element.querySelector(".course-exact-frame");
        return values.map((some) => {
            set(some);
            return [frame.getAttribute("aria-busy"), frame.innerHTML, frame.ariaLabel];
        }); }"""
    tanh = {"activation": "tanh", "depth": 9, "width": 30, "seed": 8}
    ((busy, early, words),) = page.evaluate(asked, [tanh])
    assert busy == "true" and words.startswith("tanh, weight scale 1, 9 layers")
    assert len(picture(root)) > len(early)
    later = page.evaluate(asked, [{"seed": 9}, {"activation": "relu"}])
    assert [busy for busy, *_ in later] == ["true", "false"]
    page.evaluate("""async () => {
        for (let k = 0; k < 9; k++) await new Promise(requestAnimationFrame); }""")
    assert picture(root) == later[1][1]
    root.get_by_role("button", name="Reset").click()


def test_words_at_the_edge_have_the_colour_of_what_lies_there(page: Page) -> None:
    root = place(page, 3)
    page.evaluate("courseExact.places[3].set({ scale: 0, depth: 20 })")
    picture(root)
    notes = root.locator("svg text", has_text="exactly 0")
    paint = "nodes => nodes.map(getComputedStyle).map(({ fill, stroke }) => [fill, stroke])"
    fills, strokes = zip(*notes.evaluate_all(paint), strict=True)
    assert len(fills) == 4 == len(set(fills)) and set(strokes) == {"none"}
    root.get_by_role("button", name="Reset").click()


def test_it_fits_a_phone_and_a_dark_page_and_breaks_no_rule(
    browser: Browser, addresses: tuple[str, str], panels: list[BrowserPanel]
) -> None:
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    for address in addresses:
        tab.goto(address)
        for number in range(len(panels)):
            root = place(tab, number).locator(".course-exact")
            is_dark = root.evaluate("el => el.classList.contains('course-dark')")
            assert is_dark is address.endswith("dark.html")
        assert tab.evaluate("document.documentElement.scrollWidth") == 360
        assert tab.locator("img").first.is_hidden()  # the still one
        tab.evaluate("courseExact.places[3].set({ scale: 0, depth: 20 })")  # coloured words
        picture(place(tab, 3))
        found = contrasts(tab, {"coloured": "svg text:is(.blue, .orange, .green, .pink)"}, EXACT)
        assert unreadable(found) == []
        assert sum(word.kind == "coloured" for word in found) >= 3 and len(found) > 100
        tab.set_viewport_size({"width": 1100, "height": 800})
        report = Axe().run(tab, options={"resultTypes": ["violations"]})
        assert report.violations_count == 0, report.generate_report()
        tab.set_viewport_size({"width": 360, "height": 800})
    tab.close()


def test_values_are_in_step_in_python(panels: list[BrowserPanel]) -> None:
    panel = panels[0]
    heard: list[float] = []
    panel.controls["weight"].observe(lambda change: heard.append(change["new"]), "value")
    panel._page.set_state({"values": {**panel.values, "weight": 0.5}})  # as the page does
    assert heard == [0.5] and panel.values["weight"] == 0.5 and "w = 0.5" in panel.text
    panel.controls["depth"].value = 3
    assert panel._page.values["depth"] == 3
    told: list[Any] = []
    panel._page.observe(lambda change: told.append(change["new"]), "values")
    panel.reset()  # two controls move, and the page hears of it once
    assert told == [panel._page.first]


def test_the_stored_lessons_have_them_behind_their_still_pictures(site: Path) -> None:
    counts = {"01_scalar_chain": 2, "03_sigmoid_saturation": 1, "05_initialization": 2}
    for name, count in {**counts, "07a_products": 1}.items():
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        page = BeautifulSoup(text, "html.parser")
        places = page.select(".course-exact-place")
        behind = page.select("img[alt] + .output:has(.course-exact-place)")
        assert len(places) == len(behind) == count
        for found in places:
            lesson = json.loads(str(found["data-explorer"]))["lesson"]
            assert (site / exact.FOLDER / f"{lesson}.js").is_file()
