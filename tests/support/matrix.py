"""The matrix of permissions: a city with a person of every kind, and a probe for every route.

Expected answers are derived only from :data:`api.auth.permissions.PERMISSIONS` and from the set-up in this
module, never from code that the routes use to decide. A :class:`Subject` is the thing a probe is about; its
verdict is the code of the refusal, or "" if the answer must not be a refusal.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from api.auth.permissions import PERMISSIONS, RIGHT_OF, Reach
from api.web.navigation import MOVED, SHELLS
from archive.model.grant import Grant, Right
from archive.model.token import KIND as TOKENS
from archive.model.token import TokenScope, to_json
from archive.model.user import Role
from archive.timespan import DAY, HOUR, SECOND, Timespan
from tests.support.api_site import ASKED, CAMERA, EMPTY_CAMERA, T0, Site, camera_json, instant, span
from tests.support.people import OURS, PURPOSE, add_person, caller, catch_up, cookie_of, grant, users_of
from tests.support.requesting import PDF

OWN, OTHER = "73.71.01", "73.71.02"
ELSEWHERE, NO_CAMERA = "cam-9", "cam-0"
NO_REQUEST, NO_EVIDENCE = "REQ-2026-0123456789", "EVD-2026-0123456789"
NO_EXPORT = "exp-0123456789abcdef01234567"
NO_TRIAL = "trial-0123456789abcdef01234567"
NO_HOLD, NO_GRANT = "hold-0123456789abcdef0123456789abcdef", "GRT-0123456789abcdef"
GRANTED = Timespan(T0, T0 + 25 * SECOND)
ANOTHER_TIME = Timespan(T0 + 60 * SECOND, T0 + 70 * SECOND)
PACKAGED = Timespan(T0 + 2 * SECOND, T0 + 12 * SECOND)
STALE = {"If-Match": '"9999"'}
WHY = {"reason": "x"}

FORBIDDEN, NOT_GRANTED, HANDED_OVER = "not_permitted", "not_granted", "download_needed"


@dataclass(frozen=True, slots=True)
class Who:
    """One column of the matrix. ``scope`` makes it a machine; ``ours`` False makes it unauthenticated."""

    name: str
    roles: tuple[Role, ...] = ()
    districts: tuple[str, ...] = ()
    agency: str = ""
    grant: str = ""
    scope: TokenScope | None = None
    ours: bool = True

    def reach(self, action: str) -> frozenset[Reach]:
        """The reach that the table gives them."""
        if self.scope is not None:
            if self.scope.actions is not None and action not in self.scope.actions:
                return frozenset()
            return frozenset({Reach.ALL if self.scope.districts is None else Reach.OWN})
        row = PERMISSIONS[action]
        return frozenset(row[role] for role in self.roles if role in row)

    @property
    def own(self) -> frozenset[str]:
        """Their districts."""
        return frozenset(self.districts if self.scope is None else self.scope.districts or ())

    def is_granted(self, action: str, camera: str, asked: Timespan) -> bool:
        """Whether their grants open the whole of ``asked``."""
        if self.grant not in GRANTS:
            return False
        cameras, opened, rights = GRANTS[self.grant]
        inside = opened.start <= asked.start and asked.end <= opened.end
        return RIGHT_OF.get(action) in rights and camera in cameras and inside


GRANTS: Mapping[str, tuple[tuple[str, ...], Timespan, tuple[Right, ...]]] = {
    "view": ((CAMERA,), GRANTED, (Right.VIEW,)),
    "download": ((CAMERA,), GRANTED, (Right.DOWNLOAD,)),
    "both": ((CAMERA,), GRANTED, (Right.VIEW, Right.DOWNLOAD)),
    "elsewhere": ((ELSEWHERE,), GRANTED, (Right.VIEW, Right.DOWNLOAD)),
    "another-time": ((CAMERA,), ANOTHER_TIME, (Right.VIEW, Right.DOWNLOAD)),
}
"""What is in force; ``expired`` and ``revoked`` are given too, and open nothing."""

OVER = {"expired": GRANTS["both"], "revoked": GRANTS["both"]}


def _everybody() -> tuple[Who, ...]:
    people = [
        Who("kominfo", (Role.ADMIN,)),
        Who("citra", (Role.WAR_ROOM,)),
        Who("erna", (Role.KECAMATAN,), (OWN,)),
        Who("farid", (Role.KECAMATAN,), (OTHER,)),
        Who("gani", (Role.KECAMATAN,)),
        Who("indra", (Role.AUDITOR,)),
        Who("berkas", (Role.POLICE,), agency="polrestabes"),
        Who("rekan", (Role.POLICE,), agency="polrestabes"),
        Who("perda", (Role.SATPOL_PP,), agency="satpolpp"),
        Who("rangkap", (Role.KECAMATAN, Role.POLICE), (OTHER,), grant="view"),
    ]
    for role in (Role.POLICE, Role.SATPOL_PP):
        people += [
            Who(f"{role.value.replace('_', '-')}-{kind or 'none'}", (role,), grant=kind)
            for kind in ("", *GRANTS, *OVER)
        ]
    every = frozenset(PERMISSIONS)
    machines = [
        Who("t-whole", scope=TokenScope()),
        Who("t-own", scope=TokenScope(actions=every, districts=frozenset({OWN}))),
        Who("t-other", scope=TokenScope(actions=every, districts=frozenset({OTHER}))),
        Who("t-narrow", scope=TokenScope(actions=frozenset({"api.describe"}))),
    ]
    unauthenticated = [
        Who(name, ours=False) for name in ("nobody", "t-unknown", "t-expired", "t-revoked", "closed")
    ]
    return (*people, *machines, *unauthenticated)


EVERYBODY = _everybody()


@dataclass(slots=True)
class World:
    """The city, and the ids of everything in it."""

    site: Site
    tokens: dict[str, str] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    requests: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    holds: dict[str, str] = field(default_factory=dict)
    paper: str = ""

    def headers(self, who: Who) -> dict[str, str]:
        """The headers of a caller: a session's cookie, a token, or nothing."""
        if who.name == "nobody":
            return {}
        if who.name in self.tokens:
            return {"Authorization": f"Bearer {self.tokens[who.name]}"}
        return {"Cookie": cookie_of(self.site, who.name, PURPOSE), **OURS}


