"""``saksi index sync``: adds what the index lacks from the archive, and reverts nothing newer."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.integrity.rebuild import rebuild
from archive.integrity.rebuild.sync import Sync, lag
from archive.model.hold import Hold, to_state
from archive.ports import Content, IndexEntry
from archive.records import journal
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import RECORDER_KEY, SmallArchive, camera_form, small_archive
from tests.support.indexes import ANY, everything, finished_run
from tests.support.leaves import T0, gap


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.clock.wall = T0 - HOUR
    made.registry.add(camera_form(), actor="os:tester")
    made.register_recorder()
    made.clock.wall = T0
    yield made
    made.index.close()


def emptied(archive: SmallArchive, folder: Path) -> SmallArchive:
    """The archive with a new, empty index."""
    archive.index.close()
    (folder / "index.sqlite").unlink()
    archive.index = open_sqlite(folder / "index.sqlite")
    return archive


def test_an_index_that_missed_everything_is_brought_where_a_rebuild_brings_it(
    archive: SmallArchive, tmp_path: Path
) -> None:
    kept = [archive.keep(number) for number in range(6)]
    lost = gap(T0 + 60 * SECOND, T0 + 90 * SECOND)
    paused = replace(kept[1], pauses=((0, 3 * SECOND), (4 * SECOND, 10 * SECOND)))
    archive.write_journal([kept[0], paused, kept[2]])
    archive.write_journal([*kept[3:5], lost, finished_run()])
    archive.clock.wall += 20 * MINUTE
    late = emptied(archive, tmp_path)
    sync = Sync(late.stores, late.index, late.clock)
    assert lag(late.stores.records, {}, late.clock.now()) == {"rec-1": 2}
    report = sync.run()
    assert (report.documents, report.batches, report.entries, report.adopted) == (3, 2, 5, 1)
    assert (report.behind, report.left_out) == (0, [])
    found = everything(late.index), late.index.cursor("rec-1"), list(late.index.documents("camera"))
    assert lag(late.stores.records, {"rec-1": 2}, late.clock.now()) == {}
    assert [pause.span for pause in late.index.pauses(ANY)] == paused.paused
    rebuild_index(late.stores, late.index)
    assert (everything(late.index), late.index.cursor("rec-1"), list(late.index.documents("camera"))) == found
    assert sync.run().changes == 0, "nothing is new"
    assert Sync(late.stores, late.index, late.clock).run().changes == 0, "nor to another process"


def test_a_turn_brings_what_came_since(archive: SmallArchive) -> None:
    sync = Sync(archive.stores, archive.index, archive.clock)
    sync.run()
    kept = [archive.keep(number) for number in range(3)]
    archive.index.remove(one.ref() for one in kept)
    archive.write_journal(kept)
    archive.registry.edit("cam-1", {"name": "Second name"}, actor="os:tester")
    report = sync.run()
    assert (report.batches, report.entries) == (1, 3)
    assert [one.seq for one in archive.index.search(ANY).items] == [0, 1, 2]
    assert archive.index.cursor("rec-1") == 1


def test_no_cursor_passes_a_batch_that_is_missing_or_does_not_verify(archive: SmallArchive) -> None:
    archive.write_journal([archive.keep(0)])
    second = keys.journal_key("rec-1", 2, T0)
    third = journal.encode(
        [archive.keep(2)], recorder="rec-1", batch=3, prev="0" * 64, at=T0, key=RECORDER_KEY
    )
    archive.stores.records.put(keys.journal_key("rec-1", 3, T0), Content.of_bytes(third))
    sync = Sync(archive.stores, archive.index, archive.clock)
    report = sync.run()
    assert (archive.index.cursor("rec-1"), report.behind) == (1, 1)
    archive.stores.records.put(second, Content.of_bytes(b"{}\n{}\n{}\n"))
    report = sync.run()
    assert (archive.index.cursor("rec-1"), report.behind) == (1, 2)
    assert [one.object for one in report.left_out] == [second]


def test_a_rebuild_knows_what_is_held(archive: SmallArchive, tmp_path: Path) -> None:
    kept = [archive.keep(number) for number in range(4)]
    archive.write_journal(kept[:3])  # the fourth is adopted
    hold_on(archive, T0 + 10 * SECOND, T0 + 35 * SECOND)
    late = emptied(archive, tmp_path)
    rebuild_index(late.stores, late.index)
    assert [one.seq for one in late.index.search(ANY).items if one.held] == [1, 2, 3]
    late.index.mark_free(one.ref() for one in kept)
    assert Sync(late.stores, late.index, late.clock).run().marked == 3
    assert [one.seq for one in late.index.search(ANY).items if one.held] == [1, 2, 3]


def test_a_killed_rebuild_goes_on_where_it_was(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between two chunks; the next one reads only what is left."""
    monkeypatch.setattr("archive.integrity.rebuild.job._CHUNK", 1)
    kept = [archive.keep(number) for number in range(6)]
    where = archive.registry.camera("cam-1").place
    for one in kept:
        archive.write_journal([one])
        archive.index.add([IndexEntry(leaf=one, place=where, version=one.sha256)])
    _killed_after(archive, chunks=3)
    told: list[tuple[str, int]] = []
    archive.index.add([IndexEntry(leaf=archive.keep(6), place=where)])  # noted since the killed one began
    report = rebuild_index(archive.stores, archive.index, progress=lambda *step: told.append(step))
    assert [seen for step, seen in told if step == "journal batches"] == [4, 5, 6]
    assert (report.segments, report.batches, report.left_out) == (7, 6, [])
    assert [one.seq for one in archive.index.search(ANY).items] == [0, 1, 2, 3, 4, 5, 6]
    assert list(tmp_path.glob("index.sqlite*-owner")) == []


def _killed_after(archive: SmallArchive, *, chunks: int) -> None:
    """Run a rebuild in a child that dies, without cleaning up, after some chunks."""
    pid = os.fork()
    if pid == 0:
        index = open_sqlite(archive.index._base.path)
        seen = 0
        with index.rebuild() as fresh:
            keep = fresh.keep_rebuild_state

            def kept(state: dict[str, object]) -> None:
                nonlocal seen
                keep(state)
                seen += 1
                if seen == chunks:
                    os.kill(os.getpid(), signal.SIGKILL)

            fresh.keep_rebuild_state = kept  # type: ignore[method-assign,assignment]
            rebuild(archive.stores, fresh)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), status


def hold_on(archive: SmallArchive, start: int, end: int) -> None:
    """A hold's ledger entry."""
    hold = Hold(
        id="hold-1", cameras=("cam-1",), span=Timespan(start, end), case="LP/1/2026", owner="os:tester",
        basis="KUHAP 39", review_at=end + HOUR, placed_by="os:tester", placed_at=T0,
    )  # fmt: skip
    archive.ledger.append(
        "hold", hold.id, to_state(hold), expected=0, actor="os:tester", action="hold.placed"
    )
