"""Connection tests over HTTP: ordered here, tried by a real recorder, answered within 15 seconds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from archive.clock import ManualClock
from archive.footage.trials import ANSWERS, ASKED, KEPT, ORDERS, PREFIX, Sighting, TrialBoard, TrialFailure
from archive.model.user import Role
from archive.ports import Content
from archive.timespan import HOUR, SECOND
from ops.serving import services_of
from ops.tokens import token_file
from tests.support.api_site import CAMERA, SECRET, Caller, Site, open_site
from tests.support.people import add_person, caller, catch_up
from tests.support.recording_site import RecordingSite
from tests.support.waiting import until

TRIALS = "/v1/camera-trials"
SEEN = Sighting(codec="avc1.640028", width=640, height=360, mfps=15_000, sound="")
JPEG = b"\xff\xd8 a picture"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        for name in ("ada", "budi"):
            add_person(made, name, Role.ADMIN)
        add_person(made, "citra", Role.WAR_ROOM)
        catch_up(made)
        yield made


def ordered(site: Site, **body: Any) -> dict[str, Any]:
    answer = caller(site, "ada")("POST", TRIALS, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{TRIALS}/{answer.json()['id']}"
    assert answer.headers["Retry-After"] == "1"
    found: dict[str, Any] = answer.json()
    return found


def read(site: Site, trial: str, name: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = caller(site, name).get(f"{TRIALS}/{trial}").json()
    return found


def everything(site: Site) -> bytes:
    cache = site.services.stores.cache
    return b"".join(cache.get(one.key) for one in cache.list(PREFIX))


def test_an_order_waits_is_taken_by_one_and_answered(site: Site) -> None:
    trial = ordered(site, camera=CAMERA)
    assert (trial["status"], trial["camera"], trial["source"]) == (
        "waiting", CAMERA, "rtsp://192.0.2.7:554/stream1",
    )  # fmt: skip
    board = site.services.trials
    (order,) = [one for one in board.orders(()) if one.id == trial["id"]]
    assert SECRET in site.evidence.site.secrets.open(order.sealed_source)
    assert SECRET.encode() not in everything(site), "the cache has the source only sealed"
    assert board.take(order, "rec-1")
    assert not board.take(order, "rec-2"), "one recorder is enough"
    assert (read(site, trial["id"])["status"], read(site, trial["id"])["recorder"]) == ("taken", "rec-1")
    board.answer(order, "rec-1", SEEN, JPEG)
    found = read(site, trial["id"])
    assert found["found"] == {
        "codec": "avc1.640028", "width": 640, "height": 360, "fps": 15.0, "sound": "", "made_from": "",
    }  # fmt: skip
    assert caller(site, "ada").get(found["still"]).content == JPEG
    assert list(site.services.stores.cache.list(f"{ORDERS}{trial['id']}")) == [], (
        "the order went with its answer"
    )
    (event,) = site.events("camera.trial_still")
    assert (event.actor.id, event.objects, event.details["bytes"]) == (
        "user:ada", (CAMERA, trial["id"]), len(JPEG),
    )  # fmt: skip


def test_no_password_of_a_source_is_anywhere(site: Site) -> None:
    source = f"rtsp://viewer:{SECRET}@192.0.2.9/1?key={SECRET}"
    trial = ordered(site, source=source)
    assert trial["source"] == "rtsp://192.0.2.9/1"
    (order,) = [one for one in site.services.trials.orders(()) if one.id == trial["id"]]
    assert site.evidence.site.secrets.open(order.sealed_source) == source
    site.services.trials.answer(
        order, "rec-1", TrialFailure(code="camera_gives_nothing", cause="auth_failed")
    )
    found = read(site, trial["id"])
    assert (found["status"], found["failure"]) == (
        "failed", {"code": "camera_gives_nothing", "cause": "auth_failed"},
    )  # fmt: skip
    events = site.events()
    assert events[-1].type != "camera.trial" or events[-1].details["source"] == "rtsp://192.0.2.9/1"
    assert SECRET not in f"{found}{events}"
    assert SECRET.encode() not in everything(site)


def test_a_test_belongs_to_who_ordered_it(site: Site) -> None:
    trial = ordered(site, camera=CAMERA)["id"]
    assert read(site, trial, "budi")["code"] == "trial_not_found"
    assert read(site, trial, "citra")["code"] == "not_permitted"
    assert read(site, "trial-1")["code"] == "bad_id"
    assert caller(site, "ada").get(f"{TRIALS}/{trial}/still.jpg").status_code == 404
    site.clock.step(16 * SECOND)
    assert read(site, trial)["status"] == "unanswered"


def test_an_answer_that_cannot_be_read_is_a_failure_and_stops_no_other_test(site: Site) -> None:
    cache = site.services.stores.cache
    for answer in (b"<", b"{}", b'{"seen":{}}'):
        trial = ordered(site, camera=CAMERA)["id"]
        cache.put(f"{ANSWERS}{trial}/answer.json", Content.of_bytes(answer))
        found = read(site, trial)
        assert (found["status"], found["failure"]["code"]) == ("failed", "bad_trial"), found
    cache.put(f"{ASKED}trial-{'0' * 24}.json", Content.of_bytes(b"<"))
    assert ordered(site, camera=CAMERA)["status"] == "waiting"
    site.clock.step(16 * SECOND)


def test_what_cannot_be_tried_is_refused_before_any_recorder_hears_of_it(site: Site) -> None:
    def code(**body: Any) -> str:
        return str(caller(site, "ada")("POST", TRIALS, json=body).json()["code"])

    assert code() == "nothing_to_try"
    assert code(source="ftp://192.0.2.9/1") == "bad_source"
    assert code(source="rtsp://127.0.0.1/1") == "source_refused"
    assert code(camera="cam-404") == "camera_not_found"


def test_a_person_has_few_at_once_and_all_of_it_goes_after_ten_minutes(site: Site) -> None:
    for _ in range(3):
        ordered(site, camera=CAMERA)
    refused = caller(site, "ada")("POST", TRIALS, json={"camera": CAMERA})
    assert (refused.status_code, refused.json()["code"]) == (403, "too_many_trials")
    clock = site.clock
    assert isinstance(clock, ManualClock)
    clock.step(KEPT)
    left = ordered(site, camera=CAMERA)["id"]
    assert {one.key.rsplit("/", 1)[1] for one in site.services.stores.cache.list(PREFIX)} == {f"{left}.json"}


def test_a_real_recorder_answers(tmp_path: Path) -> None:
    city = RecordingSite(tmp_path)
    city.add("cam-1", "test://?size=320x180&fps=10&gop=10")
    city.start()
    try:
        with city.site() as wired:
            # The machine of a test may be busy; how long a person waits has its own test.
            board = TrialBoard(wired.stores.cache, wired.clock, patience=HOUR)
            app = create_app(replace(services_of(wired), trials=board))
            call = Caller(app, {"Authorization": f"Bearer {token_file(wired).create('first', wired.clock)}",
                                "Host": "localhost"})  # fmt: skip
            until(lambda: wired.bare_index.heartbeats(), "the recorder is there")

            def answer_to(body: dict[str, str]) -> dict[str, Any]:
                trial = call("POST", TRIALS, json=body).json()["id"]

                def over() -> dict[str, Any] | None:
                    found: dict[str, Any] = call.get(f"{TRIALS}/{trial}").json()
                    return None if found["status"] in ("waiting", "taken") else found

                found = until(over, "an answer", every=0.25)
                return found

            seen = answer_to({"camera": "cam-1"})
            assert (seen["status"], seen["recorder"]) == ("done", "rec-test"), seen
            assert (seen["found"]["width"], seen["found"]["height"]) == (320, 180)
            assert call.get(seen["still"]).content.startswith(b"\xff\xd8")
            lost = answer_to({"source": f"rtsp://viewer:{SECRET}@127.0.0.1:9/1"})
            assert (lost["status"], lost["failure"]["cause"]) == ("failed", "unreachable"), lost
    finally:
        city.stop()
    assert SECRET not in city.log()
    assert "trial_answered" in city.log()