def settled(site: Site) -> World:
    """The people with their grants, requests, packages, holds and policies; an hour has passed."""
    world = World(site)
    must(site.call("POST", "/v1/cameras", json=camera_json(ELSEWHERE)))
    for who in (*EVERYBODY, Who("budi", (Role.WAR_ROOM,)), Who("closed", (Role.WAR_ROOM,))):
        if who.roles:
            add_person(site, who.name, *who.roles, districts=who.districts, agency=who.agency)
    catch_up(site)
    _give(world)
    _make_tokens(world)
    _file(world)
    for scope in (f"kecamatan-{OWN}", f"kecamatan-{OTHER}", f"camera-{CAMERA}", f"camera-{ELSEWHERE}"):
        terms = {"keep_days_min": 30, "keep_days_max": None, "basis": "x", **WHY}
        path = f"/v1/retention/policies/{scope}/propose"
        must(site.call("POST", path, json=terms, headers={"If-None-Match": "*"}))
    site.clock.advance(HOUR + SECOND)
    catch_up(site)
    return world


def must(answer: Any) -> Any:
    """An answer that a test depends on. Raises AssertionError if it is a refusal."""
    assert answer.is_success, answer.text
    return answer


def _give(world: World) -> None:
    from archive.cases.people.grants import Grants

    site = world.site
    for who in EVERYBODY:
        if not who.grant:
            continue
        cameras, opened, rights = {**GRANTS, **OVER}[who.grant]
        until = site.clock.now() + (HOUR if who.grant == "expired" else DAY)
        given = grant(site, who.name, cameras, opened, *rights, until=until)
        world.grants[who.name] = given
        if who.grant == "revoked":
            Grants(site.services.ledger, site.clock).revoke(given.id, actor="user:citra", reason="x")


def _make_tokens(world: World) -> None:
    from ops.tokens import token_file

    site = world.site
    tokens, now = token_file(site.evidence.site), site.clock.now()
    for who in EVERYBODY:
        if who.scope is not None:
            world.tokens[who.name] = tokens.create(who.name, site.clock, who.scope)
            state = {**to_json(who.scope), "revoked": 0}
            # A token acts for its maker, who is nobody else here.
            site.services.ledger.append(
                TOKENS, who.name, state, expected=0, actor="user:pembuat", action="token.created"
            )
    world.tokens["t-expired"] = tokens.create("t-expired", site.clock, TokenScope(expires_at=now + HOUR))
    world.tokens["t-revoked"] = tokens.create("t-revoked", site.clock)
    tokens.revoke("t-revoked")
    world.tokens["t-unknown"] = "saksi_" + "a" * 43
    users_of(site).disable("closed", actor="os:test", reason="x")


def request_form(kind: str = "polri", basis: str = "lp", **changes: Any) -> dict[str, Any]:
    """A complete request."""
    return {
        "requester": {
            "name": "Budi Santoso", "rank": "Iptu", "nrp_nip": "84010123", "agency_kind": kind,
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0811-000-000",
        },
        "urgent": True,
        "case": "LP/B/123/XI/2026",
        "purpose": "Pencurian",
        "legal_basis": [{"kind": basis, "number": "LP/B/123/XI/2026", "article": "Pasal 363"}],
        "cameras": [CAMERA],
        **span(2, 12),
        **changes,
    }  # fmt: skip


def _file(world: World) -> None:
    """One request of the police and one of Satpol PP, both approved and sealed; the first is handed over."""
    site = world.site
    asked = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1"}
    world.evidence["machine"] = must(site.call("POST", "/v1/evidence", json=asked)).json()["evidence_id"]
    forms = {"berkas": request_form(), "perda": request_form("satpol_pp", "perda")}
    for name, form in forms.items():
        request = must(caller(site, name)("POST", "/v1/requests", json=form)).json()
        world.requests[name] = request["id"]
        path = f"/v1/requests/{request['id']}"
        world.holds[name] = site.call.get(path).json()["hold"]["id"]
        if name == "berkas":
            world.paper = must(caller(site, name)("POST", "/v1/requests/attachments", content=PDF)).json()[
                "sha256"
            ]
            letter = {"kind": "letter", "sha256": world.paper, "number": "B/1", "date": "2026-11-24"}
            must(caller(site, name)("POST", f"{path}/attachments", json=letter, headers=_now(site, path)))
        approved = caller(site, "citra")("POST", f"{path}/approve", json=WHY, headers=_now(site, path))
        world.evidence[name] = must(approved).json()["evidence_id"]
    assert site.evidence.run_open_requests() == 3
    path = f"/v1/requests/{world.requests['berkas']}"
    body = {"downloads": 100, "hours": 100}
    must(caller(site, "budi")("POST", f"{path}/handover", json=body, headers=_now(site, path)))
    form = {
        "cameras": [CAMERA], **span(0, 25), "case": "LP/B/2", "owner": "kominfo", "basis": "surat",
        "review_at": instant(30 * 24 * 3600),
    }  # fmt: skip
    world.holds["kominfo"] = must(caller(site, "kominfo")("POST", "/v1/holds", json=form)).json()["id"]


