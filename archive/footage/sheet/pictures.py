"""From stills to the pixels of tiles, and from a sheet's pixels to a JPEG: by a confined FFmpeg.

Stills are made of foreign footage, so nothing but a confined program decodes them.
"""

from collections.abc import Sequence

from archive.errors import Unavailable
from archive.footage.confinement.running import Bounds, Ending, ProgramResult
from archive.footage.derive import StillMaker, decoded
from archive.footage.sheet.canvas import Canvas
from archive.footage.sheet.plan import TILE_HEIGHT, TILE_WIDTH

_MOST = 64 << 20
_QUIET = ("-nostdin", "-hide_banner", "-loglevel", "error")
_TILE_BYTES = TILE_WIDTH * TILE_HEIGHT * 3


def tiles_of(maker: StillMaker, stills: Sequence[bytes]) -> tuple[bytes, ...]:
    """The pixels of each JPEG, scaled into a tile, with black beside what is narrower.

    Raises:
        Unavailable: ``sheet_failed``; ``ffmpeg_missing``, ``ffmpeg_timeout``, ``decoder_not_confined``.
    """
    if not stills:
        return ()
    fit = f"scale={TILE_WIDTH}:{TILE_HEIGHT}:force_original_aspect_ratio=decrease"
    command = [
        str(maker.program), *_QUIET, "-protocol_whitelist", "pipe", "-f", "image2pipe", "-c:v", "mjpeg",
        "-i", "pipe:0", "-vf", f"{fit},pad={TILE_WIDTH}:{TILE_HEIGHT}:-1:-1",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1",
    ]  # fmt: skip
    out = _made(maker, command, b"".join(stills))
    if len(out) != len(stills) * _TILE_BYTES:
        raise _failed()
    return tuple(out[at : at + _TILE_BYTES] for at in range(0, len(out), _TILE_BYTES))


def jpeg_of(maker: StillMaker, sheet: Canvas) -> bytes:
    """The sheet as JPEG. Raises as :func:`tiles_of`."""
    command = [
        str(maker.program), *_QUIET, "-protocol_whitelist", "pipe", "-f", "rawvideo",
        "-pixel_format", "rgb24", "-video_size", f"{sheet.width}x{sheet.height}", "-i", "pipe:0",
        "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p", "-f", "image2pipe", "pipe:1",
    ]  # fmt: skip
    out = _made(maker, command, bytes(sheet.pixels))
    if not out.startswith(b"\xff\xd8"):
        raise _failed()
    return out


def _made(maker: StillMaker, command: Sequence[str], given: bytes) -> bytes:
    bounds = Bounds(seconds=maker.timeout_s, memory=maker.memory, output=_MOST)
    done: ProgramResult = decoded(command, given, bounds, readable=maker.readable, of="of a sheet")
    if done.ending is Ending.TOO_MUCH or done.status != 0:
        raise _failed()
    return done.out


def _failed() -> Unavailable:
    return Unavailable(
        "FFmpeg made no sheet of the stills", code="sheet_failed", hint="Look at single frames instead."
    )
