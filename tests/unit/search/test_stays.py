"""The stays of all cameras: written at each change, by a rebuild and by a sync alike; read by version."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from api.directory import CameraDirectory
from archive.errors import IntegrityError
from archive.integrity.rebuild.sync import Sync
from archive.model.stay import KIND, Stay
from archive.records.ledger.streams import Entry
from archive.timespan import HOUR
from search.rebuilding import rebuild_index
from search.sqlite import SqliteIndex, open_sqlite
from search.stays import StayBook
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.registry.add(camera_form(), actor="os:tester")
    made.registry.add(camera_form("cam-2"), actor="os:tester")
    yield made
    made.index.close()


def change(archive: SmallArchive, **changes: str) -> None:
    archive.clock.advance(HOUR)
    archive.registry.edit("cam-1", changes, actor="os:tester", reason="x")


def moved(archive: SmallArchive) -> None:
    change(archive, lat="-5.200000")
    change(archive, segment_seconds="20")
    change(archive, name="Baru")
    archive.registry.disable("cam-1", actor="os:tester", reason="x")


def documents(index: SqliteIndex) -> list[object]:
    return list(index.documents(KIND))


def stays(archive: SmallArchive, book: StayBook) -> dict[str, tuple[Stay, ...]]:
    return dict(book.stays(CameraDirectory(archive.index, archive.clock, max_age=0).cameras()))


def test_the_registry_a_rebuild_and_a_sync_write_the_same(archive: SmallArchive, tmp_path: Path) -> None:
    moved(archive)
    written = documents(archive.index)
    assert len(written) == 2
    rebuild_index(archive.stores, archive.index)
    assert documents(archive.index) == written
    late = open_sqlite(tmp_path / "late.sqlite")
    Sync(archive.stores, late, archive.clock).run()
    assert documents(late) == written
    assert Sync(archive.stores, late, archive.clock).run().changes == 0
    late.close()


def test_a_sync_brings_the_stays_of_a_later_change(archive: SmallArchive, tmp_path: Path) -> None:
    late = open_sqlite(tmp_path / "late.sqlite")
    sync = Sync(archive.stores, late, archive.clock)
    sync.run()
    moved(archive)
    sync.run()
    assert documents(late) == documents(archive.index)
    late.close()


def test_a_book_has_where_each_camera_stood(archive: SmallArchive) -> None:
    book = StayBook(archive.index, archive.registry.history)
    assert [len(one) for one in stays(archive, book).values()] == [1, 1]
    moved(archive)
    found = stays(archive, book)
    first, second, third = found["cam-1"]
    assert (first.since, first.until) == (None, T0 + HOUR)
    assert (second.since, second.until) == (T0 + HOUR, T0 + 3 * HOUR)
    assert (third.since, third.until) == (T0 + 3 * HOUR, None)
    assert [str(one.facts.place.lat) for one in (first, second, third)] == ["-5.147665", "-5.2", "-5.2"]
    assert third.facts.name == "Baru"
    assert len(found["cam-2"]) == 1


class Lacking:
    """An index of an earlier version: it has no stays."""

    def __init__(self, inner: SqliteIndex) -> None:
        self._inner = inner

    def documents(self, kind: str) -> Iterator[object]:
        return iter(()) if kind == KIND else self._inner.documents(kind)

    def document(self, kind: str, entity: str) -> object | None:
        return None if kind == KIND else self._inner.document(kind, entity)


def test_an_index_of_an_earlier_version_gives_the_same_from_the_ledger(archive: SmallArchive) -> None:
    moved(archive)
    asked: list[str] = []

    def history(camera: str) -> Iterable[Entry]:
        asked.append(camera)
        return archive.registry.history(camera)

    book = StayBook(Lacking(archive.index), history)  # type: ignore[arg-type]
    found = stays(archive, book)
    assert found["cam-1"] == stays(archive, StayBook(archive.index, archive.registry.history))["cam-1"]
    assert found["cam-2"][0].facts.name == "Jl. Metro Tanjung"
    assert asked == ["cam-1"], "a camera that was never changed needs no history"
    stays(archive, book)
    assert asked == ["cam-1"], "and each version is read once"


def test_a_camera_with_a_damaged_entry_is_still_found(archive: SmallArchive) -> None:
    moved(archive)

    def history(_camera: str) -> Iterable[Entry]:
        raise IntegrityError("damaged", code="ledger_damaged")

    found = stays(archive, StayBook(Lacking(archive.index), history))["cam-1"]  # type: ignore[arg-type]
    assert [str(one.facts.place.lat) for one in found] == ["-5.2"]


def test_only_what_changed_is_read_again(archive: SmallArchive) -> None:
    reads: list[str] = []

    class Noting(Lacking):
        def documents(self, kind: str) -> Iterator[object]:
            reads.append(kind)
            return self._inner.documents(kind)

        def document(self, kind: str, entity: str) -> object | None:
            reads.append(entity)
            return self._inner.document(kind, entity)

    book = StayBook(Noting(archive.index), archive.registry.history)  # type: ignore[arg-type]
    stays(archive, book)
    stays(archive, book)
    moved(archive)
    stays(archive, book)
    stays(archive, book)
    assert reads == [KIND, "cam-1"]
