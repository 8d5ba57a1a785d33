"""Every route × role × own or other district × valid, no or expired grant matches the table exactly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from api.auth.permissions import PERMISSIONS, Reach
from api.routing import action_of
from api.web.navigation import SHELLS
from archive.model.custody import Outcome
from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import DAY, HOUR, SECOND, Timespan
from tests.support.api_site import (
    ASKED,
    CAMERA,
    T0,
    Caller,
    Site,
    camera_json,
    instant,
    open_site,
    span,
)
from tests.support.people import add_person, caller, catch_up, grant, people

OWN, OTHER = "73.71.01", "73.71.02"
ELSEWHERE = "cam-9"
MISSING = "cam-0"
GRANTED = Timespan(T0, T0 + 25 * SECOND)
PAGES = frozenset(shell.path for shell in SHELLS)
"""They have words alone; what they show they ask of the other routes."""
FOOTAGE = (
    "clip.mp4", "clip", "frame.jpg", "frame.png", "master.m3u8", "playlist.m3u8", "keyframes.m3u8",
    "init.mp4", "media.m4s", "keyframes.m4s", "copy.ts", "activity", "sprites",
)  # fmt: skip


@dataclass(frozen=True)
class Who:
    """One column of the matrix."""

    name: str
    role: Role
    district: str = ""
    grant: str = ""


EVERYBODY = [
    Who("kominfo", Role.ADMIN),
    Who("citra", Role.WAR_ROOM),
    Who("erna", Role.KECAMATAN, OWN),
    Who("farid", Role.KECAMATAN, OTHER),
    Who("gani", Role.KECAMATAN),
    *[
        Who(f"{role.value.replace('_', '-')}{suffix}", role, grant=suffix)
        for role in (Role.POLICE, Role.SATPOL_PP)
        for suffix in ("", "-view", "-download", "-both", "-expired", "-revoked", "-elsewhere")
    ],
    Who("indra", Role.AUDITOR),
]
IDS = [who.name for who in EVERYBODY]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        made.call("POST", "/v1/cameras", json=camera_json(ELSEWHERE)).raise_for_status()
        for who in EVERYBODY:
            add_person(made, who.name, who.role, districts=[who.district] if who.district else [])
            give(made, who)
        made.clock.advance(HOUR + SECOND)
        catch_up(made)
        yield made


def give(site: Site, who: Who) -> None:
    rights = {
        "-view": (Right.VIEW,),
        "-download": (Right.DOWNLOAD,),
        "-both": (Right.VIEW, Right.DOWNLOAD),
    }.get(who.grant, (Right.VIEW, Right.DOWNLOAD))
    if not who.grant:
        return
    camera = ELSEWHERE if who.grant == "-elsewhere" else CAMERA
    until = site.clock.now() + (HOUR if who.grant == "-expired" else DAY)
    given = grant(site, who.name, [camera], GRANTED, *rights, until=until)
    if who.grant == "-revoked":
        from archive.cases.people.grants import Grants

        Grants(site.services.ledger, site.clock).revoke(given.id, actor="user:citra", reason="error")


@pytest.fixture(scope="module")
def package(site: Site) -> str:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1"}
    evidence_id: str = site.call("POST", "/v1/evidence", json=body).json()["evidence_id"]
    assert site.evidence.run_open_requests() == 1
    return evidence_id


def footage_routes(site: Site, camera: str) -> list[tuple[str, str, dict[str, str]]]:
    """Path, action and query of every route that shows or gives footage of one camera."""
    ref = site.first[1]
    piece = f"/v1/cameras/{camera}/segments/{ref.run}/{ref.seq}"
    base = f"/v1/cameras/{camera}"
    return [
        (f"{base}/clip.mp4", "clips.download", ASKED),
        (f"{base}/clip", "clips.read", ASKED),
        (f"{base}/frame.jpg", "footage.play", {"at": instant(5)}),
        (f"{base}/frame.png", "footage.play", {"at": instant(5)}),
        *[(f"{base}/{name}.m3u8", "footage.play", ASKED) for name in ("master", "playlist", "keyframes")],
        (f"{base}/activity", "footage.play", ASKED),
        (f"{base}/sprites", "footage.play", ASKED),
        (f"{piece}/init.mp4", "footage.play", {}),
        (f"{piece}/media.m4s", "footage.play", {}),
        (f"{piece}/copy.ts", "footage.play", {}),
        (f"{piece}/keyframes.m4s", "footage.play", {}),
    ]


def test_the_footage_routes_above_are_all_there_are(site: Site) -> None:
    ours = {path.rsplit("/", 1)[1] for path, _, _ in footage_routes(site, CAMERA)}
    found = {
        route.path.rsplit("/", 1)[1]
        for route in site.app.routes
        if isinstance(route, APIRoute)
        and action_of(route) in {"footage.play", "clips.read", "clips.download"}
        # These show no footage, ten minutes, or several cameras at once: they have tests of their own.
        and route.path != "/v1/war-room/history"
        and route.path != "/v1/cameras/{camera}/sprites/{part}/sheet.jpg"
        and route.path not in {"/v1/clips.zip", "/v1/cameras/{camera}/contact-sheet.jpg"}
        and not route.path.startswith("/v1/exports")
        and route.path not in PAGES
    }
    assert found == ours == set(FOOTAGE)


def expected(who: Who, action: str) -> tuple[int, str]:
    """The table's answer for footage of a camera in the first district."""
    reach = PERMISSIONS[action].get(who.role)
    if reach is None:
        return 403, "not_permitted"
    if reach is Reach.ALL:
        return 200, ""
    if reach is Reach.OWN:
        return (200, "") if who.district == OWN else (404, "camera_not_found")
    assert reach is Reach.GRANTED
    needed = "view" if action != "clips.download" else "download"
    return (200, "") if who.grant in {f"-{needed}", "-both"} else (403, "not_granted")


