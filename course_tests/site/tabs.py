"""A page for many tests."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser

from course_tests.browser.page import HANGS


class Tab:
    """A page that is loaded again for every test: a new one starts a process, and is cold.

    Since it was loaded last: addresses that it asked for, and complaints of its console.
    """

    def __init__(self, browser: Browser, **context: Any) -> None:
        self.page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(1000 * HANGS)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def load(self, address: str, *, motion: Any = "no-preference") -> None:
        """Load the page at an address, in light colours; motion: "reduce" if it is unwanted."""
        self.page.emulate_media(color_scheme="light", reduced_motion=motion)
        self.asked.clear()
        self.complaints.clear()
        if self.page.url.partition("#")[0] != address.partition("#")[0]:
            self.page.goto(address)
            return
        # Another link of the same page would not load it. By way of an empty page the browser would
        # start a process for each.
        self.page.evaluate("address => history.replaceState(null, '', address)", address)
        self.page.reload()

    def close(self) -> None:
        """Close the page with all that it has kept."""
        self.page.context.close()
