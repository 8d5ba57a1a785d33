"""Reading journal batches, in processes of their own where there are many: signatures, lines, canonical form.

Whole batches go out as they are and come back as flat rows, so that what crosses between processes is a
third of what was read. A worker ends when the process that started it does: its input ends.

``python -m archive.integrity.rebuild.journal_worker`` is such a worker. Both ways it speaks in frames: eight
bytes of length, then a value in Python's own marshal form, since both ends are one program on one machine.
"""

import marshal
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Unavailable
from archive.model import leaf as leaves
from archive.model.line import SegmentLine
from archive.model.segment import Segment
from archive.records import journal

RawBatch = tuple[str, bytes]
"""Key and bytes of a journal object."""

Keys = Mapping[str, Mapping[str, bytes]]
"""Raw public keys by recorder and fingerprint."""

_WORTH = 6 << 20
"""Bytes after which workers are started: fewer are read sooner than a process begins."""


class DecodedBatch(NamedTuple):
    """One batch as flat as it can be.

    ``segments`` are tuples of camera, recorder, run, seq, start, end, media duration, SHA-256, size, header
    bytes, codec, gop and key; ``others`` the lines of runs and gaps. ``trouble`` is the code and sentence of
    what is wrong with the batch; the rest is then empty.
    """

    key: str
    recorder: str
    number: int
    segments: list[tuple[Any, ...]]
    others: list[bytes]
    trouble: tuple[str, str] | None


def decode_batches(
    batches: Sequence[RawBatch], known: Mapping[str, Mapping[str, Ed25519PublicKey]]
) -> list[DecodedBatch]:
    """Judge and read batches, each by itself."""
    return [_decode(key, raw, known) for key, raw in batches]


def _decode(key: str, raw: bytes, known: Mapping[str, Mapping[str, Ed25519PublicKey]]) -> DecodedBatch:
    try:
        recorder, number = keys.parse_batch_key(key)
        found = journal.verify_lines(raw, known.get(recorder, {}))
        if (found.recorder, found.batch) != (recorder, number):
            raise IntegrityError(f"{key} holds another batch", code="journal_form")
    except ArchiveError as error:
        return DecodedBatch(key, "", 0, [], [], (error.code, error.message))
    segments: list[tuple[Any, ...]] = []
    others: list[bytes] = []
    for leaf in found.leaves:
        if isinstance(leaf, SegmentLine):
            segments.append(leaf[:13])
        elif isinstance(leaf, Segment):
            segments.append(
                (
                    leaf.camera, leaf.recorder, leaf.run, leaf.seq, leaf.span.start, leaf.span.end,
                    leaf.media_duration, leaf.sha256, leaf.size, leaf.header_bytes, leaf.codec, leaf.gop,
                    leaf.key,
                )
            )  # fmt: skip
        else:
            others.append(leaves.encode(leaf))
    return DecodedBatch(key, recorder, number, segments, others, None)


class Decoders:
    """Reads batches here at first, and in worker processes once there is much to read.

    Use it as a context manager; workers end with it.
    """

    def __init__(
        self, known: Mapping[str, Mapping[str, Ed25519PublicKey]], *, workers: int | None = None
    ) -> None:
        self._known = known
        self.workers = max(1, (os.cpu_count() or 1) - 1) if workers is None else workers
        self._seen = 0
        self._pool: ThreadPoolExecutor | None = None
        self._mine = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []
        self._starting = threading.Lock()

    def __enter__(self) -> "Decoders":
        return self

    def __exit__(self, *problem: object) -> None:
        for process in self._started:
            process.terminate()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        for process in self._started:
            process.wait()
            for end in (process.stdin, process.stdout):
                if end is not None:
                    end.close()

    def submit(self, batches: Sequence[RawBatch]) -> "Future[list[DecodedBatch]]":
        """Read batches, at once or soon."""
        self._seen += sum(len(raw) for _, raw in batches)
        if self._pool is None and self._seen > _WORTH and self.workers:
            self._pool = ThreadPoolExecutor(self.workers, "decode")
        if self._pool is not None:
            return self._pool.submit(self._elsewhere, batches)
        done: Future[list[DecodedBatch]] = Future()
        done.set_result(decode_batches(batches, self._known))
        return done

    def _elsewhere(self, batches: Sequence[RawBatch]) -> list[DecodedBatch]:
        process = getattr(self._mine, "process", None) or self._start()
        try:
            write_frame(process.stdin, list(batches))
            answer = read_frame(process.stdout)
        except (OSError, EOFError, ValueError) as error:
            raise _gone() from error
        if answer is None:
            raise _gone()
        return [DecodedBatch(*one) for one in answer]

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", "archive.integrity.rebuild.journal_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with self._starting:
            self._started.append(process)
        self._mine.process = process
        raw = {
            recorder: {name: key.public_bytes_raw() for name, key in found.items()}
            for recorder, found in self._known.items()
        }
        write_frame(process.stdin, raw)
        return process


def _gone() -> Unavailable:
    return Unavailable(
        "a process that reads journals ended",
        code="rebuild_worker",
        hint="See the memory of this machine; run it again.",
    )


def write_frame(target: IO[bytes] | None, value: Any) -> None:
    """Send one value. Raises OSError where nobody listens."""
    if target is None:
        raise EOFError
    packed = marshal.dumps(value)
    target.write(len(packed).to_bytes(8, "big"))
    target.write(packed)
    target.flush()


def read_frame(source: IO[bytes] | None) -> Any:
    """The next value, or None where there is none any more."""
    head = b"" if source is None else source.read(8)
    if source is None or len(head) < 8:
        return None
    return marshal.loads(source.read(int.from_bytes(head, "big")))  # noqa: S302 - from our own other end
