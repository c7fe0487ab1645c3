"""A notebook in JupyterLab as a test sees it: run it, use its controls, read what it shows.

    def test_scalar_chain(open_notebook):
        page = open_notebook("01_scalar_chain.ipynb")
        page.run_all()
        panel = page.panel(0)                          # the first live figure or run
        before = panel.look()
        with panel.watch() as film:
            panel.press("weight w", "ArrowRight", 10)  # a slider by its accessible name
            after = panel.look_until(lambda look: "1.2" in look.text)
        assert after.picture != before.picture and after.alt != before.alt
        film.check()                                   # never blank, missing, or of another size
        page.screenshot("01")                          # screenshots/01.png
        assert page.complaints() == []

`run_all` waits until the last cell has run. Everything waits by itself; there is no sleep to add.
"""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, sync_playwright

from course_tests.browser.server import FLAGS, Server

SCREENSHOTS = Path(__file__).resolve().parents[2] / "screenshots"
FILM = Path(__file__).with_name("film.js").read_text()
HANGS = 600.0  # seconds: no machine is as busy as that
POLL = 50.0  # milliseconds: in every animation frame it would keep a core busy
# anywidget gives up on a picture that takes two seconds to begin, as it may on a busy machine.
PATIENT = """const timeout = AbortSignal.timeout.bind(AbortSignal);
AbortSignal.timeout = (ms) => timeout(Math.max(ms, 600_000));"""
RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
OUTPUTS = """() => [...jupyterapp.shell.currentWidget.content.model.cells]
    .map(cell => cell.toJSON().outputs || [])"""
KERNEL_READY = """() => {
    const widget = window.jupyterapp?.shell?.currentWidget;
    const kernel = widget?.sessionContext?.session?.kernel;
    return kernel?.status === 'idle' && widget.content?.model?.cells?.length > 0; }"""
OPEN = """async ([path, kernel]) => { await jupyterapp.commands.execute(
    'docmanager:open', {path, factory: 'Notebook', kernel}); }"""
CLOSE = """async ([keep, forget]) => {
    const widget = jupyterapp.shell.currentWidget;
    const {kernels, sessions} = jupyterapp.serviceManager;
    const model = widget.sessionContext.session.kernel.model;
    if (!keep) await sessions.shutdownAll();
    widget.dispose();
    if (!keep) return '';
    const kernel = kernels.connectTo({model});
    await kernel.requestExecute({code: forget, silent: true}).done;
    kernel.dispose();
    return model.id; }"""
FORGET = """import ipywidgets
ipywidgets.Widget.close_all()
get_ipython().run_line_magic("reset", "-f")
"""
LOOK = """async (el) => {
    const image = el.querySelector('.course-picture-frame img, .course-exact-frame:has(svg)');
    if (!image) return null;
    const seen = {alt: image.alt ?? image.getAttribute('aria-label'),
                  text: el.querySelector('.course-picture-caption').textContent,
                  failure: el.querySelector('.course-picture-failure')?.textContent ?? '',
                  width: image.clientWidth, height: image.clientHeight};
    const sha = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    const digest = async (bytes) => [...await sha(bytes)]
        .slice(0, 8).map(b => b.toString(16).padStart(2, '0')).join('');
    if (image.tagName !== 'IMG') {  // drawn in the page
        const picture = await digest(new TextEncoder().encode(image.innerHTML));
        return {picture, ...seen};
    }
    if (!image.courseHash) {
        // Its pixels, not its address: the page lets go of the bytes when the next picture comes.
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
        const context = canvas.getContext('2d');
        context.drawImage(image, 0, 0);
        const bytes = context.getImageData(0, 0, canvas.width, canvas.height).data;
        image.courseHash = await digest(bytes);
    }
    return {picture: image.courseHash, ...seen}; }"""

# The same as soon as it is another than `before`, or after some seconds.
LOOK_AGAIN = f"""async (el, before) => {{
    const look = {LOOK};
    const end = Date.now() + 5000;
    for (;;) {{
        const now = await look(el);
        if (JSON.stringify(now) !== JSON.stringify(before) || Date.now() > end) return now;
        await new Promise(done => {{
            const timer = setTimeout(stop, 1000);
            const observer = new MutationObserver(stop);
            observer.observe(el, {{
                subtree: true, childList: true, attributes: true, characterData: true}});
            function stop() {{ observer.disconnect(); clearTimeout(timer); done(); }}
        }});
    }} }}"""

