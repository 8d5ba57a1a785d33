"""No copy in an export outlives its footage, whatever the export's state; held footage keeps its export."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.cases.exports import model
from archive.cases.exports.worker import SETTLED, Planned
from archive.clock import ManualClock
from archive.footage.download.export_parts import LEAD, PartName, forget_parts
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan
from ops.disposition import Dispositions
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    T0,
    Site,
    archive_run,
    instant,
    made_footage,
    open_site,
)
from tests.support.exports import change, fetch, order, parts, shown, worker


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Footage of two cameras that is destroyed in some hours."""
    with open_site(tmp_path) as made:
        archive_run(made.services, made_footage()[:2], run="6b05180000000003", start=T0, camera=EMPTY_CAMERA)
        terms = Terms(keep_days_min=30, keep_days_max=60, basis="Perwali 4/2017", effective_from=T0)
        state = to_state(Policy(scope=Scope.parse("default"), terms=(terms,)))
        made.services.ledger.append(
            "policy", "default", state, expected=0, actor="os:kadis", action="policy.adopted"
        )
        made.clock.advance(59 * DAY + 20 * HOUR)
        yield made


def dispose(site: Site) -> int:
    """Let the rest of the term pass, and destroy what is due."""
    site.clock.advance(8 * HOUR)
    return len(Dispositions(site.evidence.site).apply(actor="os:tester"))


class During:
    """A cache; something happens right before each part is stored."""

    def __init__(self, cache: Any, happens: Callable[[], Any]) -> None:
        self._cache, self._happens = cache, happens

    def put(self, key: str, content: Content) -> Any:
        """Read it, let it happen, then store it."""
        with content.open() as reader:
            data = reader.read()
        self._happens()
        return self._cache.put(key, Content.of_bytes(data))


class Killed(BaseException):
    """The process ended here, as by ``kill -9``."""


@pytest.mark.parametrize("status", ["ready", "paused", "running"])
def test_no_part_outlives_its_footage(site: Site, status: str) -> None:
    export_id = order(site)
    stored = 0

    def happens() -> None:
        nonlocal stored
        stored += 1
        if stored == 2 and status == "paused":
            change(site, export_id, "paused")
        if stored == 2 and status == "running":
            raise Killed

    try:
        replace(worker(site), cache=During(site.services.stores.cache, happens)).run()  # type: ignore[arg-type]
    except Killed:
        assert status == "running"
    assert (shown(site, export_id)["status"], len(parts(site)) > 0) == (status, True)
    assert dispose(site) == 1
    assert parts(site) == [], "they are gone with the footage, without a turn of the job"
    refused = fetch(site, export_id)
    expected = "export_outdated" if status == "ready" else "export_not_ready"
    assert (refused.status_code, refused.json()["code"]) == (409, expected)
    change(site, export_id, "queued")
    one = worker(site)
    one.run()
    assert parts(site) == []
    one.run()
    assert shown(site, export_id)["status"] == ("outdated" if status == "ready" else "failed")
    assert parts(site) == []


def test_footage_that_is_destroyed_while_its_part_is_made_leaves_no_part(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model, "PIECE", 4 * SECOND)
    export_id = order(site, (CAMERA,))
    done: list[int] = []

    def destroy() -> None:
        if not done:
            done.append(dispose(site))

    one = worker(site)
    plan = one.plan

    def planned(camera: str, span: Timespan) -> Planned:
        if done:
            raise Killed  # whatever is stored now stays: no later step removes it
        return plan(camera, span)

    replace(one, cache=During(site.services.stores.cache, destroy), plan=planned).run()  # type: ignore[arg-type]
    assert done == [1]
    assert parts(site) == []
    one.run()
    assert shown(site, export_id)["code"] == "no_footage"


def test_footage_that_is_gone_before_the_index_knows_fails_nothing_at_once(site: Site) -> None:
    export_id = order(site, (CAMERA,))
    one = worker(site)
    ref = site.first[0]
    site.services.stores.footage.delete_version(ref.key, version=ref.version)
    assert one.run() == 0
    assert shown(site, export_id)["status"] == "running"
    site.clock.advance(SETTLED)
    one.run()
    assert (shown(site, export_id)["status"], shown(site, export_id)["code"]) == ("failed", "segment_missing")


def test_held_footage_keeps_its_export(site: Site) -> None:
    export_id = order(site, (CAMERA,))
    other = order(site, (EMPTY_CAMERA,))
    worker(site).run()
    form = {
        "cameras": [CAMERA], "from": instant(0), "to": instant(60), "case": "LP/1", "owner": "Polrestabes",
        "basis": "KUHAP 39", "review_at": instant(90 * 86_400),
    }  # fmt: skip
    assert site.call("POST", "/v1/holds", json=form).status_code == 201
    before = fetch(site, export_id).content
    assert dispose(site) == 1
    assert fetch(site, export_id).content == before
    assert fetch(site, other).json()["code"] == "export_outdated"
    worker(site).run()
    assert (shown(site, export_id)["status"], shown(site, other)["status"]) == ("ready", "outdated")


@pytest.mark.parametrize(
    ("camera", "start", "end", "stays"),
    [
        ("cam-1", 0, 10, False),
        ("cam-1", -10, 0, False),  # a clip may begin with frames from before its time
        ("cam-1", -(LEAD // SECOND) - 20, -(LEAD // SECOND) - 1, True),
        ("cam-1", 10, 20, True),
        ("cam-2", 0, 10, True),
    ],
)
def test_the_name_of_a_part_says_what_it_shows(
    tmp_path: Path, camera: str, start: int, end: int, stays: bool
) -> None:
    name = PartName(
        folder="exports/0123456789abcdef/exp-1/",
        camera="cam-1",
        span=Timespan(T0, T0 + 10 * SECOND),
        etag="a" * 64,
        sha256="b" * 64,
        crc32=0xC0FFEE,
    )
    assert PartName.of(name.key) == name
    cache = FilesystemStore(tmp_path, ManualClock(T0))
    cache.put(name.key, Content.of_bytes(b"a clip"))
    gone = SpanSet((Timespan(T0 + start * SECOND, T0 + end * SECOND),))
    forget_parts(cache, {camera: gone})
    assert [one.key for one in cache.list("")] == ([name.key] if stays else [])
    assert PartName.of(f"{name.folder}order.json") is None
