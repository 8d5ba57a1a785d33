"""Contact sheets for one request: stills, their pixels, the sheet, and its JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256

from api.frames import Frames
from archive.attended import each
from archive.errors import NotFound
from archive.footage.derive import Frame
from archive.footage.reader import Reading
from archive.footage.sheet.keyframes import Keyframes
from archive.footage.sheet.pictures import jpeg_of, tiles_of
from archive.footage.sheet.plan import TILE_WIDTH, Picture, Slot, compose, title_of

_FORMAT = "saksi-sheet/1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A contact sheet, and the instants of the keyframes on it."""

    jpeg: bytes
    instants: tuple[int, ...]


def sheet_etag(reading: Reading, slots: Sequence[Slot], columns: int) -> str:
    """The ETag of a sheet, without decoding a picture."""
    shown = [(slot.at, slot.cause if slot.ref is None else slot.ref.sha256) for slot in slots]
    text = f"{_FORMAT} {reading.camera} {reading.span.start} {reading.span.end} {columns} {shown}"
    return f'"{sha256(text.encode("utf-8")).hexdigest()}"'


def make_sheet(
    frames: Frames,
    keyframes: Keyframes,
    reading: Reading,
    slots: Sequence[Slot],
    columns: int,
    zone: tzinfo,
) -> Sheet:
    """Make a sheet; a keyframe that cannot be decoded leaves a hatched tile that says so.

    Raises:
        IntegrityError: a segment is missing or contradicts the index.
        Unavailable: as :meth:`Frames.keyframe`; ``sheet_failed``.
        Abandoned: the reader left in between.
    """
    stills = [_still(frames, keyframes, slot) for slot in each(slots)]
    found = [still for still in stills if still is not None]
    pixels = iter(frames.decode(lambda maker: tiles_of(maker, [still.content for still in found])))
    pictures = [None if still is None else Picture(next(pixels), still.instant) for still in stills]
    sheet = compose(title_of(reading, zone), slots, pictures, columns, zone)
    jpeg = frames.decode(lambda maker: jpeg_of(maker, sheet))
    return Sheet(jpeg, tuple(still.instant for still in found))


def _still(frames: Frames, keyframes: Keyframes, slot: Slot) -> Frame | None:
    at = None if slot.ref is None else keyframes.at(slot.ref, slot.at)
    if slot.ref is None or at is None:
        return None
    try:
        return frames.keyframe(slot.ref, at, width=TILE_WIDTH)
    except NotFound as error:
        if error.code != "no_picture":
            raise
        return None