def _now(site: Site, path: str) -> dict[str, str]:
    return {"If-Match": site.call.get(path).headers["etag"]}


# -- what a probe is about ---------------------------------------------------------------------------------

Subject = Callable[[Who, str, frozenset[Reach]], str]
"""The code of the refusal for somebody who reaches so far with an action, or ""."""

DISTRICT_OF = {CAMERA: OWN, EMPTY_CAMERA: OWN, ELSEWHERE: OTHER}


def nothing(_who: Who, _action: str, _reach: frozenset[Reach]) -> str:
    """A call that everyone with the action may make."""
    return ""


def a_camera(camera: str) -> Subject:
    """Facts about a camera."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        if reach != {Reach.OWN} or DISTRICT_OF[camera] in who.own:
            return ""
        return "camera_not_found"

    return verdict


def district(code: str) -> Subject:
    """A thing that is placed in a district."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        return "" if Reach.ALL in reach or code in who.own else FORBIDDEN

    return verdict


def footage(camera: str, asked: Timespan) -> Subject:
    """Footage of one camera and span."""

    def verdict(who: Who, action: str, reach: frozenset[Reach]) -> str:
        if Reach.ALL in reach or (Reach.OWN in reach and DISTRICT_OF[camera] in who.own):
            return ""
        if Reach.GRANTED in reach:
            return "" if who.is_granted(action, camera, asked) else NOT_GRANTED
        return "camera_not_found"

    return verdict


def request_of(name: str) -> Subject:
    """A request that a person filed; it belongs to them and to their agency."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        return "" if Reach.ALL in reach or is_theirs(who, name) else "request_not_found"

    return verdict


def is_theirs(who: Who, filer: str) -> bool:
    """Whether they filed it, or belong to the filer's agency."""
    agency = next(one.agency for one in EVERYBODY if one.name == filer)
    return who.name == filer or (bool(agency) and who.agency == agency)


def package_of(name: str) -> Subject:
    """The package of a request; ``machine`` for a package that a token requested."""

    def verdict(who: Who, action: str, reach: frozenset[Reach]) -> str:
        asked = Reach.MINE in reach and name != "machine" and is_theirs(who, name)
        opened = who.is_granted("evidence.download", CAMERA, PACKAGED)
        granted = bool(reach & {Reach.MINE, Reach.GRANTED}) and opened
        own = Reach.OWN in reach and OWN in who.own
        return "" if Reach.ALL in reach or asked or granted or own else "evidence_not_found"

    return verdict


def bytes_of(name: str) -> Subject:
    """The bytes of a package. A request's package needs a handover; viewers of the request learn so."""

    def verdict(who: Who, action: str, reach: frozenset[Reach]) -> str:
        opened = who.is_granted(action, CAMERA, PACKAGED) and Reach.GRANTED in reach
        if Reach.ALL in reach or (Reach.OWN in reach and OWN in who.own):
            return ""
        if name == "machine":
            return "" if opened else "evidence_not_found"
        return HANDED_OVER if opened or is_theirs(who, name) else "evidence_not_found"

    return verdict


def hold_of(name: str) -> Subject:
    """A hold that a person placed on ``cam-1``."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        mine = Reach.MINE in reach and who.name == name
        own = Reach.OWN in reach and OWN in who.own
        return "" if Reach.ALL in reach or mine or own else "hold_not_found"

    return verdict


def grant_to(name: str) -> Subject:
    """A grant to one person."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        return "" if Reach.ALL in reach or who.name == name else "grant_not_found"

    return verdict


