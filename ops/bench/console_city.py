"""A city for the pages: many cameras, a month of coverage, footage to play, a person of each role."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path

from archive.clock import ManualClock
from archive.footage.cameras import CameraForm, Registry
from archive.integrity.rebuild import SegmentRow
from archive.model.areas import Area, Level
from archive.model.camera import parse_place
from archive.model.user import Role, User
from archive.timespan import DAY, HOUR, MINUTE, Timespan, hour_of
from ops.bench import city
from ops.bench.installation import Installation, lay_down, record_raw
from ops.bench.workbench import Workbench
from ops.wiring import Site

WALL = 9
"""Cameras that play together, and whose month is drawn together."""

PEOPLE = (
    User(id="dewi", name="Dewi Anggraini", roles=(Role.POLICE,), agency=city.AGENCY),
    User(id="citra", name="Citra Lestari", roles=(Role.WAR_ROOM,)),
    User(id="erna", name="Erna Daeng", roles=(Role.KECAMATAN,), districts=("73.71.01",)),
    User(id="ada", name="Ada Paramita", roles=(Role.ADMIN,)),
    User(id="indra", name="Indra Halim", roles=(Role.AUDITOR,)),
)
_SOUTH, _NORTH, _WEST, _EAST = -5.2320, -5.0640, 119.3880, 119.5370
_SEED, _LOADED, _WRITERS, _TOLD = 20261129, 20_000, 8, 500
_NOMINAL = 5 * MINUTE
_LOST = 0.1
"""The share of a month's segments before which a gap of up to half an hour begins: most hours have one."""


@dataclass(frozen=True, slots=True)
class City:
    """``wall`` are cameras with a month in the index and a minute of footage; ``long`` has more footage."""

    cameras: int
    wall: tuple[str, ...]
    month: Timespan
    minute: Timespan
    long: str
    hour: Timespan


def build(bench: Workbench, made: Installation, loop: Path, *, cameras: int, days: int, seconds: int) -> City:
    """Create the city in an empty installation."""
    with made.site() as site:
        end = hour_of(site.clock.now()) - 2 * HOUR
        month = Timespan(end - days * DAY, end)
        wall = tuple(f"simpang-{number}" for number in range(WALL))
        forms = list(_forms(site, cameras))
        bench.say(f"console: {days} days of {WALL} cameras into the index")
        _index(site, wall, month)
        bench.say(f"console: {len(forms)} cameras into the registry")
        _register(bench, site, forms, ManualClock(month.start - DAY))  # so that the month's gaps are known
        bench.say("console: footage and people")
        start = end + HOUR
        minute = Timespan(start, start + min(MINUTE, seconds * 1_000_000))
        folder = bench.scratch("raw-wall")
        raw = record_raw(bench.ffmpeg.path, loop, folder, minute.duration // 1_000_000)
        for name in wall:  # the same footage for each
            lay_down(site, name, raw, start, bench.scratch(f"wall-{name}"))
        folder = bench.scratch("raw-long")
        hour = lay_down(
            site, "karebosi", record_raw(bench.ffmpeg.path, loop, folder, seconds), start, folder
        )  # fmt: skip
        city.admit(site, PEOPLE)
    return City(len(forms), wall, month, minute, "karebosi", hour)


def _forms(site: Site, count: int) -> Iterator[CameraForm]:
    """Cameras in each kelurahan by turns, scattered about its middle, each with a direction."""
    chance = random.Random(_SEED)  # noqa: S311 - where cameras stand is no secret
    areas: list[Area] = [area for area in site.areas if area.level is Level.KELURAHAN]
    middles = {
        area.code: (chance.uniform(_SOUTH, _NORTH), chance.uniform(_WEST, _EAST)) for area in areas
    }  # fmt: skip
    names = [f"simpang-{number}" for number in range(WALL)]
    names += ["karebosi", *(f"kamera-{number:04d}" for number in range(count - WALL - 1))]
    for number, name in enumerate(names[:count]):
        area = areas[number % len(areas)]
        lat, lon = middles[area.code]
        yield CameraForm(
            id=name, source=f"rtsp://192.0.2.1/{name}",
            name=f"{area.name} {number // len(areas) + 1}", lat=_degrees(lat + chance.gauss(0, 0.004)),
            lon=_degrees(lon + chance.gauss(0, 0.004)), kecamatan=area.parent, kelurahan=area.code,
            owner="public", view="public", segment_seconds="10", bearing=str(chance.randrange(360)),
            field_of_view="90", reach_m="60", address=f"Jl. {area.name} {chance.randrange(1, 200)}",
        )  # fmt: skip


def _register(bench: Workbench, site: Site, forms: list[CameraForm], since: ManualClock) -> None:
    registry = Registry(site.ledger, site.secrets, site.index, since, site.source_rule, areas=site.areas)
    with ThreadPoolExecutor(_WRITERS) as pool:
        added = pool.map(lambda form: registry.add(form, actor="os:bench", others={}), forms)
        for number, _ in enumerate(added, 1):
            if number % _TOLD == 0:
                bench.say(f"console: {number} cameras are registered")


def _degrees(value: float) -> str:
    return format(Decimal(value).quantize(Decimal("0.000001")), "f")


def _index(site: Site, names: tuple[str, ...], month: Timespan) -> None:
    rows = (row for name in names for row in _rows(name, month))
    with site.index.rebuild() as fresh:
        while part := list(islice(rows, _LOADED)):
            fresh.load(part)
        fresh.loaded()
        fresh.mark_whole()
    while site.bare_index.settle_hours():
        pass


def _rows(name: str, month: Timespan) -> Iterator[SegmentRow]:
    chance = random.Random(name)  # noqa: S311 - when a camera fails is no secret
    place = parse_place("-5.143600", "119.407100", "73.71.01", "73.71.01.1001", "public")
    at, seq = month.start, 0
    while at < month.end:
        if chance.random() < _LOST:
            at += chance.randrange(1, 180) * MINUTE // 6
            continue
        yield SegmentRow(
            camera=name, recorder="rec-bench", run="6a15000000000001", seq=seq, start=at, end=at + _NOMINAL,
            media_duration=27_000_000, sha256=f"{seq:064x}", size=12_500_000, header_bytes=3300, codec="h264",
            gop="closed", uncertainty_us=40_000, version="v1", held=False, place=place,
        )  # fmt: skip
        at, seq = at + _NOMINAL, seq + 1
