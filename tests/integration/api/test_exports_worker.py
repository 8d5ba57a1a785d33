"""Workers of exports: killed at any write, two at once, a store that is away, and people who take turns."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from archive.cases.exports import model
from archive.cases.exports.board import ExportBoard
from archive.cases.exports.model import KEPT, TIME_TO_MAKE
from archive.cases.exports.worker import LEASE, TURN, ExportWorker
from archive.errors import NotFound, StoreFull, Unavailable
from archive.ports import Content
from archive.timespan import HOUR, SECOND
from ops import doctor
from ops.doctor import Light
from ops.exports import UNATTENDED
from ops.tokens import token_file
from tests.support.api_site import ASKED, CAMERA, EMPTY_CAMERA, T0, Caller, Site, archive_run, made_footage
from tests.support.api_site import open_site as opened
from tests.support.exports import EXPORTS, change, fetch, order, parts, shown, worker

ROOM = 1 << 30


class Killed(BaseException):
    """The process ended here, as by ``kill -9``."""


class Watched:
    """A cache that calls back before or after each write."""

    def __init__(self, cache: Any, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._cache, self._before, self._after = cache, before, after

    def put(self, key: str, *args: Any, **options: Any) -> Any:
        """Call, put, call."""
        self._before(key)
        found = self._cache.put(key, *args, **options)
        self._after(key)
        return found

    def delete_version(self, key: str, **options: Any) -> None:
        """Call, delete, call."""
        self._before(key)
        self._cache.delete_version(key, **options)
        self._after(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)


def nothing(_key: str) -> None:
    """Let it happen."""


def watched(
    site: Site, *, before: Callable[[str], None] = nothing, after: Callable[[str], None] = nothing
) -> ExportWorker:
    """A worker whose writes to the cache are watched."""
    cache: Any = Watched(site.services.stores.cache, before, after)
    return replace(worker(site), cache=cache, board=ExportBoard(cache, site.clock, room=ROOM))


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as made:
        archive_run(made.services, made_footage()[:2], run="6b05180000000003", start=T0, camera=EMPTY_CAMERA)
        yield made


@pytest.fixture
def site(whole_site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Two cameras with footage, pieces of 4 s, and no export."""
    monkeypatch.setattr(model, "PIECE", 4 * SECOND)
    for folder in whole_site.services.exports.folders():
        whole_site.services.exports.forget(folder.prefix)
    return whole_site


def made_undisturbed(site: Site) -> tuple[str, bytes]:
    export_id = order(site)
    assert worker(site).run() > 0
    return export_id, fetch(site, export_id).content


@pytest.mark.parametrize("late", [False, True], ids=["before the write", "after the write"])
@pytest.mark.parametrize("error", [Killed, StoreFull])
def test_killed_at_any_write_it_ends_where_an_undisturbed_one_does(
    site: Site, late: bool, error: type[BaseException]
) -> None:
    first, whole = made_undisturbed(site)
    assert len(parts(site)) == 6
    change(site, first, "cancelled")
    for number in range(100):
        export_id, left = order(site), number

        def stop(_key: str) -> None:
            nonlocal left
            left -= 1
            if left == -1:
                raise error("here")

        try:
            watched(site, **{"after" if late else "before": stop}).run()
        except error:
            pass
        else:
            if left >= 0:
                break
        site.clock.advance(LEASE)
        worker(site).run()
        assert shown(site, export_id)["status"] == "ready", number
        assert fetch(site, export_id).content == whole, number
        assert len(parts(site)) == 6, number
        change(site, export_id, "cancelled")
        assert parts(site) == [], number
    else:
        pytest.fail("it never ended undisturbed")
    assert number >= 14, "a claim, a part and a state for each of six pieces, and the end"


