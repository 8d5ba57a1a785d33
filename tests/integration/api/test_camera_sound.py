"""Over HTTP: two administrators allow a camera's sound, one ends it, others see what they may of it."""

from collections.abc import Iterator
from typing import Any

import pytest

from archive.model.custody import Outcome
from archive.model.user import Role
from archive.timespan import DAY, MINUTE, format_instant
from tests.support.api_site import Site, camera_json, open_site
from tests.support.people import add_person, caller, catch_up

ONE = "/v1/cameras/loket-3"
AUDIO, APPROVE = f"{ONE}/audio", f"{ONE}/audio/approve"
WHY = "Loket pengaduan; pengumuman terpasang"
KEEP, NONE = {"audio": "keep", "reason": WHY}, {"audio": "none", "reason": "Pengumuman dilepas"}
PEOPLE = ("audio_allowed_by", "audio_proposed_by", "audio_reason", "audio_proposal")


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        assert made.call("POST", "/v1/cameras", json=camera_json("loket-3")).status_code == 201
        for name, role in (
            ("ada", Role.ADMIN),
            ("budi", Role.ADMIN),
            ("citra", Role.WAR_ROOM),
            ("dewi", Role.POLICE),
            ("indra", Role.AUDITOR),
        ):
            add_person(made, name, role)
        catch_up(made)
        yield made


def audio_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {name: value for name, value in answer.json().items() if name.startswith("audio")}


def allowed(site: Site) -> dict[str, Any]:
    audio_of(caller(site, "ada").change("PUT", AUDIO, of=ONE, json=KEEP))
    return audio_of(caller(site, "budi").change("POST", APPROVE, of=ONE, json={"reason": "setuju"}))


def test_a_second_administrator_allows_what_the_first_proposed(site: Site) -> None:
    ada, budi = caller(site, "ada"), caller(site, "budi")
    assert audio_of(ada.get(ONE)) == {"audio": "none", "audio_since": None, **dict.fromkeys(PEOPLE)}
    proposed = ada.change("PUT", AUDIO, of=ONE, json=KEEP)
    shown = audio_of(proposed)
    assert (shown["audio"], proposed.headers["ETag"]) == ("none", '"2"')
    assert (shown["audio_proposal"]["by"], shown["audio_proposal"]["reason"]) == ("user:ada", WHY)
    alone = ada.change("POST", APPROVE, of=ONE, json={})
    assert (alone.status_code, alone.json()["code"]) == (403, "same_person")
    assert audio_of(ada.get(ONE)) == shown
    made = budi("POST", APPROVE, json={}, headers={"If-Match": '"2"'})
    told = audio_of(made)
    assert told.pop("audio_since")
    assert told == {
        "audio": "keep",
        "audio_allowed_by": "user:budi",
        "audio_proposed_by": "user:ada",
        "audio_reason": WHY,
        "audio_proposal": None,
    }
    assert made.headers["ETag"] == '"3"'
    assert site.services.registry.camera("loket-3").audio


def test_one_ends_it_at_once(site: Site) -> None:
    allowed(site)
    ended = caller(site, "budi").change("PUT", AUDIO, of=ONE, json=NONE)
    assert audio_of(ended) == {"audio": "none", "audio_since": None, **dict.fromkeys(PEOPLE)}
    assert not site.services.registry.camera("loket-3").audio
    entries = list(site.services.registry.history("loket-3"))
    assert [(one.action, one.actor) for one in entries[1:]] == [
        ("camera.audio_proposed", "user:ada"),
        ("camera.audio_allowed", "user:budi"),
        ("camera.audio_ended", "user:budi"),
    ]


def test_who_sees_facts_only_sees_that_sound_is_recorded_and_not_by_whom(site: Site) -> None:
    said = allowed(site)
    facts = {"audio": "keep", "audio_since": said["audio_since"], **dict.fromkeys(PEOPLE)}
    listed = caller(site, "dewi").get("/v1/cameras").json()["cameras"]
    (one,) = [camera for camera in listed if camera["id"] == "loket-3"]
    assert {name: value for name, value in one.items() if name.startswith("audio")} == facts
    assert audio_of(caller(site, "dewi").get(ONE)) == facts
    for name in ("citra", "indra"):
        assert audio_of(caller(site, name).get(ONE)) == said


