"""Every route writes its custody event, for success and for refusal, with the objects in its path.

One story calls every route that needs authentication. A route that the story does not know fails the test, so
that a new route is not forgotten.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import httpx
import pytest
from fastapi.routing import APIRoute

from api.auth.principal import Principal
from api.playback import bound_id
from api.routing import action_of
from api.web.navigation import MOVED, SHELLS
from archive.footage.trials import Sighting
from archive.model import leaf as leaves
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.model.user import Role
from archive.ports import Content, IndexEntry
from archive.records.custody import read
from archive.records.integrity_incidents import open_integrity_incident
from archive.timespan import DAY, HOUR, Timespan, format_instant
from ops.disposition import Dispositions
from ops.exports import worker_of
from ops.log import Log
from tests.support.api_site import ASKED, CAMERA, T0, Caller, Site, camera_json, instant, open_site, span
from tests.support.leaves import segment as a_segment
from tests.support.people import PURPOSE, add_person, caller, catch_up
from tests.support.requesting import PNG

UNRECORDED = {
    "GET /openapi.json",  # the description of the API
    "GET /metrics",  # metrics without names
    "GET /v1/session",  # the caller's own session; pages read it constantly
    "GET /v1/events",  # that a list changed, and nothing of it; who reads the list then is on record
    "GET /v1/cameras",  # places of cameras, which every authenticated caller may know in their reach
    "GET /v1/health/cameras",  # which cameras and recorders work
    "GET /v1/health/recorders",
    "GET /v1/health/archive",
    "GET /v1/cameras.geojson",
    "GET /v1/cameras/{camera}",  # where it shows no owner's name
    "GET /v1/cameras/{camera}/moves",
    "GET /v1/camera-trials/{trial_id}",  # one's own; order and picture are on record
    "GET /v1/places",
    "GET /v1/retention/policies",  # rules, which a city publishes
    "GET /v1/retention/policies/{scope_id}",
    "GET /v1/retention/explain",
    "GET /v1/integrity-incidents",  # the archive's findings about itself
    "GET /v1/integrity-incidents/{incident_id}",
}
"""Reads of facts about nobody: a refusal of them goes on record, an answer does not."""

PAGES = {
    "GET /",
    "GET /antarmuka",
    "GET /aset/{version}/{name}",
    "GET /panduan/{version}/{name}",
    *(f"GET {shell.path}" for shell in SHELLS),
    *(f"GET {former}" for former in MOVED),
}
"""Pages and their parts, the same for everybody and without a fact in them."""

PARTS = {"run", "seq", "sha256", "number", "part"}
PEOPLE = (
    ("ada", (Role.ADMIN,), ""),
    ("budi", (Role.ADMIN,), ""),
    ("citra", (Role.WAR_ROOM,), ""),
    ("tono", (Role.WAR_ROOM,), ""),
    ("dewi", (Role.POLICE,), "polrestabes"),
    ("indra", (Role.AUDITOR,), ""),
)
PASSWORD = "lima puluh tujuh kucing"


def template(route: APIRoute) -> str:
    method = next(iter(route.methods - {"HEAD"}), "HEAD")
    return f"{method} {route.path}"


def guarded(site: Site) -> dict[str, APIRoute]:
    """Every route that needs authentication; HEAD belongs to its GET."""
    found = [route for route in site.app.routes if isinstance(route, APIRoute) and action_of(route)]
    return {template(route): route for route in found if route.methods != {"HEAD"}}


@dataclass
class Story:
    """Calls the site, and compares each answer with its custody events."""

    site: Site
    done: set[str] = field(default_factory=set)
    _callers: dict[str, Caller] = field(default_factory=dict)

    def __call__(self, name: str, method: str, path: str, **options: Any) -> httpx.Response:
        """A call that must succeed."""
        before = {event.id for event in self.events()}
        answer = self.who(name)(method, path, **options)
        assert answer.is_success, (method, path, answer.text)
        route, ids = self.route(method, answer.request.url.path)
        key = template(route)
        self.done.add(key)
        new = [event for event in self.events() if event.id not in before]
        if key in UNRECORDED:
            assert new == [], key
            return answer
        actor = "token:first" if name == "first" else f"user:{name}"
        mine = [event for event in new if event.actor.id == actor and event.outcome is Outcome.DONE]
        assert mine, f"{key} left no trace"
        for event in mine:
            assert ids <= set(event.objects), (key, event)
        return answer

    def who(self, name: str) -> Caller:
        """The caller, in a session of its own, unless :meth:`stay` opened one."""
        if name in self._callers:
            return self._callers[name]
        return self.site.call if name == "first" else caller(self.site, name)

    def stay(self, name: str) -> None:
        """Make a person's calls from now on in one session."""
        self._callers[name] = caller(self.site, name)

    def tagged(self, name: str, method: str, path: str, of: str, **options: Any) -> httpx.Response:
        """A change that is conditional on the present state of ``of``."""
        etag = self.who(name).get(of).headers["etag"]
        return self(name, method, path, headers={"If-Match": etag}, **options)

    def events(self) -> list[CustodyEvent]:
        now = self.site.clock.now()
        return list(read(self.site.services.stores.records, Timespan(now - HOUR, now + HOUR)))

    def route(self, method: str, path: str) -> tuple[APIRoute, set[str]]:
        """The first route that matches the path, as in the router, and the ids in the path."""
        for route in self.site.app.routes:
            match = isinstance(route, APIRoute) and method in route.methods and route.path_regex.match(path)
            if match:
                assert isinstance(route, APIRoute)
                return route, {str(v) for name, v in match.groupdict().items() if name not in PARTS}
        raise AssertionError(f"no route for {method} {path}")


