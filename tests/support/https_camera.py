"""A camera that sends MPEG-TS with numbered frames over HTTPS, to everybody who asks for its path."""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support import numbered
from tests.support.encrypted_media import Credential

PATH = "/live.ts"


@dataclass(slots=True)
class HttpsCamera:
    """``port`` on 127.0.0.1; ``asked`` are the paths that were asked for, with what came as authorization."""

    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def https_camera(folder: Path, shown: Credential) -> Iterator[HttpsCamera]:
    """Run it with this certificate. A connection that says nothing keeps no other waiting."""
    frames = numbered.make_numbered("h264-nob", 60, folder / "frames.mp4")
    camera = HttpsCamera()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.certificate, shown.key)

    class Handler(BaseHTTPRequestHandler):
        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def do_GET(self) -> None:
            camera.asked.append((self.path, self.headers.get("Authorization", "")))
            if self.path != PATH:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            argv = [numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-re", "-i", frames, "-c", "copy"]
            with subprocess.Popen([*argv, "-f", "mpegts", "-"], stdout=subprocess.PIPE) as sender:
                assert sender.stdout is not None
                try:
                    while part := sender.stdout.read(1316 * 7):
                        self.wfile.write(part)
                except OSError:
                    pass  # the recorder ended
                finally:
                    sender.kill()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def process_request_thread(self, request: object, client_address: object) -> None:
            with suppress(OSError):  # a client that does not trust the certificate ends the handshake
                self.finish_request(request, client_address)  # type: ignore[arg-type]
            self.shutdown_request(request)  # type: ignore[arg-type]

    server = Server(("127.0.0.1", 0), Handler)
    camera.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
