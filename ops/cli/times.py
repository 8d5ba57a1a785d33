"""Times on a terminal: in the city's time zone, to the second, with the zone's name. JSON keeps UTC."""

import re
from zoneinfo import ZoneInfo

from archive.timespan import Timespan, as_datetime, parse_instant
from ops.wiring import Site

_STORED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\Z", re.ASCII)


def zone_of_city(site: Site) -> ZoneInfo:
    """The time zone in which people of this installation read times."""
    return ZoneInfo(site.settings.time_zone)


def time_text(instant: int | str, zone: ZoneInfo) -> str:
    """An instant in µs or as RFC 3339: ``2026-11-24 14:00:00 WITA``, cut to the second."""
    at = parse_instant(instant) if isinstance(instant, str) else instant
    return f"{as_datetime(at).astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"


def span_text(span: Timespan, zone: ZoneInfo) -> str:
    """A span of footage to the microsecond: ``2026-11-24 14:00:03.300000 to 14:00:14 WITA``."""
    start, end = as_datetime(span.start).astimezone(zone), as_datetime(span.end).astimezone(zone)
    shown = end.isoformat(sep=" ")[:10] + " " if start.date() != end.date() else ""
    return f"{start:%Y-%m-%d} {start.time().isoformat()} to {shown}{end.time().isoformat()} {end:%Z}"


def bound_text(bound: int | None) -> str:
    """How far a time may be wrong, rounded up to a tenth of a second; ``bound`` in µs, None for no bound."""
    if bound is None:
        return "no bound, the recorder's clock was not synchronised"
    return f"± {-(-bound // 100_000) / 10:.1f} s"


def value_text(value: object, zone: ZoneInfo) -> str:
    """A value of a JSON answer for a line of text: stored times as :func:`time_text`, lists with commas."""
    if isinstance(value, str):
        return time_text(value, zone) if _STORED.match(value) else value
    if isinstance(value, list | tuple):
        return ", ".join(value_text(one, zone) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {value_text(one, zone)}" for name, one in value.items())
    return str(value)
