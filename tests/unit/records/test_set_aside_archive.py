"""A set-aside object stops no check, rebuild, disposal or checkpoint, and stays in its place."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from archive.integrity.check import Checker, Depth
from archive.integrity.rebuild.sync import Sync
from archive.lifecycle.disposition.orphans import ADOPTION_AGE, OrphanKind, OrphanSweep
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment
from archive.ports import Content, IndexEntry, Lock, LockMode
from archive.records.integrity_incidents import open_integrity_incident
from archive.timespan import DAY, HOUR, MINUTE
from search.rebuilding import rebuild_index
from tests.support.archives import SmallArchive
from tests.support.checkpoints import log_site
from tests.support.dispositions import MAX_DAYS, Disposal, disposal
from tests.support.leaves import T0, gap, segment


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Disposal]:
    made = disposal(tmp_path)
    made.site.register_recorder()
    yield made
    made.site.index.close()


def keep_endless(archive: SmallArchive, seq: int = 1) -> tuple[Segment, Gap]:
    """A stored segment of more than an hour, and the gap that its recorder signed for it."""
    body = b"endless" * 100
    leaf = segment(seq, start=archive.begin + seq * 10_000_000)
    leaf = replace(
        leaf,
        span=replace(leaf.span, end=leaf.span.end + HOUR),
        sha256=sha256(body).hexdigest(),
        size=len(body),
    )
    archive.stores.footage.put(
        leaf.key,
        Content.of_bytes(body),
        metadata={"leaf": leaves.encode(leaf).decode("ascii")},
        lock=Lock(LockMode.GOVERNANCE, leaf.span.start + 30 * DAY),
    )
    name = id_for_segment(GapCause.SET_ASIDE, leaf.run, leaf.seq)
    return leaf, gap(leaf.span.start, leaf.span.end, cause=GapCause.SET_ASIDE, gap_id=name)


def test_the_check_names_it_and_looks_at_its_bytes(site: Disposal, tmp_path: Path) -> None:
    archive = site.site
    leaf, stands = keep_endless(archive)
    first, last = archive.keep(0), archive.keep(2)
    archive.write_journal([first, leaf, stands, last])
    archive.clock.advance(11 * MINUTE)

    def look() -> tuple[set[str], list[str]]:
        report = Checker(archive.stores, archive.index, archive.clock, depth=Depth.BYTES).run()
        return {one.code for one in report.breaches if one.object == leaf.key}, report.set_aside

    assert look() == ({"not_indexed"}, []), "no recorder's gap stands for it"
    archive.index.add([IndexEntry(leaf=stands, place=None)])
    assert look() == (set(), [leaf.key])
    stored = next(p for p in tmp_path.rglob("*") if p.is_file() and p.read_bytes() == b"endless" * 100)
    stored.chmod(0o600)
    stored.write_bytes(b"altered" * 100)
    codes, _ = look()
    assert codes & {"bytes_differ", "checksum_differs"}


def test_sync_goes_on_over_it(site: Disposal) -> None:
    archive = site.site
    leaf, stands = keep_endless(archive)
    kept = [archive.keep(0), archive.keep(2)]
    archive.index.remove([one.ref() for one in kept])
    archive.write_journal([kept[0], leaf, stands])
    archive.write_journal([kept[1]])
    archive.clock.advance(20 * MINUTE)
    report = Sync(archive.stores, archive.index, archive.clock).run()
    assert (report.batches, report.behind, report.left_out) == (2, 0, [])
    assert archive.index.cursor("rec-1") == 2
    assert site.indexed() == {one.key for one in kept}


def test_sync_names_one_that_no_recorder_set_aside_and_goes_on(site: Disposal) -> None:
    archive = site.site
    leaf, _ = keep_endless(archive)
    kept = archive.keep(2)
    archive.index.remove([kept.ref()])
    archive.write_journal([leaf, kept])
    archive.clock.advance(20 * MINUTE)
    report = Sync(archive.stores, archive.index, archive.clock).run()
    assert {(one.object, one.code) for one in report.left_out} == {
        (f"cam-1/{leaf.run}/1", "segment_too_long")
    }
    assert archive.index.cursor("rec-1") == 1
    assert site.indexed() == {kept.key}


def test_a_rebuild_leaves_nothing_out(site: Disposal) -> None:
    archive = site.site
    leaf, stands = keep_endless(archive)
    kept = [archive.keep(0), archive.keep(2)]
    archive.write_journal([kept[0], leaf, kept[1]])
    archive.write_journal([stands])
    report = rebuild_index(archive.stores, archive.index)
    assert report.left_out == []
    assert report.set_aside == [stands.gap]
    assert site.indexed() == {one.key for one in kept}
    assert [one.cause for one in archive.index.gaps("cam-1", leaf.span)] == [GapCause.SET_ASIDE]


def test_no_rule_destroys_it(site: Disposal) -> None:
    archive = site.site
    leaf, stands = keep_endless(archive)
    kept = archive.keep(0)
    archive.index.add([IndexEntry(leaf=stands, place=None)])
    site.policy()
    archive.clock.advance((MAX_DAYS + 60) * DAY)
    assert site.dispose() is not None
    assert site.stored() == {leaf.key}
    assert site.indexed() == set()
    assert kept.key not in site.stored()


def test_no_rule_destroys_it_while_the_index_lacks_its_gap(site: Disposal) -> None:
    """An index that is empty or being rebuilt knows no gap; the incident in the ledger still does."""
    archive = site.site
    leaf, stands = keep_endless(archive)
    other, _ = keep_endless(archive, 5)
    open_integrity_incident(
        archive.ledger,
        code="segment_set_aside",
        subject=f"cam-1/{stands.gap}",
        message="set aside",
        found_by="checkpoint",
    )
    site.policy()
    archive.clock.advance((MAX_DAYS + 60) * DAY)
    assert site.dispose() is not None
    assert site.stored() == {leaf.key}, "the other, of which nobody knows, was due"
    assert other.key not in site.stored()


def test_the_sweep_of_orphans_names_it_and_goes_on(site: Disposal) -> None:
    archive = site.site
    leaf, stands = keep_endless(archive)
    other, _ = keep_endless(archive, 5)
    kept = archive.keep(2)
    archive.index.remove([kept.ref()])
    archive.index.add([IndexEntry(leaf=stands, place=None)])
    archive.clock.advance(ADOPTION_AGE)
    sweep = OrphanSweep(archive.stores, archive.index, archive.ledger, archive.clock)
    assert {(one.kind, one.key) for one in sweep.settle()} == {
        (OrphanKind.SET_ASIDE, leaf.key),
        (OrphanKind.NOT_INDEXED, other.key),
        (OrphanKind.NOT_INDEXED, kept.key),
    }
    assert site.indexed() == {kept.key}
    subjects = {(e.state["code"], e.state["subject"]) for e in archive.ledger.heads("integrity_incident")}
    assert subjects == {("not_indexable", f"footage:{other.key}")}


def test_the_checkpoint_makes_it_an_incident_once(tmp_path: Path) -> None:
    site = log_site(tmp_path / "site")
    leaf, stands = keep_endless(site.archive)
    site.archive.write_journal([leaf, stands])
    site.checkpoint()
    found = [
        (entry.version, entry.state["code"], entry.state["subject"])
        for entry in site.archive.ledger.heads("integrity_incident")
    ]
    assert found == [(1, "segment_set_aside", f"cam-1/{stands.gap}")]
    assert stands.span.start > T0 - DAY
