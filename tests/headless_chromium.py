"""A real browser without a window, driven over a pipe: what a page does when somebody uses it.

The protocol is Chromium's own (DevTools, version 1.3): JSON, each message ended
by a zero byte, over two inherited file descriptors. So there is no port, no
driver and no package to install beside Debian's `chromium`.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["Chromium", "chromium_program", "headless_chromium"]

_TIMEOUT_S = 20
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--remote-debugging-pipe",
)
# The browser reads from descriptor 3 and writes to 4; Python passes others under their own number.
_START = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), " ": (32, " ")}


def chromium_program() -> str | None:
    """Return the browser's program; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Chromium:
    """One page of a browser; what it asked for and complained about is kept."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading = reading
        self._writing = writing
        self._buffer = b""
        self._calls = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._session = ""
        self._loads = 0
        self.requests: list[str] = []
        """Addresses asked for, in order."""
        self.complaints: list[str] = []
        """What stood on the console, and what no code caught."""

    def open_page(self) -> None:
        """Open an empty page; what it does is recorded from now on."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Return the browser's answer to one call."""
        self._calls += 1
        number = self._calls
        message: dict[str, object] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        self._until(lambda: number in self._answers, f"an answer to {method}")
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def goto(self, url: str) -> None:
        """Show that address, and return once it is loaded."""
        self.loading(lambda: self.call("Page.navigate", url=url))

    def loading(self, act: Callable[[], object]) -> None:
        """Do something that loads a page, and return once it is loaded."""
        before = self._loads
        act()
        self._until(lambda: self._loads > before, "a page")

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript gives; a promise is waited for."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        code, text = _KEYS[key]
        named = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self.call("Input.dispatchKeyEvent", type="keyUp", **named)

    def click(self, selector: str) -> None:
        """Scroll the element there into view and click its middle, as a mouse does."""
        x, y = self.value(
            f"(e => {{ e.scrollIntoView({{block: 'center'}}); const r = e.getClientRects()[0];"
            f" return [r.x + r.width / 2, r.y + r.height / 2]; }})"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def resize(self, width: int, height: int) -> None:
        """Make the page that wide and high, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str) -> None:
        """Prefer ``dark`` or ``light`` pages."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """Write what is seen, or the whole page, as a PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(shot["data"]))

    def _until(self, is_done: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + _TIMEOUT_S
        while not is_done():
            while b"\0" in self._buffer:
                raw, _, self._buffer = self._buffer.partition(b"\0")
                self._heard(json.loads(raw))
            if is_done():
                return
            ready, _, _ = select.select([self._reading], [], [], max(0, ends - time.monotonic()))
            part = os.read(self._reading, 1 << 20) if ready else b""
            if not part:
                raise TimeoutError(f"the browser gave no sign of {what}")
            self._buffer += part

    def _heard(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._answers[message["id"]] = message
            return
        params = message.get("params", {})
        match message["method"]:
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url')}")
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params))


@contextmanager
def headless_chromium(program: str, folder: Path) -> Iterator[Chromium]:
    """Yield a browser with one page; ``folder`` is where it keeps what it must."""
    to_browser, to_us = os.pipe(), os.pipe()
    inherited = (to_browser[0], to_us[1])
    arguments = [*_FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
    environ = {**os.environ, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, *map(str, inherited), program, *arguments],
            pass_fds=inherited,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environ,
        )
    for descriptor in inherited:
        os.close(descriptor)
    try:
        browser = Chromium(to_us[0], to_browser[1])
        browser.open_page()
        yield browser
        browser._session = ""
        browser.call("Browser.close")
        process.wait(_TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
        os.close(to_browser[1])
        os.close(to_us[0])
