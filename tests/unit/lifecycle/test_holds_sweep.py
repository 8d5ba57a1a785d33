"""The sweep: the store flags exactly the segments that the ledger holds."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import keys
from archive.errors import ArchiveError, Malformed, Refused, Unavailable
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.holds.carrying import Carrier
from archive.lifecycle.holds.covered import Covered
from archive.lifecycle.holds.flags import Flags
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.journals import JournalMarks
from archive.lifecycle.holds.service import Holds
from archive.ports import Content, Stores
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from tests.support.archives import small_archive
from tests.support.holding import Fuse, Holding, Killed, holding, seconds
from tests.support.leaves import T0, segment
from tests.support.workers import quick_folder


@pytest.fixture
def site(tmp_path: Path) -> Holding:
    return holding(tmp_path)


# The rule ------------------------------------------------------------------------------------------------

CAMERAS = st.sets(st.sampled_from(["cam-1", "cam-2"]), min_size=1)
MOMENT = st.integers(-4000, 4000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("place"), CAMERAS, MOMENT, st.integers(1, 4000)),
        st.tuples(st.just("extend"), st.integers(0, 9), CAMERAS, st.integers(0, 2000), st.integers(0, 2000)),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(
            st.just("arrive"), st.sampled_from(["cam-1", "cam-2"]), MOMENT,
            st.sampled_from([2, 10, 300, 3600]), st.booleans(),
        ),
        st.tuples(st.just("wait"), st.sampled_from([1, 4, 16, 700])),
        st.just(("sweep",)),
        st.just(("restart",)),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_after_a_sweep_exactly_what_holds_in_force_cover_is_flagged(steps: Sequence[tuple[Any, ...]]) -> None:
    with quick_folder("sweep") as folder:
        site = holding(Path(folder))
        _Story(site).tell(steps)
        site.settle()
        assert site.flagged() == site.covered()
        indexed = site.flagged_in_index()
        assert indexed <= site.covered()
        assert site.incidents() == []
        site.archive.index.close()


class _Story:
    """Holds are placed, widened and released; the segments' recorder reads the ledger every 5 s."""

    def __init__(self, site: Holding) -> None:
        self.site = site
        self.known = HoldBook(())
        self.names: list[str] = []

    def tell(self, steps: Sequence[tuple[Any, ...]]) -> None:
        for name, *arguments in steps:
            getattr(self, name)(*arguments)

    def place(self, cameras: set[str], start: int, length: int) -> None:
        self.names.append(self.site.place(start, start + length, *cameras).hold.id)

    def _chosen(self, number: int) -> str | None:
        book = {hold.id: hold for hold in self.site.book().holds}
        live = [name for name in self.names if book[name].in_force]
        return live[number % len(live)] if live else None

    def extend(self, number: int, cameras: set[str], before: int, after: int) -> None:
        name = self._chosen(number)
        if name is None:
            return
        hold = self.site.holds.hold(name).hold
        span = type(hold.span)(hold.span.start - before * SECOND, hold.span.end + after * SECOND)
        if (set(cameras) <= set(hold.cameras)) and span == hold.span:
            return
        self.site.holds.extend(name, cameras=sorted(cameras), span=span, actor="os:ani", reason="more")

    def release(self, number: int) -> None:
        name = self._chosen(number)
        if name is not None:
            self.site.release(name)

    def arrive(self, camera: str, start: int, length: int, is_indexed: bool) -> None:
        probe = segment(camera=camera, start=T0 + start * SECOND, seconds=length)
        self.site.arrive(
            start, length, camera=camera, is_held=self.known.is_held(probe), is_indexed=is_indexed
        )

    def wait(self, length: int) -> None:
        self.site.archive.clock.advance(length * SECOND)
        self.known = self.site.book()

    def sweep(self) -> None:
        self.site.sweeper.run()

    def restart(self) -> None:
        self.site.sweeper = self.site.restarted()


# Edges ---------------------------------------------------------------------------------------------------


