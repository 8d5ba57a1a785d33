"""Quick requests over a real socket: how a body goes out."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.credentials import Credentials

from archive.objects.s3.quick import QuickRequests

BODY = bytes(range(256)) * (8 << 12)
PIECE = 512 << 10


@dataclass
class SlowStore:
    """Takes one put, slowly, and keeps what it was sent."""

    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    head: bytes = b""
    body: bytearray = field(default_factory=bytearray)

    def take(self) -> None:
        taken, _ = self.listening.accept()
        with taken:
            received = b""
            while b"\r\n\r\n" not in received:
                received += taken.recv(4096)
            self.head, _, rest = received.partition(b"\r\n\r\n")
            self.body += rest
            while len(self.body) < len(BODY):
                wanted = min(PIECE, len(BODY) - len(self.body))
                piece = taken.recv(wanted, socket.MSG_WAITALL)
                if not piece:
                    return
                self.body += piece
                time.sleep(0.15)  # real time: a line that is slower than the sender
            taken.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-version-id: v1\r\n\r\n")


@contextmanager
def slow_store() -> Iterator[SlowStore]:
    store = SlowStore()
    store.listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
    serving = threading.Thread(target=store.take, daemon=True)
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