def policy_of_district(code: str) -> Subject:
    """The policy of a kecamatan."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        return "" if reach != {Reach.OWN} or code in who.own else "policy_not_found"

    return verdict


# -- probes ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """The request that a probe sends."""

    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Listed = Callable[[Any], set[str]]


@dataclass(frozen=True, slots=True)
class Probe:
    """One way of calling one route. ``call`` gets the world and the id of a thing, which may not exist.

    ``there`` finds the id of the probe's thing, and ``missing`` is an id of the same form that does not
    exist; both are "" for a probe without a thing. ``also`` are codes that do not count as a refusal here.
    ``listed`` finds the ids in an answer; they must be exactly those of ``known`` that the table opens.
    """

    method: str
    route: str
    call: Callable[[World, str], Call]
    subject: Subject = nothing
    there: Callable[[World], str] = lambda _world: ""
    missing: str = ""
    also: frozenset[str] = frozenset()
    listed: Listed | None = None
    known: Callable[[World], Mapping[str, Subject]] = lambda _world: {}
    is_open: bool = False


def _at(path: str, **options: Any) -> Callable[[World, str], Call]:
    """A call whose path has the id in it."""
    return lambda _world, one: Call(path.replace("{}", one), **options)


def _counted(body: Any) -> set[str]:
    """The districts in which cameras are counted."""
    return {one["code"] for city in body["cities"] for one in city["kecamatan"] if one["cameras"]}


def _camera_probes() -> list[Probe]:
    one = "/v1/cameras/{camera}"
    here: dict[str, Any] = {"there": lambda _w: CAMERA, "missing": NO_CAMERA, "subject": a_camera(CAMERA)}
    there: dict[str, Any] = {**here, "there": lambda _w: ELSEWHERE, "subject": a_camera(ELSEWHERE)}
    visible = {camera: a_camera(camera) for camera in DISTRICT_OF}
    listing = {"known": lambda _w: visible}
    made = []
    for about in (here, there):
        made += [
            Probe("GET", one, _at("/v1/cameras/{}"), **about),
            Probe("PATCH", one, _at("/v1/cameras/{}", json={"name": "x", **WHY}, headers=STALE), **about),
            Probe("POST", f"{one}/disable", _at("/v1/cameras/{}/disable", json=WHY, headers=STALE), **about),
            Probe("POST", f"{one}/enable", _at("/v1/cameras/{}/enable", json=WHY, headers=STALE), **about),
            Probe(
                "PUT",
                f"{one}/audio",
                _at("/v1/cameras/{}/audio", json={"audio": "none", **WHY}, headers=STALE),
                **about,
            ),
            Probe(
                "POST",
                f"{one}/audio/approve",
                _at("/v1/cameras/{}/audio/approve", json={}, headers=STALE),
                **about,
            ),
            Probe("GET", f"{one}/moves", _at("/v1/cameras/{}/moves"), **about),
            Probe(
                "POST",
                "/v1/camera-trials",
                lambda _w, camera: Call("/v1/camera-trials", json={"camera": camera}),
                **about,
                also=frozenset({"too_many_trials"}),
            ),
            Probe(
                "GET", "/v1/recordings", lambda _w, c: Call("/v1/recordings", {**ASKED, "camera": c}), **about
            ),
            Probe("GET", "/v1/segments", lambda _w, c: Call("/v1/segments", {**ASKED, "camera": c}), **about),
            *[
                Probe("GET", path, lambda _w, c, path=path: Call(path, {**ASKED, "camera": c}), **about)
                for path in ("/v1/search", "/v1/timeline", "/v1/coverage")
            ],
            Probe(
                "POST",
                "/v1/search",
                lambda _w, c: Call("/v1/search", json={**ASKED, "camera": [c]}),
                **about,
            ),
            Probe(
                "GET",
                "/v1/retention/explain",
                lambda _w, c: Call("/v1/retention/explain", {"camera": c}),
                **about,
            ),
        ]
    return [
        *made,
        Probe("POST", "/v1/cameras", _at("/v1/cameras", json=camera_json(ELSEWHERE)), district(OTHER)),
        Probe(
            "GET",
            "/v1/cameras",
            _at("/v1/cameras"),
            listed=lambda body: {one["id"] for one in body["cameras"]},
            **listing,
        ),
        Probe(
            "GET",
            "/v1/health/cameras",
            _at("/v1/health/cameras"),
            listed=lambda body: {one["camera"] for one in body["cameras"]},
            **listing,
        ),
        Probe("GET", "/v1/health/recorders", _at("/v1/health/recorders")),
        Probe("GET", "/v1/health/archive", _at("/v1/health/archive")),
        Probe(
            "GET",
            "/v1/health/compliance",
            _at("/v1/health/compliance"),
            listed=lambda body: {one["camera"] for one in body["cameras"]},
            **listing,
        ),
        Probe("GET", "/v1/health/compliance.csv", _at("/v1/health/compliance.csv")),
        Probe(
            "GET",
            "/v1/cameras.geojson",
            _at("/v1/cameras.geojson"),
            listed=lambda body: {one["id"] for one in body["features"]},
            **listing,
        ),
        Probe(
            "GET",
            "/v1/places",
            _at("/v1/places"),
            listed=_counted,
            known=lambda _w: {code: a_camera(camera) for camera, code in DISTRICT_OF.items()},
        ),
        *[
            Probe(
                "GET",
                path,
                _at(path.replace("{trial_id}", "{}")),
                _nobodys_trial,
                lambda _w: NO_TRIAL,
                NO_TRIAL,
            )
            for path in ("/v1/camera-trials/{trial_id}", "/v1/camera-trials/{trial_id}/still.jpg")
        ],
        Probe(
            "POST",
            "/v1/cameras/import",
            _at(
                "/v1/cameras/import",
                query={"dry_run": "true", "update": "true"},
                content=b"id,name\ncam-1,x\n",
                headers={"Content-Type": "text/csv"},
            ),
        ),
        Probe(
            "GET",
            "/v1/recordings",
            _at("/v1/recordings", query=span(0, 300)),
            listed=lambda body: {one["camera"] for part in body.values() for one in part},
            **listing,
        ),
        *[
            Probe(
                "GET",
                path,
                _at(path, query=span(0, 3000)),
                listed=lambda body: {one["camera"] for one in body["cameras"]},
                **listing,
            )
            for path in ("/v1/search", "/v1/coverage")
        ],
        Probe(
            "POST",
            "/v1/search",
            _at("/v1/search", json=span(0, 3000)),
            listed=lambda body: {one["camera"] for one in body["cameras"]},
            **listing,
        ),
        Probe(
            "GET",
            "/v1/segments",
            _at("/v1/segments", query=span(0, 300)),
            listed=lambda body: {one["camera"] for one in body["segments"]},
            known=lambda _w: {CAMERA: a_camera(CAMERA)},
        ),
        Probe(
            "GET",
            f"{one}/viewers",
            _at("/v1/cameras/{}/viewers"),
            there=lambda _w: CAMERA,
            missing=NO_CAMERA,
        ),
    ]


def _footage_probes() -> list[Probe]:
    made = []
    inside, across, before = Timespan(T0 + 3 * SECOND, T0 + 14 * SECOND), span(3, 26), span(60, 70)
    for path, base in (
        ("clip.mp4", ASKED),
        ("clip", ASKED),
        ("master.m3u8", ASKED),
        ("playlist.m3u8", ASKED),
        ("keyframes.m3u8", ASKED),
        ("activity", ASKED),
        ("sprites", ASKED),
    ):
        for query, asked in (
            (base, inside),
            (across, Timespan(T0 + 3 * SECOND, T0 + 26 * SECOND)),
            (before, ANOTHER_TIME),
        ):
            made.append(
                Probe(
                    "GET",
                    f"/v1/cameras/{{camera}}/{path}",
                    _at(f"/v1/cameras/{{}}/{path}", query=query),
                    footage(CAMERA, asked),
                    lambda _w: CAMERA,
                    NO_CAMERA,
                )
            )
    for query, asked in ((ASKED, inside), (across, Timespan(T0 + 3 * SECOND, T0 + 26 * SECOND))):
        made.append(
            Probe(
                "GET",
                "/v1/clips.zip",
                lambda _w, camera, query=query: Call("/v1/clips.zip", {**query, "camera": camera}),
                footage(CAMERA, asked),
                lambda _w: CAMERA,
                NO_CAMERA,
            )
        )
    one = "/v1/exports/{export_id}"
    made += [
        Probe(
            "POST",
            "/v1/exports",
            lambda _w, camera: Call("/v1/exports", json={"cameras": [camera], **ASKED}),
            footage(CAMERA, inside),
            lambda _w: CAMERA,
            NO_CAMERA,
            also=frozenset({"too_many_exports"}),
        ),
        Probe("GET", "/v1/exports", _at("/v1/exports")),
        *[
            Probe(
                method,
                path,
                _at(path.replace("{export_id}", "{}"), **more),
                _nobodys_export,
                lambda _w: NO_EXPORT,
                NO_EXPORT,
            )
            for method, path, more in (
                ("GET", one, {}),
                ("POST", f"{one}/status", {"json": {"status": "cancelled"}}),
                ("GET", f"{one}/export.zip", {}),
            )
        ],
    ]
    sheet = "/v1/cameras/{}/contact-sheet.jpg"
    made.append(
        Probe(
            "GET",
            sheet.replace("{}", "{camera}"),
            _at(sheet, query={**ASKED, "tiles": "1"}),
            footage(CAMERA, inside),
            lambda _w: CAMERA,
            NO_CAMERA,
        )
    )
    made.append(
        Probe(
            "GET",
            "/v1/cameras/{camera}/sprites/{part}/sheet.jpg",
            _at("/v1/cameras/{}/sprites/20261124T0600Z/sheet.jpg"),
            footage(CAMERA, Timespan(T0, T0 + 80 * SECOND)),  # all that its ten minutes have
            lambda _w: CAMERA,
            NO_CAMERA,
        )
    )
    for seconds in (5, 25, 65):
        moment = Timespan(T0 + seconds * SECOND, T0 + (seconds + 1) * SECOND)
        made += [
            Probe(
                "GET",
                f"/v1/cameras/{{camera}}/{path}",
                _at(f"/v1/cameras/{{}}/{path}", query={"at": instant(seconds)}),
                footage(CAMERA, moment),
                lambda _w: CAMERA,
                NO_CAMERA,
            )
            for path in ("frame.jpg", "frame.png")
        ]
    for number in (0, 2):  # the second reaches beyond the grant
        for piece in ("init.mp4", "media.m4s", "keyframes.m4s", "copy.ts"):
            made.append(
                Probe(
                    "GET",
                    f"/v1/cameras/{{camera}}/segments/{{run}}/{{seq}}/{piece}",
                    lambda world, camera, number=number, piece=piece: Call(
                        f"/v1/cameras/{camera}/segments/{world.site.first[0].run}/{number}/{piece}"
                    ),
                    lambda who, action, reach, number=number: footage(CAMERA, PIECES[number])(
                        who, action, reach
                    ),
                    lambda _w: CAMERA,
                    NO_CAMERA,
                )
            )
    made.append(
        Probe(
            "GET",
            "/v1/war-room/history",
            lambda _w, camera: Call("/v1/war-room/history", {**ASKED, "camera": camera}),
            footage(CAMERA, inside),
            lambda _w: CAMERA,
            NO_CAMERA,
        )
    )
    made.append(
        Probe(
            "GET",
            "/v1/war-room/history",
            _at("/v1/war-room/history", query=ASKED),
            listed=lambda body: {one["camera"] for one in body["cameras"]},
            known=lambda _w: {camera: _in_history(camera) for camera in DISTRICT_OF},
        )
    )
    return made


def _nobodys_trial(_who: Who, _action: str, _reach: frozenset[Reach]) -> str:
    """A connection test belongs to who asked for it; for everybody else there is none."""
    return "trial_not_found"


def _nobodys_export(_who: Who, _action: str, _reach: frozenset[Reach]) -> str:
    """An export belongs to who ordered it; for everybody else there is none."""
    return "export_not_found"


PIECES: dict[int, Timespan] = {}
"""The spans of the first run's segments, by number; set with the world."""


