"""Both indices for one suite, and entries to fill them with."""

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ArchiveError
from archive.model.camera import Place, parse_place
from archive.model.gap import Gap, RunEnd
from archive.model.segment import Run, Segment, SegmentRef
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, Timespan
from search.index import Index
from search.locations import open_index
from search.paging import position
from search.query import SegmentQuery
from tests.support.leaves import RUN, T0

DAY_OF_T0 = Timespan(T0 - 12 * HOUR, T0 + 12 * HOUR)
ANY = SegmentQuery(span=DAY_OF_T0)
HOME = parse_place("-5.147665", "119.432732", "73.71.13", "73.71.13.1001", "public")
"""Rappocini, Kota Makassar."""


@dataclass(frozen=True, slots=True)
class IndexUnderTest:
    """One index, and a way to open it again as another process would."""

    kind: str
    url: str
    prefix: str
    index: Index

    def reopened(self) -> Index:
        """Another connection to the same index."""
        return open_index(self.url, prefix=self.prefix)


@pytest.fixture(params=["sqlite", "elastic"])
def under_test(request: pytest.FixtureRequest) -> Iterator[IndexUnderTest]:
    """An empty index of each kind."""
    if request.param == "sqlite":
        folder: Path = request.getfixturevalue("tmp_path")
        url, prefix = f"sqlite://{folder}/index.sqlite", "saksi"
    else:
        prefix = request.getfixturevalue("fresh_index_prefix")
        url = request.getfixturevalue("elastic_server").url
    index = open_index(url, prefix=prefix)
    yield IndexUnderTest(request.param, url, prefix, index)
    index.close()


@pytest.fixture
def index(under_test: IndexUnderTest) -> Index:
    """The index of :func:`under_test`."""
    return under_test.index


def place(
    *, lat: float = -5.147665, lon: float = 119.432732, kecamatan: str = "73.71.13", owner: str = "public"
) -> Place:
    """A place, by default the centre of Rappocini."""
    return parse_place(str(lat), str(lon), kecamatan, f"{kecamatan}.1001", owner)


def entry(leaf: Segment | Gap, where: Place | None = HOME, **facts: str | bool) -> IndexEntry:
    """A leaf on its way into the index."""
    return replace(IndexEntry(leaf=leaf, place=where), **facts)  # type: ignore[arg-type]


def with_span(segment: Segment, start: int, end: int) -> Segment:
    """The segment, at another time."""
    return replace(segment, span=Timespan(start, end))


def all_pages(index: Index, query: SegmentQuery, *, limit: int = 1000) -> list[SegmentRef]:
    """Every match, page by page."""
    found: list[SegmentRef] = []
    cursor: str | None = None
    while True:
        page = index.search(query, limit=limit, cursor=cursor)
        found.extend(page.items)
        if page.next is None:
            return found
        cursor = page.next


def in_order(segments: Sequence[SegmentRef]) -> list[SegmentRef]:
    """Segments in the order of pages."""
    return sorted(segments, key=position)


def run_id(number: int) -> str:
    """A run id."""
    return f"{number:016x}"


def free_port() -> int:
    """A port on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def tiny_disk() -> Iterator[Callable[[int], Path]]:
    """Mounts a tmpfs of some KiB; skips if this account may not mount."""
    folder = Path(f"/tmp/saksi-tiny-{secrets.token_hex(6)}")
    folder.mkdir()

    def mount(kibibytes: int) -> Path:
        if os.system(f"mount -t tmpfs -o size={kibibytes}k tmpfs {folder} 2>/dev/null") != 0:  # noqa: S605
            pytest.skip("this account may not mount a tmpfs")
        return folder

    yield mount
    os.system(f"umount -l {folder} 2>/dev/null")  # noqa: S605
    folder.rmdir()


def ask(start: int, end: int, **filters: Any) -> SegmentQuery:
    """A query."""
    return replace(SegmentQuery(span=Timespan(start, end)), **filters)


def refused_with(kind: type[ArchiveError], code: str, act: Callable[[], object]) -> ArchiveError:
    """The error that a call must raise; it must have a hint."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    assert caught.value.hint
    return caught.value


def everything(index: Index) -> tuple[object, ...]:
    """Answers to one query of each kind, for comparison."""
    return (
        index.search(ANY, limit=1000),
        index.runs(ANY),
        index.gap_records(ANY),
        index.pauses(ANY),
        index.hours(ANY),
        index.cameras(ANY),
        index.high_water("cam-1"),
        index.run(RUN),
    )


def finished_run() -> Run:
    """The record of a run of forty segments."""
    return Run(
        camera="cam-1",
        recorder="rec-1",
        run=RUN,
        span=Timespan(T0, T0 + 400 * SECOND),
        segments=40,
        reason=RunEnd.UNREACHABLE,
        ingested_at=T0 + 401 * SECOND,
    )
