"""Exports over one site: the board where people order them, and the worker that makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from archive.cases.exports.board import ExportBoard
from archive.cases.exports.model import UNFINISHED, ExportStatus
from archive.cases.exports.worker import ExportWorker, Planned
from archive.footage import reader
from archive.footage.clip.exact import Clip, clip_etag, earlier_segments, plan_clip
from archive.footage.download.bulk import clips_of, footage_bytes
from archive.footage.download.naming import DownloadName, name_of
from archive.footage.reader import Reading
from archive.records.custody import new_writer_id
from archive.timespan import MINUTE, Timespan
from ops.wiring import Site

UNATTENDED = 15 * MINUTE
"""An order that no worker has claimed for so long (µs) shows that none runs, or that they are overloaded."""
_TO_MAKE = frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING})


def board_of(site: Site) -> ExportBoard:
    """The board of a site's exports."""
    return ExportBoard(site.stores.cache, site.clock, room=site.settings.export_cache_gib << 30)


def worker_of(site: Site) -> ExportWorker:
    """A worker that makes a site's exports, for one thread."""
    plans = ExportPlans(site)
    return ExportWorker(
        board=board_of(site),
        cache=site.stores.cache,
        plan=plans.plan,
        etag_of=plans.etag_of,
        custody=site.custody,
        clock=site.clock,
        name=new_writer_id("exports"),
    )


class ExportPlans:
    """Plans parts of exports from a site's index and store."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._zone = ZoneInfo(site.settings.time_zone)

    def plan(self, camera: str, span: Timespan) -> Planned:
        """As :data:`archive.cases.exports.worker.Plan`."""
        site, reading = self._site, self._reading(camera, span)
        then = site.registry.as_of(camera, span.start)

        def clip(part: Reading) -> Clip:
            earlier = earlier_segments(part, site.index)
            return plan_clip(part, site.stores.footage, pool=site.pool, earlier=earlier)

        def name(part: Timespan) -> DownloadName:
            return name_of(then, site.areas, part, self._zone)

        return Planned(camera, span, self._etag(reading), clips_of(reading, then, clip, name))

    def footage_bytes(self, cameras: Sequence[str], span: Timespan) -> int:
        """The size of the segments of these cameras in a span.

        Raises:
            NotFound: ``camera_not_found``.
            NoFootage: ``no_footage``: none of the cameras has any.
        """
        return footage_bytes([self._reading(camera, span) for camera in cameras])

    def etag_of(self, camera: str, span: Timespan) -> str:
        """As :data:`archive.cases.exports.worker.EtagOf`."""
        return self._etag(self._reading(camera, span))

    def _etag(self, reading: Reading) -> str:
        return clip_etag(reading, earlier_segments(reading, self._site.index))

    def _reading(self, camera: str, span: Timespan) -> Reading:
        registered = self._site.registry.camera(camera)
        return reader.read(
            self._site.index,
            camera,
            span,
            registered_at=registered.registered_at,
            now=self._site.clock.now(),
            is_disabled=registered.disabled,
        )


@dataclass(frozen=True, slots=True)
class Queue:
    """How exports stand: how many of each status, the bytes that they take, and since when the oldest waits.

    ``waiting_since`` (µs) is the order of the oldest that no worker has claimed; None without one.
    """

    counts: dict[ExportStatus, int]
    taken: int
    waiting_since: int | None

    @property
    def unfinished(self) -> int:
        """How many are being made, wait or are paused."""
        return sum(self.counts[status] for status in UNFINISHED)


def queue_of(site: Site) -> Queue:
    """How the exports of a site stand. Raises Unavailable."""
    now = site.clock.now()
    folders = board_of(site).folders()
    known = [one.export for one in folders if one.export is not None]
    waiting = [
        one.order.ordered_at for one in known if one.state.status in _TO_MAKE and now >= one.state.until
    ]
    return Queue(
        counts={status: sum(one.state.status is status for one in known) for status in ExportStatus},
        taken=sum(one.taken for one in folders),
        waiting_since=min(waiting, default=None),
    )
