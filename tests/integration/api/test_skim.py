"""Activity and thumbnails over HTTP and at the command line: what is found, for whom, and on what record."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.limits.programs import Program
from archive.cases.people.grants import Grants
from archive.footage.skim.cache import forget
from archive.footage.skim.decoding import Decoder
from archive.model.custody import Outcome
from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, format_instant, parse_instant
from ops.cli.options import actor
from tests.support.api_site import (
    CAMERA,
    T0,
    Caller,
    Site,
    archive_run,
    instant,
    open_site,
    span,
)
from tests.support.commands_at import CommandsAt
from tests.support.night import BOX, IN_BOX, STEP_SECONDS, Minute, segments_of
from tests.support.people import add_person, caller, catch_up, grant
from tests.support.recordings import RUN

ACTIVITY = f"/v1/cameras/{CAMERA}/activity"
SPRITES = f"/v1/cameras/{CAMERA}/sprites"
SHEET = f"{SPRITES}/20261124T0600Z/sheet.jpg"
ALL = span(0, 180)
IN = {"box": str(BOX)}
CROSSED = Timespan(T0 + MINUTE + IN_BOX.start, T0 + MINUTE + IN_BOX.end)
PURPOSE = "LP/B/1/I/2026"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("skim")
    with open_site(folder / "site", variant=None) as made:
        fill(made, folder)
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "kominfo", Role.ADMIN)
        add_person(made, "erna", Role.KECAMATAN, districts=["73.71.01"])
        add_person(made, "farid", Role.KECAMATAN, districts=["73.71.02"])
        add_person(made, "bripka", Role.POLICE)
        add_person(made, "briptu", Role.POLICE)
        add_person(made, "indra", Role.AUDITOR)
        grant(made, "bripka", [CAMERA], Timespan(T0 + MINUTE, T0 + 2 * MINUTE), Right.VIEW)
        catch_up(made)
        yield made


def fill(site: Site, folder: Path, start: int = T0, run: str = RUN) -> None:
    """Three minutes; somebody crosses the box in the second."""
    quiet, crossing = segments_of(Minute(), folder), segments_of(Minute(crossing=True), folder)
    archive_run(site.services, [*quiet, *crossing, *quiet], run=run, start=start)


def spans_of(answer: Any) -> list[Timespan]:
    return [Timespan.parse(one["from"], one["to"]) for one in answer.json()["intervals"]]


def test_a_crossing_is_found_and_the_answer_is_honest(site: Site) -> None:
    answer = site.call.get(ACTIVITY, params=ALL | IN | {"step": "1m"})
    assert answer.status_code == 200, answer.text
    (found,) = spans_of(answer)
    near = STEP_SECONDS * SECOND
    assert abs(found.start - CROSSED.start) <= near
    assert abs(found.end - CROSSED.end) <= near
    body = answer.json()
    assert body["complete"]
    assert body["longest_step_seconds"] == STEP_SECONDS
    assert "tidak mengenali siapa pun" in body["notice"]["id"]
    assert "recognises nobody" in body["notice"]["en"]
    assert [one["activity_seconds"] > 0 for one in body["buckets"]] == [False, True, False]
    assert body["buckets"][1]["strength"] == body["intervals"][0]["strength"]
    assert site.call.get(ACTIVITY, params=ALL | {"box": "0,0,1,0.4"}).json()["intervals"] == []
    assert site.call.get(ACTIVITY, params=ALL | IN).json()["buckets"] is None


def test_the_next_and_the_previous_activity(site: Site) -> None:
    after = span(0, 600) | IN | {"limit": "1"}
    (following,) = spans_of(site.call.get(ACTIVITY, params=after))
    (before,) = spans_of(site.call.get(ACTIVITY, params=after | {"order": "latest"}))
    assert following == before
    later = {"from": format_instant(following.end), "to": instant(600)}
    assert spans_of(site.call.get(ACTIVITY, params=later | IN | {"limit": "1"})) == []


def test_what_was_not_looked_at_is_named(site: Site) -> None:
    body = site.call.get(ACTIVITY, params=span(-300, 3000) | IN).json()
    causes = {one["cause"] for one in body["not_looked_at"]}
    assert causes == {"not_registered", "unknown", "pending", "not_yet", "nothing_to_compare"}
    missing = [Timespan.parse(one["from"], one["to"]) for one in body["not_looked_at"]]
    assert sum(one.duration for one in missing) + body["looked_seconds"] * SECOND == 3300 * SECOND


def test_without_time_it_says_what_is_left_and_goes_on_when_asked_again(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        at_once = ALL | IN | {"wait_s": "0"}
        body = site.call.get(ACTIVITY, params=at_once).json()
        assert not body["complete"]
        assert body["hours"] == {"total": 1, "done": 0, "left": 1}
        assert {one["cause"] for one in body["not_looked_at"]} == {"not_yet_looked"}
        assert site.call.get(ACTIVITY, params=ALL | IN).json()["complete"]
        again = site.call.get(ACTIVITY, params=at_once)
        assert again.json()["complete"]
        assert len(spans_of(again)) == 1


def test_of_an_hour_for_which_time_runs_out_the_parts_that_were_made_count(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        fill(site, tmp_path, start=T0 + 10 * MINUTE, run="6b05180000000007")
        assert site.call.get(ACTIVITY, params=span(0, 600) | IN).json()["complete"]
        both = span(0, 1200) | IN
        body = site.call.get(ACTIVITY, params=both | {"wait_s": "0"}).json()
        assert not body["complete"]
        assert body["hours"] == {"total": 1, "done": 0, "left": 1}
        assert len(body["intervals"]) == 1
        waits = [one for one in body["not_looked_at"] if one["cause"] == "not_yet_looked"]
        assert [(one["from"], one["to"]) for one in waits] == [(instant(600), instant(1200))]
        latest = site.call.get(ACTIVITY, params=both | {"wait_s": "0", "order": "latest"}).json()
        assert latest["intervals"] == [], "the later part comes first, and is not made yet"
        whole = site.call.get(ACTIVITY, params=both).json()
        assert (whole["complete"], len(whole["intervals"])) == (True, 2)
        assert whole["hours"] == {"total": 1, "done": 1, "left": 0}


def test_sheets_come_in_order_as_many_at_a_time_as_are_asked_for(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        for number in range(3):
            fill(site, tmp_path, start=T0 + 10 * number * MINUTE, run=f"6b0518000000000{number}")
        asked = span(0, 1500)
        grown = [site.call.get(SPRITES, params=asked | {"sheets": "1"}).json() for _ in range(4)]
        assert [one["complete"] for one in grown] == [False, False, True, True]
        assert [len(one["sheets"]) for one in grown] == [1, 2, 3, 3]
        assert grown[0]["sheets"][0]["url"] == SHEET
        for before, after in pairwise(grown):
            assert after["sheets"][: len(before["sheets"])] == before["sheets"]
            assert after["sprites"][: len(before["sprites"])] == before["sprites"]
        assert site.call.get(SPRITES, params=asked).json() == grown[-1]
        assert site.call.get(SPRITES, params=asked | {"sheets": "0"}).status_code == 422


def test_footage_that_goes_while_its_sheet_is_made_leaves_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disposition forgets in the index, then removes copies; the sheet is stored only after both."""
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        services, sheets = site.services, Decoder.sheets

        def disposed_meanwhile(decoder: Decoder, *of: Any, **more: Any) -> Any:
            made = sheets(decoder, *of, **more)
            services.index.remove(list(services.index.segments(CAMERA, Timespan(T0, T0 + HOUR))))
            forget(services.stores.cache, CAMERA, Timespan(T0, T0 + HOUR))
            return made

        monkeypatch.setattr(Decoder, "sheets", disposed_meanwhile)
        site.call.get(SHEET)
        assert list(services.stores.cache.list("skim/copies/")) == []
        assert site.call.get(SHEET).json()["code"] == "no_footage"


