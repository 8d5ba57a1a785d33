"""A cinema: one headless Chromium that is shown MP4s, one after the other, and reads the numbers off them."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from api.ranges import requested_range
from tests.support.chromium import Browser, opened
from tests.support.numbered import CELL, CELLS, HEIGHT, WIDTH

_SHOW = f"""async (address, times) => {{
  for (const old of document.querySelectorAll("video")) {{
    old.removeAttribute("src"); old.load(); old.remove();
  }}
  const player = document.createElement("video");
  player.muted = true; player.preload = "auto";
  document.body.append(player);
  const canvas = document.createElement("canvas");
  canvas.width = {WIDTH}; canvas.height = {HEIGHT};
  const pen = canvas.getContext("2d", {{ willReadFrequently: true }});
  const seen = {{ numbers: [], presented: 0, error: null, duration: null }};
  const number = () => {{
    pen.drawImage(player, 0, 0, {WIDTH}, {HEIGHT});
    const row = pen.getImageData(0, {CELL} / 2, {WIDTH}, 1).data;
    let bits = 0;
    for (let cell = 0; cell < {CELLS}; cell++) {{
      bits = bits * 2 + (row[(cell * {CELL} + {CELL} / 2) * 4] > 127 ? 1 : 0);
    }}
    return Math.floor(bits / 16);
  }};
  const once = (name) => new Promise((done, failed) => {{
    player.addEventListener(name, done, {{ once: true }});
    player.addEventListener("error", () => failed(new Error(player.error.message)), {{ once: true }});
  }});
  // An event may come before its picture is on screen. Where no new picture comes, the old one stays.
  const picture = () => new Promise((done) => {{
    const enough = setTimeout(done, 5000);
    player.requestVideoFrameCallback(() => {{ seen.presented += 1; clearTimeout(enough); done(); }});
  }});
  try {{
    const first = [once("loadeddata"), picture()];
    player.src = address;
    await Promise.all(first);
    seen.duration = player.duration;
    seen.numbers.push(number());
    for (const time of times) {{
      const there = [once("seeked"), picture()];
      player.currentTime = time;
      await Promise.all(there);
      seen.numbers.push(number());
    }}
  }} catch (problem) {{ seen.error = String(problem); }}
  return seen;
}}"""


class Cinema:
    """The browser and the place where it finds what it is shown."""

    def __init__(self, browser: Browser, url: str, shelf: dict[str, bytes]) -> None:
        self._browser = browser
        self._url = url
        self._shelf = shelf
        browser.open(url)
        browser.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def show(self, data: bytes, times: Sequence[float]) -> dict[str, Any]:
        """Show an MP4; returns ``numbers``: of the first picture, then of the one at each of ``times`` (s).

        ``presented`` counts the pictures that the browser said it presented
        (``requestVideoFrameCallback``), ``error`` is None unless it stopped, ``duration`` is in seconds.
        """
        name = f"{len(self._shelf)}.mp4"
        self._shelf[name] = data
        found: dict[str, Any] = self._browser.run(
            f"({_SHOW})({json.dumps('/' + name)}, {json.dumps(list(times))})"
        )
        self._shelf[name] = b""
        return found


@contextmanager
def cinema(program: str, folder: Path) -> Iterator[Cinema]:
    """A Chromium with its own profile in ``folder``; it ends with the block."""
    shelf: dict[str, bytes] = {}

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/":
                self._send(
                    HTTPStatus.OK, "text/html", b"<!doctype html><title>cinema</title><body></body>", {}
                )
                return
            data = shelf.get(self.path[1:])
            if data is None:
                self._send(HTTPStatus.NOT_FOUND, "text/plain", b"", {})
                return
            part = requested_range(self.headers["Range"], len(data))
            if part is None:
                self._send(HTTPStatus.OK, "video/mp4", data, {"Accept-Ranges": "bytes"})
            else:
                piece = data[part.start : part.start + part.length]
                fields = {"Accept-Ranges": "bytes", "Content-Range": part.content_range}
                self._send(HTTPStatus.PARTIAL_CONTENT, "video/mp4", piece, fields)

        def log_message(self, format: str, *args: object) -> None:  # the base class's name
            pass

        def _send(self, status: HTTPStatus, kind: str, body: bytes, fields: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | fields).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with opened(program, folder) as browser:
            yield Cinema(browser, f"http://127.0.0.1:{server.server_port}/", shelf)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
