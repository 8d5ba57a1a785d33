"""A segment's leaf, from the result of finalising and from the timeline."""

from dataclasses import replace

from archive.footage.heard import statement_of
from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.pauses import pauses
from archive.model.segment import TIMESCALE, UNSYNCHRONISED, DeviceClock, Segment
from archive.timespan import SECOND
from recorder.facts import CaptureFacts
from recorder.host_time import HostTime
from recorder.timing import SMALL_JUMP, Timed, camera_time


def segment_leaf(
    facts: CaptureFacts,
    found: Finalised,
    timed: Timed,
    *,
    run: str,
    seq: int,
    host: HostTime,
    now: int,
    device: DeviceClock | None = None,
    usual: int = 0,
) -> Segment:
    """The record of one segment; from here on it never changes. ``device`` is the camera's own clock.

    ``usual`` is the usual distance of pictures in the run before it (ticks; 0: not known).
    """
    clock = timed.clock
    if host.bound_us is None:
        clock = replace(clock, flags=(*clock.flags, UNSYNCHRONISED))
    else:
        clock = replace(clock, uncertainty_us=clock.uncertainty_us + host.bound_us)
    first = found.header.first_pts
    told = None
    if facts.is_live and not facts.pictures:  # an encoder passes no time of the camera on
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
        sound=statement_of(found.header.sound, sent=facts.sound),
        device_clock=stated_clock(device) if facts.is_live else None,
        pauses=_stated_pauses(found, timed, usual),
        made_from=facts.pictures,
    )


def _stated_pauses(found: Finalised, timed: Timed, usual: int) -> tuple[tuple[int, int], ...]:
    """Inside a segment wall time is linear in presentation time.

    None where the media is ahead of the time that passed: there the camera's timestamps jumped, and nobody
    knows how long it sent nothing.
    """
    lasts = timed.piece.duration
    if lasts * SECOND // TIMESCALE - timed.span.duration > SMALL_JUMP:
        return ()
    wall = [
        (since * timed.span.duration // lasts, until * timed.span.duration // lasts)
        for since, until in pauses(found.header, lasts, usual)
    ]
    return tuple((since, until) for since, until in wall if since < until)


def stated_clock(device: DeviceClock | None) -> DeviceClock | None:
    """What a leaf can state of the camera's clock; None for one that is off by more than 285 years.

    A leaf holds no number of 2^53 and more. A camera may say any year; its footage is kept all the same.
    """
    return device if device is not None and abs(device.offset_us) < 1 << 53 else None