def test_who_lost_the_right_sees_no_stored_thumbnail_from_then_on(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        add_person(site, "bripka", Role.POLICE)
        add_person(site, "citra", Role.WAR_ROOM)
        made = grant(site, "bripka", [CAMERA], Timespan(T0, T0 + 10 * MINUTE), Right.VIEW)
        catch_up(site)
        call = caller(site, "bripka")
        answer = call.get(SHEET)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        Grants(site.services.ledger, site.clock).revoke(
            made.id, actor="user:citra", reason="the case is closed"
        )
        catch_up(site)
        for headers in ({}, {"If-None-Match": answer.headers["etag"]}):
            assert call.get(SHEET, headers=headers).json()["code"] == "not_granted"
        assert caller(site, "citra").get(SHEET).status_code == 200, "it is still stored"


def test_footage_that_arrives_later_is_looked_at_and_footage_that_goes_is_forgotten(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        assert len(spans_of(site.call.get(ACTIVITY, params=ALL | IN))) == 1
        fill(site, tmp_path, start=T0 + 3 * MINUTE, run="6b05180000000007")
        both = span(0, 360) | IN
        assert len(spans_of(site.call.get(ACTIVITY, params=both))) == 2
        services = site.services
        gone = list(services.index.segments(CAMERA, Timespan(T0, T0 + 3 * MINUTE)))
        cached = services.stores.cache
        assert list(cached.list("skim/copies/")) != []
        services.index.remove(gone)
        # The copies of before are still there, and are not found.
        left = site.call.get(ACTIVITY, params=both | {"wait_s": "0"}).json()
        assert left["intervals"] == []
        assert not left["complete"]
        assert len(spans_of(site.call.get(ACTIVITY, params=both))) == 1
        assert site.call.get(SHEET).status_code == 200
        forget(cached, CAMERA, Timespan(T0, T0 + 6 * MINUTE))
        assert list(cached.list("skim/copies/")) == []
        services.index.remove(list(services.index.segments(CAMERA, Timespan(T0, T0 + HOUR))))
        answer = site.call.get(SHEET)
        assert (answer.status_code, answer.json()["code"]) == (409, "no_footage")


def test_sprites_name_their_place_on_their_sheet(site: Site) -> None:
    body = site.call.get(SPRITES, params=ALL).json()
    assert [parse_instant(one["at"]) - T0 for one in body["sprites"]] == [n * 30 * SECOND for n in range(6)]
    assert [(one["x"], one["y"]) for one in body["sprites"][:6]] == [
        (0, 0), (160, 0), (320, 0), (480, 0), (640, 0), (0, 90),
    ]  # fmt: skip
    (sheet,) = body["sheets"]
    assert sheet["url"] == SHEET
    picture = site.call.get(sheet["url"])
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content.startswith(b"\xff\xd8")
    tag = {"If-None-Match": picture.headers["etag"]}
    assert site.call.get(sheet["url"], headers=tag).status_code == 304
    part = site.call.get(SPRITES, params=span(30, 61)).json()
    assert [parse_instant(one["at"]) - T0 for one in part["sprites"]] == [30 * SECOND, 60 * SECOND]


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("citra", 200, ""),
        ("kominfo", 200, ""),
        ("erna", 200, ""),
        ("farid", 404, "camera_not_found"),
        ("briptu", 403, "not_granted"),
        ("bripka", 403, "not_granted"),
        ("indra", 403, "not_permitted"),
    ],
)
def test_it_is_for_those_who_may_play_that_footage(site: Site, name: str, status: int, code: str) -> None:
    """The grant of one of them opens one minute; the question is about three."""
    call = caller(site, name)
    for path, params in ((ACTIVITY, ALL), (SPRITES, ALL), (SHEET, {})):
        answer = call.get(path, params=params)
        assert answer.status_code == status, (path, answer.text)
        if code:
            assert answer.json()["code"] == code
            assert "intervals" not in answer.text
            assert "sprites" not in answer.json()


