"""Delete the index, rebuild it from the archive alone, and get the same answers (I5)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.errors import Unavailable
from archive.integrity.rebuild import LeftOut, RebuildReport
from archive.model import leaf as leaves
from archive.model.gap import GapCause
from archive.model.segment import Segment
from archive.ports import Content, IndexEntry, Stores
from archive.records import journal
from archive.timespan import HOUR, SECOND, Timespan
from search.index import Index
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.indexes import ANY, ask, everything, finished_run
from tests.support.leaves import RUN, T0, gap


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.clock.wall = T0 - HOUR
    made.registry.add(camera_form(), actor="os:tester")
    made.register_recorder()
    recorder = made.ledger.head("recorder", "rec-1")
    made.index.put_document("recorder", "rec-1", recorder.version, recorder.state)
    made.clock.wall = T0
    yield made
    made.index.close()


def keep(archive: SmallArchive, numbers: range) -> list[Segment]:
    """Segments in the store and, with their place, in the index, as a recorder leaves them."""
    where = archive.registry.camera("cam-1").place
    kept = [archive.keep(number) for number in numbers]
    for one in kept:
        version = archive.stores.footage.head(one.key).version
        archive.index.add([IndexEntry(leaf=one, place=where, version=version)])
    return kept


def answers(index: Index) -> tuple[object, ...]:
    return (
        everything(index),
        list(index.segments("cam-1", ANY.span)),
        list(index.documents("camera")),
        [(one.id, one.version) for one in index.documents("recorder")],
        index.search(ask(T0, T0 + HOUR, kecamatan=("73.71.13",))).items,
    )


def rebuilt(archive: SmallArchive, tmp_path: Path) -> tuple[Index, RebuildReport]:
    """Delete the index and rebuild it."""
    (tmp_path / "index.sqlite").unlink()
    index = open_sqlite(tmp_path / "index.sqlite")
    assert index.status().segments == 0
    return index, rebuild_index(archive.stores, index)


def test_a_deleted_index_comes_back_the_same(archive: SmallArchive, tmp_path: Path) -> None:
    kept = keep(archive, range(12))
    lost = gap(T0 + 120 * SECOND, T0 + 180 * SECOND, cause=GapCause.STALLED)
    where = archive.registry.camera("cam-1").place
    archive.index.add([IndexEntry(leaf=lost, place=where), IndexEntry(leaf=finished_run(), place=where)])
    archive.write_journal(kept[:5])
    archive.write_journal([*kept[5:], lost, finished_run()])
    before = answers(archive.index)
    index, report = rebuilt(archive, tmp_path)
    assert answers(index) == before
    assert "sealed_source" not in next(iter(index.documents("camera"))).state
    assert index.cursor("rec-1") == 2
    assert report.to_json() == {
        "documents": 3, "batches": 2, "segments": 12, "runs": 1, "gaps": 1, "adopted": 0, "absent": 0,
        "custody_events": 0, "ledger_entries": 2, "set_aside": [], "left_out": [],
    }  # fmt: skip
    rebuild_index(archive.stores, index)
    assert answers(index) == before


def test_objects_without_a_line_are_adopted(archive: SmallArchive, tmp_path: Path) -> None:
    """The recorder's disk died with its logbook: the object itself holds its facts."""
    kept = keep(archive, range(8))
    archive.write_journal([kept[n] for n in (0, 1, 2, 4, 6)])
    before = answers(archive.index)
    index, report = rebuilt(archive, tmp_path)
    assert answers(index) == before
    assert (report.segments, report.adopted) == (8, 3)


def test_lines_without_an_object_are_counted_and_not_indexed(archive: SmallArchive, tmp_path: Path) -> None:
    kept = keep(archive, range(4))
    archive.write_journal(kept)
    archive.clock.wall = T0 + 100 * 24 * HOUR
    version = archive.stores.footage.head(kept[1].key).version
    archive.stores.footage.delete_version(kept[1].key, version=version)
    index, report = rebuilt(archive, tmp_path)
    assert [one.seq for one in index.search(ANY).items] == [0, 2, 3]
    assert (report.segments, report.absent) == (3, 1)
    assert len(index.runs(ANY)) == 2


def test_a_segment_stands_where_its_camera_stood_then(archive: SmallArchive, tmp_path: Path) -> None:
    early = keep(archive, range(3))
    archive.clock.wall = T0 + 30 * SECOND
    archive.registry.edit("cam-1", {"kecamatan": "73.71.09"}, actor="os:tester")
    late = keep(archive, range(3, 6))
    archive.write_journal([*early, *late])
    index, _ = rebuilt(archive, tmp_path)
    for district, expected in (("73.71.13", [0, 1, 2]), ("73.71.09", [3, 4, 5])):
        found = index.search(ask(T0, T0 + HOUR, kecamatan=(district,)))
        assert [one.seq for one in found.items] == expected


