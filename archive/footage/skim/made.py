"""What is made of a part, and its stored forms: the activity of its grid, and a sheet of thumbnails.

Each form is one line of canonical JSON and then bytes: steps, compressed, or a JPEG.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.skim.grid import CELLS, Step
from archive.footage.skim.keyframes import Damage
from archive.timespan import Timespan

_VERSION = 1
_STEP = struct.Struct(">qqB")


@dataclass(frozen=True, slots=True)
class Activity:
    """The steps of a part, in order. The first may begin before the part: at the last keyframe before it.

    ``undecodable`` are the instants of keyframes that cannot be decoded; ``damaged`` the segments that cannot
    be read.
    """

    start: int
    steps: tuple[Step, ...]
    undecodable: tuple[int, ...] = ()
    damaged: tuple[Damage, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One JPEG with the thumbnails of a part, each ``width`` × ``height``.

    ``tiles`` has the instant (µs) of the keyframe in each place, row by row; None where there is none.
    """

    start: int
    width: int
    height: int
    columns: int
    tiles: tuple[int | None, ...]
    jpeg: bytes


def encode_activity(made: Activity) -> bytes:
    """The stored form. Decode with :func:`decode_activity`."""
    head: JsonObject = {
        "v": _VERSION,
        "start": made.start,
        "steps": len(made.steps),
        "undecodable": list(made.undecodable),
        "damaged": [[one.span.start, one.span.end, one.key, one.code] for one in made.damaged],
    }
    body = b"".join(
        _STEP.pack(step.span.start, step.span.end, step.is_judged) + step.cells for step in made.steps
    )
    return canonical.encode(head) + b"\n" + zlib.compress(body, 6)


def decode_activity(data: bytes) -> Activity:
    """Read :func:`encode_activity` back. Raises Malformed ``bad_skim``."""
    try:
        head, body = _parted(data)
        raw = zlib.decompress(body)
        steps, at = [], 0
        for _ in range(head["steps"]):
            start, end, judged = _STEP.unpack_from(raw, at)
            at += _STEP.size
            cells = raw[at : at + CELLS * judged]
            at += len(cells)
            if len(cells) != CELLS * judged:
                raise ValueError("a step is cut short")
            steps.append(Step(Timespan(start, end), cells))
        return Activity(
            head["start"],
            tuple(steps),
            tuple(head["undecodable"]),
            tuple(Damage(Timespan(a, b), key, code) for a, b, key, code in head["damaged"]),
        )
    except (KeyError, TypeError, ValueError, struct.error, zlib.error) as error:
        raise _bad(error) from error


def encode_sheet(made: Sheet) -> bytes:
    """The stored form. Decode with :func:`decode_sheet`."""
    head: JsonObject = {
        "v": _VERSION,
        "start": made.start,
        "width": made.width,
        "height": made.height,
        "columns": made.columns,
        "tiles": list(made.tiles),
    }
    return canonical.encode(head) + b"\n" + made.jpeg


def decode_sheet(data: bytes) -> Sheet:
    """Read :func:`encode_sheet` back. Raises Malformed ``bad_skim``."""
    try:
        head, jpeg = _parted(data)
        tiles: Sequence[int | None] = head["tiles"]
        return Sheet(head["start"], head["width"], head["height"], head["columns"], tuple(tiles), jpeg)
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(error) from error


def _parted(data: bytes) -> tuple[JsonObject, bytes]:
    line, _, body = data.partition(b"\n")
    head = canonical.decode(line)
    if head["v"] != _VERSION:
        raise ValueError("unknown version")
    return head, body


def _bad(error: Exception) -> Malformed:
    return Malformed(f"what was made of a part cannot be read: {error}", code="bad_skim")
