"""A small installation behind the HTTP API: real stores in a folder, a real index, real footage.

Camera ``cam-1`` has three segments of numbered frames from :data:`T0`, then a gap of cause ``unreachable``,
then three more; ``cam-2`` is registered and has no footage. A :class:`ManualClock` shows half an hour later.
"""

import asyncio
import functools
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.directory import CameraDirectory
from api.services import ApiSettings, Services
from archive import keys as archive_keys
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.footage.cameras import CameraForm
from archive.footage.derive import StillMaker
from archive.footage.heard import statement_of
from archive.footage.mp4.finalise import Finalised
from archive.footage.reader import recorded_leaf
from archive.footage.skim.decoding import Decoder
from archive.footage.viewing_copy import CopyMaker
from archive.model import leaf as leaves
from archive.model.camera import parse_place
from archive.model.custody import CustodyEvent
from archive.model.gap import Gap, GapCause
from archive.model.segment import TIMESCALE, ClockStatement, Segment, SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, Lock, Record, RecordQuery, Stored
from archive.records import journal
from archive.records.custody import decode
from archive.records.custody_report.record import CustodyRecord
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, format_instant
from ops import keys, wiring
from ops.evidence import Evidence
from ops.serving import services_of
from ops.settings import Settings
from ops.tokens import token_file
from recorder.identity import register
from search.index import Index
from tests.support.numbered import DEFAULT_FFMPEG, finalised_run, recorded_segments
from tests.support.recordings import OTHER_RUN, RUN

T0 = 1_795_500_000_000_000
"""2026-11-24T14:00:00+08:00."""

CAMERA, EMPTY_CAMERA = "cam-1", "cam-2"
PLACE = parse_place("-5.143600", "119.407100", "73.71.01", "73.71.01.1001", "public")
SECRET = "hunter2"
CLIP = f"/v1/cameras/{CAMERA}/clip.mp4"
DESCRIPTION = f"/v1/cameras/{CAMERA}/clip"
PLAYLIST = f"/v1/cameras/{CAMERA}/playlist.m3u8"
FRAME = f"/v1/cameras/{CAMERA}/frame.jpg"
GAP_SECONDS = 20
SYNCHRONISED = ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000)


@dataclass(slots=True)
class Site:
    """One installation. ``first`` and ``second`` are the runs before and after the gap;
    ``evidence`` has the worker that seals."""

    services: Services
    app: FastAPI
    token: str
    clock: ManualClock
    first: list[SegmentRef]
    second: list[SegmentRef]
    evidence: Evidence

    @property
    def headers(self) -> dict[str, str]:
        """What a caller with the token sends."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def gap(self) -> Timespan:
        """Where there is no footage between the two runs."""
        return Timespan(self.first[-1].span.end, self.second[0].span.start)

    @property
    def call(self) -> "Caller":
        """Calls the application with the token."""
        return Caller(self.app, self.headers)

    def events(self, event_type: str | None = None) -> list[CustodyEvent]:
        """The custody events, in the order they were written."""
        records = self.services.stores.records
        # Everything, not a span: some tests stand at T0, others at the time of day they are run.
        found = [
            event for listed in records.list("custody/") for event in decode(records.get(listed.key)).events
        ]
        return [event for event in found if event_type is None or event.type == event_type]

    def remade(self, **changed: Any) -> FastAPI:
        """Another application over the same installation, with some parts replaced."""
        if "index" in changed:
            index, services = changed["index"], self.services
            record = CustodyRecord(services.stores, services.ledger, self.clock, index)
            changed = {"directory": CameraDirectory(index, self.clock), "custody_record": record, **changed}
        return create_app(replace(self.services, metrics=CollectorRegistry(), **changed))


def instant(text_after_t0: float) -> str:
    """A time some seconds after :data:`T0`, as callers write it."""
    return format_instant(T0 + round(text_after_t0 * SECOND))


def span(start: float, end: float, **more: str) -> dict[str, str]:
    """The query parameters of a span in seconds after :data:`T0`."""
    return {"from": instant(start), "to": instant(end), **more}


ASKED = span(3.3, 14.05)
"""A clip that begins between keyframes and crosses a segment border."""


def camera_json(camera: str) -> dict[str, Any]:
    """A camera as a caller registers it, in its own district."""
    return {
        "id": camera,
        "source": f"rtsp://viewer:{SECRET}@192.0.2.9/1?key={SECRET}",
        "name": "Masjid Raya",
        "lat": -5.133,
        "lon": 119.416,
        "kecamatan": "73.71.02",
        "kelurahan": "73.71.02.1001",
        "owner": "worship",
        "view": "public",
        "reason": "Permit 7/2026",
    }


class Following:
    """The index of a site whose job ``follow`` runs in the time of the test: whenever its clock has moved."""

    def __init__(self, site: wiring.Site) -> None:
        self._index = site.index
        self._follower = site.follower()
        self._clock = site.clock
        self._turn = threading.Lock()
        self._due = 0

    def find_records(self, query: RecordQuery, *, limit: int) -> Sequence[Record]:
        """As the index, after the job's turn."""
        self._follow()
        return self._index.find_records(query, limit=limit)

    def count_records(self, query: RecordQuery, *, most: int) -> int:
        """As the index, after the job's turn."""
        self._follow()
        return self._index.count_records(query, most=most)

    def record_marks(self, name: str) -> Mapping[str, int]:
        """As the index, after the job's turn."""
        self._follow()
        return self._index.record_marks(name)

    def _follow(self) -> None:
        with self._turn:
            if self._clock.now() >= self._due:
                self._follower.run()
                self._due = self._clock.now() + 3 * SECOND

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


