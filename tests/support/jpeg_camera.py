"""Old cameras, which send JPEG pictures: as a file to publish over RTSP, and in one answer of HTTP."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support import numbered

PATH = "/video.mjpg"
_QUALITY = ("mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p", "-huffman", "default")
"""With the standard tables: RTP sends no others (RFC 2435)."""


def numbered_jpegs(path: Path, seconds: int, fps: int = 15) -> Path:
    """Put a file of ``seconds`` × ``fps`` numbered JPEG pictures at ``path``."""
    return numbered.encode_numbered("mjpeg", _QUALITY, seconds, path, fps)


@dataclass(slots=True)
class JpegCamera:
    """Its URL, and when (wall time, µs) each connection got its first picture."""

    url: str = ""
    began: list[int] = field(default_factory=list)


@contextmanager
def jpeg_camera(pictures: Path) -> Iterator[JpegCamera]:
    """Send the pictures in real time, from the first on, to everybody who asks."""
    camera = JpegCamera()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
            self.end_headers()
            argv = [numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-re", "-i", str(pictures)]
            argv += ["-c", "copy", "-f", "mpjpeg", "-boundary_tag", "picture", "-flush_packets", "1", "-"]
            with subprocess.Popen(argv, stdout=subprocess.PIPE, bufsize=0) as sender:
                assert sender.stdout is not None
                part = sender.stdout.read(1 << 16)
                camera.began.append(time.time_ns() // 1000)
                try:
                    self.wfile.write(part)
                    while part := sender.stdout.read(1 << 16):
                        self.wfile.write(part)
                except OSError:
                    pass  # the recorder ended
                finally:
                    sender.kill()

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