# What JupyterLab itself says in the console, whatever the notebook.
IGNORED = re.compile(
    r"favicon|to activate|did not appear within|ERR_INTERNET_DISCONNECTED|ERR_NAME_NOT_RESOLVED"
)


@dataclass(frozen=True)
class Look:
    """What a panel shows at one moment. picture: a hash of its pixels on the page."""

    picture: str
    alt: str
    text: str
    failure: str
    width: int
    height: int


@dataclass
class Film:
    """What was on the page in each animation frame while it was watched."""

    frames: int = 0
    pictures: int = 0  # different ones, one after another
    blank: int = 0  # frames with no picture, or one without pixels
    sizes: tuple[str, ...] = ()  # of the picture
    jumps: int = 0  # frames in which the panel's height was another than in the frame before

    def check(self) -> None:
        """Assert that nothing flickered, jumped or collapsed."""
        assert self.frames > 0
        assert self.blank == 0, f"{self.blank} of {self.frames} frames without a picture"
        assert len(self.sizes) == 1, f"the picture changed its size: {self.sizes}"


class Panel:
    """A live figure or a live run on the page."""

    def __init__(self, page: NotebookPage, root: Locator) -> None:
        self.page, self.root = page, root

    def control(self, name: str) -> Locator:
        """A slider, field, list or box by its accessible name (its description)."""
        for role in ("slider", "combobox", "checkbox", "spinbutton", "textbox", "radio"):
            found = self.root.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
            if found.count():
                return found.first
        raise AssertionError(f"no control with the accessible name {name!r}")

    def press(self, name: str, key: str, times: int = 1) -> None:
        """Focus a control by its accessible name and press a key (ArrowRight, Home, End, ...)."""
        control = self.control(name)
        control.focus()
        for _ in range(times):
            control.press(key, no_wait_after=True)

    def value(self, name: str) -> str:
        """What a screen reader says of a slider's position."""
        control = self.control(name)
        return str(control.get_attribute("aria-valuetext") or control.input_value())

    def click(self, button: str) -> None:
        """Press a button by its label."""
        self.root.get_by_role("button", name=button, exact=True).click()

    def look(self) -> Look:
        """What it shows now. Waits for a picture that is drawn for this page."""
        drawn = ":is(.course-picture-frame, .course-exact-frame)[aria-busy=false] :is(img, svg)"
        self.root.locator(drawn).first.wait_for()
        return Look(**self.root.evaluate(LOOK))

    def look_until(self, wanted: Callable[[Look], bool]) -> Look:
        """What it shows as soon as `wanted` is true of it, or AssertionError."""
        look, end = self.look(), time.monotonic() + HANGS
        while not wanted(look):
            assert time.monotonic() < end, f"not shown within {HANGS} s; the last look was {look}"
            look = Look(**self.root.evaluate(LOOK_AGAIN, asdict(look)))
        return look

    def settle(self, quiet: float = 0.4) -> Look:
        """What it shows once the kernel has answered and nothing changed for `quiet` seconds."""
        self.page.run_cell("")  # an answer comes after what was sent before
        look = self.look()
        while True:
            self.page.page.wait_for_timeout(quiet * 1000)
            last, look = look, self.look()
            if last == look:
                return look

    def stop_half_way(self, said: str, times: int = 1) -> Look:
        """Press Stop on a live run once it has said `said` so often and then changed its picture.

        Asserts that nothing flickered, and that the alternative text is the text at the end too.
        """
        before = self.look_until(lambda look: look.text.count(said) >= times)
        with self.watch() as film:
            self.look_until(lambda look: look.picture != before.picture)
            self.click("Stop")
            stopped = self.look_until(lambda look: "Training stopped" in look.text)
        film.check()
        assert stopped.text != before.text and stopped.alt == stopped.text
        return stopped

    @contextlib.contextmanager
    def watch(self) -> Iterator[Film]:
        """Examine the panel in every animation frame; the film is complete after the block."""
        film = Film()
        self.root.evaluate(f"el => {{ const film = {FILM}; el.courseFilm = film(el); }}")
        yield film
        seen = self.root.evaluate("el => el.courseFilm()")
        film.frames, film.pictures, film.blank = seen["frames"], seen["pictures"], seen["blank"]
        film.sizes, film.jumps = tuple(seen["sizes"]), seen["jumps"]


