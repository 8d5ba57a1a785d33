"""The sweep names objects and entries without a partner, adopts or drops them if safe, and reports losses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.footage.reader import read
from archive.lifecycle.disposition.orphans import ADOPTION_AGE, OrphanKind, OrphanSweep
from archive.ports import Content, IndexEntry
from archive.timespan import DAY
from tests.support.dispositions import MAX_DAYS, Disposal, disposal
from tests.support.leaves import T0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Disposal]:
    made = disposal(tmp_path)
    yield made
    made.site.index.close()


def sweep(site: Disposal) -> OrphanSweep:
    return OrphanSweep(site.site.stores, site.site.index, site.site.ledger, site.site.clock)


def incidents(site: Disposal) -> set[tuple[str, str]]:
    return {(e.state["code"], e.state["subject"]) for e in site.site.ledger.heads("integrity_incident")}


def test_a_whole_archive_has_no_orphans(site: Disposal) -> None:
    for number in range(3):
        site.site.keep(number)
    assert list(sweep(site).find()) == []


def test_an_object_without_entry_is_adopted_when_it_is_old_enough(site: Disposal) -> None:
    kept = site.site.keep(0)
    site.site.index.remove([kept.ref()])
    assert sweep(site).settle() == []
    site.site.clock.advance(ADOPTION_AGE)
    assert [(one.kind, one.key) for one in sweep(site).find()] == [(OrphanKind.NOT_INDEXED, kept.key)]
    assert site.indexed() == set()
    sweep(site).settle()
    assert site.indexed() == {kept.key}
    assert sweep(site).settle() == []
    assert incidents(site) == set()


def test_an_adopted_segment_under_a_hold_is_known_as_held(site: Disposal) -> None:
    kept = site.site.keep(0)
    site.hold([kept])
    site.site.index.remove([kept.ref()])
    site.site.clock.advance(ADOPTION_AGE)
    sweep(site).settle()
    found = site.site.index.segment(kept.run, kept.seq)
    assert found is not None
    assert found.held


def test_lost_footage_is_an_incident_and_stays_in_the_index(site: Disposal) -> None:
    lost = site.site.keep(0)
    site.site.clock.advance(40 * DAY)
    site.footage.delete_version(lost.key, version=site.footage.head(lost.key).version)
    assert [one.kind for one in sweep(site).settle()] == [OrphanKind.OBJECT_MISSING]
    assert incidents(site) == {("object_missing", f"footage:{lost.key}")}
    assert site.indexed() == {lost.key}


def test_an_entry_that_a_disposition_left_behind_is_forgotten(site: Disposal) -> None:
    gone = site.site.keep(0)
    site.policy()
    site.site.clock.advance((MAX_DAYS + 1) * DAY)
    done = site.dispose()
    assert done is not None
    site.site.index.add([IndexEntry(leaf=gone, place=None)])
    found = sweep(site).settle()
    assert [(one.kind, one.disposition) for one in found] == [(OrphanKind.DISPOSED, done.id)]
    assert site.indexed() == set()
    assert incidents(site) == set()
    reading = read(site.site.index, "cam-1", gone.span, registered_at=T0, now=site.site.clock.now())
    assert [gap.cause for gap in reading.gaps] == ["disposed"]


def test_what_a_disposition_kept_and_was_lost_later_is_an_incident(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy()
    site.site.clock.advance((MAX_DAYS + 1) * DAY)
    version = site.footage.head(segment.key).version
    site.footage.place_hold(segment.key, version=version)
    site.dispose()
    site.footage.release_hold(segment.key, version=version)
    site.footage.delete_version(segment.key, version=version)
    sweep(site).settle()
    assert incidents(site) == {("object_missing", f"footage:{segment.key}")}


def test_foreign_and_unreadable_objects_are_named_and_not_adopted(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.site.clock.advance(40 * DAY)
    site.footage.delete_version(segment.key, version=site.footage.head(segment.key).version)
    site.site.index.remove([segment.ref()])
    site.footage.put(segment.key, Content.of_bytes(b"nobody's"))
    site.footage.put("segments/cam-1/readme.txt", Content.of_bytes(b"hello"))
    site.site.clock.advance(ADOPTION_AGE)
    kinds = {one.key: one.kind for one in sweep(site).settle()}
    assert kinds == {
        segment.key: OrphanKind.UNREADABLE,
        "segments/cam-1/readme.txt": OrphanKind.FOREIGN,
    }
    assert site.indexed() == set()
    assert len(incidents(site)) == 2
