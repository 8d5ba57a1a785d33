"""What the newest segments of each camera say: up to when there is footage, its rates, and its clocks.

Only the recorder knows this without asking the index; heartbeats carry it (:mod:`recorder.report`).
"""

from collections import deque
from dataclasses import dataclass, field

from archive.canonical import JsonObject
from archive.model.segment import TIMESCALE, Segment
from archive.timespan import MINUTE, SECOND

_RECENT = 6
_LONG_ENOUGH = MINUTE
"""The drift of a shorter run is mostly jitter of the network."""
_PPM = 1_000_000


@dataclass(slots=True)
class Pulse:
    """One camera's newest segments. Times in µs.

    ``made_until`` is the end of the newest footage, ``archived_until`` that of the newest that the archive
    has; 0 if there never was any, None while nobody has asked the index for footage of before this recorder's
    start.
    """

    made_until: int | None = None
    archived_until: int | None = None
    _recent: deque[Segment] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _run: str = ""
    _wall: int = 0
    _media: int = 0

    def made(self, segment: Segment) -> None:
        """A segment was made."""
        self.made_until = max(self.made_until or 0, segment.span.end)
        if segment.run != self._run:
            self._run, self._wall, self._media = segment.run, 0, 0
            self._recent.clear()
        self._wall += segment.span.duration
        self._media += segment.media_duration
        self._recent.append(segment)

    def archived(self, segment: Segment) -> None:
        """The archive has a segment, and the index finds it."""
        self.archived_until = max(self.archived_until or 0, segment.span.end)

    def recalled(self, until: int | None) -> None:
        """What the index knows of the camera's footage; None if it has none."""
        self.made_until = max(self.made_until or 0, until or 0)
        self.archived_until = max(self.archived_until or 0, until or 0)

    def to_json(self) -> JsonObject:
        """For the heartbeat: integers only; what is not known is left out.

        ``until`` and ``archived`` in µs; ``mfps`` pictures per 1,000 s and ``kbps`` kbit/s of the last six
        segments; ``offset_us`` and ``uncertainty_us`` as the newest segment states them (without the latter
        if nothing bounds the error); ``camera_offset_us`` the camera's own clock minus ours, if it sends it;
        ``drift_ppm`` how much faster its media runs than our clock, over the whole run.
        """
        facts: JsonObject = {}
        if self.made_until is not None:
            facts["until"] = self.made_until
        if self.archived_until is not None:
            facts["archived"] = self.archived_until
        wall = sum(one.span.duration for one in self._recent)
        if wall <= 0:
            return facts
        facts["mfps"] = sum(one.frames for one in self._recent) * 1000 * SECOND // wall
        facts["kbps"] = sum(one.size for one in self._recent) * 8 * SECOND // (1000 * wall)
        newest = self._recent[-1]
        facts["offset_us"] = newest.clock.offset_us
        if newest.clock.bound_us is not None:
            facts["uncertainty_us"] = newest.clock.bound_us
        if newest.camera_time is not None:
            facts["camera_offset_us"] = newest.camera_time - newest.span.start
        if self._wall >= _LONG_ENOUGH:
            media = self._media * SECOND // TIMESCALE
            facts["drift_ppm"] = (media - self._wall) * _PPM // self._wall
        return facts


@dataclass(slots=True)
class Pulses:
    """The pulse of every camera. Noted in the event loop's thread."""

    _of: dict[str, Pulse] = field(default_factory=dict)

    def of(self, camera: str) -> Pulse:
        """One camera's pulse."""
        return self._of.setdefault(camera, Pulse())

    def made(self, leaf: object) -> None:
        """A leaf was made."""
        if isinstance(leaf, Segment):
            self.of(leaf.camera).made(leaf)

    def archived(self, leaf: object) -> None:
        """The archive has a leaf."""
        if isinstance(leaf, Segment):
            self.of(leaf.camera).archived(leaf)
