"""No footage without a record of who, why and how much, also when parts fail."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from archive.model.custody import CustodyEvent, Outcome
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, Stored, Stores
from archive.records.custody import Company, CustodyWriter
from archive.records.custody_report import paper
from archive.timespan import DAY, Timespan
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    DESCRIPTION,
    FRAME,
    PLAYLIST,
    T0,
    Caller,
    FailingPuts,
    Site,
    camera_json,
    instant,
    open_site,
    span,
)
from tests.support.waiting import until_async


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def test_a_download_is_on_record_from_start_to_end(site: Site) -> None:
    before = len(site.events())
    size = len(
        site.call.get(CLIP, params={**ASKED, "purpose": "LP/B/9"}, headers={"Range": "bytes=0-999"}).content
    )
    start, end = site.events()[before:]
    assert (start.type, end.type) == ("clip.download.started", "clip.download.ended")
    for event in (start, end):
        assert event.actor.id == "token:first"
        assert event.actor.address == "192.0.2.99"
        assert event.objects == (CAMERA,)
        assert event.purpose == "LP/B/9"
        assert event.details["from"] == ASKED["from"]
    assert (start.details["offset"], start.details["length"]) == (0, 1000)
    assert end.details["start"] == start.id
    assert (end.details["bytes_sent"], end.details["ending"]) == (size, "complete")


def test_a_purpose_may_come_in_a_header(site: Site) -> None:
    site.call("HEAD", CLIP, params=ASKED, headers={"Saksi-Purpose": "shift 3"})
    event = site.events()[-1]
    assert (event.type, event.purpose) == ("clip.describe", "shift 3")


def test_refusals_are_on_record(site: Site) -> None:
    before = len(site.events())
    site.call.get(CLIP, params=span(31, 39))
    site.call.get("/v1/cameras/nobody/clip.mp4", params=span(0, 5))
    site.call.get("/v1/recordings", params=span(90_000, 90_010))
    site.call("POST", "/v1/cameras", json={**camera_json("new-2"), "view": "private"})
    assert [(event.type, event.outcome, event.details["code"]) for event in site.events()[before:]] == [
        ("clip.download", Outcome.REFUSED, "no_footage"),
        ("clip.download", Outcome.REFUSED, "camera_not_found"),
        ("recordings.search", Outcome.REFUSED, "span_in_future"),
        ("camera.change", Outcome.REFUSED, "private_view"),
    ]


def without_custody(site: Site, folder: Path) -> Caller:
    """The same footage with a custody record that refuses every event."""
    store = FailingPuts(folder, site.clock)
    store.failing = True
    return Caller(site.remade(custody=CustodyWriter(store, site.clock, writer="failing")), site.headers)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (CLIP, ASKED),
        (DESCRIPTION, ASKED),
        (PLAYLIST, ASKED),
        (FRAME, {"at": instant(5)}),
        (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/0/init.mp4", {}),
        (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/0/media.m4s", {}),
        (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/0/copy.ts", {}),
        ("/v1/recordings", span(0, 60)),
        ("/v1/segments", span(0, 60)),
        (CLIP, span(31, 39)),
    ],
)
def test_without_custody_no_byte_leaves(
    site: Site, tmp_path: Path, path: str, params: dict[str, str]
) -> None:
    answer = without_custody(site, tmp_path).get(path, params=params)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"]
    assert len(answer.content) < 1000


def test_the_first_piece_is_read_meanwhile_and_leaves_only_after_its_event(
    site: Site, tmp_path: Path
) -> None:
    asked, read, released = threading.Event(), threading.Event(), threading.Event()
    sent: list[Any] = []

    class Held(FilesystemStore):
        """A records bucket that answers no put until it is released."""

        def put(self, key: str, content: Content, **options: Any) -> Stored:
            asked.set()
            assert released.wait(30)
            return super().put(key, content, **options)

    class Watched:
        """A footage bucket that tells when sample bytes are read."""

        def stream(self, *of: Any, **options: Any) -> Any:
            read.set()
            return site.services.stores.footage.stream(*of, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(site.services.stores.footage, name)

    stores = replace(site.services.stores, footage=Watched())  # type: ignore[arg-type]
    custody = CustodyWriter(Held(tmp_path, site.clock), site.clock, writer="held")
    app = site.remade(stores=stores, custody=custody)
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": CLIP, "raw_path": CLIP.encode(), "query_string": urlencode(ASKED).encode(), "root_path": "",
        "headers": [(b"host", b"saksi.test"), (b"range", b"bytes=-3000"),
            (b"authorization", f"Bearer {site.token}".encode())],
        "client": ("192.0.2.99", 50123), "server": ("saksi.test", 80),
    }  # fmt: skip

    async def ask() -> None:
        waiting = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Any:
            return waiting.pop() if waiting else await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            sent.append(message)

        answer = asyncio.create_task(app(scope, receive, send))
        await until_async(lambda: asked.is_set() and read.is_set(), "custody is asked, the footage is read")
        assert sent == [], "no byte before its event is durable"
        released.set()
        await answer

    asyncio.run(ask())
    assert sent[0]["status"] == 206
    assert b"".join(one.get("body", b"") for one in sent) == site.call.get(CLIP, params=ASKED).content[-3000:]


def with_footage(site: Site, store: Any) -> Caller:
    stores = site.services.stores
    changed = Stores(footage=store, records=stores.records, cache=stores.cache)
    return Caller(site.remade(stores=changed), site.headers)


class Torn:
    """A footage store whose objects end early, within the header or after it."""

    def __init__(self, store: Any, keep: int) -> None:
        self._store = store
        self._keep = keep

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        found: bytes = self._store.read(key, start, length, version=version)
        return found[: self._keep]

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Any:
        yield next(iter(self._store.stream(key, start, length, version=version)))[: self._keep]


def test_a_segment_whose_header_is_torn_is_an_incident(site: Site) -> None:
    answer = with_footage(site, Torn(site.services.stores.footage, 200)).get(CLIP, params=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (500, "segment_unreadable")
    assert answer.json()["incident"].startswith("INC-")
    assert answer.json()["segment"].startswith("segments/cam-1/")
    assert "segments/" not in answer.json()["detail"]
    assert site.events()[-1].outcome is Outcome.FAILED


def test_a_segment_that_ends_early_breaks_the_answer_off(site: Site) -> None:
    caller = with_footage(site, Torn(site.services.stores.footage, 5000))
    before = len(site.events())
    answer = caller.get(CLIP, params=ASKED)
    assert len(answer.content) < int(answer.headers["content-length"])
    start, end = site.events()[before:]
    assert end.outcome is Outcome.FAILED
    assert end.details["ending"] == "source_failed"
    assert end.details["code"] == "segment_mismatch"
    assert end.details["bytes_sent"] == len(answer.content)
    assert end.details["start"] == start.id


def test_all_slots_taken_is_busy_and_not_on_record_as_a_start(site: Site) -> None:
    app = site.remade(settings=replace(site.services.settings, streams=1))
    caller = Caller(app, site.headers)
    app.state.runtime.slots.take()
    before = len(site.events("clip.download.started"))
    answer = caller.get(CLIP, params=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert len(site.events("clip.download.started")) == before
    assert caller("HEAD", CLIP, params=ASKED).status_code == 200
    app.state.runtime.slots.give_back()
    assert caller.get(CLIP, params=ASKED).status_code == 200
    assert app.state.runtime.slots.taken == 0


def test_an_index_that_is_behind_the_ledger_still_knows_a_new_camera(site: Site) -> None:
    class Behind:
        def __getattr__(self, name: str) -> Any:
            return getattr(site.services.index, name)

        def document(self, kind: str, entity: str) -> None:
            return None

    caller = Caller(site.remade(index=Behind()), site.headers)
    assert caller.get(f"/v1/cameras/{CAMERA}").json() == site.call.get(f"/v1/cameras/{CAMERA}").json()
    assert caller.get(CLIP, params=ASKED).status_code == 200


def test_who_was_answered_is_no_company_any_more(site: Site) -> None:
    seen: list[int] = []

    class Watched(CustodyWriter):
        def record(self, *args: Any, **options: Any) -> CustodyEvent:
            seen.append(company.present)
            return super().record(*args, **options)

    company = Company()
    writer = Watched(site.services.stores.records, site.clock, writer="watched", company=company)
    app = site.remade(custody=writer, company=company)
    caller = Caller(app, site.headers)
    assert caller.get(CLIP, params=ASKED).status_code == 200
    assert seen == [1, 0]  # the start before the answer, the end after it
    for path, status in [("/v1/cameras", 200), ("/v1/nowhere", 404), (CLIP, 422), ("/healthz", 200)]:
        assert caller.get(path).status_code == status
    assert Caller(app, {"Authorization": "Bearer nobody"}).get("/v1/cameras").status_code == 401
    assert company.present == 0


def test_the_record_of_the_day_reads_back_whole(site: Site) -> None:
    """After all tests above, every batch follows the one before, and every event names its actor."""
    day = Timespan(T0 - DAY, T0 + DAY)
    events = site.events()
    assert events
    assert all(event.at in day and event.actor.id for event in events)


def test_a_report_too_long_for_paper_says_what_to_do_and_is_on_record(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        assert site.call.get(DESCRIPTION, params=ASKED).status_code == 200
    monkeypatch.setattr(paper.printable, "__kwdefaults__", {"most": 2})
    for params in ({"person": "token:first"}, {"item": CAMERA}):
        answer = site.call.get("/v1/custody/report.pdf", params=params)
        assert (answer.status_code, answer.json()["code"]) == (422, "report_too_long")
        assert "JSON lines" in answer.json()["hint"]
        event = site.events("custody.read")[-1]
        assert (event.outcome, event.details["code"]) == (Outcome.REFUSED, "report_too_long")
    lines = site.call.get("/v1/custody/report.jsonl", params={"person": "token:first"}).text.splitlines()
    assert len(lines) > 4, "the JSON lines have no such limit"
