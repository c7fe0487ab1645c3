"""A student on a JupyterHub, as the hub sees one: the requests and messages that a browser sends.

Log in by the form, follow the redirects with their cookies, wait for the server; start a kernel for
a notebook and open its websocket; run its cells one by one; move the slider of its first live
figure, and wait each time for the picture that the kernel draws.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import websocket
from jupyter_server.services.kernels.connection.base import deserialize_binary_message
from requests.cookies import get_cookie_header

COPY = "my-very-deep-networks"
PATIENCE = 300.0
"""Seconds for a server, a cell or a picture."""
THINK = 0.5
"""Seconds from a picture to the next change of the slider."""
PAGE = {"room": 900, "ratio": 1.0}
"""Width in pixels and pixel ratio of the page, which it tells each picture."""


@dataclass
class Figure:
    """A live figure in the page: its picture's id; the ids and states of its sliders."""

    picture: str
    sliders: dict[str, dict[str, Any]] = field(default_factory=dict)


class Student:
    """One who logs in as `name` at the hub `url`; seconds: of each phase, waits: of each picture.

    whole: whether all cells of the notebook are run, or those up to the first explorer. Raises
    RuntimeError for a cell that fails or has no end, and what the network raises.
    """

    def __init__(self, url: str, name: str, notebook: str, changes: int, whole: bool) -> None:
        self.url, self.name, self._notebook, self._changes = url, name, notebook, changes
        self._whole = whole
        self.seconds: dict[str, float] = {}
        self.waits: list[float] = []
        self._browser = requests.Session()
        self._socket: websocket.WebSocket | None = None
        self._session = uuid.uuid4().hex
        self._figures: list[Figure] = []
        self._sliders: dict[str, dict[str, Any]] = {}  # that belong to no figure yet

    def start(self) -> None:
        """Log in, start a server, open JupyterLab's page."""
        began = time.monotonic()
        self._get("/hub/login")
        form = {"username": self.name, "password": "any", "_xsrf": self._token("/hub/")}
        answer = self._browser.post(f"{self.url}/hub/login", data=form, timeout=PATIENCE)
        while time.monotonic() - began < PATIENCE:
            if answer.status_code == 429:  # too many at a time: the page asks again
                time.sleep(float(answer.headers.get("Retry-After", 5)))
                answer = self._browser.get(f"{self.url}/hub/spawn", timeout=PATIENCE)
                continue
            answer.raise_for_status()
            if self._get(f"/hub/api/users/{self.name}").json()["server"]:
                break
            time.sleep(0.5)
        else:
            raise RuntimeError(f"{self.name}: no server after {PATIENCE:.0f} s")
        self._get(f"/user/{self.name}/lab")
        self.seconds["start"] = time.monotonic() - began

    def notebook(self) -> None:
        """Open the notebook with a kernel of its own, and run its cells."""
        began = time.monotonic()
        path = f"{COPY}/{self._notebook}"
        content = self._get(f"/user/{self.name}/api/contents/{path}").json()["content"]
        asked = {"path": path, "name": self._notebook, "type": "notebook"}
        answer = self._browser.post(
            f"{self.url}/user/{self.name}/api/sessions",
            json=asked | {"kernel": {"name": "python3"}},
            headers={"X-XSRFToken": self._token(f"/user/{self.name}/")},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        self._connect(answer.json()["kernel"]["id"])
        for cell in content["cells"]:
            if cell["cell_type"] == "code":
                self._run("".join(cell["source"]))
            if self._explorer is not None and not self._whole:
                break
        self.seconds["notebook"] = time.monotonic() - began

    def sliders(self) -> None:
        """Move a slider of the first live figure to and fro; wait for the picture each time."""
        began = time.monotonic()
        figure = self._explorer
        if figure is None:
            raise RuntimeError(f"{self._notebook} has no slider for which the kernel draws")
        slider, state = next(iter(figure.sliders.items()))
        self._listen_until_quiet()
        for value in itertools.islice(places(state), self._changes):
            time.sleep(THINK)
            moved = time.monotonic()
            self._tell(slider, {"value": value})
            for message in self._messages():
                if message["msg_type"] == "comm_msg" and _is_picture(message, figure.picture):
                    break
            self.waits.append(time.monotonic() - moved)
        self.seconds["sliders"] = time.monotonic() - began

    @property
    def _explorer(self) -> Figure | None:
        """The first figure with sliders for which the kernel draws, once it has come."""
        return next((figure for figure in self._figures if figure.sliders), None)

    def leave(self) -> None:
        """Close the page."""
        if self._socket is not None:
            self._socket.close()
        self._browser.close()

    def _get(self, path: str) -> requests.Response:
        answer = self._browser.get(f"{self.url}{path}", timeout=PATIENCE)
        answer.raise_for_status()
        return answer

    def _token(self, path: str) -> str:
        """The cookie that proves that a request comes from a page of that server."""
        return self._browser.cookies.get("_xsrf", path=path) or ""

    def _connect(self, kernel: str) -> None:
        path = f"/user/{self.name}/api/kernels/{kernel}/channels?session_id={self._session}"
        request = requests.Request("GET", f"{self.url}{path}").prepare()
        self._socket = websocket.create_connection(
            f"ws{self.url.removeprefix('http')}{path}",
            cookie=get_cookie_header(self._browser.cookies, request),
            origin=self.url,
            timeout=PATIENCE,
        )

    def _run(self, code: str) -> None:
        """Run a cell, until the kernel has nothing to do. Raises RuntimeError if the cell does."""
        options = {"store_history": True, "allow_stdin": False, "stop_on_error": True}
        sent = self._send("execute_request", {"code": code, "silent": False, **options})
        for message in self._messages():
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "error":
                raise RuntimeError("\n".join(message["content"]["traceback"]))
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What the kernel says, as it comes; new figures are noted, and told the page's width."""
        assert self._socket is not None
        while True:
            data = self._socket.recv()
            text = isinstance(data, str)
            message = json.loads(data) if text else deserialize_binary_message(data)
            if message["msg_type"] == "comm_open":
                self._note(message["content"])
            yield message

    def _listen_until_quiet(self) -> None:
        """Take in what is on its way still, such as pictures for the page's width."""
        assert self._socket is not None
        self._socket.settimeout(2.0)
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            for _ in self._messages():
                pass
        self._socket.settimeout(PATIENCE)

    def _note(self, opened: dict[str, Any]) -> None:
        """A widget has come: a slider, or what the sliders before it belong to."""
        state = opened["data"].get("state", {})
        if {"min", "max", "step", "value", "orientation"} <= state.keys():
            self._sliders[opened["comm_id"]] = state
        elif {"needs", "room", "ratio"} <= state.keys():
            self._figures.append(Figure(opened["comm_id"], self._sliders))
            self._sliders = {}
            self._tell(opened["comm_id"], PAGE)
        elif "_esm" in state:  # a figure that the page draws by itself
            self._sliders = {}
        elif "bar_style" in state and self._figures:  # a training's, whose sliders turn its knobs
            self._figures[-1].sliders.clear()

    def _tell(self, widget: str, state: dict[str, Any]) -> None:
        """Change a widget, as the page does."""
        update = {"method": "update", "state": state, "buffer_paths": []}
        self._send("comm_msg", {"comm_id": widget, "data": update})

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        """Send a message to the kernel; its id."""
        assert self._socket is not None
        header = {
            "msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session,
            "username": self.name, "version": "5.3",
        }  # fmt: skip
        parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        self._socket.send(json.dumps(parts | {"channel": "shell"}))
        return header["msg_id"]


def places(state: dict[str, Any]) -> Iterator[float]:
    """Values of a slider from its least to its most and back, no two in a row the same."""
    least, most, step = state["min"], state["max"], state["step"]
    count = round((most - least) / step)
    stride = max(1, count // 20)
    up = range(0, count + 1, stride)
    for place in itertools.cycle([*up, *up[-2:0:-1]]):
        value = round(least + place * step, 9)
        yield state["base"] ** value if "base" in state else value


def _is_picture(message: dict[str, Any], picture: str) -> bool:
    """Whether it brings that picture anew."""
    content = message["content"]
    return content["comm_id"] == picture and ["png"] in content["data"].get("buffer_paths", [])
