"""Numbers, sizes, durations and moments as Indonesian writes them."""

from datetime import date as Date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from archive.errors import Malformed
from archive.timespan import HOUR, MINUTE, SECOND, as_datetime

_ZONES = {"Asia/Makassar": "WITA", "Asia/Jakarta": "WIB", "Asia/Jayapura": "WIT", "UTC": "UTC"}
_DAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
_MONTHS = (
    "Januari", "Februari", "Maret", "April", "Mei", "Juni",
    "Juli", "Agustus", "September", "Oktober", "November", "Desember",
)  # fmt: skip


_SHORT_MONTHS = ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des")


def zone_named(name: str) -> ZoneInfo:
    """A time zone by its name. Raises Malformed ``bad_time_zone`` when this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Malformed(f"the time zone {name!r} is not known here", code="bad_time_zone") from error


def zone_word(zone: ZoneInfo, instant: int) -> str:
    """WITA, WIB, WIT, UTC, or the offset from UTC at that instant."""
    return _ZONES.get(zone.key) or as_datetime(instant).astimezone(zone).strftime("UTC%z")


def moment(instant: int, zone: ZoneInfo) -> str:
    """``24 November 2026 14:00:00 WITA``; the fraction of a second is cut off."""
    local = as_datetime(instant).astimezone(zone)
    return f"{_date(local, _MONTHS)} {local:%H:%M:%S} {zone_word(zone, instant)}"


def fine_moment(instant: int, zone: ZoneInfo) -> str:
    """``24 Nov 2026 14:00:00,123`` to the millisecond, cut off; the document names the zone elsewhere."""
    local = as_datetime(instant).astimezone(zone)
    return f"{_date(local, _SHORT_MONTHS)} {local:%H:%M:%S},{local.microsecond // 1000:03d}"


def day_in_words(instant: int, zone: ZoneInfo) -> str:
    """``Selasa, 24 November 2026``."""
    local = as_datetime(instant).astimezone(zone)
    return f"{_DAYS[local.weekday()]}, {_date(local, _MONTHS)}"


def date_in_words(date: str) -> str:
    """``24 November 2026`` for ``2026-11-24``; any other text is returned unchanged."""
    try:
        found = Date.fromisoformat(date)
    except ValueError:
        return date
    return _date(found, _MONTHS)


def _date(day: Date, months: tuple[str, ...]) -> str:
    return f"{day.day} {months[day.month - 1]} {day.year}"


def clock_time(instant: int, zone: ZoneInfo) -> str:
    """``14:00:00``."""
    return f"{as_datetime(instant).astimezone(zone):%H:%M:%S}"


def number(count: int) -> str:
    """``1.234.567``."""
    return f"{count:,}".replace(",", ".")


def size(count: int) -> str:
    """A number of bytes, in MB or GB (powers of ten, cut to hundredths) from a million on."""
    if count < 1_000_000:
        return f"{number(count)} bita"
    unit, divisor = ("GB", 1_000_000_000) if count >= 1_000_000_000 else ("MB", 1_000_000)
    hundredths = count * 100 // divisor
    return f"{number(hundredths // 100)},{hundredths % 100:02d} {unit}"


def length(duration: int) -> str:
    """A duration in µs as ``1 jam 2 menit 3,250 detik``, cut to milliseconds; what is zero is left out."""
    hours, rest = divmod(duration, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, rest = divmod(rest, SECOND)
    parts = [f"{number(hours)} jam"] if hours else []
    parts += [f"{minutes} menit"] if minutes else []
    if rest >= 1000:
        parts.append(f"{seconds},{rest // 1000:03d} detik")
    elif seconds or not parts:
        parts.append(f"{seconds} detik")
    return " ".join(parts)
