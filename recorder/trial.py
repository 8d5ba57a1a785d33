"""A first look at a camera: record one short segment, and read from it what the camera sends."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.footage.mp4.finalise import Finalised, finalise
from archive.footage.mp4.jpeg import holds_jpeg, size_of
from archive.footage.source_url import Source
from archive.footage.sources import SourceRule
from archive.model.segment import TIMESCALE
from archive.timespan import SECOND
from recorder.binary import Binary
from recorder.command import RAW, record_command
from recorder.encoding import JpegPictures
from recorder.hearing import ask
from recorder.probe import diagnose
from recorder.process import Capture, start_capture
from recorder.reach import reach
from recorder.seeing import MJPEG
from recorder.trust import proven

SEGMENT_SECONDS = 2
_GRACE = 3.0
_FILE = "trial.mp4"
_RAW = RAW % 0
_LOOK_EVERY = 0.1
_STRANGE = "not on whitelist"
"""In FFmpeg's message about a container that the command does not allow."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What a camera sends, measured on one segment: ``path`` is that segment, finalised, without sound.

    ``sound`` is the codec of the sound that it sends too; "" for none, None if it does not tell.
    ``made_from`` is the codec of the pictures that it sends, where the segment's were made from them; "" for
    its own.
    """

    codec: str
    width: int
    height: int
    fps: float
    path: Path
    segment: Finalised
    sound: str | None
    made_from: str = ""


async def try_source(
    source: Source, *, rule: SourceRule, binary: Binary, clock: Clock, folder: Path, patience: float
) -> Trial:
    """Record one segment into ``folder``, for at most ``patience`` seconds.

    Raises:
        Refused: ``source_refused``: the source leads where no camera may be; ``camera_not_verified``.
        Malformed: ``codec_not_recorded``: the camera sends neither H.264 nor H.265, nor pictures that can be
            turned into H.264.
        Unavailable: ``camera_without_address``; ``camera_not_reached``; ``camera_gives_nothing``, whose
            message has the cause as gaps have it.
    """
    pinned = await reach(source, rule, timeout=patience)
    rule = replace(rule, certificates=folder)
    pinned = await proven(pinned, rule, timeout=patience / 2, now=clock.now())
    cause = await diagnose(pinned, timeout=patience / 2)
    if cause is not None:
        raise _nothing(cause.value)
    messages = await _record(binary, pinned, folder, None, clock=clock, patience=patience)
    made_from = MJPEG if pinned.is_live and holds_jpeg(folder / _RAW) else ""
    size = size_of(folder / _RAW) if made_from else None
    if size is not None:
        for path in folder.glob("*.raw.mp4"):
            path.unlink()
        jpeg = JpegPictures(*size, clock.now())
        messages = await _record(binary, pinned, folder, jpeg, clock=clock, patience=patience)
    raws = sorted(folder.glob("*.raw.mp4"))
    if not raws:
        if any(_STRANGE in message for message in messages):
            raise Malformed(
                "the camera's stream is in a form that is not recorded",
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
    return Trial(
        header.codec_string, header.width, header.height, round(fps, 2), path, made, sound, made_from
    )


async def _record(
    binary: Binary,
    source: Source,
    folder: Path,
    pictures: JpegPictures | None,
    *,
    clock: Clock,
    patience: float,
) -> tuple[str, ...]:
    """Record until a segment is closed, or JPEG pictures are seen that must be encoded; FFmpeg's messages.

    Raises:
        Refused, Malformed, Unavailable: as :func:`recorder.command.record_command`.
    """
    command = record_command(
        binary,
        source,
        folder,
        segment_seconds=SEGMENT_SECONDS,
        timeout_us=round(patience * SECOND / 2),
        pictures=pictures,
    )
    capture = await start_capture(command, clock=clock, redact=source.redact)
    closing = asyncio.create_task(_first_closed(capture))
    try:
        async with asyncio.timeout(patience):
            while not closing.done() and (pictures or not holds_jpeg(folder / _RAW)):
                await asyncio.wait({closing}, timeout=_LOOK_EVERY)
    except TimeoutError:
        pass  # what the open file holds is enough
    finally:
        closing.cancel()
        await capture.end(_GRACE)
    return capture.messages


async def _first_closed(capture: Capture) -> None:
    async for _ in capture.closed():
        return


def _nothing(cause: str) -> Unavailable:
    return Unavailable(
        f"the camera gives no picture: {cause}",
        code="camera_gives_nothing",
        hint="Check its address, user name and password; a recorder will go on trying.",
    )
