"""``python -m ops.bench.filling``: fill one index with a city, in a process of its own.

Standard input holds one JSON object: ``url``, ``prefix``, and the fields of :class:`Amount`. One line of
progress goes to standard error for each million records.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from subprocess import PIPE, Popen
from typing import Any

from archive.errors import Unavailable
from archive.ports import Record
from archive.timespan import HOUR
from ops.bench import records, where
from search.index import Index
from search.locations import open_index

_TOLD = 1_000_000


@dataclass(frozen=True, slots=True)
class Amount:
    """How much an index holds: ``cameras`` × ``hours`` in segments of ``length`` µs, and records.

    Every camera has footage without gaps.
    """

    cameras: int
    hours: int
    length: int
    events: int = 0
    requests: int = 0
    packages: int = 0

    @property
    def segments(self) -> int:
        """The number of segments."""
        return self.cameras * self.hours * (HOUR // self.length)


def start(url: str, prefix: str, amount: Amount) -> Popen[bytes]:
    """Begin to fill the index in another process; :func:`end` waits for it."""
    child = Popen([sys.executable, "-m", "ops.bench.filling"], stdin=PIPE, env=dict(os.environ))
    assert child.stdin is not None  # noqa: S101 - a pipe was asked for
    child.stdin.write(json.dumps({"url": url, "prefix": prefix, **asdict(amount)}).encode())
    child.stdin.close()
    return child


def end(child: Popen[bytes]) -> None:
    """Wait until the index is full. Raises Unavailable ``bench_failed``."""
    if child.wait() != 0:
        raise Unavailable("an index could not be filled", code="bench_failed")


def fill(index: Index, amount: Amount, name: str) -> None:
    """Fill a fresh index, put it in the place of the old one, and settle its hours."""
    with index.rebuild() as fresh:
        where.load(fresh, amount.cameras, amount.hours, amount.length)
        _say(f"{name}: {amount.segments} segments")
        _put(fresh, amount, name)
        fresh.loaded()
        fresh.mark_whole()
    while index.settle_hours():
        pass
    _say(f"{name}: settled")


def _put(fresh: Index, amount: Amount, name: str) -> None:
    every: Iterable[Record] = chain(
        records.events(amount.events), records.requests(amount.requests), records.packages(amount.packages)
    )
    put = 0
    for part in records.parts(every):
        fresh.put_records(part)
        put += len(part)
        if put % _TOLD == 0:
            _say(f"{name}: {put} records")


def _say(line: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()


def main() -> None:
    """Fill the index that standard input describes."""
    asked: Mapping[str, Any] = json.load(sys.stdin)
    fields = {name: value for name, value in asked.items() if name not in {"url", "prefix"}}
    index = open_index(asked["url"], prefix=asked["prefix"])
    try:
        fill(index, Amount(**fields), asked["prefix"])
    finally:
        index.close()


if __name__ == "__main__":
    main()
