"""Quick requests over a real socket: how a body goes out."""

import base64
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from botocore.credentials import Credentials

from archive.objects.s3.connection import connect
from archive.objects.s3.listing import Listing
from archive.objects.s3.puts import ConditionalPuts
from archive.objects.s3.quick import QuickRequests
from archive.ports import Content, Stored

BODY = bytes(range(256)) * (8 << 12)
PIECE = 512 << 10


CONTENT = Content.of_bytes(BODY)
CHECKSUM = base64.b64encode(bytes.fromhex(CONTENT.sha256))
TAKES = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-version-id: v1\r\nx-amz-checksum-sha256: %b\r\n\r\n"
BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class SlowStore:
    """Takes puts, slowly, one after the other, and keeps what the last one sent. Gives these answers."""

    answers: tuple[bytes, ...] = (TAKES % CHECKSUM,)
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)

    def serve(self) -> None:
        for answer in self.answers:
            self.take(answer)

    def take(self, answer: bytes) -> None:
        taken, _ = self.listening.accept()
        with taken:
            received = b""
            while b"\r\n\r\n" not in received:
                received += taken.recv(4096)
            self.head, _, rest = received.partition(b"\r\n\r\n")
            if b"100-continue" in self.head:
                taken.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.body[:] = rest
            while len(self.body) < len(BODY):
                wanted = min(PIECE, len(BODY) - len(self.body))
                piece = taken.recv(wanted, socket.MSG_WAITALL)
                if not piece:
                    return
                self.body += piece
                time.sleep(0.15)  # real time: a line that is slower than the sender
            taken.sendall(answer)


@contextmanager
def slow_store(*answers: bytes) -> Iterator[SlowStore]:
    store = SlowStore(answers) if answers else SlowStore()
    store.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    serving = threading.Thread(target=store.serve, daemon=True)
    serving.start()
    yield store
    store.listening.close()
    serving.join(60)


def test_a_slow_line_has_the_time_of_each_piece_and_not_of_the_whole_body() -> None:
    """A socket's time-out bounds all that is sent in one call: no segment would pass a slow line."""
    with slow_store() as store:
        address = f"http://127.0.0.1:{store.listening.getsockname()[1]}"
        quick = QuickRequests(
            Credentials("key", "secret"), address, "us-east-1", pool_size=1, timeouts=(1, 60), verify=False
        )
        answer = quick.put("bucket", "key", BODY, {"If-None-Match": "*"})
    assert answer is not None
    assert answer["x-amz-version-id"] == "v1"
    assert bytes(store.body) == BODY
    assert f"content-length: {len(BODY)}".encode() in store.head.lower()
    assert b"transfer-encoding" not in store.head.lower()


def test_a_put_that_boto3_sends_again_has_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store refused the quick request, and boto3 reads the reason: it may take the put this time."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with slow_store(BUSY, TAKES % CHECKSUM) as store:
        address = f"http://127.0.0.1:{store.listening.getsockname()[1]}"
        connection = connect(address, pool_size=1, connect_timeout=1, read_timeout=60)
        listing = Listing(connection.client, "bucket", connection.quick)
        puts = ConditionalPuts(
            connection.client, connection.quick, "bucket", listing, lambda key, version: CONTENT.sha256
        )
        key = f"segments/{CONTENT.sha256}"
        assert puts.put(key, CONTENT, metadata={}, lock=None, hold=False) == Stored(
            key, "v1", CONTENT.sha256, created=True
        )
    assert bytes(store.body) == BODY
