"""What the asker of a recorded search asked about, in Indonesian words for paper: one line for each filter.

The record has a question as the asker sent it, with a long list of points cut and its SHA-256 beside it. What
cannot be read here is printed as it was recorded: nothing that was asked is left out.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from archive.documents.indonesian import moment, number
from archive.documents.words import OWNERS
from archive.errors import Malformed
from archive.timespan import parse_instant

Details = Mapping[str, Any]

_DEGREES = r"(-?\d+(?:\.\d+)?)"
_POINT = re.compile(rf"{_DEGREES},{_DEGREES}(?: (\S+) m)?\Z", re.ASCII)
_BOX = re.compile(",".join([_DEGREES] * 4) + r"\Z", re.ASCII)
_CUT = re.compile(r"… \((\d+) characters, SHA-256 ([0-9a-f]{64})\)\Z")
_IN_VIEW: Mapping[str, str] = {
    "possible": "hanya kamera yang melihat tempat itu, atau yang mungkin melihatnya",
    "only": "hanya kamera yang melihat tempat itu",
}
_FOR: Mapping[str, str] = {
    "timeline": "garis waktu",
    "coverage": "matriks cakupan rekaman",
    "war_room": "riwayat untuk War Room",
}


def question_lines(details: Details, zone: ZoneInfo) -> list[str]:
    """The filters of a question in the details of an event; empty for an act that searched for nothing."""
    return [f"ditanyakan: {line(details, zone)}" for name, line in _LINES.items() if _text(details, name)]


def _near(details: Details, _: ZoneInfo) -> str:
    text = _text(details, "near")
    match = _POINT.match(text)
    if match is None:
        return f"tempat di dekat {text}{_metres(details, 'radius_m')}"
    radius = match[3] or _text(details, "radius_m")
    within = f"paling jauh {radius} m dari" if radius else "di dekat"
    return f"tempat {within} lintang {match[1]}, bujur {match[2]}"


def _box(details: Details, _: ZoneInfo) -> str:
    text = _text(details, "box")
    match = _BOX.match(text)
    if match is None:
        return f"kotak {text}"
    south, west, north, east = match.groups()
    return f"kotak dari lintang {south} sampai {north}, dari bujur {west} sampai {east}"


def _polygon(details: Details, _: ZoneInfo) -> str:
    return f"daerah dengan sudut (lintang,bujur) {_points(details, 'polygon')}"


def _route(details: Details, _: ZoneInfo) -> str:
    line = f"sepanjang jalur (lintang,bujur) {_points(details, 'route')}"
    return f"{line}{_metres(details, 'buffer_m')} dari jalur itu" if _text(details, "buffer_m") else line


def _owner(details: Details, _: ZoneInfo) -> str:
    return f"pemilik: {', '.join(OWNERS.get(one, one) for one in _text(details, 'owner').split(','))}"


def _words(details: Details, _: ZoneInfo) -> str:
    return f"kata dalam nama atau alamat kamera: {_text(details, 'text')}"


def _in_view(details: Details, _: ZoneInfo) -> str:
    text = _text(details, "in_view")
    return _IN_VIEW.get(text, text)


def _for(details: Details, _: ZoneInfo) -> str:
    text, step = _text(details, "for"), _text(details, "step")
    return f"{_FOR.get(text, text)}{f', per {step}' if step else ''}"


def _codes(name: str) -> Callable[[Details, ZoneInfo], str]:
    return lambda details, _: f"{name} {', '.join(_text(details, name).split(','))}"


def _span(what: str, start: str, end: str) -> Callable[[Details, ZoneInfo], str]:
    def line(details: Details, zone: ZoneInfo) -> str:
        return f"{what} dari {_time(details, start, zone)} sampai {_time(details, end, zone)}"

    return line


_LINES: Mapping[str, Callable[[Details, ZoneInfo], str]] = {
    "near": _near,
    "box": _box,
    "polygon": _polygon,
    "route": _route,
    "kecamatan": _codes("kecamatan"),
    "kelurahan": _codes("kelurahan"),
    "owner": _owner,
    "text": _words,
    "in_view": _in_view,
    "for": _for,
    "acts_from": _span("perbuatan", "acts_from", "acts_to"),
    "footage_from": _span("rekaman", "footage_from", "footage_to"),
}
"""By the detail that is there if something was asked, in the order of paper."""


def _text(details: Details, name: str) -> str:
    value = details.get(name)
    return value if isinstance(value, str) else "" if value is None else str(value)


def _points(details: Details, name: str) -> str:
    text = _text(details, name)
    match = _CUT.search(text)
    if match is None:
        return text.replace(";", "; ")
    shown = text[: match.start()].replace(";", "; ")
    return f"{shown} … (dipotong dari {number(int(match[1]))} karakter; SHA-256 seluruhnya {match[2]})"


def _metres(details: Details, name: str) -> str:
    length = _text(details, name)
    return f", paling jauh {length} m" if length else ""


def _time(details: Details, name: str, zone: ZoneInfo) -> str:
    text = _text(details, name)
    try:
        return moment(parse_instant(text), zone)
    except Malformed:
        return text