def test_a_segment_that_only_touches_the_span_is_free_and_one_that_overlaps_by_a_microsecond_is_held(
    site: Holding,
) -> None:
    before, into = site.arrive(0, 10), site.arrive(0, 10.000001)
    last, after = site.arrive(19.999999, 10), site.arrive(20, 10)
    hour_long = site.arrive(-3589, 3600)
    site.place(10, 20)
    site.sweeper.run()
    assert site.flagged() == {into.seq, last.seq, hour_long.seq}
    assert not {before.seq, after.seq} & site.flagged()


def test_the_store_is_right_without_the_index_too(site: Holding) -> None:
    for start in range(0, 60, 10):
        site.arrive(start, 10, is_indexed=start % 20 == 0)
    site.place(15, 25)
    site.sweeper.run()
    assert site.flagged() == {1, 2} == site.covered()
    assert site.flagged_in_index() == {2}


def test_an_index_that_is_away_stops_no_flag_and_is_told_afterwards(site: Holding) -> None:
    class Away:
        is_away = True

        def __getattr__(self, name: str) -> Any:
            if self.is_away:
                raise Unavailable("the index is away")
            return getattr(site.archive.index, name)

    site.arrive(0)
    name = site.place(0, 10).hold.id
    index = Away()
    sweeper = Sweeper(site.archive.stores, site.archive.ledger, index, site.archive.clock)
    with pytest.raises(Unavailable):
        sweeper.run()
    assert site.flagged() == {0}
    index.is_away = False
    site.archive.clock.advance(16 * SECOND)
    sweeper.run()
    assert site.flagged_in_index() == {0}
    found = sweeper.progress(name)
    assert found is not None
    assert found.is_verified


def test_a_segment_that_reached_the_index_after_the_sweep_is_shown_as_held(site: Holding) -> None:
    late = site.arrive(0, is_indexed=False)
    site.place(0, 10)
    site.sweeper.run()
    from archive.ports import IndexEntry

    site.archive.index.add([IndexEntry(leaf=late, place=None, held=False)])
    assert site.flagged_in_index() == set()
    site.settle()
    assert site.flagged_in_index() == {0}


def test_an_object_whose_leaf_does_not_read_counts_as_an_hour_long(site: Holding) -> None:
    body = b"no leaf" * 10
    leafless = segment(start=T0 - 30 * MINUTE)
    key = leafless.key
    site.archive.stores.footage.put(key, Content.of_bytes(body))
    name = site.place(0, 10).hold.id
    site.sweeper.run()
    assert site.archive.stores.footage.head(key).held
    site.release(name)
    site.sweeper.run()
    assert not site.archive.stores.footage.head(key).held


def test_what_has_no_segments_name_is_left_to_the_check(site: Holding) -> None:
    key = f"{keys.segment_prefix('cam-1', T0)}notes.txt"
    site.archive.stores.footage.put(key, Content.of_bytes(b"x"))
    site.arrive(0)
    site.place(0, 10)
    assert site.sweeper.run() == 1


# Overlapping holds, settling, cost -----------------------------------------------------------------------


def test_with_overlapping_holds_a_segment_is_free_only_when_all_are_released(site: Holding) -> None:
    for start in range(0, 40, 10):
        site.arrive(start)
    first, second = site.place(0, 30).hold.id, site.place(20, 40).hold.id
    site.sweeper.run()
    assert site.flagged() == {0, 1, 2, 3}
    site.release(first)
    site.sweeper.run()
    assert site.flagged() == {2, 3} == site.flagged_in_index()
    found = site.sweeper.progress(first)
    assert found is not None
    assert (found.segments, found.verified, found.kept) == (3, 2, 1)
    site.release(second)
    site.sweeper.run()
    assert site.flagged() == set() == site.flagged_in_index()


