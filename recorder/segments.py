"""A segment's leaf, from the result of finalising and from the timeline."""

from dataclasses import replace

from archive.footage.mp4.finalise import Finalised
from archive.model.segment import MADE_FROM, TIMESCALE, UNSYNCHRONISED, Segment, SoundStatement
from archive.timespan import SECOND
from recorder.facts import CaptureFacts
from recorder.timing import Timed, camera_time


def segment_leaf(
    facts: CaptureFacts,
    found: Finalised,
    timed: Timed,
    *,
    run: str,
    seq: int,
    is_synchronised: bool,
    now: int,
) -> Segment:
    """The record of one segment; from here on it never changes."""
    clock = timed.clock
    if not is_synchronised:
        clock = replace(clock, flags=(*clock.flags, UNSYNCHRONISED))
    first = found.header.first_pts
    told = None
    if facts.is_live:
        notice = facts.noticed_by * max(found.header.samples.durations) * SECOND // TIMESCALE
        told = camera_time(
            found.prft, first_pts=first, end_pts=first + timed.piece.duration, span=timed.span, notice=notice
        )
    return Segment(
        camera=facts.camera,
        recorder=facts.recorder,
        run=run,
        seq=seq,
        span=timed.span,
        media_duration=timed.piece.duration,
        sha256=found.sha256,
        size=found.size,
        header_bytes=found.header_bytes,
        codec=found.header.codec,
        gop=found.header.gop,
        frames=found.frames,
        clock=clock,
        camera_time=told,
        ingested_at=now,
        sound=_sound(found, facts),
    )


def _sound(found: Finalised, facts: CaptureFacts) -> SoundStatement | None:
    sound = found.header.sound
    if sound is None:
        return None
    made_from = facts.sound if facts.sound in MADE_FROM else ""
    return SoundStatement(
        codec=sound.codec_string, channels=sound.channels, rate=sound.timescale, made_from=made_from
    )
