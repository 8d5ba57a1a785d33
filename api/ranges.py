"""Range, If-Range, If-None-Match and If-Match (RFC 9110, 8.8.3, 13.1 and 14), as pure functions.

One range is served as requested. Several ranges, units other than bytes and malformed fields are ignored, as
the RFC allows: the answer is then the whole representation.
"""

import re
from dataclasses import dataclass

from archive.errors import Malformed

# Positions of more than 18 digits are beyond any object, and would take time to parse.
_RANGE = re.compile(
    r"bytes[ \t]*=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*\Z", re.ASCII | re.IGNORECASE
)
_ENTITY_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_TAG_LIST = re.compile(rf"\s*(?:{_ENTITY_TAG.pattern}\s*)?(?:,\s*(?:{_ENTITY_TAG.pattern}\s*)?)*\Z")


class RangeNotSatisfiable(Malformed):
    """The range lies outside the representation; the answer is 416 with ``Content-Range: bytes */size``."""

    default_code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the range lies outside the {size} bytes", hint="Request bytes from 0 to the size less one."
        )
        self.size = size

    @property
    def content_range(self) -> str:
        """The field's value."""
        return f"bytes */{self.size}"


@dataclass(frozen=True, slots=True)
class ByteRange:
    """``[start, end)`` of a representation of ``size`` bytes; never empty."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes the answer has."""
        return self.end - self.start

    @property
    def content_range(self) -> str:
        """The value of ``Content-Range``."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


def requested_range(field: str | None, size: int) -> ByteRange | None:
    """The one range that a ``Range`` field requests, cut at the end; None if the field is absent or ignored.

    Raises:
        RangeNotSatisfiable: the range lies wholly outside the representation.
    """
    match = None if field is None else _RANGE.match(field)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        start, end = max(0, size - int(suffix)), size
    else:
        start, end = int(first), size
        if last:
            if int(last) < start:
                return None
            end = min(size, int(last) + 1)
    if start >= end:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, end, size)


def range_to_serve(field: str | None, if_range: str | None, etag: str, size: int) -> ByteRange | None:
    """As :func:`requested_range`, but with ``If-Range``: a stale validator requests the whole.

    ``etag`` is the current strong entity tag, quotes included. A date never matches, since clips have none.
    """
    if if_range is not None and if_range.strip() != etag:
        return None
    return requested_range(field, size)


def is_unmodified(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has this representation already (304): weak comparison, ``*`` matches any."""
    return if_none_match is not None and _lists(if_none_match, etag, weak=("", "W/"))


def precondition_fails(if_match: str | None, etag: str) -> bool:
    """Whether ``If-Match`` forbids the answer (412): strong comparison, ``*`` matches any."""
    return if_match is not None and not _lists(if_match, etag, weak=("",))


def _lists(field: str, etag: str, *, weak: tuple[str, ...]) -> bool:
    if field.strip() == "*":
        return True
    if _TAG_LIST.match(field) is None:
        return False
    return any(prefix in weak and tag == etag for prefix, tag in _ENTITY_TAG.findall(field))
