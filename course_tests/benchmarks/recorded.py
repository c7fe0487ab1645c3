"""How soon a recorded explorer moves, and how much a page loads before it does.

    course site --out site
    python -m course_tests.benchmarks.recorded site

In headless Chromium, from a server on this machine, on a processor slowed down four times. For each
page with explorers are printed: kilobytes until it rests untouched (at most 1,500 are wanted), and
milliseconds from the first move of a slider, whose words and pictures are not there yet, to its
picture and words (at most 2,000 are wanted).
"""

from __future__ import annotations

import argparse
import http.server
import threading
from functools import partial
from pathlib import Path

from playwright.sync_api import Response, sync_playwright

from course_tests.browser.server import FLAGS, find_chromium

SLOWER = 4
FIRST_MOVE = """() => new Promise((resolve) => {
    const [figure] = recorded.figures.values();
    const slider = figure.root.querySelector("input[type=range]");
    const loaded = Boolean(figure.loading);
    const start = performance.now();
    slider.value = slider.value === slider.max ? slider.min : slider.max;
    slider.dispatchEvent(new Event("input"));
    const look = () => {
        const image = figure.root.querySelector(".course-picture-frame img");
        const ready = figure.states && image?.alt === figure.state.text;
        if (ready && image.src.endsWith(figure.model.get("png"))) {
            return resolve([performance.now() - start, loaded]);
        }
        requestAnimationFrame(look);
    };
    look();
})"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path, help="the folder of a built site")
    site = parser.parse_args().site
    lessons = sorted({path.name.rpartition("-")[0] for path in (site / "_recorded").iterdir()})
    handler = partial(Quiet, directory=str(site))
    with (
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server,
        sync_playwright() as playwright,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for lesson in lessons:
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            sizes: list[int] = []

            def count(response: Response, sizes: list[int] = sizes) -> None:
                sizes.append(int(response.headers.get("content-length", 0)))

            page.on("response", count)
            session = page.context.new_cdp_session(page)
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(f"http://127.0.0.1:{server.server_port}/{lesson}.html")
            page.wait_for_load_state("networkidle")
            before = sum(sizes)
            time, loaded = page.evaluate(FIRST_MOVE)
            words = ", its words were there" if loaded else ""
            print(f"{lesson}: {before / 1000:.0f} kB before, first move {time:.0f} ms{words}")
            page.close()
        chromium.close()
        server.shutdown()


if __name__ == "__main__":
    main()
