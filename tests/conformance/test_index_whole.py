"""An index knows whether it is whole, and answers no question while it is not."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Unavailable
from archive.integrity.rebuild.follow import Follower
from archive.integrity.rebuild.sync import Sync
from archive.model.custody import Actor
from archive.model.segment import UNSYNCHRONISED
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectVersion, RecordQuery
from archive.records.custody import CustodyWriter
from archive.timespan import DAY, MINUTE, SECOND, Timespan
from search.index import Index
from search.rebuilding import rebuild_index
from search.whole import WholeIndex
from search.wholeness import GRACE, Wholeness
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.indexes import ANY, IndexUnderTest, entry, refused_with
from tests.support.leaves import T0, segment
from tests.support.written import record

SPAN = Timespan(T0, T0 + MINUTE)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path / "archive")
    yield made
    made.index.close()


def guarded(small: SmallArchive, index: Index) -> WholeIndex:
    """The index as every process opens it."""
    return WholeIndex(index, Wholeness(index, small.stores, small.ledger, small.clock))


def incomplete(index: Index) -> None:
    error = refused_with(Unavailable, "index_incomplete", lambda: index.high_waters(["cam-1"]))
    assert error.retryable


def test_a_new_index_has_no_mark_and_a_marked_one_keeps_it(under_test: IndexUnderTest) -> None:
    assert not under_test.index.is_whole()
    under_test.index.mark_whole()
    under_test.index.mark_whole()
    again = under_test.reopened()
    assert again.is_whole()
    again.close()


def test_a_new_archive_without_any_journal_is_answered_for(small: SmallArchive, index: Index) -> None:
    asked = guarded(small, index)
    assert asked.high_waters(["cam-1"]) == {}
    small.keep(0)
    asked.add([entry(segment(0))])
    assert asked.high_water("cam-1") is not None
    assert guarded(small, index).runs(ANY)


def test_an_empty_index_of_an_archive_with_records_answers_nothing_until_it_is_rebuilt(
    small: SmallArchive, index: Index
) -> None:
    small.register_recorder()
    small.write_journal([small.keep(0), small.keep(1)])
    asked = guarded(small, index)
    questions = (
        lambda: asked.search(ANY),
        lambda: asked.runs(ANY),
        lambda: asked.gap_records(ANY),
        lambda: asked.cameras(ANY),
        lambda: asked.hours(ANY),
        lambda: list(asked.segments("cam-1", SPAN)),
        lambda: asked.gaps("cam-1", SPAN),
        lambda: asked.segment("6a15000000000001", 0),
        lambda: asked.high_water("cam-1"),
        lambda: asked.standing("cam-1"),
        lambda: asked.records("cam-1", SPAN),
        lambda: asked.reading("cam-1", SPAN),
        lambda: asked.document("camera", "cam-1"),
        lambda: list(asked.documents("camera")),
        lambda: asked.run("6a15000000000001"),
        lambda: asked.find_records(RecordQuery(kind="act"), limit=1),
        lambda: asked.count_records(RecordQuery(kind="act"), most=1),
        lambda: asked.record("act", "a"),
    )
    for question in questions:
        refused_with(Unavailable, "index_incomplete", question)
    asked.add([entry(segment(5))])
    asked.put_heartbeat("rec-1", T0, {})
    assert asked.heartbeats()
    asked.put_records([record("a"), record("b")])
    asked.remove_records("act", ["b"])
    asked.keep_record_marks("custody", {"hour": 1})
    assert asked.record_marks("custody") == {"hour": 1}, "the follower goes on"
    assert asked.status().records == {"act": 1}
    incomplete(guarded(small, index))
    rebuild_index(small.stores, asked)
    small.clock.advance(3 * SECOND)
    assert asked.high_water("cam-1") is not None
    asked.find_records(RecordQuery(kind="act"), limit=1)
    asked.count_records(RecordQuery(kind="act"), most=1)
    assert {ref.seq for ref in asked.segments("cam-1", SPAN)} >= {0, 1}


def test_a_rebuilt_index_knows_that_nothing_bounds_an_unsynchronised_clock(
    small: SmallArchive, index: Index
) -> None:
    small.register_recorder()
    small.write_journal([small.keep(0), small.keep(1, flags=("ambiguous", UNSYNCHRONISED))])
    rebuild_index(small.stores, index)
    assert [one.uncertainty_us for one in index.segments("cam-1", SPAN)] == [40_000, None]
    assert [one.uncertainty_us for one in index.runs(ANY)] == [None]


def test_a_sync_alone_does_not_make_an_emptied_index_whole(small: SmallArchive, index: Index) -> None:
    small.write_journal([small.keep(0)])
    Sync(small.stores, index, small.clock).run()
    incomplete(guarded(small, index))


def test_a_rebuild_that_fails_leaves_no_mark(small: SmallArchive, index: Index) -> None:
    small.write_journal([small.keep(0)])

    def killed() -> None:
        with index.rebuild() as fresh:
            fresh.mark_whole()
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        killed()
    assert not index.is_whole()


def test_a_registered_camera_that_the_index_lacks_keeps_a_new_archive_unmarked(
    small: SmallArchive, index: Index
) -> None:
    small.registry.add(camera_form(), actor="os:a")  # into another index
    asked = guarded(small, index)
    incomplete(asked)
    head = small.ledger.head("camera", "cam-1")
    asked.put_document("camera", "cam-1", head.version, {})
    assert asked.high_water("cam-1") is None


def test_a_batch_that_the_index_lacks_for_long_makes_it_incomplete(small: SmallArchive, index: Index) -> None:
    asked = guarded(small, index)
    assert asked.high_water("cam-1") is None
    small.register_recorder()
    small.write_journal([small.keep(0)])
    small.clock.advance(GRACE + 2 * MINUTE)
    incomplete(asked)
    Sync(small.stores, index, small.clock).run()
    small.clock.advance(11 * SECOND)
    assert asked.high_water("cam-1") is not None


@pytest.mark.parametrize("is_marked", [True, False])
def test_an_old_copy_that_was_put_back_is_incomplete_however_old_the_batches_are(
    small: SmallArchive, index: Index, is_marked: bool
) -> None:
    """An old copy has its mark. What it lacks is too old for a listing of the last hours."""
    asked = guarded(small, index)
    if is_marked:
        assert asked.high_water("cam-1") is None
    else:
        index.mark_whole()  # by a version that did not keep when it compared
    small.register_recorder()
    small.write_journal([small.keep(0)])
    small.clock.advance(5 * DAY)
    incomplete(guarded(small, index))
    Sync(small.stores, index, small.clock).run()
    again = guarded(small, index)
    assert again.high_water("cam-1") is not None
    small.clock.advance(5 * DAY)
    assert again.high_water("cam-1") is not None


def test_questions_that_come_together_at_the_start_wait_for_the_comparison(
    small: SmallArchive, index: Index
) -> None:
    index.mark_whole()
    asked = guarded(small, index)
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(asked.high_water, ["cam-1"] * 200)) == [None] * 200


def test_nobody_is_answered_while_an_index_is_first_compared(
    small: SmallArchive, index: Index, tmp_path: Path
) -> None:
    index.mark_whole()
    listing, go_on = threading.Event(), threading.Event()

    class Slow(FilesystemStore):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
            if prefix == "journal/":
                listing.set()
                go_on.wait(30)
            return super().list(prefix, start_after=start_after)

    small.stores = replace(small.stores, records=Slow(tmp_path / "archive/records", small.clock))
    verdict = Wholeness(index, small.stores, small.ledger, small.clock, patience=0.01)
    asked = WholeIndex(index, verdict)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked.high_water, "cam-1")
        assert listing.wait(30)
        incomplete(asked)
        go_on.set()
        assert first.result(30) is None
    assert asked.high_water("cam-1") is None


def count(index: Index) -> int:
    return len(index.find_records(RecordQuery(kind="act"), limit=100))


@pytest.mark.parametrize("what", ["custody", "ledger"])
def test_an_act_that_the_index_lacks_for_long_makes_answers_about_acts_incomplete(
    small: SmallArchive, index: Index, what: str
) -> None:
    asked = guarded(small, index)
    assert count(asked) == 0
    if what == "custody":
        writer = CustodyWriter(small.stores.records, small.clock, writer="api-1")
        writer.record("clip.describe", actor=Actor(id="user:citra"))
    else:
        small.register_recorder()
    small.clock.advance(GRACE + MINUTE)
    error = refused_with(Unavailable, "index_incomplete", lambda: count(asked))
    assert error.retryable
    assert asked.high_water("cam-1") is None, "footage is answered for"
    Follower(small.stores.records, index, small.clock).run()
    small.clock.advance(11 * SECOND)
    assert count(asked) == 1
    small.clock.advance(5 * DAY)
    assert count(guarded(small, index)) == 1, "nobody follows, and nothing is missing"


def test_an_old_copy_that_was_put_back_lacks_acts_however_old_they_are(
    small: SmallArchive, index: Index
) -> None:
    index.mark_whole()
    Follower(small.stores.records, index, small.clock).run()
    small.clock.advance(DAY)
    CustodyWriter(small.stores.records, small.clock, writer="api-1").record(
        "clip.describe", actor=Actor(id="user:citra")
    )
    small.clock.advance(30 * DAY)
    refused_with(Unavailable, "index_incomplete", lambda: count(guarded(small, index)))


def test_a_question_about_acts_costs_no_listing(small: SmallArchive, index: Index, tmp_path: Path) -> None:
    records = Counted(tmp_path / "archive/records", small.clock)
    small.stores = replace(small.stores, records=records)
    index.mark_whole()
    Follower(records, index, small.clock).run()
    records.listings = 0
    asked = guarded(small, index)
    for _ in range(50):
        assert count(asked) == 0
        small.clock.advance(SECOND)
    assert records.listings == 0, "the follower compared a moment ago"


def test_a_batch_that_no_index_takes_does_not_stop_the_answers(small: SmallArchive, index: Index) -> None:
    asked = guarded(small, index)
    assert asked.high_water("cam-1") is None
    small.write_journal([small.keep(0)])  # by a recorder that the ledger does not know
    small.clock.advance(GRACE + 2 * MINUTE)
    assert asked.high_water("cam-1") is None


class Counted(FilesystemStore):
    """Counts its listings."""

    listings = 0

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """As the store."""
        self.listings += 1
        return super().list(prefix, start_after=start_after)


def test_a_question_costs_no_listing(small: SmallArchive, index: Index, tmp_path: Path) -> None:
    records = Counted(tmp_path / "archive/records", small.clock)
    small.stores = replace(small.stores, records=records)
    asked = guarded(small, index)
    assert asked.high_water("cam-1") is None
    before = records.listings
    assert before > 0
    for _ in range(50):
        asked.high_water("cam-1")
    assert records.listings == before


def test_a_store_that_is_away_leaves_the_last_verdict(
    small: SmallArchive, index: Index, tmp_path: Path
) -> None:
    index.mark_whole()

    class Away(FilesystemStore):
        def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
            raise Unavailable("the store does not answer", code="store_unavailable")

    small.stores = replace(small.stores, records=Away(tmp_path / "archive/records", small.clock))
    assert guarded(small, index).high_water("cam-1") is None
