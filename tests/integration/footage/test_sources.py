"""Cameras with foreign addresses, with the real recorder and FFmpeg: which of them are ever contacted."""

import contextlib
import http.server
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Refused
from archive.model.gap import GapCause
from recorder.binary import find_ffmpeg
from tests.support import numbered
from tests.support.recording_site import RecordingSite
from tests.support.sound import causes


class Served:
    """A small HTTP server on loopback that remembers its requests."""

    def __init__(self, address: str, answers: dict[str, tuple[int, dict[str, str], bytes]]) -> None:
        self.asked: list[tuple[str, str]] = []
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append((self.path, self.headers.get("Host", "")))
                status, headers, body = answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer((address, 0), Answer)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def inner() -> Iterator[Served]:
    """A foreign service, at an address that no camera may have."""
    served = Served("127.0.0.2", {})
    yield served
    served.close()


def recorded(folder: Path, *sources: str, seconds: int = 5, **environment: str) -> RecordingSite:
    recording = RecordingSite(
        folder, {"SAKSI_CAMERA_NETWORKS": "127.0.0.1/32", "SAKSI_CAMERA_FOLDERS": str(folder), **environment}
    )
    for number, source in enumerate(sources, 1):
        recording.add(f"kam-{number}", source)
    process = recording.start("--for", str(seconds))
    try:
        assert process.wait(150) == 0, recording.log()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return recording


def test_a_redirect_and_a_playlist_lead_nowhere(tmp_path: Path, inner: Served) -> None:
    there = f"http://127.0.0.2:{inner.port}"
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{there}/playlist.ts\n#EXT-X-ENDLIST\n"
    camera = Served(
        "127.0.0.1",
        {
            "/moved": (302, {"Location": f"{there}/redirect"}, b""),
            "/list.m3u8": (200, {"Content-Type": "application/vnd.apple.mpegurl"}, playlist.encode()),
            "/script": (200, {}, f"ffconcat version 1.0\nfile '{there}/script'\n".encode()),
        },
    )
    try:
        paths = ("/moved", "/list.m3u8", "/script")
        recording = recorded(tmp_path, *(f"http://127.0.0.1:{camera.port}{path}" for path in paths))
        with recording.site() as site:
            assert list(site.stores.footage.list("segments/")) == []
        assert {path for path, _ in camera.asked} == {"/moved", "/list.m3u8", "/script"}
    finally:
        camera.close()
    assert inner.asked == []


def test_a_name_that_comes_to_lead_elsewhere_is_not_connected_to(tmp_path: Path, inner: Served) -> None:
    """The camera is registered while any address is permitted; then the city limits the networks."""
    recording = RecordingSite(tmp_path, {"SAKSI_CAMERA_NETWORKS": "127.0.0.0/8"})
    recording.add("kam-1", f"http://127.0.0.2:{inner.port}/live")
    recording.environment = {"SAKSI_CAMERA_NETWORKS": "127.0.0.1/32"}
    process = recording.start("--for", "4")
    assert process.wait(150) == 0
    assert inner.asked == []
    assert "an address that is not allowed for cameras here" in recording.log()
    with recording.site() as site:
        assert causes(site, "kam-1")[-1] == GapCause.UNREACHABLE
        with pytest.raises(Refused) as caught:
            recording.add("kam-2", f"http://127.0.0.2:{inner.port}/live")
        assert caught.value.code == "source_refused"


def test_a_named_http_camera_is_recorded_at_its_address(tmp_path: Path) -> None:
    sample = numbered.make_numbered("h264-nob", 8, tmp_path / "sample.mp4")
    stream = tmp_path / "sample.ts"
    argv = [str(find_ffmpeg().path), "-v", "error", "-i", str(sample), "-c", "copy", str(stream)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    camera = Served("127.0.0.1", {"/live.ts": (200, {}, stream.read_bytes())})
    try:
        recording = recorded(tmp_path, f"http://localhost:{camera.port}/live.ts", seconds=8)
        with recording.site() as site:
            assert list(site.stores.footage.list("segments/")) != []
        assert {host for _, host in camera.asked} == {f"localhost:{camera.port}"}
    finally:
        camera.close()


def test_a_file_that_becomes_a_link_is_not_read(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    secret = numbered.make_numbered("h264-nob", 4, tmp_path / "secret.mp4")
    lure = shelf / "lure.mp4"
    lure.write_bytes(b"")
    recording = RecordingSite(tmp_path, {"SAKSI_CAMERA_FOLDERS": str(shelf)})
    recording.add("kam-1", lure.as_uri())
    lure.unlink()
    lure.symlink_to(secret)
    process = recording.start("--for", "4")
    assert process.wait(150) == 0
    with recording.site() as site:
        assert list(site.stores.footage.list("segments/")) == []
    assert "no recording in that place may be replayed" in recording.log()