@functools.cache
def _footage(variant: str) -> tuple[tempfile.TemporaryDirectory[str], list[tuple[Path, Finalised]]]:
    folder = tempfile.TemporaryDirectory(prefix="saksi-api-site-")
    where = Path(folder.name)
    recorded = recorded_segments(variant, 30, where)
    return folder, finalised_run(recorded, where / "finalised")


def made_footage(variant: str = "h264-closed") -> list[tuple[Path, Finalised]]:
    """The finalised segments of :func:`open_site`, to archive again: for another camera or another time."""
    return _footage(variant)[1]


@contextmanager
def open_site(
    folder: Path,
    *,
    clock: ManualClock | None = None,
    settings: ApiSettings | None = None,
    variant: str | None = "h264-closed",
    environ: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Make an installation in a folder; ``variant`` None leaves it without footage.

    ``environ`` holds more settings, such as those of a real server.
    """
    now = clock or ManualClock(T0 + HOUR // 2)
    with wiring.Site(Settings.load({"SAKSI_HOME": str(folder), **(environ or {})}), now) as wired:
        keys.init(wired.settings.keys_dir, clock=now)
        ffmpeg = Path(DEFAULT_FFMPEG)
        services = replace(
            services_of(wired),
            stills=StillMaker(ffmpeg),
            copies=CopyMaker(ffmpeg),
            skimmer=wired.skimmer(Decoder(ffmpeg)),
        )
        # The clock stands still and tests call fast, so limits are off; a test of limits sets its own.
        services = replace(
            services, settings=replace(services.settings, hosts=(), rates=None, rest=0, beat=0, events_life=0)
        )
        if settings is not None:
            services = replace(services, settings=settings)
        index = cast(Index, Following(wired))
        record = CustodyRecord(wired.stores, wired.ledger, now, index, settle=wired.own_events.settle)
        services = replace(services, index=index, custody_record=record)
        token = token_file(wired).create("first", now)
        here = now.now()
        now.step(T0 - MINUTE - here)
        for camera in (CAMERA, EMPTY_CAMERA):
            services.registry.add(camera_form(camera), actor="os:test")
        now.step(here - now.now())
        if variant is None:
            yield Site(services, create_app(services), token, now, [], [], Evidence(wired, {}))
            return
        made = _footage(variant)[1]
        first = archive_run(services, made, run=RUN, start=T0)
        second = archive_run(services, made, run=OTHER_RUN, start=first[-1].span.end + GAP_SECONDS * SECOND)
        missing = Gap(
            camera=CAMERA,
            recorder="rec-1",
            gap="6a15000000000009",
            span=Timespan(first[-1].span.end, second[0].span.start),
            cause=GapCause.UNREACHABLE,
            ingested_at=second[0].span.start,
        )
        services.index.add([IndexEntry(leaf=missing, place=PLACE)])
        write_journal(wired, [*first, *second], [missing])
        yield Site(services, create_app(services), token, now, first, second, Evidence(wired, {}))


def write_journal(site: wiring.Site, refs: Sequence[SegmentRef], gaps: Sequence[Gap]) -> None:
    """Upload one signed batch with the leaves of these segments and gaps, by a registered recorder."""
    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    register(site.ledger, "rec-1", key.public_key())
    lines = [*(leaves.decode(recorded_leaf(site.stores.footage, ref)) for ref in refs), *gaps]
    now = site.clock.now()
    data = journal.encode(lines, recorder="rec-1", batch=1, prev=journal.GENESIS, at=now, key=key)
    site.stores.records.put(archive_keys.journal_key("rec-1", 1, now), Content.of_bytes(data))
    site.index.advance_cursor("rec-1", 1)


def archive_run(
    services: Services,
    made: Sequence[tuple[Path, Finalised]],
    *,
    run: str,
    start: int,
    camera: str = CAMERA,
    clock: ClockStatement = SYNCHRONISED,
    pauses: tuple[tuple[int, int], ...] = (),
    made_from: str = "",
) -> list[SegmentRef]:
    """Archive and index the finalised segments of one run, as ingest does, but without the journal.

    ``pauses`` are those that the first of them states, ``made_from`` is what all of them state.
    """
    refs, at = [], start
    for number, (path, result) in enumerate(made):
        ticks = result.media_duration
        segment = Segment(
            camera=camera,
            recorder="rec-1",
            run=run,
            seq=number,
            span=Timespan(at, at + ticks * SECOND // TIMESCALE),
            media_duration=ticks,
            sha256=result.sha256,
            size=result.size,
            header_bytes=result.header_bytes,
            codec=result.header.codec,
            gop=result.header.gop,
            frames=result.frames,
            clock=clock,
            camera_time=None,
            ingested_at=at + 11 * SECOND,
            sound=statement_of(result.header.sound, sent="aac"),
            pauses=() if number else pauses,
            made_from=made_from,
        )
        stored = services.stores.footage.put(
            segment.key,
            Content.of_file(path, sha256=segment.sha256),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
        )
        services.index.add([IndexEntry(leaf=segment, place=PLACE, version=stored.version)])
        refs.append(segment.ref(version=stored.version))
        at = segment.span.end
    return refs


def camera_form(camera: str) -> CameraForm:
    """A camera's registration, with a password in its address."""
    return CameraForm(
        id=camera,
        source=f"rtsp://viewer:{SECRET}@192.0.2.7:554/stream1?token={SECRET}",
        name=f"Jl. Penghibur {camera}",
        lat=format(PLACE.lat, "f"),
        lon=format(PLACE.lon, "f"),
        kecamatan=PLACE.kecamatan,
        kelurahan=PLACE.kelurahan,
        owner=PLACE.owner.value,
        view="public",
    )


class Caller:
    """Calls an application in process, one request at a time, without a server and without its lifespan."""

    def __init__(self, app: FastAPI, headers: Mapping[str, str] | None = None) -> None:
        self._app = app
        self._headers = dict(headers or {})

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer, read whole. ``options`` are httpx's."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.send(method, path, **options))
        # Playwright keeps a loop running in the thread of a test that drives a browser.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self.send(method, path, **options)).result()

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a GET."""
        return self("GET", path, **options)

    def change(self, method: str, path: str, *, of: str, **options: Any) -> httpx.Response:
        """The answer to a change that is conditional on the present state of ``of``."""
        return self(method, path, headers={"If-Match": self.get(of).headers["ETag"]}, **options)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The same in an event loop: requests that run at once share one, as in a server."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=("192.0.2.99", 50123))
        async with httpx.AsyncClient(
            transport=transport, base_url="http://saksi.test", headers=self._headers, trust_env=False
        ) as client:
            return await client.request(method, path, **options)


class FailingPuts(FilesystemStore):
    """A store that refuses every put while ``failing``: a full or lost disk."""

    failing = False

    def put(
        self,
        key: str,
        content: Content,
        *,
        metadata: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        hold: bool = False,
    ) -> Stored:
        """Store, or raise that the store does not answer."""
        if self.failing:
            raise Unavailable("the store does not answer", code="store_unavailable")
        return super().put(key, content, metadata=metadata, lock=lock, hold=hold)