@pytest.mark.parametrize("name", ["citra", "dewi", "indra"])
def test_nobody_else_may(site: Site, name: str) -> None:
    for method, path, body in (("PUT", AUDIO, KEEP), ("PUT", AUDIO, NONE), ("POST", APPROVE, {})):
        refused = caller(site, name)(method, path, json=body, headers={"If-Match": '"1"'})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert [one.version for one in site.services.registry.history("loket-3")] == [1]


def test_each_act_and_refusal_is_on_record(site: Site) -> None:
    caller(site, "ada").change("PUT", AUDIO, of=ONE, json=KEEP)
    caller(site, "ada").change("POST", APPROVE, of=ONE, json={})
    found = [one for one in site.events("camera.change") if "loket-3" in one.objects][-2:]
    assert [(one.actor.id, one.outcome) for one in found] == [
        ("user:ada", Outcome.DONE),
        ("user:ada", Outcome.REFUSED),
    ]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"audio": "keep"}, "invalid_request"),
        ({"audio": "keep", "reason": " "}, "reason_missing"),
        ({"audio": "none", "reason": ""}, "reason_missing"),
        ({"audio": True, "reason": "x"}, "invalid_request"),
        ({"audio": "some", "reason": "x"}, "invalid_request"),
        ({"audio": "keep", "reason": "x", "by": "user:budi"}, "unknown_field"),
    ],
)
def test_what_is_asked_is_one_of_two_words_with_a_reason(site: Site, body: dict[str, Any], code: str) -> None:
    refused = caller(site, "ada").change("PUT", AUDIO, of=ONE, json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_no_other_route_switches_it_on(site: Site) -> None:
    ada = caller(site, "ada")
    for body in ({**camera_json("loket-4"), "audio": "keep"}, {**camera_json("loket-5"), "audio": True}):
        assert ada("POST", "/v1/cameras", json=body).status_code == 422
    assert ada.change("PATCH", ONE, of=ONE, json={"audio": "keep"}).status_code == 422
    table = b"id,name,audio,audio_allowed_by\nloket-3,Loket,keep,user:budi\n"
    told = ada(
        "POST", "/v1/cameras/import", content=table, headers={"Content-Type": "text/csv"},
        params={"update": "true"},
    ).json()  # fmt: skip
    assert (sorted(told["ignored"]), told["refused"]) == (["audio", "audio_allowed_by"], [])
    assert [one["id"] for one in told["changed"]] == ["loket-3"]
    assert audio_of(ada.get(ONE))["audio"] == "none"


def test_another_device_or_place_ends_it_and_an_import_says_so(site: Site) -> None:
    allowed(site)
    ada = caller(site, "ada")
    table = b"id,source\nloket-3,rtsp://192.0.2.99/1\n"
    asked = {"update": "true", "dry_run": "true"}
    csv = {"Content-Type": "text/csv"}
    told = ada("POST", "/v1/cameras/import", content=table, headers=csv, params=asked).json()
    assert [one["code"] for one in told["remarks"]] == ["sound_ends"]
    assert audio_of(ada.get(ONE))["audio"] == "keep"
    edited = ada.change("PATCH", ONE, of=ONE, json={"source": "rtsp://viewer:x@192.0.2.99/1"})
    assert audio_of(edited)["audio"] == "none"


def test_a_token_made_over_http_may_not_list_it(site: Site) -> None:
    until = format_instant(site.services.clock.now() + DAY)
    body = {"name": "alat", "actions": ["cameras.audio"], "expires_at": until, "reason": "x"}
    refused = caller(site, "ada")("POST", "/v1/tokens", json=body)
    assert refused.status_code in (403, 422)
    assert "cameras.audio" in refused.text


def test_the_history_says_what_was_allowed_then(site: Site) -> None:
    registry = site.services.registry
    before = registry.camera("loket-3").registered_at
    site.clock.advance(MINUTE)
    allowed(site)
    site.clock.advance(MINUTE)
    citra = caller(site, "citra")
    now = site.services.clock.now()
    window = {"from": format_instant(before), "to": format_instant(now), "camera": "loket-3"}
    answer = citra.get("/v1/war-room/history", params=window)
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["cameras"]
    assert [facts["audio"] for facts in one["facts"]][-1] == "keep"
    assert one["facts"][0]["audio"] == "none"
