"""Rebuilding the index from very many segments: SQLite and Elasticsearch.

The journals are real: signed batches in a folder, as recorders upload them. The footage is not real: half a
million objects would measure the disk. Its listing comes from memory, with the real names, so the rebuild
does all its work with a listing, and only the store's own time is missing from the figures.
"""

import base64
import hashlib
import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from elasticsearch import Elasticsearch, helpers

from archive import keys
from archive.clock import ManualClock
from archive.footage.cameras import CameraForm, Registry
from archive.model.camera import parse_place
from archive.model.segment import ClockStatement, Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, ObjectVersion, Stores
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, hour_of
from archive.vault import FernetBox, new_key
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.installation import PLACE
from ops.bench.workbench import Workbench
from search.elastic import schema, wire
from search.index import Index
from search.locations import open_index
from search.query import SegmentQuery
from search.rebuilding import rebuild_index

SUBJECT = "rebuild"
RECORDER = "rec-bench"
_NOMINAL = 10 * SECOND
_T0 = hour_of(1_795_500_000_000_000)
_CAMERAS, _FEW_CAMERAS = 100, 10
_SQLITE_US, _OF_PLAIN = 20.0, 1.25
PLAIN, PLAIN_BATCH = "bench-plain", 2000


@dataclass(frozen=True, slots=True)
class _Took:
    rebuilt: float
    hours: float
    found: int


class ListedFootage:
    """A footage bucket that knows only names, with only the methods that a rebuild uses."""

    def __init__(self) -> None:
        self._folders: dict[str, list[ObjectVersion]] = {}
        self._names: list[str] = []

    def keep(self, segment: Segment) -> None:
        """Add the segment's object to the listing."""
        key = segment.key
        version = ObjectVersion(key, segment.sha256, segment.size, segment.ingested_at)
        self._folders.setdefault(f"{key.rpartition('/')[0]}/", []).append(version)
        self._names = []

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """As :meth:`archive.ports.ObjectStore.list`."""
        whole = self._folders.get(prefix)
        if whole is not None and not start_after:
            yield from whole
            return
        if not self._names:
            self._names = sorted(self._folders)
        # The folder before the position may hold keys after it.
        for name in self._names[max(0, bisect_right(self._names, start_after) - 1) :]:
            if name.startswith(prefix):
                yield from (one for one in self._folders[name] if one.key > start_after)


