"""Names of downloads that a person understands: camera, place, and the time in the city.

A camera's name is text that somebody typed. It must not act on the computer that stores the file: no
path, no control character, no character that reorders text, no name that Windows refuses.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, tzinfo

from archive.model.areas import Areas
from archive.model.camera import Camera
from archive.timespan import Timespan, as_datetime

_KEPT = frozenset(" -_.,()")
"""Beside letters, digits and combining marks. Not: quotes, slashes, ``%``, which browsers may decode."""
_NAME_BYTES, _PLACE_BYTES = 60, 40
"""In UTF-8: with the id and two times a name stays below the 255 bytes that file systems take."""
_DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))]
)
"""Names that Windows reserves, whatever follows the first dot."""


@dataclass(frozen=True, slots=True)
class DownloadName:
    """A file name without its ending: ``text`` in Unicode (NFC), ``ascii`` for programs that read only that.

    Both begin with the camera's id, so that they differ between cameras whatever these are called.
    """

    text: str
    ascii: str


def name_of(camera: Camera, areas: Areas, span: Timespan, zone: tzinfo) -> DownloadName:
    """The name of a download of one camera's footage.

    ``camera`` is as it was registered when the footage was recorded. A time has its fraction only if that is
    not zero: ``cam-1 Jl. Penghibur, Mariso, 2026-11-24 14.00.03-14.00.14 WITA``.
    """
    place = areas.name(camera.place.kecamatan) or camera.place.kecamatan
    when = time_text(span, zone)
    name, place = _clean(camera.name, _NAME_BYTES), _clean(place, _PLACE_BYTES)
    return DownloadName(
        _joined(camera.id, name, place, when), _joined(camera.id, _ascii(name), _ascii(place), when)
    )


def several(cameras: int, span: Timespan, zone: tzinfo) -> DownloadName:
    """The name of a download of several cameras: ``saksi 9 kamera, 2026-11-24 14.00.00-14.10.00 WITA``."""
    text = f"saksi {cameras} kamera, {time_text(span, zone)}"
    return DownloadName(text, text)


def time_text(span: Timespan, zone: tzinfo) -> str:
    """``2026-11-24 14.00.03-14.00.14 WITA``; the second date only if it is another."""
    start, end = (as_datetime(instant).astimezone(zone) for instant in (span.start, span.end))
    last = _time(end) if start.date() == end.date() else f"{end.date().isoformat()} {_time(end)}"
    return f"{start.date().isoformat()} {_time(start)}-{last} {_zone(end)}"


def _time(moment: datetime) -> str:
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment.hour:02d}.{moment.minute:02d}.{moment.second:02d}{fraction}"


def _zone(moment: datetime) -> str:
    """The zone's letters, such as ``WITA``; where it has none, its offset such as ``+0530``."""
    name = moment.tzname() or ""
    return name if name.isascii() and name.isalpha() and len(name) <= 8 else moment.strftime("%z")


def _joined(camera: str, name: str, place: str, when: str) -> str:
    text = ", ".join(part for part in (f"{camera} {name}".strip(), place, when) if part)
    is_device = text.partition(".")[0].upper() in _DEVICES
    return f"saksi {text}" if is_device else text


def _clean(text: str, most: int) -> str:
    """Only harmless characters, single spaces, at most ``most`` bytes; nothing at an edge that is refused."""
    shown = "".join(one if _is_kept(one) else " " for one in unicodedata.normalize("NFC", text))
    short = " ".join(shown.split()).encode("utf-8")[:most].decode("utf-8", "ignore")
    return short.strip(" .,-_")


def _is_kept(character: str) -> bool:
    return character in _KEPT or unicodedata.category(character)[0] in "LNM"


def _ascii(text: str) -> str:
    """Letters without their marks; a letter that has no ASCII form is left out."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return _clean(plain, len(plain))
