"""The follower brings custody and ledger into the index: once, completely, whatever is damaged or killed."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive import keys
from archive.clock import ManualClock
from archive.errors import ArchiveError, Unavailable
from archive.integrity.rebuild import filling
from archive.integrity.rebuild.behind import records_behind
from archive.integrity.rebuild.follow import Follower
from archive.integrity.rebuild.report import RebuildReport
from archive.model.custody import Actor
from archive.ports import Content, Record, RecordQuery
from archive.records.custody import CustodyWriter
from archive.records.indexed import marks
from archive.records.indexed.events import ACT
from archive.records.indexed.unread import UNREAD, refuse_unread_custody, refuse_unread_streams
from archive.records.ledger.streams import KINDS
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.handovers import BUDI
from tests.support.leaves import T0

GRACE = 10 * MINUTE


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


def followed(archive: SmallArchive) -> Follower:
    return Follower(archive.stores.records, archive.index, archive.clock)


def writer(archive: SmallArchive, name: str = "api-1") -> CustodyWriter:
    return CustodyWriter(archive.stores.records, archive.clock, writer=name)


def act(chain: CustodyWriter, *objects: str, **details: Any) -> str:
    return chain.record("clip.describe", actor=Actor(id=BUDI), objects=objects, details=details).id


def everything(archive: SmallArchive) -> dict[str, Sequence[Record]]:
    """Every record of the index, by kind."""
    return {
        kind: archive.index.find_records(RecordQuery(kind=kind), limit=1000) for kind in (ACT, UNREAD, *KINDS)
    }


def ids(archive: SmallArchive) -> set[str]:
    return {one.id for one in archive.index.find_records(RecordQuery(kind=ACT), limit=1000)}


def behind(archive: SmallArchive) -> list[str]:
    return [*records_behind(archive.stores.records, archive.index, archive.clock.now(), GRACE)]


def test_what_other_processes_wrote_is_found_after_a_turn(archive: SmallArchive) -> None:
    follower = followed(archive)
    assert follower.run().changes == 0
    made = act(writer(archive), "cam-1")
    archive.registry.add(camera_form(), actor="os:ani")
    archive.clock.advance(6 * SECOND)
    report = follower.run()
    assert (report.events, report.entries, report.left_out) == (1, 1, [])
    assert made in ids(archive)
    assert archive.index.record("camera", "cam-1") is not None
    archive.clock.advance(6 * SECOND)
    assert follower.run().changes == 0
    assert followed(archive).run().changes == 0, "nor is anything new to another process"
    assert marks.followed_at(archive.index) == archive.clock.now()


def test_a_turn_reads_only_what_is_new(archive: SmallArchive) -> None:
    chain, follower = writer(archive), followed(archive)
    for _ in range(5):
        act(chain, "cam-1")
    follower.run()
    got: list[str] = []
    whole = archive.stores.records.get

    def counted(key: str, *, version: str | None = None) -> bytes:
        got.append(key)
        return whole(key, version=version)

    archive.stores.records.get = counted  # type: ignore[method-assign]
    act(chain, "cam-1")
    archive.clock.advance(6 * SECOND)
    follower.run()
    assert got == [keys.custody_key("api-1", 6, T0)]


def test_an_object_that_is_stored_hours_late_is_found_within_a_day(archive: SmallArchive) -> None:
    follower = followed(archive)
    made = act(writer(archive, "api-2"), "cam-1")
    follower.run()
    archive.clock.advance(5 * HOUR)
    follower.run()
    late = CustodyWriter(archive.stores.records, ManualClock(T0), writer="api-1")
    found = act(late, "cam-1")  # its store was away, and its name was chosen before
    follower.run()
    assert ids(archive) == {made}
    archive.clock.advance(DAY)
    follower.run()
    assert ids(archive) == {made, found}


def test_a_late_object_is_found_at_once_by_the_next_process(archive: SmallArchive) -> None:
    made = act(writer(archive), "cam-1")
    followed(archive).run()
    archive.clock.advance(9 * HOUR)
    late = act(CustodyWriter(archive.stores.records, ManualClock(T0), writer="api-9"), "cam-1")
    followed(archive).run()
    assert ids(archive) == {made, late}


def test_an_object_that_cannot_be_read_is_set_aside_and_stops_nothing(archive: SmallArchive) -> None:
    bad = keys.custody_key("api-0", 1, T0)
    archive.stores.records.put(bad, Content.of_bytes(b"{}\n{}\n"))
    archive.stores.records.put("custody/strange", Content.of_bytes(b"x"))
    archive.stores.records.put("ledger/hold/strange", Content.of_bytes(b"x"))
    archive.stores.records.put("ledger/nothing/a/00000001.json", Content.of_bytes(b"x"))
    made = act(writer(archive), "cam-1")
    follower = followed(archive)
    report = follower.run()
    assert {one.object: one.code for one in report.left_out} == {
        bad: "custody_form",
        "custody/strange": "foreign_object",
        "ledger/hold/strange": "bad_key",
        "ledger/nothing/a/00000001.json": "bad_key",
    }
    assert ids(archive) == {made}
    archive.clock.advance(MINUTE)
    assert follower.run().left_out == [], "it is named once"
    archive.clock.advance(HOUR)
    assert behind(archive) == [], "it does not make the index incomplete"
    with pytest.raises(ArchiveError) as caught:
        refuse_unread_custody(archive.index, Timespan(T0, T0 + 1))
    assert caught.value.code == "custody_form"
    refuse_unread_custody(archive.index, Timespan(T0 + 5 * HOUR, T0 + 6 * HOUR))


def test_what_was_set_aside_is_read_again_each_day(archive: SmallArchive) -> None:
    made = act(writer(archive), "cam-1")
    entry = archive.ledger.append("user", "ani", {"name": "A"}, expected=0, actor="os:a", action="user.added")
    later = archive.ledger.append("user", "ani", {"name": "B"}, expected=1, actor="os:a", action="user.x")
    store = archive.stores.records
    whole = store.get
    store.get = lambda key, *, version=None: whole(key, version=version)[:-2]  # type: ignore[method-assign]
    follower = followed(archive)
    assert len(follower.run().left_out) == 3
    assert ids(archive) == set()
    with pytest.raises(ArchiveError):
        refuse_unread_streams(archive.index, [("user", "ani")])
    store.get = whole  # type: ignore[method-assign]
    archive.clock.advance(HOUR)
    follower.run()
    assert ids(archive) == set(), "it is not read in every turn"
    archive.clock.advance(DAY)
    follower.run()
    assert ids(archive) == {made, entry.entry_id, later.entry_id}
    assert len(everything(archive)[UNREAD]) == 0
    found = archive.index.record("user", "ani")
    assert found is not None
    assert found.body["state"] == {"name": "B"}


def test_a_hole_in_a_stream_is_set_aside(archive: SmallArchive) -> None:
    for version in range(3):
        archive.ledger.append("user", "ani", {}, expected=version, actor="os:a", action="user.x")
    records = archive.stores.records
    archive.clock.advance(4000 * DAY)
    second = keys.ledger_key("user", "ani", 2)
    records.delete_version(second, version=records.head(second).version)
    report = followed(archive).run()
    assert [(one.object, one.code) for one in report.left_out] == [(second, "ledger_broken")]
    assert report.entries == 2


def test_an_event_that_the_index_cannot_keep_is_set_aside(archive: SmallArchive) -> None:
    clock = ManualClock(-5)  # before 1970
    chain = CustodyWriter(archive.stores.records, clock, writer="api-9", lock_days=40_000)
    act(chain, "cam-1")
    made = act(writer(archive), "cam-1")
    report = followed(archive).run()
    assert [one.code for one in report.left_out] == ["bad_record"]
    assert ids(archive) == {made}


class Dying:
    """An index whose process dies before or after its n-th write."""

    def __init__(self, index: Any, at: int, *, after: bool) -> None:
        self._index = index
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        act = getattr(self._index, name)
        if name not in {"put_records", "keep_record_marks", "remove_records", "remove_streams"}:
            return act

        def once(*given: Any) -> None:
            self._left -= 1
            if self._left < 0:
                raise Unavailable("dead")
            if self._left == 0:
                if self._after:
                    act(*given)
                raise Unavailable("killed here")
            act(*given)

        return once


def fill(archive: SmallArchive) -> None:
    """Some of everything: two writers over hours, streams with histories, an unreadable object."""
    chains = [writer(archive, name) for name in ("api-1", "api-2")]
    for number in range(6):
        act(chains[number % 2], "cam-1", size=number)
        archive.clock.advance(25 * MINUTE)
    archive.registry.add(camera_form(), actor="os:ani")
    archive.registry.edit("cam-1", {"name": "B"}, actor="user:budi")
    for version in range(3):
        archive.ledger.append(
            "user", "ani", {"name": f"{version}"}, expected=version, actor="os:a", action="x"
        )
    archive.stores.records.put(keys.custody_key("api-0", 1, T0), Content.of_bytes(b"x\n"))


@pytest.mark.parametrize("after", [False, True])
def test_a_follower_that_is_killed_between_any_two_steps_is_repeated(tmp_path: Path, after: bool) -> None:
    archive = small_archive(tmp_path)
    fill(archive)
    followed(archive).run()
    whole = everything(archive)
    steps = 0
    while True:
        steps += 1
        archive.index.close()
        (tmp_path / "index.sqlite").unlink()
        archive.index = open_sqlite(tmp_path / "index.sqlite")
        dying = Dying(archive.index, steps, after=after)
        try:
            Follower(archive.stores.records, dying, archive.clock).run()
        except Unavailable:
            followed(archive).run()
            assert everything(archive) == whole
        else:
            break
    assert steps > 6
    archive.index.close()


def test_two_followers_at_once_find_what_one_finds(archive: SmallArchive, tmp_path: Path) -> None:
    fill(archive)
    others = [open_sqlite(tmp_path / "index.sqlite") for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        runs = [pool.submit(Follower(archive.stores.records, one, archive.clock).run) for one in others]
        assert max(one.result().changes for one in runs) > 0
    found = everything(archive)
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    for one in others:
        one.close()


class Replaceable:
    """An index in whose place another one can be put, as a restored backup is."""

    def __init__(self, index: Any) -> None:
        self.index = index

    def __getattr__(self, name: str) -> Any:
        return getattr(self.index, name)


def test_an_old_copy_that_is_put_back_under_a_follower_is_filled(
    archive: SmallArchive, tmp_path: Path
) -> None:
    fill(archive)
    old = open_sqlite(tmp_path / "old.sqlite")
    Follower(archive.stores.records, old, archive.clock).run()
    archive.clock.advance(MINUTE)
    index = Replaceable(archive.index)
    follower = Follower(archive.stores.records, index, archive.clock)
    follower.run()
    made = act(writer(archive, "api-7"), "cam-1")
    archive.registry.edit("cam-1", {"name": "C"}, actor="user:budi")
    archive.clock.advance(MINUTE)
    follower.run()
    whole = everything(archive)
    assert made in ids(archive)
    archive.index.close()
    index.index = archive.index = old
    archive.clock.advance(MINUTE)
    follower.run()
    assert everything(archive) == whole


def test_a_follower_whose_clock_was_wrong_is_not_believed(archive: SmallArchive) -> None:
    ahead = ManualClock(T0 + 365 * DAY)
    Follower(archive.stores.records, archive.index, ahead).run()
    act(writer(archive), "cam-1")
    archive.clock.advance(GRACE)
    assert behind(archive) == ["custody/2026/11/24/06"]


def test_an_index_is_behind_what_it_lacks_for_long(archive: SmallArchive) -> None:
    assert behind(archive) == []
    act(writer(archive), "cam-1")
    archive.registry.add(camera_form(), actor="os:ani")
    assert behind(archive) == [], "a young object may be on its way"
    archive.clock.advance(GRACE)
    assert behind(archive) == ["custody/2026/11/24/06", "ledger/camera/cam-1"]
    follower = followed(archive)
    follower.run()
    assert behind(archive) == []
    act(writer(archive, "api-2"), "cam-1")
    archive.clock.advance(GRACE)
    assert behind(archive) == ["custody/2026/11/24/06"], "nobody has followed since"
    follower.run()
    archive.clock.advance(DAY)
    assert behind(archive) == [], "nobody follows, and nothing is missing"


def test_a_rebuild_finds_what_a_follower_finds(archive: SmallArchive) -> None:
    fill(archive)
    followed(archive).run()
    found = everything(archive)
    report = rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    assert (report.custody_events, report.ledger_entries) == (6, 5)
    assert "custody_form" in {one.code for one in report.left_out}
    archive.clock.advance(MINUTE)
    assert followed(archive).run().changes == 0, "a follower has nothing to add"
    archive.clock.advance(HOUR)
    assert behind(archive) == []


def test_custody_is_read_in_workers_alike(archive: SmallArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(archive)
    rebuild_index(archive.stores, archive.index)
    found = everything(archive)
    monkeypatch.setattr(filling, "_CHUNK", 1)
    monkeypatch.setattr(filling.fill_custody, "__kwdefaults__", {"worth": 0})
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found


def test_a_rebuild_that_was_killed_reads_only_the_hours_that_are_left(
    archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archive)
    followed(archive).run()
    found = everything(archive)
    monkeypatch.setattr(filling, "_BATCH", 1)
    monkeypatch.setattr(filling, "_CHUNK", 1)
    got: list[str] = []
    whole = archive.stores.records.get

    def dying(key: str, *, version: str | None = None) -> bytes:
        got.append(key)
        if key.startswith("custody/2026/11/24/08"):
            raise Unavailable("killed here")
        return whole(key, version=version)

    with ThreadPoolExecutor(1) as pool, archive.index.rebuild() as fresh:
        archive.stores.records.get = dying  # type: ignore[method-assign]
        report = RebuildReport()
        with pytest.raises(Unavailable):
            filling.fill_custody(archive.stores.records, fresh, report, lambda *_: None, pool)
        archive.stores.records.get = whole  # type: ignore[method-assign]
        done = set(fresh.record_marks("custody-2026-11-24"))
        assert "06" in done
        filling.fill_custody(archive.stores.records, fresh, report, lambda *_: None, pool)
        filling.fill_ledger(archive.stores.records, fresh, report, lambda *_: None, pool)
        fresh.loaded()
    assert everything(archive) == found


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(
        st.sampled_from(["event", "late", "entry", "bad", "follow", "hour", "day", "restart"]), max_size=14
    )
)
def test_whatever_happens_followed_is_rebuilt(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    archive = small_archive(tmp_path_factory.mktemp("archive"))
    chain, follower = writer(archive), followed(archive)
    version = 0
    for number, step in enumerate(steps):
        match step:
            case "event":
                act(chain, f"cam-{number}", at="2026-11-24T14:00:00+08:00")
            case "late":
                act(CustodyWriter(archive.stores.records, ManualClock(T0), writer=f"late-{number}"), "cam-1")
            case "entry":
                archive.ledger.append("grant", "g", {"n": number}, expected=version, actor="os:a", action="x")
                version += 1
            case "bad":
                key = keys.custody_key(f"bad-{number}", 1, archive.clock.now())
                archive.stores.records.put(key, Content.of_bytes(b"?"))
            case "follow":
                follower.run()
            case "hour":
                archive.clock.advance(HOUR)
            case "day":
                archive.clock.advance(DAY)
            case "restart":
                follower = followed(archive)
        archive.clock.advance(SECOND)
    archive.clock.advance(DAY)
    follower.run()
    found = everything(archive)
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    archive.index.close()
