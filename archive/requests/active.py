"""What a PDF does when it is opened: a scanned letter does nothing, so what does something is refused.

Scripts, programs to start, forms of the kind that run scripts, and files inside the file. Their names are
looked for in the whole file, wherever a reader might be led to find them, and in its streams of objects,
which are inflated within a bound. It is no virus scanner: what it stops is what a clerk's viewer would run
without asking.
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


class TooMuch(Exception):
    """More object streams than are looked at."""


def active_name(content: bytes) -> str:
    """The first thing in a PDF that does something, as PDF names it; "" for none.

    Raises:
        TooMuch: its object streams inflate to more than :data:`MAX_INFLATED`.
    """
    for part in (content, *_objects(content)):
        found = _ACTIVE.search(_unescaped(part))
        if found is not None:
            return (found[1] or found[2]).decode("ascii")
    return ""


def _objects(content: bytes) -> Iterator[bytes]:
    """The insides of the streams of objects that can be inflated."""
    left = MAX_INFLATED
    for begin in _STREAM.finditer(content):
        if b"/ObjStm" not in _unescaped(content[max(0, begin.start() - _DICTIONARY) : begin.start()]):
            continue
        try:
            inside = zlib.decompressobj().decompress(content[begin.end() :], left + 1)
        except zlib.error:
            continue  # not deflated: then it was looked at with the whole file
        if len(inside) > left:
            raise TooMuch
        left -= len(inside)
        yield inside


def _unescaped(part: bytes) -> bytes:
    """With ``#4a`` read as ``J``, as in names; nothing else of a PDF matters here."""
    return _ESCAPED.sub(lambda escape: bytes([int(escape[1], 16)]), part) if b"#" in part else part