def _in_history(camera: str) -> Subject:
    """Cameras found by place: those of the districts only, because grants name cameras and not places."""

    def verdict(who: Who, _action: str, reach: frozenset[Reach]) -> str:
        own = Reach.OWN in reach and DISTRICT_OF[camera] in who.own
        return "" if Reach.ALL in reach or own else "camera_not_found"

    return verdict


def _evidence_probes() -> list[Probe]:
    one = "/v1/evidence/{evidence_id}"
    made = []
    for name in ("machine", "berkas", "perda"):
        about: dict[str, Any] = {
            "there": lambda world, name=name: world.evidence[name],
            "missing": NO_EVIDENCE,
            "subject": package_of(name),
        }
        made += [
            Probe("GET", one, _at("/v1/evidence/{}"), **about),
            Probe("GET", f"{one}/files", _at("/v1/evidence/{}/files"), **about),
            Probe(
                "GET",
                f"{one}/package.zip",
                _at("/v1/evidence/{}/package.zip"),
                **{**about, "subject": bytes_of(name)},
            ),
            Probe("POST", f"{one}/verify", _at("/v1/evidence/{}/verify"), **about),
        ]
    asked = {"cameras": [EMPTY_CAMERA], **span(0, 10), "case": "x"}
    return [
        *made,
        Probe("POST", "/v1/evidence", _at("/v1/evidence", json=asked), a_camera(EMPTY_CAMERA)),
        Probe(
            "GET",
            "/v1/evidence",
            _at("/v1/evidence"),
            listed=lambda body: {one["evidence_id"] for one in body["evidence"]},
            known=lambda world: {world.evidence[name]: package_of(name) for name in world.evidence},
        ),
    ]


