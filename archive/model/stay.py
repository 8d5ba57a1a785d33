"""Where a camera stood and what it saw, from when until when.

A camera's ledger entries make its *stays*: stretches of time in which its place, its sight, its name and its
address were the same. The index keeps them as one document of each camera, of kind :data:`KIND`, whose
version is that of the camera's newest entry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.model import sight as sights
from archive.model.camera import Place, parse_place
from archive.model.sight import Sight
from archive.timespan import Timespan

KIND = "camera_stay"
"""The kind of the index's documents of stays. They are made of the ledger, and no stream of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a stay says of a camera. ``sight`` is None while nobody has stated where it looks.

    ``point`` is the place's latitude and longitude as numbers, for arithmetic over thousands of stays.
    """

    name: str
    address: str
    place: Place
    sight: Sight | None
    point: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A camera's facts in ``[since, until)`` (µs).

    ``since`` is None for the first stay: footage from before the camera was registered, which was imported,
    belongs to its first place. ``until`` is None for the present one.
    """

    camera: str
    since: int | None
    until: int | None
    facts: Facts

    def within(self, span: Timespan) -> Timespan | None:
        """The part of the stay inside a span, or None."""
        start = span.start if self.since is None else max(span.start, self.since)
        end = span.end if self.until is None else min(span.end, self.until)
        return Timespan(start, end) if start < end else None


def stays_state(history: Iterable[tuple[int, Mapping[str, Any]]]) -> JsonObject:
    """The index's document, from the times (µs) and states of a camera's entries, the oldest first.

    Of an instant the newest entry that is not later counts, also where a clock was set back between two
    entries; before the first entry the first one counts.
    """
    found: list[tuple[int | None, JsonObject]] = []
    for at, state in history:
        facts = _facts_state(state)
        if not found:
            found.append((None, facts))
            continue
        while (since := found[-1][0]) is not None and since >= at:
            found.pop()
        if found[-1][1] != facts:
            found.append((at, facts))
    return {"stays": [facts if since is None else {**facts, "from": since} for since, facts in found]}


def stays_of(camera: str, state: Mapping[str, Any]) -> tuple[Stay, ...]:
    """Read a document of the index, the oldest stay first. Raises Malformed ``bad_camera``."""
    try:
        listed = state["stays"]
        begins = [one.get("from") for one in listed]
        return tuple(
            Stay(camera=camera, since=since, until=until, facts=_facts(one))
            for one, since, until in zip(listed, begins, [*begins[1:], None], strict=True)
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise Malformed(f"the stays of {camera} lack or misname {error}", code="bad_camera") from error


def _facts_state(state: Mapping[str, Any]) -> JsonObject:
    address = state.get("address", "")
    return {
        "name": state["name"],
        **({"address": address} if address else {}),
        **{part: state[part] for part in ("lat", "lon", "kecamatan", "kelurahan", "owner")},
        **sights.to_state(sights.from_state(state)),
    }


def _facts(state: Mapping[str, Any]) -> Facts:
    place = parse_place(state["lat"], state["lon"], state["kecamatan"], state["kelurahan"], state["owner"])
    return Facts(
        name=state["name"],
        address=state.get("address", ""),
        place=place,
        sight=sights.from_state(state),
        point=(float(place.lat), float(place.lon)),
    )
