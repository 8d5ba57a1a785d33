"""Cameras as the city registers them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from archive.canonical import JsonObject
from archive.errors import Malformed, Refused
from archive.ids import check_name
from archive.model import camera_details as detailed
from archive.model import sight as sights
from archive.model import sound_permission as allowed
from archive.model import sub_stream as subs
from archive.model.areas import AREA_CODE, Areas
from archive.model.camera_details import Details
from archive.model.connection import read_connection
from archive.model.sight import Sight
from archive.model.sound_permission import UNDECIDED, SoundDecision, audio_of
from archive.model.sub_stream import SubStream
from archive.timespan import format_instant

SOURCE_SCHEMES = ("rtsp", "rtsps", "http", "https", "udp", "file", "test")
SEGMENT_SECONDS = (2, 300)
DEFAULT_SEGMENT_SECONDS = 10
PERSONAL = "owner_name"
"""The member of a state that is personal data, which no index holds."""


class OwnerKind(StrEnum):
    """Whose premises the camera belongs to (Perwali 4/2017)."""

    GOVERNMENT = "government"
    BUSINESS = "business"
    PUBLIC = "public"
    WORSHIP = "worship"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a camera stands: WGS 84 degrees and the codes of its kecamatan and kelurahan."""

    lat: Decimal
    lon: Decimal
    kecamatan: str
    kelurahan: str
    owner: OwnerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """The registered facts of one camera.

    ``source`` is the URL that may be shown: without user name, password and query. ``sealed_source`` is the
    whole URL, encrypted with a key outside the archive. ``view`` is always ``public``: a camera with a
    private view is not registered at all. ``registered_at`` is where its timeline begins. ``sight`` is None
    for a camera whose direction nobody has stated. ``details`` are what else is known of it. ``audio`` says
    whether the recorder keeps its sound, ``sound`` who decided that. ``sub`` is its smaller stream, if it has
    one.
    """

    id: str
    name: str
    source: str
    sealed_source: str
    place: Place
    segment_seconds: int
    registered_at: int
    disabled: bool = False
    audio: bool = False
    sound: SoundDecision = UNDECIDED
    sight: Sight | None = None
    details: Details = field(default_factory=Details)
    sub: SubStream | None = None


def shown_source(url: str) -> str:
    """The URL without credentials: user, password and query are dropped.

    What it says after ``#`` about the connection stays, in one spelling.

    Raises:
        Malformed: ``bad_source`` for an unknown scheme or a URL that cannot be read.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Malformed("the camera's source URL cannot be read", code="bad_source") from error
    if parts.scheme not in SOURCE_SCHEMES:
        raise Malformed(
            f"the source scheme {parts.scheme!r} is not supported",
            code="bad_source",
            hint=f"Use one of {', '.join(s + '://' for s in SOURCE_SCHEMES)}.",
        )
    if parts.scheme in {"rtsp", "rtsps", "http", "https", "udp"} and not parts.hostname:
        raise Malformed("the camera's source URL names no host", code="bad_source")
    if parts.scheme == "file" and (parts.netloc or not parts.path):
        raise Malformed("a file source is file:///absolute/path", code="bad_source")
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    connection = read_connection(parts.scheme, parts.fragment).as_fragment()
    return urlunsplit((parts.scheme, host + (f":{port}" if port else ""), parts.path, "", connection))


def check_view(view: str) -> None:
    """Let ``public`` pass.

    Raises:
        Refused: ``private_view``: only public space may be recorded.
        Malformed: ``bad_view`` for anything else.
    """
    if view == "private":
        raise Refused(
            "a camera with a private view is not recorded",
            code="private_view",
            hint="Turn it to public space (the road, not the lobby), then register it with view public.",
        )
    if view != "public":
        raise Malformed(f"view {view!r} is not known", code="bad_view", hint="Use --view public.")


def parse_place(lat: str, lon: str, kecamatan: str, kelurahan: str, owner: str) -> Place:
    """Read a place from text. Raises Malformed ``bad_place`` naming the field."""
    for name, code in (("kecamatan", kecamatan), ("kelurahan", kelurahan)):
        if AREA_CODE.match(code) is None:
            raise Malformed(
                f"{name} {code!r} is not an area code", code="bad_place", hint="It looks like 73.71.13."
            )
    try:
        kind = OwnerKind(owner)
    except ValueError as error:
        raise Malformed(
            f"owner {owner!r} is not known",
            code="bad_place",
            hint=f"Use one of {', '.join(OwnerKind)}.",
        ) from error
    _refuse_swapped(lat, lon)
    return Place(
        lat=_degrees("lat", lat, 90),
        lon=_degrees("lon", lon, 180),
        kecamatan=kecamatan,
        kelurahan=kelurahan,
        owner=kind,
    )


def _refuse_swapped(lat: str, lon: str) -> None:
    """Name a latitude beyond a pole, which is nearly always the longitude. Raises Malformed ``bad_place``."""
    try:
        found = abs(Decimal(lat)), abs(Decimal(lon))
    except InvalidOperation:
        return  # said by _degrees
    if found[0].is_finite() and 90 < found[0] <= 180 and found[1] <= 90:
        raise Malformed(
            f"lat {lat!r} is outside ±90 degrees",
            code="bad_place",
            hint=f"Latitude and longitude look swapped: --lat {lon} --lon {lat}.",
        )


def _degrees(name: str, text: str, limit: int) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise Malformed(f"{name} {text!r} is not a number", code="bad_place") from error
    if not value.is_finite() or abs(value) > limit:
        raise Malformed(f"{name} {text!r} is outside ±{limit} degrees", code="bad_place")
    return value.quantize(Decimal("0.000001")).normalize() + 0


def check_segment_seconds(seconds: int) -> int:
    """Accept a nominal segment length. Raises Malformed ``bad_segment_seconds``."""
    low, high = SEGMENT_SECONDS
    if not low <= seconds <= high:
        raise Malformed(f"segments are {low} to {high} s long, not {seconds}", code="bad_segment_seconds")
    return seconds


def to_state(camera: Camera) -> JsonObject:
    """The camera as its ledger entry keeps it; degrees as text, since JSON numbers round."""
    return {
        "id": camera.id,
        "name": camera.name,
        "source": camera.source,
        "sealed_source": camera.sealed_source,
        "lat": format(camera.place.lat, "f"),
        "lon": format(camera.place.lon, "f"),
        "kecamatan": camera.place.kecamatan,
        "kelurahan": camera.place.kelurahan,
        "owner": camera.place.owner.value,
        "view": "public",
        "segment_seconds": camera.segment_seconds,
        "registered_at": camera.registered_at,
        "disabled": int(camera.disabled),
        "audio": int(camera.audio),
        **allowed.to_state(camera.sound),
        **subs.to_state(camera.sub),
        **sights.to_state(camera.sight),
        **detailed.to_state(camera.details),
    }


def from_state(state: Mapping[str, Any]) -> Camera:
    """Read a ledger state back. Raises Malformed ``bad_camera``."""
    try:
        return Camera(
            id=check_name("camera", state["id"]),
            name=state["name"],
            source=state["source"],
            sealed_source=state["sealed_source"],
            place=parse_place(
                state["lat"], state["lon"], state["kecamatan"], state["kelurahan"], state["owner"]
            ),
            segment_seconds=check_segment_seconds(state["segment_seconds"]),
            registered_at=state["registered_at"],
            disabled=bool(state["disabled"]),
            audio=bool(state["audio"]),
            sound=allowed.from_state(state),
            sight=sights.from_state(state),
            details=detailed.from_state(state),
            sub=subs.from_state(state),
        )
    except (KeyError, TypeError) as error:
        raise Malformed(f"the camera's record lacks or misnames {error}", code="bad_camera") from error


def area_names(place: Place, areas: Areas) -> JsonObject:
    """The names of a place's areas, for answers that have their codes; "" for one that ``areas`` lacks."""
    return {
        "kecamatan_name": areas.name(place.kecamatan),
        "kelurahan_name": areas.name(place.kelurahan),
    }