def _request_probes() -> list[Probe]:
    one = "/v1/requests/{request_id}"
    made = []
    for name in ("berkas", "perda"):
        about: dict[str, Any] = {
            "there": lambda world, name=name: world.requests[name],
            "missing": NO_REQUEST,
            "subject": request_of(name),
        }
        all_: dict[str, Any] = {**about, "subject": nothing}

        def post(path: str, body: Any, headers: Mapping[str, str] = STALE) -> Any:
            return _at(f"/v1/requests/{{}}/{path}", json=body, headers=headers)

        made += [
            Probe("GET", one, _at("/v1/requests/{}"), **about),
            Probe("POST", f"{one}/amend", post("amend", {**request_form(), **WHY}), **about),
            Probe("POST", f"{one}/comments", post("comments", {"text": "x"}), **about),
            Probe("POST", f"{one}/attachments", post("attachments", {"sha256": "0" * 64}), **about),
            Probe("POST", f"{one}/cancel", post("cancel", WHY), **about),
            Probe("POST", f"{one}/approve", post("approve", WHY), **all_),
            Probe("POST", f"{one}/reject", post("reject", WHY), **all_),
            Probe("POST", f"{one}/limit", post("limit", {"camera_hours": 5, **WHY}), **all_),
            Probe(
                "GET", f"{one}/handover", _at("/v1/requests/{}/handover"),
                also=frozenset({"handover_not_found"}), **about,
            ),
            Probe(
                "GET", f"{one}/handover/{{number}}/berita-acara.pdf",
                _at("/v1/requests/{}/handover/1/berita-acara.pdf"),
                also=frozenset({"handover_not_found"}), **about,
            ),
            Probe("POST", f"{one}/handover", post("handover", {"downloads": 1}), **all_),
            Probe("POST", f"{one}/close", post("close", {"hold": "release", **WHY}), **all_),
            Probe(
                "POST", f"{one}/handover/downloads", post("handover/downloads", None, {}),
                also=frozenset({"not_recipient", "handover_not_found"}), **about,
            ),
            Probe(
                "POST", f"{one}/handover/confirm",
                post("handover/confirm", {"tagmanifest_sha256": "0" * 64, "signer_sha256": "0" * 64}, {}),
                also=frozenset({"not_recipient", "handover_not_found", "confirmation_differs"}), **about,
            ),
            Probe(
                "GET", f"{one}/attachments/{{sha256}}",
                lambda world, found: Call(f"/v1/requests/{found}/attachments/{world.paper}"),
                also=frozenset({"attachment_not_found"}), **about,
            ),
        ]  # fmt: skip
    return [
        *made,
        Probe("POST", "/v1/requests", _at("/v1/requests", json={})),
        Probe("POST", "/v1/requests/attachments", _at("/v1/requests/attachments", content=PDF)),
        Probe(
            "GET",
            "/v1/requests",
            _at("/v1/requests"),
            listed=lambda body: {one["id"] for one in body["requests"]},
            known=lambda world: {world.requests[name]: request_of(name) for name in world.requests},
        ),
    ]


def _hold_probes() -> list[Probe]:
    one = "/v1/holds/{hold_id}"
    made = []
    for name in ("kominfo", "berkas", "perda"):
        about: dict[str, Any] = {"there": lambda world, name=name: world.holds[name], "missing": NO_HOLD}
        made.append(Probe("GET", one, _at("/v1/holds/{}"), subject=hold_of(name), **about))
        for path, body in (
            ("extend", {"cameras": [EMPTY_CAMERA], **WHY}),
            ("review", {"review_at": instant(50 * 24 * 3600), **WHY}),
            ("release", WHY),
            ("release/approve", {}),
            ("release/withdraw", WHY),
        ):
            call = _at(f"/v1/holds/{{}}/{path}", json=body, headers=STALE)
            made.append(Probe("POST", f"{one}/{path}", call, **about))
    place = {
        "cameras": [NO_CAMERA], **span(0, 25), "case": "x", "owner": "x", "basis": "x",
        "review_at": instant(30 * 24 * 3600),
    }  # fmt: skip
    return [
        *made,
        Probe("POST", "/v1/holds", _at("/v1/holds", json=place), also=frozenset({"camera_not_found"})),
        Probe(
            "GET",
            "/v1/holds",
            _at("/v1/holds"),
            listed=lambda body: {one["id"] for one in body["holds"]},
            known=lambda world: {world.holds[name]: hold_of(name) for name in world.holds},
        ),
    ]


