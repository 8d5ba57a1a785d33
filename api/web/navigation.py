"""The pages of the console, who may open them, and the bar: a reader's places in the order of their work.

A page of this table is a shell: its HTML has the words and the bar, nothing of the archive. Its script reads
the address and asks the API, with the reader's own session. So a page shows what its routes answer, no more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.auth.principal import Principal
from archive.model.user import Role


@dataclass(frozen=True, slots=True)
class Shell:
    """A page: its path, its template below ``pages``, the action that opens it, the names in its query.

    A name in the path, ``{id}``, is the id of what the page shows. ``lists`` are names that may be repeated,
    ``long`` those of texts that may be long, such as an outline.
    """

    path: str
    template: str
    action: str
    query: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    long: tuple[str, ...] = ()


SHELLS = (
    Shell(
        "/temukan",
        "find",
        "recordings.read",
        query=("near", "radius_m", "box", "text", "kecamatan", "kelurahan", "from", "to", "at"),
        lists=("camera",),
        long=("polygon",),
    ),
    Shell(
        "/tinjau",
        "view",
        "session.read",
        query=("from", "to", "at", "range", "marked", "large"),
        lists=("camera",),
    ),
    Shell("/ajukan", "request_new", "requests.file", query=("from", "to", "amend"), lists=("camera",)),
    Shell("/permintaan", "requests", "requests.read"),
    Shell("/permintaan/{request_id}", "request", "requests.read"),
    Shell("/verifikasi", "verify", "evidence.read"),
    Shell("/antrean", "queue", "requests.decide"),
    Shell("/paket", "packages", "evidence.read", query=("status",)),
    Shell("/paket/{evidence_id}", "package", "evidence.read"),
    Shell("/unduhan", "downloads", "clips.download"),
    Shell("/retensi", "retention", "policies.read"),
    Shell("/retensi/{scope_id}", "policy", "policies.read"),
    Shell("/penahanan", "holds", "holds.read", query=("from", "to"), lists=("camera",)),
    Shell("/penahanan/{hold_id}", "hold", "holds.read"),
    Shell("/pemusnahan", "dispositions", "dispositions.read"),
    Shell("/pemusnahan/{disposition}", "disposition", "dispositions.read"),
    Shell("/akun", "accounts", "users.read"),
    Shell("/akun/{user_id}", "account", "users.read"),
    Shell("/izin", "grants", "grants.read", query=("person",), lists=("camera",)),
    Shell("/insiden", "incidents", "incidents.read"),
    Shell("/insiden/{incident_id}", "incident", "incidents.read"),
    Shell(
        "/pengawasan",
        "oversight",
        "custody.read",
        query=("item", "person", "from", "to", "footage_from", "footage_to", "only"),
    ),
    Shell("/pengawasan/log", "log", "log.read", query=("key",)),
    Shell("/pengawasan/penonton", "viewers", "users.read", query=("camera", "at", "footage_at")),
    Shell("/saya", "me", "session.read"),
    Shell("/bantuan", "help", "session.read"),
    Shell("/bagian", "parts", "api.describe"),
    Shell("/kesehatan", "health", "health.read"),
    Shell("/kamera", "cameras", "cameras.read", query=("q", "kecamatan", "owner", "state")),
    Shell("/kamera/{camera}", "camera", "cameras.read"),
    Shell("/kamera/{camera}/ubah", "camera_edit", "cameras.edit"),
    Shell("/kamera-baru", "camera_add", "cameras.edit"),
    Shell("/kamera-impor", "camera_import", "cameras.edit"),
)
"""Every page that is a shell."""

MOVED: Mapping[str, str] = MappingProxyType({"/tampilan": "/tinjau"})
"""Former addresses of pages: papers and mails carry them. Each leads to its page, with its query."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the bar: its name, its path, and the action that it needs."""

    name: str
    path: str
    action: str

    @property
    def word(self) -> str:
        """The key of its word."""
        return f"place.{self.name}"


PLACES = (
    Place("find", "/temukan", "recordings.read"),
    Place("view", "/tinjau", "footage.play"),
    Place("requests", "/permintaan", "requests.amend"),
    Place("verify", "/verifikasi", "evidence.read"),
    Place("queue", "/antrean", "requests.decide"),
    Place("packages", "/paket", "evidence.read"),
    Place("downloads", "/unduhan", "clips.download"),
    Place("cameras", "/kamera", "cameras.read"),
    Place("health", "/kesehatan", "health.read"),
    Place("retention", "/retensi", "policies.read"),
    Place("holds", "/penahanan", "holds.read"),
    Place("dispositions", "/pemusnahan", "dispositions.read"),
    Place("people", "/akun", "users.read"),
    Place("grants", "/izin", "grants.read"),
    Place("incidents", "/insiden", "incidents.read"),
    Place("oversight", "/pengawasan", "custody.read"),
    Place("me", "/saya", "session.read"),
    Place("help", "/bantuan", "session.read"),
    Place("explorer", "/antarmuka", "api.describe"),
)
"""All places, in the order in which they stand for a reader without a role, such as a machine."""

MOST = 6
"""Places in the bar of any reader; further ones stand in the reader's menu."""

BARS: Mapping[Role, tuple[str, ...]] = MappingProxyType({
    Role.POLICE: ("find", "view", "requests", "verify"),
    Role.SATPOL_PP: ("find", "view", "requests", "verify"),
    Role.KECAMATAN: ("find", "view", "health"),
    Role.WAR_ROOM: ("view", "find", "queue", "packages", "holds", "health"),
    Role.ADMIN: ("health", "cameras", "retention", "holds", "people", "incidents"),
    Role.AUDITOR: ("oversight", "incidents", "dispositions", "retention", "holds", "verify"),
})  # fmt: skip
"""The places of each role in the order of its work; the first one is its home."""


def places_of(reader: Principal) -> tuple[Place, ...]:
    """The places that this reader may use: first those of their roles, then the others."""
    own = [name for role in BARS if role in reader.roles for name in BARS[role]]
    order = [*dict.fromkeys(own), *(place.name for place in PLACES)]
    by_name = {place.name: place for place in PLACES}
    return tuple(by_name[name] for name in dict.fromkeys(order) if reader.reach(by_name[name].action))


def is_here(place: Place, path: str) -> bool:
    """Whether a path is at this place or below it."""
    return path == place.path or path.startswith(f"{place.path}/")


def bar_of(places: Iterable[Place], reader: Principal) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """The places in the bar, and those in the menu: what is not of the reader's roles, or the seventh on."""
    own = {name for role in reader.roles for name in BARS[role]}
    bar = [place for place in places if place.name in own or not own][:MOST]
    return tuple(bar), tuple(place for place in places if place not in bar)
