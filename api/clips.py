"""Exact clips from a camera id and a span, for the routes of clips, frames and playlists."""

from api.cameras import facts_of
from api.services import Services
from archive.footage.clip.cache import ClipCache
from archive.footage.clip.exact import Clip, check_length, earlier_segments, plan_clip
from archive.footage.clip.headers import KeptHeaders
from archive.footage.clip.packs import HeaderPacks
from archive.footage.reader import Reading, check_span, reading_of, said_last
from archive.ports import SegmentIndex
from archive.timespan import Timespan


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

    def reading(self, camera: str, span: Timespan) -> Reading:
        """The segments and gaps of a camera's span.

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
        return reading_of(
            camera,
            span,
            high_water=standing.high_water,
            records=(*records.gaps, *before),
            segments=records.segments,
            registered_at=facts.registered_at,
            now=parts.clock.now(),
            is_disabled=facts.disabled,
        )

    def clip(self, camera: str, span: Timespan) -> tuple[Reading, Clip]:
        """The exact clip of a span, and the reading it was planned from.

        Raises:
            NotFound, Malformed: as :meth:`reading`; ``clip_too_short``, ``clip_too_long``.
            NoFootage: ``no_footage``, with the gaps.
            IntegrityError, Unavailable: as :func:`archive.footage.clip.exact.plan_clip`.
        """
        check_length(span)
        reading = self.reading(camera, span)
        return reading, self._plans.get(reading, lambda: self._plan(reading, self._services.index))

    def _plan(self, reading: Reading, index: SegmentIndex) -> Clip:
        return plan_clip(
            reading,
            self._services.stores.footage,
            pool=self._services.pool,
            earlier=earlier_segments(reading, index),
            headers=self.headers,
        )