def public_json(camera: Camera, areas: Areas) -> JsonObject:
    """The camera as lists show it; never with its sealed or whole source, nor with its owner's name.

    What is not known is null; a kecamatan or kelurahan that ``areas`` lacks has the name "".
    """
    place, details, sight = camera.place, camera.details, camera.sight
    return {
        "id": camera.id,
        "name": camera.name,
        "source": camera.source,
        "sub": None if camera.sub is None else camera.sub.source,
        "lat": float(place.lat),
        "lon": float(place.lon),
        "kecamatan": place.kecamatan,
        "kelurahan": place.kelurahan,
        "owner": place.owner.value,
        "view": "public",
        "segment_seconds": camera.segment_seconds,
        "registered_at": format_instant(camera.registered_at),
        "disabled": camera.disabled,
        "audio": audio_of(is_kept=camera.audio).value,
        **allowed.public_json(camera.sound),
        **area_names(place, areas),
        **detailed.public_json(details),
        **{name: None if sight is None else getattr(sight, name) for name in sights.FIELDS},
    }


def full_json(camera: Camera, areas: Areas) -> JsonObject:
    """As :func:`public_json`, with the owner's name: personal data, for those who may see it."""
    return {**public_json(camera, areas), "owner_name": camera.details.owner_name or None}


def public_state(state: JsonObject) -> JsonObject:
    """A camera's state for the index: without sealed URLs and the owner's name, which no search needs."""
    hidden = ("sealed_source", "sealed_sub", PERSONAL)
    return {name: value for name, value in state.items() if name not in hidden}


def from_public_state(state: JsonObject) -> Camera:
    """The camera of a public state; its sealed source is "". Raises Malformed ``bad_camera``."""
    return from_state({**state, "sealed_source": ""})


def shown_streams(camera: Camera) -> dict[str, str]:
    """A form's ``source`` and ``sub`` as they may be shown; what is written so again stays as it is."""
    return {"source": camera.source, "sub": "" if camera.sub is None else camera.sub.source}


def has_moved(before: Camera, after: Camera) -> bool:
    """Whether it stands at another point, or looks elsewhere than was stated."""
    point = (before.place.lat, before.place.lon) != (after.place.lat, after.place.lon)
    return point or (before.sight is not None and before.sight != after.sight)
