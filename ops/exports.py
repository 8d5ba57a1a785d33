"""Exports over one site: the board where people order them, and the worker that makes them."""

from zoneinfo import ZoneInfo

from archive.cases.exports.board import ExportBoard
from archive.cases.exports.worker import ExportWorker, Planned
from archive.footage import reader
from archive.footage.clip.exact import Clip, clip_etag, earlier_segments, plan_clip
from archive.footage.download.bulk import clips_of
from archive.footage.download.naming import DownloadName, name_of
from archive.footage.reader import Reading
from archive.records.custody import new_writer_id
from archive.timespan import Timespan
from ops.wiring import Site


def board_of(site: Site) -> ExportBoard:
    """The board of a site's exports."""
    return ExportBoard(site.stores.cache, site.clock)


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
