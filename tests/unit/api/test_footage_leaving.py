"""A source that works for long before its next piece stops when the client has left."""

import threading
import time
from collections.abc import Iterator

from api.footage import Ending
from archive.attended import step
from tests.unit.api.test_footage import Client, serve


class Hashing:
    """One piece, and then work without end, in steps."""

    def __init__(self) -> None:
        self.steps = 0
        self.ended = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield b"x" * 10
            while True:
                step()
                self.steps += 1
                time.sleep(0.001)  # real time: the work
        finally:
            self.ended.set()


def test_work_before_a_piece_ends_when_the_client_leaves() -> None:
    source = Hashing()
    client, ends, error = serve(source, 1000, lambda: Client(leaves_after=1))  # type: ignore[arg-type]
    assert error is None
    assert not client.whole
    assert source.ended.is_set()
    assert [(end.bytes_sent, end.ending) for end in ends] == [(10, Ending.CLIENT_LEFT)]