def _retention_probes() -> list[Probe]:
    every, one = "/v1/retention/policies", "/v1/retention/policies/{scope_id}"
    made = []
    for scope, missing, subject in (
        (f"kecamatan-{OWN}", "kecamatan-73.71.77", policy_of_district(OWN)),
        (f"kecamatan-{OTHER}", "kecamatan-73.71.77", policy_of_district(OTHER)),
        (f"camera-{CAMERA}", f"camera-{NO_CAMERA}", a_camera(CAMERA)),
        (f"camera-{ELSEWHERE}", f"camera-{NO_CAMERA}", a_camera(ELSEWHERE)),
    ):
        about: dict[str, Any] = {"there": lambda _w, scope=scope: scope, "missing": missing}
        made.append(Probe("GET", one, _at(f"{every}/{{}}"), subject=subject, **about))
        for path, body in (
            ("propose", {"keep_days_min": 40, "keep_days_max": None, "basis": "x", **WHY}),
            ("approve", WHY),
            ("reject", WHY),
            ("withdraw", WHY),
        ):
            call = _at(f"{every}/{{}}/{path}", json=body, headers=STALE)
            made.append(Probe("POST", f"{one}/{path}", call, **about))
    policies = {
        f"kecamatan-{OWN}": policy_of_district(OWN),
        f"kecamatan-{OTHER}": policy_of_district(OTHER),
        f"camera-{CAMERA}": a_camera(CAMERA),
        f"camera-{ELSEWHERE}": a_camera(ELSEWHERE),
    }
    dispositions, gone = "/v1/dispositions", frozenset({"disposition_not_found"})
    return [
        *made,
        Probe(
            "GET",
            every,
            _at(every),
            listed=lambda body: {one["id"] for one in body["policies"]},
            known=lambda _w: policies,
        ),
        Probe("POST", "/v1/retention/plan", _at("/v1/retention/plan", json={})),
        Probe("GET", dispositions, _at(dispositions)),
        *[
            Probe(
                "GET", f"{dispositions}/{{disposition}}{tail}", _at(f"{dispositions}/dsp-0{tail}"), also=gone
            )
            for tail in ("", "/record.json", "/record.pdf")
        ],
    ]


def _record_probes() -> list[Probe]:
    made = [
        Probe(
            "GET", path, lambda world, item, path=path: Call(path, {"item": item}),
            there=lambda world: world.requests["berkas"],
        )
        for path in ("/v1/custody", "/v1/custody/report.pdf", "/v1/custody/report.jsonl")
    ]  # fmt: skip
    made += [
        Probe(
            "GET", path, lambda _w, _one, path=path: Call(path, {"person": "user:budi"}),
            lambda _who, _action, reach: "" if Reach.ALL in reach else FORBIDDEN,
        )
        for path in ("/v1/custody", "/v1/custody/report.pdf", "/v1/custody/report.jsonl")
    ]  # fmt: skip
    gone = frozenset({"integrity_incident_not_found", "incident_not_found", "checkpoint_not_found"})
    return [
        *made,
        Probe("GET", "/v1/log/checkpoints", _at("/v1/log/checkpoints")),
        Probe("GET", "/v1/log/checkpoints/{number}", _at("/v1/log/checkpoints/7"), also=gone),
        Probe(
            "GET", "/v1/log/proof",
            lambda world, _one: Call("/v1/log/proof", {"key": world.site.first[0].key}),
            also=frozenset({"checkpoint_pending", "not_found", "leaf_not_found", "not_in_log"}),
        ),
        Probe("GET", "/v1/integrity-incidents", _at("/v1/integrity-incidents")),
        Probe(
            "GET", "/v1/integrity-incidents/{incident_id}", _at("/v1/integrity-incidents/inc-0"), also=gone
        ),
        Probe(
            "POST", "/v1/integrity-incidents/{incident_id}/close",
            _at("/v1/integrity-incidents/inc-0/close", json=WHY, headers=STALE), also=gone,
        ),
    ]  # fmt: skip


