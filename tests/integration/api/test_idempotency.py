"""A change sent twice under one Idempotency-Key happens at most once and gets the same answer."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.idempotency import Answers
from archive.model.user import Role
from archive.timespan import DAY, MINUTE
from tests.support.api_site import CAMERA, Caller, FailingPuts, Site, camera_json, instant, open_site
from tests.support.people import add_person, caller, catch_up

HOLDS = "/v1/holds"
KEY = {"Idempotency-Key": "6f1d6d0e-7a0c-4f0e-8e3c-1c7b0f6b2a11"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path, variant=None) as made:
        for name in ("citra", "budi"):
            add_person(made, name, Role.WAR_ROOM)
        catch_up(made)
        yield made


def hold(
    site: Site, call: Caller | None = None, more: dict[str, str] | None = None, **changes: Any
) -> httpx.Response:
    return (call or site.call)("POST", HOLDS, **what(more, **changes))


def what(more: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """The body and the header fields of a hold."""
    body = {
        "cameras": [CAMERA], "from": instant(0), "to": instant(60), "case": "LP/B/1", "owner": "Reskrim",
        "basis": "LP/B/1", "review_at": instant(30 * 86_400), **changes,
    }  # fmt: skip
    return {"json": body, "headers": {**KEY, **(more or {})}}


def count(site: Site) -> int:
    return len(site.call.get(HOLDS).json()["holds"])


def test_the_same_change_has_one_effect_and_the_same_answer(site: Site) -> None:
    first, second = hold(site), hold(site)
    assert (first.status_code, second.status_code) == (201, 201), first.text
    assert first.content == second.content
    assert "idempotency-replayed" not in first.headers
    replayed = dict(second.headers)
    assert replayed.pop("idempotency-replayed") == "true"
    assert replayed == dict(first.headers)
    assert count(site) == 1


def test_another_process_gives_the_same_answer(site: Site) -> None:
    first = hold(site)
    second = hold(site, Caller(site.remade(), site.headers))
    assert (second.content, second.headers["idempotency-replayed"]) == (first.content, "true")
    assert count(site) == 1


def test_many_at_once_have_one_effect(site: Site) -> None:
    apps = [Caller(site.remade(), site.headers) for _ in range(3)]

    async def hold_all() -> list[httpx.Response]:
        return await asyncio.gather(*(apps[n % 3].send("POST", HOLDS, **what()) for n in range(18)))

    found = asyncio.run(hold_all())
    assert {answer.status_code for answer in found} <= {201, 409}
    unfinished = {answer.json()["code"] for answer in found if answer.status_code == 409}
    assert unfinished <= {"idempotency_unfinished"}
    assert len({answer.content for answer in found if answer.status_code == 201}) == 1
    assert count(site) == 1


def test_a_refusal_is_answered_again_too(site: Site) -> None:
    first = hold(site, cameras=["nobody"])
    second = hold(site, cameras=["nobody"])
    assert (first.status_code, second.status_code) == (404, 404)
    assert (first.content, second.headers["idempotency-replayed"]) == (second.content, "true")
    assert second.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("changed", ["body", "path", "query", "If-Match", "If-None-Match"])
def test_a_key_stands_for_one_request_alone(site: Site, changed: str) -> None:
    hold(site)
    if changed == "body":
        answer = hold(site, case="LP/B/2")
    elif changed.startswith("If-"):
        answer = hold(site, more={changed: "*"})
    elif changed == "path":
        answer = site.call("POST", "/v1/cameras", json=camera_json("cam-7"), headers=KEY)
    else:
        answer = site.call("POST", f"{HOLDS}?purpose=shift", json={}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert count(site) == 1


def test_nobody_meets_the_key_of_another(site: Site) -> None:
    answers = [hold(site, caller(site, name)) for name in ("citra", "budi")]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert "idempotency-replayed" not in answers[1].headers
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_a_process_that_died_in_between_leaves_no_second_effect(site: Site) -> None:
    store = FailingPuts(site.services.stores.cache._root, site.clock)  # type: ignore[attr-defined]
    app = site.remade(stores=type(site.services.stores)(
        footage=site.services.stores.footage, records=site.services.stores.records, cache=store
    ))  # fmt: skip
    put = store.put

    def once(*given: Any, **named: Any) -> Any:
        found = put(*given, **named)
        store.failing = True
        return found

    store.put = once  # type: ignore[method-assign]
    assert hold(site, Caller(app, site.headers)).status_code == 201
    for _ in range(2):
        again = hold(site)
        assert (again.status_code, again.json()["code"]) == (409, "idempotency_unfinished")
    assert count(site) == 1


def test_without_the_store_nothing_is_begun(site: Site) -> None:
    store = FailingPuts(site.services.stores.cache._root, site.clock)  # type: ignore[attr-defined]
    store.failing = True
    app = site.remade(stores=type(site.services.stores)(
        footage=site.services.stores.footage, records=site.services.stores.records, cache=store
    ))  # fmt: skip
    assert hold(site, Caller(app, site.headers)).status_code == 503
    assert count(site) == 0


@pytest.mark.parametrize("key", ["", "x" * 201, "two words", "caf\u00e9"])
def test_a_key_that_does_not_read_is_refused(site: Site, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = site.call("POST", HOLDS, content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_idempotency_key")


def test_a_body_too_large_is_refused_with_a_key_too(site: Site) -> None:
    async def pieces() -> Any:
        for _ in range(6):
            yield b"x" * 65536

    answer = site.call("POST", HOLDS, content=pieces(), headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_keys_are_forgotten_after_a_week(site: Site) -> None:
    hold(site)
    answers = Answers(site.services.stores.cache, site.clock)
    site.clock.advance(6 * DAY)
    answers.tidy_if_due()
    assert len(list(site.services.stores.cache.list("answers/"))) == 2
    site.clock.advance(DAY + MINUTE)
    answers.tidy_if_due()
    assert list(site.services.stores.cache.list("answers/")) == []
