"""Active content anywhere in a PDF's bytes, also where its own table of objects does not lead.

What the table names is judged by a PDF reader (:mod:`archive.cases.requests.pdf`). Viewers repair damaged
files by searching them, so that what the table leaves out may still be found: this search covers it.

Refused are scripts, programs to start, forms that run scripts, and embedded files. Their names are searched
in the whole file, wherever a reader might find them, and in its object streams, which are inflated up to a
bound. If an object stream is packed or encrypted in another way, so that only a PDF reader could look into
it, the file is refused. This is no virus scanner: it stops what a clerk's viewer would run without asking.
"""

import re
import zlib
from collections.abc import Iterator

MAX_INFLATED = 32 << 20
"""At most this many bytes of object streams are searched; a PDF with more is refused."""

_STREAM = re.compile(rb"\bstream\r?\n")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(
    rb"/(?:(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData)(?=[\s/<>\[\]()%]|\Z)"
    rb"|(XFA)(?=\s*[\[\d]))"
)
_DICTIONARY = 4096
"""A stream's dictionary lies within this many bytes before it."""

_OBJECTS = b"/ObjStm"
_DEFLATED = re.compile(rb"/Filter\s*(?:/FlateDecode(?![^\s/<>\[\]()%])|\[\s*/FlateDecode\s*\])")


class TooMuch(Exception):
    """More object streams than the search covers, or one that cannot be searched."""


def active_name(content: bytes) -> str:
    """The first active name in a PDF, as PDF spells it; "" if it has none.

    Raises:
        TooMuch: its object streams inflate to more than :data:`MAX_INFLATED`, or one is not simply deflated.
    """
    for part in (content, *_objects(content)):
        found = _ACTIVE.search(_unescaped(part))
        if found is not None:
            return (found[1] or found[2]).decode("ascii")
    return ""


def _objects(content: bytes) -> Iterator[bytes]:
    """The contents of the object streams. Raises TooMuch if one cannot be searched."""
    left, named = MAX_INFLATED, _unescaped(content).count(_OBJECTS)
    for begin in _STREAM.finditer(content):
        before = content[max(0, begin.start() - _DICTIONARY) : begin.start()]
        dictionary = _unescaped(before[max(0, before.rfind(b"obj")) :])
        if _OBJECTS not in dictionary:
            continue
        named -= dictionary.count(_OBJECTS)
        if b"/Filter" not in dictionary:
            continue  # not packed: the search of the whole file covered it
        if dictionary.count(b"/Filter") > 1 or b"/DecodeParms" in dictionary:
            raise TooMuch
        try:
            inside = _inflated(content, begin.end(), left)
        except zlib.error as error:
            raise TooMuch from error
        if len(inside) > left or not _DEFLATED.search(dictionary):
            raise TooMuch
        left -= len(inside)
        yield inside
    if named:  # the dictionary of one is not in its expected place
        raise TooMuch


def _inflated(content: bytes, at: int, most: int) -> bytes:
    """The inflated stream that begins there, cut after ``most`` bytes; little beyond that is read."""
    engine, found = zlib.decompressobj(), bytearray()
    while not engine.eof and len(found) <= most and at < len(content):
        found += engine.decompress(content[at : at + _DICTIONARY], most + 1 - len(found))
        at += _DICTIONARY
    return bytes(found)


def _unescaped(part: bytes) -> bytes:
    """The bytes with ``#4a`` read as ``J``, as in names; no other escape of PDF matters here."""
    return _ESCAPED.sub(lambda escape: bytes([int(escape[1], 16)]), part) if b"#" in part else part
