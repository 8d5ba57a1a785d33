"""Sign-in through a real Keycloak: the browser's flow, machines' tokens, and every refusal."""

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from api.auth.oidc import OidcSettings, Provider
from archive.clock import SystemClock
from archive.errors import Refused, Unavailable
from archive.model.user import Role, User
from archive.timespan import MINUTE, SECOND
from tests.support.api_site import Caller, Site, open_site
from tests.support.keycloak import KeycloakServer, query_of
from tests.support.people import OURS, people, users_of
from tests.support.servers import keycloak_server, stack_environment
from tests.support.waiting import until

__all__ = ["keycloak_server", "stack_environment"]


class Travelling:
    """The machine's clock plus an offset for the site."""

    def __init__(self) -> None:
        self._real, self._ahead = SystemClock(), 0

    def now(self) -> int:
        return self._real.now() + self._ahead

    def monotonic(self) -> int:
        return self._real.monotonic() + max(0, self._ahead)

    def step(self, microseconds: int) -> None:
        self._ahead += microseconds

    advance = step


@pytest.fixture(scope="module")
def site(keycloak_server: KeycloakServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    environ = {
        "SAKSI_OIDC_ISSUER": keycloak_server.issuer,
        "SAKSI_PUBLIC_URL": "http://saksi.test",
        "SAKSI_SESSION_CHECK_SECONDS": "1",
        "SAKSI_ROSTER_SECONDS": "1",
    }
    folder = tmp_path_factory.mktemp("site")
    with open_site(folder, clock=Travelling(), variant=None, environ=environ) as made:  # type: ignore[arg-type]
        yield made


def through(site: Site, keycloak: KeycloakServer, name: str, following: str = "/") -> httpx.Response:
    """Sign a person in as a browser does, with a consent if one is missing; the answer of the callback."""
    answer = once_through(site, keycloak, name, following)
    if answer.status_code == 403 and answer.json()["code"] == "no_role":
        users_of(site).consent(name, actor="os:second", reason="x")
        answer = once_through(site, keycloak, name, following)
    return answer


def once_through(site: Site, keycloak: KeycloakServer, name: str, following: str = "/") -> httpx.Response:
    begun = Caller(site.app).get("/auth/login", params={"next": following})
    assert begun.status_code == 303
    pending = begun.headers["set-cookie"].split(";")[0]
    with keycloak.browser() as browser:
        back = keycloak.sign_in(browser, begun.headers["location"], name)
    assert back.startswith("http://saksi.test/auth/callback?")
    return Caller(site.app, {"Cookie": pending}).get("/auth/callback", params=query_of(back))


def session_of(answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    cookies = [one for one in answer.headers.get_list("set-cookie") if one.startswith("saksi=")]
    assert len(cookies) == 1
    return cookies[0].split(";")[0]


def signed_in(site: Site, keycloak: KeycloakServer, name: str) -> Caller:
    return Caller(site.app, {"Cookie": session_of(through(site, keycloak, name)), **OURS})


STORY = [
    ("polisi", ["police"], []),
    ("satpol", ["satpol_pp"], []),
    ("warroom-1", ["war_room"], []),
    ("rappocini", ["kecamatan"], ["73.71.13"]),
    ("inspektorat", ["auditor"], []),
    ("kominfo-1", ["admin"], []),
]


def test_a_privileged_role_of_the_provider_waits_for_an_administrators_consent(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    answer = once_through(site, keycloak_server, "kominfo-2")
    assert (answer.status_code, answer.json()["code"]) == (403, "no_role")
    user = users_of(site).user("kominfo-2")
    assert (user.roles, user.proposed) == ((), (Role.ADMIN,))
    users_of(site).consent("kominfo-2", actor="os:second", reason="x")
    assert once_through(site, keycloak_server, "kominfo-2").status_code == 303


@pytest.mark.parametrize("roles", [("admin", "war_room"), ("admin", "police"), ("war_room", "auditor")])
def test_a_token_with_roles_that_exclude_one_another_opens_nothing(
    site: Site, keycloak_server: KeycloakServer, roles: tuple[str, str]
) -> None:
    held = {"admin": "kominfo-1", "war_room": "warroom-1"}[roles[0]]
    keycloak_server.set_role(held, roles[1], method="POST")
    try:
        answer = once_through(site, keycloak_server, held)
        assert (answer.status_code, answer.json()["code"]) == (403, "roles_exclude")
    finally:
        keycloak_server.set_role(held, roles[1], method="DELETE")


@pytest.mark.parametrize(("name", "roles", "districts"), STORY)
def test_the_people_of_the_story_come_in_with_their_roles(
    site: Site, keycloak_server: KeycloakServer, name: str, roles: list[str], districts: list[str]
) -> None:
    answer = through(site, keycloak_server, name, "/cameras?x=1")
    assert answer.headers["location"] == "/cameras?x=1"
    shown = Caller(site.app, {"Cookie": session_of(answer)}).get("/v1/session").json()
    assert (shown["id"], shown["roles"], shown["districts"]) == (f"user:{name}", roles, districts)
    assert len(session_of(answer)) < 4000, "browsers keep no longer cookie"
    dropped = [one for one in answer.headers.get_list("set-cookie") if one.startswith("saksi-sign-in=;")]
    assert "Max-Age=0" in dropped[0]
    assert site.events("sign_in")[-1].details == {"how": "openid"}


def test_the_request_to_the_provider_is_bound_to_one_browser(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    begun = Caller(site.app).get("/auth/login")
    asked = query_of(begun.headers["location"])
    assert begun.headers["location"].startswith(f"{keycloak_server.issuer}/protocol/openid-connect/auth?")
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == "http://saksi.test/auth/callback"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 32
    flags = begun.headers["set-cookie"]
    assert "HttpOnly" in flags
    assert "SameSite=Lax" in flags
    assert "Max-Age=600" in flags


def test_a_code_in_another_browser_or_a_second_time_opens_nothing(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    begun = Caller(site.app).get("/auth/login")
    mine = begun.headers["set-cookie"].split(";")[0]
    theirs = Caller(site.app).get("/auth/login").headers["set-cookie"].split(";")[0]
    with keycloak_server.browser() as browser:
        query = query_of(keycloak_server.sign_in(browser, begun.headers["location"], "polisi"))
    for headers in ({}, {"Cookie": theirs}):
        assert refused(Caller(site.app, headers).get("/auth/callback", params=query))
    call = Caller(site.app, {"Cookie": mine})
    assert refused(call.get("/auth/callback", params={**query, "state": "x"}))
    assert refused(call.get("/auth/callback", params={"state": query["state"], "error": "access_denied"}))
    assert refused(call.get("/auth/callback", params={**query, "code": "x"}))
    session_of(call.get("/auth/callback", params=query))
    assert refused(call.get("/auth/callback", params=query))


def refused(answer: httpx.Response) -> bool:
    assert "set-cookie" not in answer.headers
    return (answer.status_code, answer.json()["code"]) == (403, "sign_in_refused")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "javascript:alert(1)",
        "evil",
        "/a\tb",
    ],
)
def test_a_sign_in_leads_to_no_other_site(
    site: Site, keycloak_server: KeycloakServer, elsewhere: str
) -> None:
    begun = Caller(site.app).get("/auth/login", params={"next": elsewhere})
    pending = people(site).cookies.open_pending(begun.headers["set-cookie"].split(";")[0].split("=", 1)[1])
    assert pending is not None
    assert pending.next == "/"


def test_a_disabled_account_is_out_soon(site: Site, keycloak_server: KeycloakServer) -> None:
    call = signed_in(site, keycloak_server, "warroom-2")
    assert call.get("/v1/session").status_code == 200
    keycloak_server.change("warroom-2", enabled=False)
    try:
        assert soon(lambda: call.get("/v1/session").status_code == 401)
    finally:
        keycloak_server.change("warroom-2", enabled=True)


def soon(holds: Any) -> bool:
    """Whether it comes true within some seconds: the settings of the site say one."""
    return bool(until(holds, "the provider's word has come here", every=0.2))


def test_an_account_that_is_closed_here_is_out_though_the_provider_lets_it_in(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    call = signed_in(site, keycloak_server, "kominfo-2")
    users = users_of(site)
    users.disable("kominfo-2", actor="os:test", reason="left")
    try:
        assert soon(lambda: call.get("/v1/session").status_code == 401)
        answer = through(site, keycloak_server, "kominfo-2")
        assert (answer.status_code, answer.json()["code"]) == (403, "account_disabled")
    finally:
        users.enable("kominfo-2", actor="os:test", reason="back")


def test_a_role_that_was_taken_away_is_gone_soon(site: Site, keycloak_server: KeycloakServer) -> None:
    call = signed_in(site, keycloak_server, "warroom-2")
    assert "war_room" in call.get("/v1/session").json()["roles"]
    keycloak_server.set_role("warroom-2", "auditor", method="POST")
    keycloak_server.set_role("warroom-2", "war_room", method="DELETE")
    try:
        assert soon(lambda: call.get("/v1/session").status_code == 401)
        user = users_of(site).user("warroom-2")
        assert (user.roles, user.proposed) == ((), (Role.AUDITOR,)), "a new role waits for consent"
    finally:
        keycloak_server.set_role("warroom-2", "war_room", method="POST")
        keycloak_server.set_role("warroom-2", "auditor", method="DELETE")


def test_signing_out_ends_the_session_here_and_at_the_provider(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    begun = Caller(site.app).get("/auth/login")
    pending = begun.headers["set-cookie"].split(";")[0]
    with keycloak_server.browser() as browser:
        back = query_of(keycloak_server.sign_in(browser, begun.headers["location"], "satpol"))
        answer = Caller(site.app, {"Cookie": pending}).get("/auth/callback", params=back)
        cookie = session_of(answer)
        session = people(site).cookies.open(cookie.removeprefix("saksi="))
        assert session is not None
        # While the provider's session is valid, its browser needs no password.
        again = Caller(site.app).get("/auth/login").headers["location"]
        assert browser.get(again).status_code in {302, 303}
        where = Caller(site.app, {"Cookie": cookie, **OURS})("POST", "/auth/logout").json()["location"]
        assert where.startswith(f"{keycloak_server.issuer}/protocol/openid-connect/logout?")
        assert query_of(where)["post_logout_redirect_uri"].startswith("http://saksi.test")
        assert browser.get(Caller(site.app).get("/auth/login").headers["location"]).status_code == 200
    assert Caller(site.app, {"Cookie": cookie}).get("/v1/session").status_code == 401
    provider = people(site)._provider
    assert provider is not None
    with pytest.raises(Refused):
        provider.renew(session.refresh)


def test_a_name_belongs_to_the_account_that_first_came_with_it(
    site: Site, keycloak_server: KeycloakServer
) -> None:
    users_of(site).add(
        User(id="service-account-war-room-machine", name="", roles=(Role.ADMIN,)), actor="os:test"
    )
    time.sleep(1.1)  # real time: longer than what is known of accounts may be old
    token = keycloak_server.machine_token("war-room-machine")
    assert bearer(site, token).status_code == 401


def bearer(site: Site, token: str) -> httpx.Response:
    return Caller(site.app, {"Authorization": f"Bearer {token}"}).get("/v1/cameras")


@pytest.fixture(scope="module")
def machine(keycloak_server: KeycloakServer) -> Iterator[None]:
    """The second machine has a role and no audience; the first, in a separate site, has both."""
    name = "service-account-war-room-machine"
    keycloak_server.set_role(name, "war_room", method="POST")
    keycloak_server.set_role("service-account-other-machine", "admin", method="POST")
    yield
    keycloak_server.set_role(name, "war_room", method="DELETE")


@pytest.fixture
def fresh(
    keycloak_server: KeycloakServer, tmp_path_factory: pytest.TempPathFactory, machine: None
) -> Iterator[Site]:
    """A test's own site, whose clock the test may change."""
    environ = {"SAKSI_OIDC_ISSUER": keycloak_server.issuer}
    folder = tmp_path_factory.mktemp("fresh")
    with open_site(folder, clock=Travelling(), variant=None, environ=environ) as made:  # type: ignore[arg-type]
        yield made


def test_a_machines_token_opens_what_its_roles_open(fresh: Site, keycloak_server: KeycloakServer) -> None:
    token = keycloak_server.machine_token("war-room-machine")
    assert bearer(fresh, token).status_code == 401, "its role waits for consent"
    users_of(fresh).consent("service-account-war-room-machine", actor="os:second", reason="x")
    assert soon(lambda: bearer(fresh, token).status_code == 200)
    call = Caller(fresh.app, {"Authorization": f"Bearer {token}"})
    shown = call.get("/v1/session").json()
    assert (shown["id"], shown["roles"]) == ("user:service-account-war-room-machine", ["war_room"])
    assert call.get("/metrics").status_code == 403
    assert call("PATCH", "/v1/session", json={"purpose": "x"}).json()["code"] == "no_session"
    users_of(fresh).disable("service-account-war-room-machine", actor="os:test", reason="stolen")
    assert soon(lambda: bearer(fresh, token).status_code == 401)


def test_a_token_for_somebody_else_of_another_realm_or_too_old_opens_nothing(
    fresh: Site, keycloak_server: KeycloakServer
) -> None:
    assert bearer(fresh, keycloak_server.machine_token("other-machine")).status_code == 401
    assert bearer(fresh, keycloak_server.admin_token()).status_code == 401
    token = keycloak_server.machine_token("war-room-machine")
    assert bearer(fresh, token).status_code == 401
    users_of(fresh).consent("service-account-war-room-machine", actor="os:second", reason="x")
    fresh.clock.advance(65 * SECOND)
    assert bearer(fresh, token).status_code == 200, "clocks may differ by some seconds"
    fresh.clock.advance(10 * SECOND)
    assert bearer(fresh, token).status_code == 401
    fresh.clock.advance(-5 * MINUTE)
    assert bearer(fresh, token).status_code == 401, "nor one from the future"


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = token.split(".")
    return _unpacked(head), _unpacked(body), signature


def _unpacked(text: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def _packed(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_forged_tokens_open_nothing(fresh: Site, keycloak_server: KeycloakServer) -> None:
    token = keycloak_server.machine_token("war-room-machine")
    assert bearer(fresh, token).status_code == 200
    head, body, signature = parts(token)
    stranger = RSAKey.generate_key(2048, parameters={"kid": head["kid"], "use": "sig"})
    with keycloak_server.browser() as web:
        keys = web.get(f"{keycloak_server.issuer}/protocol/openid-connect/certs").json()["keys"]
    public = next(RSAKey.import_key(key) for key in keys if key["kid"] == head["kid"])
    pem = public.as_pem(private=False)
    none = f"{_packed({'alg': 'none', 'typ': 'JWT'})}.{_packed(body)}."
    richer = {**body, "realm_access": {"roles": ["admin"]}}
    forged = {
        "none": none,
        "none with a kid": f"{_packed({**head, 'alg': 'none'})}.{_packed(body)}.",
        "changed body": f"{token.split('.')[0]}.{_packed(richer)}.{signature}",
        "stranger's key": jwt.encode({"alg": "RS256", "kid": head["kid"]}, richer, stranger),
        "public key as secret": _hs256(head, richer, pem),
        "no signature": token.rsplit(".", 1)[0] + ".",
        "unknown kid": jwt.encode({"alg": "RS256", "kid": "unknown"}, richer, stranger),
        "no kid": jwt.encode({"alg": "RS256"}, richer, stranger),
        "key inside": jwt.encode(
            {"alg": "RS256", "kid": head["kid"], "jwk": stranger.as_dict(private=False)}, richer, stranger
        ),
        "not even json": "a.b.c",
        "long": "a." * 2 + "x" * 20_000,
    }
    for how, one in forged.items():
        assert bearer(fresh, one).status_code == 401, how


def _hs256(head: dict[str, Any], body: dict[str, Any], secret: bytes) -> str:
    import hashlib
    import hmac

    signed = f"{_packed({**head, 'alg': 'HS256'})}.{_packed(body)}"
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_an_id_token_is_no_access_token(site: Site, keycloak_server: KeycloakServer) -> None:
    address, pending = people(site).begin_at_provider("/")
    with keycloak_server.browser() as browser:
        query = query_of(keycloak_server.sign_in(browser, address, "kominfo-1"))
    provider = people(site)._provider
    assert provider is not None
    tokens, _ = provider.exchange(query["code"], verifier=pending.verifier, nonce=pending.nonce)
    assert bearer(site, tokens.access).status_code == 200
    assert bearer(site, tokens.id_token).status_code == 401
    assert bearer(site, tokens.refresh).status_code == 401


def test_an_answer_to_another_question_is_refused(site: Site, keycloak_server: KeycloakServer) -> None:
    provider = people(site)._provider
    assert provider is not None
    for changed in ({"nonce": "other"}, {"verifier": "v" * 64}):
        address, pending = people(site).begin_at_provider("/")
        with keycloak_server.browser() as browser:
            query = query_of(keycloak_server.sign_in(browser, address, "polisi"))
        given = {"verifier": pending.verifier, "nonce": pending.nonce, **changed}
        with pytest.raises(Refused) as refusal:
            provider.exchange(query["code"], **given)
        assert refusal.value.code == "sign_in_refused"


def counted(keycloak: KeycloakServer, clock: Travelling) -> tuple[Provider, list[str]]:
    asked: list[str] = []
    hooks = {"request": [lambda request: asked.append(request.url.path.rsplit("/", 1)[1])]}
    client = httpx.Client(trust_env=False, event_hooks=hooks)
    settings = OidcSettings(
        issuer=keycloak.issuer, client_id="saksi", redirect_uri="http://saksi.test/auth/callback"
    )
    return Provider(settings, clock, client), asked


def test_invented_key_ids_cost_the_provider_nothing(keycloak_server: KeycloakServer) -> None:
    clock = Travelling()
    provider, asked = counted(keycloak_server, clock)
    key = RSAKey.generate_key(2048)
    for number in range(20):
        token = jwt.encode({"alg": "RS256", "kid": f"invented-{number}"}, {"sub": "x"}, key)
        with pytest.raises(Refused):
            provider.identity(token)
    assert asked == ["openid-configuration", "certs"]
    clock.advance(31 * SECOND)
    for _ in range(3):
        with pytest.raises(Refused):
            provider.identity(token)
    assert asked.count("certs") == 2


def test_a_new_key_of_the_provider_is_found(keycloak_server: KeycloakServer, machine: None) -> None:
    clock = Travelling()
    provider, asked = counted(keycloak_server, clock)
    before = keycloak_server.machine_token("war-room-machine")
    assert provider.identity(before).roles
    realm = keycloak_server.admin("GET", "").json()
    made = keycloak_server.admin(
        "POST",
        "/components",
        json={
            "name": "another-key",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm["id"],
            "config": {"priority": ["200"], "keySize": ["2048"]},
        },
    )
    try:
        after = keycloak_server.machine_token("war-room-machine")
        assert parts(after)[0]["kid"] != parts(before)[0]["kid"]
        clock.advance(31 * SECOND)
        assert provider.identity(after).roles
        assert provider.identity(before).roles
        assert asked.count("certs") == 2
    finally:
        keycloak_server.admin("DELETE", f"/components/{made.headers['location'].rsplit('/', 1)[1]}")


def test_a_provider_that_does_not_answer_lets_nobody_in(keycloak_server: KeycloakServer) -> None:
    settings = OidcSettings(issuer="http://127.0.0.1:9/realms/x", client_id="saksi", redirect_uri="http://x")
    provider = Provider(settings, Travelling(), httpx.Client(trust_env=False))
    with pytest.raises(Unavailable) as down:
        provider.sign_in_address(state="s", nonce="n", verifier="v" * 43)
    assert down.value.code == "identity_provider_unavailable"
    other = OidcSettings(issuer=f"{keycloak_server.issuer}/", client_id="saksi", redirect_uri="http://x")
    with pytest.raises(Unavailable):
        Provider(other, Travelling(), httpx.Client(trust_env=False)).identity("a.b.c")


def test_nothing_is_asked_of_the_provider_before_somebody_signs_in(keycloak_server: KeycloakServer) -> None:
    _, asked = counted(keycloak_server, Travelling())
    assert asked == []
