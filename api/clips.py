"""Exact clips from a camera id and a span, for the routes of clips, frames and playlists."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.camera_then import CameraHistories
from api.cameras import facts_of
from api.kept import Kept
from api.services import Services
from archive.attended import each
from archive.footage.clip.cache import ClipCache
from archive.footage.clip.exact import Clip, check_length, clip_etag, earlier_segments, plan_clip
from archive.footage.clip.headers import KeptHeaders
from archive.footage.clip.packs import HeaderPacks
from archive.footage.download.bulk import Bulk, CameraClips, clips_of, plan_bulk
from archive.footage.download.checked import Checksums
from archive.footage.download.naming import DownloadName, name_of, several
from archive.footage.download.originals import Originals, originals_in, plan_originals
from archive.footage.reader import Reading, check_span, reading_of, said_last
from archive.model.camera import Camera
from archive.model.segment import SegmentRef
from archive.ports import SegmentIndex
from archive.timespan import Timespan

KEPT_PLANS = 16
"""Of untouched segments: at most 1 MB each."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of a camera in a span; the camera's present facts, and their version (0: not known)."""

    reading: Reading
    newest: Camera
    version: int


class Clips:
    """Plans clips, and keeps recent plans and the headers of segments. Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._plans = ClipCache(services.settings.clip_cache)
        key = services.header_key
        self.headers = KeptHeaders(
            services.stores.footage,
            services.index,
            services.clock,
            pool=services.pool,
            max_bytes=services.settings.header_cache,
            packs=None if key is None else HeaderPacks(services.stores.cache, key),
        )
        self._checksums = Checksums()
        self._originals: Kept[Originals] = Kept(KEPT_PLANS)
        self._histories = CameraHistories(lambda camera: services.registry.history(camera))

    def reading(self, camera: str, span: Timespan) -> Reading:
        """The segments and gaps of a camera's span. Raises as :meth:`seen`."""
        return self.seen(camera, span).reading

    def seen(self, camera: str, span: Timespan) -> Seen:
        """The segments and gaps of a camera's span, and the camera itself.

        Raises:
            NotFound: ``camera_not_found``.
            Malformed: ``span_in_future``, ``span_too_long``.
        """
        parts = self._services
        check_span(span, parts.clock.now())
        # It gives document and high-water mark first: see search.index, "Reading while it is written".
        standing, records = parts.index.reading(camera, span)
        facts = facts_of(parts, camera, standing.document)
        before = said_last(
            parts.index, camera, span, high_water=standing.high_water, is_disabled=facts.disabled
        )
        reading = reading_of(
            camera,
            span,
            high_water=standing.high_water,
            records=(*records.gaps, *before),
            segments=records.segments,
            registered_at=facts.registered_at,
            now=parts.clock.now(),
            is_disabled=facts.disabled,
        )
        return Seen(reading, facts, 0 if standing.document is None else standing.document.version)

    def clip(self, camera: str, span: Timespan) -> tuple[Seen, Clip]:
        """The exact clip of a span, and what it was planned from.

        Raises:
            NotFound, Malformed: as :meth:`seen`; ``clip_too_short``, ``clip_too_long``.
            NoFootage: ``no_footage``, with the gaps.
            IntegrityError, Unavailable: as :func:`archive.footage.clip.exact.plan_clip`.
        """
        check_length(span)
        seen = self.seen(camera, span)
        return seen, self.clip_of(seen.reading)

    def clip_of(self, reading: Reading) -> Clip:
        """The exact clip of a reading. Raises as :func:`archive.footage.clip.exact.plan_clip`."""
        return self._plans.get(reading, lambda: self._plan(reading, self._services.index))

    def etag_of(self, camera: str, span: Timespan) -> str:
        """The ETag of the clip of a span, without reading a segment. Raises as :meth:`seen`."""
        reading = self.reading(camera, span)
        return clip_etag(reading, earlier_segments(reading, self._services.index))

    def segments(self, reading: Reading) -> tuple[SegmentRef, ...]:
        """The whole segments that belong to a reading's footage, of every run."""
        return originals_in(reading, earlier_segments(reading, self._services.index))

    def originals(self, seen: Seen, segments: Sequence[SegmentRef]) -> Originals:
        """The ZIP of these segments. Raises as :func:`archive.footage.download.originals.plan_originals`."""
        parts, reading, camera = self._services, seen.reading, self.camera_then(seen)
        moment = (reading.gaps, list(reading.pending), reading.others, [one.version for one in segments])
        key = repr((reading.span, [one.key for one in segments], moment, camera.name, camera.place))
        return self._originals.get(
            key,
            lambda: plan_originals(
                reading,
                segments,
                parts.stores.footage,
                camera=camera,
                name=self.name(seen),
                zone=parts.settings.zone,
                known=self._checksums,
                pool=parts.pool,
            ),
        )

    def bulk(self, cameras: Sequence[Seen], span: Timespan) -> Bulk:
        """The ZIP with the clips of several cameras. Raises as :func:`plan_bulk` and :func:`clips_of`."""
        parts = self._services
        made = [self._clips_of(seen) for seen in each(cameras)]
        name = several(len(made), span, parts.settings.zone)
        return plan_bulk(span, made, name=name, zone=parts.settings.zone, known=self._checksums)

    def _clips_of(self, seen: Seen) -> CameraClips:
        parts, camera = self._services, self.camera_then(seen)
        return clips_of(
            seen.reading,
            camera,
            self.clip_of,
            lambda span: name_of(camera, parts.areas, span, parts.settings.zone),
        )

    def name(self, seen: Seen) -> DownloadName:
        """The name of a download of this footage."""
        parts = self._services
        return name_of(self.camera_then(seen), parts.areas, seen.reading.span, parts.settings.zone)

    def camera_then(self, seen: Seen) -> Camera:
        """The camera as it was registered when the span began: cameras move, and get other names."""
        return self._histories.then(seen.newest, seen.version, seen.reading.span.start)

    def _plan(self, reading: Reading, index: SegmentIndex) -> Clip:
        return plan_clip(
            reading,
            self._services.stores.footage,
            pool=self._services.pool,
            earlier=earlier_segments(reading, index),
            headers=self.headers,
        )
