"""What a PDF would do when it is opened, judged by a PDF reader: every object of every revision is looked at.

A letter is looked at and does nothing. Refused are actions that start, fetch, send or run something (scripts,
programs, links to addresses and to other files), actions tied to events, embedded and external files, media,
and what cannot be judged: an encrypted PDF, and one whose table of objects cannot be read, because each
viewer then makes up its own.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

from pyhanko.pdf_utils.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    PdfObject,
    Reference,
    StreamObject,
    TextStringObject,
)
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader

MAX_VALUES = 2_000_000
"""Values that are looked at; a scanned letter has some hundreds, a long law some hundred thousand."""

_KEYS = frozenset(
    {"/AA", "/JS", "/JavaScript", "/XFA", "/EmbeddedFiles", "/EF", "/AF", "/URI", "/Collection", "/Launch"}
)
_ACTIONS = frozenset(
    {
        "/JavaScript", "/Launch", "/URI", "/GoToR", "/GoToE", "/GoToDp", "/SubmitForm", "/ImportData",
        "/Rendition", "/Movie", "/Sound", "/RichMediaExecute", "/GoTo3DView", "/Named", "/Hide",
    }
)  # fmt: skip
_PARTS = frozenset({"/RichMedia", "/Movie", "/Sound", "/Screen", "/FileAttachment", "/3D", "/Filespec"})
_FILES = ("/F", "/UF", "/DOS", "/Mac", "/Unix")
_TROUBLES = (
    PdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, RecursionError,
    OverflowError, NotImplementedError, MemoryError, EOFError, OSError, zlib.error, struct.error,
)  # fmt: skip
"""What a PDF reader raises over a file that was made to break it."""


class Unjudged(Exception):
    """The PDF cannot be read whole, so nobody knows what it would do."""


def dangerous_name(paper: IO[bytes]) -> str:
    """The first thing in a PDF that a letter must not have, as PDF spells it; "" if there is none.

    Raises:
        Unjudged: it is damaged or encrypted, or has too many objects.
    """
    try:
        reader = PdfFileReader(paper, strict=False)
        if reader.encrypted:
            raise Unjudged("it is encrypted")
        seen = 0
        for value in _values(reader):
            seen += 1
            if seen > MAX_VALUES:
                raise Unjudged("it has too many objects")
            found = _dangerous(value)
            if found:
                return found.removeprefix("/")
        if reader.root.get("/Type") != "/Catalog":
            raise Unjudged("it has no catalogue")
    except _TROUBLES as error:
        raise Unjudged("a PDF reader cannot read it") from error
    return ""


def _values(reader: PdfFileReader) -> Iterator[PdfObject]:
    """Every value of the trailer and of every object in any revision."""
    places: set[Reference] = set()
    waiting: list[PdfObject] = [reader.trailer_view]
    for revision in range(reader.xrefs.total_revisions):
        known = reader.get_historical_resolver(revision)
        for place in reader.xrefs.explicit_refs_in_revision(revision):
            waiting.append(known.get_object(place))
            places.add(place)
    while waiting:
        value = waiting.pop()
        yield value
        if isinstance(value, DictionaryObject):
            waiting.extend(value.raw_get(key) for key in value)
        elif isinstance(value, ArrayObject):
            waiting.extend(value.raw_get(index) for index in range(len(value)))
        elif isinstance(value, IndirectObject) and value.reference not in places:
            places.add(value.reference)
            waiting.append(reader.get_object(value.reference))


def _dangerous(value: PdfObject) -> str:
    if not isinstance(value, DictionaryObject):
        return ""
    for key in value:
        if str(key) in _KEYS:
            return str(key)
    for key, refused in (("/S", _ACTIONS), ("/Subtype", _PARTS), ("/Type", _PARTS)):
        named = value[key] if key in value else None
        if isinstance(named, NameObject) and str(named) in refused:
            return str(named)
    for key in _FILES:
        if key in value and (
            isinstance(value, StreamObject) or isinstance(value[key], (TextStringObject, ByteStringObject))
        ):
            return key
    return ""
