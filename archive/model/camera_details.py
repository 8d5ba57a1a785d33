"""What else the city knows of a camera: where it is mounted, whose it is, under which permit, since when.

Every field is optional. An entry of the ledger has a member for each that is known; older entries have none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from archive.canonical import JsonObject
from archive.errors import Malformed

HIGHEST_M = 300
_LONGEST = 200
_TEXTS = ("address", "owner_name", "permit", "purpose")
_DATES = ("installed_on", "integrated_on")
FIELDS = ("address", "height_m", "owner_name", "permit", "purpose", "signage", *_DATES, "onvif")
"""The fields, as forms and ledger states name them."""
_ADDRESS = re.compile(r"[\x21-\x7e]+\Z")
_DEVICE_PATH = "/onvif/device_service"
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)


class Signage(StrEnum):
    """Whether a sign at the place says that it is recorded."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Optional facts of a camera; "" and None for what is not known.

    ``address`` is the street address of the mounting, ``height_m`` its height above the ground in metres (to
    the centimetre). ``owner_name`` is personal data. ``permit`` is the number at the licensing office (PTSP),
    ``purpose`` why the camera is there. ``installed_on`` and ``integrated_on`` are days in the city.
    ``onvif`` is where the camera answers to ONVIF, as :func:`device_address` writes it.
    """

    address: str = ""
    height_m: Decimal | None = None
    owner_name: str = ""
    permit: str = ""
    purpose: str = ""
    signage: Signage = Signage.UNKNOWN
    installed_on: date | None = None
    integrated_on: date | None = None
    onvif: str = ""


def parse_details(fields: Mapping[str, str]) -> Details:
    """Read the details from the texts of :data:`FIELDS`; a text that is missing or blank is not known.

    Raises:
        Malformed: ``bad_detail``; its message begins with the field.
    """
    given = {name: fields.get(name, "").strip() for name in FIELDS}
    return Details(
        address=_text("address", given["address"]),
        height_m=_height(given["height_m"]),
        owner_name=_text("owner_name", given["owner_name"]),
        permit=_text("permit", given["permit"]),
        purpose=_text("purpose", given["purpose"]),
        signage=_signage(given["signage"]),
        installed_on=_day("installed_on", given["installed_on"]),
        integrated_on=_day("integrated_on", given["integrated_on"]),
        onvif=given["onvif"] and device_address(given["onvif"]),
    )


def texts_of(details: Details) -> dict[str, str]:
    """The texts that :func:`parse_details` reads back; "" for what is not known."""
    height = details.height_m
    return {
        **{name: getattr(details, name) for name in _TEXTS},
        **{name: _iso(getattr(details, name)) for name in _DATES},
        "height_m": "" if height is None else format(height, "f"),
        "signage": "" if details.signage is Signage.UNKNOWN else details.signage.value,
        "onvif": details.onvif,
    }


def to_state(details: Details) -> JsonObject:
    """The members of a camera's ledger state: one for each field that is known, as text."""
    return {name: text for name, text in texts_of(details).items() if text}


def from_state(state: Mapping[str, Any]) -> Details:
    """Read the members of a ledger state. Raises Malformed ``bad_detail``."""
    return parse_details({name: str(state[name]) for name in FIELDS if name in state})


def public_json(details: Details) -> JsonObject:
    """The details as answers show them, without the owner's name; null for what is not known."""
    height = details.height_m
    return {
        "address": details.address or None,
        "height_m": None if height is None else float(height),
        "permit": details.permit or None,
        "purpose": details.purpose or None,
        "signage": details.signage.value,
        **{name: _iso(getattr(details, name)) or None for name in _DATES},
        "onvif": details.onvif or None,
    }


def device_address(text: str) -> str:
    """Where a camera answers to ONVIF, as a URL; ``text`` is a host, a host with a port, or a URL.

    Raises:
        Malformed: ``bad_detail``: it cannot be read, or holds a user name, a password or a query.
    """
    url = text.strip() if "://" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise _bad_address("cannot be read") from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise _bad_address("has a user name, a password or a query")
    if parts.scheme not in ("http", "https") or not host or not _ADDRESS.match(url) or len(url) > _LONGEST:
        raise _bad_address("is neither a host nor an http(s) URL")
    named = f"[{host}]" if ":" in host else host
    numbered = f"{named}:{port}" if port else named
    path = parts.path if parts.path not in ("", "/") else _DEVICE_PATH
    return f"{parts.scheme}://{numbered}{path}"


def _bad_address(what: str) -> Malformed:
    return _bad(f"onvif {what}", "Write it like 10.20.0.11, 10.20.0.11:8000 or https://10.20.0.11.")


def _text(name: str, text: str) -> str:
    if len(text) > _LONGEST or not text.isprintable():
        raise _bad(f"{name} is not a text of at most {_LONGEST} printable characters")
    return text


def _height(text: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise _bad(f"height_m {text[:20]!r} is not a number") from error
    if not (value.is_finite() and 0 < value <= HIGHEST_M):
        raise _bad(f"height_m {text[:20]!r} is not above 0 and at most {HIGHEST_M} metres")
    return max(value.quantize(Decimal("0.01")), Decimal("0.01")).normalize() + 0


def _signage(text: str) -> Signage:
    if not text:
        return Signage.UNKNOWN
    try:
        return Signage(text)
    except ValueError as error:
        raise _bad(f"signage {text[:20]!r} is not known", f"Use one of {', '.join(Signage)}.") from error


def _day(name: str, text: str) -> date | None:
    if not text:
        return None
    try:
        if _DATE.match(text) is None:
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError as error:
        raise _bad(f"{name} {text[:20]!r} is not a date", "Write it like 2026-11-24.") from error


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _bad(message: str, hint: str = "") -> Malformed:
    return Malformed(message, code="bad_detail", hint=hint)
