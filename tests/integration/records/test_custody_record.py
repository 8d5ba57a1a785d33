"""Every route writes custody events, reports show them, and any change of them is detected."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.routing import action_of
from api.web.navigation import SHELLS
from archive import canonical
from archive.canonical import sha256_hex
from archive.clock import ManualClock
from archive.model.custody import CustodyEvent, Outcome
from archive.model.user import Role
from archive.objects.filesystem.sidecar import Sidecar, sidecar_name
from archive.records.checkpoint.findings import LogReport
from archive.records.checkpoint.verify import verify_log
from archive.records.custody import CustodyWriter
from archive.timespan import HOUR, MINUTE
from archive.trust.judge import Severity, load_trust
from ops import wiring
from ops.log import Log
from ops.settings import Settings
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    FRAME,
    PLAYLIST,
    T0,
    Caller,
    FailingPuts,
    Site,
    instant,
    open_site,
    span,
)
from tests.support.command_line import CommandLine
from tests.support.people import PURPOSE, add_person, caller, catch_up

QUIET = {
    "api.describe": "says what the interface is",
    "metrics.read": "counters alone",
    "session.read": "the caller's own session",
    "cameras.read": "public facts and places of cameras; no footage",
    "health.read": "which cameras and recorders work",
    "policies.read": "rules",
    "retention.plan": "figures",
    "incidents.read": "what is broken",
}
"""Actions that show nothing of footage or people, and leave an event only where they are refused."""
PAGES = frozenset(shell.path for shell in SHELLS)
"""Pages have words alone; what they show they ask of the other routes."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role, agency in (
            ("citra", Role.WAR_ROOM, ""),
            ("ani", Role.AUDITOR, ""),
            ("budi", Role.POLICE, "polrestabes"),
        ):
            add_person(made, name, role, agency=agency)
        catch_up(made)
        yield made


def events_of(site: Site, act: Callable[[], object]) -> list[CustodyEvent]:
    before = {event.id for event in site.events()}
    act()
    return [event for event in site.events() if event.id not in before]


def test_every_act_says_who_in_what_capacity_from_where_and_why(site: Site) -> None:
    call = caller(site, "citra")
    for path, params in (
        ("/v1/recordings", span(0, 60)),
        ("/v1/segments", span(0, 60)),
        (CLIP, ASKED),
        (FRAME, {"at": instant(5)}),
        (PLAYLIST, ASKED),
    ):
        found = events_of(site, lambda path=path, params=params: call.get(path, params=params))
        assert found, path
        for event in found:
            actor = event.actor
            assert (actor.id, actor.role, actor.address) == ("user:citra", "war_room", "192.0.2.99")
            assert actor.session
            assert event.purpose == PURPOSE


def test_playback_says_how_many_seconds_were_shown_and_in_which_session(site: Site) -> None:
    call = caller(site, "citra")
    playlist = call.get(PLAYLIST, params=ASKED).text
    pieces = [line for line in playlist.splitlines() if "media.m4s" in line]
    for piece in pieces:
        assert call.get(f"/v1/cameras/{CAMERA}/{piece}").status_code == 200
    site.app.state.runtime.playback.end_all()
    start, end = site.events("playback.started")[-1], site.events("playback.ended")[-1]
    shown = sum(ref.span.duration for ref in site.first[: len(pieces)]) // 1_000_000
    assert end.details["seconds_shown"] == shown > 0
    assert end.details["bytes_sent"] > 0
    assert start.details["sign_in"]
    assert start.actor.session == end.actor.session


def test_a_refusal_says_who_was_refused(site: Site) -> None:
    (event,) = events_of(site, lambda: caller(site, "ani").get(CLIP, params=ASKED))
    assert (event.type, event.outcome, event.actor.role) == ("access", Outcome.REFUSED, "auditor")


def test_machines_are_called_machines(site: Site) -> None:
    (event,) = events_of(site, lambda: site.call.get("/v1/recordings", params=span(0, 9)))
    assert (event.actor.id, event.actor.role) == ("token:first", "machine")