@pytest.mark.parametrize("who", EVERYBODY, ids=IDS)
def test_footage_is_shown_and_given_as_the_table_says(site: Site, who: Who) -> None:
    call = caller(site, who.name)
    for path, action, query in footage_routes(site, CAMERA):
        status, code = expected(who, action)
        for method in ("GET", "HEAD"):
            answer = call(method, path, params=query)
            assert answer.status_code == status, (method, path, answer.text)
        if code:
            seen = call.get(path, params=query)
            assert seen.json()["code"] == code
            assert_tells_nothing(site, seen)


@pytest.mark.parametrize("who", EVERYBODY, ids=IDS)
def test_no_range_and_no_condition_opens_what_is_closed(site: Site, who: Who) -> None:
    call = caller(site, who.name)
    ref = site.first[1]
    etags = {
        path: site.call.get(path, params=query).headers.get("etag", "")
        for path, _, query in footage_routes(site, CAMERA)
    }
    for path, action, query in footage_routes(site, CAMERA):
        status, _ = expected(who, action)
        if status == 200:
            continue
        for headers in (
            {"Range": "bytes=0-0"},
            {"Range": "bytes=100-", "If-Range": etags[path]},
            {"If-None-Match": etags[path] or "*"},
            {"If-None-Match": "*"},
            {"If-Match": f'"{ref.sha256}"'},
            {"If-Match": '"no"'},
            {"Range": "bytes=99999999999-"},
        ):
            answer = call.get(path, params=query, headers=headers)
            assert answer.status_code == status, (path, headers)
            assert_tells_nothing(site, answer)


def assert_tells_nothing(site: Site, answer: httpx.Response) -> None:
    """A refusal reveals no byte, hash, tag or length of the footage."""
    assert answer.headers["content-type"] == "application/problem+json"
    for name in ("etag", "content-range", "saksi-frame-at", "saksi-gaps", "accept-ranges"):
        assert name not in answer.headers
    for ref in site.first + site.second:
        assert ref.sha256 not in answer.text
        assert ref.run not in answer.json()["detail"]