def test_a_grant_opens_its_minute_and_no_picture_beside_it(site: Site) -> None:
    call = caller(site, "bripka")
    inside = {"from": instant(60), "to": instant(120)}
    answer = call.get(ACTIVITY, params=inside | IN)
    assert len(spans_of(answer)) == 1
    sprites = call.get(SPRITES, params=inside).json()
    assert [parse_instant(one["at"]) - T0 for one in sprites["sprites"]] == [60 * SECOND, 90 * SECOND]
    assert sprites["sheets"][0]["url"] is None
    for start, end in ((59.999999, 120), (60, 120.000001)):
        outside = {"from": instant(start), "to": instant(end)}
        assert call.get(ACTIVITY, params=outside).json()["code"] == "not_granted"
        assert call.get(SPRITES, params=outside).json()["code"] == "not_granted"


def test_a_person_needs_a_purpose(site: Site) -> None:
    call = caller(site, "citra", purpose="")
    for path, params in ((ACTIVITY, ALL), (SPRITES, ALL), (SHEET, {})):
        assert call.get(path, params=params).json()["code"] == "purpose_needed"
        assert call.get(path, params={**params, "purpose": PURPOSE}).status_code == 200


def test_each_question_is_on_record_and_each_refusal(site: Site) -> None:
    before = len(site.events())
    caller(site, "citra").get(ACTIVITY, params=ALL | IN | {"threshold": "7"})
    caller(site, "citra").get(SHEET)
    caller(site, "briptu").get(ACTIVITY, params=ALL | IN)
    asked, seen, refused = site.events()[before:]
    assert (asked.type, asked.outcome, asked.objects) == ("activity.search", Outcome.DONE, (CAMERA,))
    assert asked.details == {**ALL, "box": str(BOX), "threshold": "7", "intervals": 1, "hours_looked": 1}
    assert asked.purpose
    assert (seen.type, seen.outcome) == ("sprites.view", Outcome.DONE)
    assert seen.details["from"] == instant(0)
    assert int(seen.details["bytes"]) > 1000
    assert (refused.type, refused.outcome) == ("activity.search", Outcome.REFUSED)
    assert refused.details["code"] == "not_granted"


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        (ACTIVITY, ALL | {"box": "0,0,2,1"}, "bad_box"),
        (ACTIVITY, ALL | {"threshold": "1"}, "bad_threshold"),
        (ACTIVITY, ALL | {"step": "7m"}, "bad_step"),
        (ACTIVITY, span(0, 8 * 86_400), "span_too_long"),
        (ACTIVITY, span(7200, 7300), "span_in_future"),
        (SPRITES, span(0, 3601), "span_too_long"),
        (f"{SPRITES}/20261124T0601Z/sheet.jpg", {}, "bad_part"),
        (f"{SPRITES}/20261124T0800Z/sheet.jpg", {}, "span_in_future"),
    ],
)
def test_what_cannot_be_asked_is_refused(site: Site, path: str, params: dict[str, str], code: str) -> None:
    answer = site.call.get(path, params=params)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