SPANNED = {
    "/v1/recordings", "/v1/segments", "/v1/search", "/v1/timeline", "/v1/coverage", "/v1/war-room/history",
}  # fmt: skip


PLAYED = ("clip", "clip.mp4", ".m3u8", "activity", "sprites", "contact-sheet.jpg", "clips.zip")


def test_no_route_that_shows_footage_or_people_answers_without_the_record(site: Site, tmp_path: Path) -> None:
    """If the custody record refuses events, every such route answers 503 to any request."""
    store = FailingPuts(tmp_path, site.clock)
    store.failing = True
    app = site.remade(custody=CustodyWriter(store, site.clock, writer="failing"))
    call = Caller(app, site.headers)
    answered = {}
    for route in app.routes:
        action = action_of(route) if isinstance(route, APIRoute) else None
        if action is None or action in QUIET or route.path in PAGES or "GET" not in route.methods:
            continue
        path = filled(site, route.path)
        params = {**ASKED} if path.endswith(PLAYED) else {}
        params |= span(0, 9) if path in SPANNED else {}
        params |= {"camera": CAMERA} if path in {"/v1/timeline", "/v1/clips.zip"} else {}
        params |= {"at": instant(5)} if "/frame." in path else {}
        params |= {"person": "token:first"} if path.startswith("/v1/custody") else {}
        params |= {"key": "ledger/camera/cam-1/00000001.json"} if path.endswith("log/proof") else {}
        answered[path] = call.get(path, params=params).status_code
    assert len(answered) > 20
    assert {path: status for path, status in answered.items() if status != 503} == {}


def filled(site: Site, path: str) -> str:
    values = {
        "camera": CAMERA,
        "run": site.first[0].run,
        "seq": "0",
        "evidence_id": "EVD-2026-0123456789",
        "request_id": "REQ-2026-0123456789",
        "hold_id": "hold-" + "0" * 32,
        "sha256": "0" * 64,
        "number": "1",
        "part": "20261124T0600Z",
        "trial_id": "trial-0123456789abcdef01234567",
    }
    for name, value in values.items():
        path = path.replace(f"{{{name}}}", value)
    while "{" in path:
        head, _, tail = path.partition("{")
        path = f"{head}nobody{tail.partition('}')[2]}"
    return path


def test_the_auditor_reads_everybodys_acts_and_that_is_an_act(site: Site) -> None:
    caller(site, "citra").get("/v1/recordings", params=span(0, 9))
    call = caller(site, "ani")
    before = {event.id for event in site.events()}
    acts = call.get("/v1/custody", params={"person": "user:citra"}).json()["acts"]
    assert {act["actor"]["id"] for act in acts} == {"user:citra"}
    searched = next(act for act in acts if act["type"] == "recordings.search")
    assert searched["premis"] == "dissemination*"
    assert searched["label"] == {"id": "mencari rekaman", "en": "searched recordings"}
    (event,) = (one for one in site.events() if one.id not in before)
    assert (event.type, event.objects, event.details["results"]) == (
        "custody.read",
        ("user:citra",),
        len(acts),
    )


def test_a_question_is_on_record_whole(site: Site) -> None:
    asked = span(0, 9)
    footage = {"footage_from": asked["from"], "footage_to": asked["to"]}
    acts = {"from": instant(-3600), "to": instant(3600)}
    answer = caller(site, "ani").get("/v1/custody", params={"item": CAMERA, **footage, **acts})
    assert answer.status_code == 200
    assert answer.json()["as_of"] is not None
    event = site.events("custody.read")[-1]
    assert event.objects == (CAMERA,)
    told = {"acts_from": instant(-3600), "acts_to": instant(3600), **footage}
    assert {name: event.details[name] for name in told} == told


def test_an_act_is_found_at_once_by_the_next_question(site: Site) -> None:
    for _ in range(20):
        caller(site, "citra").get("/v1/recordings", params=span(0, 9))
        found = site.events("recordings.search")[-1].id
        acts = (
            caller(site, "ani")
            .get("/v1/custody", params={"person": "user:citra", "limit": 1000})
            .json()["acts"]
        )
        assert found in {one["id"] for one in acts}


