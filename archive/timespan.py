"""Instants and half-open spans of time, in integer microseconds of UTC.

An *instant* is an ``int``: microseconds since 1970-01-01T00:00:00Z. A :class:`Timespan` is ``[start,
end)``. A :class:`SpanSet` is an ordered, disjoint, maximal set of spans; its algebra obeys
``coverage ∪ gaps = whole`` and ``coverage ∩ gaps = ∅`` to the microsecond
(``tests/unit/kernel/test_timespan.py``).

At every border time is RFC 3339 with an offset; a time without one is refused, because a witness who
says "14:00" without saying where has not said when.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from archive.errors import Malformed

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?\Z", re.ASCII
)
_AS_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z", re.ASCII)
"""As :func:`format_instant` writes it: nearly every time that is read, and Python itself reads it fast."""


def parse_instant(text: str) -> int:
    """Read an RFC 3339 time with offset.

    Digits beyond the microsecond are refused unless they are zeros: rounding would move a half-open edge. A
    leap second ``:60`` is refused: the system keeps POSIX time.

    Raises:
        Malformed: ``naive_time`` without an offset, ``bad_time`` otherwise.
    """
    if isinstance(text, str) and _AS_WRITTEN.match(text):
        try:
            return from_datetime(datetime.fromisoformat(text))
        except ValueError:
            pass  # the 30th of February; below it is refused in words
    match = _RFC3339.match(text.strip())
    if match is None:
        raise Malformed(
            f"{text!r} is not a time",
            code="bad_time",
            hint="Write RFC 3339 with an offset, such as 2026-11-24T14:00:00+08:00.",
        )
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    if offset is None:
        raise Malformed(
            f"{text!r} has no UTC offset",
            code="naive_time",
            hint="Add the offset: +08:00 for Makassar, Z for UTC.",
        )
    digits = (fraction or "").ljust(9, "0")
    if digits[6:] != "000":
        raise Malformed(
            f"{text!r} is finer than a microsecond", code="bad_time", hint="Use at most six decimals."
        )
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(digits[:6]), UTC
        )
    except ValueError as error:
        raise Malformed(f"{text!r} is not a time: {error}", code="bad_time") from error
    shift = 0
    if offset not in "Zz":
        hours, minutes = int(offset[1:3]), int(offset[4:6])
        if hours > 23 or minutes > 59:
            raise Malformed(f"{text!r} has an impossible offset", code="bad_time")
        shift = (hours * HOUR + minutes * MINUTE) * (-1 if offset[0] == "-" else 1)
    return from_datetime(moment) - shift


def format_instant(instant: int) -> str:
    """Write an instant as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``, always six decimals.

    Raises:
        Malformed: ``bad_time`` when the instant lies outside the years 1 to 9999.
    """
    # Not strftime, whose %Y writes the year 999 in three digits.
    return as_datetime(instant).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def as_datetime(instant: int) -> datetime:
    """The instant as an aware UTC :class:`datetime.datetime`."""
    try:
        return _EPOCH + timedelta(microseconds=instant)
    except OverflowError as error:
        raise Malformed(f"{instant} µs is outside the calendar", code="bad_time") from error


def from_datetime(moment: datetime) -> int:
    """The instant of an aware :class:`datetime.datetime`."""
    return (moment - _EPOCH) // _MICROSECOND


def hour_of(instant: int) -> int:
    """The start of the UTC hour that holds the instant."""
    return instant - instant % HOUR


@dataclass(frozen=True, slots=True, order=True)
class Timespan:
    """A half-open span ``[start, end)``; never empty.

    Raises:
        Malformed: ``empty_span`` unless ``start < end``.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise Malformed(
                f"the span ends at {format_instant(self.end)}, not after {format_instant(self.start)}",
                code="empty_span",
                hint="Give a 'to' that is later than 'from'.",
            )

    @classmethod
    def parse(cls, start: str, end: str) -> Self:
        """Read both edges with :func:`parse_instant`."""
        return cls(parse_instant(start), parse_instant(end))

    @property
    def duration(self) -> int:
        """Length in microseconds."""
        return self.end - self.start

    def __contains__(self, instant: int) -> bool:
        return self.start <= instant < self.end

    def overlaps(self, other: "Timespan") -> bool:
        """Whether the two share at least one microsecond."""
        return self.start < other.end and other.start < self.end

    def intersection(self, other: "Timespan") -> "Timespan | None":
        """The shared part, or None."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Timespan(start, end) if start < end else None

    def to_json(self) -> dict[str, str]:
        """The edges as answers, packages and custody events have them: ``from`` and ``to``."""
        return {"from": format_instant(self.start), "to": format_instant(self.end)}

    def __str__(self) -> str:
        return f"[{format_instant(self.start)}, {format_instant(self.end)})"


class SpanSet:
    """An immutable set of instants, kept as ordered, disjoint, non-touching spans."""

    __slots__ = ("_spans",)

    def __init__(self, spans: Iterable[Timespan] = ()) -> None:
        merged: list[Timespan] = []
        for span in sorted(spans):
            if merged and span.start <= merged[-1].end:
                if span.end > merged[-1].end:
                    merged[-1] = Timespan(merged[-1].start, span.end)
            else:
                merged.append(span)
        self._spans = tuple(merged)

    def __iter__(self) -> Iterator[Timespan]:
        return iter(self._spans)

    def __len__(self) -> int:
        return len(self._spans)

    def __bool__(self) -> bool:
        return bool(self._spans)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpanSet) and self._spans == other._spans

    def __hash__(self) -> int:
        return hash(self._spans)

    def __repr__(self) -> str:
        return f"SpanSet({', '.join(map(str, self._spans))})"

    def __contains__(self, instant: int) -> bool:
        return any(instant in span for span in self._spans)

    @property
    def duration(self) -> int:
        """Total length in microseconds."""
        return sum(span.duration for span in self._spans)

    def __or__(self, other: "SpanSet") -> "SpanSet":
        return SpanSet((*self._spans, *other._spans))

    def __and__(self, other: "SpanSet") -> "SpanSet":
        shared: list[Timespan] = []
        mine, theirs = self._spans, other._spans
        i = j = 0
        while i < len(mine) and j < len(theirs):
            part = mine[i].intersection(theirs[j])
            if part is not None:
                shared.append(part)
            if mine[i].end <= theirs[j].end:
                i += 1
            else:
                j += 1
        return SpanSet(shared)

    def __sub__(self, other: "SpanSet") -> "SpanSet":
        left: list[Timespan] = []
        cuts = other._spans
        j = 0
        for span in self._spans:
            start = span.start
            while j < len(cuts) and cuts[j].end <= start:
                j += 1
            k = j
            while k < len(cuts) and cuts[k].start < span.end:
                if cuts[k].start > start:
                    left.append(Timespan(start, cuts[k].start))
                start = max(start, cuts[k].end)
                k += 1
            if start < span.end:
                left.append(Timespan(start, span.end))
        return SpanSet(left)

    def gaps_within(self, whole: Timespan) -> "SpanSet":
        """The part of ``whole`` that this set does not cover."""
        return SpanSet((whole,)) - self

    def within(self, whole: Timespan) -> "SpanSet":
        """The part of this set inside ``whole``."""
        return self & SpanSet((whole,))
