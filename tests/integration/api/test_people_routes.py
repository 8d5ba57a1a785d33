"""Accounts, invitations, grants and tokens over HTTP: rights, immediate effect, and the record."""

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from archive.errors import ArchiveError, Unavailable
from archive.model.custody import Outcome
from archive.model.user import Role
from archive.timespan import DAY, HOUR, SECOND, format_instant
from tests.support.api_site import ASKED, CAMERA, PLAYLIST, Caller, Site, instant, open_site, span
from tests.support.people import OURS, add_person, caller, catch_up, code_for, cookie_of, users_of

NEW = {"id": "erna", "name": "Erna Wati", "roles": ["kecamatan"], "districts": ["73.71.01"], "reason": "ST 1"}
WHY = {"reason": "ST 2/2026"}
PASSWORD = "lima puluh tujuh kucing"


@dataclass(slots=True)
class AccountAdministration:
    """A site with two administrators, the War Room, police and the auditor."""

    site: Site

    def __getattr__(self, name: str) -> Caller:
        return caller(self.site, name)


@pytest.fixture
def city(tmp_path: Any) -> Iterator[AccountAdministration]:
    with open_site(tmp_path) as site:
        for name, role in (
            ("ada", Role.ADMIN),
            ("budi", Role.ADMIN),
            ("citra", Role.WAR_ROOM),
            ("indra", Role.AUDITOR),
        ):
            add_person(site, name, role)
        add_person(site, "polisi", Role.POLICE, agency="polrestabes")
        add_person(site, "rekan", Role.POLICE, agency="polrestabes")
        add_person(site, "satpol", Role.SATPOL_PP)
        administration = site.services.administration
        assert administration is not None
        for name in ("ada", "budi"):
            administration._passwords.put(name, PASSWORD)
        catch_up(site)
        yield AccountAdministration(site)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, "" if answer.is_success else answer.json()["code"]


def tag(call: Caller, path: str) -> dict[str, str]:
    """The condition that a page sends with a change: the ETag of what it read."""
    return {"If-Match": call.get(path).headers["etag"]}


def change(call: Caller, method: str, path: str, body: dict[str, Any], of: str = "") -> httpx.Response:
    return call(method, path, json=body, headers=tag(call, of or path))


def become(city: AccountAdministration, name: str, role: str) -> None:
    """Give an account another role, with the consent of a second person."""
    users = users_of(city.site)
    users.change(name, roles=(Role(role),), districts=(), agency="", actor="os:first", reason="x")
    users.consent(name, actor="os:second", reason="x")
    catch_up(city.site)


# -- accounts ----------------------------------------------------------------------------------------------


def test_an_account_from_the_invitation_to_its_end(city: AccountAdministration) -> None:
    made = city.ada("POST", "/v1/users", json=NEW)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/v1/users/erna"
    assert (made.json()["signs_in"], made.json()["enabled"]) == ("none", True)
    code = code_for("erna", city.ada, city.budi)
    assert city.indra.get("/v1/users/erna").json()["signs_in"] == "invited"
    kept = (city.site.services.administration._invitations._file.path).read_text()  # type: ignore[union-attr]
    assert not any(half in kept for half in code.split())
    stranger = Caller(city.site.app, OURS)
    weak = stranger("POST", "/auth/invitation", json={"code": code, "password": "erna erna erna"})
    assert code_of(weak) == (422, "weak_password")
    accepted = stranger("POST", "/auth/invitation", json={"code": code, "password": PASSWORD})
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["id"] == "user:erna"
    assert "httponly" in accepted.headers["set-cookie"].lower()
    again = stranger("POST", "/auth/invitation", json={"code": code, "password": PASSWORD})
    unknown = stranger("POST", "/auth/invitation", json={"code": "undangan_x", "password": PASSWORD})
    assert code_of(again) == code_of(unknown) == (401, "invitation_refused")
    assert again.text == unknown.text
    signed = stranger("POST", "/auth/local", json={"name": "erna", "password": PASSWORD})
    assert signed.status_code == 200
    erna = caller(city.site, "erna")
    assert erna.get(f"/v1/cameras/{CAMERA}").status_code == 200
    closed = change(city.ada, "POST", "/v1/users/erna/disable", WHY, of="/v1/users/erna")
    assert (closed.status_code, closed.json()["enabled"]) == (200, False)
    assert code_of(erna.get(f"/v1/cameras/{CAMERA}")) == (401, "session_ended")
    assert code_of(city.ada("POST", "/v1/invitations", json={"user": "erna", "reason": "x"})) == (
        403,
        "account_disabled",
    )
    opened = change(city.ada, "POST", "/v1/users/erna/enable", WHY, of="/v1/users/erna")
    assert opened.json()["enabled"] is True
    assert code_of(erna.get(f"/v1/cameras/{CAMERA}")) == (401, "session_ended"), "the old session stays ended"
    history = city.indra.get("/v1/users/erna").json()["history"]
    assert [entry["action"] for entry in history] == [
        "user.added",
        "user.invited",
        "user.invitation_completed",
        "user.sessions_ended",
        "user.disabled",
        "user.enabled",
    ]
    assert {entry["actor"] for entry in history} == {"user:ada", "user:budi", "user:erna"}
    types = [event.type for event in city.site.events()]
    for act in ("user.add", "user.invite", "sign_in", "user.disable", "user.enable", "user.read"):
        assert act in types
    assert PASSWORD not in str(city.site.events())
    assert not any(half in str(city.site.events()) for half in code.split())


