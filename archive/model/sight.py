"""What a camera sees: the sector of a circle around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed

LONGEST_REACH_M = 5000
_LIMITS = {"bearing": (0, 359), "field_of_view": (1, 360), "reach_m": (1, LONGEST_REACH_M)}
FIELDS = tuple(_LIMITS)
"""The fields of a sight, as forms and ledger states name them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The sector that a camera sees, as the person who mounted it states it.

    ``bearing`` is the direction of its middle, in whole degrees clockwise from true north, 0 to 359.
    ``field_of_view`` is its width in whole degrees, 1 to 360. ``reach_m`` is the distance in metres up to
    which a person can be made out, 1 to 5,000.
    """

    bearing: int
    field_of_view: int
    reach_m: int


def parse_sight(fields: Mapping[str, str]) -> Sight | None:
    """Read a sight from the texts of ``bearing``, ``field_of_view`` and ``reach_m``; None if all are empty.

    Raises:
        Malformed: ``bad_sight``: one is missing while another is given, is no whole number, or is out of
            bounds.
    """
    given = {name: fields.get(name, "").strip() for name in _LIMITS}
    if not any(given.values()):
        return None
    return Sight(**{name: _number(name, text) for name, text in given.items()})


def to_state(sight: Sight | None) -> JsonObject:
    """The members of a camera's ledger state; none for a camera whose sight is unknown."""
    if sight is None:
        return {}
    return {name: getattr(sight, name) for name in _LIMITS}


def from_state(state: Mapping[str, Any]) -> Sight | None:
    """Read the members of a ledger state; None if it has none. Raises Malformed ``bad_sight``."""
    found = {name: str(state[name]) for name in _LIMITS if name in state}
    return parse_sight(found)


def _number(name: str, text: str) -> int:
    low, high = _LIMITS[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and low <= int(text) <= high):
        raise Malformed(
            f"{name} {text[:20]!r} is not a whole number from {low} to {high}",
            code="bad_sight",
            hint="Give bearing (0-359), field_of_view (1-360) and reach_m (1-5000) together, or none.",
        )
    return int(text)
