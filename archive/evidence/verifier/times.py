"""Instants: microseconds since 1970-01-01T00:00:00Z."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PLAIN = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{6})Z\Z", re.ASCII)
_LOOSE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})0*)?(?:[Zz]|([+-])(\d\d):(\d\d))\Z",
    re.ASCII,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND


def parse(text: str) -> int:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ``, the only form inside packages. Raises ValueError."""
    match = _PLAIN.match(text)
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a time in UTC with six decimals")
    return _instant([match[group] for group in range(1, 7)], match[7])


def parse_loose(text: str) -> int:
    """RFC 3339 with an offset, as people write it. Raises ValueError."""
    match = _LOOSE.match(text.strip())
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a time with an offset, such as 2026-11-24T14:00:00+08:00")
    instant = _instant([match[group] for group in range(1, 7)], (match[7] or "").ljust(6, "0"))
    if match[8]:
        if int(match[9]) > 23 or int(match[10]) > 59:
            raise ValueError(f"{text[:60]!r} has an impossible offset")
        shift = (int(match[9]) * 60 + int(match[10])) * MINUTE
        instant += shift if match[8] == "-" else -shift
    return instant


def show(instant: int) -> str:
    """The only form inside packages. Raises ValueError outside the years 1 to 9999."""
    return _moment(instant).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def show_wita(instant: int) -> str:
    """Makassar's time (UTC+8), to the second, for people."""
    return (_moment(instant) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S WITA (UTC+08:00)")


def _moment(instant: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=instant)
    except OverflowError as error:
        raise ValueError(f"{instant} µs is outside the calendar") from error


def _instant(parts: list[str], fraction: str) -> int:
    year, month, day, hour, minute, second = (int(part) for part in parts)
    moment = datetime(year, month, day, hour, minute, second, int(fraction), timezone.utc)
    return (moment - _EPOCH) // timedelta(microseconds=1)