def test_everybody_reads_their_own_acts_alone(site: Site) -> None:
    call = caller(site, "citra")
    call.get(CLIP, params=ASKED)
    caller(site, "budi").get("/v1/recordings", params=span(0, 9))
    for params in ({}, {"item": CAMERA}, {"person": "user:citra"}):
        asked = params or {"person": "user:citra"}
        acts = call.get("/v1/custody", params=asked).json()["acts"]
        assert {act["actor"]["id"] for act in acts} == {"user:citra"}
    refused = call.get("/v1/custody", params={"person": "user:budi"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    there, not_there = (call.get("/v1/custody", params={"item": name}) for name in ("cam-2", "cam-77"))
    assert (there.status_code, there.json()) == (not_there.status_code, not_there.json())


def test_pages_follow_each_other(site: Site) -> None:
    call = caller(site, "ani")
    params = {"person": "user:citra", "limit": 2}
    seen: list[str] = []
    cursor = ""
    while True:
        page = call.get("/v1/custody", params={**params, "cursor": cursor}).json()
        seen += [act["id"] for act in page["acts"]]
        if page["next"] is None:
            break
        cursor = page["next"]
    whole = call.get("/v1/custody", params={"person": "user:citra"}).json()["acts"]
    assert seen == [act["id"] for act in whole]


def test_reports_are_lines_and_paper(site: Site) -> None:
    call = caller(site, "ani")
    lines = call.get("/v1/custody/report.jsonl", params={"item": CAMERA})
    assert lines.headers["content-type"].startswith("application/jsonl")
    *above, end = lines.content.splitlines(keepends=True)
    assert json.loads(end) == {"lines": len(above) - 1, "sha256": sha256(b"".join(above)).hexdigest()}
    paper = call.get("/v1/custody/report.pdf", params={"item": CAMERA})
    assert paper.content.startswith(b"%PDF-")
    assert paper.headers["content-disposition"] == 'attachment; filename="custody-cam-1.pdf"'


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 422, "nothing_asked"),
        ({"item": "EVD-2026-0123456789"}, 404, "evidence_not_found"),
        ({"item": "no item"}, 422, "bad_item"),
        ({"item": CAMERA, "from": "2026-11-24T14:00:00"}, 422, "naive_time"),
        ({"item": CAMERA, "from": "2020-01-01T00:00:00Z"}, 422, "span_too_long"),
        ({"item": CAMERA, "footage_from": "2026-11-24T14:00:00Z"}, 422, "bad_time"),
        ({"item": CAMERA, "cursor": "x"}, 422, "bad_cursor"),
    ],
)
def test_what_means_nothing_is_refused(site: Site, params: dict[str, str], status: int, code: str) -> None:
    answer = site.call.get("/v1/custody", params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


# -- tampering ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation whose custody is under a checkpoint: one object of several events, and others."""
    folder = tmp_path_factory.mktemp("logged") / "home"
    with open_site(folder, variant=None) as site:
        for _ in range(4):
            site.call.get("/v1/recordings", params=span(0, 9))
            site.clock.advance(1)
        site.clock.advance(HOUR)
        maker = Log(site.evidence.site).maker
        assert maker.make() is not None
        maker.settle()
    return folder


def report_of(home: Path) -> LogReport:
    """The whole verification, as of an hour after the last event."""
    clock = ManualClock(T0 + 2 * HOUR + MINUTE)
    with wiring.Site(Settings.load({"SAKSI_HOME": str(home)}), clock) as site:
        trust = load_trust([site.settings.keys_dir / "root.pem"], [], None)
        return verify_log(site.stores, clock, trust=trust, interval=HOUR)


def custody_objects(home: Path) -> list[Path]:
    found = sorted((home / "archive" / "records" / "custody").rglob("*.jsonl"))
    if not found:
        found = sorted(path for path in home.rglob("*.jsonl") if "custody" in path.parts)
    return found


def key_of(path: Path) -> str:
    parts = path.parts
    return "/".join(parts[parts.index("custody") :])


def rewrite(path: Path, content: bytes) -> None:
    """Replace an object and its sidecar, as root on the host can."""
    beside = path.with_name(sidecar_name(path.name))
    facts = Sidecar.decode(key_of(path), beside.read_bytes())
    for one in (path, beside):
        os.chmod(one, 0o640)
    path.write_bytes(content)
    changed = Sidecar(
        key_of(path),
        sha256_hex(content),
        len(content),
        facts.stored_at,
        facts.lock,
        facts.held,
        facts.metadata,
    )
    beside.write_bytes(changed.encode())


def remove(objects: list[Path]) -> str:
    path = objects[1]
    name = key_of(path)
    path.with_name(sidecar_name(path.name)).unlink()
    path.unlink()
    return name


def alter(objects: list[Path]) -> str:
    head, event, rest = objects[1].read_bytes().split(b"\n", 2)
    changed = canonical.decode(event)
    changed["actor"]["id"] = "token:other"
    rewrite(objects[1], b"\n".join((head, canonical.encode(changed), rest)))
    return key_of(objects[1])


def reorder(objects: list[Path]) -> str:
    first, second = objects[0].read_bytes().split(b"\n"), objects[1].read_bytes().split(b"\n")
    first[1], second[1] = second[1], first[1]
    rewrite(objects[0], b"\n".join(first))
    rewrite(objects[1], b"\n".join(second))
    return key_of(objects[1])


def empty(objects: list[Path]) -> str:
    head = canonical.decode(objects[2].read_bytes().split(b"\n")[0]) | {"lines": 0}
    rewrite(objects[2], canonical.encode(head) + b"\n")
    return key_of(objects[2])


def test_an_untouched_record_is_valid(logged: Path) -> None:
    assert report_of(logged).valid


@pytest.mark.parametrize("harm", [remove, alter, reorder, empty], ids=lambda harm: harm.__name__)
def test_an_event_that_was_removed_reordered_or_altered_is_named(
    logged: Path, tmp_path: Path, harm: Callable[[list[Path]], str]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(logged, home)
    named = harm(custody_objects(home))
    report = report_of(home)
    assert not report.valid
    errors = [one for one in report.findings if one.severity is Severity.ERROR]
    assert named in {one.object.partition("#")[0] for one in errors}


def test_the_command_that_verifies_the_log_says_so_too(logged: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(logged, home)
    named = alter(custody_objects(home))
    trust = str(home / "keys" / "root.pem")
    answer = CommandLine(home)("log", "verify", "--all", "--trust", trust, "--json")
    assert (answer.code, answer.json["valid"]) == (1, False)
    assert any(one["object"].partition("#")[0] == named for one in answer.json["findings"])


def test_the_command_line_shows_the_record_and_is_on_it(logged: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(logged, home, symlinks=True)  # the index is a link
    saksi = CommandLine(home)
    asked = ("--person", "token:first", "--from", "2026-11-24T00:00:00Z", "--to", "2026-11-25T00:00:00Z")
    acts = saksi("custody", "show", *asked, "--json").json["acts"]
    assert [act["type"] for act in acts] == ["recordings.search"] * 4
    lines = saksi("custody", "show", *asked, "--jsonl").out.splitlines()
    assert len(lines) == 6
    paper = tmp_path / "out.pdf"
    assert saksi("custody", "show", *asked, "--pdf", str(paper)).code == 0
    assert paper.read_bytes().startswith(b"%PDF-")
    taken = saksi("custody", "show", *asked, "--pdf", str(paper))
    assert taken.code == 2
    assert "output_exists" in taken.err
    reads = saksi("custody", "show", "--person", host_id(saksi), "--json").json["acts"]
    assert [act["type"] for act in reads if act["type"] == "custody.read"]
    assert {act["actor"]["role"] for act in reads if act["source"] == "custody"} == {"host"}


def host_id(saksi: CommandLine) -> str:
    from ops.cli.options import actor

    assert saksi.home.exists()
    return actor().id
