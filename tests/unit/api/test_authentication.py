import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.auth.authentication import OPEN
from api.auth.principal import Principal
from api.routing import action_of
from api.web.files import ASSETS
from archive.model.custody import Outcome
from tests.support.api_site import Caller, Site, open_site

NAMES = {
    "camera": "cam-1",
    "evidence_id": "EVD-2026-0123456789",
    "run": "6b05180000000001",
    "seq": "0",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        yield made


def guarded(app: FastAPI) -> list[tuple[str, str, str]]:
    """Method, path and action of every route."""
    found = []
    for route in app.routes:
        assert isinstance(route, APIRoute), f"{route} is not one of ours"
        path = re.sub(r"{(\w+)}", lambda name: NAMES.get(name[1], "any-1"), route.path)
        found += [(method, path, action_of(route) or "") for method in sorted(route.methods)]
    return found


def test_every_route_declares_what_it_does(site: Site) -> None:
    undeclared = {path for _, path, action in guarded(site.app) if not action}
    assert undeclared == OPEN | {f"{ASSETS}/any-1/any-1"}
    assert len(guarded(site.app)) > 30


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer saksi_wrong"}, {"Authorization": "Basic eDp5"}]
)
def test_nothing_is_open_without_a_token(site: Site, headers: dict[str, str]) -> None:
    stranger = Caller(site.app, headers)
    for method, path, action in guarded(site.app):
        response = stranger(method, path)
        assert (response.status_code == 401) is bool(action), (method, path)
        if action:
            assert response.headers["www-authenticate"].startswith("Bearer")
            assert response.headers["content-type"] == "application/problem+json"


def test_a_stranger_learns_no_addresses(site: Site) -> None:
    stranger = Caller(site.app)
    for path in (
        "/",
        "/docs",
        "/redoc",
        "/v1",
        "/v1/nothing",
        "/healthz/",
        "//healthz",
        "/metrics",
        "/openapi.json",
    ):
        assert stranger.get(path).status_code == 401, path
    assert stranger("POST", "/v1/cameras", content=b"{" * 1_000_000).status_code == 401


def test_two_tokens_at_once_are_none(site: Site) -> None:
    both = [("Authorization", f"Bearer {site.token}"), ("Authorization", "Bearer x")]
    assert Caller(site.app).get("/v1/cameras", headers=both).status_code == 401
    lower = {"authorization": f"bearer  {site.token} "}
    assert Caller(site.app).get("/v1/cameras", headers=lower).status_code == 200


def test_a_token_in_the_address_is_none(site: Site) -> None:
    assert Caller(site.app).get("/v1/cameras", params={"access_token": site.token}).status_code == 401


@dataclass(frozen=True)
class Limited:
    """Admits every caller as one person with some rights."""

    actions: frozenset[str]

    def principal_of(self, token: str) -> Principal | None:
        return Principal("token:limited", self.actions)


def test_an_action_that_is_not_theirs_is_refused_and_on_record(site: Site) -> None:
    app = site.remade(tokens=Limited(frozenset()))
    caller = Caller(app, {"Authorization": "Bearer x"})
    before = len(site.events("access"))
    refused = 0
    for method, path, action in guarded(app):
        if action:
            response = caller(method, path, json={} if method in {"POST", "PATCH"} else None)
            assert response.status_code == 403, (method, path)
            refused += 1
    events = site.events("access")[before:]
    assert len(events) == refused
    assert {event.outcome for event in events} == {Outcome.REFUSED}
    assert events[0].actor.id == "token:limited"
    assert events[0].actor.address == "192.0.2.99"


def test_an_action_that_is_theirs_is_done(site: Site) -> None:
    app = site.remade(tokens=Limited(frozenset({"cameras.read"})))
    caller = Caller(app, {"Authorization": "Bearer x"})
    assert caller.get("/v1/cameras").status_code == 200
    assert caller.get("/v1/evidence").status_code == 403


def test_unreadable_tokens_let_nobody_in_and_readyz_says_no(site: Site, tmp_path: Path) -> None:
    from api.auth.tokens import TokenFile

    app = site.remade(tokens=TokenFile(tmp_path / "none.json"))
    caller = Caller(app, site.headers)
    answer = caller.get("/v1/cameras")
    assert (answer.status_code, answer.json()["code"]) == (503, "tokens_unreadable")
    assert str(tmp_path) not in answer.text
    ready = caller.get("/readyz")
    assert ready.status_code == 503
    assert ready.json() == {"status": "not_ready"}  # who cannot be recognised is a stranger
    assert caller.get("/healthz").status_code == 200


def test_every_answer_has_the_security_headers(site: Site) -> None:
    for answer in (
        site.call.get("/healthz"),
        site.call.get("/v1/cameras"),
        site.call.get("/v1/nothing"),
        site.call("PUT", "/v1/cameras"),
        Caller(site.app).get("/v1/cameras"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "server" not in answer.headers


def test_what_the_framework_refuses_is_a_problem_too(site: Site) -> None:
    def code(method: str, path: str, **more: Any) -> tuple[int, str]:
        answer = site.call(method, path, **more)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code, answer.json()["code"]

    assert code("GET", "/v1/nothing") == (404, "no_such_path")
    assert code("GET", "/v1/cameras/") == (404, "no_such_path")
    assert code("PUT", "/v1/cameras") == (405, "method_not_allowed")
    assert site.call("PUT", "/v1/cameras").headers["allow"] == "GET, HEAD, POST"
    assert code("POST", "/v1/cameras", content=b"x" * 300_000) == (413, "body_too_large")
    assert code("POST", "/v1/cameras", content=b"{", headers={"Content-Type": "application/json"}) == (
        422,
        "invalid_request",
    )
    assert code("GET", "/healthz", params={"x": "1"}) == (422, "unknown_parameter")
    assert code("GET", "/v1/cameras", params={"kecamatam": "73.71.01"}) == (422, "unknown_parameter")
    assert code("GET", "/v1/cameras", params=[("near", "1,2"), ("near", "3,4")]) == (
        422,
        "repeated_parameter",
    )


def test_an_unforeseen_failure_is_an_incident(site: Site) -> None:
    class Broken:
        def documents_mark(self, kind: str) -> str:
            raise RuntimeError("secret of the inside")

        def high_water(self, camera: str) -> int | None:
            return None

    answer = Caller(site.remade(index=Broken()), site.headers).get("/v1/cameras")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_figures_name_no_ids_but_those_of_a_bounded_number_of_cameras(site: Site) -> None:
    site.call.get("/v1/cameras/cam-1")
    text = site.call.get("/metrics").text
    assert 'route="/v1/cameras/{camera}"' in text
    named = [line for line in text.splitlines() if "cam-1" in line]
    assert {line.partition(" ")[0] for line in named} == {
        'saksi_camera_recording{camera="cam-1"}', 'saksi_camera_damaged_packets{camera="cam-1"}',
    }  # fmt: skip
    assert site.token not in text
