"""Segments and runs: what was recorded, as the recorder records it and as the index keeps it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from archive import keys
from archive.model.gap import RunEnd
from archive.timespan import HOUR, Timespan

TIMESCALE = 90_000
"""Media ticks per second in every segment; the recorder fixes it with ``video_track_timescale``."""

LONGEST_SEGMENT = HOUR
"""No index keeps a longer segment: one that overlaps an instant began at most this long before it."""

Codec = Literal["h264", "hevc"]
GopKind = Literal["closed", "open"]
SOUND_CODEC = re.compile(r"(?:mp4a\.40\.[1-9]\d?|opus)\Z", re.ASCII)
"""AAC with its object type, or Opus, by RFC 6381."""
MADE_FROM = ("pcm_alaw", "pcm_mulaw", "pcm_s16be", "adpcm_g726")
"""Codecs of sound that MP4 does not carry, as FFmpeg names them: G.711, linear PCM and G.726."""
PICTURES_MADE_FROM = ("mjpeg",)
"""Codecs of pictures that segments do not hold, and that recorders turn into H.264: JPEG pictures."""
UNSYNCHRONISED = "unsynchronised"
"""The flag of a clock that nothing is known about beyond its own reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStatement:
    """How far to trust a segment's wall time.

    ``source`` names the observation (``arrival``, ``import`` or ``backfill``); ``offset_us`` is observed
    minus stated start; ``uncertainty_us`` bounds the error against true time, with what the recorder's time
    service says of its own clock; ``flags`` may hold
    ``timestamps_unreliable``, ``ambiguous`` (a stepped clock made two spans overlap) and
    ``unsynchronised``: then nothing bounds the error against true time. What a camera kept itself may have
    ``camera_clock_disagrees``, ``camera_clock_asked_once`` and ``camera_clock_unproven``
    (:mod:`recorder.backfill.clocks`).
    """

    source: str
    offset_us: int
    uncertainty_us: int
    flags: tuple[str, ...] = ()

    @property
    def bound_us(self) -> int | None:
        """What bounds the error against true time; None if nothing does."""
        return None if UNSYNCHRONISED in self.flags else self.uncertainty_us


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClock:
    """What a camera's clock said when it was asked at ``at`` (µs): the recorder's plus ``offset_us``.

    It is right within ``within_us``. Devices tell whole seconds; half a second and half of the round trip are
    in it. What the recorder's own clock is off is not: :class:`ClockStatement` says that.
    """

    at: int
    offset_us: int
    within_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundStatement:
    """The sound that a segment holds beside its pictures.

    ``codec`` is named by RFC 6381 (``mp4a.40.2``, ``opus``); ``rate`` is its ticks per second. ``made_from``
    is "" where the sound is the camera's own, else the codec that the recorder turned into it (one of
    :data:`MADE_FROM`).
    """

    codec: str
    channels: int
    rate: int
    made_from: str = ""


def check_pauses(pauses: Sequence[tuple[int, int]]) -> None:
    """Refuse pauses that do not follow one another. Raises ValueError."""
    reached = 0
    for since, until in pauses:
        if not reached <= since < until:
            raise ValueError("pauses do not follow one another")
        reached = until


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRef:
    """A segment as the index keeps it: enough to read its object and to cut from it.

    Wall time is linear in presentation time: the smallest presentation time among the segment's samples
    is at ``span.start``, and ``span.end`` is ``media_duration`` ticks of 1/90000 s later.
    ``header_bytes`` is the offset of the first sample byte. ``version`` is the object's version id ("" while
    unknown). ``gop`` is ``open`` if leading pictures exist in the run. ``uncertainty_us`` bounds the error of
    the wall time, as the leaf states it; None if nothing bounds it, because the recorder's clock was not
    synchronised.
    """

    camera: str
    run: str
    seq: int
    span: Timespan
    media_duration: int
    sha256: str
    size: int
    header_bytes: int
    codec: Codec
    gop: GopKind
    version: str = ""
    held: bool = False
    uncertainty_us: int | None = None

    @property
    def key(self) -> str:
        """The object's name in the footage bucket."""
        return keys.segment_key(self.camera, self.span.start, self.run, self.seq, self.sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The whole record of one segment: the leaf that is journalled, logged and kept with the object.

    ``camera_time`` is the camera's own clock at the first sample, if the camera sent it (RTCP, ``prft``), in
    µs: a measurement, never a correction. ``frames`` counts the pictures in the object; at the end of a run a
    few may stand beyond its span, after others that never came. ``ingested_at`` is the recorder's time when
    it made the leaf. ``sound`` is None where the object holds no sound.
    ``device_clock`` is what the camera last said of its clock when it was asked; None where it never was, or
    is off by more than a leaf can state (285 years). ``pauses`` are the stretches in which no new picture
    came, in order: each from the picture before it to the picture after it, in µs from the segment's start
    (:mod:`archive.footage.mp4.pauses` has the rule). ``made_from`` is "" where the pictures are the camera's
    own, else the codec that the recorder turned into H.264 (one of :data:`PICTURES_MADE_FROM`).
    """

    camera: str
    recorder: str
    run: str
    seq: int
    span: Timespan
    media_duration: int
    sha256: str
    size: int
    header_bytes: int
    codec: Codec
    gop: GopKind
    frames: int
    clock: ClockStatement
    camera_time: int | None
    ingested_at: int
    sound: SoundStatement | None = None
    device_clock: DeviceClock | None = None
    pauses: tuple[tuple[int, int], ...] = ()
    made_from: str = ""

    @property
    def key(self) -> str:
        """The object's name in the footage bucket."""
        return keys.segment_key(self.camera, self.span.start, self.run, self.seq, self.sha256)

    @property
    def paused(self) -> list[Timespan]:
        """The pauses in wall time."""
        start = self.span.start
        return [Timespan(start + since, start + until) for since, until in self.pauses]

    def ref(self, *, version: str = "", held: bool = False) -> SegmentRef:
        """The index's view of this segment."""
        return SegmentRef(
            camera=self.camera,
            run=self.run,
            seq=self.seq,
            span=self.span,
            media_duration=self.media_duration,
            sha256=self.sha256,
            size=self.size,
            header_bytes=self.header_bytes,
            codec=self.codec,
            gop=self.gop,
            version=version,
            held=held,
            uncertainty_us=self.clock.bound_us,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished run: consecutive segments of one connection by one recorder, without a gap.

    ``segments`` counts them; their ``seq`` are ``0 … segments-1``. ``fills`` are the ids of the gaps that
    it fills, wholly or in part; their own records stay.
    """

    camera: str
    recorder: str
    run: str
    span: Timespan
    segments: int
    reason: RunEnd
    ingested_at: int
    fills: tuple[str, ...] = ()