def _people_probes() -> list[Probe]:
    user: dict[str, Any] = {"there": lambda _w: "citra", "missing": "cytra"}
    made = [
        Probe(
            "POST",
            f"/v1/users/{{user_id}}/{path}",
            _at(f"/v1/users/{{}}/{path}", json=WHY, headers=STALE),
            **user,
        )
        for path in ("disable", "enable", "sign-out", "consent", "refuse")
    ]
    for name in ("police-view", "satpol-pp-expired"):
        about: dict[str, Any] = {"there": lambda world, name=name: world.grants[name].id, "missing": NO_GRANT}
        made += [
            Probe("GET", "/v1/grants/{grant_id}", _at("/v1/grants/{}"), subject=grant_to(name), **about),
            Probe(
                "POST", "/v1/grants/{grant_id}/revoke", _at("/v1/grants/{}/revoke", json=WHY, headers=STALE),
                **about,
            ),
        ]  # fmt: skip
    give = {
        "person": "police-none", "cameras": [NO_CAMERA], **span(0, 25), "rights": ["view"],
        "until": instant(30 * 24 * 3600), "basis": "x",
    }  # fmt: skip
    account = {"id": "citra", "roles": ["auditor"], **WHY}
    scope = {"name": "x", "actions": ["no.such"], "expires_at": instant(30 * 24 * 3600), **WHY}
    token: dict[str, Any] = {"there": lambda _w: "t-own", "missing": "t-0wn"}
    return [
        *made,
        Probe("GET", "/v1/users", _at("/v1/users")),
        Probe("POST", "/v1/users", _at("/v1/users", json=account)),
        Probe("GET", "/v1/users/{user_id}", _at("/v1/users/{}"), **user),
        Probe(
            "PATCH", "/v1/users/{user_id}",
            _at("/v1/users/{}", json={"roles": [], **WHY}, headers=STALE), **user,
        ),
        Probe(
            "POST", "/v1/invitations", _at("/v1/invitations", json={"user": "cytra", **WHY}),
            also=frozenset({"user_not_found"}),
        ),
        Probe(
            "POST", "/v1/invitations/second-half",
            _at("/v1/invitations/second-half", json={"user": "cytra", **WHY}),
            also=frozenset({"user_not_found"}),
        ),
        Probe("POST", "/v1/grants", _at("/v1/grants", json=give), also=frozenset({"camera_not_found"})),
        Probe(
            "GET", "/v1/grants", _at("/v1/grants"),
            listed=lambda body: {one["id"] for one in body["grants"]},
            known=lambda world: {one.id: grant_to(name) for name, one in world.grants.items()},
        ),
        Probe("GET", "/v1/tokens", _at("/v1/tokens")),
        Probe("POST", "/v1/tokens", _at("/v1/tokens", json=scope)),
        Probe("GET", "/v1/tokens/{name}", _at("/v1/tokens/{}"), **token),
        Probe(
            "POST", "/v1/tokens/{name}/revoke", _at("/v1/tokens/{}/revoke", json=WHY, headers=STALE), **token
        ),
    ]  # fmt: skip


def _session_probes() -> list[Probe]:
    none = frozenset({"no_such_sign_in"})
    return [
        Probe("GET", "/healthz", _at("/healthz"), is_open=True),
        Probe("GET", "/readyz", _at("/readyz"), is_open=True),
        Probe("GET", "/auth/login", _at("/auth/login"), is_open=True, also=none),
        Probe("GET", "/auth/callback", _at("/auth/callback"), is_open=True, also=none | {"sign_in_refused"}),
        Probe(
            "POST", "/auth/local", _at("/auth/local", json={"name": "x", "password": "x"}, headers=OURS),
            is_open=True, also=frozenset({"sign_in_failed", "sign_in_locked"}),
        ),
        Probe(
            "POST", "/auth/invitation",
            _at("/auth/invitation", json={"code": "x", "password": "x"}, headers=OURS),
            is_open=True, also=frozenset({"invitation_refused", "sign_in_locked"}),
        ),
        Probe("GET", "/masuk", _at("/masuk"), is_open=True),
        Probe(
            "GET", "/aset/{version}/{name}", _at("/aset/0/tinjau.js"), is_open=True,
            also=frozenset({"no_such_file"}),
        ),
        Probe(
            "GET", "/panduan/{version}/{name}", _at("/panduan/0/panduan-admin.pdf"),
            also=frozenset({"no_such_file"}),
        ),
        Probe("GET", "/", _at("/")),
        Probe("GET", "/antarmuka", _at("/antarmuka")),
        *(Probe("GET", former, _at(former)) for former in MOVED),
        *(Probe("GET", shell.path, _at(re.sub(r"{\w+}", "x", shell.path))) for shell in SHELLS),
        Probe("GET", "/openapi.json", _at("/openapi.json")),
        Probe("GET", "/metrics", _at("/metrics")),
        Probe("GET", "/v1/session", _at("/v1/session")),
        Probe("GET", "/v1/events", _at("/v1/events")),
        Probe("PATCH", "/v1/session", _at("/v1/session", json={"purpose": PURPOSE})),
        Probe(
            "POST", "/auth/password", _at("/auth/password", json={"old": "x", "new": "y"}),
            also=frozenset({"sign_in_failed", "sign_in_locked"}),
        ),
        Probe("POST", "/auth/logout", _at("/auth/logout")),  # the last one: it ends the session
    ]  # fmt: skip


PROBES: Sequence[Probe] = (
    *_camera_probes(),
    *_footage_probes(),
    *_evidence_probes(),
    *_request_probes(),
    *_hold_probes(),
    *_retention_probes(),
    *_record_probes(),
    *_people_probes(),
    *_session_probes(),
)
"""Every way of asking; each route has one at least."""


def expected(who: Who, probe: Probe, action: str | None, narrows: frozenset[Reach]) -> str:
    """The expected result by the table: the code of the refusal, or "" for an answer."""
    if action is None:
        return ""
    if not who.ours:
        return "session_ended" if who.name == "closed" else "unauthenticated"
    reach = who.reach(action)
    if not reach & {Reach.ALL, *narrows}:
        return FORBIDDEN
    return probe.subject(who, action, reach)


def with_headers(call: Call, headers: Mapping[str, str]) -> Call:
    """The same call with further headers."""
    return replace(call, headers={**call.headers, **headers})
