"""A headless Chromium under remote control: the DevTools protocol over two pipes, without a library.

https://chromedevtools.github.io/devtools-protocol/ ; ``--remote-debugging-pipe`` reads commands from file
descriptor 3 and writes answers and events to 4, each ended by a NUL.
"""

import atexit
import base64
import json
import os
import queue
import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.waiting import PATIENCE_S

_TIMEOUT_S = PATIENCE_S


class Program:
    """A running Chromium without a tab; it ends with the process that started it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._number = 0
        self._turn = threading.Lock()
        self._waiting: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._heard: dict[str, Callable[[str, dict[str, Any]], None]] = {}
        self._folder = tempfile.TemporaryDirectory(
            prefix="saksi-chromium-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"), ignore_cleanup_errors=True
        )
        commands_out, self._commands = os.pipe()
        self._answers, answers_in = os.pipe()
        self._process = _started(path, Path(self._folder.name), commands_out, answers_in)
        os.close(commands_out)
        os.close(answers_in)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def is_running(self) -> bool:
        """Whether it can still open tabs."""
        return self._process.poll() is None

    def send(
        self, method: str, parameters: dict[str, Any], session: str = "", *, seconds: float = _TIMEOUT_S
    ) -> dict[str, Any]:
        """The result of a command, to a tab if its session is given."""
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._turn:
            self._number += 1
            message = {"id": self._number, "method": method, "params": parameters}
            if session:
                message["sessionId"] = session
            self._waiting[self._number] = answer
            os.write(self._commands, json.dumps(message).encode() + b"\0")
        found = answer.get(timeout=seconds)
        if "error" in found:
            raise AssertionError(f"{method}: {found['error']}")
        result: dict[str, Any] = found["result"]
        return result

    def hear(self, session: str, told: Callable[[str, dict[str, Any]], None]) -> None:
        """Tell a tab's events from now on."""
        self._heard[session] = told

    def end(self) -> None:
        """End it with all its processes; may be called again."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        if self._process.wait() is not None and self._commands >= 0:
            os.close(self._commands)
            self._commands = -1
            self._folder.cleanup()

    def _read(self) -> None:
        rest = b""
        while piece := os.read(self._answers, 1 << 20):
            *messages, rest = (rest + piece).split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            self._waiting.pop(message["id"]).put(message)
        elif told := self._heard.get(message.get("sessionId", "")):
            told(message["method"], message.get("params", {}))


class Browser:
    """One tab with cookies and storage of its own. ``log`` has what it logged and what its policy refused."""

    def __init__(self, program: Program, folder: Path) -> None:
        self._program = program
        self.log: list[str] = []
        self.requests: list[str] = []
        self._context = program.send("Target.createBrowserContext", {})["browserContextId"]
        saving = {"behavior": "allow", "downloadPath": str(folder), "browserContextId": self._context}
        program.send("Browser.setDownloadBehavior", saving)
        facts = {"url": "about:blank", "browserContextId": self._context}
        target = program.send("Target.createTarget", facts)["targetId"]
        attached = program.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        self._session = attached["sessionId"]
        program.hear(self._session, self._told)
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            self._send(f"{domain}.enable", {})

    def close(self) -> None:
        """Close the tab and forget its cookies and storage."""
        self._program.send("Target.disposeBrowserContext", {"browserContextId": self._context})

    def size(self, width: int, height: int, *, mobile: bool = False) -> None:
        """The screen's size in CSS pixels."""
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self._send("Emulation.setDeviceMetricsOverride", screen)

    def cookie(self, url: str, pair: str) -> None:
        """Give the browser a cookie, ``name=value``."""
        name, _, value = pair.partition("=")
        self._send("Network.setCookie", {"url": url, "name": name, "value": value, "httpOnly": True})

    def open(self, url: str) -> None:
        """Go to an address."""
        self._send("Page.navigate", {"url": url})

    def run(self, script: str) -> Any:
        """The value of an expression; waits for a promise."""
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self._send("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def wait(self, script: str, *, seconds: float = PATIENCE_S) -> None:
        """Wait until an expression is true, through reloads."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with suppress(AssertionError):
                if self.run(f"Boolean({script})"):
                    return
            time.sleep(0.05)  # real time: a pause between two looks
        raise AssertionError(f"never true: {script}\n{self.text()}\n" + "\n".join(self.log))

    def text(self) -> str:
        """What a person can read on the page."""
        found: str = self.run("document.body ? document.body.innerText : ''")
        return found

    def key(self, key: str, *, code: str = "", text: str = "") -> None:
        """Press and let go of a key."""
        for kind in ("keyDown", "keyUp"):
            event = {"type": kind, "key": key, "code": code or key}
            self._send("Input.dispatchKeyEvent", {**event, **({"text": text} if text else {})})

    def mouse(self, kind: str, x: float, y: float) -> None:
        """``mouseMoved``, ``mousePressed`` or ``mouseReleased`` at a point."""
        button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        self._send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **button})

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self._send("Input.insertText", {"text": text})

    def click(self, selector: str) -> None:
        """Click on an element."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def hold(self, pattern: str) -> None:
        """Let requests that fit a pattern (``*`` for anything) wait without an answer."""
        self._send("Fetch.enable", {"patterns": [{"urlPattern": pattern}]})

    def release(self) -> None:
        """Let every held request go on."""
        self._send("Fetch.disable", {})

    def on_paper(self) -> None:
        """Show the page as printed, and fire its print event."""
        self.run("dispatchEvent(new Event('beforeprint'))")
        self._send("Emulation.setEmulatedMedia", {"media": "print"})

    def picture(self, path: Path) -> Path:
        """A screenshot as PNG."""
        shot = self._send("Page.captureScreenshot", {"format": "png"})
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return self._program.send(method, parameters, self._session)

    def _told(self, method: str, facts: dict[str, Any]) -> None:
        if method == "Log.entryAdded":
            self.log.append(
                f"{facts['entry']['source']}: {facts['entry']['text']} {facts['entry'].get('url', '')}"
            )
        elif method == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            thrown = details.get("exception", {})
            self.log.append(
                f"exception: {details['text']} {thrown.get('description', thrown.get('value', ''))}"
            )
        elif method == "Audits.issueAdded":
            issue = facts["issue"]
            if "ContentSecurityPolicy" in issue["code"]:
                self.log.append(f"policy: {json.dumps(issue['details'])}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])


_RUNNING: dict[str, Program] = {}


@contextmanager
def opened(program: str, folder: Path) -> Iterator[Browser]:
    """A tab of its own, closed with the block; what it downloads goes to ``folder``.

    All tests of a process share one Chromium: to start it takes longer than most pages do.
    """
    running = _RUNNING.get(program)
    if running is None or not running.is_running:
        running = _RUNNING[program] = Program(program)
        atexit.register(running.end)
    browser = Browser(running, folder)
    try:
        yield browser
    finally:
        try:
            browser.close()
        except queue.Empty:
            running.end()  # it does not answer; the next test starts another


def _started(path: str, folder: Path, commands: int, answers: int) -> "subprocess.Popen[bytes]":
    arguments = [
        path, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--autoplay-policy=no-user-gesture-required", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-features=Translate,OptimizationHints", "--lang=id",
        f"--user-data-dir={folder / 'profile'}", "--remote-debugging-pipe", "about:blank",
    ]  # fmt: skip
    # The program expects its pipes at descriptors 3 and 4; a shell moves them there.
    line = f"exec {shlex.join(arguments)} 3<&{commands} 4>&{answers}"
    return subprocess.Popen(
        ["/bin/bash", "-c", line],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(commands, answers),
        start_new_session=True,
    )
