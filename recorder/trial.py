"""A first look at a camera: record one short segment, and read from it what the camera sends."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.footage.mp4.finalise import Finalised, finalise
from archive.footage.source_url import Source
from archive.footage.sources import SourceRule
from archive.model.segment import TIMESCALE
from archive.timespan import SECOND
from recorder.binary import Binary
from recorder.command import record_command
from recorder.hearing import ask
from recorder.probe import diagnose
from recorder.process import start_capture
from recorder.reach import reach
from recorder.trust import proven

SEGMENT_SECONDS = 2
_GRACE = 3.0
_FILE = "trial.mp4"
_STRANGE = "not on whitelist"
"""In FFmpeg's message about a container that the command does not allow."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a camera sends, measured on one segment: ``path`` is that segment, finalised, without sound.

    ``sound`` is the codec of the sound that it sends too; "" for none, None if it does not tell.
    """

    codec: str
    width: int
    height: int
    fps: float
    path: Path
    segment: Finalised
    sound: str | None


async def try_source(
    source: Source, *, rule: SourceRule, binary: Binary, clock: Clock, folder: Path, patience: float
) -> Trial:
    """Record one segment into ``folder``, for at most ``patience`` seconds.

    Raises:
        Refused: ``source_refused``: the source leads where no camera may be; ``camera_not_verified``.
        Malformed: ``codec_not_recorded``: the camera sends neither H.264 nor H.265.
        Unavailable: ``camera_without_address``; ``camera_not_reached``; ``camera_gives_nothing``, whose
            message has the cause as gaps have it.
    """
    pinned = await reach(source, rule, timeout=patience)
    rule = replace(rule, certificates=folder)
    pinned = await proven(pinned, rule, timeout=patience / 2, now=clock.now())
    cause = await diagnose(pinned, timeout=patience / 2)
    if cause is not None:
        raise _nothing(cause.value)
    command = record_command(
        binary,
        pinned,
        folder,
        segment_seconds=SEGMENT_SECONDS,
        timeout_us=round(patience * SECOND / 2),
    )
    capture = await start_capture(command, clock=clock, redact=pinned.redact)
    try:
        async with asyncio.timeout(patience):
            async for _ in capture.closed():
                break
    except TimeoutError:
        pass  # what the open file holds is enough
    finally:
        await capture.end(_GRACE)
    raws = sorted(folder.glob("*.raw.mp4"))
    if not raws:
        if any(_STRANGE in message for message in capture.messages):
            raise Malformed(
                "the camera's stream is in a form that is not recorded, such as MJPEG over HTTP",
                code="codec_not_recorded",
                hint="Set the camera's stream to H.264 or H.265 over RTSP, or choose another of its streams.",
            )
        raise _nothing("stalled")
    try:
        made = await asyncio.to_thread(finalise, raws[0], folder / _FILE, tfdt=0)
    except Malformed as error:
        if error.code == "codec_not_recorded":
            raise
        raise _nothing("stream_error") from error
    sound = await ask(pinned, binary=binary, clock=clock, timeout=patience / 2)
    header = made.header
    ticks = sum(header.samples.durations)
    fps = len(header.samples) * TIMESCALE / ticks if ticks else 0.0
    path = folder / _FILE
    return Trial(header.codec_string, header.width, header.height, round(fps, 2), path, made, sound)


def _nothing(cause: str) -> Unavailable:
    return Unavailable(
        f"the camera gives no picture: {cause}",
        code="camera_gives_nothing",
        hint="Check its address, user name and password; a recorder will go on trying.",
    )
