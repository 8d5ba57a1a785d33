"""A caller that sends too many requests must wait, is recorded once, and does not block others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.limits.buckets import MAX_KEYS
from api.limits.peers import TrustedProxies
from api.limits.rates import Kind, Rates
from api.limits.refusals import MAX_ADDRESSES
from archive.model.custody import Outcome
from archive.model.user import Role
from archive.timespan import MINUTE, SECOND
from tests.support.api_site import CAMERA, Caller, Site, open_site, span
from tests.support.people import OURS, add_person, catch_up, cookie_of

RATES = Rates(address=600, sign_in=8, stranger=6, search=10, media=4, write=6)
PLAYLIST = f"/v1/cameras/{CAMERA}/playlist.m3u8"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, variant=None) as made:
        settings = replace(made.services.settings, rates=RATES, proxies=TrustedProxies(["192.0.2.99"]))
        made.services = replace(made.services, settings=settings)
        made.app = made.remade()
        yield made


def told(site: Site) -> list[Any]:
    """The events that the sweep records about callers over the limit."""
    site.app.state.throttle.refusals.write_if_due()
    return [event for event in site.events("access") if event.details.get("code") == "rate_limited"]


def from_address(app: FastAPI, address: str, **headers: str) -> Caller:
    return Caller(app, {"X-Forwarded-For": address, **headers})


def test_the_answer_says_when_and_how_fast(site: Site) -> None:
    for _ in range(5):
        assert site.call.get("/v1/cameras").status_code == 200
    answer = site.call.get("/v1/cameras")
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "6"
    assert answer.headers["ratelimit"] == '"search";r=0;t=6'
    assert answer.headers["ratelimit-policy"] == '"search";q=5;w=30'
    assert answer.headers["cache-control"] == "no-store"
    site.clock.advance(6 * SECOND)
    assert site.call.get("/v1/cameras").status_code == 200


def test_kinds_are_counted_apart(site: Site) -> None:
    for _ in range(6):
        site.call.get("/v1/cameras")
    assert site.call.get(PLAYLIST).status_code == 422
    assert site.call("POST", "/v1/cameras", json={}).status_code == 422
    for _ in range(2):
        site.call.get(PLAYLIST)
    assert site.call.get(PLAYLIST).status_code == 429
    for _ in range(3):
        site.call("POST", "/v1/cameras", json={})
    assert site.call("POST", "/v1/cameras", json={}).status_code == 429


def test_one_person_is_one_person_in_every_session_and_no_other(site: Site) -> None:
    for name in ("citra", "budi"):
        add_person(site, name, Role.WAR_ROOM)
    catch_up(site)
    for _ in range(5):
        fresh = Caller(site.app, {"Cookie": cookie_of(site, "citra"), **OURS})
        assert fresh.get("/v1/cameras").status_code == 200
    again = from_address(site.app, "203.0.113.9", Cookie=cookie_of(site, "citra"))
    assert again.get("/v1/cameras").status_code == 429
    assert Caller(site.app, {"Cookie": cookie_of(site, "budi")}).get("/v1/cameras").status_code == 200


def test_a_flood_is_one_event_a_minute_for_each_who_floods(site: Site) -> None:
    add_person(site, "citra", Role.WAR_ROOM)
    catch_up(site)
    citra = Caller(site.app, {"Cookie": cookie_of(site, "citra")})
    for _ in range(40):
        site.call.get("/v1/cameras")
    for _ in range(8):
        citra.get("/v1/cameras")
    found = {event.actor.id: event for event in told(site)}
    assert set(found) == {"token:first", "user:citra"}
    assert (found["token:first"].details["refused"], found["token:first"].outcome) == (35, Outcome.REFUSED)
    assert found["user:citra"].details["limits"] == "search=3"
    assert (found["user:citra"].actor.role, found["user:citra"].actor.address) == ("war_room", "192.0.2.99")
    for _ in range(40):
        site.call.get("/v1/cameras")
    assert len(told(site)) == 2, "the minute is not over"
    site.clock.advance(MINUTE)
    assert len(told(site)) == 3


def test_the_figures_count_each_refusal(site: Site) -> None:
    for _ in range(9):
        site.call.get("/v1/cameras")
    site.clock.advance(MINUTE)
    assert 'saksi_rate_limited_total{limit="search"} 4.0' in site.call.get("/metrics").text


def test_a_guesser_of_tokens_is_slowed_down_and_the_neighbours_are_not(site: Site) -> None:
    guesser = from_address(site.app, "203.0.113.9", Authorization="Bearer guess")
    assert [guesser.get("/v1/cameras").status_code for _ in range(5)] == [401, 401, 401, 429, 429]
    neighbour = from_address(site.app, "203.0.113.9", **site.headers)
    assert neighbour.get("/v1/cameras").status_code == 200
    elsewhere = from_address(site.app, "203.0.113.10", Authorization="Bearer guess")
    assert elsewhere.get("/v1/cameras").status_code == 401
    same_subscriber = [
        from_address(site.app, f"2001:db8:0:7::{n:x}").get("/v1/cameras").status_code for n in range(4)
    ]
    assert same_subscriber == [401, 401, 401, 429]


def test_sign_ins_are_bounded_by_address(site: Site) -> None:
    add_person(site, "citra", Role.WAR_ROOM)
    body = {"name": "nobody", "password": "wrong-password-1"}
    call = from_address(site.app, "203.0.113.9")
    found = [call("POST", "/auth/local", json=body).status_code for _ in range(6)]
    assert found == [401, 401, 401, 429, 429, 429]
    (event,) = told(site)
    assert event.actor.id == "unknown"
    assert event.details["addresses"] == "203.0.113.9=3"


def test_a_claim_to_come_from_elsewhere_is_believed_of_the_proxy_alone(site: Site) -> None:
    """A claim from elsewhere neither raises the limit nor changes the recorded address."""
    direct = site.remade(settings=replace(site.services.settings, proxies=TrustedProxies(["10.0.0.5"])))
    call = Caller(direct)
    found = [
        call.get("/v1/cameras", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(5)
    ]
    assert found == [401, 401, 401, 429, 429]
    through = Caller(site.app)
    claims = [
        through.get("/v1/cameras", headers={"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.9"}).status_code
        for n in range(5)
    ]
    assert claims == [401, 401, 401, 429, 429]
    counted = " ".join(str(event.details["addresses"]) for event in site.events("sign_in"))
    assert "198.51.100" not in counted


def test_the_record_names_the_client_behind_the_proxy(site: Site) -> None:
    call = from_address(site.app, "1.2.3.4, 203.0.113.9", **site.headers)
    assert call.get("/v1/recordings", params=span(0, 30, camera=CAMERA)).status_code == 200
    addresses = {event.actor.address for event in site.events() if event.actor.id == "token:first"}
    assert addresses == {"203.0.113.9"}


def test_a_hundred_thousand_addresses_are_a_fixed_number_of_buckets_and_one_event(site: Site) -> None:
    """The clock stands still, so no bucket refills."""
    throttle = site.app.state.throttle
    for number in range(100_000):
        address = f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}"
        for _ in range(4):
            throttle.of_address(address, Kind.STRANGER)
    assert all(len(buckets) <= MAX_KEYS for buckets in throttle.buckets.values())
    (event,) = told(site)
    assert event.details["refused"] == 100_000
    assert len(str(event.details["addresses"]).split()) <= MAX_ADDRESSES + 1


def test_health_is_answered_whoever_was_refused(site: Site) -> None:
    for _ in range(6):
        Caller(site.app).get("/v1/cameras")
    assert Caller(site.app).get("/healthz").status_code == 200


def test_a_refusal_for_its_number_has_no_effect_and_uses_no_key_up(site: Site) -> None:
    key = {"Idempotency-Key": "6f1d6d0e-7a0c-4f0e-8e3c-1c7b0f6b2a11"}

    def disable() -> httpx.Response:
        return site.call("POST", f"/v1/cameras/{CAMERA}/disable", json={"reason": "wall"}, headers=key)

    for _ in range(3):
        site.call("POST", "/v1/cameras", json={})
    assert disable().status_code == 429
    site.clock.advance(MINUTE)
    answer = disable()
    assert answer.status_code != 429
    assert "idempotency-replayed" not in answer.headers