def make_archive(folder: Path, *, cameras: int, hours: int) -> tuple[Stores, int]:
    """Journals of ``cameras`` over ``hours``, one batch a minute, and how many segments they name."""
    clock = ManualClock(_T0 - DAY)
    records = FilesystemStore(folder / "records", clock)
    footage = ListedFootage()
    stores = Stores(footage, records, records)  # type: ignore[arg-type]
    ledger = Ledger(records, clock)
    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes_raw()
    ledger.append(
        "recorder", RECORDER, {"public_key": base64.b64encode(raw).decode("ascii")}, expected=0,
        actor="os:bench", action="recorder.registered",
    )  # fmt: skip
    lat, lon, kecamatan, kelurahan, owner = PLACE
    registry = Registry(ledger, FernetBox(new_key()), _NoIndex(), clock)  # type: ignore[arg-type]
    for number in range(cameras):
        form = CameraForm(
            id=f"cam-{number}", source="rtsp://10.0.0.7/stream", name=f"Camera {number}", lat=lat, lon=lon,
            kecamatan=kecamatan, kelurahan=kelurahan, owner=owner, view="public", segment_seconds="10",
        )  # fmt: skip
        registry.add(form, actor="os:bench")
    prev, total = journal.GENESIS, 0
    for minute in range(hours * 60):
        at = _T0 + minute * MINUTE
        lines = [
            _segment(number, at + part * _NOMINAL)
            for part in range(MINUTE // _NOMINAL)
            for number in range(cameras)
        ]
        for one in lines:
            footage.keep(one)
        content = journal.encode(
            lines, recorder=RECORDER, batch=minute + 1, prev=prev, at=at + MINUTE, key=key
        )
        records.put(keys.journal_key(RECORDER, minute + 1, at + MINUTE), Content.of_bytes(content))
        prev, total = journal.digest_of(content), total + len(lines)
    return stores, total


def measure(bench: Workbench) -> Findings:
    """Rebuild into both kinds of index, then query the hours of all cameras."""
    began = time.monotonic()
    hours = 1 if bench.scale.is_brief else 10
    count = _FEW_CAMERAS if bench.scale.is_brief else _CAMERAS
    bench.say("rebuild: making the journals")
    stores, total = make_archive(bench.scratch("rebuild"), cameras=count, hours=hours)
    query = SegmentQuery(span=Timespan(_T0, _T0 + hours * HOUR))
    bench.say("rebuild: SQLite")
    sqlite = open_index(f"sqlite:///{bench.scratch('rebuild-sqlite')}/index.sqlite")
    into_sqlite = _rebuilt(stores, sqlite, query)
    sqlite.close()
    servers = bench.stores("rebuild-stores")
    elastic = open_index(servers.env()["SAKSI_TEST_ELASTIC_URL"], prefix="bench-rebuild")
    bench.say("rebuild: plain bulk into Elasticsearch")
    plain = _plain(servers.env()["SAKSI_TEST_ELASTIC_URL"], count, total // count)
    bench.say("rebuild: Elasticsearch")
    into_elastic = _rebuilt(stores, elastic, query)
    elastic.close()
    us = {name: took.rebuilt / total * 1e6 for name, took in (("s", into_sqlite), ("e", into_elastic))}
    plain_us = plain / total * 1e6
    return bench.findings(
        SUBJECT,
        "Rebuilding the index",
        seconds=time.monotonic() - began,
        conditions=(
            f"{total} segments of {count} cameras in {hours * 60} signed journal batches. Signatures and "
            "every line are verified, every object is looked up in a listing, hours are settled, and the "
            "index is switched. The listing is answered from memory: a store's own time comes on top.",
            f"Plain bulk: helpers.bulk of the Elasticsearch client, {PLAIN_BATCH} documents at a time, with "
            "the same documents made beforehand and the same settings: no refresh before the end. Nothing is "
            "read or verified, no hours are computed and nothing is switched.",
        ),
        figures=(
            Figure(
                name="Rebuild into SQLite", unit="µs per segment", ours=us["s"], limit=_SQLITE_US,
                rule="≥ 50,000 segments/s",
            ),
            Figure(
                name="Rebuild into Elasticsearch", unit="µs per segment", ours=us["e"], peer=plain_us,
                peer_name="plain bulk", limit=plain_us * _OF_PLAIN, rule="≥ 0.8 × plain bulk",
            ),
        ),
        tables=(
            Table(
                "Segments per second",
                ("work", "SQLite", "Elasticsearch"),
                (
                    ("rebuild", f"{1e6 / us['s']:.0f}", f"{1e6 / us['e']:.0f}"),
                    ("plain bulk", "", f"{1e6 / plain_us:.0f}"),
                    (
                        "hours of all cameras, ms",
                        short(into_sqlite.hours * 1e3),
                        short(into_elastic.hours * 1e3),
                    ),
                ),
            ),
        ),
    )  # fmt: skip


def _rebuilt(stores: Stores, index: Index, query: SegmentQuery) -> _Took:
    at = time.perf_counter()
    rebuild_index(stores, index)
    took = time.perf_counter() - at
    at = time.perf_counter()
    found = len(index.hours(query))
    return _Took(took, time.perf_counter() - at, found)


def _plain(url: str, cameras: int, each: int) -> float:
    """Seconds that the client's own bulk helper takes for the same documents, prepared beforehand."""
    place = parse_place(*PLACE)
    template = schema.unrefreshed(schema.templates(PLAIN)[f"{PLAIN}-segments"]["template"])
    entries = (
        IndexEntry(leaf=_segment(number, _T0 + part * _NOMINAL), place=place, version="v1")
        for part in range(each)
        for number in range(cameras)
    )
    actions = [
        {"_index": PLAIN, "_id": write.id, "_source": write.document}
        for write in (wire.write_of(entry) for entry in entries)
    ]
    return bulk_plainly(url, template, actions)


def bulk_plainly(url: str, template: dict[str, Any], actions: Sequence[dict[str, Any]]) -> float:
    """Seconds that the client's own bulk helper takes for documents of the index :data:`PLAIN`."""
    with Elasticsearch(url, request_timeout=60) as client:
        client.indices.create(index=PLAIN, **template)
        at = time.perf_counter()
        helpers.bulk(client, actions, chunk_size=PLAIN_BATCH)
        client.indices.refresh(index=PLAIN)
        took = time.perf_counter() - at
        client.indices.delete(index=PLAIN)
    return took


def _segment(number: int, start: int) -> Segment:
    start += number * 7919
    return Segment(
        camera=f"cam-{number}", recorder=RECORDER, run=f"6a15{number:012x}", seq=(start - _T0) // _NOMINAL,
        span=Timespan(start, start + _NOMINAL), media_duration=900_000,
        sha256=hashlib.sha256(f"{number}/{start}".encode()).hexdigest(), size=2_500_000,
        header_bytes=3300, codec="h264", gop="closed", frames=150, camera_time=None,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
        ingested_at=start + _NOMINAL,
    )  # fmt: skip


class _NoIndex:
    """Takes the registry's writes and drops them: here the rebuild writes cameras into the index."""

    def put_document(self, kind: str, entity: str, version: int, state: object) -> None:
        """Keep nothing."""