@pytest.mark.parametrize("name", ["farid", "gani"])
def test_a_camera_of_another_district_answers_as_one_that_does_not_exist(site: Site, name: str) -> None:
    call = caller(site, name)

    def asked(camera: str) -> list[tuple[int, Any]]:
        ids = [
            (path, query)
            for path, action, query in footage_routes(site, camera)
            if action != "clips.download"
        ]
        ids += [(f"/v1/cameras/{camera}", {})]
        ids += [(path, {**ASKED, "camera": camera}) for path in ("/v1/recordings", "/v1/segments")]
        found = [call.get(path, params=query) for path, query in ids]
        return [(one.status_code, one.text.replace(camera, "X"), keys(one)) for one in found]

    def keys(answer: httpx.Response) -> set[str]:
        return set(answer.headers)

    other, missing = asked(CAMERA), asked(MISSING)
    assert other == missing
    assert {status for status, *_ in other} == {404}


def test_an_operator_finds_their_own_district_and_no_other(site: Site) -> None:
    def cameras(name: str, **query: str) -> set[str]:
        answer = caller(site, name).get("/v1/cameras", params=query).json()
        return {camera["id"] for camera in answer["cameras"]}

    assert cameras("erna") == {CAMERA, "cam-2"}
    assert cameras("farid") == {ELSEWHERE}
    assert cameras("gani") == set()
    assert cameras("farid", kecamatan=OWN) == set()
    assert cameras("kominfo") == {CAMERA, "cam-2", ELSEWHERE}

    def segments(name: str, **query: str) -> int:
        answer = caller(site, name).get("/v1/segments", params={**span(0, 300), **query})
        return len(answer.json()["segments"])

    whole = len(site.first) + len(site.second)
    assert segments("erna") == whole
    assert segments("farid") == segments("gani") == segments("farid", kecamatan=OWN) == 0
    assert segments("citra") == whole

    def coverage(name: str, **query: str) -> set[str]:
        answer = caller(site, name).get("/v1/recordings", params={**span(0, 300), **query}).json()
        return {one["camera"] for part in answer.values() for one in part}

    assert CAMERA in coverage("erna")
    assert coverage("farid") <= {ELSEWHERE}
    assert coverage("gani") == coverage("farid", kecamatan=OWN) == set()


@pytest.mark.parametrize("name", ["police", "satpol-pp"])
def test_the_police_see_facts_of_every_camera_and_no_device(site: Site, name: str) -> None:
    call = caller(site, name)
    found = call.get("/v1/cameras").json()["cameras"]
    assert {camera["id"] for camera in found} == {CAMERA, "cam-2", ELSEWHERE}
    assert {camera["source"] for camera in found} == {""}
    assert call.get(f"/v1/cameras/{CAMERA}").json()["source"] == ""
    assert call.get("/v1/recordings", params=span(0, 300)).json()["coverage"]
    assert "192.0.2" not in call.get("/v1/cameras").text


def test_a_grant_opens_its_span_and_not_a_frame_more(site: Site) -> None:
    call = caller(site, "police-view")
    base = f"/v1/cameras/{CAMERA}"
    inside, across = span(3, 14), span(3, 26)
    assert call.get(f"{base}/clip", params=inside).status_code == 200
    for path in ("clip", "playlist.m3u8"):
        assert call.get(f"{base}/{path}", params=across).status_code == 403
        assert call.get(f"{base}/{path}", params=span(-2, 14)).status_code == 403
    assert call.get(f"{base}/frame.jpg", params={"at": instant(24.9)}).status_code == 200
    assert call.get(f"{base}/frame.jpg", params={"at": instant(25)}).status_code == 403
    for ref in site.first + site.second:
        piece = f"{base}/segments/{ref.run}/{ref.seq}/media.m4s"
        whole = GRANTED.start <= ref.span.start and ref.span.end <= GRANTED.end
        assert call.get(piece).status_code == (200 if whole else 403), ref.span
    listed = re.findall(
        r"segments/(\w+)/(\d+)/media", call.get(f"{base}/playlist.m3u8", params=span(0, 25)).text
    )
    assert listed
    for run, seq in listed:
        assert call.get(f"{base}/segments/{run}/{seq}/media.m4s").status_code == 200