def test_what_cannot_be_answered_is_refused_before_footage_is_looked_at(tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as site:
        fill(site, tmp_path)
        week = span(180 - 6 * 86_400, 180, step="1s", order="latest", wait_s="30")
        assert site.call.get(ACTIVITY, params=week).json()["code"] == "too_many_buckets"
        last = {"from": "9999-12-31T00:00:00Z", "to": "9999-12-31T23:00:00Z", "step": "1d"}
        assert site.call.get(ACTIVITY, params=last).json()["code"] == "span_in_future"
        assert not list(site.services.stores.cache.list("skim/copies/"))


def test_asking_for_thumbnails_of_no_footage_leaves_nothing_behind(tmp_path: Path) -> None:
    with open_site(tmp_path, variant=None) as site:
        for days in range(1, 5):
            before = span(-days * 86_400, 3600 - days * 86_400)
            assert site.call.get(SPRITES, params=before).json()["sprites"] == []
        assert not list(site.services.stores.cache.list("skim/"))


def test_without_ffmpeg_it_is_unavailable(site: Site) -> None:
    call = Caller(site.remade(skimmer=None), site.headers)
    for path, params in ((ACTIVITY, ALL), (SPRITES, ALL), (SHEET, {})):
        assert call.get(path, params=params).json()["code"] == "ffmpeg_missing"


def test_all_makers_at_work_leave_the_rest_for_later(site: Site, tmp_path: Path) -> None:
    with open_site(tmp_path / "site", variant=None) as another:
        fill(another, tmp_path)
        settings = replace(another.services.settings, skims=1)
        app = another.remade(settings=settings)
        assert app.state.runtime.skims.programs.take(Program.SKIM)
        call = Caller(app, another.headers)
        body = call.get(ACTIVITY, params=ALL | {"wait_s": "1"}).json()
        assert body["hours"]["left"] == 1
        app.state.runtime.skims.programs.give_back(Program.SKIM)
        assert call.get(ACTIVITY, params=ALL).json()["complete"]


def test_at_the_command_line(tmp_path: Path) -> None:
    home = tmp_path / "site"
    with open_site(home, variant=None) as site:
        fill(site, tmp_path)
        now = site.clock.now()
    saksi = CommandsAt(home, lambda: now)
    words = ("activity", CAMERA, "--from", instant(0), "--to", instant(180), "--box", str(BOX))
    shown = saksi.must(*words)
    assert "WITA" in shown.out
    assert "strength" in shown.out
    assert "tidak mengenali siapa pun" in shown.err
    body = saksi.must(*words, "--json").json
    assert len(body["intervals"]) == 1
    assert saksi.must(*words[:6], "--box", "0,0,1,0.4").out == "no activity found\n"
    acts = saksi.must("custody", "show", "--person", actor().id, "--json").json["acts"]
    assert [act["type"] for act in acts if act["type"] == "activity.search"] == ["activity.search"] * 3