def test_an_account_that_is_closed_while_somebody_is_invited_keeps_no_code(
    city: AccountAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.ada("POST", "/v1/users", json=NEW)
    administration = city.site.services.administration
    assert administration is not None
    make = administration._invitations.make

    def closed_meanwhile(user: str, *, made_by: str) -> Any:
        administration.close_account(user, actor="user:budi", reason="pindah")
        return make(user, made_by=made_by)

    monkeypatch.setattr(administration._invitations, "make", closed_meanwhile)
    refused = city.ada("POST", "/v1/invitations", json={"user": "erna", "reason": "baru"})
    assert code_of(refused) == (403, "account_disabled")
    change(city.ada, "POST", "/v1/users/erna/enable", WHY, of="/v1/users/erna")
    assert city.indra.get("/v1/users/erna").json()["signs_in"] == "none"


def test_an_invitation_is_over_after_three_days_and_a_newer_one_makes_it_worthless(
    city: AccountAdministration,
) -> None:
    city.ada("POST", "/v1/users", json=NEW)
    codes = [code_for("erna", city.ada, city.budi) for _ in range(2)]
    stranger = Caller(city.site.app, OURS)
    body = {"code": codes[0], "password": PASSWORD}
    assert code_of(stranger("POST", "/auth/invitation", json=body)) == (401, "invitation_refused")
    city.site.clock.advance(3 * DAY)
    body = {"code": codes[1], "password": PASSWORD}
    assert code_of(stranger("POST", "/auth/invitation", json=body)) == (401, "invitation_refused")


def test_of_many_who_bring_one_code_one_comes_in(city: AccountAdministration) -> None:
    city.ada("POST", "/v1/users", json=NEW)
    code = code_for("erna", city.ada, city.budi)
    got: list[int] = []

    def bring(number: int) -> None:
        stranger = Caller(city.site.app, OURS)
        body = {"code": code, "password": f"{PASSWORD} {number}"}
        got.append(stranger("POST", "/auth/invitation", json=body).status_code)

    threads = [threading.Thread(target=bring, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [200, 401, 401, 401, 401, 401]


def test_a_secret_that_is_shown_once_is_kept_nowhere(city: AccountAdministration) -> None:
    city.ada("POST", "/v1/users", json=NEW)
    key = {"Idempotency-Key": "once-1"}
    asked = {"user": "erna", "reason": "x"}
    codes = [
        city.ada("POST", "/v1/invitations", json=asked, headers=key).json()["code"],
        city.budi("POST", "/v1/invitations/second-half", json=asked, headers=key).json()["code"],
    ]
    body = {"name": "wall", "actions": ["cameras.read"], "expires_at": instant(3600 * 24), "reason": "x"}
    token = city.ada("POST", "/v1/tokens", json=body, headers=key).json()["token"]
    stores = city.site.services.stores
    for store in (stores.cache, stores.records):
        for listed in store.list(""):
            data = store.get(listed.key)
            assert not any(code.encode() in data for code in codes)
            assert token.encode() not in data


def test_one_administrator_is_one_person_over_http(city: AccountAdministration) -> None:
    """Ada opens a second account for herself, takes its invitation, raises it, and approves her proposals."""
    twin = {**NEW, "id": "twin", "roles": ["admin"], "districts": []}
    opened = city.ada("POST", "/v1/users", json=twin)
    assert (opened.json()["roles"], opened.json()["proposed"]) == ([], ["admin"])
    own = change(city.ada, "POST", "/v1/users/twin/consent", WHY, of="/v1/users/twin")
    assert code_of(own) == (403, "same_person")
    first = city.ada("POST", "/v1/invitations", json={"user": "twin", "reason": "x"}).json()["code"]
    alone = city.ada("POST", "/v1/invitations/second-half", json={"user": "twin", "reason": "x"})
    assert code_of(alone) == (403, "same_person")
    stranger = Caller(city.site.app, OURS)
    for code in (first, f"{first} lanjutan_{'x' * 24}", f"{first}{first}"):
        half = stranger("POST", "/auth/invitation", json={"code": code, "password": PASSWORD})
        assert code_of(half) == (401, "invitation_refused")
    # Budi is deceived into all of it. For thirty days the twin still decides nothing that ada proposes.
    assert change(city.budi, "POST", "/v1/users/twin/consent", WHY, of="/v1/users/twin").is_success
    code = code_for("twin", city.ada, city.budi)
    assert stranger("POST", "/auth/invitation", json={"code": code, "password": PASSWORD}).is_success
    longer = {"keep_days_min": 60, "keep_days_max": None, "basis": "Perwali", "reason": "x"}
    policy = "/v1/retention/policies/default"
    made = city.ada("POST", f"{policy}/propose", json=longer, headers={"If-None-Match": "*"})
    assert made.is_success, made.text
    shorter = {**longer, "keep_days_min": 30, "keep_days_max": 31}
    assert change(city.ada, "POST", f"{policy}/propose", shorter, of=policy).is_success
    assert code_of(change(city.twin, "POST", f"{policy}/approve", WHY, of=policy)) == (403, "persons_tied")
    assert change(city.ada, "PATCH", "/v1/users/twin", {"roles": ["admin", "kecamatan"], **WHY}).is_success
    assert code_of(change(city.twin, "POST", "/v1/users/twin/consent", WHY, of="/v1/users/twin")) == (
        403,
        "same_person",
    )
    assert change(city.twin, "PATCH", "/v1/users/ada", {"roles": ["admin", "kecamatan"], **WHY}).is_success
    assert code_of(change(city.ada, "POST", "/v1/users/ada/consent", WHY, of="/v1/users/ada")) == (
        403,
        "same_person",
    )
    assert change(city.budi, "POST", f"{policy}/approve", WHY, of=policy).is_success


def test_an_account_tells_each_reader_whether_they_may_be_the_second_person(
    city: AccountAdministration,
) -> None:
    made = city.ada("POST", "/v1/users", json=NEW | {"roles": ["war_room"], "districts": []})
    assert made.status_code == 201, made.text

    def second(name: str) -> dict[str, str]:
        found: dict[str, str] = caller(city.site, name).get("/v1/users/erna").json()["second_part"]
        return found

    assert second("ada") == {"invited_by": "", "consent": "same_person", "second_half": ""}
    assert second("budi") == {"invited_by": "", "consent": "", "second_half": ""}
    invited = city.ada("POST", "/v1/invitations", json={"user": "erna", **WHY})
    assert invited.status_code == 201
    assert second("ada") == {"invited_by": "user:ada", "consent": "same_person", "second_half": "same_person"}
    assert second("budi") == {"invited_by": "user:ada", "consent": "", "second_half": ""}
    barred = "not_permitted"
    assert second("indra") == {"invited_by": "user:ada", "consent": barred, "second_half": barred}
    users_of(city.site).invited("budi", actor="user:ada", reason="x")
    tied = "persons_tied"
    assert second("budi") == {"invited_by": "user:ada", "consent": tied, "second_half": tied}
    refused = change(city.budi, "POST", "/v1/users/erna/consent", WHY, of="/v1/users/erna")
    assert code_of(refused) == (403, tied), "what was told is what happens"


def test_nobody_raises_themselves(city: AccountAdministration) -> None:
    more = {"roles": ["admin", "kecamatan"], "districts": ["73.71.01"], "reason": "x"}
    answer = change(city.ada, "PATCH", "/v1/users/ada", more)
    assert code_of(answer) == (403, "own_account")
    answer = change(city.ada, "PATCH", "/v1/users/ada", {"districts": ["73.71.01"], "reason": "x"})
    assert code_of(answer) == (403, "own_account")
    raised = change(city.budi, "PATCH", "/v1/users/ada", more)
    assert (raised.status_code, raised.json()["roles"]) == (200, ["admin"])
    assert raised.json()["proposed"] == ["kecamatan"]
    assert city.site.events("user.change")[-1].details["roles"] == "admin,kecamatan"
    refused = [event for event in city.site.events("user.change") if event.outcome is Outcome.REFUSED]
    assert [event.details["code"] for event in refused] == ["own_account"] * 2


def test_the_last_administrator_stays(city: AccountAdministration) -> None:
    assert code_of(change(city.ada, "POST", "/v1/users/budi/disable", WHY, of="/v1/users/budi")) == (200, "")
    for body, method, path in (
        (WHY, "POST", "/v1/users/ada/disable"),
        ({"roles": ["auditor"], "reason": "x"}, "PATCH", "/v1/users/ada"),
        ({"roles": [], "reason": "x"}, "PATCH", "/v1/users/ada"),
    ):
        answer = change(city.ada, method, path, body, of="/v1/users/ada")
        assert code_of(answer) in {(409, "last_admin"), (403, "own_account")}, path
    assert city.ada.get("/v1/users/ada").json()["enabled"] is True
    # A new administrator without a password does not count as one yet.
    city.ada("POST", "/v1/users", json={**NEW, "id": "dewi", "roles": ["admin"], "districts": []})
    assert code_of(change(city.ada, "POST", "/v1/users/ada/disable", WHY, of="/v1/users/ada")) == (
        409,
        "last_admin",
    )


def test_two_administrators_who_take_each_other_at_once_leave_one(city: AccountAdministration) -> None:
    site = city.site
    administration = site.services.administration
    assert administration is not None
    refusals: list[str] = []
    for _ in range(5):
        barrier = threading.Barrier(2)

        def take(actor: str, other: str, barrier: threading.Barrier = barrier) -> None:
            users = users_of(site)
            barrier.wait()
            try:
                users.disable(other, actor=f"user:{actor}", reason="x")
            except ArchiveError as error:
                refusals.append(error.code)

        threads = [threading.Thread(target=take, args=pair) for pair in (("ada", "budi"), ("budi", "ada"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left = [user.id for user in users_of(site).users() if user.enabled]
        assert {"ada", "budi"} & set(left)
        for name in ("ada", "budi"):
            if users_of(site).enable(name, actor="os:test", reason="again").proposed:
                users_of(site).consent(name, actor="os:second", reason="again")
    assert set(refusals) <= {"last_admin"}


def test_a_change_names_what_it_was_decided_on(city: AccountAdministration) -> None:
    body = {"roles": ["auditor"], "reason": "x"}
    assert code_of(city.ada("PATCH", "/v1/users/citra", json=body)) == (428, "precondition_required")
    old = tag(city.ada, "/v1/users/citra")
    assert change(
        city.budi, "PATCH", "/v1/users/citra", {"districts": ["73.71.01"], "reason": "x"}
    ).is_success
    assert code_of(city.ada("PATCH", "/v1/users/citra", json=body, headers=old)) == (
        412,
        "precondition_failed",
    )
    read = city.ada.get("/v1/users/citra")
    seen = {"If-None-Match": read.headers["etag"]}
    assert city.ada.get("/v1/users/citra", headers=seen).status_code == 304
    assert city.citra.get("/v1/users/citra", headers=seen).status_code == 403


def test_accounts_of_the_provider_are_changed_there(city: AccountAdministration) -> None:
    from archive.model.user import User

    users_of(city.site).add(
        User(id="oidc", name="", roles=(Role.POLICE,), issuer="https://id.example", subject="1"),
        actor="os:test",
    )
    assert code_of(change(city.ada, "PATCH", "/v1/users/oidc", {"roles": [], "reason": "x"})) == (
        409,
        "no_password_here",
    )
    invited = city.ada("POST", "/v1/invitations", json={"user": "oidc", "reason": "x"})
    assert code_of(invited) == (409, "no_password_here")
    assert change(city.ada, "POST", "/v1/users/oidc/disable", WHY, of="/v1/users/oidc").is_success


def test_accounts_are_listed_page_by_page(city: AccountAdministration) -> None:
    found: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = city.indra.get("/v1/users", params=query).json()
        found += [user["id"] for user in page["users"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == ["ada", "budi", "citra", "indra", "polisi", "rekan", "satpol"]
    police = city.indra.get("/v1/users", params={"role": "police"}).json()["users"]
    assert [user["id"] for user in police] == ["polisi", "rekan"]
    assert city.indra.get("/v1/users", params={"enabled": "false"}).json()["users"] == []


def test_a_list_of_accounts_reads_each_file_once(
    city: AccountAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.ada("POST", "/v1/users", json=NEW)
    city.ada("POST", "/v1/invitations", json={"user": "erna", "reason": "x"})
    reads: Counter[str] = Counter()
    read_bytes = Path.read_bytes

    def counted(path: Path) -> bytes:
        reads[path.name] += 1
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    found = city.indra.get("/v1/users").json()["users"]
    ways = {user["id"]: user["signs_in"] for user in found}
    assert len(ways) == 8
    assert (ways["ada"], ways["citra"], ways["erna"]) == ("password", "none", "invited")
    assert (reads["passwords.json"], reads["invitations.json"]) == (1, 1)


# -- a store that fails in the middle ----------------------------------------------------------------------


class Faltering:
    """The records store; after a put of certain keys, it cannot list certain other keys any more."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch, *, after: str, unlisted: str) -> None:
        self.failing = False
        records = site.services.stores.records
        put, lists = records.put, records.list

        def put_then_falter(key: str, *given: Any, **named: Any) -> Any:
            stored = put(key, *given, **named)
            self.failing = self.failing or key.startswith(after)
            return stored

        def listed(prefix: str, *given: Any, **named: Any) -> Any:
            if self.failing and prefix.startswith(unlisted):
                raise Unavailable("the store does not answer", code="store_unavailable")
            return lists(prefix, *given, **named)

        monkeypatch.setattr(records, "put", put_then_falter)
        monkeypatch.setattr(records, "list", listed)
        monkeypatch.setattr(records, "versions", lists)  # the ledger uses it to check for rivals


CHANGES = (
    ("PATCH", "/v1/users/rekan", {"roles": [], "reason": "x"}, "user.change"),
    ("POST", "/v1/users/rekan/disable", WHY, "user.disable"),
    ("POST", "/v1/users/rekan/sign-out", WHY, "user.sign_out"),
    ("POST", "/v1/users", NEW, "user.add"),
    ("POST", "/v1/grants", None, "grant.give"),
)


@pytest.mark.parametrize(("method", "path", "body", "act"), CHANGES)
def test_a_change_that_is_seen_here_late_happened(
    city: AccountAdministration, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any, act: str
) -> None:
    """The roster's read of the ledger fails right after the entry: the change is not reported as failed."""
    call = city.citra if body is None else city.ada
    rekan = caller(city.site, "rekan")
    headers = tag(city.ada, "/v1/users/rekan") if "rekan" in path else {}
    # The roster lists both kinds at each read; the answer lists only the changed kind.
    unlisted = "ledger/user/" if body is None else "ledger/grant/"
    store = Faltering(city.site, monkeypatch, after="ledger/", unlisted=unlisted)
    asked = opening(person="", agency="polrestabes") if body is None else body
    with capture_logs() as logs:
        answer = call(method, path, json=asked, headers=headers)
    assert store.failing
    assert answer.is_success, answer.text
    assert [event.outcome for event in city.site.events(act)] == [Outcome.DONE]
    assert [one["code"] for one in logs if one["log_level"] == "warning"] == ["store_unavailable"]
    monkeypatch.undo()
    city.site.clock.advance(6 * SECOND)  # the age of the roster
    if act in {"user.disable", "user.sign_out", "user.change"}:
        assert code_of(rekan.get("/v1/session")) == (401, "session_ended")
    elif act == "grant.give":
        assert rekan.get(f"/v1/cameras/{CAMERA}/clip", params=ASKED).status_code == 200
    else:
        assert caller(city.site, "erna").get(f"/v1/cameras/{CAMERA}").status_code == 200


@pytest.mark.parametrize(("method", "path", "body", "act"), CHANGES)
def test_a_change_whose_answer_cannot_be_read_goes_on_record_as_done(
    city: AccountAdministration, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any, act: str
) -> None:
    call = city.citra if body is None else city.ada
    headers = tag(city.ada, "/v1/users/rekan") if "rekan" in path else {}
    store = Faltering(city.site, monkeypatch, after="ledger/", unlisted="ledger/")
    answer = call(method, path, json=opening() if body is None else body, headers=headers)
    assert store.failing
    assert code_of(answer) == (503, "store_unavailable")
    assert [event.outcome for event in city.site.events(act)] == [Outcome.DONE]


def test_a_change_whose_files_cannot_be_read_for_the_answer_goes_on_record_once(
    city: AccountAdministration, monkeypatch: pytest.MonkeyPatch
) -> None:
    administration = city.site.services.administration
    assert administration is not None

    def unreadable() -> Any:
        raise Unavailable("the passwords cannot be read", code="passwords_unreadable")

    headers = tag(city.ada, "/v1/users/rekan")
    monkeypatch.setattr(administration, "sign_in_methods", unreadable)
    answer = city.ada("PATCH", "/v1/users/rekan", json={"roles": ["auditor"], "reason": "x"}, headers=headers)
    assert code_of(answer) == (503, "passwords_unreadable")
    assert [event.outcome for event in city.site.events("user.change")] == [Outcome.DONE]
    made = {
        "name": "vms", "actions": ["cameras.read"], "expires_at": instant(3600), "reason": "tampilan",
    }  # fmt: skip
    monkeypatch.setattr(administration.machines, "token", lambda name: unreadable())
    assert code_of(city.ada("POST", "/v1/tokens", json=made)) == (503, "passwords_unreadable")
    assert [event.outcome for event in city.site.events("token.make")] == [Outcome.DONE]
    assert [one.name for one in administration.machines.known()][-1] == "vms"


# -- grants ------------------------------------------------------------------------------------------------


def opening(**more: Any) -> dict[str, Any]:
    return {
        "person": "polisi",
        "cameras": [CAMERA],
        **span(0, 25),
        "rights": ["view"],
        "until": instant(3 * 3600),
        "basis": "LP/B/123/XI/2026",
        **more,
    }


def test_a_grant_opens_what_it_says_until_it_is_revoked(city: AccountAdministration) -> None:
    clip = f"/v1/cameras/{CAMERA}/clip"
    assert code_of(city.polisi.get(clip, params=ASKED)) == (403, "not_granted")
    given = city.citra("POST", "/v1/grants", json=opening())
    assert given.status_code == 201, given.text
    path = given.headers["location"]
    assert (given.json()["given_by"], given.json()["in_force"]) == ("user:citra", True)
    assert city.polisi.get(clip, params=ASKED).status_code == 200
    assert city.polisi.get(clip, params=span(3, 26)).status_code == 403
    assert code_of(city.rekan.get(clip, params=ASKED)) == (403, "not_granted")
    stale = {"If-Match": '"7"'}
    assert code_of(city.citra("POST", f"{path}/revoke", json=WHY, headers=stale))[0] == 412
    revoked = change(city.citra, "POST", f"{path}/revoke", WHY, of=path)
    assert (revoked.status_code, revoked.json()["in_force"]) == (200, False)
    assert code_of(city.polisi.get(clip, params=ASKED)) == (403, "not_granted")
    given_event, revoked_event = (city.site.events(act)[-1] for act in ("grant.give", "grant.revoke"))
    assert given_event.details["to_whom"] == "polisi"
    assert CAMERA in given_event.objects
    assert CAMERA in revoked_event.objects


def test_whoever_was_granted_something_sees_that_and_no_more(city: AccountAdministration) -> None:
    mine = city.citra("POST", "/v1/grants", json=opening()).json()["id"]
    ours = city.citra("POST", "/v1/grants", json=opening(person="", agency="polrestabes")).json()["id"]
    theirs = city.citra("POST", "/v1/grants", json=opening(person="satpol")).json()["id"]

    def seen(call: Caller) -> set[str]:
        return {grant["id"] for grant in call.get("/v1/grants").json()["grants"]}

    assert seen(city.polisi) == {mine, ours}
    assert seen(city.rekan) == {ours}
    assert seen(city.satpol) == {theirs}
    assert seen(city.indra) == seen(city.ada) == seen(city.citra) == {mine, ours, theirs}
    hidden = city.rekan.get(f"/v1/grants/{mine}")
    absent = city.rekan.get("/v1/grants/GRT-0123456789abcdef")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace(mine, "X") == absent.text.replace("GRT-0123456789abcdef", "X")
    cursors = [city.rekan.get("/v1/grants", params={"cursor": one}).text for one in (mine, "GRT-0")]
    assert cursors[0] == cursors[1]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"person": "citra"}, (422, "bad_grant")),  # a grant opens nothing to the War Room
        ({"person": "nobody"}, (404, "user_not_found")),
        ({"cameras": ["cam-0"]}, (404, "camera_not_found")),
        ({"agency": "polrestabes"}, (422, "bad_grant")),
        ({"until": instant(60)}, (422, "bad_grant")),
        ({"until": instant(367 * 24 * 3600)}, (422, "bad_grant")),
        ({"rights": []}, (422, "bad_request")),
        ({"basis": "  "}, (422, "bad_grant")),
        ({"from": "2026-01-01T00:00:00+08:00"}, (422, "bad_grant")),
        ({"until": "2026-11-27T17:00:00"}, (422, "naive_time")),
    ],
)
def test_a_grant_that_cannot_be_is_refused(
    city: AccountAdministration, more: dict[str, Any], code: tuple[int, str]
) -> None:
    answer = city.citra("POST", "/v1/grants", json=opening(**more))
    assert answer.status_code == code[0], answer.text
    if code[1] != "bad_request":
        assert answer.json()["code"] == code[1]


def test_nobody_grants_themselves(city: AccountAdministration) -> None:
    add_person(city.site, "dua", Role.WAR_ROOM, Role.POLICE)
    catch_up(city.site)
    assert code_of(city.dua("POST", "/v1/grants", json=opening(person="dua"))) == (403, "own_grant")


# -- tokens ------------------------------------------------------------------------------------------------


def asked_token(**more: Any) -> dict[str, Any]:
    return {
        "name": "wall",
        "actions": ["footage.play", "cameras.read"],
        "expires_at": instant(24 * 3600),
        "reason": "Integrasi",
        **more,
    }


def test_a_token_is_shown_once_works_and_is_revoked(city: AccountAdministration) -> None:
    made = city.ada("POST", "/v1/tokens", json=asked_token())
    assert made.status_code == 201, made.text
    machine = Caller(city.site.app, {"Authorization": f"Bearer {made.json()['token']}"})
    assert machine.get(PLAYLIST, params=ASKED).status_code == 200
    assert code_of(machine.get("/metrics")) == (403, "not_permitted")
    listed = city.indra.get("/v1/tokens")
    assert made.json()["token"] not in listed.text
    assert {one["name"]: one["made_by"] for one in listed.json()["tokens"]}["wall"] == "user:ada"
    assert code_of(city.ada("POST", "/v1/tokens", json=asked_token())) == (409, "token_exists")
    old = tag(city.ada, "/v1/tokens/wall")
    assert city.ada("POST", "/v1/tokens/wall/revoke", json=WHY, headers=old).status_code == 200
    assert code_of(machine.get(PLAYLIST, params=ASKED)) == (401, "unauthenticated")
    city.ada("POST", "/v1/tokens", json=asked_token())
    assert code_of(city.ada("POST", "/v1/tokens/wall/revoke", json=WHY, headers=old))[0] == 412
    actions = [entry.action for entry in city.site.services.ledger.history("token", "wall")]
    assert actions == ["token.created", "token.revoked", "token.created"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"actions": ["clips.download"]}, (403, "token_too_wide")),  # no admin downloads clips
        ({"actions": ["requests.read"]}, (403, "token_too_wide")),
        ({"actions": ["evidence.read"]}, (403, "token_too_wide")),  # they may read only their own
        ({"actions": ["holds.release"]}, (403, "token_too_wide")),  # it would count as a second person
        ({"actions": ["users.edit"]}, (403, "token_too_wide")),
        ({"actions": ["no.such"]}, (422, "bad_token_scope")),
        ({"expires_at": instant(400 * 24 * 3600)}, (422, "bad_token_scope")),
        ({"expires_at": instant(-10)}, (422, "bad_token_scope")),
        ({"name": "a b"}, (422, "bad_id")),
    ],
)
def test_no_token_is_wider_than_its_maker(
    city: AccountAdministration, more: dict[str, Any], code: tuple[int, str]
) -> None:
    assert code_of(city.ada("POST", "/v1/tokens", json=asked_token(**more))) == code
    assert code_of(city.ada.get("/v1/tokens/wall")) == (404, "token_not_found")


def test_a_token_reaches_no_further_than_its_maker_does_by_then(city: AccountAdministration) -> None:
    made = city.ada("POST", "/v1/tokens", json=asked_token()).json()["token"]
    machine = Caller(city.site.app, {"Authorization": f"Bearer {made}"})
    assert machine.get(PLAYLIST, params=ASKED).status_code == 200
    become(city, "ada", "auditor")
    assert code_of(machine.get(PLAYLIST, params=ASKED)) == (403, "not_permitted"), "no auditor plays"
    assert machine.get("/v1/cameras").status_code == 200
    closed = change(city.budi, "POST", "/v1/users/ada/disable", WHY, of="/v1/users/ada")
    assert closed.json()["tokens_revoked"] == ["wall"]
    assert code_of(machine.get("/v1/cameras")) == (401, "unauthenticated")
    change(city.budi, "POST", "/v1/users/ada/enable", WHY, of="/v1/users/ada")
    assert code_of(machine.get("/v1/cameras")) == (401, "unauthenticated"), "it does not come back"


# -- who could see -----------------------------------------------------------------------------------------


def test_the_auditor_asks_who_could_see_a_camera_then(city: AccountAdministration) -> None:
    site = city.site
    before = format_instant(site.clock.now())
    site.clock.advance(SECOND)
    city.citra("POST", "/v1/grants", json=opening(rights=["view", "download"]))
    city.ada("POST", "/v1/users", json=NEW)
    city.ada("POST", "/v1/tokens", json=asked_token())
    site.clock.advance(HOUR)
    path = f"/v1/cameras/{CAMERA}/viewers"

    def seen(**query: str) -> dict[str, list[tuple[str, str]]]:
        answer = city.indra.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return {
            one["who"]: [(sight["action"], sight["by"]) for sight in one["sights"]]
            for one in answer.json()["viewers"]
        }

    then = seen(footage_at=instant(5))
    assert then["user:citra"] == [
        ("footage.play", "role"),
        ("clips.download", "role"),
        ("evidence.download", "role"),
    ]
    assert then["user:erna"] == [("footage.play", "district")]
    assert then["user:polisi"] == [("footage.play", "grant"), ("evidence.download", "grant")]
    assert then["token:wall"] == [("footage.play", "scope")]
    assert "user:indra" not in then
    assert "user:rekan" not in then
    assert "user:polisi" not in seen(footage_at=instant(300))
    earlier = seen(at=before, footage_at=instant(5))
    assert not {"user:erna", "user:polisi", "token:wall"} & set(earlier)
    assert "user:citra" in earlier
    assert code_of(city.citra.get(path)) == (403, "not_permitted")


def test_a_token_is_told_of_as_far_as_its_maker_reached_then(city: AccountAdministration) -> None:
    site = city.site
    city.ada("POST", "/v1/tokens", json=asked_token())
    path = f"/v1/cameras/{CAMERA}/viewers"

    def seen(at: int) -> bool:
        viewers = city.indra.get(path, params={"at": format_instant(at)}).json()["viewers"]
        return "token:wall" in {one["who"] for one in viewers}

    made = site.clock.now()
    site.clock.advance(SECOND)
    become(city, "ada", "auditor")
    lowered = site.clock.now()
    site.clock.advance(SECOND)
    become(city, "ada", "war_room")
    raised = site.clock.now()
    assert (seen(made), seen(lowered), seen(raised)) == (True, False, True)


def test_an_ended_session_asks_nothing(city: AccountAdministration) -> None:
    cookie = {"Cookie": cookie_of(city.site, "citra"), **OURS}
    citra = Caller(city.site.app, cookie)
    assert citra.get("/v1/grants").status_code == 200
    ended = change(city.ada, "POST", "/v1/users/citra/sign-out", WHY, of="/v1/users/citra")
    assert ended.status_code == 200
    assert code_of(citra.get("/v1/grants")) == (401, "session_ended")
