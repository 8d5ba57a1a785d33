"""Journal batches that are read in worker processes: the same rows, and no worker outlives its parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, process
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.errors import Unavailable
from archive.integrity.rebuild import workers
from archive.integrity.rebuild.decoding import DecodedBatch, RawBatch, RecorderKeys, decoded
from archive.records import journal
from tests.support.leaves import T0, gap, segment
from tests.support.waiting import until

KEY = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
KNOWN: RecorderKeys = {"rec-1": {journal.public_key_sha256(KEY.public_key()): KEY.public_key()}}


def _batch(number: int) -> RawBatch:
    lines = [segment(number * 3), segment(number * 3 + 1), gap(T0 + number, T0 + number + 1)]
    content = journal.encode(
        lines, recorder="rec-1", batch=number, prev=journal.GENESIS, at=T0 + number, key=KEY
    )
    return keys.journal_key("rec-1", number, T0), content


def test_workers_read_what_this_process_reads_in_the_same_order() -> None:
    batches = [_batch(number) for number in range(1, 9)]
    batches[3] = (batches[3][0], batches[3][1].replace(b"cam-1", b"cam-2"))
    here = [list(found) for found in decoded(([one] for one in batches), KNOWN)]
    there = list(decoded(([one] for one in batches), KNOWN, worth=0))
    assert there == here
    flat = [batch for found in there for batch in found]
    assert all(isinstance(batch, DecodedBatch) for batch in flat)
    assert [batch.number for batch in flat] == [1, 2, 3, 0, 5, 6, 7, 8]
    assert [len(batch.segments) for batch in flat] == [2, 2, 2, 0, 2, 2, 2, 2]
    assert flat[3].trouble is not None
    assert flat[3].trouble[0] == "journal_signature"
    assert multiprocessing.active_children() == []


def test_a_batch_of_an_unknown_recorder_is_trouble_in_a_worker_too() -> None:
    batches = [_batch(number) for number in range(1, 5)]
    found = [one for chunk in decoded(([one] for one in batches), {}, worth=0) for one in chunk]
    assert {one.trouble[0] for one in found if one.trouble is not None} == {"journal_unknown_key"}
    assert len(found) == 4


def test_a_worker_that_dies_is_named() -> None:
    def chunks() -> Iterator[list[RawBatch]]:
        yield [_batch(1)]
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
            child.join()
        for number in range(2, 200):
            yield [_batch(number)]

    with pytest.raises(Unavailable) as caught:
        list(decoded(chunks(), KNOWN, worth=0))
    assert caught.value.code == "rebuild_worker"
    assert multiprocessing.active_children() == []


def test_a_chunk_that_is_submitted_while_the_pool_breaks_is_not_awaited_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The pool fails what it knows without its lock; here the next chunk comes right after that."""
    monkeypatch.setattr(workers, "_LOOK_S", 0.2)
    breaking: list[Any] = []
    made: list[Future[bytes]] = []
    may_break = threading.Event()
    terminate = process._ExecutorManagerThread.terminate_broken

    def slowly(manager: Any, cause: Any) -> None:
        breaking.append(manager)
        may_break.wait()
        terminate(manager, cause)

    class Late(Future):  # type: ignore[type-arg]
        def __init__(self) -> None:
            super().__init__()
            made.append(self)
            if breaking:
                may_break.set()
                until(lambda: breaking[0].call_queue._reader.closed, "the pool failed what it knew")

    monkeypatch.setattr(process._ExecutorManagerThread, "terminate_broken", slowly)
    monkeypatch.setattr(process._base, "Future", Late)

    def chunks() -> Iterator[list[RawBatch]]:
        yield [_batch(1)]
        until(lambda: all(future.done() for future in made), "the pool has nothing to fail")
        for child in multiprocessing.active_children():
            os.kill(child.pid or 0, signal.SIGKILL)
        until(lambda: breaking, "the pool noticed it")
        yield [_batch(2)]

    with pytest.raises(Unavailable) as caught:
        list(decoded(chunks(), KNOWN, worth=0))
    assert caught.value.code == "rebuild_worker"


_PARENT = """
import multiprocessing, sys
from archive.integrity.rebuild import decoding
from archive.integrity.rebuild.decoding import decoded

def chunks():
    yield [("journal/x", b"{}")]
    print(multiprocessing.active_children()[0].pid, flush=True)
    sys.stdin.read()

if __name__ == "__main__":
    list(decoded(chunks(), {}, worth=0))
"""


def test_a_worker_ends_with_a_parent_that_is_killed(tmp_path: os.PathLike[str]) -> None:
    program = os.path.join(tmp_path, "parent.py")
    with open(program, "w") as file:
        file.write(_PARENT)
    parent = subprocess.Popen(
        [sys.executable, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(lambda: not _runs(worker), "the worker ended")
    parent.stdout.close()
    parent.stdin.close()


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