def test_two_workers_make_one_export(site: Site) -> None:
    _, whole = made_undisturbed(site)
    second = order(site)
    stored: list[str] = []
    workers = [watched(site, after=stored.append) for _ in range(4)]
    threads = [threading.Thread(target=one.run) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert shown(site, second)["status"] == "ready"
    assert fetch(site, second).content == whole
    made = [key for key in stored if key.endswith(".mp4")]
    assert len(made) == len(set(made)) == 6
    assert len([one for one in site.events("export.made") if second in one.objects]) == 1


@pytest.mark.parametrize("status", ["paused", "running"])
def test_a_part_that_was_lost_is_made_again(site: Site, status: str) -> None:
    _, whole = made_undisturbed(site)
    export_id = order(site)
    cache = site.services.stores.cache
    stored: list[str] = []

    def lose(key: str) -> None:
        if key.endswith(".mp4"):
            stored.append(key)
            if len(stored) == 3:
                cache.delete_version(stored[0], version=next(cache.versions(stored[0])).version)
                if status == "paused":
                    change(site, export_id, "paused")

    watched(site, after=lose).run()
    if status == "paused":
        assert shown(site, export_id)["parts_done"] == 2
        worker(site).run()
        assert shown(site, export_id)["parts_done"] == 1, "the one that is lost is not counted"
        change(site, export_id, "queued")
    else:
        assert shown(site, export_id)["parts_done"] == 5
        site.clock.advance(LEASE)
    worker(site).run()
    assert shown(site, export_id)["status"] == "ready"
    assert fetch(site, export_id).content == whole


def test_people_take_turns(site: Site) -> None:
    mine = []
    for _ in range(3):
        mine.append(order(site))
        site.clock.advance(SECOND)
    token = token_file(site.evidence.site).create("other", site.clock)
    other = Caller(site.app, {"Authorization": f"Bearer {token}"})
    form = {"cameras": [CAMERA, EMPTY_CAMERA], **ASKED}
    theirs = other("POST", EXPORTS, json=form).json()["export_id"]
    made: list[str] = []

    def slow(key: str) -> None:
        if key.endswith(".mp4"):
            made.append(key.split("/")[2])
            site.clock.advance(TURN)

    one = watched(site, after=slow)
    for _ in range(4):
        assert one.run() == 1
    assert made == [mine[0], theirs, mine[0], theirs]
    while shown(site, mine[-1])["status"] != "ready":
        one.run()
    assert made.index(theirs) < 2
    assert max(place for place, name in enumerate(made) if name == theirs) < 12
    assert len(made) == 24, "no part was made twice"


def test_what_fails_for_one_holds_up_no_other(site: Site) -> None:
    bad, good = order(site), order(site, (CAMERA,))
    one = worker(site)
    plan = one.plan

    def planned(camera: str, span: Any) -> Any:
        if camera == EMPTY_CAMERA:
            raise Unavailable("its segments cannot be read now")
        return plan(camera, span)

    one.plan = planned
    with pytest.raises(Unavailable):
        one.run()
    assert shown(site, good)["status"] == "ready"
    assert shown(site, bad)["parts_done"] == 3
    site.clock.advance(TIME_TO_MAKE)
    assert one.run() >= 1
    said = shown(site, bad)
    assert (said["status"], said["code"], said["bytes_done"]) == ("failed", "export_expired", 0)
    assert not any(bad in key for key in parts(site))

    def unknown(camera: str, span: Any) -> Any:
        raise NotFound(f"there is no camera {camera}", code="camera_not_found")

    one.plan = unknown
    third = order(site, (CAMERA,))
    assert one.run() >= 1
    assert (shown(site, third)["status"], shown(site, third)["code"]) == ("failed", "camera_not_found")


def test_a_full_cache_is_tidied_before_anything_is_made(site: Site) -> None:
    old, _ = made_undisturbed(site)
    site.clock.advance(KEPT)
    fresh = order(site)

    def full(key: str) -> None:
        if key.endswith(".mp4") and fresh in key:
            raise StoreFull("no room")

    with pytest.raises(StoreFull):
        watched(site, before=full).run()
    assert not any(old in one.key for one in site.services.stores.cache.list("exports/"))
    assert shown(site, fresh)["status"] == "running"
    site.clock.advance(LEASE)
    worker(site).run()
    assert shown(site, fresh)["status"] == "ready"


def test_what_is_paused_for_a_day_is_gone(site: Site) -> None:
    export_id = order(site)
    stop = iter((1,))

    def pause(key: str) -> None:
        if key.endswith(".mp4") and next(stop, None):
            change(site, export_id, "paused")

    watched(site, after=pause).run()
    assert len(parts(site)) == 1, "what was being made"
    site.clock.advance(TIME_TO_MAKE)
    assert worker(site).run() == 1
    assert shown(site, export_id)["code"] == "export_expired"
    assert parts(site) == []


def test_what_cannot_be_read_is_removed(site: Site) -> None:
    made_undisturbed(site)
    cache = site.services.stores.cache
    (order_key,) = (one.key for one in cache.list("exports/") if one.key.endswith("order.json"))
    folder = order_key.removesuffix("order.json")
    home = site.evidence.site.settings.home
    (path,) = (one for one in home.rglob("order.json") if one.is_file())
    path.chmod(0o644)
    path.write_bytes(b"{}" + path.read_bytes()[2:])
    half = "exports/0123456789abcdef/exp-half/"
    cache.put(f"{half}order.json", Content.of_bytes(b"{}"))
    assert worker(site).run() == 2
    assert list(cache.versions(folder)) == list(cache.versions(half)) == []


def test_an_order_whose_writer_died_goes_after_an_hour(site: Site) -> None:
    order(site)
    cache = site.services.stores.cache
    (state,) = (one for one in cache.versions("exports/") if "/state/" in one.key)
    cache.delete_version(state.key, version=state.version)
    assert worker(site).run() == 0
    assert site.call.get(EXPORTS).json() == {"exports": []}
    site.clock.advance(HOUR)
    assert worker(site).run() == 1
    assert list(cache.versions("exports/")) == []


def test_the_doctor_says_that_nobody_makes_exports(site: Site) -> None:
    def light() -> tuple[Light, str]:
        (found,) = doctor._exports(site.evidence.site)
        return found.light, found.message

    order(site)
    assert light()[0] is Light.GREEN
    site.clock.advance(UNATTENDED + SECOND)
    assert light()[0] is Light.AMBER
    worker(site).run()
    assert light()[0] is Light.GREEN
    assert "1 are ready" in light()[1]
