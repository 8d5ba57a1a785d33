"""An object in the ledger's folders that is no entry stops nothing: the check of the archive names it."""

from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Malformed
from archive.footage.places import PlaceHistory
from archive.integrity.check import Checker, Depth
from archive.integrity.rebuild.listing import stream_of
from archive.lifecycle.retention.locks import LockHistory
from archive.model import hold
from archive.ports import Content
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.listed import entries_of, ids_of
from archive.timespan import DAY, MINUTE
from search.wholeness import Wholeness
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0

STRAYS = ("a.tmp", "cam-1/00000001.json.part", "cam-1/x/00000002.json", "no_id/00000001.json", "zz/1.json")


@pytest.fixture(params=STRAYS)
def archive(tmp_path: Path, request: pytest.FixtureRequest) -> SmallArchive:
    """Two cameras, and an object that is no entry beside the entries of each kind that is read below."""
    made = small_archive(tmp_path)
    for camera in ("cam-1", "cam-2"):
        made.registry.add(camera_form(camera), actor="os:tester")
    for kind in ("camera", "policy"):
        made.stores.records.put(f"ledger/{kind}/{request.param}", Content.of_bytes(b"{}"))
    return made


def test_entries_are_listed_without_it(archive: SmallArchive) -> None:
    records = archive.stores.records
    assert [(one.id, one.version) for one in entries_of(records, "camera")] == [("cam-1", 1), ("cam-2", 1)]
    assert ids_of(records, "policy") == frozenset()
    stream = stream_of(records, "camera", "cam-1")
    assert stream is not None
    assert list(stream.entries) == [1]


def test_heads_and_histories_are_read_without_it(archive: SmallArchive) -> None:
    ledger = archive.ledger
    assert [one.id for one in ledger.heads("camera")] == ["cam-1", "cam-2"]
    assert ledger.head("camera", "cam-1").version == 1
    assert [one.version for one in ledger.history("camera", "cam-1")] == [1]
    assert [one.id for one in archive.registry.cameras()] == ["cam-1", "cam-2"]


def test_places_and_locks_are_read_without_it(archive: SmallArchive) -> None:
    records = archive.stores.records
    assert PlaceHistory.read(archive.ledger, records).cameras == ("cam-1", "cam-2")
    locks = LockHistory.read(archive.ledger, records, floor_days=3)
    assert locks.expected_lock("cam-1", None, T0, T0) == T0 + 3 * DAY


def test_an_index_is_found_whole_with_it(archive: SmallArchive) -> None:
    whole = Wholeness(archive.index, archive.stores, archive.ledger, archive.clock)
    assert whole.found()
    whole.require()


def test_the_check_names_it(archive: SmallArchive) -> None:
    clock = ManualClock(T0 + MINUTE)
    report = Checker(archive.stores, archive.index, clock, depth=Depth.LISTING).run()
    named = {one.object.split("/")[1] for one in report.breaches if one.code == "foreign_object"}
    assert named == {"camera", "policy"}


def test_destruction_stops_at_it(archive: SmallArchive) -> None:
    """What forbids it must be known as a whole (design: objects)."""
    archive.stores.records.put("ledger/hold/a.tmp", Content.of_bytes(b"{}"))
    with pytest.raises(Malformed):
        StrictHeads(archive.ledger, archive.stores.records, hold.KIND).refresh()
