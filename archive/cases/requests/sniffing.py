"""The type of a paper by its bytes: PDF, JPEG or PNG, with the least structure that a reader needs.

Its name and its declared type do not count. A file that is two things at once (a ZIP behind a PDF) is
refused: a person who opens it later might see the other one. So is a picture too large to open, and a PDF
with active content (:mod:`archive.cases.requests.pdf`, :mod:`archive.cases.requests.active`).
"""

import os
import struct
import zlib
from typing import IO

from archive.cases.requests.active import TooMuch, active_name
from archive.cases.requests.pdf import Unjudged, dangerous_name
from archive.errors import Malformed

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
SUFFIXES = {PDF: "pdf", JPEG: "jpg", PNG: "png"}

_TAIL = 2048
_ZIP_END_REACH = 65_557
"""A ZIP's end record lies within this many bytes of the end (22, and a comment of 65,535)."""
_ZIP_END = b"PK\x05\x06"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_MAX_PARTS = 100_000
_MAX_SIDE = 65_535
MAX_PIXELS = 250_000_000
"""A sheet of A3 at 1,200 dots an inch has 280 million; letters are scanned at a quarter of that or less."""
_PDF_BEGINS_WITHIN = 1024
"""PDF readers look for its beginning this far into a file, whatever else the file is."""


def media_type_of(paper: IO[bytes]) -> str:
    """The media type of a seekable stream; its position afterwards is undefined.

    Raises:
        Malformed: ``attachment_type``: none of the three, cut short, two things at once, or unsafe to open.
    """
    size = paper.seek(0, os.SEEK_END)
    head = _at(paper, 0, 16)
    if head.startswith((b"%PDF-1.", b"%PDF-2.")):
        found, holds = PDF, _is_pdf(paper, size)
    elif head.startswith(_PNG_SIGNATURE):
        found, holds = PNG, _is_png(paper, size)
    elif head.startswith(b"\xff\xd8\xff"):
        found, holds = JPEG, _is_jpeg(paper, size)
    else:
        raise _refused("it is not a PDF, JPEG or PNG")
    if not holds:
        raise _refused(f"it begins as {SUFFIXES[found].upper()} but is incomplete")
    if _ZIP_END in _at(paper, max(0, size - _ZIP_END_REACH), _ZIP_END_REACH):
        raise _refused("it is also a ZIP archive")
    if found is PDF:
        _refuse_active(paper, size)
    elif b"%PDF-" in _at(paper, 0, _PDF_BEGINS_WITHIN):
        raise _refused("it is also a PDF")
    return found


def _refuse_active(paper: IO[bytes], size: int) -> None:
    """Judge what the PDF's own table of objects names, and search what it does not name."""
    try:
        name = active_name(_at(paper, 0, size)) or dangerous_name(paper)
    except TooMuch as error:
        raise _refused("it contains more than can be checked") from error
    except Unjudged as error:
        raise _refused(f"{error}; print it and scan it") from error
    if name:
        raise _refused(f"it is a PDF with active content (/{name})")


def _is_pdf(paper: IO[bytes], size: int) -> bool:
    tail = _at(paper, max(0, size - _TAIL), _TAIL)
    start = tail.rfind(b"startxref")
    return start >= 0 and tail.find(b"%%EOF", start) >= 0


def _is_png(paper: IO[bytes], size: int) -> bool:
    """IHDR first, chunks of their stated length, IEND last, and nothing after it."""
    first = _at(paper, 8, 25)
    if len(first) < 25 or first[:8] != b"\x00\x00\x00\rIHDR":
        return False
    width, height = struct.unpack(">II", first[8:16])
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        return False
    _refuse_huge(width, height)
    if zlib.crc32(first[4:21]) != int.from_bytes(first[21:25], "big"):
        return False
    at, seen = 8, False
    for _ in range(_MAX_PARTS):
        header = _at(paper, at, 8)
        if len(header) < 8:
            return False
        length, name = int.from_bytes(header[:4], "big"), header[4:]
        seen = seen or name == b"IDAT"
        if name == b"IEND":
            return seen and at + 12 == size and _at(paper, at, 12) == _PNG_END
        at += 12 + length
    return False


def _is_jpeg(paper: IO[bytes], size: int) -> bool:
    """Marker segments of their stated length up to a frame and a scan, and an end of image at the end."""
    if not _at(paper, max(0, size - _TAIL), _TAIL).rstrip(b"\0").endswith(b"\xff\xd9"):
        return False
    at, frame = 2, False
    for _ in range(_MAX_PARTS):
        marker = _at(paper, at, 4)
        if len(marker) < 4 or marker[0] != 0xFF:
            return False
        kind = marker[1]
        if kind == 0xFF:
            at += 1
            continue
        if kind == 0xDA:
            return frame
        length = int.from_bytes(marker[2:4], "big")
        if length < 2 or not (0xC0 <= kind <= 0xFE) or 0xD0 <= kind <= 0xD9:
            return False
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            sides = _at(paper, at + 5, 4)
            frame = len(sides) == 4 and sides[2:] != b"\0\0"
            if frame:
                _refuse_huge(*struct.unpack(">HH", sides))
        at += 2 + length
    return False


def _refuse_huge(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _refused(f"its picture has {width * height // 1_000_000} million pixels")


def _at(paper: IO[bytes], start: int, length: int) -> bytes:
    paper.seek(start)
    return paper.read(length)


def _refused(why: str) -> Malformed:
    return Malformed(
        f"Berkas ditolak. / The attachment is refused: {why}.",
        code="attachment_type",
        hint="Kirim PDF, JPEG, atau PNG yang utuh. / Send a complete PDF, JPEG or PNG.",
    )
