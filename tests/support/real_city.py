"""An installation on MinIO and Elasticsearch whose people sign in at Keycloak, over HTTP or in a browser."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.clock import ManualClock, SystemClock
from archive.model.user import Role
from archive.timespan import SECOND
from tests.support.api_site import Caller, Site, open_site
from tests.support.command_line import CommandLine
from tests.support.keycloak import KeycloakServer, query_of
from tests.support.people import OURS, PURPOSE, users_of
from tests.support.servers import ElasticServer, FreshBuckets

PEOPLE: Mapping[str, tuple[Role, str, str]] = {
    "polisi": (Role.POLICE, "polrestabes", ""),
    "satpol": (Role.SATPOL_PP, "satpol-pp", ""),
    "warroom-1": (Role.WAR_ROOM, "", ""),
    "warroom-2": (Role.WAR_ROOM, "", ""),
    "rappocini": (Role.KECAMATAN, "", "73.71.13"),
    "inspektorat": (Role.AUDITOR, "", ""),
}
"""Role, agency and district; Keycloak's realm has the same."""


class Browser:
    """A person with a session: keeps the cookie, which each answer may renew."""

    def __init__(self, site: Site, answer: httpx.Response) -> None:
        assert answer.status_code in {200, 303}, answer.text
        self._site, self._cookie = site, ""
        self._keep(answer)
        assert self._cookie

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        if isinstance(self._site.clock, ManualClock):
            self._site.clock.advance(SECOND)
        answer = Caller(self._site.app, {"Cookie": self._cookie, **OURS})(method, path, **options)
        self._keep(answer)
        return answer

    def get(self, path: str, **query: str) -> httpx.Response:
        """The answer to a GET."""
        return self("GET", path, params=query or None)  # an empty one would remove the query of the address

    def change(self, one: str, act: str, **form: Any) -> dict[str, Any]:
        """Read the request, and change the version that was read; insists on success."""
        etag = self.get(one).headers["etag"]
        answer = self("POST", f"{one}/{act}", json=form, headers={"If-Match": etag})
        assert answer.status_code in {200, 201}, (act, answer.text)
        found: dict[str, Any] = answer.json()
        return found

    def refused(self, version: int, path: str, **form: Any) -> tuple[int, str]:
        """The status and the code of a change that is not permitted."""
        answer = self("POST", path, json=form, headers={"If-Match": f'"{version}"'})
        return answer.status_code, answer.json()["code"]

    def _keep(self, answer: httpx.Response) -> None:
        for one in answer.headers.get_list("set-cookie"):
            if one.startswith("saksi="):
                self._cookie = one.split(";")[0]


@dataclass
class City:
    """One installation, the way people sign in, and the way its jobs run.

    ``settings`` are those that its further processes need, beside its folder.
    """

    site: Site
    sign_in: Callable[[str], Browser]
    seal: Callable[[], None]
    sweep: Callable[[], int]
    verify_log: Callable[[], dict[str, Any]]
    settings: Mapping[str, str] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)

    def who(self, name: str) -> Browser:
        """A person's session, begun when it is first asked for."""
        return self.browsers.setdefault(name, self.sign_in(name))

    def enter(self) -> None:
        """Sign in everyone in the story."""
        for name, (role, _, _) in PEOPLE.items():
            self.browsers[name] = self.sign_in(name)
            shown = self.browsers[name].get("/v1/session").json()
            assert (shown["id"], shown["roles"], shown["purpose"]) == (f"user:{name}", [role.value], PURPOSE)


class _Now:
    """The machine's clock; a site sets it back while it is made, as if its cameras were older."""

    def __init__(self) -> None:
        self._real, self._ahead = SystemClock(), 0

    def now(self) -> int:
        """The machine's time, as far ahead as it was set."""
        return self._real.now() + self._ahead

    def monotonic(self) -> int:
        """The machine's elapsed time."""
        return self._real.monotonic()

    def step(self, microseconds: int) -> None:
        """Set it ahead."""
        self._ahead += microseconds

    advance = step

    def put_right(self) -> None:
        """Show the machine's time again: a busy machine makes a site slowly, and Keycloak's clock goes on."""
        self._ahead = 0


@contextmanager
def real_city(
    home: Path, environ: Mapping[str, str], keycloak: KeycloakServer, public_url: str
) -> Iterator[City]:
    """An installation on real servers, which ``environ`` names; browsers reach it at ``public_url``.

    It has the two cameras of :func:`open_site`, and nobody yet: whose roles wait for consent gets
    it at the sign-in.
    """
    environ = {
        **environ,
        "SAKSI_OIDC_ISSUER": keycloak.issuer,
        "SAKSI_PUBLIC_URL": public_url,
        # The site is made with its clock at T0; MinIO uses today's date and accepts no expired lock.
        "SAKSI_RECORDS_LOCK_DAYS": "3650",
        "SAKSI_EVIDENCE_LOCK_DAYS": "3650",
    }
    saksi = CommandLine(home, environ)
    clock = _Now()
    with open_site(home, clock=clock, environ=environ) as site:  # type: ignore[arg-type]
        clock.put_right()

        def sign_in(name: str) -> Browser:
            begun = Caller(site.app).get("/auth/login")
            pending = begun.headers["set-cookie"].split(";")[0]
            with keycloak.browser() as web:
                back = keycloak.sign_in(web, begun.headers["location"], name)
            come = Caller(site.app, {"Cookie": pending}).get("/auth/callback", params=query_of(back))
            if come.status_code == 403 and come.json()["code"] == "no_role":
                users_of(site).consent(name, actor="os:second", reason="x")
                return sign_in(name)
            browser = Browser(site, come)
            browser("PATCH", "/v1/session", json={"purpose": PURPOSE}).raise_for_status()
            return browser

        def verify_log() -> dict[str, Any]:
            saksi.must("log", "make")
            root = str(home / "keys" / "root.pem")
            return saksi("log", "verify", "--all", "--trust", root, "--json").json

        def seal() -> None:
            saksi.must("work", "--once", "seal")

        yield City(site, sign_in, seal, site.evidence.site.hold_sweeper().run, verify_log, environ)


@pytest.fixture
def environ(
    fresh_buckets: FreshBuckets,
    elastic_server: ElasticServer,
    fresh_index_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, str]:
    """The settings of an installation on MinIO and Elasticsearch; its credentials are in the environment."""
    found = {
        "SAKSI_INDEX_URL": elastic_server.url,
        "SAKSI_INDEX_PREFIX": fresh_index_prefix,
        **fresh_buckets.server.environment(fresh_buckets.name),
    }
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, found.pop(name))
    return found