@contextlib.contextmanager
def in_chromium(server: Server, chromium: str) -> Iterator[Page]:
    """The server's JupyterLab in a page of headless Chromium, with no notebook open yet."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=FLAGS, timeout=1000 * HANGS
        )
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(1000 * HANGS)
        page.add_init_script(PATIENT)
        page.goto(f"{server.url}lab/workspaces/{uuid.uuid4().hex[:8]}?token={server.token}")
        page.wait_for_function("() => window.jupyterapp?.restored")
        page.evaluate("async () => { await jupyterapp.restored; }")
        yield page
        browser.close()


class NotebookPage:
    """The notebook at `path`, open in JupyterLab. `page` is playwright's own page.

    kernel: the id of one that runs (default: a new one).
    """

    def __init__(self, page: Page, path: str, kernel: str = "") -> None:
        self.page = page
        self._console: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        page.evaluate(OPEN, [path, {"id": kernel} if kernel else {"name": "python3"}])
        page.wait_for_function(KERNEL_READY, polling=POLL)

    def run_all(self) -> None:
        """Run every cell, and wait for the end of the last. Errors show in `complaints`."""
        self.page.evaluate(RUN_ALL)

    def start(self) -> None:
        """Begin to run every cell, and come back at once; `wait_for_end` waits."""
        self.page.evaluate(
            """() => { window.ended = false; jupyterapp.commands.execute('notebook:run-all-cells')
                .then(() => { window.ended = true; }); }"""
        )

    def wait_for_end(self) -> None:
        """Wait until the cells that `start` began have run."""
        self.page.wait_for_function("() => window.ended", polling=POLL)

    def run_cell(self, code: str) -> str:
        """Run code in the notebook's kernel, beside its cells; what it printed."""
        return str(
            self.page.evaluate(
                """async (code) => { let text = '';
                const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const future = kernel.requestExecute({code});
                future.onIOPub = m => { if (m.header.msg_type === 'stream') text += m.content.text;
                    if (m.header.msg_type === 'error') text += m.content.evalue; };
                await future.done; return text; }""",
                code,
            )
        )

    def panel(self, number: int = 0) -> Panel:
        """The live figure or run that is the `number`-th on the page, from 0."""
        root = self.page.locator(".course-live").nth(number)
        root.wait_for(state="attached")
        root.scroll_into_view_if_needed()
        return Panel(self, root)

    def panels(self) -> int:
        """How many live figures and runs there are."""
        return self.page.locator(".course-live").count()

    def outputs(self) -> list[list[dict[str, Any]]]:
        """The outputs of each cell, as in the file."""
        found: list[list[dict[str, Any]]] = self.page.evaluate(OUTPUTS)
        return found

    def complaints(self) -> list[str]:
        """Errors and warnings: of the page, in the console, and on the cells' stderr."""
        cells = [
            "".join(output.get("text", output.get("traceback", "")))
            for outputs in self.outputs()
            for output in outputs
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]
        return cells + [line for line in self._console if not IGNORED.search(line)]

    def screenshot(self, name: str) -> Path:
        """The page as it is, as screenshots/NAME.png (a folder that git ignores)."""
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def close(self, keep: bool = False) -> str:
        """Close the notebook and end its kernel, or keep that for another: its id, or ""."""
        self.page.remove_listener("console", self._heard)
        self.page.remove_listener("pageerror", self._failed)
        return str(self.page.evaluate(CLOSE, [keep, FORGET]))

    def _failed(self, error: Error) -> None:
        self._console.append(f"page error: {error}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            self._console.append(f"console {message.type}: {message.text} {where}")