def test_a_keyframe_before_the_grant_is_not_shown(site: Site) -> None:
    first = site.first[0]
    inside = Timespan(first.span.start + SECOND // 2, first.span.start + 2 * SECOND)
    add_person(site, "tepat", Role.POLICE)
    grant(site, "tepat", [CAMERA], inside, Right.VIEW)
    at = {"at": instant(0.6)}
    shown = site.call.get(f"/v1/cameras/{CAMERA}/frame.jpg", params=at)
    assert shown.headers["saksi-frame-at"] < instant(0.5)
    answer = caller(site, "tepat").get(f"/v1/cameras/{CAMERA}/frame.jpg", params=at)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_granted")


def test_an_agency_shares_its_grants(site: Site) -> None:
    add_person(site, "polres-1", Role.POLICE, agency="polrestabes")
    add_person(site, "polres-2", Role.POLICE, agency="polda")
    grant(site, "", [CAMERA], GRANTED, Right.VIEW, agency="polrestabes")
    path = f"/v1/cameras/{CAMERA}/clip"
    assert caller(site, "polres-1").get(path, params=span(3, 14)).status_code == 200
    assert caller(site, "polres-2").get(path, params=span(3, 14)).status_code == 403
    assert caller(site, "police").get(path, params=span(3, 14)).status_code == 403


@pytest.mark.parametrize("who", EVERYBODY, ids=IDS)
def test_packages_are_listed_shown_and_given_as_the_table_says(site: Site, package: str, who: Who) -> None:
    call = caller(site, who.name)
    one = f"/v1/evidence/{package}"
    downloads = who.grant in {"-download", "-both"}
    sees = who.role in {Role.WAR_ROOM, Role.AUDITOR} or downloads
    assert call.get(one).status_code == (200 if sees else 404)
    listed = {found["evidence_id"] for found in call.get("/v1/evidence").json()["evidence"]}
    assert listed == ({package} if sees else set())
    if not sees:
        missing = "EVD-2026-0123456789"
        assert call.get(one).text.replace(package, "X") == call.get(f"/v1/evidence/{missing}").text.replace(
            missing, "X"
        )
        cursor = call.get("/v1/evidence", params={"cursor": package})
        assert cursor.json() == call.get("/v1/evidence", params={"cursor": missing}).json()
    verified = call("POST", f"{one}/verify").status_code
    assert verified == (200 if who.role is Role.AUDITOR or downloads else 404)
    fetched = call.get(f"{one}/package.zip", headers={"Range": "bytes=0-9"})
    if who.role is Role.WAR_ROOM or downloads:
        assert fetched.status_code == 206
    elif who.role in {Role.POLICE, Role.SATPOL_PP}:
        assert (fetched.status_code, fetched.json()["code"]) == (404, "evidence_not_found")
    else:
        assert (fetched.status_code, fetched.json()["code"]) == (403, "not_permitted")


@pytest.mark.parametrize("who", EVERYBODY, ids=IDS)
def test_whoever_the_table_leaves_out_is_refused_everywhere(site: Site, who: Who) -> None:
    call = caller(site, who.name)
    refused = 0
    for route in site.app.routes:
        assert isinstance(route, APIRoute)
        action = action_of(route)
        if action is None or PERMISSIONS[action].get(who.role) is not None:
            continue
        path = re.sub(r"{(\w+)}", "any-1", route.path)
        for method in sorted(route.methods):
            body = {} if method in {"POST", "PATCH", "PUT"} else None
            assert call(method, path, json=body).status_code in {403, 422}, (method, path)
            answer = call(method, path, json=body)
            if answer.status_code == 422:
                assert answer.json()["code"] == "bad_id"  # no route has this address
            else:
                refused += 1
    assert refused > 0


def test_every_action_of_a_route_stands_in_the_table(site: Site) -> None:
    actions = {action_of(route) for route in site.app.routes if isinstance(route, APIRoute)} - {None}
    assert actions <= set(PERMISSIONS)


def test_a_person_needs_a_purpose_to_look_and_to_take(site: Site) -> None:
    call = caller(site, "citra", purpose="")
    for path, action, query in footage_routes(site, CAMERA):
        answer = call.get(path, params=query)
        if action == "clips.read":
            assert answer.status_code == 200
        else:
            assert (answer.status_code, answer.json()["code"]) == (422, "purpose_needed"), path
            assert call.get(path, params={**query, "purpose": "shift"}).status_code == 200
    text = call.get(f"/v1/cameras/{CAMERA}/playlist.m3u8", params={**ASKED, "purpose": "LP & co"}).text
    assert "purpose=LP+%26+co" in text


def test_refusals_are_on_record_with_their_reason(site: Site) -> None:
    before = {event.id for event in site.events()}
    caller(site, "farid").get(f"/v1/cameras/{CAMERA}")
    caller(site, "police").get(f"/v1/cameras/{CAMERA}/playlist.m3u8", params=ASKED)
    caller(site, "indra").get(f"/v1/cameras/{CAMERA}/clip.mp4", params=ASKED)
    events = [event for event in site.events() if event.id not in before]
    assert [event.outcome for event in events] == [Outcome.REFUSED] * 3
    assert [event.details.get("denied") for event in events] == ["district", "grant", None]
    assert [event.actor.id for event in events] == ["user:farid", "user:police", "user:indra"]
    assert all(event.actor.session for event in events)
    assert events[1].purpose == "LP/B/123/XI/2026"


def test_footage_counts_where_the_camera_stood_when_it_was_recorded(site: Site) -> None:
    one = f"/v1/cameras/{CAMERA}"
    changed = site.call.change("PATCH", one, of=one, json={"kecamatan": OTHER, "reason": "moved"})
    assert changed.status_code == 200
    try:
        there, here = caller(site, "erna"), caller(site, "farid")
        clip = f"/v1/cameras/{CAMERA}/clip"
        assert there.get(clip, params=span(3, 14)).status_code == 200
        assert here.get(clip, params=span(3, 14)).status_code == 404
        assert here.get(f"/v1/cameras/{CAMERA}").status_code == 200
        assert there.get(f"/v1/cameras/{CAMERA}").status_code == 404
        assert (
            len(there.get("/v1/segments", params={**span(0, 300), "camera": CAMERA}).json()["segments"]) > 0
        )
        assert here.get("/v1/segments", params={**span(0, 300), "camera": CAMERA}).json()["segments"] == []
    finally:
        site.call.change("PATCH", one, of=one, json={"kecamatan": OWN, "reason": "back"})


def test_a_token_is_held_to_its_scope(site: Site) -> None:
    from api.auth.tokens import TokenFile
    from archive.model.token import TokenScope

    tokens = site.services.tokens
    assert isinstance(tokens, TokenFile)
    play, read = "footage.play", "cameras.read"
    end = site.clock.now() + HOUR
    for name, scope, works in (
        ("wide", TokenScope(), True),
        (
            "narrow",
            TokenScope(actions=frozenset({play, read}), districts=frozenset({OWN}), expires_at=end),
            True,
        ),
        ("there", TokenScope(actions=frozenset({play, read}), districts=frozenset({OTHER})), False),
        ("nowhere", TokenScope(districts=frozenset()), False),
    ):
        token = tokens.create(f"{name}-{id(site)}", site.clock, scope)
        call = Caller(site.app, {"Authorization": f"Bearer {token}"})
        status = call.get(f"/v1/cameras/{CAMERA}/playlist.m3u8", params=ASKED).status_code
        assert status == (200 if works else 404), name
        assert call.get("/metrics").status_code == (200 if name == "wide" else 403)
        if name == "narrow":
            site.clock.advance(HOUR)
            assert call.get("/v1/cameras").status_code == 401
    assert people(site) is not None
