"""``python -m ops.bench.steady``: index new segments at a steady rate, in a process of its own.

Standard input holds one line of JSON: ``url``, ``prefix``, ``rate`` (segments per second) and ``since`` (µs,
the start of the first ones). When standard input ends, the process prints what it added and ends.
"""

import hashlib
import json
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen
from typing import Any

from archive.errors import Unavailable
from archive.model.camera import parse_place
from archive.model.segment import ClockStatement, Segment
from archive.ports import IndexEntry
from archive.timespan import SECOND, Timespan
from ops.bench import where
from ops.bench.installation import PLACE
from search.locations import open_index

_NOMINAL = 10 * SECOND
_BATCHES = 4
"""Batches per second: a host's recorder adds the segments that closed since its last batch."""


@dataclass(slots=True)
class Added:
    """What was indexed meanwhile; filled in when the work ends."""

    segments: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Segments per second."""
        return self.segments / self.seconds if self.seconds else 0.0


@contextmanager
def indexing(url: str, prefix: str, *, rate: int, since: int) -> Iterator[Added]:
    """Index ``rate`` segments per second while the body runs. Raises Unavailable ``bench_failed``."""
    argv = [sys.executable, "-m", "ops.bench.steady"]
    added = Added()
    with Popen(argv, stdin=PIPE, stdout=PIPE, env=dict(os.environ)) as child:
        try:
            asked = json.dumps({"url": url, "prefix": prefix, "rate": rate, "since": since})
            assert child.stdin is not None  # noqa: S101 - a pipe was asked for
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            child.stdin.write(f"{asked}\n".encode())
            child.stdin.flush()
            child.stdout.readline()
            yield added
        finally:
            out, _ = child.communicate()
    if child.returncode != 0:
        raise Unavailable("new segments could not be indexed", code="bench_failed")
    answer = json.loads(out)
    added.segments, added.seconds = answer["segments"], answer["seconds"]


def _entry(camera: int, seq: int, start: int) -> IndexEntry:
    digest = hashlib.sha256(f"live/{camera}/{seq}".encode()).hexdigest()
    leaf = Segment(
        camera=f"live-{camera}", recorder=f"rec-{camera % 40}", run=f"6a16{camera:012x}", seq=seq,
        span=Timespan(start, start + _NOMINAL), media_duration=900_000,
        sha256=digest, size=2_500_000,
        header_bytes=3300, codec="h264", gop="closed", frames=150, camera_time=None,
        ingested_at=start + _NOMINAL,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
    )  # fmt: skip
    return IndexEntry(leaf=leaf, place=parse_place(*PLACE), version=where.version_of(digest))


def _entries(rate: int, since: int) -> Iterator[IndexEntry]:
    """As many cameras as give ``rate`` segments a second, one after the other."""
    cameras = rate * _NOMINAL // SECOND
    seq = 0
    while True:
        for camera in range(cameras):
            yield _entry(camera, seq, since + seq * _NOMINAL + camera * _NOMINAL // cameras)
        seq += 1


def main() -> None:
    """Add batches on time until standard input ends; a late batch is followed by the next at once."""
    asked: Mapping[str, Any] = json.loads(sys.stdin.readline())
    index = open_index(asked["url"], prefix=asked["prefix"])
    entries = _entries(asked["rate"], asked["since"])
    size, added = max(1, asked["rate"] // _BATCHES), 0
    try:
        index.add([next(entries) for _ in range(size)])
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        began = time.monotonic()
        while True:
            due = began + added / asked["rate"]
            ended, _, _ = select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))
            if ended:
                break
            index.add([next(entries) for _ in range(size)])
            added += size
        sys.stdout.write(json.dumps({"segments": added, "seconds": time.monotonic() - began}) + "\n")
    finally:
        index.close()


if __name__ == "__main__":
    main()