def populated(site: Site) -> None:
    for name, roles, agency in PEOPLE:
        add_person(site, name, *roles, agency=agency)
    if site.services.administration is not None:
        for name in ("ada", "budi"):
            site.services.administration._passwords.put(name, PASSWORD)
    catch_up(site)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        populated(made)
        yield made


@pytest.fixture(scope="module")
def disposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation with a disposition that is closed."""
    with open_site(tmp_path_factory.mktemp("disposed"), variant=None) as made:
        terms = Terms(keep_days_min=30, keep_days_max=60, basis="Perwali 4/2017", effective_from=T0)
        state = to_state(Policy(scope=Scope.parse("default"), terms=(terms,)))
        made.services.ledger.append(
            "policy", "default", state, expected=0, actor="os:kadis", action="policy.adopted"
        )
        content = b"footage"
        leaf = replace(a_segment(0, start=T0), sha256=sha256(content).hexdigest(), size=len(content))
        metadata = {"leaf": leaves.encode(leaf).decode("ascii")}
        made.services.stores.footage.put(leaf.key, Content.of_bytes(content), metadata=metadata)
        made.services.index.add([IndexEntry(leaf=leaf, place=None)])
        made.clock.advance(62 * DAY)
        assert len(Dispositions(made.evidence.site).apply(actor="os:tester")) == 1
        yield made


def test_everything_that_is_done_leaves_its_trace(site: Site, disposed: Site) -> None:
    story = Story(site)
    cameras(story)
    footage(story)
    evidence(story)
    rules(story)
    requests(story)
    people(story)
    records(story)
    session(story)
    other = Story(disposed)
    dispositions(other)
    missing = set(guarded(site)) - PAGES - story.done - other.done
    assert missing == set(), "routes that this story does not know"
    assert UNRECORDED <= story.done | other.done


def cameras(story: Story) -> None:
    one = "/v1/cameras/cam-7"
    story("ada", "POST", "/v1/cameras", json=camera_json("cam-7"))
    story("ada", "GET", "/v1/cameras")
    story("ada", "GET", one)
    story("ada", "GET", "/v1/cameras.geojson")
    story("ada", "GET", "/v1/places")
    story("ada", "GET", f"{one}/moves")
    table = {"content": b"id,permit\ncam-7,9\n", "headers": {"Content-Type": "text/csv"}}
    story("ada", "POST", "/v1/cameras/import", params={"update": "true"}, **table)
    story.tagged("ada", "PATCH", one, one, json={"name": "Masjid", "reason": "x"})
    story.tagged("ada", "POST", f"{one}/disable", one, json={"reason": "x"})
    story.tagged("ada", "POST", f"{one}/enable", one, json={"reason": "x"})
    story.tagged("ada", "PUT", f"{one}/audio", one, json={"audio": "keep", "reason": "loket"})
    story.tagged("budi", "POST", f"{one}/audio/approve", one, json={})
    story("indra", "GET", f"/v1/cameras/{CAMERA}/viewers")
    trial = story("ada", "POST", "/v1/camera-trials", json={"camera": CAMERA}).json()["id"]
    board = story.site.services.trials
    (order,) = board.orders(())
    sighting = Sighting(codec="avc1.640028", width=640, height=360, mfps=15_000, sound="")
    board.answer(order, "rec-1", sighting, b"\xff\xd8")
    story("ada", "GET", f"/v1/camera-trials/{trial}")
    story("ada", "GET", f"/v1/camera-trials/{trial}/still.jpg")


def footage(story: Story) -> None:
    one, ref = f"/v1/cameras/{CAMERA}", story.site.first[1]
    piece = f"{one}/segments/{ref.run}/{ref.seq}"
    story("citra", "GET", "/v1/recordings", params=span(0, 40))
    story("citra", "GET", "/v1/segments", params=span(0, 40))
    story("citra", "GET", "/v1/search", params=span(0, 40))
    story("citra", "POST", "/v1/search", json=span(0, 40))
    story("citra", "GET", "/v1/timeline", params=span(0, 40, camera=CAMERA))
    story("citra", "GET", "/v1/coverage", params=span(0, 40))
    story("citra", "GET", f"{one}/clip.mp4", params=ASKED)
    story("citra", "GET", f"{one}/clip.mp4", params={**ASKED, "container": "original"})
    story("citra", "GET", "/v1/clips.zip", params={**ASKED, "camera": CAMERA})
    ordered = {"cameras": [CAMERA], **ASKED}
    export = story("citra", "POST", "/v1/exports", json=ordered).json()["export_id"]
    worker_of(story.site.evidence.site).run()
    story("citra", "GET", "/v1/exports")
    story("citra", "GET", f"/v1/exports/{export}")
    story("citra", "GET", f"/v1/exports/{export}/export.zip")
    story("citra", "POST", f"/v1/exports/{export}/status", json={"status": "cancelled"})
    story("citra", "GET", f"{one}/clip", params=ASKED)
    story("citra", "GET", f"{one}/frame.jpg", params={"at": instant(5)})
    story("citra", "GET", f"{one}/frame.png", params={"at": instant(5)})
    for name in ("master", "playlist", "keyframes"):
        story("citra", "GET", f"{one}/{name}.m3u8", params=ASKED)
    for number, name in enumerate(("init.mp4", "media.m4s", "keyframes.m4s", "copy.ts")):
        actor = Actor(id="user:citra", role="war_room")
        session = bound_id(f"{number:016d}", actor, CAMERA, PURPOSE)
        story("citra", "GET", f"{piece}/{name}", params={"session": session})
    story("citra", "GET", f"{one}/contact-sheet.jpg", params={**ASKED, "tiles": "1"})
    story("citra", "GET", f"{one}/activity", params=ASKED)
    story("citra", "GET", f"{one}/sprites", params=ASKED)
    story("citra", "GET", f"{one}/sprites/20261124T0600Z/sheet.jpg")
    story("citra", "GET", "/v1/war-room/history", params=span(0, 40))


def evidence(story: Story) -> None:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1"}
    made = story("first", "POST", "/v1/evidence", json=body).json()["evidence_id"]
    assert story.site.evidence.run_open_requests() == 1
    story("citra", "GET", "/v1/evidence")
    story("citra", "GET", f"/v1/evidence/{made}")
    story("citra", "GET", f"/v1/evidence/{made}/files")
    story("citra", "GET", f"/v1/evidence/{made}/package.zip")
    story("indra", "POST", f"/v1/evidence/{made}/verify")


def rules(story: Story) -> None:
    terms = {"keep_days_min": 60, "keep_days_max": None, "basis": "Perwali 4/2017", "reason": "Rapat 7"}
    shorter = {**terms, "keep_days_min": 30, "keep_days_max": 90}
    every = "/v1/retention/policies"
    one = f"{every}/kecamatan-73.71.01"
    for made in (f"{every}/default", one):
        headers = {"If-None-Match": "*"}
        answer = story.who("ada")("POST", f"{made}/propose", json=terms, headers=headers)
        assert answer.is_success, answer.text
        (told,) = [e for e in story.events() if e.type == "policy.change"][-1:]
        assert told.objects == (made.rpartition("/")[2],)
    default = f"{every}/default"
    story.tagged("ada", "POST", f"{default}/propose", default, json=shorter)
    story.tagged("budi", "POST", f"{default}/approve", default, json={})
    story.tagged("ada", "POST", f"{default}/propose", default, json={**shorter, "keep_days_max": 80})
    story.tagged("budi", "POST", f"{default}/reject", default, json={"reason": "x"})
    story("ada", "GET", every)
    story("ada", "GET", default)
    story("ada", "GET", "/v1/retention/explain", params={"camera": CAMERA})
    story("ada", "POST", "/v1/retention/plan", json={})
    story.tagged("ada", "POST", f"{default}/withdraw", default, json={"reason": "x"})
    body = {
        "cameras": [CAMERA], "from": instant(0), "to": instant(25), "case": "LP/B/123/XI/2026",
        "owner": "Polrestabes", "basis": "KUHAP 39", "review_at": format_instant(T0 + 30 * DAY),
    }  # fmt: skip
    hold = "/v1/holds/" + story("ada", "POST", "/v1/holds", json=body).json()["id"]
    story("ada", "GET", "/v1/holds")
    story("ada", "GET", hold)
    wider = {"cameras": [CAMERA], "from": instant(0), "to": instant(30), "reason": "x"}
    story.tagged("ada", "POST", f"{hold}/extend", hold, json=wider)
    review = {"review_at": format_instant(T0 + 60 * DAY), "reason": "x"}
    story.tagged("ada", "POST", f"{hold}/review", hold, json=review)
    story.tagged("ada", "POST", f"{hold}/release", hold, json={"reason": "x"})
    story.tagged("budi", "POST", f"{hold}/release/withdraw", hold, json={"reason": "x"})
    story.tagged("ada", "POST", f"{hold}/release", hold, json={"reason": "x"})
    story.tagged("budi", "POST", f"{hold}/release/approve", hold, json={})


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "requester": {
            "name": "Dewi", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411",
        },
        "urgent": True,
        "legal_basis": [{"kind": "lp", "number": "LP/B/1"}],
        "case": "LP/B/1", "purpose": "pencurian", "cameras": [CAMERA], **span(2, 12), **changes,
    }  # fmt: skip


def requests(story: Story) -> None:
    every = "/v1/requests"
    one = f"{every}/" + story("dewi", "POST", every, json=asked()).json()["id"]
    story("dewi", "GET", every)
    story("dewi", "GET", one)
    story.tagged("dewi", "POST", f"{one}/comments", one, json={"text": "segera"})
    paper = story("dewi", "POST", f"{every}/attachments", content=PNG).json()["sha256"]
    added = {"kind": "other", "sha256": paper, "name": "foto"}
    story.tagged("dewi", "POST", f"{one}/attachments", one, json=added)
    story("dewi", "GET", f"{one}/attachments/{paper}")
    story.tagged("citra", "POST", f"{one}/limit", one, json={"camera_hours": 60, "reason": "x"})
    story.tagged("dewi", "POST", f"{one}/amend", one, json={**asked(**span(2, 14)), "reason": "x"})
    approved = story.tagged("citra", "POST", f"{one}/approve", one, json={"reason": "lengkap"}).json()
    assert story.site.evidence.run_open_requests() == 1
    given = story.tagged("tono", "POST", f"{one}/handover", one, json={}).json()
    story("dewi", "GET", f"{one}/handover")
    story("dewi", "GET", f"{one}/handover/{given['number']}/berita-acara.pdf")
    story.stay("dewi")  # a download belongs to the session that began it
    url = story("dewi", "POST", f"{one}/handover/downloads").json()["url"]
    whole = story("dewi", "GET", url)
    with ZipFile(BytesIO(whole.content)) as package:
        tags = package.read(f"{approved['evidence_id']}/tagmanifest-sha256.txt")
    confirmed = {"tagmanifest_sha256": sha256(tags).hexdigest(), "signer_sha256": given["signer_sha256"]}
    story("dewi", "POST", f"{one}/handover/confirm", json=confirmed)
    story.tagged("tono", "POST", f"{one}/close", one, json={"hold": "release", "reason": "putus"})
    for act, name in (("reject", "citra"), ("cancel", "dewi")):
        other = f"{every}/" + story("dewi", "POST", every, json=asked()).json()["id"]
        story.tagged(name, "POST", f"{other}/{act}", other, json={"reason": "x"})


def people(story: Story) -> None:
    new = {"id": "erna", "name": "Erna", "roles": ["kecamatan"], "districts": ["73.71.01"], "reason": "ST 1"}
    one = "/v1/users/erna"
    story("ada", "POST", "/v1/users", json=new)
    story("ada", "GET", "/v1/users")
    story("ada", "GET", one)
    story("ada", "POST", "/v1/invitations", json={"user": "erna", "reason": "baru"})
    story("budi", "POST", "/v1/invitations/second-half", json={"user": "erna", "reason": "baru"})
    for act in ("consent", "refuse"):
        roles = ["kecamatan", "police"] if act == "consent" else ["kecamatan", "police", "satpol_pp"]
        story.tagged("ada", "PATCH", one, one, json={"roles": roles, "reason": "x"})
        story.tagged("budi", "POST", f"{one}/{act}", one, json={"reason": "x"})
    story.tagged("ada", "PATCH", one, one, json={"districts": ["73.71.02"], "reason": "x"})
    story.tagged("ada", "POST", f"{one}/sign-out", one, json={"reason": "x"})
    story.tagged("ada", "POST", f"{one}/disable", one, json={"reason": "x"})
    story.tagged("ada", "POST", f"{one}/enable", one, json={"reason": "x"})
    body = {
        "person": "dewi", "cameras": [CAMERA], **span(0, 25), "rights": ["view"], "basis": "LP/B/1",
        "until": format_instant(story.site.clock.now() + DAY),
    }  # fmt: skip
    grant = "/v1/grants/" + story("citra", "POST", "/v1/grants", json=body).json()["id"]
    story("citra", "GET", "/v1/grants")
    story("citra", "GET", grant)
    story.tagged("citra", "POST", f"{grant}/revoke", grant, json={"reason": "x"})
    until = format_instant(story.site.clock.now() + DAY)
    body = {"name": "layar", "actions": ["recordings.read"], "expires_at": until, "reason": "x"}
    story("ada", "POST", "/v1/tokens", json=body)
    story("ada", "GET", "/v1/tokens")
    story("ada", "GET", "/v1/tokens/layar")
    one = "/v1/tokens/layar"
    story.tagged("ada", "POST", f"{one}/revoke", one, json={"reason": "x"})


def records(story: Story) -> None:
    site = story.site
    found = open_integrity_incident(
        site.services.ledger, code="x", subject="segments/x", message="x", found_by="job:fixity"
    ).id
    Log(site.evidence.site).maker.run_due()
    key = next(iter(site.services.stores.records.list("ledger/camera/"))).key
    story("ada", "GET", "/openapi.json")
    story("first", "GET", "/metrics")
    story("citra", "GET", "/v1/health/cameras")
    story("ada", "GET", "/v1/health/recorders")
    story("ada", "GET", "/v1/health/archive")
    story("indra", "GET", "/v1/health/compliance")
    story("indra", "GET", "/v1/health/compliance.csv")
    story("ada", "GET", "/v1/integrity-incidents")
    story("ada", "GET", f"/v1/integrity-incidents/{found}")
    one = f"/v1/integrity-incidents/{found}"
    story.tagged("ada", "POST", f"{one}/close", one, json={"reason": "from backup"})
    story("indra", "GET", "/v1/log/checkpoints")
    story("indra", "GET", "/v1/log/checkpoints/1")
    story("indra", "GET", "/v1/log/proof", params={"key": key})
    story("indra", "GET", "/v1/custody", params={"item": CAMERA})
    story("indra", "GET", "/v1/custody/report.pdf", params={"item": CAMERA})
    story("indra", "GET", "/v1/custody/report.jsonl", params={"item": CAMERA})


def session(story: Story) -> None:
    story("ada", "GET", "/v1/session")
    story("ada", "GET", "/v1/events")
    story("ada", "PATCH", "/v1/session", json={"purpose": "shift 2"})
    story("ada", "POST", "/auth/password", json={"old": PASSWORD, "new": "enam puluh tujuh kucing"})
    catch_up(story.site)
    story("ada", "POST", "/auth/logout")


def dispositions(story: Story) -> None:
    every = "/v1/dispositions"
    one = f"{every}/" + story("first", "GET", every).json()["dispositions"][0]["id"]
    story("first", "GET", one)
    story("first", "GET", f"{one}/record.json")
    story("first", "GET", f"{one}/record.pdf")


# Refusals -------------------------------------------------------------------------------------------------

EXAMPLES = {
    "request_id": "REQ-2026-0123456789",
    "evidence_id": "EVD-2026-0123456789",
    "hold_id": "HLD-2026-0123456789",
    "scope_id": "default",
    "run": "6b05180000000001",
    "seq": "0",
    "part": "20261124T0600Z",
    "sha256": "00" * 32,
    "number": "1",
}


class OneToken:
    """Admits the token as a known caller without any rights."""

    def principal_of(self, token: str) -> Principal | None:
        return Principal("user:siapa", frozenset())


def nobody(site: Site) -> Caller:
    return Caller(site.remade(tokens=OneToken()), {"Authorization": "Bearer x"})


def test_everything_that_is_refused_leaves_its_trace(site: Site) -> None:
    """A known caller without any rights tries every route."""
    story = Story(site)
    siapa = nobody(site)
    for key, route in guarded(site).items():
        ids = {name: EXAMPLES.get(name, "kam-1") for name in re.findall(r"{(\w+)", route.path)}
        method, path = key.split()[0], route.path.format(**ids)
        before = {event.id for event in story.events()}
        answer = siapa(method, path)
        new = [event for event in story.events() if event.id not in before]
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted"), key
        (event,) = new
        assert (event.type, event.outcome) == ("access", Outcome.REFUSED)
        assert (event.actor.id, event.details["action"]) == ("user:siapa", action_of(route))
        named = {value for name, value in ids.items() if name not in PARTS}
        assert event.objects[0] == path
        assert named <= set(event.objects)


def test_an_id_that_is_none_is_no_object(site: Site) -> None:
    story = Story(site)
    for given in ("a%00b", "x" * 70, "%2e%2e", "a b", "%0d%0aX"):
        before = {event.id for event in story.events()}
        nobody(site).get(f"/v1/holds/{given}")
        for event in story.events():
            assert event.id in before or len(event.objects) == 1


def test_the_approval_is_on_record_before_its_package_is_asked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(site)
    one = "/v1/requests/" + story("dewi", "POST", "/v1/requests", json=asked()).json()["id"]
    deciding = site.services.requests.deciding
    seen: list[bool] = []

    class Asked:
        """Takes requests for packages, and notes which events are recorded by then."""

        def check(self, *given: Any) -> None:
            pass

        def ask(self, request: Any, entry_sha256: str) -> None:
            told = [e for e in story.events() if e.type == "request.approve" and request.id in e.objects]
            seen.append([e.outcome for e in told] == [Outcome.DONE])
            assert told[0].details["evidence"] == request.evidence_id

    monkeypatch.setattr(deciding, "_packages", Asked())
    story.tagged("citra", "POST", f"{one}/approve", one, json={})
    assert seen == [True]


def test_a_change_that_its_route_forgets_to_tell_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera's change is in the ledger; so does the custody record, even if the route records nothing."""
    story = Story(site)
    one = "/v1/cameras/cam-8"
    story("ada", "POST", "/v1/cameras", json=camera_json("cam-8"))
    story.tagged("ada", "POST", f"{one}/disable", one, json={"reason": "x"})
    (told,) = [e for e in story.events() if e.type == "camera.change" and "cam-8" in e.objects][-1:]
    assert (told.actor.id, told.outcome) == ("user:ada", Outcome.DONE)
