"""Servers in front of the tests' Elasticsearch: with TLS and a key, or full for a while."""

import http.client
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.programs import required

_SHED = {"type": "es_rejected_execution_exception", "reason": "rejected execution of primary operation"}


@dataclass
class Carrier:
    """A carrier. ``shed`` is how many documents of bulk requests it refuses before it takes any.

    With ``key`` a request without that API key is answered with 401. ``asked`` counts requests.
    """

    url: str = ""
    key: str = ""
    shed: int = 0
    asked: int = 0
    certificate: Path | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def refused(self) -> bool:
        """Whether the next document is shed."""
        with self._guard:
            if self.shed <= 0:
                return False
            self.shed -= 1
            return True


@contextmanager
def carrier(target: str, *, tls: Path | None = None, key: str = "") -> Iterator[Carrier]:
    """A server that passes everything on to ``target``; with ``tls``, a folder for its certificate."""
    made = Carrier(key=key)
    to = urlsplit(target)

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            made.asked += 1
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if made.key and self.headers.get("Authorization") != f"ApiKey {made.key}":
                self._answer(401, b'{"error":{"type":"security_exception","reason":"missing credentials"}}')
                return
            shed: list[int] = []
            if "_bulk" in self.path and made.shed > 0:
                body, shed, count = _without_some(body, made)
                if not body:
                    items: list[Any] = [{"index": {"status": 429, "error": _SHED}} for _ in range(count)]
                    self._answer(200, json.dumps({"errors": True, "items": items}).encode())
                    return
            connection = http.client.HTTPConnection(to.hostname or "", to.port)
            headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() not in {"host", "content-length", "accept-encoding", "authorization"}
            }
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if shed:
                found = json.loads(content)
                given = found.setdefault("items", [])
                for place in shed:
                    given.insert(place, {"index": {"status": 429, "error": _SHED}})
                found["errors"] = True
                content = json.dumps(found).encode()
            self._answer(answer.status, content, answer.headers.get("Content-Type", "application/json"))

        def _answer(self, status: int, content: bytes, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Elastic-Product", "Elasticsearch")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as server:
        if tls is not None:
            made.certificate = _certificate(tls)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(made.certificate, tls / "key.pem")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        made.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield made
        finally:
            server.shutdown()


def _without_some(body: bytes, made: Carrier) -> tuple[bytes, list[int], int]:
    """A bulk body without the documents that are shed, their places, and how many documents there were."""
    lines = body.splitlines(keepends=True)
    kept: list[bytes] = []
    shed: list[int] = []
    place = 0
    at = 0
    while at < len(lines):
        size = 1 if b'"delete"' in lines[at][:12] else 2
        if made.refused():
            shed.append(place)
        else:
            kept += lines[at : at + size]
        at += size
        place += 1
    return b"".join(kept), shed, place


def _certificate(folder: Path) -> Path:
    found = folder / "certificate.pem"
    subprocess.run(
        [
            required("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", str(folder / "key.pem"), "-out", str(found),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return found
