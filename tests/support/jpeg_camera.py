"""Old cameras, which send JPEG pictures: as a file to publish over RTSP, and in one answer of HTTP."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path

from tests.support import numbered

PATH = "/video.mjpg"
_BEGIN, _END = b"\xff\xd8", b"\xff\xd9"
_QUALITY = ("mjpeg", "-q:v", "3", "-huffman", "default")
"""With the standard tables: RTP sends no others (RFC 2435)."""


def numbered_jpegs(
    path: Path, seconds: int, fps: int = 15, *, form: str = "yuvj420p", filters: str = ""
) -> Path:
    """Put a file of ``seconds`` × ``fps`` numbered JPEG pictures at ``path``."""
    encoder = (*_QUALITY, "-pix_fmt", form)
    return numbered.encode_numbered("mjpeg", encoder, seconds, path, fps, filters=filters)


@dataclass(slots=True)
class JpegCamera:
    """Its URL, and when (wall time, µs) each connection got its first picture. It sends ``pictures``.

    Those that are due before ``held_until`` (monotonic, s) wait for it, and then come all at once.
    """

    url: str = ""
    began: list[int] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    held_until: float = 0.0

    def hold(self, seconds: float) -> None:
        """Nothing comes for so long."""
        self.held_until = time.monotonic() + seconds

    def send(self, path: Path) -> None:
        """From now on the pictures of this file; in a connection that is open, from the next number on."""
        self.pictures = _split(path)


@contextmanager
def jpeg_camera(path: Path, fps: int = 15) -> Iterator[JpegCamera]:
    """Send the file's pictures in real time, from the first on, to everybody who asks."""
    camera = JpegCamera()
    camera.send(path)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            began = time.monotonic()
            camera.began.append(time.time_ns() // 1000)
            try:
                for number in count():
                    if number >= len(camera.pictures):
                        return
                    picture = camera.pictures[number]
                    due = max(began + number / fps, camera.held_until)
                    wait = max(0.0, due - time.monotonic())
                    time.sleep(wait)  # real time: the camera's pace
                    head = f"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                    self.wfile.write(head.encode() + picture + b"\r\n")
            except OSError:
                pass  # the recorder ended

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        camera.url = f"http://127.0.0.1:{server.server_port}{PATH}"
        yield camera
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _split(path: Path) -> list[bytes]:
    """The JPEG pictures of a file: each begins right after the end of the one before."""
    argv = [numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(path), "-c", "copy"]
    done = subprocess.run([*argv, "-f", "image2pipe", "-"], capture_output=True, check=True)
    parts = done.stdout.split(_END + _BEGIN)
    return [(_BEGIN if at else b"") + part + _END for at, part in enumerate(parts[:-1])] + [
        _BEGIN + parts[-1]
    ]