def test_what_cannot_be_trusted_is_left_out_and_named(archive: SmallArchive, tmp_path: Path) -> None:
    kept = keep(archive, range(3))
    archive.write_journal(kept[:1])
    records = archive.stores.records
    stranger = Ed25519PrivateKey.generate()
    forged_gap = gap(T0, T0 + HOUR)
    forged = journal.encode([forged_gap], recorder="rec-1", batch=2, prev="0" * 64, at=T0, key=stranger)
    forged_key = keys.journal_key("rec-1", 2, T0)
    records.put(forged_key, Content.of_bytes(forged))
    torn_key = keys.journal_key("rec-1", 3, T0)
    records.put(torn_key, Content.of_bytes(b"{"))
    records.put("journal/2026/11/24/06/notes.txt", Content.of_bytes(b"hello"))
    bare = keys.segment_key("cam-1", T0 + HOUR, RUN, 9, "ab" * 32)
    archive.stores.footage.put(bare, Content.of_bytes(b"no leaf"))
    wrong = keys.segment_key("cam-1", T0 + 2 * HOUR, RUN, 9, "ab" * 32)
    leaf = leaves.encode(kept[0]).decode("ascii")
    archive.stores.footage.put(wrong, Content.of_bytes(b"x"), metadata={"leaf": leaf})
    records.put("ledger/camera/cam-9/00000001.json", Content.of_bytes(b"not json"))
    records.put("ledger/camera/notes.txt", Content.of_bytes(b"hello"))
    archive.stores.footage.put("segments/a_b/x.mp4", Content.of_bytes(b"x"))
    index, report = rebuilt(archive, tmp_path)
    assert {(one.object, one.code) for one in report.left_out} == {
        (forged_key, "journal_unknown_key"),
        (torn_key, "bad_batch"),
        ("journal/2026/11/24/06/notes.txt", "bad_key"),
        (bare, "leaf_missing"),
        (wrong, "leaf_differs"),
        ("ledger/camera/cam-9", "bad_entry"),
        ("ledger/camera/notes.txt", "bad_key"),
        ("segments/a_b", "bad_id"),
    }
    assert all(isinstance(one, LeftOut) and one.message for one in report.left_out)
    assert index.gap_records(ANY) == ()
    assert [one.seq for one in index.search(ANY).items] == [0, 1, 2]
    assert index.cursor("rec-1") == 1, "a batch that was not read is not behind the cursor"


def test_a_broken_stream_keeps_what_was_sound(archive: SmallArchive, tmp_path: Path) -> None:
    archive.registry.edit("cam-1", {"name": "Second name"}, actor="os:tester")
    kept = keep(archive, range(1))
    archive.write_journal(kept)
    archive.stores.records.put("ledger/camera/cam-1/00000004.json", Content.of_bytes(b"{}"))
    index, report = rebuilt(archive, tmp_path)
    document = index.document("camera", "cam-1")
    assert document is not None
    assert (document.version, document.state["name"]) == (2, "Second name")
    assert [one.object for one in report.left_out] == ["ledger/camera/cam-1"]
    assert len(index.search(ask(T0, T0 + HOUR, kecamatan=("73.71.13",))).items) == 1


def test_one_leaf_that_the_index_cannot_keep_costs_nobody_else(archive: SmallArchive, tmp_path: Path) -> None:
    kept = keep(archive, range(3))
    endless = replace(kept[0], seq=3, span=Timespan(T0 + HOUR, T0 + 3 * HOUR))
    archive.stores.footage.put(endless.key, Content.of_bytes(b"x" * endless.size))
    archive.write_journal([kept[0], endless, *kept[1:]])
    index, report = rebuilt(archive, tmp_path)
    assert [one.seq for one in index.search(ANY).items] == [0, 1, 2]
    assert (f"cam-1/{RUN}/3", "segment_too_long") in [(one.object, one.code) for one in report.left_out]


def test_a_store_that_goes_away_leaves_the_index_as_it_was(archive: SmallArchive) -> None:
    kept = keep(archive, range(3))
    archive.write_journal(kept)
    before = answers(archive.index)

    class Gone:
        """A footage bucket that stops answering when it is first read."""

        def list(self, prefix: str, *, start_after: str = "") -> Iterator[object]:
            raise Unavailable("the store does not answer")

    stores = Stores(Gone(), archive.stores.records, archive.stores.cache)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        rebuild_index(stores, archive.index)
    assert answers(archive.index) == before


def test_progress_is_told(archive: SmallArchive) -> None:
    archive.write_journal(keep(archive, range(3)))
    told: list[tuple[str, int]] = []
    rebuild_index(archive.stores, archive.index, progress=lambda step, seen: told.append((step, seen)))
    assert told[0] == ("documents", 1)
    assert ("journal batches", 1) in told
    assert told[-1] == ("objects of cam-1", 3)


def test_runs_over_an_hour_folder_and_cameras_of_similar_names(archive: SmallArchive, tmp_path: Path) -> None:
    """``cam-1`` is a prefix of ``cam-10``, but each camera has its own folder."""
    for camera in ("cam-10", "cam-1.a", "cam"):
        archive.registry.add(camera_form(camera), actor="os:tester")
    lines = [archive.keep(n * 180, camera=camera, run=f"{i:016x}")
             for i, camera in enumerate(("cam-1", "cam-10", "cam-1.a", "cam")) for n in range(5)]  # fmt: skip
    archive.write_journal(lines[::2])
    index, report = rebuilt(archive, tmp_path)
    assert (report.segments, report.adopted, report.left_out) == (20, 10, [])
    whole = Timespan(T0, T0 + 10 * HOUR)
    assert index.cameras(ask(whole.start, whole.end)) == ("cam", "cam-1", "cam-1.a", "cam-10")
    for camera in index.cameras(ask(whole.start, whole.end)):
        assert len(list(index.segments(camera, whole))) == 5
