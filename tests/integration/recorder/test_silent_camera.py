"""A camera that answers every request, also PLAY, and then sends no picture at all."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recording_site import RecordingSite
from tests.support.sound import assert_sound, causes
from tests.support.waiting import until

SDP = "\r\n".join(
    [
        "v=0",
        "o=- 0 0 IN IP4 127.0.0.1",
        "s=silent",
        "t=0 0",
        "m=video 0 RTP/AVP 96",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==",
        "a=control:trackID=0",
        "",
    ]
)


class Silent(socketserver.StreamRequestHandler):
    """Answers RTSP requests as a camera does; no RTP follows."""

    def handle(self) -> None:
        """Answer until the client leaves."""
        while line := self.rfile.readline().decode("ascii", "replace").strip():
            fields = {}
            while field := self.rfile.readline().decode("ascii", "replace").strip():
                name, _, value = field.partition(":")
                fields[name.lower()] = value.strip()
            self._answer(line.split(" ")[0], fields)

    def _answer(self, method: str, fields: dict[str, str]) -> None:
        body, more = "", [f"CSeq: {fields.get('cseq', '0')}", "Session: 1;timeout=60"]
        match method:
            case "OPTIONS":
                more.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
            case "DESCRIBE":
                body = SDP
                more += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                more.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self.wfile.write("\r\n".join(["RTSP/1.0 200 OK", *more, "", body]).encode("ascii"))
        if method == "PLAY":
            self.server.played.set()  # type: ignore[attr-defined]


class Camera(socketserver.ThreadingTCPServer):
    """The camera; ``played`` is set once a recorder was told that it plays."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Silent)
        self.played = threading.Event()


@pytest.fixture
def camera() -> Iterator[Camera]:
    with Camera() as server:
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        yield server
        server.shutdown()


def test_a_camera_that_plays_and_sends_nothing_is_stalled(tmp_path: Path, camera: Camera) -> None:
    recording = RecordingSite(tmp_path)
    recording.add("kam-1", f"rtsp://127.0.0.1:{camera.server_address[1]}/1")
    recording.start()
    try:
        with recording.site() as site:
            until(camera.played.is_set, "the camera was told to play")
            beats = site.bare_index.heartbeats
            until(
                lambda: any(
                    one.state.get("cameras", {}).get("kam-1", {}).get("cause") == "stalled" for one in beats()
                ),
                "the recorder says that it is stalled",
            )
            assert recording.stop() == 0
            assert set(causes(site, "kam-1")) <= {"connecting", "stalled"}
            assert "stalled" in causes(site, "kam-1")
            assert_sound(site, "kam-1")
    finally:
        if recording.process is not None and recording.process.poll() is None:
            recording.kill()
