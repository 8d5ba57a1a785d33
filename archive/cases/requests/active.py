"""What a PDF does when it is opened: a scanned letter does nothing, so what does something is refused.

Scripts, programs to start, forms of the kind that run scripts, and files inside the file. Their names are
looked for in the whole file, wherever a reader might be led to find them, and in its streams of objects,
which are inflated within a bound; where one is packed or locked otherwise, so that only a reader could look
into it, the file is refused. It is no virus scanner: what it stops is what a clerk's viewer would run without
asking.
"""

import re
import zlib
from collections.abc import Iterator

MAX_INFLATED = 32 << 20
"""So many bytes of object streams are looked at in all; a PDF with more of them is refused."""

_STREAM = re.compile(rb"\bstream\r?\n")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(
    rb"/(?:(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData)(?=[\s/<>\[\]()%]|\Z)"
    rb"|(XFA)(?=\s*[\[\d]))"
)
_DICTIONARY = 4096
"""A stream's dictionary stands within so many bytes before it."""

_OBJECTS = b"/ObjStm"
_DEFLATED = re.compile(rb"/Filter\s*(?:/FlateDecode(?![^\s/<>\[\]()%])|\[\s*/FlateDecode\s*\])")


class TooMuch(Exception):
    """More object streams than are looked at, or one that cannot be looked into."""


def active_name(content: bytes) -> str:
    """The first thing in a PDF that does something, as PDF names it; "" for none.

    Raises:
        TooMuch: its object streams inflate to more than :data:`MAX_INFLATED`, or one is not simply deflated.
    """
    for part in (content, *_objects(content)):
        found = _ACTIVE.search(_unescaped(part))
        if found is not None:
            return (found[1] or found[2]).decode("ascii")
    return ""


def _objects(content: bytes) -> Iterator[bytes]:
    """The insides of the streams of objects. Raises TooMuch where one cannot be looked into."""
    left, named = MAX_INFLATED, _unescaped(content).count(_OBJECTS)
    for begin in _STREAM.finditer(content):
        before = content[max(0, begin.start() - _DICTIONARY) : begin.start()]
        dictionary = _unescaped(before[max(0, before.rfind(b"obj")) :])
        if _OBJECTS not in dictionary:
            continue
        named -= dictionary.count(_OBJECTS)
        if b"/Filter" not in dictionary:
            continue  # not packed: then it was looked at with the whole file
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
    if named:  # one whose dictionary does not stand where it is looked for
        raise TooMuch


def _inflated(content: bytes, at: int, most: int) -> bytes:
    """What a stream that begins there inflates to, cut behind ``most`` bytes; little behind it is read."""
    engine, found = zlib.decompressobj(), bytearray()
    while not engine.eof and len(found) <= most and at < len(content):
        found += engine.decompress(content[at : at + _DICTIONARY], most + 1 - len(found))
        at += _DICTIONARY
    return bytes(found)


def _unescaped(part: bytes) -> bytes:
    """With ``#4a`` read as ``J``, as in names; nothing else of a PDF matters here."""
    return _ESCAPED.sub(lambda escape: bytes([int(escape[1], 16)]), part) if b"#" in part else part
