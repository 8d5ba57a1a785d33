"""A city for the sessions to work in: districts with cameras, hours of index, some footage, people, requests.

Most cameras exist only in the index, because searches and playlists read nothing else. Some have footage in
the store; sessions play and request that footage.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from api.auth.passwords import Passwords
from archive.footage.cameras import CameraForm
from archive.integrity.rebuild import SegmentRow
from archive.model.camera import Place, parse_place
from archive.model.segment import ClockStatement, Segment
from archive.model.user import KIND as USER
from archive.model.user import Role, User, to_state
from archive.ports import IndexEntry
from archive.timespan import HOUR, SECOND, Timespan, hour_of
from ops.accounts import passwords_of
from ops.bench.installation import Installation, add_camera, lay_down, record_raw
from ops.bench.workbench import Workbench
from ops.wiring import Site
from search.index import Index

DISTRICTS = tuple(f"73.71.{number:02d}" for number in range(1, 16))
PASSWORD = "measured at the bench"  # noqa: S105 - of accounts that live as long as the measurement
AGENCY = "polrestabes"
_NOMINAL = 10 * SECOND
_LOADED = 20_000


@dataclass(frozen=True, slots=True)
class City:
    """The data that calls ask for. ``indexed`` is the span of the cameras without footage in the store."""

    cameras: tuple[str, ...]
    watched: tuple[str, ...]
    indexed: Timespan
    footage: Timespan
    people: tuple[User, ...]

    @property
    def segments(self) -> int:
        """How many segments the index holds for the cameras without footage."""
        return len(self.cameras) * self.indexed.duration // _NOMINAL


def build(
    bench: Workbench, made: Installation, loop: Path, *, cameras: int, watched: int, hours: int, people: int
) -> City:
    """Create the city in an empty installation."""
    with made.site() as site:
        end = hour_of(site.clock.now()) - HOUR
        indexed = Timespan(end - hours * HOUR, end)
        names = tuple(f"cam-{number:03d}" for number in range(cameras))
        bench.say(f"sessions: {len(names)} cameras, {hours} h each, into the index")
        _index(site.index, names, indexed)
        _register(site, names)
        bench.say("sessions: footage and people")
        filmed = tuple(f"live-{number}" for number in range(watched))
        footage = _film(bench, site, loop, filmed)
        users = tuple(_people(people))
        admit(site, users)
    return City(names, filmed, indexed, footage, users)


def district_of(number: int) -> str:
    """The district of the camera or person with this number."""
    return DISTRICTS[number % len(DISTRICTS)]


def _place(number: int) -> tuple[str, str, str, str, str]:
    district = district_of(number)
    lat, lon = f"-5.{140000 + 113 * number:06d}", f"119.{410000 + 97 * number:06d}"
    return lat, lon, district, f"{district}.1001", "public"


def _index(index: Index, names: tuple[str, ...], span: Timespan) -> None:
    rows = _rows(names, span)
    with index.rebuild() as fresh:
        while part := list(islice(rows, _LOADED)):
            fresh.load(part)
        fresh.loaded()
        fresh.mark_whole()
    # The last segment of each camera is added in the ordinary way, which sets the high-water mark.
    last = span.end - _NOMINAL
    index.add([_entry(number, name, span, last) for number, name in enumerate(names)])


def _rows(names: tuple[str, ...], span: Timespan) -> Iterator[SegmentRow]:
    for seq, start in enumerate(range(span.start, span.end, _NOMINAL)):
        for number, name in enumerate(names):
            yield SegmentRow(
                camera=name, recorder="rec-bench", run=_run(number), seq=seq, start=start,
                end=start + _NOMINAL, media_duration=900_000, sha256=_sha256(name, seq), size=2_500_000,
                header_bytes=3300, codec="h264", gop="closed", uncertainty_us=40_000,
                version="v1", held=False, place=parse_place(*_place(number)),
            )  # fmt: skip


def _entry(number: int, name: str, span: Timespan, start: int) -> IndexEntry:
    seq = (start - span.start) // _NOMINAL
    leaf = Segment(
        camera=name, recorder="rec-bench", run=_run(number), seq=seq, span=Timespan(start, start + _NOMINAL),
        media_duration=900_000, sha256=_sha256(name, seq), size=2_500_000, header_bytes=3300, codec="h264",
        gop="closed", frames=150, camera_time=None, ingested_at=start + _NOMINAL,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
    )  # fmt: skip
    place: Place = parse_place(*_place(number))
    return IndexEntry(leaf=leaf, place=place, version="v1")


def _run(number: int) -> str:
    return f"6a15{number:012x}"


def _sha256(name: str, seq: int) -> str:
    return hashlib.sha256(f"{name}/{seq}".encode()).hexdigest()


def _register(site: Site, names: tuple[str, ...]) -> None:
    for number, name in enumerate(names):
        lat, lon, kecamatan, kelurahan, owner = _place(number)
        form = CameraForm(
            id=name, source="rtsp://192.0.2.1/stream", name=f"Kamera {number}", lat=lat, lon=lon,
            kecamatan=kecamatan, kelurahan=kelurahan, owner=owner, view="public", segment_seconds="10",
        )  # fmt: skip
        site.registry.add(form, actor="os:bench")


def _film(bench: Workbench, site: Site, loop: Path, names: tuple[str, ...]) -> Timespan:
    """The same footage for each of the cameras, an hour ago."""
    start = site.clock.now() - HOUR
    spans = []
    for name in names:
        folder = bench.scratch(f"raw-{name}")
        raw = record_raw(bench.ffmpeg.path, loop, folder, bench.scale.recorded_seconds)
        add_camera(site, name, "rtsp://192.0.2.1/stream")
        spans.append(lay_down(site, name, raw, start, folder))
    return Timespan(start, min(span.end for span in spans))


def _people(count: int) -> Iterator[User]:
    """Users: half in the War Room, a quarter in the districts, a quarter police."""
    for number in range(count):
        match number % 4:
            case 0 | 1:
                yield User(id=f"warroom-{number:03d}", name=f"Operator {number}", roles=(Role.WAR_ROOM,))
            case 2:
                yield User(
                    id=f"district-{number:03d}", name=f"Petugas {number}", roles=(Role.KECAMATAN,),
                    districts=(district_of(number // 4),),
                )  # fmt: skip
            case _:
                yield User(
                    id=f"police-{number:03d}", name=f"Penyidik {number}", roles=(Role.POLICE,), agency=AGENCY
                )


def admit(site: Site, users: tuple[User, ...]) -> None:
    """Open an account for each, with :data:`PASSWORD`."""
    passwords: Passwords = passwords_of(site)

    def open_account(user: User) -> None:
        site.ledger.append(
            USER, user.id, to_state(user), expected=0, actor="os:bench", action="user.added"
        )  # fmt: skip
        passwords.put(user.id, PASSWORD)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(open_account, users))
