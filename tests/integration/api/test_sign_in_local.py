"""Local accounts over HTTP: sign-in, sessions, sign-out; cookies, CSRF, lockout."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.auth.lockout import FREE_FOR_ACCOUNT
from api.auth.sessions import CookieBox, Limits
from archive.model.custody import Outcome
from archive.model.user import Role, User
from archive.timespan import HOUR, MINUTE, SECOND
from ops.accounts import cookie_keys, passwords_of
from ops.settings import Settings
from ops.wiring import Site as Wired
from tests.support.api_site import Caller, Site, open_site
from tests.support.people import OURS, add_account, people, users_of

PASSWORD = "pasar-terong-malam-42"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, variant=None) as made:
        add(made, tmp_path, "citra", Role.WAR_ROOM)
        yield made


def add(site: Site, folder: Path, name: str, *roles: Role) -> None:
    add_account(users_of(site), User(id=name, name=name, roles=roles))
    with Wired(Settings.load({"SAKSI_HOME": str(folder)}), site.clock) as wired:
        passwords_of(wired).put(name, PASSWORD)


def sign_in(site: Site, name: str = "citra", password: str = PASSWORD, **headers: str) -> httpx.Response:
    body = {"name": name, "password": password, "purpose": "shift 3"}
    return Caller(site.app)("POST", "/auth/local", json=body, headers=headers)


def cookie(answer: httpx.Response) -> str:
    return answer.headers["set-cookie"].split(";")[0]


def with_cookie(site: Site, value: str, **headers: str) -> Caller:
    return Caller(site.app, {"Cookie": value, **OURS, **headers})


def test_a_sign_in_opens_a_session_and_goes_on_record(site: Site) -> None:
    answer = sign_in(site)
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["id"], shown["roles"], shown["purpose"]) == ("user:citra", ["war_room"], "shift 3")
    call = with_cookie(site, cookie(answer))
    assert call.get("/v1/session").json()["id"] == "user:citra"
    assert call.get("/v1/cameras").status_code == 200
    assert call.get("/metrics").status_code == 403
    (event,) = site.events("sign_in")
    assert (event.actor.id, event.actor.address, event.outcome) == ("user:citra", "192.0.2.99", Outcome.DONE)
    assert event.actor.session
    assert PASSWORD not in json.dumps([str(one) for one in site.events()])


def test_the_cookie_is_for_the_browser_alone(site: Site) -> None:
    session, known = sign_in(site).headers.get_list("set-cookie")
    for header, name, seconds in ((session, "saksi=", 43_200), (known, "saksi-known=", 180 * 86_400)):
        assert header.startswith(name)
        flags = {part.strip() for part in header.split(";")[1:]}
        assert flags == {"Path=/", f"Max-Age={seconds}", "HttpOnly", "SameSite=Lax"}
        assert "citra" not in header


def test_with_https_the_cookie_is_bound_to_it_and_to_the_host(site: Site) -> None:
    from dataclasses import replace

    app = site.remade(settings=replace(site.services.settings, public_url="https://saksi.test"))
    body = {"name": "citra", "password": PASSWORD}
    answer = Caller(app)("POST", "/auth/local", json=body, headers={"Origin": "https://saksi.test"})
    assert answer.headers["set-cookie"].startswith("__Host-saksi=")
    assert "Secure" in answer.headers["set-cookie"]
    plain = answer.headers["set-cookie"].split(";")[0].removeprefix("__Host-")
    assert Caller(app, {"Cookie": plain}).get("/v1/session").status_code == 401
    wrong = Caller(app)("POST", "/auth/local", json=body, headers={"Origin": "http://saksi.test"})
    assert wrong.json()["code"] == "cross_site_request"


@pytest.mark.parametrize(
    ("name", "password"), [("citra", "wrong-password-1"), ("nobody", PASSWORD), ("citra", ""), ("a b", "x")]
)
def test_whatever_is_wrong_the_answer_is_the_same(site: Site, name: str, password: str) -> None:
    answer = sign_in(site, name, password or "x")
    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
    assert "set-cookie" not in answer.headers
    assert answer.text == sign_in(site, "citra", "another-wrong-one").text


def test_a_disabled_account_and_one_without_a_password_do_not_come_in(site: Site, tmp_path: Path) -> None:
    add_account(users_of(site), User(id="dewi", name="", roles=(Role.ADMIN,)))
    assert sign_in(site, "dewi", PASSWORD).json()["code"] == "sign_in_failed"
    users_of(site).disable("citra", actor="os:test", reason="left")
    assert sign_in(site).json()["code"] == "sign_in_failed"
    users_of(site).enable("citra", actor="os:test", reason="back")
    assert sign_in(site).json()["code"] == "no_role", "the War Room's role waits for consent again"
    users_of(site).consent("citra", actor="os:second", reason="back")
    assert sign_in(site).status_code == 200


def test_a_disabled_account_is_out_within_the_age_of_the_roster(site: Site) -> None:
    call = with_cookie(site, cookie(sign_in(site)))
    users_of(site).disable("citra", actor="os:test", reason="left")
    site.clock.advance(6 * SECOND)
    answer = call.get("/v1/cameras")
    assert (answer.status_code, answer.json()["code"]) == (401, "session_ended")
    users_of(site).enable("citra", actor="os:test", reason="back")
    site.clock.advance(6 * SECOND)
    assert call.get("/v1/cameras").status_code == 401, "an old session stays over"


def test_signing_out_ends_every_session_everywhere(site: Site) -> None:
    first, second = cookie(sign_in(site)), cookie(sign_in(site))
    other_process = site.remade(people=another_process(site))
    assert Caller(other_process, {"Cookie": second}).get("/v1/session").status_code == 200
    answer = with_cookie(site, first)("POST", "/auth/logout")
    assert answer.json() == {"location": ""}
    assert answer.headers.get_list("set-cookie") == ["saksi=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]
    for value in (first, second):
        assert with_cookie(site, value).get("/v1/session").status_code == 401
    site.clock.advance(6 * SECOND)
    assert Caller(other_process, {"Cookie": second}).get("/v1/session").status_code == 401
    assert site.events("sign_out")[0].actor.id == "user:citra"


def another_process(site: Site) -> Any:
    from api.auth.people import People
    from archive.cases.people.roster import Roster

    mine = people(site)
    roster = Roster(site.services.ledger, site.services.stores.records, site.clock, max_age=5 * SECOND)
    return People(
        users=mine._users,
        roster=roster,
        passwords=mine._passwords,
        cookies=mine.cookies,
        clock=site.clock,
    )


def test_a_session_ends_when_it_is_not_used_and_at_its_limit(site: Site) -> None:
    value = cookie(sign_in(site))
    for _ in range(30):
        site.clock.advance(25 * MINUTE)
        answer = with_cookie(site, value).get("/v1/session")
        if answer.status_code == 401:
            break
        value = cookie(answer)  # used, so it is renewed
    began = 30 * 25 * MINUTE
    assert answer.status_code == 401
    assert began > 12 * HOUR
    fresh = cookie(sign_in(site))
    site.clock.advance(31 * MINUTE)
    assert with_cookie(site, fresh).get("/v1/session").status_code == 401


def test_a_session_that_is_used_is_sent_anew_with_another_value(site: Site) -> None:
    value = cookie(sign_in(site))
    assert "set-cookie" not in with_cookie(site, value).get("/v1/session").headers
    site.clock.advance(2 * MINUTE)
    renewed = with_cookie(site, value).get("/v1/session")
    assert cookie(renewed) != value
    assert with_cookie(site, cookie(renewed)).get("/v1/session").json()["purpose"] == "shift 3"


def test_an_altered_or_strange_cookie_opens_nothing(site: Site, tmp_path: Path) -> None:
    value = cookie(sign_in(site)).removeprefix("saksi=")
    strange = CookieBox([b"A" * 43 + b"="], site.clock, Limits())
    mine = people(site).cookies.open(value)
    assert mine is not None
    for wrong in (
        value[:-2] + "xx",
        value[:40],
        "",
        "x" * 9000,
        strange.seal(mine),
        people(site).cookies.seal_pending(_pending(site)),
    ):
        assert Caller(site.app, {"Cookie": f"saksi={wrong}"}).get("/v1/session").status_code == 401
    twice = f"saksi={value}; saksi={value}"
    assert Caller(site.app, {"Cookie": twice}).get("/v1/session").status_code == 401


def _pending(site: Site) -> Any:
    from api.auth.sessions import Pending

    return Pending(state="s", nonce="n", verifier="v", next="/", begun_at=site.clock.now())


def test_a_sign_in_never_goes_on_with_a_session_that_was_there(site: Site) -> None:
    planted = cookie(sign_in(site))
    body = {"name": "citra", "password": PASSWORD}
    fresh = Caller(site.app, {"Cookie": planted})("POST", "/auth/local", json=body)
    before, after = (
        people(site).cookies.open(one.removeprefix("saksi=")) for one in (planted, cookie(fresh))
    )
    assert before is not None
    assert after is not None
    assert before.id != after.id


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**OURS, "Origin": "https://evil.test"},
        {**OURS, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://saksi.test"},
    ],
)
def test_another_sites_page_changes_nothing(site: Site, headers: dict[str, str]) -> None:
    value = cookie(sign_in(site))
    call = Caller(site.app, {"Cookie": value, **headers})
    for method, path, body in (
        ("PATCH", "/v1/session", {"purpose": "x"}),
        ("POST", "/auth/logout", None),
        ("POST", "/v1/cameras", {}),
    ):
        answer = call(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site_request"), (method, path)
    assert with_cookie(site, value).get("/v1/session").json()["purpose"] == "shift 3"
    ours = with_cookie(site, value, Origin="http://saksi.test")
    assert ours("PATCH", "/v1/session", json={"purpose": "y"}).json()["purpose"] == "y"


def test_another_sites_page_signs_nobody_in(site: Site) -> None:
    assert sign_in(site, Origin="https://evil.test").json()["code"] == "cross_site_request"
    assert sign_in(site, Origin="http://saksi.test").status_code == 200


def test_failures_lock_an_account_for_longer_and_longer(site: Site) -> None:
    for _ in range(FREE_FOR_ACCOUNT):
        assert sign_in(site, password="wrong-password-1").status_code == 401
    locked = sign_in(site)
    assert (locked.status_code, locked.json()["code"]) == (429, "sign_in_locked")
    site.clock.advance(SECOND)
    assert sign_in(site, password="wrong-password-1").status_code == 401
    assert "2 s" in sign_in(site).json()["hint"]
    site.clock.advance(2 * SECOND)
    assert sign_in(site).status_code == 200
    assert sign_in(site, password="wrong-password-1").status_code == 401, "a success begins anew"


def test_a_guesser_locks_the_owner_out_of_nothing(site: Site) -> None:
    known = next(
        value.partition(";")[0]
        for value in sign_in(site).headers.get_list("set-cookie")
        if value.startswith("saksi-known=")
    )
    for _ in range(30):  # from the owner's own address
        sign_in(site, password="wrong-password-1")
    assert sign_in(site).json()["code"] == "sign_in_locked"
    assert sign_in(site, Cookie=known).status_code == 200
    assert with_cookie(site, known).get("/v1/session").status_code == 401  # it signs nobody in
    forged = known[:-8] + "AAAAAAA="
    assert sign_in(site, Cookie=forged).json()["code"] == "sign_in_locked"


def test_a_browser_that_several_people_share_knows_each(site: Site, tmp_path: Path) -> None:
    add(site, tmp_path, "dewi", Role.WAR_ROOM)
    jar = ""
    for name in ("citra", "dewi", "citra"):
        answer = sign_in(site, name=name, Cookie=jar)
        jar = next(v.partition(";")[0] for v in answer.headers.get_list("set-cookie") if "saksi-known" in v)
    found = people(site).cookies.open_known(jar.partition("=")[2])
    assert set(found) == {"citra", "dewi"}


def test_what_was_tried_is_on_record_under_the_account(site: Site) -> None:
    for name in ("citra", "citra", "my-password-in-the-wrong-field"):
        sign_in(site, name=name, password="wrong-password-1")
    site.clock.advance(2 * MINUTE)
    site.app.state.runtime.unauthenticated.write_if_due()
    tried = [event for event in site.events("sign_in") if event.outcome is Outcome.REFUSED]
    assert sum(event.details["attempts"] for event in tried if event.objects == ("user:citra",)) == 2
    assert "wrong-field" not in repr(tried)
    lines = site.call.get("/v1/custody", params={"person": "user:citra"}).json()["acts"]
    assert [line["details"]["attempts"] for line in lines if line["outcome"] == "refused"] == [1, 1]


def test_failed_attempts_are_on_record(site: Site) -> None:
    sign_in(site, password="wrong-password-1")
    refused = [event for event in site.events("sign_in") if event.outcome is Outcome.REFUSED]
    assert refused[0].details["addresses"] == "192.0.2.99=1"


def test_a_new_password_ends_the_other_sessions(site: Site) -> None:
    here, there = cookie(sign_in(site)), cookie(sign_in(site))
    call = with_cookie(site, here)
    body = {"old": PASSWORD, "new": "kapal-pinisi-biru-7"}
    assert call("POST", "/auth/password", json={**body, "old": "no-such-password"}).status_code == 401
    weak = call("POST", "/auth/password", json={**body, "new": "citra-citra-1234"})
    assert (weak.status_code, weak.json()["code"]) == (422, "weak_password")
    answer = call("POST", "/auth/password", json=body)
    assert answer.status_code == 200
    assert with_cookie(site, cookie(answer)).get("/v1/session").status_code == 200
    assert with_cookie(site, there).get("/v1/session").status_code == 401
    assert sign_in(site).status_code == 401
    assert sign_in(site, password=body["new"]).status_code == 200


def test_a_token_has_no_session(site: Site) -> None:
    assert site.call.get("/v1/session").json()["id"] == "token:first"
    for method, path, body in (
        ("POST", "/auth/logout", None),
        ("PATCH", "/v1/session", {"purpose": "x"}),
        ("POST", "/auth/password", {"old": "x", "new": "y"}),
    ):
        assert site.call(method, path, json=body).json()["code"] == "no_session"


def test_a_token_goes_before_a_cookie_and_needs_no_csrf(site: Site) -> None:
    both = Caller(site.app, {**site.headers, "Cookie": cookie(sign_in(site))})
    assert both.get("/v1/session").json()["id"] == "token:first"
    wrong = Caller(site.app, {"Authorization": "Bearer x", "Cookie": cookie(sign_in(site))})
    assert wrong.get("/v1/session").status_code == 401


def test_without_a_provider_there_is_no_way_to_it(site: Site) -> None:
    for path in ("/auth/login", "/auth/callback?state=x&code=y"):
        answer = Caller(site.app).get(path)
        assert answer.status_code in {403, 404}
    assert Caller(site.app).get("/auth/login").json()["code"] == "no_such_sign_in"


def test_secrets_lie_beside_the_keys_for_their_owner_alone(site: Site, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    for name in ("passwords.json", "cookies.key"):
        assert stat.S_IMODE((keys / name).stat().st_mode) == 0o600
    assert "$argon2id$" in (keys / "passwords.json").read_text()
    archived = [path for path in (tmp_path / "archive").rglob("*") if path.is_file()]
    assert archived
    for path in archived:
        assert b"argon2" not in path.read_bytes()


def test_a_new_cookie_key_keeps_the_old_sessions(site: Site, tmp_path: Path) -> None:
    value = cookie(sign_in(site)).removeprefix("saksi=")
    path = tmp_path / "keys" / "cookies.key"
    path.write_bytes(b"B" * 43 + b"=\n" + path.read_bytes())
    turned = CookieBox(cookie_keys(tmp_path / "keys"), site.clock, Limits())
    assert turned.open(value) is not None
