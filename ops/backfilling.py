"""Backfill of a site: what cameras kept themselves, brought in by a recorder of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from archive.errors import ArchiveError, Malformed
from archive.ids import backfiller_of
from archive.model.camera import Camera, from_state
from archive.records.ledger.streams import Entry
from archive.timespan import SpanSet, Timespan
from ops.bringing import bringing
from ops.host_clock import HostClock
from ops.recording import devices_of
from ops.wiring import Site
from recorder.backfill.asking import SOURCE, Asker
from recorder.backfill.fetching import Fetcher
from recorder.backfill.holes import CAUSES, Hole, holes_of
from recorder.backfill.outcomes import Answer, unasked
from recorder.backfill.witnesses import Witnesses
from recorder.binary import find_ffmpeg
from recorder.sources import parse_source

_EVER = 1 << 62
_MOST_PARTS = 100
"""Of how many gaps the footage is asked for one by one."""
PATIENCE_S = 10.0
"""How long a camera may be silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillWish:
    """What is to be asked for: the holes of a camera in a span.

    ``device`` is where it is asked (""; the camera itself, by its registration), ``recording`` the token of
    the recording there ("": found out). ``rate`` bounds the bytes per second.
    """

    camera: Camera
    span: Timespan
    rate: int
    device: str = ""
    recording: str = ""


def barred_in(entries: Iterable[Entry]) -> SpanSet:
    """The time of which nothing of a camera may be recorded, by its entries on record, oldest first.

    That is before it was registered, and while it was disabled.
    """
    barred: list[Timespan] = []
    since: int | None = 0
    for entry in entries:
        is_disabled = from_state(entry.state).disabled
        if since is not None and not is_disabled:
            barred.append(Timespan(since, max(entry.at, since + 1)))
            since = None
        elif since is None and is_disabled:
            since = entry.at
    return SpanSet(barred if since is None else [*barred, Timespan(since, _EVER)])


def holes_in(site: Site, camera: str, span: Timespan) -> list[Hole]:
    """The holes of a camera in a span that it may fill itself, oldest first. Raises Unavailable.

    Of a camera without such gaps nothing else is read, and else the footage of their time alone: a recorder
    asks each minute, and a week has 60,000 segments.
    """
    gaps = [one for one in site.bare_index.gaps(camera, span) if one.cause in CAUSES]
    if not gaps:
        return []
    parts = tuple(SpanSet(one.span for one in gaps).within(span))
    asked = parts if len(parts) <= _MOST_PARTS else (span,)
    covered = SpanSet(one.span for part in asked for one in site.bare_index.segments(camera, part))
    barred = barred_in(site.registry.history(camera))
    return holes_of(gaps, covered | barred, span)


async def backfill(
    site: Site,
    log: Any,
    wish: BackfillWish,
    *,
    wanted: Callable[[Hole], bool] = lambda _hole: True,
    stopping: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> AsyncIterator[Answer]:
    """Ask for each hole, one after the other, and yield what came of it.

    ``progress`` is told how many of how many segments are archived.

    Raises:
        Malformed: ``camera_without_onvif``.
        Conflict: ``spool_in_use``: another backfill works on this host.
        Unavailable, StoreFull: a store, the index or the spool fails.
    """
    camera = wish.camera
    address = wish.device or camera.details.onvif
    if not address:
        raise Malformed(
            f"{camera.id} has no ONVIF address, and only by ONVIF a camera is asked for what it kept",
            code="camera_without_onvif",
            hint="Register it: saksi camera edit --onvif HOST. Or copy its files and use saksi import.",
        )
    with ExitStack() as stack:
        bringer = await asyncio.to_thread(
            stack.enter_context,
            bringing(site, log, backfiller_of(site.settings.recorder), SOURCE, camera, progress),
        )
        is_camera_s = address == camera.details.onvif  # what leaves state is the camera's clock alone
        witnesses = Witnesses(site.stores.records, site.ledger, site.clock)
        asker = Asker(
            bringer=bringer,
            devices=devices_of(site),
            fetcher=Fetcher(binary=find_ffmpeg(), clock=site.clock, rate=wish.rate, patience=PATIENCE_S),
            rule=site.source_rule,
            clock=site.clock,
            host_time=HostClock(site.clock).now_known,
            camera_at=lambda at: site.registry.as_of(camera.id, at),
            source=parse_source(site.registry.source_of(camera)),
            address=address,
            recording=wish.recording,
            barred=await asyncio.to_thread(lambda: barred_in(site.registry.history(camera.id))),
            witnesses=lambda hole: witnesses.around(camera.id, hole) if is_camera_s else (),
            stopping=stopping,
        )
        await asker.go_on()
        holes = [one for one in await asyncio.to_thread(holes_in, site, camera.id, wish.span) if wanted(one)]
        if not holes:
            return
        try:
            memory = await asker.look()
        except ArchiveError as error:
            for hole in holes:
                yield unasked(hole, error)
            return
        async for answer in asker.ask_each(memory, holes):
            yield answer
