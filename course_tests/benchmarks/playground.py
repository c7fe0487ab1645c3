"""How quick the playground is: steps and pictures of a network of 20 blocks of width 32, digits.

    python -m course_tests.benchmarks.playground [--link "#depth=20&seeds=1"]

In headless Chromium, from a file. Printed are medians over 200 steps, in milliseconds: one step of
all seeds, with every fifth measuring the layers of a seed; that measuring alone; all five pictures.
Sixty pictures a second leave 16.7 ms for a step and what is drawn.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from course.site import playground_page
from course_tests.browser.server import FLAGS, find_chromium

LINK = "#depth=20&activation=relu&init=he_normal&skip=scaled&seeds=1"
TIMES = """() => {
    const { run, advance } = playground;
    const timed = (work, times) => Array.from({ length: times }, () => {
        const start = performance.now();
        work();
        return performance.now() - start;
    });
    timed(() => run.step(), 100);
    return {
        "a step": timed(() => run.step(), 200),
        "measuring": timed(() => run.measure(run.members[0]), 40),
        "measuring and all pictures": timed(() => advance(0), 40),
    };
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--link", default=LINK, help="the settings, as the page's address has them")
    link = parser.parse_args().link
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page = Path(folder) / "page.html"
        page.write_text(playground_page(), encoding="utf-8")
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        tab = chromium.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(page.as_uri() + link)
        for name, times in tab.evaluate(TIMES).items():
            high = statistics.quantiles(times, n=20)[-1]
            print(f"{name}: {statistics.median(times):.1f} ms (19 of 20 below {high:.1f})")
        tab.click("#play")
        tab.wait_for_function("document.getElementById('pace').textContent", timeout=60_000)
        tab.wait_for_timeout(3000)
        print(tab.inner_text("#pace"))
        chromium.close()


if __name__ == "__main__":
    main()