def test_a_hold_placed_while_another_is_cleared_finds_its_flags_set_again(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.arrive(0)
    first = site.place(0, 10).hold.id
    site.sweeper.run()
    site.release(first)
    archive = site.archive
    footage = archive.stores.footage
    covered = Covered(footage, archive.index)
    carrier = Carrier(Flags(footage), covered, archive.ledger, archive.index)
    (folder,) = covered.folders("cam-1", seconds(0, 10), archive.clock.now())
    real = footage.release_hold

    def meanwhile(key: str, *, version: str) -> None:
        site.place(0, 10, actor="os:cici")
        site.restarted().run()  # it finds the flag set, and verifies it
        real(key, version=version)

    monkeypatch.setattr(footage, "release_hold", meanwhile)
    count = carrier.free(first, folder, lambda: [hold for hold in site.book().holds if hold.in_force])
    assert site.flagged() == {0}
    assert (count.verified, count.kept, count.troubles) == (0, 1, 0)


def test_a_hold_is_settled_once_every_recorders_journal_has_passed_its_span(site: Holding) -> None:
    site.archive.register_recorder()
    site.arrive(0)
    name = site.place(0, 100).hold.id
    site.settle()
    found = site.sweeper.progress(name)
    assert found is not None
    assert (found.settled, found.waits_for) == (False, ("span_end",))
    site.archive.clock.advance(90 * SECOND)
    site.sweeper.run()
    found = site.sweeper.progress(name)
    assert found is not None
    assert (found.settled, found.waits_for) == (False, ("rec-1",))
    late = site.arrive(50)  # from a recorder that did not know the hold
    site.archive.write_journal([late])
    site.archive.clock.advance(6 * HOUR)
    site.sweeper.run()
    found = site.sweeper.progress(name)
    assert found is not None
    assert (found.settled, found.segments, found.waits_for) == (True, 2, ())
    assert site.flagged() == {0, 1}


def test_a_hold_into_the_future_covers_what_comes(site: Holding) -> None:
    name = site.place(-10, 3 * HOUR / SECOND).hold.id
    site.settle()
    site.arrive(7000)
    site.archive.clock.advance(6 * HOUR)
    site.sweeper.run()
    assert site.flagged() == {0}
    found = site.sweeper.progress(name)
    assert found is not None
    assert found.segments == 1


def test_a_look_at_settled_holds_costs_one_listing(site: Holding, monkeypatch: pytest.MonkeyPatch) -> None:
    for start in range(0, 50, 10):
        site.arrive(start)
    site.place(0, 50)
    site.settle()
    site.release(site.place(0, 20).hold.id)
    site.settle()
    fuse = Fuse(at=-1)
    sweeper = site.restarted(fuse)
    sweeper.run()
    fuse.calls = 0
    sweeper.run()
    assert fuse.calls == 1


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_flag_that_somebody_took_away_is_on_record_and_set_again_within_a_day(
    site: Holding, is_restarted: bool
) -> None:
    taken = site.arrive(0)
    site.place(0, 10)
    site.settle()
    version = site.archive.stores.footage.head(taken.key).version
    site.archive.stores.footage.release_hold(taken.key, version=version)
    if is_restarted:
        site.sweeper = site.restarted()
    site.archive.clock.advance(HOUR)
    site.sweeper.run()
    assert site.incidents() == []
    site.archive.clock.advance(DAY)
    site.sweeper.run()
    assert site.flagged() == {0}
    assert site.incidents() == ["hold_not_kept"]


def test_a_taken_flag_is_an_incident_for_the_worker_that_had_verified_it(site: Holding) -> None:
    taken = site.arrive(0)
    site.place(0, 10)
    site.sweeper.run()
    version = site.archive.stores.footage.head(taken.key).version
    site.archive.stores.footage.release_hold(taken.key, version=version)
    site.archive.clock.advance(16 * SECOND)
    site.sweeper.run()
    assert site.incidents() == ["hold_not_kept"]
    assert site.flagged() == {0}


# Troubles ------------------------------------------------------------------------------------------------


def test_a_store_that_does_not_follow_orders_is_an_incident_and_never_counts_as_verified(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.arrive(0)
    other = site.arrive(10)
    name = site.place(0, 20).hold.id
    footage = site.archive.stores.footage
    real = footage.place_hold

    def deaf(key: str, *, version: str) -> None:
        if key == other.key:
            real(key, version=version)

    monkeypatch.setattr(footage, "place_hold", deaf)
    site.sweeper.run()
    found = site.sweeper.progress(name)
    assert found is not None
    assert (found.segments, found.verified, found.troubles, found.is_verified) == (2, 1, 1, False)
    assert site.incidents() == ["hold_not_kept"]
    monkeypatch.undo()
    site.settle()
    assert site.flagged() == {0, 1}


def test_a_refusal_of_one_version_stops_no_other(site: Holding, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = site.arrive(0)
    site.arrive(10)
    site.place(0, 20)
    footage = site.archive.stores.footage
    real = footage.place_hold

    def picky(key: str, *, version: str) -> None:
        if key == refused.key:
            raise Refused("no")
        real(key, version=version)

    monkeypatch.setattr(footage, "place_hold", picky)
    site.sweeper.run()
    assert site.flagged() == {1}
    assert site.incidents() == ["hold_not_kept"]


def test_a_hold_placed_during_a_long_sweep_is_carried_out_in_between_and_its_trouble_is_its_own(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in range(4):
        site.arrive(-3600 * hour)
    urgent, broken = site.arrive(0, camera="cam-2"), site.arrive(100, camera="cam-2")
    site.place(-4 * 3600, 10)
    footage = site.archive.stores.footage
    real, order = footage.place_hold, []

    def watched(key: str, *, version: str) -> None:
        if not order:
            site.place(0, 10, "cam-2")
            site.place(100, 110, "cam-2")
        order.append(key)
        if key == broken.key:
            raise Unavailable("not this one")
        real(key, version=version)

    monkeypatch.setattr(footage, "place_hold", watched)
    with pytest.raises(Unavailable):
        site.sweeper.run()
    assert order.index(urgent.key) < 3
    assert site.flagged() == site.covered() - {broken.seq}
    monkeypatch.undo()
    site.settle()
    assert site.flagged() == site.covered()


def test_an_account_without_the_right_is_a_trouble_and_no_finding_about_any_segment(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.arrive(0)
    name = site.place(0, 20).hold.id

    def denied(key: str, *, version: str) -> None:
        raise Refused("the account may not do that", code="store_access_denied")

    monkeypatch.setattr(site.archive.stores.footage, "place_hold", denied)
    with pytest.raises(Refused):
        site.sweeper.run()
    assert site.incidents() == []
    assert site.sweeper.progress(name) is None


def test_a_held_segment_that_the_index_names_and_the_store_lacks_is_an_incident(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.arrive(0)
    site.arrive(10)
    lost = site.arrive(20)
    site.place(0, 30)
    stores = site.archive.stores
    path = Path(stores.footage._root) / lost.key  # type: ignore[attr-defined]
    path.unlink()
    site.sweeper.run()
    assert site.incidents() == []  # a disposition may be about to update the index
    site.archive.clock.advance(16 * SECOND)
    site.sweeper.run()
    assert site.incidents() == ["held_segment_missing"]
    (entry,) = site.archive.ledger.heads("integrity_incident")
    assert lost.key in entry.state["subject"]


def damage(site: Holding, key: str) -> None:
    """Make an entry unreadable by hand."""
    path = Path(site.archive.stores.records._root) / key  # type: ignore[attr-defined]
    body = path.read_bytes()
    path.chmod(0o640)
    path.write_bytes(b"?" * len(body))


def test_a_hold_that_does_not_read_stops_every_clearing_and_no_setting(site: Holding) -> None:
    site.arrive(0)
    first, broken = site.place(0, 10), site.place(500, 600)
    site.sweeper.run()
    site.release(first.hold.id)
    damage(site, keys.ledger_key("hold", broken.hold.id, 1))
    site.place(0, 5, "cam-2")
    other = site.arrive(0, camera="cam-2")
    sweeper = site.restarted()
    with pytest.raises(ArchiveError):
        sweeper.run()
    assert site.flagged() == {0, other.seq}
    assert "hold_unreadable" in site.incidents()


def test_a_span_from_the_beginning_of_time_costs_no_more_than_what_there_is(site: Holding) -> None:
    site.arrive(0)
    now = site.archive.clock.now()
    for span in (Timespan(0, now + DAY), Timespan.parse("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z")):
        site.holds = Holds(
            site.archive.ledger, site.archive.stores.records, site.archive.index, site.archive.clock,
            max_future=span.end,
        )  # fmt: skip
        site.holds.place(
            cameras=["cam-1", "cam-2"], span=span, case="LP/1", owner="o", basis="b", review_at=now + DAY,
            actor="os:ani",
        )  # fmt: skip
        fuse = Fuse(at=-1)
        site.restarted(fuse).run()
        assert fuse.calls < 100
    assert site.flagged() == {0}


def test_tidying_clears_what_no_hold_covers_and_nothing_else(site: Holding) -> None:
    site.arrive(0, is_held=True)
    site.arrive(10, is_held=True)
    site.arrive(20)
    site.place(10, 20)
    site.sweeper.run()
    assert site.sweeper.tidy("cam-1", seconds(0, 100)) == 1
    assert site.flagged() == {1} == site.flagged_in_index()


# Kill -9 -------------------------------------------------------------------------------------------------


def test_a_kill_between_any_two_calls_is_made_good_by_the_next_run(site: Holding) -> None:
    for start in range(0, 40, 10):
        site.arrive(start)
    kept, released = site.place(0, 20).hold.id, site.place(10, 40).hold.id
    site.release(released)
    cuts = 0
    for is_after in (False, True):
        for at in itertools.count(1):
            as_before(site)
            try:
                site.restarted(Fuse(at, is_after=is_after)).run()
            except Killed:
                cuts += 1
            else:
                break
            assert 1 in site.flagged(), "what is held is never cleared on the way"
            site.restarted().run()
            assert site.flagged() == {0, 1} == site.flagged_in_index()
            found = site.sweeper.progress(kept)
            assert found is not None
            assert found.is_verified
    assert cuts > 60
    assert site.incidents() == []


def as_before(site: Holding) -> None:
    """The first hold is not applied yet; the second, released hold is not cleared yet."""
    footage, cache, index = site.archive.stores.footage, site.archive.stores.cache, site.archive.index
    for one in site.segments:
        version = footage.head(one.key).version
        (footage.place_hold if one.seq else footage.release_hold)(one.key, version=version)
        (index.mark_held if one.seq else index.mark_free)([one.ref()])
    for cached in list(cache.list("holds/")):
        cache.delete_version(cached.key, version=cached.version)


def test_progress_that_does_not_read_only_repeats_work(site: Holding) -> None:
    site.arrive(0)
    name = site.place(0, 10).hold.id
    site.sweeper.run()
    cache = site.archive.stores.cache
    (kept,) = cache.list("holds/")
    cache.delete_version(kept.key, version=kept.version)
    cache.put(f"holds/{name}/99999999999999999999-00000001.json", Content.of_bytes(b"{}"))
    again = site.restarted()
    assert again.progress(name) is None
    again.run()
    found = again.progress(name)
    assert found is None or found.is_verified


def test_stores_are_handed_in(site: Holding) -> None:
    assert isinstance(site.archive.stores, Stores)
    with pytest.raises(Malformed):
        site.sweeper.progress("not an id")


def test_an_object_that_is_no_entry_keeps_no_sweep_from_knowing_the_recorders(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    archive.register_recorder()
    archive.stores.records.put("ledger/recorder/rec-1/a.tmp", Content.of_bytes(b"{}"))
    marks = JournalMarks(archive.stores.records)
    marks.look(T0)
    assert marks.behind(T0) == ("rec-1",)
