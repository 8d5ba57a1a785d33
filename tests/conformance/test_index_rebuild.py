"""Every index: a rebuild while other processes read and write."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from archive.errors import Conflict, Unavailable
from archive.ports import IndexEntry, RecordQuery
from archive.timespan import HOUR, SECOND, Timespan
from search.index import Index
from search.paging import position
from tests.support.indexes import (
    ANY,
    DAY_OF_T0,
    IndexUnderTest,
    all_pages,
    ask,
    entry,
    finished_run,
    refused_with,
    run_id,
)
from tests.support.leaves import RUN, T0, gap, segment
from tests.support.written import ids, record


def test_a_rebuild_replaces_everything_but_heartbeats(index: Index) -> None:
    index.add([entry(segment(n)) for n in range(5)])
    index.add([entry(gap(T0 + HOUR, T0 + 2 * HOUR))])
    index.put_document("camera", "cam-gone", 1, {})
    index.put_heartbeat("rec-1", 5, {"alive": 1})
    index.advance_cursor("rec-1", 9)
    with index.rebuild() as fresh:
        fresh.add([entry(segment(n)) for n in range(3)])
        fresh.put_document("camera", "cam-1", 1, {"name": "x"})
        fresh.advance_cursor("rec-1", 2)
        assert [one.seq for one in fresh.segments("cam-1", DAY_OF_T0)] == [0, 1, 2]
        assert index.status().segments == 5
        assert index.document("camera", "cam-1") is None
    found = index.status()
    assert (found.segments, found.gaps, found.documents, found.cursors) == (3, 0, {"camera": 1}, {"rec-1": 2})
    assert found.last == T0 + 30 * SECOND
    assert [one.at for one in index.heartbeats()] == [5]
    index.add([entry(segment(3))])
    assert index.status().segments == 4


def test_a_rebuild_that_fails_changes_nothing_and_leaves_nothing(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(0))])
    before = traces(under_test)

    def fail() -> None:
        with index.rebuild() as fresh:
            fresh.add([entry(segment(n)) for n in range(9)])
            raise Unavailable("the store went away", hint="x")

    refused_with(Unavailable, "unavailable", fail)
    assert index.status().segments == 1
    assert traces(under_test) == before
    index.add([entry(segment(1))])
    with index.rebuild() as fresh:
        fresh.add([entry(segment(5))])
    assert [one.seq for one in index.search(ANY).items] == [5]
    after = [one for one in traces(under_test) if not one.endswith(".hours")]
    assert len(after) <= len(before)


def traces(under_test: IndexUnderTest) -> list[str]:
    """What the index keeps on its disk or server, by kind."""
    if under_test.kind == "sqlite":
        folder = Path(under_test.url.removeprefix("sqlite://")).parent
        return sorted(name.name.partition("-")[2] for name in folder.iterdir())
    from elasticsearch import Elasticsearch

    with Elasticsearch(under_test.url) as client:
        found = client.indices.get_alias(index=f"{under_test.prefix}.*")
        return sorted(name.rpartition(".")[0] for name in found.body)


def test_what_is_written_during_a_rebuild_is_not_lost(under_test: IndexUnderTest) -> None:
    index, elsewhere = under_test.index, under_test.reopened()
    index.add([entry(segment(n)) for n in range(5)])
    with index.rebuild() as fresh:
        fresh.add([entry(segment(n)) for n in range(5)])
        fresh.put_document("camera", "cam-1", 2, {"name": "from the ledger"})
        elsewhere.add([entry(segment(5)), entry(segment(2), version="v9")])
        elsewhere.add([entry(gap(T0 + HOUR, T0 + 2 * HOUR)), IndexEntry(leaf=finished_run(), place=None)])
        elsewhere.put_document("camera", "cam-1", 1, {"name": "older"})
        elsewhere.put_document("camera", "cam-2", 1, {"name": "new"})
        elsewhere.advance_cursor("rec-1", 3)
        elsewhere.put_heartbeat("rec-1", 8, {})
        elsewhere.remove([segment(4).ref()])
    for one in (index, elsewhere):
        assert [(s.seq, s.version) for s in one.search(ANY).items] == [
            (0, ""), (1, ""), (2, "v9"), (3, ""), (5, ""),
        ]  # fmt: skip
        assert len(one.gap_records(ANY)) == 1
        assert one.run(RUN) == finished_run()
        assert [(d.id, d.version) for d in one.documents("camera")] == [("cam-1", 2), ("cam-2", 1)]
        assert one.cursor("rec-1") == 3
        assert one.high_water("cam-1") == T0 + 2 * HOUR
        assert len(one.heartbeats()) == 1
    elsewhere.close()


def test_readers_and_writers_go_on_across_a_switch(under_test: IndexUnderTest) -> None:
    index = under_test.index
    present = [entry(segment(n)) for n in range(1_000)]
    index.add(present)
    stop = threading.Event()
    archived: list[IndexEntry] = []

    def write() -> None:
        other = under_test.reopened()
        while not stop.is_set():
            leaf = entry(segment(len(archived), camera="cam-w", run=run_id(9)))
            archived.append(leaf)  # the archive first, then the index
            other.add([leaf])
        other.close()

    def read() -> int:
        other = under_test.reopened()
        rounds = 0
        while not stop.is_set():
            found = all_pages(other, ask(T0, T0 + 10**11, cameras=("cam-1",)), limit=250)
            assert [one.seq for one in found] == list(range(1_000))
            rounds += 1
        other.close()
        return rounds

    with ThreadPoolExecutor(3) as pool:
        writing, reading = pool.submit(write), [pool.submit(read) for _ in range(2)]
        try:
            for _ in range(2):
                with index.rebuild() as fresh:
                    fresh.add([*present, *archived])
        finally:
            stop.set()
        writing.result()
        assert all(one.result() > 0 for one in reading)
    found = index.segments("cam-w", Timespan(T0, T0 + 10**11))
    assert [one.seq for one in found] == list(range(len(archived))), "a write was lost in the switch"


def test_of_two_rebuilds_the_later_one_wins(under_test: IndexUnderTest) -> None:
    index, other = under_test.index, under_test.reopened()
    index.add([entry(segment(0))])

    def overlap() -> None:
        with index.rebuild() as early:
            early.add([entry(segment(1))])
            with other.rebuild() as late:
                late.add([entry(segment(2))])

    refused_with(Conflict, "rebuild_superseded", overlap)
    assert [one.seq for one in index.search(ANY).items] == [2]
    other.close()


def test_the_position_of_a_page_survives_a_rebuild(index: Index) -> None:
    entries = [entry(segment(n)) for n in range(10)]
    index.add(entries)
    page = index.search(ANY, limit=4)
    with index.rebuild() as fresh:
        fresh.add(entries)
    rest = index.search(ANY, limit=100, cursor=page.next)
    assert [position(one)[3] for one in (*page.items, *rest.items)] == list(range(10))


def test_a_killed_rebuild_is_gone_on_with(under_test: IndexUnderTest) -> None:
    index = under_test.index
    index.add([entry(segment(n)) for n in range(4)])
    _killed(under_test)
    index.add([entry(segment(4)), entry(segment(0), version="v9")])
    index.remove([segment(1).ref()])
    with index.rebuild() as fresh:
        assert fresh.rebuild_state() == {"position": 3}
        fresh.add([entry(segment(3))])
        assert fresh.record_marks("custody") == {"06": 2}
        fresh.put_records([record("b", 1, "again"), record("c", 2, "every"), record("a", 0, "every")])
        fresh.keep_rebuild_state({"position": 4})
    assert [(s.seq, s.version) for s in index.search(ANY).items] == [(0, "v9"), (2, ""), (3, ""), (4, "")]
    assert ids(index, RecordQuery(kind="act")) == ["a", "b", "c"], "each once, however often it was put"
    assert ids(index, RecordQuery(kind="act", terms=("every",))) == ["a", "c"]
    assert ids(index, RecordQuery(kind="act", terms=("again",))) == ["b"]
    (found,) = index.hours(ANY)
    assert found.segments == 4
    assert index.settle_hours() >= 0
    assert index.hours(ANY) == (found,)
    with index.rebuild() as fresh:
        assert fresh.rebuild_state() is None, "one that ended is not gone on with"


def _killed(under_test: IndexUnderTest) -> None:
    """Begin a rebuild in a child process that is killed midway."""
    pid = os.fork()
    if pid == 0:
        with under_test.reopened().rebuild() as fresh:
            fresh.add([entry(segment(n)) for n in range(3)])
            fresh.put_records([record("a", 0, "every"), record("b", 1, "every")])
            fresh.keep_record_marks("custody", {"06": 2})
            fresh.keep_rebuild_state({"position": 3})
            os.kill(os.getpid(), signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), status
